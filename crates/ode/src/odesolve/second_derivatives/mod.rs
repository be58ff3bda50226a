//! Second derivatives of a solve on its steps: tangents of the replay and of its discrete adjoint, many directions at once.
//!
//! A sweep forward gives the tangents of the solution along directions of the initial state and the parameters. The adjoint
//! sweep is differentiated in the same way: everything that it carries has tangents that are carried beside it, and the
//! tangent of `Ȳ = (∂f/∂u)ᵀ k̄` holds the second derivatives of the field. Step sizes are held fixed, so the result is the
//! exact second derivative of the replay.
//!
//! Vectors with planes are laid out `[…, w]`, w directions side by side.

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

/// One problem's solve on its plan, with the slots of all of its stages.
pub trait LinearizedSolve: Debug + Send + Sync {
    /// The solution, `[time, dof]`.
    fn u(&self) -> &[f64];

    /// Tangents along directions of the initial state, `[dof, w]`, and of the parameters, which `planes` has.
    fn forward(
        &self,
        evaluator: &Evaluator,
        u0_dot: &[f64],
        lanes: &mut TangentLanes,
    ) -> SolveTangents;

    /// Walks back, `stages` being what [`LinearizedSolve::forward`] left: adds the tangents of ∂L/∂θ to `sums` and returns those of
    /// ∂L/∂u₀, `[dof, w]`.
    fn backward(
        &self,
        evaluator: &Evaluator,
        stages: &[f64],
        bars: &OutputCotangents,
        lanes: &mut TangentLanes,
        sums: &mut ParamGradientTangents,
    ) -> Vec<f64>;
}

/// What a sweep forward gives.
#[derive(Debug)]
pub struct SolveTangents {
    /// Of the solution, `[time, dof, w]`.
    pub u: Vec<f64>,
    /// Of the states of all stages, for the sweep back.
    pub stages: Vec<f64>,
}

/// ∂L/∂u of the solution, `[time, dof]`, and its tangents, `[time, dof, w]`.
pub struct OutputCotangents<'a> {
    /// Of the loss, ∂L/∂u, `[time, dof]`.
    pub value: &'a [f64],
    /// Their tangents, `[time, dof, w]`.
    pub tangents: &'a [f64],
}

impl<'a> OutputCotangents<'a> {
    /// Those of one requested time.
    fn at_output(&self, m: usize, (dof, width): (usize, usize)) -> (&'a [f64], &'a [f64]) {
        let value = &self.value[m * dof..(m + 1) * dof];
        (value, &self.tangents[m * width..(m + 1) * width])
    }
}

/// How solves by a method have exact tangents.
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

/// The kind of a method, or the error for one without exact tangents.
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

/// Whether solves by a method have exact tangents.
///
/// # Errors
/// They have none.
pub fn check_supported(method: &Solver) -> Result<()> {
    rk_tableau(method).map(drop)
}

/// Replays a plan. `limit` is the most numbers that the slots, and the tangents of `planes` directions, may take.
///
/// # Errors
/// A method without exact tangents; a replay that failed, or would take too much memory.
pub fn replay(
    evaluator: &Evaluator,
    options: &SolveOptions,
    problem: &Problem,
    plan: &StepPlan,
    (limit, lanes): (usize, usize),
) -> Result<Box<dyn LinearizedSolve>> {
    let rk = rk_tableau(options.solver)?;
    let mut work = Workspace {
        tape_limit: limit,
        ..Workspace::default()
    };
    driver::replay::<true>(evaluator, problem, options, plan, &mut work)?;
    let stages = match &rk {
        RkTableau::Explicit(tableau) => tableau.all_stages(),
        RkTableau::Implicit(method) => method.stages(),
    };
    let steps = work.plan.steps.len() + work.n_output_steps;
    let tangents = steps.saturating_mul(stages * evaluator.dof() * lanes);
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
