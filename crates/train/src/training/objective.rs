//! Loss and gradient of a model against data, by each of the training methods.

use ndarray::{Array2, Array3};

use super::method::TrainingMethod;
use super::problem::{LossTarget, TrainingProblem};
use crate::datasets::Dataset;
use crate::observation::Observation;
use crate::{Error, Result};
use odesync_base::text::count_of;
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::{Engine, Problem, RecordedSteps, SolveOptions, Stats};

/// Value and gradient of a loss, with the parts of the value.
#[derive(Debug, Clone, Default)]
pub struct Loss {
    /// The loss that training minimises.
    pub loss: f64,
    /// Mean squared error over the measured values of all samples, times and components.
    pub data_loss: f64,
    /// Mean squared gap between segments (multiple shooting), else 0.
    pub continuity: f64,
    /// Gradient with respect to all parameters: the model's trainable parameters, the shooting corrections, then the initial
    /// states if they are trained. Empty when it was not requested.
    pub gradient: Vec<f64>,
    /// Cost of the solves.
    pub stats: Stats,
    /// Steps that each solve took; empty where the gradient was computed in a way that records none
    /// ([`Trajectory::recorded`](odesync_ode::odesolve::Trajectory::recorded)).
    pub recorded: Vec<RecordedSteps>,
}

/// Loss function of a model, data and a training method, which can be evaluated at any parameters.
pub struct Objective {
    problem: TrainingProblem,
    engine: Box<dyn Engine>,
}

impl Objective {
    /// Creates the objective for data that are the whole state of the model.
    ///
    /// # Errors
    /// Shapes or settings that do not fit.
    pub fn new(
        model: &VectorField,
        data: &Dataset,
        method: &TrainingMethod,
        solver: &SolveOptions,
        engine: Box<dyn Engine>,
    ) -> Result<Self> {
        Self::with_observation(model, data, method, &Observation::default(), solver, engine)
    }

    /// Creates the objective for data and initial states that are related to the model by an [`Observation`].
    ///
    /// # Errors
    /// Shapes or settings that do not fit.
    pub fn with_observation(
        model: &VectorField,
        data: &Dataset,
        method: &TrainingMethod,
        observation: &Observation,
        solver: &SolveOptions,
        engine: Box<dyn Engine>,
    ) -> Result<Self> {
        let problem = TrainingProblem::new(model, data, method, observation, solver)?;
        Ok(Objective { problem, engine })
    }

    /// Makes errors and gaps in the loss relative to the size of each state variable, `[dof]`; [`Loss::data_loss`] and
    /// [`Loss::continuity`] stay in the data's units.
    #[must_use]
    pub(super) fn relative_to(mut self, sizes: &[f64]) -> Self {
        self.problem = self.problem.relative_to(sizes);
        self
    }

    /// Returns the training problem.
    pub(super) fn problem(&self) -> &TrainingProblem {
        &self.problem
    }

    /// Returns the number of the model's trainable parameters.
    pub fn n_model_params(&self) -> usize {
        self.problem.n_model_params()
    }

    /// Returns the initial parameters: the model's, the shooting corrections (zero), then the initial states `[sample][dof]` if
    /// they are trained ([`Observation::train_u0`]).
    pub fn initial_params(&self) -> Vec<f64> {
        self.problem.initial_params()
    }

    /// Returns the initial states of the model before training, `[sample, dof]`.
    pub fn u0(&self) -> &Array2<f64> {
        self.problem.u0()
    }

    /// Returns the parameters of the uncoupled objective, that of the same model and data without a method: the model's, then the
    /// initial states if they are trained.
    pub(super) fn free_running_params(&self, params: &[f64]) -> Vec<f64> {
        self.problem.free_running_params(params)
    }

    /// Returns the number of all parameters.
    pub fn n_params(&self) -> usize {
        self.problem.n_params()
    }

    /// Returns the model with the model's part of these parameters; the auxiliary parameters are ignored.
    ///
    /// # Errors
    /// A wrong number of parameters.
    pub fn model(&self, params: &[f64]) -> Result<VectorField> {
        self.problem.model(params)
    }

    /// Evaluates the loss at these parameters and this λ, with its gradient if requested. The solves follow `recorded` if there are
    /// any.
    ///
    /// # Errors
    /// A failed solve, or parameters that do not fit.
    pub fn evaluate(
        &mut self,
        params: &[f64],
        lambda: f64,
        with_gradient: bool,
        recorded: Option<&[RecordedSteps]>,
    ) -> Result<Loss> {
        evaluate_loss(
            &self.problem,
            self.engine.as_mut(),
            (params, lambda),
            with_gradient,
            recorded,
        )
    }

