//! The map from standardised parameters w to a model's trainable parameters θ.
//!
//! The prior of training is w ~ N(0, 1/α), so w must be of the same size for every parameter. A network acts on standardised
//! inputs x̂ = (x − x̄)/X and gives standardised outputs ŷ, of which it makes y = ȳ + Y ŷ; its weights and biases are w/√fan_in. What
//! it has to do with units is folded into its first and last layer: W = diag(Y) ŵ diag(1/X), b = ȳ + Y (b̂ − ŵ x̄/X). So the trained
//! model is an ordinary field in the user's units. A constant of an equation is p = p₀ sinh(a + w)/sinh(a), a = asinh 1: near p₀ it
//! moves in proportion to p₀, far above it on a logarithmic scale, and it can change its sign; one that begins at 0 is w itself.

use odesync_ode::field::VectorField;

use super::affine_layers::NetworkLayer;

/// Mean and standard deviation of each component of something.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standardization {
    /// Mean, `[component]`.
    pub mean: Vec<f64>,
    /// Standard deviation, `[component]`.
    pub sd: Vec<f64>,
}

impl Standardization {
    /// The identity for `n` components.
    pub fn identity(n: usize) -> Self {
        Standardization {
            mean: vec![0.0; n],
            sd: vec![1.0; n],
        }
    }

    /// Returns a standardised value of component `j` in the user's units.
    pub fn to_user(&self, j: usize, z: f64) -> f64 {
        self.mean[j] + self.sd[j] * z
    }

    /// Returns a value of component `j` in standardised units.
    pub fn to_standard(&self, j: usize, u: f64) -> f64 {
        (u - self.mean[j]) / self.sd[j]
    }

    /// Returns a list of standardised values, component after component, in the user's units.
    pub fn all_to_user(&self, z: &[f64]) -> Vec<f64> {
        let units = |(i, z): (usize, &f64)| self.to_user(i % self.mean.len(), *z);
        z.iter().enumerate().map(units).collect()
    }

    /// Returns a list of values, component after component, in standardised units.
    pub fn all_to_standard(&self, u: &[f64]) -> Vec<f64> {
        let units = |(i, u): (usize, &f64)| self.to_standard(i % self.mean.len(), *u);
        u.iter().enumerate().map(units).collect()
    }
}

/// The map w ↦ θ.
#[derive(Debug, Clone)]
pub(super) struct ParameterMap {
    /// θ at w = 0, but for the constants.
    offset: Vec<f64>,
    /// ∂θ_i/∂w_i, but for the constants.
    scale: Vec<f64>,
    /// For each w_i, another θ that it moves, and by how much: a weight of a first layer moves the bias of its row.
    coupling: Vec<Option<(usize, f64)>>,
    /// For each constant, its index and initial value.
    constants: Vec<(usize, f64)>,
}

/// asinh 1, where sinh is 1.
const A: f64 = 0.881_373_587_019_543;

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
        for (i, value) in field.params().into_iter().enumerate() {
            if !in_network[i] {
                map.constants.push((i, value));
            }
        }
        map
    }

    /// Returns the map as a table, `[P, 5]`: offset, scale, index and factor of the coupling, initial value of a constant. NaN stands
    /// for what a parameter does not have.
    pub fn to_table(&self) -> Vec<f64> {
        let mut table = vec![];
        for (i, coupling) in self.coupling.iter().enumerate() {
            let (to, by) = coupling.map_or((f64::NAN, f64::NAN), |(to, by)| (to as f64, by));
            let constant = self.constants.iter().find(|(at, _)| *at == i);
            let value = constant.map_or(f64::NAN, |(_, value)| *value);
            table.extend([self.offset[i], self.scale[i], to, by, value]);
        }
        table
    }

    /// Returns the map of a table; `None` if it is not one.
    pub fn from_table(table: &[f64]) -> Option<Self> {
        let n = table.len() / 5;
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
                map.constants.push((i, value));
            }
        }
        Some(map)
    }

    /// Returns the number of parameters.
    pub fn len(&self) -> usize {
        self.offset.len()
    }

    /// Returns the indices of the parameters that belong to no network.
    pub fn constant_places(&self) -> Vec<usize> {
        self.constants.iter().map(|(i, _)| *i).collect()
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
        for (i, p0) in &self.constants {
            theta[*i] = if *p0 == 0.0 {
                w[*i]
            } else {
                p0 * (A + w[*i]).sinh()
            };
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
        for (i, p0) in &self.constants {
            let slope = if *p0 == 0.0 {
                1.0
            } else {
                p0 * (A + w[*i]).cosh()
            };
            d_w[*i] = slope * d_theta[*i];
        }
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
