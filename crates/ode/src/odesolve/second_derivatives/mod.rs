//! Exact second derivatives of a solve on its steps: tangents of the replay and of its discrete adjoint, for many directions
//! at once.
//!
//! A forward sweep computes the tangents of the solution along directions of the initial state and the parameters. The
//! reverse sweep is differentiated in the same way: every quantity in it has tangents, which are computed together with it,
//! and the tangent of `Ȳ = (∂f/∂u)ᵀ k̄` contains the second derivatives of the field. Step sizes are held fixed, so the
//! result is the exact second derivative of the replay.
//!
//! Tangents are laid out in lanes, `[…, w]`: the w directions are the last, contiguous axis.

mod explicit;
mod implicit;

use std::fmt::Debug;

use super::driver::{self, Problem};
use super::options::SolveOptions;
use super::plan::StepPlan;
use super::solver::Solver;
use super::solvers;
use super::tableau::Tableau;
use super::vector_ops::{add_scaled, all_finite};
use super::workspace::Workspace;
use crate::field::native::{DualCotangent, Evaluator, ParamGradientTangents, TangentLanes};
use crate::{Error, Result};
use explicit::LinearizedExplicitRk;
use implicit::{ImplicitRkTableau, LinearizedImplicitRk};
use odesync_base::failure::{FailureReason, SolveFailure};

/// A solve of one problem on its plan, with the slots of all stages, around which it is linearized.
pub trait LinearizedSolve: Debug + Send + Sync {
    /// Returns the solution at the output times, `[time, dof]`.
    fn u(&self) -> &[f64];

    /// Computes the tangents along directions of the initial state, `u0_dot`, `[dof, w]`, and of the parameters, which are
    /// set in `lanes`.
    fn forward(
        &self,
        evaluator: &Evaluator,
        u0_dot: &[f64],
        lanes: &mut TangentLanes,
    ) -> SolveTangents;

    /// Computes the tangents of the gradient by a reverse sweep, where `stages` are the [`SolveTangents::stages`] of
    /// [`LinearizedSolve::forward`]: adds the tangents of ∂L/∂θ to `sums` and returns those of ∂L/∂u₀, `[dof, w]`.
    fn backward(
        &self,
        evaluator: &Evaluator,
        stages: &[f64],
        bars: &OutputCotangents,
        lanes: &mut TangentLanes,
        sums: &mut ParamGradientTangents,
    ) -> Vec<f64>;
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

impl<'a> OutputCotangents<'a> {
    /// Returns the cotangent and its tangents at one output time.
    fn at_output(&self, m: usize, (dof, width): (usize, usize)) -> (&'a [f64], &'a [f64]) {
        let value = &self.value[m * dof..(m + 1) * dof];
        (value, &self.tangents[m * width..(m + 1) * width])
    }
}

/// Tableau of a Runge-Kutta method, explicit or implicit, for exact tangents.
#[derive(Debug)]
enum RkTableau {
    Explicit(&'static Tableau),
    Implicit(ImplicitRkTableau),
}

impl RkTableau {
    fn of(method: &Solver) -> Option<Self> {
        match method.tableau() {
            Some(tableau) => Some(RkTableau::Explicit(tableau)),
            None => ImplicitRkTableau::of(&method.family).map(RkTableau::Implicit),
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

/// Replays a plan and linearizes the solve. `limit` is the maximum number of values of the slots and of the tangents of
/// `n_lanes` directions.
///
/// # Errors
/// A method without exact tangents; a replay that fails or would take too much memory.
pub fn replay(
    evaluator: &Evaluator,
    options: &SolveOptions,
    problem: &Problem,
    plan: &StepPlan,
    (limit, n_lanes): (usize, usize),
) -> Result<Box<dyn LinearizedSolve>> {
    let rk = rk_tableau(options.solver)?;
    let mut work = Workspace {
        tape_limit: limit,
        ..Workspace::default()
    };
    driver::replay::<_, true>(evaluator, problem, options, plan, &mut work)?;
    let stages = match &rk {
        RkTableau::Explicit(tableau) => tableau.all_stages(),
        RkTableau::Implicit(method) => method.stages(),
    };
    let steps = work.plan.steps.len() + work.n_output_steps;
    let tangents = steps.saturating_mul(stages * evaluator.dof() * n_lanes);
    let needed = tangents.saturating_add(work.tape.len() + work.output_tape.len());
    let reason = if needed > limit {
        FailureReason::TapeTooLarge(limit.saturating_mul(size_of::<f64>()))
    } else if !all_finite(&work.u) {
        FailureReason::NotFinite
    } else {
        let sample = problem.sample;
        return Ok(match rk {
            RkTableau::Explicit(tableau) => Box::new(LinearizedExplicitRk {
                tableau,
                sample,
                work,
            }),
            RkTableau::Implicit(method) => Box::new(LinearizedImplicitRk {
                tableau: method,
                sample,
                work,
            }),
        });
    };
    Err(SolveFailure {
        reason,
        t: problem.t[0],
        step: 0.0,
        state: problem.u0.to_vec(),
        sample: problem.sample,
    }
    .into())
}

/// Linearizes a solve by an explicit Runge-Kutta method that has the slots of all its stages.
pub(super) fn linearize_explicit(
    tableau: &'static Tableau,
    sample: usize,
    work: &Workspace,
) -> impl LinearizedSolve {
    LinearizedExplicitRk {
        tableau,
        sample,
        work,
    }
}

/// A vector and its tangents.
struct DualVec {
    value: Vec<f64>,
    tangents: Vec<f64>,
}

impl DualVec {
    fn zero(n: usize, n_dot: usize) -> Self {
        DualVec {
            value: vec![0.0; n],
            tangents: vec![0.0; n_dot],
        }
    }

    fn clear(&mut self) {
        self.value.fill(0.0);
        self.tangents.fill(0.0);
    }

    fn as_dual_cotangent(&mut self) -> DualCotangent<'_> {
        DualCotangent {
            value: &mut self.value,
            tangents: &mut self.tangents,
        }
    }

    fn as_refs(&self) -> (&[f64], &[f64]) {
        (&self.value, &self.tangents)
    }

    fn block(&self, i: usize, (n, n_dot): (usize, usize)) -> (&[f64], &[f64]) {
        (
            &self.value[i * n..(i + 1) * n],
            &self.tangents[i * n_dot..(i + 1) * n_dot],
        )
    }

    fn add(&mut self, scale: f64, from: (&[f64], &[f64])) {
        self.add_at(0, (from.0.len(), from.1.len()), scale, from);
    }

    fn add_at(&mut self, i: usize, (n, n_dot): (usize, usize), scale: f64, from: (&[f64], &[f64])) {
        add_scaled(scale, from.0, &mut self.value[i * n..(i + 1) * n]);
        add_scaled(
            scale,
            from.1,
            &mut self.tangents[i * n_dot..(i + 1) * n_dot],
        );
    }
}
