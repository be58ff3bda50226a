//! The Jacobian of a solution by tangents of the solve, several in one sweep.

use rayon::prelude::*;

use super::backward_context::BackwardContext;
use super::second_derivatives::explicit;
use super::solution_jacobians::SolutionJacobian;
use super::tableau::Tableau;
use super::workspace::Workspace;
use crate::field::native::{MAX_LANES, TangentLanes};

/// Cost of a sweep with [`MAX_LANES`] tangents over a solve by an explicit Runge-Kutta method, in reverse sweeps: measured, 2 for
/// sparse equations to 3.5 for a network.
const COST_OF_SWEEP: usize = 3;

/// The directions of a sweep: unit vectors of the initial state and, after them, of the trainable parameters.
struct Directions {
    /// Number of the first direction, and how many there are.
    start: usize,
    len: usize,
    /// Tangents of the initial state, `[dof, w]`.
    u0: Vec<f64>,
    /// Tangent lanes with the tangents of the parameters.
    lanes: TangentLanes,
}

/// The directions of all sweeps over a solve by an explicit Runge-Kutta method, with their storage.
pub(super) struct ForwardSweeps {
    tableau: &'static Tableau,
    all: Vec<Directions>,
}

impl ForwardSweeps {
    /// Sets up the directions where tangents cost less than `n_rows` reverse sweeps, one for each row of a Jacobian. `None` for
    /// others, for implicit methods, whose stages have a linear system for each tangent, and for solves with jumps.
    pub fn if_cheaper(context: &BackwardContext, n_rows: usize) -> Option<Self> {
        let tableau = context.taped_tableau()?;
        let (evaluator, dof) = (&context.evaluator, context.evaluator.dof());
        let n = dof + context.n_params();
        let is_cheaper = n.div_ceil(MAX_LANES) * COST_OF_SWEEP < n_rows;
        if !is_cheaper || context.is_in_pieces() || context.is_switching() {
            return None;
        }
        let parameters: Vec<usize> = context.trainable.iter().cloned().flatten().collect();
        let directions = |start: usize| {
            let len = MAX_LANES.min(n - start);
            let mut lanes = evaluator.tangent_lanes(len);
            let w = lanes.width();
            let (mut u0, mut values) = (vec![0.0; dof * w], vec![0.0; evaluator.n_values() * w]);
            for lane in 0..len {
                match (start + lane).checked_sub(dof) {
                    None => u0[(start + lane) * w + lane] = 1.0,
                    Some(i) => values[parameters[i] * w + lane] = 1.0,
                }
            }
            evaluator.set_param_tangents(&values, &mut lanes);
            Directions {
                start,
                len,
                u0,
                lanes,
            }
        };
        Some(ForwardSweeps {
            tableau,
            all: (0..n).step_by(MAX_LANES).map(directions).collect(),
        })
    }

    /// Computes the derivatives of these values of the solution `[time, dof]` of problem `i`, whose workspace is `work`.
    pub fn jacobian(
        &mut self,
        context: &BackwardContext,
        i: usize,
        work: &Workspace,
        rows: &[usize],
    ) -> SolutionJacobian {
        let (tableau, evaluator) = (self.tableau, &context.evaluator);
        let solve = (context.sample(i), work);
        let (dof, n_params) = (evaluator.dof(), context.n_params());
        let mut jacobian = SolutionJacobian {
            du_du0: vec![0.0; rows.len() * dof],
            du_dparams: vec![0.0; rows.len() * n_params],
        };
        let sweeps = self.all.par_iter_mut().map(|directions| {
            let w = directions.lanes.width();
            let Directions { u0, lanes, .. } = directions;
            let tangents = explicit::forward(tableau, solve, evaluator, u0, lanes).u;
            let wanted = rows
                .iter()
                .flat_map(|row| &tangents[row * w..(row + 1) * w]);
            (directions.start, directions.len, wanted.copied().collect())
        });
        let sweeps: Vec<(usize, usize, Vec<f64>)> = sweeps.collect();
        for (start, len, tangents) in sweeps {
            let w = tangents.len() / rows.len().max(1);
            for (row, tangents) in tangents.chunks_exact(w.max(1)).enumerate() {
                for (lane, x) in tangents[..len].iter().enumerate() {
                    match (start + lane).checked_sub(dof) {
                        None => jacobian.du_du0[row * dof + start + lane] = *x,
                        Some(i) => jacobian.du_dparams[row * n_params + i] = *x,
                    }
                }
            }
        }
        jacobian
    }
}
