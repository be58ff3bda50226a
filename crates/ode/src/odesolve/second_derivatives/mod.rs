//! Exact second derivatives of a solve on its steps: tangents of the replay and of its discrete adjoint, for many directions
//! at once.
//!
//! A forward sweep computes the tangents of the solution along directions of the initial state and the parameters. The
//! reverse sweep is differentiated in the same way: every quantity in it has tangents, which are computed together with it,
//! and the tangent of `Ȳ = (∂f/∂u)ᵀ k̄` contains the second derivatives of the field. Step sizes are held fixed, so the
//! result is the exact second derivative of the replay.
//!
//! Tangents are laid out in lanes, `[…, w]`: the w directions are the last, contiguous axis.

mod consistent_start;
pub(super) mod explicit;
mod implicit;

use super::driver::{self, Problem};
use super::mass_matrix::MassMatrix;
use super::options::SolveOptions;
use super::recorded_steps::RecordedSteps;
use super::solver::{Solver, SolverFamily};
use super::solvers;
use super::stage_system::RkMatrix;
use super::tableau::Tableau;
use super::vector_ops::all_finite;
use super::workspace::Workspace;
use crate::field::native::{Evaluator, ParamGradientTangents, TangentLanes};
use crate::{Error, Result};
use consistent_start::ConsistentStart;
use odesync_base::failure::{FailureReason, SolveFailure};

/// A solve of one problem on its recorded steps, with the slots of all stages, around which it is linearized.
#[derive(Debug)]
pub struct LinearizedSolve {
    tableau: RkTableau,
    sample: usize,
    /// Time at the start.
    t_start: f64,
    mass: Option<MassMatrix>,
    work: Workspace,
}

impl LinearizedSolve {
    /// Returns the solution at the output times, `[time, dof]`.
    pub fn u(&self) -> &[f64] {
        &self.work.u
    }

    /// Returns the start, where there is a singular mass matrix.
    fn start<'a>(&'a self, evaluator: &'a Evaluator) -> Option<ConsistentStart<'a>> {
        let mass = self.mass.as_ref().filter(|mass| mass.is_singular())?;
        Some(ConsistentStart {
            evaluator,
            mass,
            place: (self.sample, self.t_start),
            u: &self.work.u[..evaluator.dof()],
        })
    }

    /// Computes the tangents along directions of the initial state, `u0_dot`, `[dof, w]`, and of the parameters, which are
    /// set in `lanes`.
    pub fn forward(
        &self,
        evaluator: &Evaluator,
        u0_dot: &[f64],
        lanes: &mut TangentLanes,
    ) -> SolveTangents {
        match &self.tableau {
            RkTableau::Explicit(tableau) => {
                explicit::forward(tableau, (self.sample, &self.work), evaluator, u0_dot, lanes)
            }
            RkTableau::Implicit { c, a } => {
                let matrix = RkMatrix { c, a };
                let Some(start) = self.start(evaluator) else {
                    return implicit::forward(self, matrix, evaluator, u0_dot, lanes);
                };
                let u_dot = start.forward(u0_dot, lanes);
                let mut tangents = implicit::forward(self, matrix, evaluator, &u_dot, lanes);
                // The reverse sweep needs those of the start too.
                tangents.stages.extend(u_dot);
                tangents
            }
        }
    }

    /// Computes the tangents of the gradient by a reverse sweep, where `stages` are the [`SolveTangents::stages`] of
    /// [`LinearizedSolve::forward`]: adds the tangents of ∂L/∂θ to `sums` and returns those of ∂L/∂u₀, `[dof, w]`.
    pub fn backward(
        &self,
        evaluator: &Evaluator,
        stages: &[f64],
        bars: &OutputCotangents,
        lanes: &mut TangentLanes,
        sums: &mut ParamGradientTangents,
    ) -> Vec<f64> {
        // The reverse sweep treats a cotangent and its tangents as one vector.
        let dof = evaluator.dof();
        let value = bars.value.chunks_exact(dof);
        let tangents = bars.tangents.chunks_exact(dof * lanes.width());
        let rows: Vec<f64> = value
            .zip(tangents)
            .flat_map(|(value, tangents)| value.iter().chain(tangents).copied())
            .collect();
        let mut mu = match &self.tableau {
            RkTableau::Explicit(tableau) => explicit::backward(
                tableau,
                (self.sample, &self.work),
                evaluator,
                stages,
                &rows,
                lanes,
                sums,
            ),
            RkTableau::Implicit { c, a } => {
                let matrix = RkMatrix { c, a };
                implicit::backward(self, matrix, evaluator, stages, &rows, lanes, sums)
            }
        };
        if let Some(start) = self.start(evaluator) {
            let u_dot = &stages[stages.len() - dof * lanes.width()..];
            start.backward(u_dot, &mut mu, lanes, sums);
        }
        mu.split_off(dof)
    }
}

