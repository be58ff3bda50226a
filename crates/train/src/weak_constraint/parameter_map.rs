//! The map from standardised parameters w to a model's trainable parameters θ.
//!
//! The prior of training is w ~ N(0, 1/α), so w must be of the same size for every parameter. A network acts on standardised
//! inputs x̂ = (x − x̄)/X and gives standardised outputs ŷ, of which it makes y = ȳ + Y ŷ; its weights and biases are w/√fan_in. What
//! it has to do with units is folded into its first and last layer: W = diag(Y) ŵ diag(1/X), b = ȳ + Y (b̂ − ŵ x̄/X). So the trained
//! model is an ordinary field in the user's units. Constants of equations have maps of their own, those of `constant_map`.

use odesync_ode::field::{ConstantSpec, VectorField};

use super::affine_layers::NetworkLayer;
use super::constant_map::Constant;
use super::parameter_prior::LinearPrior;
use super::standardization::Standardization;
use crate::Result;

/// The map w ↦ θ.
#[derive(Debug, Clone)]
pub(super) struct ParameterMap {
    /// θ at w = 0, but for the constants.
    offset: Vec<f64>,
    /// ∂θ_i/∂w_i, but for the constants.
    scale: Vec<f64>,
    /// For each w_i, another θ that it moves, and by how much: a weight of a first layer moves the bias of its row.
    coupling: Vec<Option<(usize, f64)>>,
    /// The constants of equations.
    constants: Vec<Constant>,
}

impl ParameterMap {
    /// Creates the map of a field. `inputs` are the standardisations of the inputs of the layers that are first, `outputs` those of
    /// the outputs of the layers that are last; both are indexed as `layers`, and unused elsewhere.
    pub fn new(
        field: &VectorField,
        layers: &[NetworkLayer],
        inputs: &[Standardization],
        outputs: &[Standardization],
    ) -> Self {
        let n = field.n_params();
        let start = trainable_offsets(field);
        let mut map = ParameterMap {
            offset: vec![0.0; n],
            scale: vec![0.0; n],
            coupling: vec![None; n],
            constants: vec![],
        };
        let mut in_network = vec![false; n];
        for (i, layer) in layers.iter().enumerate() {
            let (n_inputs, n_outputs) = layer.widths(field);
            let by_fan_in = 1.0 / (n_inputs as f64).sqrt();
            let bias_start = layer.bias.and_then(|b| start[b]);
            let Some(weight_start) = start[layer.weight] else {
                continue;
            };
            for o in 0..n_outputs {
                let out_scale = if layer.is_last { outputs[i].sd[o] } else { 1.0 };
                for j in 0..n_inputs {
                    let at = weight_start + o * n_inputs + j;
                    let in_sd = if layer.is_first { inputs[i].sd[j] } else { 1.0 };
                    map.scale[at] = out_scale * by_fan_in / in_sd;
                    in_network[at] = true;
                    // Without a bias the input's mean cannot be taken off.
                    if let Some(bias) = bias_start.filter(|_| layer.is_first) {
                        let shift = -out_scale * by_fan_in * inputs[i].mean[j] / in_sd;
                        map.coupling[at] = Some((bias + o, shift));
                    }
                }
                if let Some(bias) = bias_start {
                    map.scale[bias + o] = out_scale * by_fan_in;
                    in_network[bias + o] = true;
                    if layer.is_last {
                        map.offset[bias + o] = outputs[i].mean[o];
                    }
                }
            }
        }
        let specs = specs_by_place(field);
        for (i, value) in field.params().into_iter().enumerate() {
            if !in_network[i] {
                map.constants.push(Constant::new(i, value, specs[i]));
            }
        }
        map
    }

    /// Creates the map that leaves all parameters as they are, but for constants of which something is known.
    ///
    /// # Errors
    /// A constant that does not begin between its bounds.
    pub fn of_known_constants(field: &VectorField) -> Result<Self> {
        check_constants(field)?;
        let n = field.n_params();
        let places = specs_by_place(field).into_iter().zip(field.params());
        let known = places
            .enumerate()
            .filter(|(_, (spec, _))| *spec != ConstantSpec::default())
            .map(|(i, (spec, value))| Constant::new(i, value, spec));
        Ok(ParameterMap {
            offset: vec![0.0; n],
            scale: vec![1.0; n],
            coupling: vec![None; n],
            constants: known.collect(),
        })
    }

