//! Step methods: the computation of single steps, implemented by each family of methods.

use super::checkpoints::StateReader;
use super::integrator_core::IntegratorCore;
use super::recorded_steps::Step;
use super::rhs::{DifferenceScales, Rhs};
use odesync_base::failure::FailureReason;

/// Computation of the steps of a method. The driver holds the state; a step method writes u⁺ to `integrator.work.next`.
pub(crate) trait StepMethod<R: Rhs + ?Sized, const TAPE: bool> {
    /// Returns the length of the tape for this many steps.
    fn tape_len(&self, integrator: &IntegratorCore<R, TAPE>, steps: usize) -> usize;

    /// Returns the length by which a typical step extends the tape.
    fn tape_len_per_step(&self, integrator: &IntegratorCore<R, TAPE>) -> usize {
        self.tape_len(integrator, 2) - self.tape_len(integrator, 1)
    }

    /// Gives the sizes of differences, for methods that need a Jacobian; before the first step.
    fn set_scales(&mut self, _scales: &DifferenceScales) {}

    /// Prepares the first step at the initial state. Returns the size of the first adaptive step; for fixed steps and replays
    /// this size is not used.
    fn initialize(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        adaptive: bool,
    ) -> Result<f64, FailureReason>;

    /// Computes the `index`th step, writing u⁺ to `integrator.work.next`. An error rejects an adaptive step, which is
    /// repeated with a smaller size, and ends a solve with fixed steps.
    fn perform_step(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason>;

    /// Decides by the error estimate whether the attempted adaptive step is accepted, and sets the size of the next step in
    /// the step sequencer.
    fn error_test(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) -> bool;

    /// Evaluates the method's polynomial at `t + θ h` of the attempted step into `integrator.work.u[to]`.
    fn interpolate(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    );

    /// Computes the solution at `t + θ h` of the attempted step into `integrator.work.u[to]`, to the method's order.
    fn evaluate_output(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) -> Result<(), FailureReason> {
        self.interpolate(integrator, step, theta, to);
        Ok(())
    }

    /// Forgets what [`StepMethod::interpolate`] computed of the attempted step, so that an output writes it to the tape anew.
    fn forget_interpolant(&mut self) {}

    /// Prepares the next step after one was accepted; the states are already exchanged, so `integrator.work.next` is the old
    /// state.
    fn on_accept(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step);

    /// Whether the accepted step, together with earlier ones, indicates that another kind of method would suit the problem
    /// better.
    fn should_switch(&mut self, _integrator: &mut IntegratorCore<R, TAPE>, _step: Step) -> bool {
        false
    }

    /// Adds to a checkpoint everything that the next step depends on, apart from the state and the step sequencer. The number
    /// of values is always the same.
    fn save(&self, row: &mut Vec<f64>);

    /// Restores the method from a checkpoint, instead of [`StepMethod::initialize`]; the integrator is already at the
    /// checkpoint's time and state.
    fn load(&mut self, integrator: &mut IntegratorCore<R, TAPE>, row: &mut StateReader);

    /// Whether everything that the last attempt computed, apart from `next`, is finite.
    fn is_finite(&self) -> bool;
}
