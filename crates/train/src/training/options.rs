//! How to train.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::observation::Observation;
use super::optimizer::Optimizer;
use crate::{Error, Result};
use odesync_ode::odesolve::SolveOptions;

/// Options of a training run; every default is stated with its field.
#[derive(Debug, Clone)]
pub struct TrainOptions {
    /// Number of epochs; by default the schedule's (homotopy) or 1000.
    pub epochs: Option<usize>,
    /// Learning rate, 0.02.
    pub lr: f64,
    /// How the learning rate changes over the run, constant.
    pub lr_schedule: LrSchedule,
    /// The optimiser, AdamW with PyTorch's defaults.
    pub optimizer: Optimizer,
    /// Bound on the Euclidean norm of the gradient, none.
    pub clip: Option<f64>,
    /// Stop when the mse has not improved for so many epochs (counted at λ = 0 only), never.
    pub patience: Option<usize>,
    /// Stop after so many epochs in a row whose training solve failed, 10.
    pub max_failures: usize,
    /// Which state variables the data are, and where the model begins; the whole state, and where the data begin.
    pub observation: Observation,
    /// The solver, dopri5 with rtol 1e-7 and atol 1e-9.
    pub solver: SolveOptions,
    /// `native` or `torch`, native.
    pub engine: String,
    /// `cpu` or, with the torch engine, `cuda:0`; cpu.
    pub device: String,
    /// Folder for checkpoints, none. It is locked while the run lasts.
    pub out: Option<PathBuf>,
    /// Write them at the start, every so many epochs and at the end, 100; flushing a file to disk can cost more than an epoch.
    pub checkpoint_every: usize,
    /// Keep the parameters at the beginning of every so many epochs, for the path of the run ([`super::Run::path`]), never.
    pub trajectory_every: Option<usize>,
    /// Go on with the run that `out` holds, as if it had never stopped, false. Where it holds none the run begins anew; where it
    /// holds one that is over, that is the result. Everything that the results depend on must be as it was, and is compared;
    /// `epochs` may be another number, and the epochs to come then follow it ([`LrSchedule::Cosine`] ends there).
    pub resume: bool,
    /// Raised to stop after the current epoch.
    pub interrupt: Arc<AtomicBool>,
}

impl Default for TrainOptions {
    fn default() -> Self {
        TrainOptions {
            epochs: None,
            lr: 0.02,
            lr_schedule: LrSchedule::Constant,
            optimizer: Optimizer::default(),
            clip: None,
            patience: None,
            max_failures: 10,
            observation: Observation::default(),
            solver: SolveOptions::default(),
            engine: "native".into(),
            device: "cpu".into(),
            out: None,
            checkpoint_every: 100,
            trajectory_every: None,
            resume: false,
            interrupt: Arc::default(),
        }
    }
}

/// The methods of all options of what is solved and compared with data.
macro_rules! solve_option_setters {
    ($type:ty) => {
        impl $type {
            /// The same with another solver.
            #[must_use]
            pub fn solver(mut self, solver: odesync_ode::odesolve::SolveOptions) -> Self {
                self.solver = solver;
                self
            }

            /// The same with other tolerances of the solver.
            #[must_use]
            pub fn tolerances(mut self, rtol: f64, atol: f64) -> Self {
                self.solver = self.solver.tolerances(rtol, atol);
                self
            }

            /// The same for data that are not the whole state, or a model that begins elsewhere than they do; the initial states
            /// may be trained.
            #[must_use]
            pub fn observation(mut self, observation: $crate::training::Observation) -> Self {
                self.observation = observation;
                self
            }
        }
    };
}
pub(crate) use solve_option_setters;

solve_option_setters!(TrainOptions);

impl TrainOptions {
    /// The same with another learning rate.
    #[must_use]
    pub fn lr(mut self, lr: f64) -> Self {
        self.lr = lr;
        self
    }

