//! Optimisers on the flat parameter vector, with PyTorch's formulas and order of operations, and a state that is saved.

use serde::{Deserialize, Serialize};

use super::damping::{Damping, LevenbergMarquardt};
use crate::{Error, Result};
use odesync_base::options::{
    Key, Mismatch, Named, NonNegative, OneOf, OptionKind, OptionSet, Value, join, split,
};
use odesync_base::{impl_named, number_kind, option_set};

/// Optimisation algorithm with its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Optimizer {
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    #[serde(rename = "adamw")]
    AdamW(Adam),
    /// Adam (Kingma and Ba 2015); weight decay is added to the gradient.
    Adam(Adam),
    /// Gradient descent with momentum; weight decay is added to the gradient.
    Sgd(Sgd),
    /// Damped Gauss-Newton steps on the residuals (Levenberg 1944, Marquardt 1963); weight decay is added to the squares.
    #[serde(rename = "lm")]
    LevenbergMarquardt(LevenbergMarquardt),
}

impl_named!(
    Optimizer,
    "optimizer",
    AdamW(Adam::default()) = "adamw",
    Adam(Adam {
        weight_decay: 0.0,
        ..Adam::default()
    }) = "adam",
    Sgd(Sgd::default()) = "sgd",
    LevenbergMarquardt(LevenbergMarquardt::default()) = "lm",
);

number_kind!(
    /// A number in [0, 1).
    DecayRate, f64, "a number from 0 to below 1", Value::number, |x| (0.0..1.0).contains(&x)
);

option_set! {
    /// Settings of Adam and AdamW; the defaults are those of AdamW.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Adam {
        /// Decay rate β₁ of the mean of gradients, for adamw and adam.
        pub beta1: f64 as DecayRate = 0.9;
        /// Decay rate β₂ of the mean of squared gradients, for adamw and adam.
        pub beta2: f64 as DecayRate = 0.999;
        /// Constant ε added to the denominator, for adamw and adam.
        pub eps: f64 as NonNegative = 1e-8;
        /// Factor that pulls the weights towards 0.
        pub weight_decay: f64 as NonNegative = 0.01;
    }
}

option_set! {
    /// Settings of gradient descent.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Sgd {
        /// Momentum, for sgd only.
        pub momentum: f64 as NonNegative = 0.0, "0";
        /// Factor that pulls the weights towards 0.
        pub weight_decay: f64 as NonNegative = 0.0, "0.01 for adamw, else 0";
    }
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer::AdamW(Adam::default())
    }
}

impl Optimizer {
    /// Descriptions of the options: the name of the algorithm, and the settings of all of them.
    pub const OPTIONS: &'static [Key] = &join::<10>(&[
        &[Key::new("optimizer")
            .doc("Algorithm; `\"lm\"` makes Levenberg-Marquardt steps, the others are PyTorch's, with its defaults.")
            .expected(<OneOf<Self> as OptionKind>::EXPECTED)
            .choices(Self::NAMES)
            .default(|| Value::from(Self::NAMES[0]), "")],
        split(Sgd::OPTIONS, "weight_decay").1,
        split(Sgd::OPTIONS, "weight_decay").0,
        split(Adam::OPTIONS, "weight_decay").0,
        split(LevenbergMarquardt::OPTIONS, "weight_decay").0,
    ]);

    /// Returns the settings of the method of Levenberg and Marquardt, where this is it.
    pub fn least_squares(&self) -> Option<&LevenbergMarquardt> {
        match self {
            Optimizer::LevenbergMarquardt(settings) => Some(settings),
            _ => None,
        }
    }

    /// Checks that none of the options that are given belongs to steps along a gradient, where the steps are those of Levenberg and
    /// Marquardt.
    ///
    /// # Errors
    /// The first one that does.
    pub fn check_given<'a>(&self, given: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let of_gradients = |key: &&str| ["lr", "lr_schedule", "clip", "batch"].contains(key);
        let is_least_squares = self.least_squares().is_some();
        match given.into_iter().find(of_gradients) {
            Some("batch") if is_least_squares => Err(Error::invalid(
                "a step of optimizer: \"lm\" needs the residuals of all samples, and batch takes a part of them: leave batch out, or take \
                 optimizer: \"adamw\"",
            )),
            Some(key) if is_least_squares => Err(Error::invalid(format!(
                "{key} belongs to steps along the gradient, and optimizer: \"lm\" finds the length of its steps: leave it out, or shorten \
                 the first steps by a larger damping"
            ))),
            _ => Ok(()),
        }
    }

    /// Sets the weight decay.
    #[must_use]
    pub fn with_weight_decay(mut self, decay: f64) -> Self {
        match &mut self {
            Optimizer::AdamW(a) | Optimizer::Adam(a) => a.weight_decay = decay,
            Optimizer::Sgd(sgd) => sgd.weight_decay = decay,
            Optimizer::LevenbergMarquardt(settings) => settings.weight_decay = decay,
        }
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn check(&self) -> Result<()> {
        match self {
            Optimizer::AdamW(a) | Optimizer::Adam(a) => a.check_ranges(),
            Optimizer::Sgd(sgd) => sgd.check_ranges(),
            Optimizer::LevenbergMarquardt(settings) => settings.check(),
        }
    }

    fn settings(&self) -> &dyn OptionSet {
        match self {
            Optimizer::AdamW(a) | Optimizer::Adam(a) => a,
            Optimizer::Sgd(sgd) => sgd,
            Optimizer::LevenbergMarquardt(settings) => settings,
        }
    }

    fn settings_mut(&mut self) -> &mut dyn OptionSet {
        match self {
            Optimizer::AdamW(a) | Optimizer::Adam(a) => a,
            Optimizer::Sgd(sgd) => sgd,
            Optimizer::LevenbergMarquardt(settings) => settings,
        }
    }

    /// Returns why this optimiser has no setting of this name: it is that of others, or of none.
    fn no_setting(&self, name: &str) -> Mismatch {
        let others = Self::NAMES.iter().filter(|other| {
            Self::from_name(other).is_ok_and(|other| other.settings().get(name).is_some())
        });
        let others: Vec<String> = others.map(|other| format!("\"{other}\"")).collect();
        match others.is_empty() {
            true => Mismatch::UnknownName,
            false => Mismatch::Other(Error::invalid(format!(
                "{} has no {name}; choose optimizer: {}",
                self.to_name(),
                others.join(" or ")
            ))),
        }
    }
}

