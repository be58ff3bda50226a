//! Loss functions of their parameters: training losses, and any other.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::adjoint_hessian::AdjointHessian;
use super::hessian_operator::HessianOperator;
use crate::datasets::Dataset;
use crate::training::{
    Observation, TrainingMethod, TrainingProblem, evaluate_loss, solve_option_setters,
};
use crate::{Error, Result};
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::{NativeEngine, SolveOptions};

/// A loss L(θ) of n parameters θ, which is evaluated from several threads at a time.
///
/// Only the value is required. Derivatives that a loss does not provide are computed by central differences.
///
/// ```
/// use std::sync::Arc;
/// use odesync_train::landscape::{Hessian, LossFunction};
///
/// /// Rosenbrock's function.
/// struct Valley;
/// impl LossFunction for Valley {
///     fn n(&self) -> usize {
///         2
///     }
///     fn value(&self, p: &[f64]) -> odesync_train::Result<f64> {
///         Ok((1.0 - p[0]).powi(2) + 100.0 * (p[1] - p[0] * p[0]).powi(2))
///     }
/// }
/// let h = Hessian::from_loss(Arc::new(Valley), &[1.0, 1.0])?.matrix()?;
/// assert!((h[[0, 0]] - 802.0).abs() < 1e-3 && (h[[0, 1]] + 400.0).abs() < 1e-3);
/// # Ok::<(), odesync_train::Error>(())
/// ```
pub trait LossFunction: Send + Sync {
    /// Returns the number of parameters n.
    fn n(&self) -> usize;

    /// Returns L(θ) for θ of length n.
    ///
    /// # Errors
    /// [`Error::Solve`] where the loss has no value (such a grid point is NaN), [`Error::Interrupted`], or any error that must
    /// end the computation.
    fn value(&self, params: &[f64]) -> Result<f64>;

    /// Returns the gradient ∂L/∂θ, `[n]`; `None` if it is not provided.
    ///
    /// # Errors
    /// Those of [`LossFunction::value`].
    fn gradient(&self, _params: &[f64]) -> Result<Option<Vec<f64>>> {
        Ok(None)
    }

    /// Returns the exact Hessian at θ; `None` if it is not provided.
    ///
    /// # Errors
    /// Those of [`LossFunction::value`].
    fn hessian(&self, _params: &[f64]) -> Result<Option<Box<dyn HessianOperator>>> {
        Ok(None)
    }
}

/// Evaluates a loss at `count` points in parallel; NaN where a solve failed. `progress(done, count)` is called as they are done,
/// from several threads.
pub(super) fn evaluate_points(
    loss: &dyn LossFunction,
    count: usize,
    point: &(dyn Fn(usize) -> Vec<f64> + Sync),
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<f64>> {
    let done = std::sync::atomic::AtomicUsize::new(0);
    (0..count)
        .into_par_iter()
        // The cost differs a lot between points.
        .with_max_len(1)
        .map(|i| {
            let value = solve_failure_to_nan(loss.value(&point(i)))?;
            let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            progress(done, count);
            Ok(value)
        })
        .collect()
}

/// Replaces the error of a failed solve by NaN.
///
/// # Errors
/// Any other error.
pub fn solve_failure_to_nan(value: Result<f64>) -> Result<f64> {
    match value {
        Err(Error::Solve(_)) => Ok(f64::NAN),
        value => value,
    }
}

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
}

impl LossFunction for TrainingLoss {
    fn n(&self) -> usize {
        self.params.len()
    }

    fn value(&self, params: &[f64]) -> Result<f64> {
        Ok(self.evaluate(params, false)?.loss)
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

/// Loss defined by a Rust function; its derivatives are computed by differences.
///
/// ```
/// use odesync_train::landscape::{FnLoss, LossFunction};
/// let loss = FnLoss::new(2, |p| Ok(p[0] * p[0] + p[1].cos()));
/// assert_eq!(loss.value(&[2.0, 0.0])?, 5.0);
/// # Ok::<(), odesync_train::Error>(())
/// ```
pub struct FnLoss<F> {
    n: usize,
    function: F,
}

impl<F: Fn(&[f64]) -> Result<f64> + Send + Sync> FnLoss<F> {
    /// Creates a loss of `n` parameters.
    pub fn new(n: usize, function: F) -> Self {
        FnLoss { n, function }
    }
}

impl<F: Fn(&[f64]) -> Result<f64> + Send + Sync> LossFunction for FnLoss<F> {
    fn n(&self) -> usize {
        self.n
    }

    fn value(&self, params: &[f64]) -> Result<f64> {
        (self.function)(params)
    }
}
