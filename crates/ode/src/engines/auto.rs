//! The engine that takes for each batch whichever of the others is faster.

use super::{engine, registered};
use crate::field::VectorField;
use crate::odesolve::stepping::{check_is_smooth, torch_is_faster};
use crate::odesolve::{
    Engine, NativeEngine, Problem, RecordedSteps, SolveGradient, SolveOptions, Trajectory,
};
use crate::{Error, Result};

/// An engine on the CPU that solves each batch by the native engine or, where its layers and the batch are so large that
/// [`torch_is_faster`] and this program has the torch engine, by that one. What the torch engine has not (implicit methods, events,
/// gradients but by `backprop`) is left to the native engine. Both agree to rounding, so that the bits of a result may depend on
/// what is solved at the same time.
#[derive(Default)]
pub struct AutoEngine {
    native: NativeEngine,
    torch: Option<Box<dyn Engine>>,
    /// Whether the last solve that was kept is that of the torch engine.
    kept_by_torch: bool,
}

impl AutoEngine {
    /// Returns the engine for a batch.
    fn choose(
        &mut self,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
        with_gradient: bool,
    ) -> Result<&mut dyn Engine> {
        let takes = torch_is_faster(field, problems.len())
            && registered("torch").is_some()
            && torch_can(field, options, with_gradient);
        if !takes {
            return Ok(&mut self.native);
        }
        let torch = match self.torch.take() {
            Some(torch) => torch,
            None => engine("torch", "cpu")?,
        };
        Ok(self.torch.insert(torch).as_mut())
    }
}

/// Returns whether the torch engine can solve this.
fn torch_can(field: &VectorField, options: &SolveOptions, with_gradient: bool) -> bool {
    let what = "solves by the torch engine";
    let can_solve = options.solver.tableau().is_some()
        && options.events.is_empty()
        && check_is_smooth(field, options, what).is_ok();
    let can_differentiate =
        || options.adjoint.check_torch().is_ok() && field.check_fixed_switches(what).is_ok();
    can_solve && (!with_gradient || can_differentiate())
}

impl Engine for AutoEngine {
    fn forward(
        &mut self,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
        recorded: Option<&[RecordedSteps]>,
        keep: bool,
    ) -> Result<Vec<Trajectory>> {
        let chosen = self.choose(field, problems, options, keep)?;
        let is_torch = chosen.name() == "torch";
        let solved = chosen.forward(field, problems, options, recorded, keep)?;
        if keep {
            self.kept_by_torch = is_torch;
        }
        Ok(solved)
    }

    fn backward(&mut self, bars: &[Vec<f64>]) -> Result<SolveGradient> {
        match &mut self.torch {
            Some(torch) if self.kept_by_torch => torch.backward(bars),
            None if self.kept_by_torch => Err(Error::invalid("no solve was kept")),
            _ => self.native.backward(bars),
        }
    }

    fn forward_backward(
        &mut self,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
        recorded: Option<&[RecordedSteps]>,
        cotangent: &(dyn Fn(usize, &[f64]) -> Vec<f64> + Sync),
    ) -> Result<(Vec<Trajectory>, SolveGradient)> {
        self.choose(field, problems, options, true)?
            .forward_backward(field, problems, options, recorded, cotangent)
    }

    fn name(&self) -> &'static str {
        "auto"
    }
}
