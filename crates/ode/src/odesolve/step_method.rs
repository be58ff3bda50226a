//! How a method takes its steps.

use super::checkpoints::StateReader;
use super::integrator::Integrator;
use super::plan::Step;
use odesync_base::failure::FailureReason;

/// How a method takes its steps. The driver holds the state; a scheme leaves u⁺ in `course.work.next`.
pub(crate) trait StepMethod<const TAPE: bool> {
    /// Length of the tape for this many steps.
    fn tape_len(&self, course: &Integrator<TAPE>, steps: usize) -> usize;

    /// Length of the tape that one more step comes to, most steps being alike.
    fn tape_len_per_step(&self, course: &Integrator<TAPE>) -> usize {
        self.tape_len(course, 2) - self.tape_len(course, 1)
    }

    /// Prepares the first step at the initial state. For adaptive steps it gives the size of the first one; for fixed steps
    /// and replays the size is not used.
    fn initialize(
        &mut self,
        course: &mut Integrator<TAPE>,
        adaptive: bool,
    ) -> Result<f64, FailureReason>;

    /// Takes the `index`th step, leaving u⁺ in `course.work.next`. An error rejects an adaptive step, which is tried again
    /// with a smaller size, and ends a solve of fixed steps.
    fn perform_step(
        &mut self,
        course: &mut Integrator<TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason>;

    /// Whether the attempted adaptive step is accepted; tells the stepper the size of the next one.
    fn error_test(&mut self, course: &mut Integrator<TAPE>, step: Step) -> bool;

    /// The method's polynomial at `t + θ h` of the attempted step into `course.work.u[to]`.
    fn interpolate(
        &mut self,
        course: &mut Integrator<TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    );

    /// The solution at `t + θ h` of the attempted step into `course.work.u[to]`, to the method's order.
    fn solve_at(
        &mut self,
        course: &mut Integrator<TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) -> Result<(), FailureReason> {
        self.interpolate(course, step, theta, to);
        Ok(())
    }

    /// Gets ready for the next step; the states are already exchanged, `course.work.next` is the old one.
    fn on_accept(&mut self, course: &mut Integrator<TAPE>, step: Step);

    /// Whether the accepted step, like others before it, shows that another kind of method would suit the problem better.
    fn should_switch(&mut self, _course: &mut Integrator<TAPE>, _step: Step) -> bool {
        false
    }

    /// Adds to a checkpoint what the next step depends on beside the state and the stepper: always as many numbers.
    fn save(&self, row: &mut Vec<f64>);

    /// Takes up a checkpoint instead of [`StepMethod::initialize`]; the course stands there.
    fn load(&mut self, course: &mut Integrator<TAPE>, row: &mut StateReader);

    /// Whether everything beside `next` that the last attempt computed is finite.
    fn is_finite(&self) -> bool;
}