    /// The same with this number of epochs.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = Some(epochs);
        self
    }

    /// The same with checkpoints in this folder.
    #[must_use]
    pub fn out(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out = Some(folder.into());
        self
    }

    /// The same, keeping the parameters at the beginning of every so many epochs.
    #[must_use]
    pub fn trajectory_every(mut self, epochs: usize) -> Self {
        self.trajectory_every = Some(epochs);
        self
    }

    /// The same, going on with the run in the folder if there is one.
    #[must_use]
    pub fn resume(mut self) -> Self {
        self.resume = true;
        self
    }

    /// The same with another optimiser.
    #[must_use]
    pub fn optimizer(mut self, optimizer: Optimizer) -> Self {
        self.optimizer = optimizer;
        self
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A value out of its range.
    pub fn check(&self) -> Result<()> {
        if !(self.lr > 0.0 && self.lr.is_finite()) {
            return Err(Error::invalid(format!(
                "lr must be a positive number, not {}",
                self.lr
            )));
        }
        if let Some(clip) = self.clip
            && !(clip > 0.0 && clip.is_finite())
        {
            return Err(Error::invalid(format!(
                "clip must be a positive number, not {clip}"
            )));
        }
        for (name, value) in [
            ("epochs", self.epochs),
            ("patience", self.patience),
            ("max_failures", Some(self.max_failures)),
            ("checkpoint_every", Some(self.checkpoint_every)),
            ("trajectory_every", self.trajectory_every),
        ] {
            if value == Some(0) {
                return Err(Error::invalid(format!("{name} must be at least 1")));
            }
        }
        if self.resume && self.out.is_none() {
            return Err(Error::invalid(
                "resume needs the folder of the run that is to go on; give out",
            ));
        }
        self.lr_schedule.check()?;
        self.optimizer.check()?;
        if !self.solver.events.is_empty() {
            return Err(Error::invalid(
                "events belong to a solve; a training takes none",
            ));
        }
        if self.engine == "torch" {
            self.solver.adjoint.check_torch()?;
        }
        self.solver.check()
    }

    pub(super) fn interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }
}

/// The learning rate by epoch, as a factor of `lr`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LrSchedule {
    /// Always `lr`.
    Constant,
    /// Half a cosine from `lr` to 0 over the run.
    Cosine,
    /// `lr · rate^epoch`.
    Exponential {
        /// Factor of each epoch, in (0, 1].
        rate: f64,
    },
    /// `lr · factor^⌊epoch / every⌋`.
    Step {
        /// Epochs between two changes.
        every: usize,
        /// Factor of each change, in (0, 1].
        factor: f64,
    },
}

impl LrSchedule {
    /// The schedules that have a name.
    pub const NAMES: [&'static str; 2] = ["constant", "cosine"];

    /// The schedule of this name, `constant` or `cosine`.
    ///
    /// # Errors
    /// Another name.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "constant" => Ok(LrSchedule::Constant),
            "cosine" => Ok(LrSchedule::Cosine),
            _ => Err(odesync_base::error::unknown(
                "lr_schedule",
                name,
                Self::NAMES,
            )),
        }
    }

    /// Exponential with `rate`, or in steps with `every` and `factor` (0.1).
    ///
    /// # Errors
    /// Both or neither.
    pub fn from_rates(
        rate: Option<f64>,
        every: Option<usize>,
        factor: Option<f64>,
    ) -> Result<Self> {
        match (rate, every, factor) {
            (Some(rate), None, None) => Ok(LrSchedule::Exponential { rate }),
            (None, Some(every), factor) => Ok(LrSchedule::Step {
                every,
                factor: factor.unwrap_or(0.1),
            }),
            _ => Err(Error::invalid(
                "lr_schedule takes either rate, or every and factor",
            )),
        }
    }

    /// The factor of an epoch in a run of `epochs`.
    pub fn factor(&self, epoch: usize, epochs: usize) -> f64 {
        match self {
            LrSchedule::Constant => 1.0,
            LrSchedule::Cosine => {
                let done = epoch as f64 / epochs.max(1) as f64;
                0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
            LrSchedule::Exponential { rate } => rate.powf(epoch as f64),
            LrSchedule::Step { every, factor } => factor.powf((epoch / (*every).max(1)) as f64),
        }
    }

    fn check(&self) -> Result<()> {
        let (name, factor) = match self {
            LrSchedule::Constant | LrSchedule::Cosine => return Ok(()),
            LrSchedule::Exponential { rate } => ("rate", *rate),
            LrSchedule::Step { every: 0, .. } => {
                return Err(Error::invalid("every must be at least 1 epoch"));
            }
            LrSchedule::Step { factor, .. } => ("factor", *factor),
        };
        if factor > 0.0 && factor <= 1.0 {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the learning-rate schedule's {name} must lie in (0, 1], not {factor}"
        )))
    }
}