/// The option `optimizer` names the algorithm, and the others are the settings of the one that is chosen.
impl OptionSet for Optimizer {
    fn keys(&self) -> Vec<&'static Key> {
        Self::OPTIONS.iter().collect()
    }

    fn try_set(&mut self, name: &str, value: &Value) -> std::result::Result<(), Mismatch> {
        if name == "optimizer" {
            *self = OneOf::<Self>::read(value)?;
            return Ok(());
        }
        match self.settings_mut().try_set(name, value) {
            Err(Mismatch::UnknownName) => Err(self.no_setting(name)),
            done => done,
        }
    }

    fn get(&self, name: &str) -> Option<Value> {
        match name {
            "optimizer" => Some(self.to_name().into()),
            name => self.settings().get(name),
        }
    }
}

/// State of an optimiser between steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OptimizerState {
    /// Number of updates so far.
    pub step: u64,
    /// Mean of gradients (Adam), momentum (SGD) or the largest norm so far of the Jacobian's columns (`lm`).
    pub first_moment: Vec<f64>,
    /// Mean of squared gradients (Adam).
    pub second_moment: Vec<f64>,
    /// Damping of `lm`; `None` of the others.
    pub damping: Option<Damping>,
}

impl OptimizerState {
    /// Creates the state before the first step, for `n` parameters.
    pub fn new(n: usize) -> Self {
        OptimizerState {
            step: 0,
            first_moment: vec![0.0; n],
            second_moment: vec![0.0; n],
            damping: None,
        }
    }

    /// Updates the parameters by a gradient; `lm`, whose steps need more than that, leaves them. Weight decay applies to the first
    /// `n_decayed` of them only.
    pub fn update(
        &mut self,
        optimizer: &Optimizer,
        lr: f64,
        params: &mut [f64],
        gradient: &[f64],
        n_decayed: usize,
    ) {
        self.step += 1;
        match optimizer {
            Optimizer::AdamW(settings) => {
                for p in params.iter_mut().take(n_decayed) {
                    *p *= 1.0 - lr * settings.weight_decay;
                }
                self.adam_step(settings, 0.0, lr, params, gradient, n_decayed);
            }
            Optimizer::Adam(settings) => {
                self.adam_step(
                    settings,
                    settings.weight_decay,
                    lr,
                    params,
                    gradient,
                    n_decayed,
                );
            }
            Optimizer::Sgd(Sgd {
                momentum,
                weight_decay,
            }) => {
                for (i, (p, g)) in params.iter_mut().zip(gradient).enumerate() {
                    let g = g + if i < n_decayed {
                        weight_decay * *p
                    } else {
                        0.0
                    };
                    let direction = if *momentum == 0.0 {
                        g
                    } else {
                        // As in PyTorch, the momentum of the first step is the gradient itself.
                        let m = if self.step == 1 {
                            g
                        } else {
                            momentum * self.first_moment[i] + g
                        };
                        self.first_moment[i] = m;
                        m
                    };
                    *p -= lr * direction;
                }
            }
            Optimizer::LevenbergMarquardt(_) => {}
        }
    }

    fn adam_step(
        &mut self,
        a: &Adam,
        decay: f64,
        lr: f64,
        params: &mut [f64],
        gradient: &[f64],
        n_decayed: usize,
    ) {
        let step = self.step as f64;
        let correction1 = 1.0 - a.beta1.powf(step);
        let correction2 = 1.0 - a.beta2.powf(step);
        let step_size = lr / correction1;
        let root = correction2.sqrt();
        for (i, (p, g)) in params.iter_mut().zip(gradient).enumerate() {
            let g = g + if i < n_decayed { decay * *p } else { 0.0 };
            let (m, v) = (&mut self.first_moment[i], &mut self.second_moment[i]);
            *m += (g - *m) * (1.0 - a.beta1);
            *v = *v * a.beta2 + (1.0 - a.beta2) * g * g;
            *p -= step_size * (*m / (v.sqrt() / root + a.eps));
        }
    }
}
