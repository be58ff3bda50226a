//! Loss and gradient of a model against data, by each of the methods.

use ndarray::{Array2, Array3};

use super::method::TrainingMethod;
use super::observation::Observation;
use super::problem::{LossTarget, TrainingProblem};
use crate::datasets::Dataset;
use crate::{Error, Result};
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::{Engine, Problem, SolveOptions, Stats, StepPlan};

/// A loss and its parts.
#[derive(Debug, Clone, Default)]
pub struct Loss {
    /// What training lowers.
    pub loss: f64,
    /// Mean squared error over the values that were measured, of all samples, times and components.
    pub data_loss: f64,
    /// Mean squared gap between segments (multiple shooting), else 0.
    pub continuity: f64,
    /// Gradient: the model's trainable parameters, then the method's own, then the initial states if they are trained. Empty
    /// when it was not asked for.
    pub gradient: Vec<f64>,
    /// What the solves cost.
    pub stats: Stats,
    /// The steps of each solve; empty where the gradient was computed in a way that writes none down
    /// ([`Trajectory::plan`](odesync_ode::odesolve::Trajectory::plan)).
    pub plans: Vec<StepPlan>,
}

/// A model, data and a method, ready to be evaluated at any parameters.
pub struct Objective {
    problem: TrainingProblem,
    engine: Box<dyn Engine>,
}

impl Objective {
    /// Puts them together.
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

    /// [`Objective::new`] where the data are not the whole state of the model, or where it begins elsewhere than they do.
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

    /// Number of the model's trainable parameters.
    pub fn n_model_params(&self) -> usize {
        self.problem.n_model_params()
    }

    /// Initial parameters: the model's, then the method's own (shooting corrections, zero), then the initial states `[sample][dof]`
    /// if they are trained ([`Observation::train_u0`]).
    pub fn initial_params(&self) -> Vec<f64> {
        self.problem.initial_params()
    }

    /// Where the model begins before anything is trained, `[sample, dof]`.
    pub fn u0(&self) -> &Array2<f64> {
        self.problem.u0()
    }

    /// The parameters of the same model and data without a method: the model's, then the initial states if they are trained.
    pub(super) fn uncoupled_params(&self, params: &[f64]) -> Vec<f64> {
        self.problem.uncoupled_params(params)
    }

    /// Number of all parameters.
    pub fn n_params(&self) -> usize {
        self.problem.n_params()
    }

    /// The model with other parameters (the method's own are left out).
    ///
    /// # Errors
    /// Too few parameters.
    pub fn model(&self, params: &[f64]) -> Result<VectorField> {
        self.problem.model(params)
    }

    /// Loss at these parameters and this λ, with its gradient if asked for, on given plans if there are any.
    ///
    /// # Errors
    /// A solve that failed, or parameters that do not fit.
    pub fn evaluate(
        &mut self,
        params: &[f64],
        lambda: f64,
        with_gradient: bool,
        plans: Option<&[StepPlan]>,
    ) -> Result<Loss> {
        evaluate_loss(
            &self.problem,
            self.engine.as_mut(),
            (params, lambda),
            with_gradient,
            plans,
        )
    }
}

/// [`Objective::evaluate`] of a task that is shared, on an engine that is not.
pub(crate) fn evaluate_loss(
    problem: &TrainingProblem,
    engine: &mut dyn Engine,
    (params, lambda): (&[f64], f64),
    with_gradient: bool,
    plans: Option<&[StepPlan]>,
) -> Result<Loss> {
    let field = problem.field(params, lambda)?;
    let initial_states = problem.initial_states(params);
    let problems = problem.problems(&initial_states);
    let solved = engine.forward(&field, &problems, problem.solver(), plans, with_gradient)?;
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
        loss.plans.push(solved.plan);
    }
    if with_gradient {
        let back = engine.backward(&parts.state_grads)?;
        loss.gradient = problem.gather_gradient(&field, &back.values, &back.u0, &parts.aux_grads);
    }
    Ok(loss)
}

/// The trajectory of a model from the initial states `u0` `[sample, dof]` at the initial times `t0` `[sample]`, at any times,
/// `[sample, time, dof]`. Where samples begin at different times, the rows of a sample before its own beginning are NaN.
///
/// # Errors
/// Shapes that do not fit, times before every initial time, or a solve that failed.
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
    // Times before a sample's beginning, and its times from there on.
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
