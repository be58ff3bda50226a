//! `use odesync::prelude::*;`: the names of the script language for programs and notebooks, with the same defaults and
//! builders in place of option maps.
//!
//! ```
//! use odesync::prelude::*;
//!
//! let truth = lotka_volterra()?;
//! let data = dataset(&truth, &[0.44249296, 4.6280594], &arange(0.0, 6.1, 0.1))?
//!     .add_noise_seeded(0.05, RelativeTo::Mean, 10)?;
//! seed(10);
//! let model = blackbox(&[2, 32, 2])?;
//! let method = homotopy(6.0, power_law(6, 2, 0.6)?);
//! let run = train(&model, &data, method, TrainOptions::default().lr(0.05))?;
//! assert_eq!(run.history.len(), 12);
//! let later = run.predict(&linspace(0.0, 12.0, 121))?;
//! assert_eq!(later.dim(), (1, 121, 2));
//! # Ok::<(), odesync::Error>(())
//! ```

pub use crate::datasets::{
    ArrayNames, CsvOptions, DataUnits, Dataset, RelativeTo, TableOptions, read_csv, read_json,
    read_npy, read_npz, read_safetensors, read_schmidt_lipson, read_table, write_csv, write_npz,
    write_safetensors,
};
pub use crate::discovery::{DiscoverOptions, Discovery};
pub use crate::dynamics::{double_pendulum, lorenz, lotka_volterra, robertson, van_der_pol};
pub use crate::equations::{EquationSearch, Equations, Library};
pub use crate::export::{
    ExportOptions, LayerNames, PythonLibrary, export_equations, export_field, from_torch,
};
pub use crate::field::{
    ConstantSpec, Expr, FieldBuilder, InputSignal, Parameters, Unary, VectorField, driven_system,
    system,
};
pub use crate::landscape::{
    Density, DensityOptions, DirectionOptions, FnLoss, Hessian, Landscape, LossOptions, Pca,
    SliceSpec, SymbolicLoss, random_directions,
};
pub use crate::notebook::{NotebookDisplay, Plot, script_session};
pub use crate::odesolve::{Adjoint, Solution, SolveOptions, solve};
pub use crate::plotting::{
    Arrows, Color, ColorMap, Contour, Dash, Figure, FitPlotOptions, FittedModel, Grid, HeatMap,
    Marker, Panel, Style, Surface, Waterfall, fit, loss_curve, trajectory,
};
pub use crate::random::seed;
pub use crate::schedules::Schedule;
pub use crate::smoothing::{SmoothingSpline, spline_input};
pub use crate::synchronization::{Coupling, with_lambda};
pub use crate::training::{
    BestBy, Callbacks, DataLoss, Ensemble, Holdout, Homotopy, LrSchedule, MultipleShooting,
    Observation, Optimizer, Run, Scaling, StopReason, TrainOptions, TrainingMethod, TrustReport,
    WeakConstraint,
};
pub use crate::{Error, Result, rhai};

pub use ndarray::{Array1, Array2, Array3, Axis, array, s};

use std::sync::Arc;

use crate::notebook::InterruptGuard;
use crate::progress::{CsvLogger, ProgressCounter, ProgressSink, TrainProgress};
use crate::random::with_default_generator;
use crate::training::{Callback, EnsembleMember};

/// Returns the numbers start, start + step, … up to but without stop, as numpy's `arange`.
///
/// # Panics
/// If the numbers do not fit into memory, as with a step of 0.
pub fn arange(start: f64, stop: f64, step: f64) -> Vec<f64> {
    let n = ((stop - start) / step).ceil().max(0.0) as usize;
    (0..n).map(|i| start + i as f64 * step).collect()
}

/// Returns n equally spaced numbers from a to b, both included, as numpy's `linspace`.
pub fn linspace(a: f64, b: f64, n: usize) -> Vec<f64> {
    Array1::linspace(a, b, n).to_vec()
}

/// Creates a black-box model, du/dt = network(u) with GELU, its weights drawn from the generator that [`seed`] seeds.
///
/// # Errors
/// See [`crate::models::blackbox`], which takes an activation and a generator.
pub fn blackbox(nodes: &[usize]) -> Result<VectorField> {
    with_default_generator(|g| crate::models::blackbox(nodes, Unary::Gelu, g))
}

