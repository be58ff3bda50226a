//! Steps of Levenberg and Marquardt: the residuals of a training and their derivatives, a step, and whether it is taken.
//!
//! A step minimises the linearised residuals plus μ |D Δz|², D the largest norms so far of the Jacobian's columns (J. J. Moré, *The
//! Levenberg-Marquardt algorithm: implementation and theory*, Lecture Notes in Mathematics 630, 1978). It is taken if the loss falls,
//! and μ follows the ratio of that fall to the one promised. With gaps between segments, of which it closes the share 1/(1 + μ), it is
//! judged by the loss plus a penalty on the gaps, Σ |gap|, large enough for the step to promise a fall (J. Nocedal and S. J. Wright,
//! *Numerical Optimization*, 2nd ed., eq. 18.36); one that is rejected is tried again with the second-order correction of its gaps.

use super::condensed::Condensed;
use super::damping::{Damping, LevenbergMarquardt};
use super::method::TrainingMethod;
use super::objective::Loss;
use super::options::TrainOptions;
use super::problem::{LossTarget, TrainingProblem};
use super::scaling::ScaledParams;
use super::trainer::Trainer;
use crate::{Error, Result};
use odesync_base::text::count_of;
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::{Engine, NativeEngine, SolutionJacobian, Stats};

/// Share of the promised fall that a step must bring.
const LEAST_GAIN: f64 = 1e-4;
/// Cosine of the angle between residuals and columns of the Jacobian below which nothing is left to do.
const LEAST_COSINE: f64 = 1e-10;
/// Size of a step, relative to the parameters, below which nothing is left to do.
const LEAST_STEP: f64 = 1e-13;

/// The residuals of a training problem, with an engine that differentiates solutions.
#[derive(Default)]
pub(super) struct LeastSquares {
    engine: NativeEngine,
    /// The problem at the last parameters that it was linearised at.
    linear: Option<Condensed>,
    /// The gaps there.
    gaps: Vec<f64>,
    loss: Loss,
}

/// A step that was tried.
pub(super) struct TriedStep {
    /// The parameters that the optimiser sees, where the step is to be taken.
    pub taken: Option<Vec<f64>>,
    /// The damping after it.
    damping: Damping,
    /// Largest norms so far of the Jacobian's columns.
    norms: Vec<f64>,
    /// Cost of the solves.
    pub stats: Stats,
}

