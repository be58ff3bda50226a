//! Steps of Levenberg and Marquardt: the residuals of a training and their derivatives, a step, and whether it is taken.
//!
//! A step minimises the linearised residuals plus μ |D Δz|², D the largest norms so far of the Jacobian's columns (J. J. Moré, *The
//! Levenberg-Marquardt algorithm: implementation and theory*, Lecture Notes in Mathematics 630, 1978). It is taken if the loss falls,
//! and μ follows the ratio of that fall to the one promised.
//!
//! Multiple shooting begins with the segments' initial states as unknowns of their own and the squares of the gaps in the loss, with
//! a weight that grows from stage to stage. At last the gaps are closed: steps are those of Bock's method, which eliminate the initial
//! states by the linearised continuity and close the share 1/(1 + μ) of what gaps are left. They are judged by the loss plus a penalty
//! on Σ |gap|, large enough for the step to promise a fall (J. Nocedal and S. J. Wright, *Numerical Optimization*, 2nd ed., eq. 18.36);
//! one that is rejected is tried again with the second-order correction of its gaps.

use super::condensed::Condensed;
use super::damping::{Damping, LevenbergMarquardt};
use super::lifted::Lifted;
use super::linear_problem::LinearProblem;
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
const LEAST_STEP: f64 = 1e-10;
/// Size of gaps, relative to the states, below which they count as closed, and below which they can be closed.
const CLOSED: (f64, f64) = (1e-9, 1e-6);

/// The residuals of a training problem, with an engine that differentiates solutions.
#[derive(Default)]
pub(super) struct LeastSquares {
    engine: NativeEngine,
    /// The problem at the last parameters that it was linearised at.
    linear: Option<Linear>,
    /// The gaps there, and the size of gaps as large as the states.
    gaps: Vec<f64>,
    size: f64,
    loss: Loss,
}

/// The linear problem of a step.
enum Linear {
    /// Segments need not meet; the unknowns are all parameters.
    Lifted(Lifted),
    /// They do; the unknowns are those that are left.
    Condensed(Condensed),
}

