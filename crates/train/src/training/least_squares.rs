//! The residuals of a training and their derivatives, for steps of Levenberg and Marquardt.

use super::condensed::Condensed;
use super::lifted::Lifted;
use super::linear_residuals::LinearResiduals;
use super::method::TrainingMethod;
use super::objective::Loss;
use super::options::TrainOptions;
use super::problem::{LossTarget, TrainingProblem};
use super::scaling::ScaledParams;
use crate::{Error, Result};
use odesync_base::text::count_of;
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::{Engine, NativeEngine, SolutionJacobian, Stats};

/// The residuals of a training problem, with an engine that differentiates solutions.
#[derive(Default)]
pub(super) struct LeastSquares {
    engine: NativeEngine,
    /// The problem at the last parameters that it was linearised at.
    pub linear: Option<Linear>,
    /// The gaps there.
    pub gaps: Vec<f64>,
    /// Size of gaps as large as the states.
    pub size: f64,
    /// The loss there.
    pub loss: Loss,
}

/// The linear problem of a step.
pub(super) enum Linear {
    /// Segments need not meet; the unknowns are all parameters.
    Lifted(Lifted),
    /// They do; the unknowns are those that are left.
    Condensed(Condensed),
}

impl Linear {
    /// Returns the linear problem, this share of the gaps being closed.
    pub fn problem(&self, closed: f64) -> LinearResiduals<'_> {
        match self {
            Linear::Lifted(lifted) => lifted.problem(),
            Linear::Condensed(condensed) => condensed.problem(closed),
        }
    }
}

/// The loss and the gaps at parameters that were tried.
pub(super) struct Trial {
    pub loss: f64,
    pub gaps: Vec<f64>,
    pub total_gap: f64,
}

/// Checks that a training can be one of least squares.
///
/// # Errors
/// A method, an engine, or what is known of a constant, that it does not go with.
pub(super) fn check(
    model: &VectorField,
    method: &TrainingMethod,
    options: &TrainOptions,
) -> Result<()> {
    let is_known = matches!(
        method,
        TrainingMethod::Vanilla | TrainingMethod::MultipleShooting(_)
    );
    if !is_known {
        return Err(Error::invalid(format!(
            "optimizer: \"lm\" trains by vanilla() and multiple_shooting(), not by {}(): choose one of these, or optimizer: \"adamw\"",
            method.name()
        )));
    }
    if options.engine == "torch" {
        return Err(Error::invalid(
            "optimizer: \"lm\" computes on the native engine, and engine is \"torch\"; leave out engine and device",
        ));
    }
    if options.solver.has_jumps() {
        return Err(Error::invalid(
            "optimizer: \"lm\" knows smooth solutions between the times of the data: with events or doses leave optimizer out",
        ));
    }
    match model.specs().find(|(_, _, spec)| spec.prior.is_some()) {
        Some((name, _, spec)) => Err(Error::invalid(format!(
            "optimizer: \"lm\" keeps to the bounds of the constant \"{name}\" ({spec}) and not to its prior, which needs to know the \
             noise of the data: leave out prior, or train with weak_constraint()"
        ))),
        None => Ok(()),
    }
}

