//! What happens between two [pieces](super::pieces) of a solve: the jumps, and where conditions and events stand after them.

use super::condition_modes::{Settled, Unsettled};
use super::consistency::Consistency;
use super::events::FiredFunction;
use super::mass_matrix::MassMatrix;
use super::pieces::PieceSolve;
use super::rhs::Rhs;
use super::smooth_piece::{Cause, Transition};
use super::vector_ops::all_finite;
use crate::Result;
use odesync_base::failure::FailureReason;

/// Share of its size in the last step to which the function of an event is zero after a jump that leaves it there, where it was not
/// larger before.
const SAME_ZERO: f64 = 1e-9;

impl<R: Rhs + ?Sized, const TAPE: bool> PieceSolve<'_, '_, R, TAPE> {
    /// Returns the transition at the present time, before any jump.
    pub fn transition(&self, fired: &[FiredFunction]) -> Transition {
        let n_events = self.events.len();
        // Other events that are zero at the same time do not move it.
        let moves = |f: &&FiredFunction| f.index >= n_events || self.events[f.index].ends_piece;
        Transition {
            t: self.t,
            before: self.state.clone(),
            after: self.state.clone(),
            jumps: vec![],
            fired: fired.iter().filter(moves).map(|f| f.index).collect(),
        }
    }

    pub fn take_jump(&mut self, transition: &mut Transition, cause: Cause) -> Result<()> {
        let jump = match cause {
            Cause::Event(i) => self.options.events[i].state_jump(),
            Cause::Dose(i) => Some(self.options.doses[i].state_jump()),
        };
        let Some(jump) = jump else { return Ok(()) };
        let after = jump.apply(self.problem.sample, self.t, &self.state);
        let before = std::mem::replace(&mut self.state, after);
        transition.jumps.push((cause, before));
        transition.after.clone_from(&self.state);
        match all_finite(&self.state) {
            true => Ok(()),
            false => Err(self.failure(FailureReason::NotFinite).into()),
        }
    }

    /// Applies the jumps of the events that ended the last piece.
    pub fn take_jumps(&mut self, transition: &mut Transition) -> Result<()> {
        let n_events = self.events.len();
        let fired: Vec<usize> = transition.fired.clone();
        fired
            .into_iter()
            .filter(|i| *i < n_events)
            .try_for_each(|i| self.take_jump(transition, Cause::Event(i)))
    }

    /// Makes the state after the jumps consistent with the algebraic equations, where there is a mass matrix.
    pub fn make_consistent(&mut self, transition: &mut Transition) -> Result<()> {
        let Some(mass) = &self.options.mass_matrix else {
            return Ok(());
        };
        let mut consistency = Consistency::new(self.rhs, mass);
        let place = (self.problem.sample, self.t);
        let found = consistency.solve_state(self.rhs, place, &mut self.state);
        transition.after.clone_from(&self.state);
        found.map_err(|reason| self.failure(reason).into())
    }

    /// Applies the doses at the present time.
    pub fn take_doses(&mut self, transition: &mut Transition) -> Result<()> {
        while let Some(&(t, i)) = self.doses.last()
            && self.is_same_time(t)
        {
            self.doses.pop();
            self.take_jump(transition, Cause::Dose(i))?;
        }
        Ok(())
    }

    pub fn settle(&mut self, start: &Transition) -> Result<Option<Settled>> {
        let n_events = self.events.len();
        let Some(modes) = &mut self.modes else {
            return Ok(None);
        };
        // A jump may lead away from a condition that switched at the same time.
        let crossed: Vec<usize> = match start.jumps.is_empty() {
            true => start
                .fired
                .iter()
                .filter_map(|i| i.checked_sub(n_events))
                .collect(),
            false => vec![],
        };
        match modes.settle(self.t, &self.state, &crossed) {
            Ok(settled) => Ok(Some(settled)),
            Err(Unsettled::Failed(reason)) => Err(self.failure(reason).into()),
            Err(Unsettled::Invalid(error)) => Err(error),
        }
    }

    /// Finds the values of the event functions just after a transition, where they are zero but for rounding.
    pub fn set_event_starts(&mut self, start: &Transition, settled: Option<&Settled>) {
        let place = (self.problem.sample, self.t, &self.state[..]);
        let mut slope = vec![0.0; self.state.len()];
        match settled {
            Some(settled) => slope_of(&settled.held.evaluator, None, place, &mut slope),
            None => {
                let mass = self.options.mass_matrix.as_ref();
                slope_of(self.rhs, mass, place, &mut slope);
            }
        }
        for (i, function) in self.events.iter_mut().enumerate() {
            self.starts[i].value = None;
            let Some(fired) = self.work.fired.iter().find(|f| f.index == i) else {
                continue;
            };
            let residual = function.evaluate(place.0, place.1, &start.before).abs();
            let value = function.evaluate(place.0, place.1, place.2);
            if value.abs() <= (2.0 * residual).max(SAME_ZERO * fired.size) {
                let rate = self.sign * function.rate(place, &slope);
                // A solution that stays on the zero counts as on the side that it came from: should it go through, the event is hit
                // again at once, which is an error.
                let side = if rate == 0.0 || rate.is_nan() {
                    fired.sign
                } else {
                    rate.signum()
                };
                self.starts[i].value = Some(side * f64::MIN_POSITIVE);
            }
        }
    }
}

/// Computes du/dt at a place; NaN where a mass matrix leaves it undetermined.
pub(crate) fn slope_of<R: Rhs + ?Sized>(
    rhs: &R,
    mass: Option<&MassMatrix>,
    (sample, t, u): (usize, f64, &[f64]),
    slope: &mut [f64],
) {
    if let Some(mass) = mass {
        let mut consistency = Consistency::new(rhs, mass);
        if consistency.slope(rhs, (sample, t), u, slope).is_err() {
            slope.fill(f64::NAN);
        }
        return;
    }
    let mut slot = vec![0.0; rhs.slot_len()];
    rhs.eval(sample, t, u, &mut slot, slope);
}