impl Linear {
    fn problem(&self, closed: f64) -> LinearProblem<'_> {
        match self {
            Linear::Lifted(lifted) => lifted.problem(),
            Linear::Condensed(condensed) => condensed.problem(closed),
        }
    }
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
        let Some(before) = self.damping() else {
            return Err(Error::invalid("the optimiser is not lm"));
        };
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
        let closed = 1.0 / (1.0 + before.mu);
        let n = linear.problem(0.0).n;
        // Unknowns are all parameters, or all but the corrections, which follow the model's.
        let place = |unknown: usize| match unknown < n_model {
            true => unknown,
            false => unknown + z.len() - n,
        };
        let columns = linear.problem(0.0).column_norms();
        for (unknown, norm) in columns.iter().enumerate() {
            let so_far = &mut tried.norms[place(unknown)];
            *so_far = so_far.max(*norm);
        }
        let problem = self.objective.problem();
        let segments = problem.segments();
        let gap_weight = before.gap_weight;
        let squares = linear
            .problem(0.0)
            .residuals
            .iter()
            .map(|r| r * r)
            .sum::<f64>();
        let total_gap = segments.total_gap(&least_squares.gaps);
        let are_closed = total_gap <= CLOSED.0 * least_squares.size;
        let decay = |unknown: usize| match unknown < n_model {
            true => settings.weight_decay / 2.0,
            false => 0.0,
        };
        let decay: Vec<f64> = (0..n).map(decay).collect();
        let free: Vec<f64> = (0..n).map(|unknown| z[place(unknown)]).collect();
        let decayed = |free: &[f64]| -> f64 {
            let squares = free.iter().zip(&decay).map(|(z, decay)| decay * z * z);
            squares.sum()
        };
        let scale = |unknown: usize| match tried.norms[place(unknown)] {
            0.0 => 1.0,
            norm => norm,
        };
        let scales: Vec<f64> = (0..n).map(scale).collect();
        let now = squares + decayed(&free);
        let root = squares.sqrt();
        let cosine = |(g, column): (&f64, &f64)| 0.5 * g.abs() <= LEAST_COSINE * column * root;
        let is_level = least_squares.loss.gradient.iter().zip(&columns).all(cosine);
        if gap_weight == 0.0 && are_closed && settings.weight_decay == 0.0 && is_level {
            tried.damping.is_converged = true;
            least_squares.linear = Some(linear);
            return Ok(tried);
        }
        let damping: Vec<f64> = scales
            .iter()
            .map(|scale| before.mu * scale * scale)
            .collect();
        let step = linear.problem(closed).step(&free, (&decay, &damping));
        let Some(step) = step else {
            tried.damping = before.after(None, settings);
            least_squares.linear = Some(linear);
            return Ok(tried);
        };
        // Where segments meet, gaps are judged by their size; else their squares are among the residuals.
        let closing = match gap_weight == 0.0 {
            true => closed * total_gap,
            false => 0.0,
        };
        if closing > 0.0 {
            let needed = 2.0 * (step.promised - now) / closing;
            if needed > before.penalty {
                tried.damping.penalty = 1.5 * needed;
            }
        }
        let penalty = if closing > 0.0 {
            tried.damping.penalty
        } else {
            0.0
        };
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
        if let Linear::Condensed(condensed) = &linear {
            add(
                &mut candidate,
                &condensed.start_changes(&step.change, closed),
            );
        }
        let after: Vec<f64> = (0..n).map(|unknown| candidate[place(unknown)]).collect();
        let decayed = decayed(&after);
        let (mut gain, mut gap_after) = (None, total_gap);
        for correct in [false, true] {
            let params = self
                .scaled
                .as_ref()
                .map(|scaled| scaled.params_at(&candidate));
            let params = params.as_ref().unwrap_or(&candidate);
            let trial = least_squares.try_at(problem, params, &mut tried.stats)?;
            let Some(trial) = trial else { break };
            let of_gaps = match gap_weight == 0.0 {
                true => penalty * trial.total_gap,
                false => segments.weighted_gaps(&trial.gaps, gap_weight),
            };
            let fall = merit - (trial.loss + decayed + of_gaps);
            if fall > LEAST_GAIN * promised && fall > 0.0 {
                gain = Some((fall, fall / promised));
                gap_after = trial.total_gap;
                break;
            }
            let Linear::Condensed(condensed) = &linear else {
                break;
            };
            if correct || trial.gaps.is_empty() {
                break;
            }
            let left = trial.gaps.iter().zip(&least_squares.gaps);
            let left: Vec<f64> = left
                .map(|(gap, before)| gap - (1.0 - closed) * before)
                .collect();
            add(&mut candidate, &condensed.closing_changes(&left));
        }
        let size = |values: &[f64]| -> f64 {
            let values = values.iter().zip(&scales);
            values
                .map(|(x, scale)| (x * scale).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        let fall = gain.map_or(0.0, |(fall, _)| fall);
        let is_small = before.mu <= 1.0 && promised.max(fall) <= settings.tolerance * merit;
        let is_short = (before.mu <= 1.0 || gain.is_none())
            && are_closed
            && size(&step.change) <= LEAST_STEP * size(&free);
        tried.damping = tried.damping.after(gain.map(|(_, gain)| gain), settings);
        tried.damping.is_converged |= gap_weight == 0.0 && (is_small || is_short);
        match gain {
            Some(_) => tried.taken = Some(candidate),
            None => least_squares.linear = Some(linear),
        }
        let are_small = gap_after <= CLOSED.1 * least_squares.size;
        if let Some(next) = tried.damping.with_next_weight(fall / merit, are_small) {
            tried.damping = next;
            tried.norms.fill(0.0);
            least_squares.linear = None;
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
