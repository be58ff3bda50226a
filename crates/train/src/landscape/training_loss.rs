//! The loss of a training method as a function of its parameters.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::adjoint_hessian::AdjointHessian;
use super::hessian_operator::HessianOperator;
use super::loss::{CHUNK, LossFunction, one_by_one, solve_failure_to_nan};
use crate::datasets::Dataset;
use crate::training::{
    LossTarget, Observation, TrainingMethod, TrainingProblem, evaluate_loss, solve_option_setters,
};
use crate::{Error, Result};
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::{NativeEngine, Problem, SolveOptions};

/// Number of solves of a point for each thread from which on these, rather than those of several points, go side by side.
const MANY_SOLVES: usize = 8;

/// Options of a training loss: its method, and the solver.
#[derive(Debug, Clone)]
pub struct LossOptions {
    /// Training method of the loss. Default: vanilla.
    pub method: TrainingMethod,
    /// Homotopy parameter λ; 0 unless the method is homotopy training.
    pub lambda: f64,
    /// Measured state variables and initial states of the model; trained initial states are parameters of the loss.
    pub observation: Observation,
    /// Solver options; second derivatives need a Runge-Kutta method, explicit or one of `radau` and `kvaerno5`.
    pub solver: SolveOptions,
}

impl Default for LossOptions {
    fn default() -> Self {
        LossOptions {
            method: TrainingMethod::Vanilla,
            lambda: 0.0,
            observation: Observation::default(),
            solver: SolveOptions::default(),
        }
    }
}

impl LossOptions {
    /// Sets the training method; λ becomes 1 for homotopy training, 0 for any other.
    #[must_use]
    pub fn method(mut self, method: impl Into<TrainingMethod>) -> Self {
        self.method = method.into();
        self.lambda = default_lambda(&self.method);
        self
    }

    /// Sets the homotopy parameter λ.
    #[must_use]
    pub fn lambda(mut self, lambda: f64) -> Self {
        self.lambda = lambda;
        self
    }
}

solve_option_setters!(LossOptions);

/// Returns the default λ of a loss: 1 for homotopy training, else 0.
pub fn default_lambda(method: &TrainingMethod) -> f64 {
    match method {
        TrainingMethod::Homotopy(_) => 1.0,
        _ => 0.0,
    }
}

/// Loss of a training method as a function of its parameters, at one λ.
///
/// θ has the layout of the gradient: the model's trainable parameters, then the shooting corrections, then the initial states
/// where they are trained.
pub struct TrainingLoss {
    problem: Arc<TrainingProblem>,
    lambda: f64,
    params: Vec<f64>,
    /// Engines for solves, reused from one evaluation to the next.
    engine_pool: Mutex<Vec<NativeEngine>>,
}

impl TrainingLoss {
    /// Creates the loss of this model and data.
    ///
    /// # Errors
    /// Arguments that do not fit, or a model without trainable parameters.
    pub fn new(model: &VectorField, data: &Dataset, options: &LossOptions) -> Result<Self> {
        let LossOptions {
            method,
            lambda,
            observation,
            solver,
        } = options;
        let problem = TrainingProblem::new(model, data, method, observation, solver)?;
        let params = problem.initial_params();
        if params.is_empty() {
            return Err(Error::invalid(
                "the model has no trainable parameters, so the loss has no derivatives; make some trainable first, for example \
                 f.trainable([\"a\"])",
            ));
        }
        problem.field(&params, *lambda)?;
        Ok(TrainingLoss {
            problem: Arc::new(problem),
            lambda: *lambda,
            params,
            engine_pool: Mutex::default(),
        })
    }

    /// Returns the parameters of the given model, `[n]`: its own, zero corrections, the initial states.
    pub fn params(&self) -> &[f64] {
        &self.params
    }

    /// Extends a direction of the model's parameters by zeros to one of the loss's parameters; a direction of all parameters is
    /// unchanged.
    pub fn pad_direction(&self, mut direction: Vec<f64>) -> Vec<f64> {
        if direction.len() == self.problem.n_model_params() {
            direction.resize(self.params.len(), 0.0);
        }
        direction
    }

    fn evaluate(&self, params: &[f64], with_gradient: bool) -> Result<crate::training::Loss> {
        self.problem.check_interrupt()?;
        let pool = || {
            self.engine_pool
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let mut engine = pool().pop().unwrap_or_default();
        let loss = evaluate_loss(
            &self.problem,
            &mut engine,
            (params, self.lambda),
            with_gradient,
            None,
        );
        pool().push(engine);
        loss
    }

    /// Evaluates the loss at several points, whose solves go side by side where a point has few of them.
    fn values_side_by_side(
        &self,
        points: &[Vec<f64>],
        on_done: &(dyn Fn() + Sync),
    ) -> Result<Vec<f64>> {
        let of_point = self.problem.n_problems().max(1);
        if of_point >= MANY_SOLVES * rayon::current_num_threads() {
            return one_by_one(self, points, on_done);
        }
        let mut values = vec![];
        for points in points.chunks(CHUNK.div_ceil(of_point)) {
            self.problem.check_interrupt()?;
            let field = |params: &Vec<f64>| self.problem.field(params, self.lambda);
            let fields = points.iter().map(field).collect::<Result<Vec<_>>>()?;
            let each = fields
                .iter()
                .flat_map(|field| std::iter::repeat_n(field, of_point));
            let each: Vec<VectorField> = each.cloned().collect();
            let states = points
                .iter()
                .map(|params| self.problem.initial_states(params));
            let states: Vec<Vec<Vec<f64>>> = states.collect();
            let problems = states
                .iter()
                .flat_map(|states| self.problem.problems(states));
            let problems: Vec<Problem> = problems.collect();
            let solved = AtomicUsize::new(0);
            let on_solve = || {
                let n = solved.fetch_add(1, Ordering::Relaxed) + 1;
                if n.is_multiple_of(of_point) {
                    on_done();
                }
            };
            let engine = NativeEngine::default();
            let solver = self.problem.solver();
            let mut solved = engine.forward_each(&each, &problems, solver, &on_solve)?;
            for states in &states {
                let rest = solved.split_off(of_point.min(solved.len()));
                let of_point = std::mem::replace(&mut solved, rest);
                let loss = of_point
                    .into_iter()
                    .collect::<Result<Vec<_>>>()
                    .map(|solved| {
                        let u: Vec<&[f64]> = solved.iter().map(|solved| &solved.u[..]).collect();
                        let parts = self.problem.loss_from_states(&u, states, LossTarget::Data);
                        parts.loss
                    });
                values.push(solve_failure_to_nan(loss)?);
            }
        }
        Ok(values)
    }
}

impl LossFunction for TrainingLoss {
    fn n(&self) -> usize {
        self.params.len()
    }

    fn value(&self, params: &[f64]) -> Result<f64> {
        Ok(self.evaluate(params, false)?.loss)
    }

    fn values(&self, points: &[Vec<f64>], on_done: &(dyn Fn() + Sync)) -> Result<Vec<f64>> {
        self.values_side_by_side(points, on_done)
    }

    fn gradient(&self, params: &[f64]) -> Result<Option<Vec<f64>>> {
        Ok(Some(self.evaluate(params, true)?.gradient))
    }

    fn hessian(&self, params: &[f64]) -> Result<Option<Box<dyn HessianOperator>>> {
        let recorded = self.evaluate(params, false)?.recorded;
        let hessian = AdjointHessian::new(self.problem.clone(), params, self.lambda, &recorded)?;
        Ok(Some(Box::new(hessian)))
    }
}
