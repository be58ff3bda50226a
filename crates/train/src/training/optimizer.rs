//! Optimisers on the flat parameter vector, with PyTorch's formulas and order of operations, and a state that is saved.

use serde::{Deserialize, Serialize};

use super::damping::{Damping, LevenbergMarquardt};
use crate::{Error, Result};
use odesync_base::options::{Key, Mismatch, Number, OptionKind, OptionSet, Text, Value};

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
    Sgd {
        /// Momentum, 0 for none.
        momentum: f64,
        /// Weight decay.
        weight_decay: f64,
    },
    /// Damped Gauss-Newton steps on the residuals (Levenberg 1944, Marquardt 1963); weight decay is added to the squares.
    #[serde(rename = "lm")]
    LevenbergMarquardt(LevenbergMarquardt),
}

/// Settings of Adam and AdamW.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    /// Decay rate β₁ of the mean of gradients.
    pub beta1: f64,
    /// Decay rate β₂ of the mean of squared gradients.
    pub beta2: f64,
    /// Constant ε added to the denominator.
    pub eps: f64,
    /// Weight decay.
    pub weight_decay: f64,
}

impl Optimizer {
    /// Names of all optimisers, the default first.
    pub const NAMES: [&'static str; 4] = ["adamw", "adam", "sgd", "lm"];

    /// Returns the optimiser of this name, `adamw`, `adam`, `sgd` or `lm`; the defaults of the first three are PyTorch's.
    ///
    /// # Errors
    /// An unknown name.
    pub fn by_name(name: &str) -> Result<Self> {
        let adam = |weight_decay| Adam {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay,
        };
        match name {
            "adamw" => Ok(Optimizer::AdamW(adam(0.01))),
            "adam" => Ok(Optimizer::Adam(adam(0.0))),
            "sgd" => Ok(Optimizer::Sgd {
                momentum: 0.0,
                weight_decay: 0.0,
            }),
            "lm" => Ok(Optimizer::LevenbergMarquardt(LevenbergMarquardt::default())),
            _ => Err(odesync_base::error::unknown("optimizer", name, Self::NAMES)),
        }
    }

    /// Returns the name of the optimiser, as in scripts.
    pub fn name(&self) -> &'static str {
        match self {
            Optimizer::AdamW(_) => "adamw",
            Optimizer::Adam(_) => "adam",
            Optimizer::Sgd { .. } => "sgd",
            Optimizer::LevenbergMarquardt(_) => "lm",
        }
    }

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
        let of_gradients = |key: &&str| ["lr", "lr_schedule", "clip"].contains(key);
        let is_least_squares = self.least_squares().is_some();
        match given.into_iter().find(of_gradients) {
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
            Optimizer::Sgd { weight_decay, .. } => *weight_decay = decay,
            Optimizer::LevenbergMarquardt(settings) => settings.weight_decay = decay,
        }
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn check(&self) -> Result<()> {
        let fine = match self {
            Optimizer::AdamW(a) | Optimizer::Adam(a) => {
                (0.0..1.0).contains(&a.beta1)
                    && (0.0..1.0).contains(&a.beta2)
                    && a.eps >= 0.0
                    && a.eps.is_finite()
                    && a.weight_decay >= 0.0
                    && a.weight_decay.is_finite()
            }
            Optimizer::Sgd {
                momentum,
                weight_decay,
            } => {
                *momentum >= 0.0
                    && momentum.is_finite()
                    && *weight_decay >= 0.0
                    && weight_decay.is_finite()
            }
            Optimizer::LevenbergMarquardt(settings) => return settings.check(),
        };
        if fine {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the settings of {} are out of range: betas in [0, 1), eps, momentum and weight_decay not negative",
            self.name()
        )))
    }
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer::AdamW(Adam {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.01,
        })
    }
}

impl Optimizer {
    /// Descriptions of the options.
    pub const OPTIONS: &'static [Key] = &[
        Key::new("optimizer")
            .doc("Algorithm; `\"lm\"` makes Levenberg-Marquardt steps, the others are PyTorch's, with its defaults.")
            .expected(Text::EXPECTED)
            .choices(&Self::NAMES)
            .default(|| Value::from(Self::NAMES[0]), ""),
        Key::new("weight_decay")
            .doc("Factor that pulls the weights towards 0.")
            .expected(Number::EXPECTED)
            .default(|| Value::Unit, "0.01 for adamw, else 0"),
        Key::new("momentum")
            .doc("Momentum, for sgd only.")
            .expected(Number::EXPECTED)
            .default(|| Value::Float(0.0), "0"),
        LevenbergMarquardt::OPTIONS[0],
        LevenbergMarquardt::OPTIONS[1],
        LevenbergMarquardt::OPTIONS[2],
        LevenbergMarquardt::OPTIONS[3],
    ];
}

impl OptionSet for Optimizer {
    fn keys(&self) -> Vec<&'static Key> {
        Self::OPTIONS.iter().collect()
    }

    fn try_set(&mut self, name: &str, value: &Value) -> std::result::Result<(), Mismatch> {
        match name {
            "optimizer" => *self = Self::by_name(&Text::read(value)?)?,
            "weight_decay" => *self = self.clone().with_weight_decay(Number::read(value)?),
            "momentum" => {
                let given = Number::read(value)?;
                match self {
                    Optimizer::Sgd { momentum, .. } => *momentum = given,
                    other => {
                        let name = other.name();
                        let message = format!("{name} has no momentum; choose optimizer: \"sgd\"");
                        return Err(Error::invalid(message).into());
                    }
                }
            }
            _ if LevenbergMarquardt::OPTIONS
                .iter()
                .any(|key| key.name == name) =>
            {
                match self {
                    Optimizer::LevenbergMarquardt(settings) => settings.try_set(name, value)?,
                    other => {
                        let other = other.name();
                        let message = format!("{other} has no {name}; choose optimizer: \"lm\"");
                        return Err(Error::invalid(message).into());
                    }
                }
            }
            _ => return Err(Mismatch::UnknownName),
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Option<Value> {
        let (decay, momentum) = match self {
            Optimizer::AdamW(a) | Optimizer::Adam(a) => (a.weight_decay, 0.0),
            Optimizer::Sgd {
                momentum,
                weight_decay,
            } => (*weight_decay, *momentum),
            Optimizer::LevenbergMarquardt(settings) => (settings.weight_decay, 0.0),
        };
        match name {
            "optimizer" => Some(self.name().into()),
            "weight_decay" => Some(decay.into()),
            "momentum" => Some(momentum.into()),
            _ => match self {
                Optimizer::LevenbergMarquardt(settings) => settings.get(name),
                _ => LevenbergMarquardt::default().get(name),
            },
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
            Optimizer::Sgd {
                momentum,
                weight_decay,
            } => {
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