    /// Returns the map as a table, `[P, 5]`: offset, scale, index and factor of the coupling, initial value of a constant. NaN stands
    /// for what a parameter does not have.
    pub fn to_table(&self) -> Vec<f64> {
        let mut table = vec![];
        for (i, coupling) in self.coupling.iter().enumerate() {
            let (to, by) = coupling.map_or((f64::NAN, f64::NAN), |(to, by)| (to as f64, by));
            let constant = self.constants.iter().find(|c| c.place == i);
            let value = constant.map_or(f64::NAN, |c| c.start);
            table.extend([self.offset[i], self.scale[i], to, by, value]);
        }
        table
    }

    /// Returns the map of a table, for a field that says what is known of its constants; `None` if it is not one.
    pub fn from_table(table: &[f64], field: &VectorField) -> Option<Self> {
        let n = table.len() / 5;
        let specs = specs_by_place(field);
        if specs.len() != n {
            return None;
        }
        let mut map = ParameterMap {
            offset: vec![],
            scale: vec![],
            coupling: vec![],
            constants: vec![],
        };
        for (i, row) in table.chunks(5).enumerate() {
            let [offset, scale, to, by, value] = *row else {
                return None;
            };
            if !(to.is_nan() || (to >= 0.0 && to < n as f64)) {
                return None;
            }
            map.offset.push(offset);
            map.scale.push(scale);
            map.coupling
                .push((!to.is_nan()).then_some((to as usize, by)));
            if !value.is_nan() {
                map.constants.push(Constant::new(i, value, specs[i]));
            }
        }
        Some(map)
    }

    /// Returns the number of parameters.
    pub fn len(&self) -> usize {
        self.offset.len()
    }

    /// Returns the map without α's prior on constants.
    #[must_use]
    pub fn without_shrinkage(mut self) -> Self {
        self.constants.iter_mut().for_each(|c| c.is_flat = true);
        self
    }

    /// Returns the map with the constant at a place held where it is.
    #[must_use]
    pub fn holding(mut self, place: usize) -> Self {
        let held = self.constants.iter_mut().filter(|c| c.place == place);
        held.for_each(|c| c.is_held = true);
        self
    }

    /// Returns the w of a value of the constant at a place; `None` where there is none.
    pub fn inverse(&self, place: usize, value: f64) -> Option<f64> {
        let constant = self.constants.iter().find(|c| c.place == place)?;
        constant.inverse(value)
    }

    /// Returns the indices of the parameters that belong to no network.
    pub fn constant_places(&self) -> Vec<usize> {
        self.constants.iter().map(|c| c.place).collect()
    }

    /// Returns θ for w.
    pub fn theta(&self, w: &[f64]) -> Vec<f64> {
        let mut theta: Vec<f64> = (self.offset.iter().zip(&self.scale))
            .zip(w)
            .map(|((offset, scale), w)| offset + scale * w)
            .collect();
        for (w, coupling) in w.iter().zip(&self.coupling) {
            if let Some((to, by)) = coupling {
                theta[*to] += by * w;
            }
        }
        for constant in &self.constants {
            theta[constant.place] = constant.value(w[constant.place]);
        }
        theta
    }

    /// Turns a gradient with respect to θ into the one with respect to w, at w.
    pub fn pull_back(&self, w: &[f64], d_theta: &[f64], d_w: &mut [f64]) {
        for (i, to) in d_w.iter_mut().enumerate() {
            *to = self.scale[i] * d_theta[i];
            if let Some((from, by)) = self.coupling[i] {
                *to += by * d_theta[from];
            }
        }
        for constant in &self.constants {
            let i = constant.place;
            d_w[i] = match constant.is_held {
                true => 0.0,
                false => constant.slope(w[i]) * d_theta[i],
            };
        }
    }

    /// Returns the own priors of constants, linearised at w.
    pub fn own_priors(&self, w: &[f64]) -> Vec<LinearPrior> {
        let own = |c: &Constant| c.own_prior(w[c.place]);
        self.constants.iter().filter_map(own).collect()
    }

