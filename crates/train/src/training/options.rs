//! Options of a training run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::choice::{BestBy, BestOf};
use super::holdout::{Holdout, HoldoutOption};
use super::lr_schedule::{LrSchedule, LrScheduleKind};
use super::optimizer::Optimizer;
use super::option_kinds::{DeviceName, EngineName, Folder};
use super::scaling::{ScaleOption, Scaling};
use crate::datasets::Dataset;
use crate::observation::Observation;
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Count, Flag, Maybe, OneOf, Positive};
use odesync_ode::odesolve::SolveOptions;

option_set! {
    /// Options of a training run.
    #[derive(Debug, Clone)]
    pub struct TrainOptions {
        /// Number of epochs.
        pub epochs: Option<usize> as Maybe<Count> = None, "the schedule's length, or 1000";
        /// Learning rate.
        pub lr: f64 as Positive = 0.02;
        /// How the learning rate changes: also `"cosine"` (to 0 over the run), `#{ rate: 0.99 }` (factor of each epoch),
        /// `#{ every: 100, factor: 0.1 }`.
        pub lr_schedule: LrSchedule as LrScheduleKind = LrSchedule::Constant;
        /// Bound on the gradient's norm.
        pub clip: Option<f64> as Maybe<Positive> = None;
        /// Samples of a mini-batch: an epoch goes over all samples in batches of this size, one step for each.
        ///
        /// The samples are shuffled anew for each epoch, by the seed. The last batch may be smaller. The loss of a batch is the part of
        /// the full loss that its samples contribute, over their share of all samples, so that the mean of the batches' gradients is
        /// the full gradient. λ and the learning rate change by epoch.
        pub batch: Option<usize> as Maybe<Count> = None, "all samples at once";
        /// Stop when the mse has not improved for so many epochs (counted at λ = 0 only); the validation mse where data are held out.
        ///
        /// Methods that set themselves count steps, and need data that are held out.
        pub patience: Option<usize> as Maybe<Count> = None;
        /// Data that the training does not see: a share of each sample's times, the last ones, or whole samples,
        /// `#{ samples: 2 }`, the last ones. The model is chosen by them unless `best_by` says otherwise.
        ///
        /// The mean squared error on them is that of the free model. Times are predicted by going on with the trajectory from the
        /// training's initial state, samples from initial states of their own.
        pub holdout: Option<Holdout> as Maybe<HoldoutOption> = None;
        /// What `run.model` is chosen by: the mse on the training data, on the data that are held out, the evidence (methods that set
        /// themselves), or the last update.
        pub best_by: Option<BestBy> as Maybe<OneOf<BestBy>> = None, "`\"validation\"` where data are held out, else `\"mse\"`, of methods that set themselves `\"last\"`";
        /// The epochs that it is chosen among: `"free"` leaves out those in which the model was coupled to the data (λ > 0, q > 0).
        pub best_of: Option<BestOf> as Maybe<OneOf<BestOf>> = None, "`\"free\"` where data are held out or `best_by` is given, else `\"all\"`, as published";
        /// Variables of the training: `"auto"` scales them by the data and folds the scales into the network; a map gives sizes.
        ///
        /// States are scaled to mean 0 and spread 1, time by the rate of change of the data; the loss is relative to the variance of
        /// each component, and `atol` to the smallest spread. The model and every mse stay in the data's units. Known equations cannot
        /// be scaled: their loss is, and their constants are trained relative to their first values. Methods that set themselves
        /// always scale.
        pub scale: Scaling as ScaleOption = Scaling::None;
        /// Folder for checkpoints and metrics.
        ///
        /// It is locked while the run lasts.
        pub out: Option<PathBuf> as Maybe<Folder> = None;
        /// Go on with the run in `out` as if it had never stopped; without one there, begin.
        ///
        /// If `out` holds a finished run, that one is the result. Everything that the results depend on must be unchanged, and is
        /// compared; only `epochs` may differ, and the remaining epochs then follow it ([`LrSchedule::Cosine`] ends there).
        pub resume: bool as Flag = false;
        /// Replace the run that `out` holds, finished or not; without it such a folder is an error.
        pub overwrite: bool as Flag = false;
        /// End after so many epochs in a row whose training solve failed.
        pub max_failures: usize as Count = 10;
        /// Epochs between two writes to `out`.
        ///
        /// Checkpoints are also written at the start and at the end; flushing a file to disk can cost more than an epoch.
        pub checkpoint_every: usize as Count = 100;
        /// Keep the parameters every so many epochs: `run.path`, `pca(run)`.
        ///
        /// Each is stored before its epoch ([`super::Run::path`]).
        pub trajectory_every: Option<usize> as Maybe<Count> = None;
        /// Which engine solves; `"auto"` takes torch for wide layers and many trajectories.
        ///
        /// `auto` is an [`AutoEngine`](odesync_ode::engines::AutoEngine) on the CPU and torch on a GPU; methods that compute on the
        /// native engine only do so.
        pub engine: String as EngineName = "native".into(), "`\"native\"`, on a GPU `\"torch\"`";
        /// Where it solves; also `"cuda:1"`.
        pub device: String as DeviceName = "cpu".into(), "`\"cpu\"`, or what `--device` says";
    }
    sets {
        /// The optimiser.
        pub optimizer: Optimizer;
        /// Measured state variables and the initial states of the model.
        pub observation: Observation;
        /// Solver options.
        pub solver: SolveOptions;
    }
    others {
        /// Other data that the training does not see, with initial states of their own; in place of a part that is held out.
        pub validation: Option<Arc<Dataset>> = None;
        /// Seed that shuffles mini-batches; `None` for that of the default generator
        /// ([`seed`](odesync_base::random::seed)).
        pub shuffle_seed: Option<u64> = None;
        /// Flag that stops the run after the current epoch when set.
        pub interrupt: Arc<AtomicBool> = Arc::default();
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

    /// Sets the number of samples of a mini-batch ([`TrainOptions::batch`]).
    #[must_use]
    pub fn batch(mut self, samples: usize) -> Self {
        self.batch = Some(samples);
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

    /// Replaces the run in the checkpoint folder if there is one.
    #[must_use]
    pub fn overwrite(mut self) -> Self {
        self.overwrite = true;
        self
    }

    /// Holds a part of the data out of the training.
    #[must_use]
    pub fn holdout(mut self, holdout: Holdout) -> Self {
        self.holdout = Some(holdout);
        self
    }

    /// Sets other data that the training does not see.
    #[must_use]
    pub fn validate(mut self, data: Dataset) -> Self {
        self.validation = Some(Arc::new(data));
        self
    }

    /// Sets what the model is chosen by.
    #[must_use]
    pub fn best_by(mut self, best_by: BestBy) -> Self {
        self.best_by = Some(best_by);
        self
    }

    /// Sets the number of epochs without a better mse, or validation mse, after which to stop.
    #[must_use]
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = Some(epochs);
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
        self.check_ranges()?;
        self.holdout.map_or(Ok(()), |holdout| holdout.check())?;
        if self.resume && self.out.is_none() {
            return Err(Error::invalid(
                "resume needs the folder of the run that is to go on; give out",
            ));
        }
        if self.resume && self.overwrite {
            return Err(Error::invalid(
                "resume goes on with the run in out and overwrite replaces it; give one of them",
            ));
        }
        self.lr_schedule.check()?;
        self.optimizer.check()?;
        let defaults = TrainOptions::default();
        let of_gradients = [
            ("lr", self.lr != defaults.lr),
            ("lr_schedule", self.lr_schedule != defaults.lr_schedule),
            ("clip", self.clip.is_some()),
            ("batch", self.batch.is_some()),
        ];
        let given = of_gradients.iter().filter(|(_, is_set)| *is_set);
        self.optimizer.check_given(given.map(|(name, _)| *name))?;
        if self.engine == "torch" {
            self.solver.adjoint.check_torch()?;
        }
        self.solver.check()
    }

    pub(crate) fn interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }
}
