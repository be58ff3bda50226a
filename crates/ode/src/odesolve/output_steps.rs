//! Output steps: additional steps to output times inside a step of an implicit Runge-Kutta or a Rosenbrock method.
//!
//! The polynomial through such a step's stages is of lower order than the step (3 for Radau, 4 for the others), and in the
//! stiff components it has the low order of the stages. Therefore an output time is reached by an additional step from the
//! start of the enclosing step: it has the order, the stability and the exact adjoint of every other step, and the steps of
//! the solve are not changed by it. The polynomial provides its initial guess, and is used to detect events.

use super::integrator_core::IntegratorCore;
use super::recorded_steps::Step;
use super::rhs::Rhs;
use odesync_base::failure::FailureReason;

/// Returns the step from the start of `step` to θ.
pub(crate) fn substep(step: Step, theta: f64) -> Step {
    Step {
        t: step.t,
        end: step.time_at(theta),
    }
}

impl<R: Rhs + ?Sized, const TAPE: bool> IntegratorCore<'_, '_, R, TAPE> {
    /// Computes the state at `t + θ h` into `work.u[to]` by an output step. `perform_step` takes the step, writing the state
    /// to `work.next` and its slots to the tape at the index it is given; `tape_len`, the tape's length for a number of
    /// steps, determines the memory reserved for them.
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
        let inner_step = substep(step, theta);
        self.swap_output_storage();
        let mut solved = perform_step(self, index, inner_step);
        if solved.is_err() && !self.exact_stages {
            // The enclosing step converged; where simplified Newton iteration fails for this shorter one, full Newton
            // iteration should not.
            self.exact_stages = true;
            solved = perform_step(self, index, inner_step);
            self.exact_stages = false;
        }
        self.swap_output_storage();
        solved?;
        let work = &mut *self.work;
        work.u[to].copy_from_slice(&work.output_state);
        work.n_output_steps += 1;
        Ok(())
    }

    /// Exchanges the storage of the steps (end state and tape) with the storage of the output steps.
    fn swap_output_storage(&mut self) {
        let work = &mut *self.work;
        std::mem::swap(&mut work.next, &mut work.output_state);
        std::mem::swap(&mut work.tape, &mut work.output_tape);
    }
}
