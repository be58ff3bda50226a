//! Requested times inside a step of an implicit Runge-Kutta or a Rosenbrock method.
//!
//! The polynomial through such a step's stages is of lower order than the step (3 for Radau, 4 for the others), and in the
//! components that stiffness ties to the rest it shows the stages' own low order. So a requested time is reached by a step of
//! its own, from the start of the step around it: it has the order, the stability and the exact adjoint of every other step,
//! and the steps of the solve are not changed by it. The polynomial serves as its first guess, and to look for events.

use super::integrator::Integrator;
use super::plan::Step;
use odesync_base::failure::FailureReason;

/// The step from the start of `step` to θ.
pub(crate) fn substep(step: Step, theta: f64) -> Step {
    Step {
        t: step.t,
        end: step.time_at(theta),
    }
}

impl<const TAPE: bool> Integrator<'_, TAPE> {
    /// The state at `t + θ h` into `work.u[to]`, by a step of its own. `attempt` takes it, leaving the state in `work.next`
    /// and its slots on the tape at the index that it is given, where `room` (the tape's length for a number of steps) is
    /// made for them.
    pub fn substep_to_output(
        &mut self,
        (step, theta): (Step, f64),
        to: std::ops::Range<usize>,
        tape_len: impl Fn(&Self, usize) -> usize,
        mut perform_step: impl FnMut(&mut Self, usize, Step) -> Result<(), FailureReason>,
    ) -> Result<(), FailureReason> {
        let index = self.work.n_output_steps;
        if TAPE {
            let needed = tape_len(self, index + 1);
            if needed.saturating_add(self.work.tape.len()) > self.work.tape_limit {
                let bytes = self.work.tape_limit.saturating_mul(size_of::<f64>());
                return Err(FailureReason::TapeTooLarge(bytes));
            }
            self.work.output_tape.resize(needed, 0.0);
        }
        let part = substep(step, theta);
        self.swap_output_storage();
        let mut solved = perform_step(self, index, part);
        if solved.is_err() && !self.exact_stages {
            // The step around it could be taken; where a few iterations do not find this one, exact ones should.
            self.exact_stages = true;
            solved = perform_step(self, index, part);
            self.exact_stages = false;
        }
        self.swap_output_storage();
        solved?;
        let work = &mut *self.work;
        work.u[to].copy_from_slice(&work.output_state);
        work.n_output_steps += 1;
        Ok(())
    }

    /// Exchanges the storage of the steps with that of the steps beside them.
    fn swap_output_storage(&mut self) {
        let work = &mut *self.work;
        std::mem::swap(&mut work.next, &mut work.output_state);
        std::mem::swap(&mut work.tape, &mut work.output_tape);
    }
}
