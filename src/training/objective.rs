//! Loss and gradient of a model against data, by each of the methods.

use ndarray::{Array3, Axis, s};

use super::method::Method;
use super::task::{Against, Task};
use crate::datasets::Dataset;
use crate::field::VectorField;
use crate::odesolve::{Engine, Problem, SolveOptions, Stats, StepPlan};
use crate::{Error, Result};

/// A loss and its parts.
#[derive(Debug, Clone, Default)]
pub struct Loss {
    /// What training lowers.
    pub loss: f64,
    /// Mean squared error over samples, times and state variables; missing values left out.
    pub data: f64,
    /// Mean squared gap between segments (multiple shooting), else 0.
    pub continuity: f64,
    /// Gradient: the model's trainable parameters, then the method's own. Empty when it was not asked for.
    pub gradient: Vec<f64>,
    /// What the solves cost.
    pub stats: Stats,
    /// The steps of each solve.
    pub plans: Vec<StepPlan>,
}

/// A model, data and a method, ready to be evaluated at any parameters.
pub struct Objective {
    task: Task,
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
        method: &Method,
        solver: &SolveOptions,
        engine: Box<dyn Engine>,
    ) -> Result<Self> {
        let task = Task::new(model, data, method, solver)?;
        Ok(Objective { task, engine })
    }

    /// Number of the model's trainable parameters.
    pub fn n_model(&self) -> usize {
        self.task.n_model()
    }

    /// Initial parameters: the model's, then the method's own (shooting corrections, zero).
    pub fn initial(&self) -> Vec<f64> {
        self.task.initial()
    }

    /// Number of all parameters.
    pub fn n_params(&self) -> usize {
        self.task.n_params()
    }

    /// The model with other parameters (the method's own are left out).
    ///
    /// # Errors
    /// Too few parameters.
    pub fn model(&self, params: &[f64]) -> Result<VectorField> {
        self.task.model(params)
    }

    /// What there is to solve and to compare.
    pub(crate) fn into_task(self) -> Task {
        self.task
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
        let field = self.task.field(params, lambda)?;
        let starts = self.task.starts(params);
        let problems = self.task.problems(&starts);
        let engine = &mut self.engine;
        let solved = engine.forward(&field, &problems, self.task.solver(), plans, with_gradient)?;
        let states: Vec<&[f64]> = solved.iter().map(|s| &s.u[..]).collect();
        let compared = self.task.compare(&states, &starts, Against::Data);
        let mut loss = Loss {
            loss: compared.loss,
            data: compared.data,
            continuity: compared.continuity,
            ..Loss::default()
        };
        for solved in solved {
            loss.stats += solved.stats;
            loss.plans.push(solved.plan);
        }
        if with_gradient {
            let back = self.engine.backward(&compared.bars)?;
            loss.gradient = self
                .task
                .gather(&field, &back.values, &back.u0, &compared.own);
        }
        Ok(loss)
    }
}

/// The trajectory of a model from the data's initial states at any times, `[sample, time, dof]`; the data's own initial
/// time is where it starts.
///
/// # Errors
/// Times before the initial time, or a solve that failed.
pub fn predict(
    model: &VectorField,
    t0: f64,
    u0: &ndarray::Array2<f64>,
    t: &[f64],
    solver: &SolveOptions,
) -> Result<Array3<f64>> {
    if let Some(early) = t.iter().find(|t| **t < t0) {
        return Err(Error::invalid(format!(
            "the data begins at t = {t0}; a prediction for t = {early} is not possible"
        )));
    }
    let with_start = t.first() != Some(&t0);
    let times: Vec<f64> = with_start
        .then_some(t0)
        .into_iter()
        .chain(t.iter().copied())
        .collect();
    let u0: Vec<Vec<f64>> = u0.outer_iter().map(|row| row.to_vec()).collect();
    let problems: Vec<Problem> = u0
        .iter()
        .enumerate()
        .map(|(sample, u0)| Problem {
            u0,
            t: &times,
            sample,
        })
        .collect();
    let solved =
        crate::odesolve::NativeEngine::default().forward(model, &problems, solver, None, false)?;
    let mut all = Array3::zeros((u0.len(), times.len(), model.dof()));
    for (solved, mut to) in solved.iter().zip(all.axis_iter_mut(Axis(0))) {
        for (to, from) in to.iter_mut().zip(&solved.u) {
            *to = *from;
        }
    }
    Ok(all.slice(s![.., usize::from(with_start).., ..]).to_owned())
}
