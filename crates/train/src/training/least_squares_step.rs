//! A step of Levenberg and Marquardt, and whether it is taken.
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

use super::damping::{Damping, LevenbergMarquardt};
use super::least_squares::Linear;
use super::scaling::ScaledParams;
use super::trainer::Trainer;
use crate::{Error, Result};
use odesync_ode::odesolve::Stats;

/// Share of the promised fall that a step must bring.
const LEAST_GAIN: f64 = 1e-4;
/// Cosine of the angle between residuals and columns of the Jacobian below which nothing is left to do.
const LEAST_COSINE: f64 = 1e-10;
/// Size of a step, relative to the parameters, below which nothing is left to do.
const LEAST_STEP: f64 = 1e-10;
/// Size of gaps, relative to the states, below which they count as closed, and below which they can be closed.
const CLOSED: (f64, f64) = (1e-9, 1e-6);

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
            .map_or_else(|| vec![1.0; segments.dof], units);
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
