//! The Jacobian of an end state by tangents of the solve, several in one sweep.

use super::backward_context::BackwardContext;
use super::final_state_jacobians::FinalStateJacobian;
use super::second_derivatives::explicit;
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
    /// Sets up the directions where tangents cost less than one reverse sweep for each state variable. `None` for others, and for
    /// implicit methods, whose stages have a linear system for each tangent.
    pub fn if_cheaper(context: &BackwardContext) -> Option<Self> {
        let tableau = context.taped_tableau()?;
        let (evaluator, dof) = (&context.evaluator, context.evaluator.dof());
        let n = dof + context.n_params();
        if n.div_ceil(MAX_LANES) * COST_OF_SWEEP >= dof {
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

    /// Computes the derivatives of the end state of problem `i`, whose workspace is `work`.
    pub fn final_state_jacobian(
        &mut self,
        context: &BackwardContext,
        i: usize,
        work: &Workspace,
    ) -> FinalStateJacobian {
        let (tableau, evaluator) = (self.tableau, &context.evaluator);
        let solve = (context.sample(i), work);
        let (dof, n_params) = (evaluator.dof(), context.n_params());
        let mut jacobian = FinalStateJacobian {
            du_du0: vec![0.0; dof * dof],
            du_dparams: vec![0.0; dof * n_params],
        };
        for directions in &mut self.all {
            let w = directions.lanes.width();
            let Directions { u0, lanes, .. } = directions;
            let tangents = explicit::forward(tableau, solve, evaluator, u0, lanes);
            let end = &tangents.u[tangents.u.len() - dof * w..];
            for (row, tangents) in end.chunks_exact(w).enumerate() {
                for (lane, x) in tangents[..directions.len].iter().enumerate() {
                    match (directions.start + lane).checked_sub(dof) {
                        None => jacobian.du_du0[row * dof + directions.start + lane] = *x,
                        Some(i) => jacobian.du_dparams[row * n_params + i] = *x,
                    }
                }
            }
        }
        jacobian
    }
}
