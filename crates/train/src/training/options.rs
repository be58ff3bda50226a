//! Options of a training run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::optimizer::Optimizer;
use crate::observation::Observation;
use crate::{Error, Result};
use odesync_ode::odesolve::SolveOptions;

/// Options of a training run; each field states its default.
#[derive(Debug, Clone)]
pub struct TrainOptions {
    /// Number of epochs. Default: that of the homotopy schedule, else 1000.
    pub epochs: Option<usize>,
    /// Learning rate. Default: 0.02.
    pub lr: f64,
    /// Learning-rate schedule. Default: constant.
    pub lr_schedule: LrSchedule,
    /// The optimiser. Default: AdamW with PyTorch's settings.
    pub optimizer: Optimizer,
    /// Upper bound on the Euclidean norm of the gradient (gradient clipping). Default: none.
    pub clip: Option<f64>,
    /// Number of epochs without a better mse after which to stop (counted at λ = 0 only). Default: never.
    pub patience: Option<usize>,
    /// Number of consecutive epochs with a failed training solve after which to stop. Default: 10.
    pub max_failures: usize,
    /// Measured state variables and the initial states of the model. Default: all of them, and the data's initial
    /// states.
    pub observation: Observation,
    /// Solver options. Default: dopri5 with rtol 1e-7 and atol 1e-9.
    pub solver: SolveOptions,
    /// Name of the engine, `native` or `torch`. Default: `native`.
    pub engine: String,
    /// Device of the engine: `cpu` or, with the torch engine, `cuda:0`. Default: `cpu`.
    pub device: String,
    /// Folder for checkpoints, which is locked while the run lasts. Default: none.
    pub out: Option<PathBuf>,
    /// Number of epochs between checkpoints, which are also written at the start and at the end. Default: 100; flushing a file to
    /// disk can cost more than an epoch.
    pub checkpoint_every: usize,
    /// Number of epochs between stored parameters, each stored before its epoch, for the path of the run ([`super::Run::path`]).
    /// Default: none are stored.
    pub trajectory_every: Option<usize>,
    /// Whether to continue the run in `out` as if it had never stopped. Default: false. If `out` holds no run, a new one begins;
    /// if it holds a finished run, that one is the result. Everything that the results depend on must be unchanged, and is
    /// compared; only `epochs` may differ, and the remaining epochs then follow it ([`LrSchedule::Cosine`] ends there).
    pub resume: bool,
    /// Flag that stops the run after the current epoch when set.
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

/// Implements the setters that all option types with a solver and an observation share.
macro_rules! solve_option_setters {
    ($type:ty) => {
        impl $type {
            /// Sets the solver options.
            #[must_use]
            pub fn solver(mut self, solver: odesync_ode::odesolve::SolveOptions) -> Self {
                self.solver = solver;
                self
            }

            /// Sets the relative and absolute tolerances of the solver.
            #[must_use]
            pub fn tolerances(mut self, rtol: f64, atol: f64) -> Self {
                self.solver = self.solver.tolerances(rtol, atol);
                self
            }

            /// Sets the observation: for data that are not the whole state, a model with initial states other than the data's, or
            /// initial states that are trained.
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
    /// Sets the learning rate.
    #[must_use]
    pub fn lr(mut self, lr: f64) -> Self {
        self.lr = lr;
        self
    }

    /// Sets the number of epochs.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = Some(epochs);
        self
    }

    /// Sets the folder for checkpoints.
    #[must_use]
    pub fn out(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out = Some(folder.into());
        self
    }

    /// Sets the number of epochs between stored parameters ([`TrainOptions::trajectory_every`]).
    #[must_use]
    pub fn trajectory_every(mut self, epochs: usize) -> Self {
        self.trajectory_every = Some(epochs);
        self
    }

    /// Continues the run in the checkpoint folder if there is one.
    #[must_use]
    pub fn resume(mut self) -> Self {
        self.resume = true;
        self
    }

    /// Sets the optimiser.
    #[must_use]
    pub fn optimizer(mut self, optimizer: Optimizer) -> Self {
        self.optimizer = optimizer;
        self
    }

    /// Checks that every option is in its range.
    ///
    /// # Errors
    /// An option out of its range.
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

/// Learning-rate schedule: the learning rate of each epoch as a factor of `lr`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LrSchedule {
    /// Constant learning rate `lr`.
    Constant,
    /// Half a cosine from `lr` to 0 over the run.
    Cosine,
    /// Exponential decay, `lr · rate^epoch`.
    Exponential {
        /// Decay factor per epoch, in (0, 1].
        rate: f64,
    },
    /// Step decay, `lr · factor^⌊epoch / every⌋`.
    Step {
        /// Number of epochs between two changes.
        every: usize,
        /// Factor of each change, in (0, 1].
        factor: f64,
    },
}

impl LrSchedule {
    /// Names of the schedules without settings.
    pub const NAMES: [&'static str; 2] = ["constant", "cosine"];

    /// Returns the schedule of this name, `constant` or `cosine`.
    ///
    /// # Errors
    /// An unknown name.
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

    /// Returns the exponential schedule with `rate`, or the step schedule with `every` and `factor` (default 0.1).
    ///
    /// # Errors
    /// Both `rate` and `every`, or neither.
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

    /// Returns the factor of `lr` in an epoch of a run of `epochs` epochs.
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
