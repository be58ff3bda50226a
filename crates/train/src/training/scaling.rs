//! Training in scaled variables: the parameters that the optimiser sees, and the option that asks for them.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::weak_constraint::{GivenScales, ScaledModel};
use odesync_base::option_set;
use odesync_base::options::{Keys, ListOf, Maybe, Mismatch, OptionKind, Positive, Value, read_map};

/// The variables in which a training by gradient descent takes place.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Those of the data.
    #[default]
    None,
    /// Scaled to mean 0 and spread 1 of the data, and time by their rate of change.
    Auto,
    /// Scaled by given sizes.
    Given(ScaleFactors),
}

option_set! {
    /// Scale factors of variables: what each is divided by.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct ScaleFactors {
        /// Size of each state variable, which is what it is divided by.
        pub state: Option<Vec<f64>> as Maybe<ListOf<Positive>> = None, "the spread of the data about their mean";
        /// Time in which the state changes by its size.
        pub time: Option<f64> as Maybe<Positive> = None, "by the rate of change of the data";
    }
}

impl Scaling {
    /// Whether nothing is scaled.
    pub fn is_none(&self) -> bool {
        *self == Scaling::None
    }

    /// Returns the sizes that are given; `None` where nothing is scaled.
    pub(super) fn given(&self) -> Option<GivenScales<'_>> {
        match self {
            Scaling::None => None,
            Scaling::Auto => Some(GivenScales::default()),
            Scaling::Given(sizes) => Some(GivenScales {
                state: sizes.state.as_deref(),
                time: sizes.time,
            }),
        }
    }
}

/// A name, or a map of sizes.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScaleOption;

impl OptionKind for ScaleOption {
    type Field = Scaling;
    const EXPECTED: &'static str = "\"auto\", \"none\" or a map of state and time";
    const CHOICES: &'static [&'static str] = &["none", "auto"];
    const NESTED: Keys = &[ScaleFactors::OPTIONS];

    fn read(value: &Value) -> std::result::Result<Scaling, Mismatch> {
        if let Value::Map(_) = value {
            let mut sizes = ScaleFactors::default();
            read_map(&mut sizes, value).map_err(Mismatch::Within)?;
            return match (&sizes.state, sizes.time) {
                (None, None) => Err(Mismatch::Within(Error::invalid(
                    "give state, time or both; \"auto\" takes both from the data",
                ))),
                _ => Ok(Scaling::Given(sizes)),
            };
        }
        match value.text().ok_or(Mismatch::Value)? {
            "none" => Ok(Scaling::None),
            "auto" => Ok(Scaling::Auto),
            name => {
                let known = Self::CHOICES.iter().copied();
                Err(odesync_base::error::unknown("scale", name, known).into())
            }
        }
    }

    fn write(field: &Scaling) -> Value {
        match field {
            Scaling::None => "none".into(),
            Scaling::Auto => "auto".into(),
            Scaling::Given(sizes) => odesync_base::options::write_map(sizes),
        }
    }
}

/// All parameters of a training in scaled units: the model's, the shooting corrections, the trained initial states.
pub(super) struct ScaledParams {
    model: ScaledModel,
    /// Number of shooting corrections.
    n_corrections: usize,
    /// The parameters that the optimiser sees.
    pub z: Vec<f64>,
}

impl ScaledParams {
    /// Creates the parameters of a model as it is given, and of a method that begins with these auxiliary parameters: so many
    /// corrections, which are 0, then the trained initial states.
    pub fn new(model: ScaledModel, aux_params: &[f64], n_corrections: usize) -> Self {
        let mut z = model.start.clone();
        z.extend(std::iter::repeat_n(0.0, n_corrections));
        z.extend(model.states_to_scaled(aux_params.get(n_corrections..).unwrap_or_default()));
        ScaledParams {
            model,
            n_corrections,
            z,
        }
    }

    /// Returns the size of each state variable, `[dof]`.
    pub fn sd(&self) -> &[f64] {
        self.model.sd()
    }

    /// Returns the parameters in the user's units.
    pub fn params(&self) -> Vec<f64> {
        let (model, aux) = self.z.split_at(self.model.len());
        let (corrections, u0) = aux.split_at(self.n_corrections);
        let mut params = self.model.theta(model);
        let sd = self.sd().iter().cycle();
        params.extend(corrections.iter().zip(sd).map(|(z, sd)| z * sd));
        params.extend(self.model.states_to_user(u0));
        params
    }

    /// Returns the parameters in the user's units at another z.
    pub fn params_at(&self, z: &[f64]) -> Vec<f64> {
        let at = ScaledParams {
            z: z.to_vec(),
            model: self.model.clone(),
            n_corrections: self.n_corrections,
        };
        at.params()
    }

    /// Returns the gradient with respect to the model's parameters that the optimiser sees.
    pub fn pull_back_model(&self, gradient: &[f64]) -> Vec<f64> {
        self.model.pull_back(&self.z[..self.model.len()], gradient)
    }

    /// Returns the gradient that the optimiser sees, for one with respect to the parameters in the user's units.
    pub fn pull_back(&self, gradient: &[f64]) -> Vec<f64> {
        let n = self.model.len();
        let (of_model, of_aux) = gradient.split_at(n);
        let mut all = self.model.pull_back(&self.z[..n], of_model);
        // Corrections and initial states are whole states, one after the other.
        let sd = self.sd().iter().cycle();
        all.extend(of_aux.iter().zip(sd).map(|(g, sd)| g * sd));
        all
    }
}
