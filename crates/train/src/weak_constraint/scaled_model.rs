//! A model's parameters as those of networks that act on scaled variables, for training by gradient descent.

use odesync_ode::field::VectorField;

use super::affine_layers::affine_layers;
use super::data_scales::{DataScales, matching_points};
use super::network_scales::network_scales;
use super::parameter_map::{ParameterMap, network_units};
use super::residual_loss::ResidualLoss;
use super::standardization::Standardization;
use crate::datasets::Dataset;
use crate::observation::{Observation, check_data};
use crate::{Error, Result};
use odesync_base::text::count_of;

/// Scales that a user gives, in place of those of the data.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GivenScales<'a> {
    /// Size of each state variable, `[dof]`; its zero stays where it is.
    pub state: Option<&'a [f64]>,
    /// Time in which the state changes by its size.
    pub time: Option<f64>,
}

/// The map from parameters z of networks that act on scaled variables to a model's trainable parameters θ. Weights are those of a
/// network whose inputs and outputs have mean 0 and spread 1, folded into its first and last layer; a constant p₀ of an equation is
/// p₀ sinh(a + z), sinh a = 1.
#[derive(Debug, Clone)]
pub(crate) struct ScaledModel {
    map: ParameterMap,
    /// Factors by which the standardised parameters w of the map are larger than z.
    units: Vec<f64>,
    scaling: Standardization,
    /// z of the model as it is given.
    pub start: Vec<f64>,
}

impl ScaledModel {
    /// Finds the scales of data, as weak-constraint training does, and the parameters that the model begins with.
    ///
    /// # Errors
    /// Data or scales that do not fit the model.
    pub fn new(
        model: &VectorField,
        data: &Dataset,
        observation: &Observation,
        given: GivenScales,
    ) -> Result<Self> {
        check_data(model, data)?;
        let scales = DataScales::new(model, data, observation, ResidualLoss::Gaussian)?;
        let (points, mut dz) = matching_points(&scales.samples, &scales.curve, &scales.scaling);
        let scaling = match given.state {
            None => scales.scaling,
            Some(sd) if sd.len() == model.dof() => {
                for (j, mut column) in dz.columns_mut().into_iter().enumerate() {
                    column *= scales.scaling.sd[j] / sd[j];
                }
                Standardization {
                    mean: vec![0.0; sd.len()],
                    sd: sd.to_vec(),
                }
            }
            Some(sd) => {
                return Err(Error::invalid(format!(
                    "scale: state has {}, and the model has {}: give one for each",
                    count_of(sd.len(), "number"),
                    count_of(model.dof(), "state variable")
                )));
            }
        };
        let layers = affine_layers(model);
        let (inputs, outputs, _) =
            network_scales(model, &layers, (&points, &dz), &scaling, given.time)?;
        let map = ParameterMap::new(model, &layers, &inputs, &outputs);
        let units = network_units(model, &layers);
        let w = map.initial(model, &layers);
        Ok(ScaledModel {
            start: w.iter().zip(&units).map(|(w, unit)| w / unit).collect(),
            map,
            units,
            scaling,
        })
    }

    /// Creates the map that scales nothing and keeps constants within their bounds: as they are but for these, of which z is the
    /// logarithm of the distance from a bound, or the logit between two, less its first value.
    ///
    /// # Errors
    /// A constant that does not begin between its bounds.
    pub fn within_bounds(model: &VectorField) -> Result<Self> {
        let map = ParameterMap::of_known_constants(model)?;
        let mut start = model.params();
        map.constant_places().iter().for_each(|i| start[*i] = 0.0);
        Ok(ScaledModel {
            units: vec![1.0; map.len()],
            map,
            scaling: Standardization::identity(model.dof()),
            start,
        })
    }

    /// Returns the number of parameters.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Returns the size of each state variable, `[dof]`.
    pub fn sd(&self) -> &[f64] {
        &self.scaling.sd
    }

    /// Returns θ for z.
    pub fn theta(&self, z: &[f64]) -> Vec<f64> {
        self.map.theta(&self.standardised(z))
    }

    /// Returns the gradient with respect to z, at z, for one with respect to θ.
    pub fn pull_back(&self, z: &[f64], d_theta: &[f64]) -> Vec<f64> {
        let mut d_z = vec![0.0; d_theta.len()];
        self.map.pull_back(&self.standardised(z), d_theta, &mut d_z);
        d_z.iter_mut()
            .zip(&self.units)
            .for_each(|(d, unit)| *d *= unit);
        d_z
    }

    /// Returns a list of states, state variable after state variable, in the user's units.
    pub fn states_to_user(&self, z: &[f64]) -> Vec<f64> {
        self.scaling.all_to_user(z)
    }

    /// Returns a list of states, state variable after state variable, in scaled units.
    pub fn states_to_scaled(&self, u: &[f64]) -> Vec<f64> {
        self.scaling.all_to_standard(u)
    }

    fn standardised(&self, z: &[f64]) -> Vec<f64> {
        z.iter()
            .zip(&self.units)
            .map(|(z, unit)| z * unit)
            .collect()
    }
}