    /// Returns |w|² over the parameters whose prior is that of α, and their number.
    pub fn shrunk(&self, w: &[f64]) -> (f64, usize) {
        let own: Vec<usize> = self.own_priors(w).iter().map(|own| own.place).collect();
        let shrunk = w.iter().enumerate().filter(|(i, _)| !own.contains(i));
        (shrunk.map(|(_, w)| w * w).sum(), w.len() - own.len())
    }

    /// Returns the cost of the priors at w: α |w|², and ((p − mean)/sd)² of constants with a prior of their own.
    pub fn prior_cost(&self, w: &[f64], alpha: f64) -> f64 {
        let own = self.own_priors(w).into_iter();
        alpha * self.shrunk(w).0 + own.map(|own| own.residual * own.residual).sum::<f64>()
    }

    /// Returns the logarithm of the probability that the own priors of constants have between their bounds.
    pub fn log_prior_mass(&self) -> f64 {
        self.constants.iter().map(Constant::log_prior_mass).sum()
    }

    /// Returns w of the model as it is given. Weights that are all within the bounds of a fresh network, ±1/√fan_in, are taken as a
    /// draw of w, whatever the units of the data; others are what they are.
    pub fn initial(&self, field: &VectorField, layers: &[NetworkLayer]) -> Vec<f64> {
        let theta = field.params();
        let start = trainable_offsets(field);
        let mut w = vec![0.0; theta.len()];
        let is_fresh = layers.iter().all(|layer| {
            let bound = (1.0 + 1e-6) / (layer.widths(field).0 as f64).sqrt();
            let (weight, bias) = layer.blocks(field);
            [Some(weight), bias]
                .into_iter()
                .flatten()
                .all(|b| field.values()[b.range()].iter().all(|x| x.abs() <= bound))
        });
        for layer in layers {
            let root = (layer.widths(field).0 as f64).sqrt();
            let blocks = [Some(layer.weight), layer.bias];
            for block in blocks.into_iter().flatten() {
                let Some(from) = start[block] else { continue };
                for i in from..from + field.blocks()[block].len() {
                    w[i] = match is_fresh {
                        true => theta[i] * root,
                        false => (theta[i] - self.offset[i]) / self.scale[i],
                    };
                }
            }
        }
        if !is_fresh {
            for i in 0..w.len() {
                if let Some((bias, by)) = self.coupling[i] {
                    w[bias] -= by * w[i] / self.scale[bias];
                }
            }
        }
        w
    }
}

/// Returns √fan_in of each weight and bias of a network, by which the map's w is larger than the weights of a network that acts on
/// standardised values; 1 of constants.
pub(super) fn network_units(field: &VectorField, layers: &[NetworkLayer]) -> Vec<f64> {
    let start = trainable_offsets(field);
    let mut units = vec![1.0; field.n_params()];
    for layer in layers {
        let root = (layer.widths(field).0 as f64).sqrt();
        for block in [Some(layer.weight), layer.bias].into_iter().flatten() {
            if let Some(from) = start[block] {
                units[from..from + field.blocks()[block].len()].fill(root);
            }
        }
    }
    units
}

/// Checks that all constants of a field begin between their bounds.
///
/// # Errors
/// The first one that does not.
pub(super) fn check_constants(field: &VectorField) -> Result<()> {
    let mut specs = field.specs();
    specs.try_for_each(|(name, value, spec)| spec.check(name, value))
}

/// Returns what is known of each trainable parameter; nothing of those of networks.
fn specs_by_place(field: &VectorField) -> Vec<ConstantSpec> {
    let blocks = field.blocks().iter().filter(|b| b.trainable);
    let known = |spec: Option<ConstantSpec>| spec.unwrap_or_default();
    blocks
        .flat_map(|b| std::iter::repeat_n(known(b.spec), b.len()))
        .collect()
}

/// Returns where each block begins in the vector of trainable parameters; `None` for one that is not trainable.
fn trainable_offsets(field: &VectorField) -> Vec<Option<usize>> {
    let mut at = 0;
    field
        .blocks()
        .iter()
        .map(|b| {
            let start = b.trainable.then_some(at);
            at += if b.trainable { b.len() } else { 0 };
            start
        })
        .collect()
}