/// Creates a second-order model, dq/dt = v, dv/dt = network(q, v) with GELU, its weights drawn from the generator that [`seed`]
/// seeds.
///
/// # Errors
/// See [`crate::models::second_order`], which takes an activation and a generator.
pub fn second_order(nodes: &[usize]) -> Result<VectorField> {
    with_default_generator(|g| crate::models::second_order(nodes, Unary::Gelu, g))
}

/// Creates a gray-box model: known terms and nn = network(u) for the unknown ones, with GELU, its weights drawn from the
/// generator that [`seed`] seeds.
///
/// # Errors
/// See [`crate::models::graybox`], which takes an activation, constants and a generator.
pub fn graybox(
    nodes: &[usize],
    equations: impl FnOnce(Expr, Expr, Expr) -> Vec<Expr>,
) -> Result<VectorField> {
    with_default_generator(|g| {
        crate::models::graybox(nodes, Unary::Gelu, &[], g, |t, u, nn, _| {
            equations(t, u, nn)
        })
    })
}

/// Simulates data: the solution of `field` from `u0` at the times `t`, by the default solver.
///
/// # Errors
/// A solve that failed, or fewer than two times.
pub fn dataset(field: &VectorField, u0: &[f64], t: &[f64]) -> Result<Dataset> {
    let solution = solve(field, u0, t, &SolveOptions::default())?;
    Dataset::single(solution.t, solution.u, Some(Array1::from(u0.to_vec())))
}

/// Returns vanilla training: one solve over the whole time span.
pub fn vanilla() -> TrainingMethod {
    TrainingMethod::Vanilla
}

/// Returns multiple-shooting training: solves of short segments whose ends are matched by a continuity loss.
pub fn multiple_shooting(segments: usize, continuity_weight: f64) -> TrainingMethod {
    TrainingMethod::MultipleShooting(MultipleShooting {
        segments,
        continuity_weight,
    })
}

/// Returns homotopy training with coupling K; [`Homotopy::smoothing`] smooths the spline û, which otherwise interpolates.
pub fn homotopy(coupling: impl Into<Coupling>, schedule: Schedule) -> Homotopy {
    Homotopy::new(coupling, schedule)
}

/// Returns weak-constraint training, which sets itself: `train(&model, &data, weak_constraint(), TrainOptions::default())`.
pub fn weak_constraint() -> WeakConstraint {
    WeakConstraint::default()
}

/// Returns homotopy training that sets itself: its coupling follows from the data, λ falls as far as the model follows.
pub fn adaptive_homotopy() -> TrainingMethod {
    TrainingMethod::AdaptiveHomotopy(WeakConstraint::default())
}

/// Finds a model of the data with no setting, with its progress on standard error; in a notebook an interrupt ends it.
///
/// # Errors
/// See [`crate::discovery::discover`].
pub fn discover(data: &Dataset, options: &DiscoverOptions) -> Result<Discovery> {
    let _guard = InterruptGuard::new(&options.train.interrupt);
    crate::discovery::discover(data, options, &mut TrainProgress::default())
}

/// Returns the schedule by which λ falls from 1 to 0 in `n_steps` values, each decrement `rate` times the previous one.
///
/// # Errors
/// See [`Schedule::power_law`].
pub fn power_law(n_steps: usize, epochs_per_step: usize, rate: f64) -> Result<Schedule> {
    Schedule::power_law(n_steps, epochs_per_step, rate)
}

/// Returns the schedule by which λ falls from 1 to 0 by equal decrements.
///
/// # Errors
/// See [`Schedule::stepwise`].
pub fn stepwise(decrement: f64, epochs_per_step: usize) -> Result<Schedule> {
    Schedule::stepwise(decrement, epochs_per_step)
}

/// Returns the schedule by which λ falls from 1 to 0 along half a cosine.
///
/// # Errors
/// See [`Schedule::cosine`].
pub fn cosine(n_steps: usize, epochs_per_step: usize) -> Result<Schedule> {
    Schedule::cosine(n_steps, epochs_per_step)
}