impl LeastSquares {
    /// Computes the loss at the parameters and the linear problem there, which is kept for a step. The gradient of the loss is that
    /// of the step's unknowns, in the optimiser's units: all parameters where gaps have a weight, else the model's and the trained
    /// initial states.
    pub fn linearize(
        &mut self,
        problem: &TrainingProblem,
        (params, scaled): (&[f64], Option<&ScaledParams>),
        gap_weight: f64,
    ) -> Result<Loss> {
        if self.linear.is_some() {
            return Ok(self.loss.clone());
        }
        let field = problem.field(params, 0.0)?;
        let initial_states = problem.initial_states(params);
        let problems = problem.problems(&initial_states);
        let segments = problem.segments();
        let dof = segments.dof;
        let n_model = problem.n_model_params();
        let n_free = n_model + segments.u0_range().len();
        let measured: Vec<_> = (0..segments.len()).map(|i| segments.measured(i)).collect();
        let n_unknowns = match gap_weight > 0.0 {
            true => problem.n_params(),
            false => n_free,
        };
        check_memory(measured.iter().map(Vec::len).sum(), n_unknowns)?;
        let engine = &mut self.engine;
        let solved = engine.forward(&field, &problems, problem.solver(), None, true)?;
        let rows = measured.iter().zip(&solved).enumerate();
        let rows: Vec<Vec<usize>> = rows
            .map(|(i, (measured, solved))| {
                let n = solved.u.len();
                let end = (n - dof..n).filter(|_| segments.is_continued(i));
                measured.iter().map(|value| value.at).chain(end).collect()
            })
            .collect();
        let scale = |_: usize, jacobian: SolutionJacobian| {
            let Some(scaled) = scaled else {
                return jacobian;
            };
            let rows = jacobian.du_dparams.chunks_exact(n_model.max(1));
            let scaled = rows.flat_map(|row| scaled.pull_back_model(row)).collect();
            SolutionJacobian {
                du_dparams: scaled,
                ..jacobian
            }
        };
        let jacobians = engine.solution_jacobians(&rows, scale)?;
        let states: Vec<&[f64]> = solved.iter().map(|s| &s.u[..]).collect();
        let errors = measured.iter().zip(&states).map(|(measured, u)| {
            let error = measured.iter().map(|value| u[value.at] - value.datum);
            error.collect()
        });
        let errors: Vec<Vec<f64>> = errors.collect();
        let parts = problem.loss_from_states(&states, &initial_states, LossTarget::Data);
        self.gaps = segments.gaps(&initial_states, &states);
        let units = scaled.map_or_else(|| vec![1.0; dof], |scaled| scaled.sd().to_vec());
        self.size = segments.size_of_starts(&initial_states);
        let (rows, gaps) = ((&jacobians[..], &errors[..]), &self.gaps[..]);
        let linear = match gap_weight > 0.0 {
            true => {
                let sizes = (n_model, gap_weight);
                Linear::Lifted(Lifted::new(segments, rows, gaps, &units, sizes))
            }
            false => {
                let sizes = (n_model, n_free);
                Linear::Condensed(Condensed::new(segments, rows, gaps, &units, sizes))
            }
        };
        let mut loss = Loss {
            loss: parts.loss,
            data_loss: parts.data_loss,
            continuity: parts.continuity,
            gradient: (linear.problem(0.0).gradient().iter())
                .map(|g| 2.0 * g)
                .collect(),
            ..Loss::default()
        };
        solved.iter().for_each(|solved| loss.stats += solved.stats);
        self.linear = Some(linear);
        self.loss = loss.clone();
        Ok(loss)
    }

    /// Forgets the linear problem: the parameters are others.
    pub fn forget(&mut self) {
        self.linear = None;
    }

    /// Evaluates loss and gaps at parameters; `None` where a solve fails.
    pub fn try_at(
        &mut self,
        problem: &TrainingProblem,
        params: &[f64],
        stats: &mut Stats,
    ) -> Result<Option<Trial>> {
        let field = problem.field(params, 0.0)?;
        let initial_states = problem.initial_states(params);
        let problems = problem.problems(&initial_states);
        let solver = problem.solver();
        let solved = match self.engine.forward(&field, &problems, solver, None, false) {
            Err(Error::Solve(_)) => return Ok(None),
            solved => solved?,
        };
        solved.iter().for_each(|solved| *stats += solved.stats);
        let states: Vec<&[f64]> = solved.iter().map(|s| &s.u[..]).collect();
        let parts = problem.loss_from_states(&states, &initial_states, LossTarget::Data);
        let gaps = problem.segments().gaps(&initial_states, &states);
        let total_gap = problem.segments().total_gap(&gaps);
        let is_finite = parts.loss.is_finite() && total_gap.is_finite();
        Ok(is_finite.then_some(Trial {
            loss: parts.loss,
            gaps,
            total_gap,
        }))
    }
}

/// Checks that a Jacobian fits into memory.
fn check_memory(rows: usize, columns: usize) -> Result<()> {
    let bytes = rows
        .saturating_mul(columns)
        .saturating_mul(size_of::<f64>());
    // The Jacobian, a scaled copy, and the square matrix of the smaller size.
    match bytes.saturating_mul(3) > odesync_base::memory::default_limit() {
        false => Ok(()),
        true => Err(Error::invalid(format!(
            "optimizer: \"lm\" needs the derivatives of {} by {}, more than fits into memory: train on fewer data, with a smaller model, or \
             with optimizer: \"adamw\"",
            count_of(rows, "value"),
            count_of(columns, "parameter")
        ))),
    }
}