/// The loss and the gaps at parameters that were tried.
struct Trial {
    loss: f64,
    gaps: Vec<f64>,
    total_gap: f64,
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
    if options.engine != "native" {
        return Err(Error::invalid(format!(
            "optimizer: \"lm\" computes on the native engine, and engine is \"{}\"; leave out engine and device",
            options.engine
        )));
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
    /// of the free unknowns: the model's parameters, then the trained initial states, in the optimiser's units.
    pub fn linearize(
        &mut self,
        problem: &TrainingProblem,
        params: &[f64],
        scaled: Option<&ScaledParams>,
    ) -> Result<Loss> {
        if self.linear.is_some() {
            return Ok(self.loss.clone());
        }
        let field = problem.field(params, 0.0)?;
        let initial_states = problem.initial_states(params);
        let problems = problem.problems(&initial_states);
        let segments = problem.segments();
        let dof = segments.dof();
        let n_model = problem.n_model_params();
        let n_free = n_model + segments.u0_range().len();
        let measured: Vec<_> = (0..segments.len()).map(|i| segments.measured(i)).collect();
        check_memory(measured.iter().map(Vec::len).sum(), n_free)?;
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
        self.gaps = segments.all_gaps(&initial_states, &states);
        let units = scaled.map_or_else(|| vec![1.0; dof], |scaled| scaled.sd().to_vec());
        let (jacobians, sizes) = ((&jacobians[..], &errors[..]), (n_model, n_free));
        let linear = Condensed::new(segments, jacobians, &self.gaps, &units, sizes);
        let mut loss = Loss {
            loss: parts.loss,
            data_loss: parts.data_loss,
            continuity: parts.continuity,
            gradient: linear.gradient().iter().map(|g| 2.0 * g).collect(),
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
    fn try_at(
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
        let gaps = problem.segments().all_gaps(&initial_states, &states);
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

impl Trainer<'_> {
    /// Tries a step from the parameters that were linearised last. Nothing has changed after it but what is kept of the solves.
    pub fn try_least_squares_step(&mut self, settings: &LevenbergMarquardt) -> Result<TriedStep> {
        let optimizer = &self.optimizer_state;
        let before = optimizer.damping.clone();
        let before = before.unwrap_or_else(|| Damping::new(settings));
        let mut tried = TriedStep {
            taken: None,
            damping: before.clone(),
            norms: optimizer.first_moment.clone(),
            stats: Stats::default(),
        };
        let n_model = self.objective.n_model_params();
        let z = match &self.scaled {
            Some(scaled) => scaled.z.clone(),
            None => self.params.clone(),
        };
        let Some(least_squares) = &mut self.least_squares else {
            return Ok(tried);
        };
        let Some(linear) = least_squares.linear.take() else {
            return Ok(tried);
        };
        // Free unknowns are the model's parameters, then what follows the corrections.
        let n_corrections = z.len() - linear.n_free;
        let place = |free: usize| match free < n_model {
            true => free,
            false => free + n_corrections,
        };
        let columns = linear.column_norms();
        for (free, norm) in columns.iter().enumerate() {
            let so_far = &mut tried.norms[place(free)];
            *so_far = so_far.max(*norm);
        }
        let problem = self.objective.problem();
        let segments = problem.segments();
        let loss: f64 = linear.residuals.iter().map(|r| r * r).sum();
        let total_gap = segments.total_gap(&least_squares.gaps);
        let decay = |free: usize| match free < n_model {
            true => settings.weight_decay / 2.0,
            false => 0.0,
        };
        let decay: Vec<f64> = (0..linear.n_free).map(decay).collect();
        let free: Vec<f64> = (0..linear.n_free).map(|free| z[place(free)]).collect();
        let squares = |free: &[f64]| -> f64 {
            let squares = free.iter().zip(&decay).map(|(z, decay)| decay * z * z);
            squares.sum()
        };
        let scale = |free: usize| match tried.norms[place(free)] {
            0.0 => 1.0,
            norm => norm,
        };
        let scales: Vec<f64> = (0..linear.n_free).map(scale).collect();
        let now = loss + squares(&free);
        let root = loss.sqrt();
        let cosine = |(g, column): (&f64, &f64)| 0.5 * g.abs() <= LEAST_COSINE * column * root;
        let is_level = least_squares.loss.gradient.iter().zip(&columns).all(cosine);
        if total_gap <= f64::EPSILON && settings.weight_decay == 0.0 && is_level {
            tried.damping.is_converged = true;
            least_squares.linear = Some(linear);
            return Ok(tried);
        }
        let damping: Vec<f64> = scales
            .iter()
            .map(|scale| before.mu * scale * scale)
            .collect();
        let closed = 1.0 / (1.0 + before.mu);
        let step = linear.step(&free, (&decay, &damping), closed);
        let Some(step) = step else {
            tried.damping = before.after(None, settings);
            least_squares.linear = Some(linear);
            return Ok(tried);
        };
        let closing = closed * total_gap;
        let needed = match closing > 0.0 {
            true => 2.0 * (step.promised - now) / closing,
            false => 0.0,
        };
        if needed > before.penalty {
            tried.damping.penalty = 1.5 * needed;
        }
        let penalty = tried.damping.penalty;
        let merit = now + penalty * total_gap;
        let promised = now - step.promised + penalty * closing;
        let units = |scaled: &ScaledParams| scaled.sd().to_vec();
        let units = self
            .scaled
            .as_ref()
            .map_or_else(|| vec![1.0; segments.dof()], units);
        let mut candidate = z.clone();
        for (i, change) in step.change.iter().enumerate() {
            candidate[place(i)] += change;
        }
        let add = |candidate: &mut [f64], changes: &[f64]| {
            let corrections = candidate[n_model..].iter_mut().zip(changes);
            let corrections = corrections.zip(units.iter().cycle());
            corrections.for_each(|((z, change), unit)| *z += change / unit);
        };
        add(&mut candidate, &linear.start_changes(&step.change, closed));
        let after: Vec<f64> = (0..linear.n_free)
            .map(|free| candidate[place(free)])
            .collect();
        let decayed = squares(&after);
        let mut gain = None;
        for correct in [false, true] {
            let params = self
                .scaled
                .as_ref()
                .map(|scaled| scaled.params_at(&candidate));
            let params = params.as_ref().unwrap_or(&candidate);
            let trial = least_squares.try_at(problem, params, &mut tried.stats)?;
            let Some(trial) = trial else { break };
            let fall = merit - (trial.loss + decayed + penalty * trial.total_gap);
            if fall > LEAST_GAIN * promised && fall > 0.0 {
                gain = Some((fall, fall / promised));
                break;
            }
            if correct || trial.gaps.is_empty() {
                break;
            }
            let left = trial.gaps.iter().zip(&least_squares.gaps);
            let left: Vec<f64> = left
                .map(|(gap, before)| gap - (1.0 - closed) * before)
                .collect();
            add(&mut candidate, &linear.closing_changes(&left));
        }
        let size = |values: &[f64]| -> f64 {
            let values = values.iter().zip(&scales);
            values
                .map(|(x, scale)| (x * scale).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        let is_small = promised <= settings.tolerance * merit
            && gain.is_none_or(|(fall, _)| fall <= settings.tolerance * merit);
        let is_short = size(&step.change) <= LEAST_STEP * size(&free) && total_gap <= f64::EPSILON;
        tried.damping = tried.damping.after(gain.map(|(_, gain)| gain), settings);
        tried.damping.is_converged |= before.mu <= 1.0 && (is_small || is_short);
        match gain {
            Some(_) => tried.taken = Some(candidate),
            None => least_squares.linear = Some(linear),
        }
        Ok(tried)
    }

    /// Takes the step that was tried, or leaves the parameters where they are.
    pub fn finish_least_squares_step(&mut self, tried: TriedStep) {
        self.optimizer_state.step += 1;
        self.optimizer_state.damping = Some(tried.damping);
        self.optimizer_state.first_moment = tried.norms;
        let Some(taken) = tried.taken else {
            return;
        };
        if let Some(least_squares) = &mut self.least_squares {
            least_squares.forget();
        }
        match &mut self.scaled {
            Some(scaled) => {
                scaled.z = taken;
                self.params = scaled.params();
            }
            None => self.params = taken,
        }
    }
}