/// Returns the smoothing spline of trajectories `[sample, time, dof]`; α = 0 interpolates.
///
/// # Errors
/// See [`SmoothingSpline::new`].
pub fn smoothing_spline(t: &[f64], u: &Array3<f64>, alpha: f64) -> Result<SmoothingSpline> {
    SmoothingSpline::new(t, u.view(), alpha)
}

/// Returns the smoothing spline of data without their missing values; α = 0 interpolates. [`SmoothingSpline::at`] evaluates it at
/// any time.
///
/// # Errors
/// See [`SmoothingSpline::ragged`].
pub fn spline_of(data: &Dataset, alpha: f64) -> Result<SmoothingSpline> {
    SmoothingSpline::ragged(data.trajectories(), alpha)
}

/// Returns the field coupled to a spline, f(t, u) + λ K (û(t) − u), with λ = 1 ([`with_lambda`] changes λ).
///
/// ```
/// use odesync::prelude::*;
///
/// let t = linspace(0.0, 6.0, 61);
/// let data = dataset(&lotka_volterra()?, &[1.0, 1.0], &t)?;
/// let coupled = synchronize(&blackbox(&[2, 8, 2])?, &spline_of(&data, 0.0)?, 20.0)?;
/// let u = solve(&coupled, &[1.0, 1.0], &t, &SolveOptions::default())?.u;
/// assert!((&u - &data.u().index_axis(Axis(0), 0)).iter().all(|x| x.abs() < 0.5));
/// # Ok::<(), odesync::Error>(())
/// ```
///
/// # Errors
/// See [`crate::synchronization::synchronize`].
pub fn synchronize(
    field: &VectorField,
    spline: &SmoothingSpline,
    coupling: impl Into<Coupling>,
) -> Result<VectorField> {
    crate::synchronization::synchronize(field, Arc::new(spline.clone()), &coupling.into())
}

/// Returns the default figure of a solution, data, a spline, a run or an ensemble, a landscape, a spectral density, a Hessian's
/// spectrum, or a run's principal components.
///
/// ```
/// use odesync::prelude::*;
///
/// let solution = solve(&lorenz()?, &[1.0, 1.0, 1.0], &linspace(0.0, 5.0, 200), &SolveOptions::default())?;
/// assert!(plot(&solution)?.to_svg()?.contains("<svg"));
///
/// let data = dataset(&lotka_volterra()?, &[1.0, 1.0], &arange(0.0, 1.0, 0.1))?;
/// let spline = SmoothingSpline::ragged(data.trajectories(), 0.1)?;
/// assert!(plot(&spline)?.to_svg()?.contains("du/dt"));
/// # Ok::<(), odesync::Error>(())
/// ```
///
/// # Errors
/// Nothing to draw.
pub fn plot(value: &impl Plot) -> Result<Panel> {
    value.plot()
}

/// Returns a figure of a fit: data as points, the best model of a [`Run`] or the prediction of a [`Discovery`] as lines, and the
/// residuals in a panel below; `until` is the end of the lines, or [`FitPlotOptions`].
///
/// ```
/// use odesync::prelude::*;
///
/// let data = dataset(&lotka_volterra()?, &[1.0, 1.0], &arange(0.0, 1.0, 0.1))?;
/// let run = train(&blackbox(&[2, 4, 2])?, &data, vanilla(), TrainOptions::default().epochs(2))?;
/// let figure = plot_fit(&data, &run, 2.0)?.title("A first look");
/// assert!(figure.to_svg()?.contains("end of training data"));
/// let plain = plot_fit(&data, &run, FitPlotOptions::default().residuals(false))?;
/// assert!(!plain.to_svg()?.contains("data − model"));
/// # Ok::<(), odesync::Error>(())
/// ```
///
/// # Errors
/// Data and model that do not fit, or a model that can't be solved so far.
pub fn plot_fit<'a>(
    data: &Dataset,
    fitted: impl Into<FittedModel<'a>>,
    until: impl Into<FitPlotOptions>,
) -> Result<Panel> {
    odesync_script::recipes::fit(data, fitted, &until.into())
}

