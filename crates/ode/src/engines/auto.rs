//! The engine that takes for each batch whichever of the others is faster.

use super::{engine, registered};
use crate::field::{Op, VectorField};
use crate::odesolve::stepping::check_is_smooth;
use crate::odesolve::{
    Engine, NativeEngine, Problem, RecordedSteps, SolveGradient, SolveOptions, Trajectory,
};
use crate::{Error, Result};

/// Width of layers and number of problems at a time from which the torch engine on the CPU takes less time for loss and gradient than
/// the native engine: 0.66 to 0.82 of it. At width 512 both take the same, below the native engine is faster. Measured with one
/// thread each on AVX-512; the book's page on speed has the table.
const WIDTH: usize = 768;
const PROBLEMS: usize = 8;

/// Returns whether the torch engine on the CPU is likely to take less time for this many problems at a time, by a table of
/// measurements. The width is that of the largest affine layer as if it were square, `√(in·out)`.
pub fn torch_is_faster(field: &VectorField, problems: usize) -> bool {
    let weights = field.nodes().iter().filter_map(|op| match op {
        Op::Affine { weight, .. } => field.blocks().get(*weight),
        _ => None,
    });
    let largest = weights.map(|block| block.shape.iter().product::<usize>());
    let width = largest.max().unwrap_or(0).isqrt();
    width >= WIDTH && problems >= PROBLEMS
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::FieldBuilder;

    #[test]
    fn wide_layers_and_many_problems_are_for_torch() {
        let of_width = |width: usize| {
            let b = FieldBuilder::new(2);
            let mut x = b.state();
            for (name, shape) in [
                ("in", [width, 2]),
                ("mid", [width, width]),
                ("out", [2, width]),
            ] {
                let values = vec![0.1; shape[0] * shape[1]];
                let weight = b.block(name, &shape, &values, true).unwrap();
                x = b.affine(weight, None, &x);
            }
            b.finish(x).unwrap()
        };
        let (narrow, wide) = (of_width(512), of_width(1024));
        assert!(torch_is_faster(&wide, 64) && !torch_is_faster(&wide, 1));
        assert!(!torch_is_faster(&narrow, 512));
        // Equations have no layers.
        let decay = crate::field::system(1, &[], |_, u, _| vec![-u.at(0)]).unwrap();
        assert!(!torch_is_faster(&decay, 10_000));
    }
}
