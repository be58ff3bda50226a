//! Training problem, independent of the engine: the initial value problems, and the loss of their solutions with its derivatives.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ndarray::Array2;

use super::method::TrainingMethod;
use super::shooting::{Segments, ShootingConfig};
use crate::datasets::Dataset;
use crate::observation::Observation;
use crate::observation::check_data;
use crate::smoothing::SmoothingSpline;
use crate::synchronization::{synchronize_observed, with_lambda};
use crate::{Error, Result};
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::{Event, Problem, SolveOptions};

/// Training problem of a model, data and a method: the initial value problems to solve, and the loss as a function of their
/// solutions.
pub(crate) struct TrainingProblem {
    model: VectorField,
    coupled_model: Option<VectorField>,
    u0: Array2<f64>,
    segments: Segments,
    solver: SolveOptions,
}

impl TrainingProblem {
    /// Creates the training problem.
    ///
    /// # Errors
    /// Shapes or settings that do not fit.
    pub fn new(
        model: &VectorField,
        data: &Dataset,
        method: &TrainingMethod,
        observation: &Observation,
        solver: &SolveOptions,
    ) -> Result<Self> {
        let columns = observation.resolve_columns(model.dof(), data)?;
        let u0 = observation.initial_states(model.dof(), &columns, data)?;
        check_data(model, data)?;
        solver.check()?;
        if method.self_setting().is_some() {
            return Err(Error::invalid(
                "weak_constraint() and homotopy() without a coupling have no loss of the parameters alone: give them to train, or take \
                 vanilla() here",
            ));
        }
        if solver.mass_matrix.is_some() && matches!(method, TrainingMethod::Homotopy(_)) {
            return Err(Error::invalid(
                "homotopy() adds a coupling to du/dt, and with a mass_matrix the equations are others: train by vanilla() or \
                 multiple_shooting()",
            ));
        }
        check_events_and_doses(method, solver)?;
        let times = data.trajectories().map(|(t, _)| t.len());
        method.check(times.min().unwrap_or_default(), data.dof())?;
        let coupled = match method {
            TrainingMethod::Homotopy(h) => {
                let spline = match data.is_uniform() {
                    true => SmoothingSpline::new(&data.t().to_vec(), data.u(), h.smoothing)?,
                    false => SmoothingSpline::ragged(data.trajectories(), h.smoothing)?,
                };
                let spline = Arc::new(spline);
                Some(synchronize_observed(model, spline, &h.coupling, &columns)?)
            }
            _ => None,
        };
        let (segments, weight) = match method {
            TrainingMethod::MultipleShooting(m) => (m.segments, m.continuity_weight),
            _ => (1, 0.0),
        };
        let config = ShootingConfig {
            segments,
            continuity_weight: weight,
            train_u0: observation.train_u0,
        };
        Ok(TrainingProblem {
            model: model.clone(),
            coupled_model: coupled,
            segments: Segments::new(data, &columns, u0.view(), config)?,
            u0,
            solver: solver.clone(),
        })
    }

    /// Returns the problem of these samples, which are in ascending order. Its parameters are those of all samples; its loss is the
    /// part of the full loss that they contribute, over their share of the samples.
    pub fn of_samples(&self, samples: &[usize]) -> Self {
        let share = samples.len() as f64 / self.u0.nrows() as f64;
        TrainingProblem {
            model: self.model.clone(),
            coupled_model: self.coupled_model.clone(),
            segments: self.segments.of_samples(samples, share),
            u0: self.u0.clone(),
            solver: self.solver.clone(),
        }
    }

    /// Makes errors and gaps in the loss relative to the size of each state variable, `[dof]`; the data part stays in the data's
    /// units.
    #[must_use]
    pub fn relative_to(mut self, sizes: &[f64]) -> Self {
        self.segments.set_sizes(sizes);
        self
    }

    /// Returns the number of the model's trainable parameters.
    pub fn n_model_params(&self) -> usize {
        self.model.n_params()
    }

    /// Returns the initial parameters: the model's, the shooting corrections (zero), then the initial states if they are trained.
    pub fn initial_params(&self) -> Vec<f64> {
        let mut params = self.model.params();
        params.extend(self.segments.initial_aux_params());
        params
    }

    /// Returns the parameters without the shooting corrections: those of the model, then the initial states if they are trained.
    pub fn free_running_params(&self, params: &[f64]) -> Vec<f64> {
        let (model, aux_params) = params.split_at(self.n_model_params().min(params.len()));
        [
            model,
            aux_params.get(self.segments.u0_range()).unwrap_or_default(),
        ]
        .concat()
    }

    /// Returns the initial states of the model before training, `[sample, dof]`.
    pub fn u0(&self) -> &Array2<f64> {
        &self.u0
    }

    /// Returns the number of all parameters.
    pub fn n_params(&self) -> usize {
        self.n_model_params() + self.segments.n_aux_params()
    }