/// Tangents of a solve, computed by a forward sweep.
#[derive(Debug)]
pub struct SolveTangents {
    /// Tangents of the solution, `[time, dof, w]`.
    pub u: Vec<f64>,
    /// Tangents of the states of all stages, for the reverse sweep.
    pub stages: Vec<f64>,
}

/// Cotangents of the solution at the output times, with their tangents.
pub struct OutputCotangents<'a> {
    /// Cotangents of the solution, ∂L/∂u, `[time, dof]`.
    pub value: &'a [f64],
    /// Tangents of the cotangents, `[time, dof, w]`.
    pub tangents: &'a [f64],
}

/// Tableau of a Runge-Kutta method with exact tangents.
#[derive(Debug)]
enum RkTableau {
    Explicit(&'static Tableau),
    /// Nodes and coefficients of a stiffly accurate implicit method, as in [`RkMatrix`].
    Implicit {
        c: Vec<f64>,
        a: Vec<f64>,
    },
}

impl RkTableau {
    fn of(method: &Solver) -> Option<Self> {
        match method.family {
            SolverFamily::ExplicitRungeKutta(tableau) => Some(RkTableau::Explicit(tableau)),
            SolverFamily::Esdirk(tableau) => {
                let s = tableau.stages();
                let mut a = vec![0.0; s * s];
                for (i, row) in tableau.a.iter().enumerate() {
                    a[i * s..i * s + row.len()].copy_from_slice(row);
                    a[i * s + i] = if i > 0 { tableau.gamma } else { 0.0 };
                }
                let c = tableau.c.to_vec();
                Some(RkTableau::Implicit { c, a })
            }
            SolverFamily::Radau => {
                let RkMatrix { c, a } = solvers::radau::RK_MATRIX;
                let (c, a) = (c.to_vec(), a.to_vec());
                Some(RkTableau::Implicit { c, a })
            }
            _ => None,
        }
    }

    /// Returns the number of stages, with the additional ones of a dense output.
    fn all_stages(&self) -> usize {
        match self {
            RkTableau::Explicit(tableau) => tableau.all_stages(),
            RkTableau::Implicit { c, .. } => c.len(),
        }
    }
}

/// Returns the Runge-Kutta tableau of a method, or an error where it has none.
fn rk_tableau(method: &Solver) -> Result<RkTableau> {
    if let Some(rk) = RkTableau::of(method) {
        return Ok(rk);
    }
    let names = |stiff: bool| -> Vec<&str> {
        let all = solvers::ALL.iter().filter(|m| RkTableau::of(m).is_some());
        let of = all.filter(|m| m.tableau().is_none() == stiff);
        of.map(|m| m.name).collect()
    };
    Err(Error::invalid(format!(
        "tangents and second derivatives of a solve are there for Runge-Kutta methods, and \"{}\" is none; take one for stiff \
         problems ({}) or an explicit one ({})",
        method.name,
        names(true).join(", "),
        names(false).join(", "),
    )))
}

/// Checks that solves by a method have exact tangents.
///
/// # Errors
/// The method is not a Runge-Kutta method with exact tangents.
pub fn check_supported(method: &Solver) -> Result<()> {
    rk_tableau(method).map(drop)
}

/// Replays the recorded steps and linearizes the solve. `limit` is the maximum number of values of the slots and of the tangents of
/// `n_lanes` directions.
///
/// # Errors
/// A method without exact tangents; a replay that fails or would take too much memory.
pub fn replay(
    evaluator: &Evaluator,
    options: &SolveOptions,
    problem: &Problem,
    recorded: &RecordedSteps,
    (limit, n_lanes): (usize, usize),
) -> Result<LinearizedSolve> {
    let tableau = rk_tableau(options.solver)?;
    let mut work = Workspace {
        tape_limit: limit,
        ..Workspace::default()
    };
    driver::replay::<_, true>(evaluator, problem, options, recorded, &mut work)?;
    let steps = work.recorded.steps.len() + work.n_output_steps;
    let tangents = steps.saturating_mul(tableau.all_stages() * evaluator.dof() * n_lanes);
    let needed = tangents.saturating_add(work.tape.len() + work.output_tape.len());
    let reason = if needed > limit {
        FailureReason::TapeTooLarge(limit.saturating_mul(size_of::<f64>()))
    } else if !all_finite(&work.u) {
        FailureReason::NotFinite
    } else {
        return Ok(LinearizedSolve {
            tableau,
            sample: problem.sample,
            t_start: problem.t[0],
            mass: options.mass_matrix.clone(),
            work,
        });
    };
    Err(SolveFailure {
        reason,
        t: problem.t[0],
        step: 0.0,
        state: problem.u0.to_vec(),
        sample: problem.sample,
        method: options.running_method(),
    }
    .into())
}