    /// Evaluates the loss of a mini-batch, with its gradient: the part of the loss that these samples, counted from 0, contribute, over
    /// their share of all samples. The mean over the batches that samples are divided into, each weighted by its share, is
    /// [`Objective::evaluate`].
    ///
    /// # Errors
    /// No samples, or one that there is not; a failed solve, or parameters that do not fit.
    pub fn evaluate_batch(
        &mut self,
        samples: &[usize],
        params: &[f64],
        lambda: f64,
    ) -> Result<Loss> {
        let mut samples = samples.to_vec();
        // In the order of the data, so that the sums of a batch of all samples are those of the full loss.
        samples.sort_unstable();
        samples.dedup();
        let n = self.u0().nrows();
        match samples.last() {
            None => return Err(Error::invalid("a batch needs at least one sample")),
            Some(last) if *last >= n => {
                return Err(Error::invalid(format!(
                    "a batch has sample {last} (counted from 0), and there are {}",
                    count_of(n, "sample")
                )));
            }
            Some(_) => {}
        }
        let problem = self.problem.of_samples(&samples);
        evaluate_loss(&problem, self.engine.as_mut(), (params, lambda), true, None)
    }
}

/// Evaluates a loss as [`Objective::evaluate`], for a shared training problem and an engine of the caller.
pub(crate) fn evaluate_loss(
    problem: &TrainingProblem,
    engine: &mut dyn Engine,
    (params, lambda): (&[f64], f64),
    with_gradient: bool,
    recorded: Option<&[RecordedSteps]>,
) -> Result<Loss> {
    let field = problem.field(params, lambda)?;
    let initial_states = problem.initial_states(params);
    let problems = problem.problems(&initial_states);
    let solver = problem.solver();
    let (solved, gradient) = match with_gradient {
        true => {
            let cotangent =
                |i: usize, u: &[f64]| problem.state_grads(i, u, &initial_states, LossTarget::Data);
            let (solved, gradient) =
                engine.forward_backward(&field, &problems, solver, recorded, &cotangent)?;
            (solved, Some(gradient))
        }
        false => (
            engine.forward(&field, &problems, solver, recorded, false)?,
            None,
        ),
    };
    let states: Vec<&[f64]> = solved.iter().map(|s| &s.u[..]).collect();
    let parts = problem.loss_from_states(&states, &initial_states, LossTarget::Data);
    let mut loss = Loss {
        loss: parts.loss,
        data_loss: parts.data_loss,
        continuity: parts.continuity,
        ..Loss::default()
    };
    for solved in solved {
        loss.stats += solved.stats;
        loss.recorded.push(solved.recorded);
    }
    if let Some(back) = gradient {
        loss.gradient = problem.gather_gradient(&field, &back.values, &back.u0, &parts.aux_grads);
    }
    Ok(loss)
}

/// Solves a model from the initial states `u0` `[sample, dof]` at the initial times `t0` `[sample]` and returns its states at the
/// times `t`, `[sample, time, dof]`. Where samples begin at different times, the rows of a sample before its own initial time are
/// NaN.
///
/// # Errors
/// Shapes that do not fit, times before every initial time, or a failed solve.
pub fn predict(
    model: &VectorField,
    t0: &[f64],
    u0: &Array2<f64>,
    t: &[f64],
    solver: &SolveOptions,
) -> Result<Array3<f64>> {
    if t0.len() != u0.nrows() {
        return Err(Error::invalid(format!(
            "{} initial times for {} initial states",
            t0.len(),
            u0.nrows()
        )));
    }
    let first = t0.iter().copied().fold(f64::INFINITY, f64::min);
    if let Some(early) = t.iter().find(|t| **t < first) {
        return Err(Error::invalid(format!(
            "the data begins at t = {first}; a prediction for t = {early} is not possible"
        )));
    }
    // For each sample: the number of times before its initial time, and its output times.
    let spans: Vec<(usize, Vec<f64>)> = t0
        .iter()
        .map(|t0| {
            let early = t.iter().filter(|t| *t < t0).count();
            let rest = &t[early.min(t.len())..];
            let start = (rest.first() != Some(t0)).then_some(*t0);
            (
                early,
                start.into_iter().chain(rest.iter().copied()).collect(),
            )
        })
        .collect();
    let u0: Vec<Vec<f64>> = u0.outer_iter().map(|row| row.to_vec()).collect();
    let problems: Vec<Problem> = u0
        .iter()
        .zip(&spans)
        .enumerate()
        .map(|(sample, (u0, (_, times)))| Problem {
            u0,
            t: times,
            sample,
        })
        .collect();
    let solved = odesync_ode::odesolve::NativeEngine::default()
        .forward(model, &problems, solver, None, false)?;
    let dof = model.dof();
    let mut all = Array3::from_elem((u0.len(), t.len(), dof), f64::NAN);
    for ((solved, (early, times)), mut all) in solved.iter().zip(&spans).zip(all.outer_iter_mut()) {
        let wanted = t.len() - early;
        let rows = solved.u.chunks(dof).skip(times.len() - wanted);
        for (from, mut to) in rows.zip(all.outer_iter_mut().skip(*early)) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        }
    }
    Ok(all)
}