    /// Returns the model with the model's part of these parameters; the auxiliary parameters are ignored.
    ///
    /// # Errors
    /// A wrong number of parameters.
    pub fn model(&self, params: &[f64]) -> Result<VectorField> {
        match params.get(..self.n_model_params()) {
            Some(model_params) if params.len() == self.n_params() => {
                self.model.with_params(model_params)
            }
            _ => Err(Error::invalid(format!(
                "{} needed ({} of the model, {} of the method), not {}",
                match self.n_params() {
                    1 => "1 parameter is".into(),
                    n => format!("{n} parameters are"),
                },
                self.n_model_params(),
                self.n_params() - self.n_model_params(),
                params.len()
            ))),
        }
    }

    /// Returns the field to solve at these parameters and this λ: the coupled model, but the uncoupled one for λ = 0, so that it
    /// is solved as any other model.
    ///
    /// # Errors
    /// Parameters that do not fit, or λ ≠ 0 without a coupling.
    pub(crate) fn field(&self, params: &[f64], lambda: f64) -> Result<VectorField> {
        let model = self.model(params)?;
        match &self.coupled_model {
            Some(coupled) if lambda != 0.0 => {
                with_lambda(&coupled.with_params(&model.params())?, lambda)
            }
            None if lambda != 0.0 => Err(Error::invalid(
                "only homotopy training has a homotopy parameter: leave lambda out, or give the method homotopy(…)",
            )),
            _ => Ok(model),
        }
    }

    /// Returns the initial state of every solve, for parameters of the right length.
    pub(crate) fn initial_states(&self, params: &[f64]) -> Vec<Vec<f64>> {
        self.segments
            .initial_states(&params[self.n_model_params()..])
    }

    /// Returns the tangents of [`TrainingProblem::initial_states`] along a direction of the parameters.
    pub(crate) fn initial_state_tangents(&self, direction: &[f64]) -> Vec<Vec<f64>> {
        self.segments
            .initial_state_tangents(&direction[self.n_model_params()..])
    }

    /// Returns the number of initial value problems.
    pub(crate) fn n_problems(&self) -> usize {
        self.segments.segments.len()
    }

    /// Returns the initial value problems with these initial states.
    pub(crate) fn problems<'a>(&'a self, initial_states: &'a [Vec<f64>]) -> Vec<Problem<'a>> {
        self.segments.problems(initial_states)
    }

    /// Computes the loss of solved states, `[time, dof]` for each problem, and its derivatives by the auxiliary parameters.
    pub(crate) fn loss_from_states(
        &self,
        states: &[&[f64]],
        initial_states: &[Vec<f64>],
        target: LossTarget,
    ) -> LossParts {
        self.segments
            .loss_from_states(states, initial_states, target)
    }

    /// Returns the derivatives of the loss by the solved states `u` of problem `i`, `[time, dof]`.
    pub(crate) fn state_grads(
        &self,
        i: usize,
        u: &[f64],
        initial_states: &[Vec<f64>],
        target: LossTarget,
    ) -> Vec<f64> {
        self.segments.state_grads(i, u, initial_states, target)
    }

    /// Assembles the gradient with respect to all parameters from its parts: the gradients with respect to the field's values and
    /// the initial states, and the direct gradient with respect to the auxiliary parameters.
    pub(crate) fn gather_gradient(
        &self,
        field: &VectorField,
        values: &[f64],
        u0: &[Vec<f64>],
        aux_grads: &[f64],
    ) -> Vec<f64> {
        let mut gradient = field.gather(values);
        gradient.extend_from_slice(aux_grads);
        let n = self.n_model_params();
        self.segments
            .add_initial_state_grads(u0, &mut gradient[n..]);
        gradient
    }

    /// Returns [`Error::Interrupted`] if the user asked to stop.
    pub(crate) fn check_interrupt(&self) -> Result<()> {
        let flag = self.solver.interrupt.as_ref();
        match flag.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            true => Err(Error::Interrupted),
            false => Ok(()),
        }
    }

    /// Returns the segments whose solutions are compared with the data.
    pub(super) fn segments(&self) -> &Segments {
        &self.segments
    }

    pub(crate) fn solver(&self) -> &SolveOptions {
        &self.solver
    }
}

/// Checks that a method can train with these events and doses.
fn check_events_and_doses(method: &TrainingMethod, solver: &SolveOptions) -> Result<()> {
    let is_passive = |e: &Event| e.state_jump().is_none() || e.terminal_hit().is_some();
    if solver.events.iter().any(is_passive) {
        return Err(Error::invalid(
            "a training needs the states at all times of the data, so its events change the state: give each a jump, and leave terminal \
             out",
        ));
    }
    let is_cut = matches!(method, TrainingMethod::MultipleShooting(_));
    if is_cut && solver.has_jumps() {
        return Err(Error::invalid(
            "multiple_shooting() begins anew at times of the data, where a dose or an event would act twice: with these train by \
             vanilla() or homotopy()",
        ));
    }
    Ok(())
}

/// Target that the solved states are compared with in the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LossTarget {
    /// The data.
    Data,
    /// Zero wherever there is data: the derivatives of the loss are then linear in the states, which gives the tangents of the
    /// derivatives.
    Zero,
}

/// Parts of the loss as a function of solved states, and its derivatives.
pub(crate) struct LossParts {
    pub loss: f64,
    pub data_loss: f64,
    pub continuity: f64,
    /// Direct gradient with respect to the auxiliary parameters.
    pub aux_grads: Vec<f64>,
}
