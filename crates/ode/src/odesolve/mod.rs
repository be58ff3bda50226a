//! ODE solvers and their gradients.
//!
//! A [`Solver`] (one file each in `methods/`) has a name, an order and a [`SolverFamily`], which says how its steps are taken: an
//! explicit Runge-Kutta method is a [`Tableau`]. The driver, the rules of stepping and the plan of steps serve all of them. An [`Engine`] solves batches of [`Problem`]s; [`NativeEngine`] is the one of the CPU.
//!
//! ```
//! use odesync_ode::odesolve::{SolveOptions, solve};
//! let decay = odesync_ode::field::system(1, &[("k", 2.0)], |_, u, p| vec![-p.get("k") * u.at(0)])?;
//! let solution = solve(&decay, &[1.0], &[0.0, 0.5, 1.0], &SolveOptions::default())?;
//! assert!((solution.u[[2, 0]] - (-2.0_f64).exp()).abs() < 1e-7);
//! # Ok::<(), odesync_ode::Error>(())
//! ```

mod adams;
mod adjoint;
mod auto;
mod backward_differences;
mod bdf;
mod checkpoints;
mod continuous_adjoint;
mod control;
mod driver;
mod engine;
mod esdirk;
mod event_handling;
mod events;
mod explicit_rk;
mod integrator;
mod stage_system;

mod backward_context;
mod discrete_adjoint;
mod gradients;
mod gustafsson;
mod jacobian;
mod jvp;
mod lu;
mod newton;
mod options;
mod output_steps;
mod plan;
mod radau;
mod radau_stages;
mod rosenbrock;
pub mod second_derivatives;
mod solver;
pub mod solvers;
mod stage_solver;
mod step_method;
mod step_sequencer;
mod symplectic_adjoint;
mod tableau;
mod vector_ops;
mod workspace;

pub use control::Controller;
pub use driver::Problem;
pub use engine::{Engine, NativeEngine, SolveGradient, Trajectory};
pub use events::{Direction, Event, EventHit};
pub use gradients::Adjoint;
pub use jvp::{Tangent, jvp};
pub use odesync_base::failure::{FailureReason, SolveFailure};
pub use options::{SolveOptions, check_times};
pub use plan::{SaveLocation, Stats, Step, StepPlan};
pub use solver::{Solver, SolverFamily};
pub use tableau::{AdamsTableau, EsdirkTableau, RosenbrockTableau, Tableau};

/// The rules of stepping that engines of other crates share with the native one; a program that solves needs none of it.
pub mod stepping {
    pub use super::control::{FirstStep, error_norm, joint_norm};
    pub use super::engine::{EVENTS_UNSUPPORTED, check_batch};
    pub use super::step_sequencer::StepSequencer;
    pub use super::vector_ops::all_finite;
}

use ndarray::{Array1, Array2};

use crate::field::VectorField;
use crate::{Error, Result};

/// When an event happened, and the states then.
#[derive(Debug, Clone)]
pub struct EventTimes {
    /// The times, `[n]`.
    pub t: Array1<f64>,
    /// The states, `[n, dof]`.
    pub u: Array2<f64>,
}

/// The solution of one initial value problem.
#[derive(Debug, Clone)]
pub struct Solution {
    /// Requested times, `[time]`. Where an event ended the solve: those before it, and its time.
    pub t: Array1<f64>,
    /// The solution, `[time, dof]`.
    pub u: Array2<f64>,
    /// For each event of the options, when it happened.
    pub events: Vec<EventTimes>,
    /// Index of the event that ended the solve.
    pub terminated_by: Option<usize>,
    /// What it cost.
    pub stats: Stats,
    /// The steps that were taken.
    pub plan: StepPlan,
}

/// Solves du/dt = f(t, u), u(t\[0\]) = u0, on the native engine.
///
/// `t` is strictly increasing or decreasing; the solution is given at every one of them, by the method's dense output.
///
/// # Errors
/// Shapes, times or options that do not fit, or a solve that failed ([`SolveFailure`]).
pub fn solve(
    field: &VectorField,
    u0: &[f64],
    t: &[f64],
    options: &SolveOptions,
) -> Result<Solution> {
    solve_on(&mut NativeEngine::default(), field, u0, t, options)
}

/// [`solve`] on any engine.
///
/// # Errors
/// As [`solve`].
pub fn solve_on(
    engine: &mut dyn Engine,
    field: &VectorField,
    u0: &[f64],
    t: &[f64],
    options: &SolveOptions,
) -> Result<Solution> {
    let problem = Problem { u0, t, sample: 0 };
    let mut all = engine.forward(field, &[problem], options, None, false)?;
    let one = all.pop().unwrap_or_default();
    let mut times = t.to_vec();
    let mut ended_by = None;
    if let Some(end) = one.terminated_at {
        times.truncate((one.u.len() / field.dof()).saturating_sub(1));
        times.push(end);
        ended_by = one.event_hits.last().map(|o| o.event);
    }
    let of = |event: usize| -> Result<EventTimes> {
        let found: Vec<&EventHit> = one.event_hits.iter().filter(|o| o.event == event).collect();
        let u = found.iter().flat_map(|o| o.u.iter().copied()).collect();
        Ok(EventTimes {
            t: found.iter().map(|o| o.t).collect(),
            u: into_rows(field.dof(), u)?,
        })
    };
    Ok(Solution {
        events: (0..options.events.len()).map(of).collect::<Result<_>>()?,
        t: Array1::from(times),
        u: into_rows(field.dof(), one.u)?,
        terminated_by: ended_by,
        stats: one.stats,
        plan: one.plan,
    })
}

fn into_rows(dof: usize, values: Vec<f64>) -> Result<Array2<f64>> {
    Array2::from_shape_vec((values.len() / dof.max(1), dof), values)
        .map_err(|e| Error::invalid(e.to_string()))
}
