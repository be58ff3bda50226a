//! What a solve with a mass matrix does beside its steps: a consistent initial state, slopes, and steps across jumps of the field, which
//! the algebraic variables follow at once.

use super::consistency::Consistency;
use super::integrator_core::IntegratorCore;
use super::recorded_steps::Step;
use super::rhs::{DifferenceScales, Rhs};
use super::step_method::StepMethod;
use super::vector_ops::all_finite;
use odesync_base::failure::{FailureReason, SolveFailure};

impl<'a, R: Rhs + ?Sized, const TAPE: bool> IntegratorCore<'_, 'a, R, TAPE> {
    /// Returns the equations of consistent states; `None` where there is no mass matrix.
    pub fn consistency(&self) -> Option<Consistency<'a>> {
        let mut consistency = Consistency::new(self.rhs, self.options.mass_matrix.as_ref()?);
        consistency.set_scales(&self.difference_scales());
        Some(consistency)
    }

    /// Returns the sizes of differences in this solve.
    pub fn difference_scales(&self) -> DifferenceScales {
        DifferenceScales {
            atol: self.options.atol.clone(),
            rtol: self.options.rtol,
            span: self.stepper.span(),
        }
    }

    /// Makes the initial state consistent, where there is a mass matrix.
    fn make_consistent(&mut self) -> Result<(), FailureReason> {
        let Some(mut consistency) = self.consistency() else {
            return Ok(());
        };
        let place = (self.problem.sample, self.problem.t[0]);
        let work = &mut *self.work;
        consistency.solve_state(self.rhs, place, &mut work.state)?;
        work.u[..self.dof].copy_from_slice(&work.state);
        Ok(())
    }

    /// Whether the end of the attempted step is consistent up to the tolerances.
    pub fn ends_consistent(&self, step: Step) -> bool {
        let Some(mut consistency) = self.consistency() else {
            return true;
        };
        let mut nearest = self.work.next.clone();
        let place = (self.problem.sample, step.end);
        let found = consistency.solve_state(self.rhs, place, &mut nearest);
        nearest
            .iter_mut()
            .zip(&self.work.next)
            .for_each(|(x, next)| *x -= next);
        found.is_ok() && self.error_norm(&nearest) <= 1.0
    }

    /// Turns f at the state that was reached into du/dt there, which is f itself unless there is a mass matrix. Returns whether there
    /// is one.
    pub fn turn_into_slope(&self, f: &mut [f64]) -> Result<bool, FailureReason> {
        let Some(mut consistency) = self.consistency() else {
            return Ok(false);
        };
        let place = (self.problem.sample, self.stepper.t);
        consistency.slope(self.rhs, place, &self.work.state, f)?;
        Ok(true)
    }

    /// Makes the initial state consistent with the algebraic equations.
    pub fn find_start(&mut self) -> Result<(), SolveFailure> {
        let finite = all_finite(&self.work.state);
        let found = match finite {
            true => self.make_consistent(),
            false => Ok(()),
        };
        found.map_err(|reason| self.failure(reason))
    }

    /// Attempts a step. One that crosses a jump of the field takes the algebraic variables of a mass matrix with it, for which full Newton
    /// iteration may be needed.
    #[inline]
    pub fn attempt<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
        index: usize,
        step: Step,
    ) -> Result<Result<(), FailureReason>, SolveFailure> {
        let attempt = method.perform_step(self, index, step);
        let crosses = self.options.mass_matrix.is_some() && self.stepper.is_indivisible();
        if attempt.is_ok() || !crosses {
            return Ok(attempt);
        }
        let exact_stages = std::mem::replace(&mut self.exact_stages, true);
        let attempt = method.perform_step(self, index, step);
        self.exact_stages = exact_stages;
        // A shorter step would not cross the jump.
        attempt.map(Ok).map_err(|reason| self.failure(reason))
    }
}