/// Trains a copy of `model`, with its progress on standard error and, if there is a folder for its checkpoints, its metrics in
/// `metrics.csv` there.
///
/// # Errors
/// See [`crate::training::train`], which takes any listener.
pub fn train(
    model: &VectorField,
    data: &Dataset,
    method: impl Into<TrainingMethod>,
    options: TrainOptions,
) -> Result<Run> {
    let _guard = InterruptGuard::new(&options.interrupt);
    let mut observers = Callbacks::default();
    observers.push(TrainProgress::default());
    if let Some(out) = &options.out {
        observers.push(CsvLogger::new(out));
    }
    crate::training::train(model, data, &method.into(), &options, &mut observers)
}

/// Returns the Hessian of a training loss at the model's parameters; the loss is that of `vanilla` unless the options set another
/// method.
///
/// # Errors
/// See [`Hessian::new`].
pub fn hessian(model: &VectorField, data: &Dataset, options: LossOptions) -> Result<Hessian> {
    Hessian::new(model, data, &options)
}

/// Evaluates the loss of a model against data along directions, parameters or the principal plane of a run, with its progress on
/// standard error. The loss of a solve that fails is NaN.
///
/// ```
/// use odesync::prelude::*;
///
/// let data = dataset(&lotka_volterra()?, &[1.0, 1.0], &arange(0.0, 1.0, 0.1))?;
/// let model = blackbox(&[2, 4, 2])?;
/// let pairs = hessian(&model, &data, LossOptions::default())?.eigenpairs(2)?;
/// let c = linspace(-1.0, 1.0, 5);
/// let plane = SliceSpec::directions(&pairs.vectors, &[c.clone(), c]);
/// let method = homotopy(6.0, power_law(6, 100, 0.6)?);
/// let coupled = landscape(&model, &data, &plane, LossOptions::default().method(method).lambda(0.3))?;
/// assert_eq!(coupled.loss.shape(), [5, 5]);
/// # Ok::<(), odesync::Error>(())
/// ```
///
/// # Errors
/// See [`SliceSpec::evaluate`].
pub fn landscape(
    model: &VectorField,
    data: &Dataset,
    along: &SliceSpec,
    options: LossOptions,
) -> Result<Landscape> {
    let progress = ProgressCounter::new("landscape", "points");
    along.evaluate(model, data, &options, &|done, all| {
        progress.update(done, all)
    })
}

/// Returns the first two principal components of a run's parameter trajectory, which it must have recorded
/// ([`TrainOptions::trajectory_every`]).
///
/// # Errors
/// See [`Pca::from_run`].
pub fn pca(run: &Run) -> Result<Pca> {
    Pca::from_run(run, 2)
}

/// Trains the models that `make` returns after each seed, in parallel, with their progress on standard error.
///
/// ```
/// use odesync::prelude::*;
///
/// let data = dataset(&lotka_volterra()?, &[1.0, 1.0], &arange(0.0, 1.0, 0.1))?;
/// let options = TrainOptions::default().epochs(2);
/// let all = ensemble(&[10, 20, 30], || blackbox(&[2, 4, 2]), &data, vanilla(), options)?;
/// assert_eq!(all.quantile("mse", 0.5)?.len(), 2);
/// # Ok::<(), odesync::Error>(())
/// ```
///
/// # Errors
/// See [`crate::training::train_ensemble`], which takes any members and any listeners.
pub fn ensemble(
    seeds: &[u64],
    make: impl FnMut() -> Result<VectorField>,
    data: &Dataset,
    method: impl Into<TrainingMethod>,
    options: TrainOptions,
) -> Result<Ensemble> {
    let _guard = InterruptGuard::new(&options.interrupt);
    let members = EnsembleMember::seeded(seeds, &options, make)?;
    let mut progress = TrainProgress::with_label(format!("best of {}", members.len()));
    let loggers = |member: &EnsembleMember| -> Box<dyn Callback> {
        match &member.options.out {
            Some(out) => Box::new(CsvLogger::new(out)),
            None => Box::new(()),
        }
    };
    crate::training::train_ensemble(&members, data, &method.into(), &mut progress, &loggers)
}
