//! ODE solvers and their gradients.
//!
//! A [`Solver`] (one file each in `solvers/`) has a name, an order and a [`SolverFamily`], which determines how its steps are
//! computed: an explicit Runge-Kutta method, for example, is given by a [`Tableau`]. The driver, the step sequencer and
//! the recorded steps are common to all of them. An [`Engine`] solves batches of [`Problem`]s; [`NativeEngine`] is the one for the
//! CPU.
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
mod any_method;
mod auto;
mod backward_differences;
mod batch_solve;
mod bdf;
mod breakpoints;
mod checkpoints;
mod closure;
mod condition_modes;
mod consistency;
mod consistent_steps;
mod continuous_adjoint;
mod control;
mod driver;
mod engine;
mod engine_choice;
mod esdirk;
mod event_handling;
mod events;
mod explicit_rk;
mod final_state_jacobians;
mod first_step;
mod forward_each;
mod forward_sweeps;
mod integrator;
mod integrator_core;
mod stage_system;

mod backward_context;
mod discrete_adjoint;
mod gradient_accumulator;
mod gradients;
mod jacobian;
mod jumps;
mod jvp;
mod lu;
mod mass_checks;
mod mass_matrix;
mod newton;
mod options;
mod output_steps;
mod pieces;
mod pieces_backward;
mod radau;
mod radau_stages;
mod recorded_steps;
mod rhs;
mod rosenbrock;
mod sample_lanes;
pub mod second_derivatives;
mod smooth_piece;
mod solution_jacobians;
mod solver;
pub mod solvers;
mod stage_solver;
mod step_controller;
mod step_method;
mod step_sequencer;
mod switch_gradient;
mod symplectic_adjoint;
mod tableau;
mod there_and_back;
mod tolerance;
mod trajectory;
mod transitions;
mod vector_ops;
mod workspace;

pub use batch_solve::{BatchSolution, BatchSolve};
pub use breakpoints::Breakpoints;
pub use closure::FnRhs;
pub use control::Controller;
pub use driver::Problem;
pub use engine::{Engine, NativeEngine, SolveGradient};
pub use events::{Direction, Event, EventHit};
pub use final_state_jacobians::FinalStateJacobian;
pub use gradients::Adjoint;
pub use integrator::Integrator;
pub use jumps::{Dose, Jump};
pub use jvp::{Tangent, jvp};
pub use mass_matrix::{MassMatrix, SquareMatrix};
pub use odesync_base::failure::{FailureReason, RunningMethod, SolveFailure};
pub use options::{SolveOptions, check_times};
pub use recorded_steps::{OutputPosition, RecordedSteps, Stats, Step};
pub use rhs::{JacobianScratch, Rhs, difference_jacobian};
pub use solution_jacobians::SolutionJacobian;
pub use solver::{Solver, SolverFamily};
pub use tableau::{AdamsTableau, EsdirkTableau, RosenbrockTableau, Tableau};
pub use tolerance::AbsoluteTolerance;
pub use trajectory::Trajectory;

/// Step-size rules that engines in other crates share with the native engine. A program that only solves problems does not
/// need this module.
pub mod stepping {
    pub use super::control::joint_norm;
    pub use super::engine::{EVENTS_UNSUPPORTED, check_batch};
    pub use super::engine_choice::torch_is_faster;
    pub use super::first_step::FirstStep;
    pub use super::smooth_piece::check_is_smooth;
    pub use super::step_sequencer::StepSequencer;
    pub use super::tolerance::error_norm;
    pub use super::vector_ops::all_finite;
}

use ndarray::{Array1, Array2};

use crate::field::VectorField;
use crate::{Error, Result};

/// Times at which an event occurred, and the states at these times.
#[derive(Debug, Clone)]
pub struct EventTimes {
    /// Times of the event, `[n]`.
    pub t: Array1<f64>,
    /// States at these times, `[n, dof]`.
    pub u: Array2<f64>,
}

/// The solution of one initial value problem.
#[derive(Debug, Clone)]
pub struct Solution {
    /// Output times, `[time]`. Where an event terminated the solve: the output times before the event, then the time of the
    /// event.
    pub t: Array1<f64>,
    /// Solution at the output times, `[time, dof]`.
    pub u: Array2<f64>,
    /// Times and states of each event of [`SolveOptions::events`], in the order of the options.
    pub events: Vec<EventTimes>,
    /// Index of the event that terminated the solve; `None` where the last output time was reached.
    pub terminated_by: Option<usize>,
    /// Cost of the solve: steps, evaluations, factorizations.
    pub stats: Stats,
    /// Accepted steps of the solve and the location of the output times in them; no locations after a solve with jumps or located
    /// switches, which cannot be replayed.
    pub recorded: RecordedSteps,
}

/// Solves du/dt = f(t, u), u(t\[0\]) = u0 on the native engine.
///
/// The output times `t` are strictly increasing or strictly decreasing. The solution is returned at every one of them, from
/// the method's dense output.
///
/// # Errors
/// Inconsistent shapes, times or options, or a failed solve ([`SolveFailure`]).
pub fn solve(
    field: &VectorField,
    u0: &[f64],
    t: &[f64],
    options: &SolveOptions,
) -> Result<Solution> {
    solve_on(&mut NativeEngine::default(), field, u0, t, options)
}

/// Solves du/dt = f(t, u), u(t\[0\]) = u0 on the given engine; see [`solve`].
///
/// # Errors
/// The errors of [`solve`].
pub fn solve_on(
    engine: &mut dyn Engine,
    field: &VectorField,
    u0: &[f64],
    t: &[f64],
    options: &SolveOptions,
) -> Result<Solution> {
    let problem = Problem { u0, t, sample: 0 };
    let mut trajectories = engine.forward(field, &[problem], options, None, false)?;
    let trajectory = trajectories.pop().unwrap_or_default();
    into_solution(trajectory, field.dof(), t, options)
}

/// Solves du/dt = f(t, u), u(t\[0\]) = u0 for a closure `(t, u, du)` that writes du/dt into `du`; see [`solve`]. Implicit solvers
/// take the Jacobian by central differences; [`FnRhs::jacobian`] and [`solve_rhs`] give it.
///
/// ```
/// use odesync_ode::odesolve::{SolveOptions, solve_fn};
/// let logistic = |_t: f64, u: &[f64], du: &mut [f64]| du[0] = u[0] * (1.0 - u[0]);
/// let solution = solve_fn(logistic, &[0.1], &[0.0, 2.0], &SolveOptions::default())?;
/// assert!((solution.u[[1, 0]] - 1.0 / (1.0 + 9.0 * (-2.0_f64).exp())).abs() < 1e-6);
/// # Ok::<(), odesync_ode::Error>(())
/// ```
///
/// # Errors
/// The errors of [`solve`].
pub fn solve_fn(
    f: impl Fn(f64, &[f64], &mut [f64]),
    u0: &[f64],
    t: &[f64],
    options: &SolveOptions,
) -> Result<Solution> {
    solve_rhs(&FnRhs::new(u0.len(), f), u0, t, options)
}

/// Solves du/dt = f(t, u), u(t\[0\]) = u0 for any right-hand side; see [`solve`].
///
/// # Errors
/// The errors of [`solve`].
pub fn solve_rhs(rhs: &dyn Rhs, u0: &[f64], t: &[f64], options: &SolveOptions) -> Result<Solution> {
    integrator::check_problem(rhs, u0, t, options)?;
    let mut work = workspace::Workspace::default();
    let problem = Problem { u0, t, sample: 0 };
    if options.switches {
        return Err(Error::invalid(
            "switches: true locates the conditions of a field, and a closure does not tell its conditions: write the equations with \
             field::system, or give an event for each condition",
        ));
    }
    match options.has_jumps() {
        true => pieces::solve::<dyn Rhs, false>(rhs, None, &[], &problem, options, &mut work)?,
        false => driver::solve::<dyn Rhs, false>(rhs, &[], &problem, options, &mut work)?,
    }
    into_solution(work.into_trajectory(), rhs.dof(), t, options)
}

/// The solution of a single problem, from the trajectory that an engine returned.
fn into_solution(
    trajectory: Trajectory,
    dof: usize,
    t: &[f64],
    options: &SolveOptions,
) -> Result<Solution> {
    let mut times = t.to_vec();
    let mut terminated_by = None;
    if let Some(end) = trajectory.terminated_at {
        times.truncate((trajectory.u.len() / dof).saturating_sub(1));
        times.push(end);
        terminated_by = trajectory.event_hits.last().map(|hit| hit.event);
    }
    let times_of = |event: usize| -> Result<EventTimes> {
        let found: Vec<&EventHit> = trajectory
            .event_hits
            .iter()
            .filter(|hit| hit.event == event)
            .collect();
        let u = found.iter().flat_map(|hit| hit.u.iter().copied()).collect();
        Ok(EventTimes {
            t: found.iter().map(|hit| hit.t).collect(),
            u: into_rows(dof, u)?,
        })
    };
    Ok(Solution {
        events: (0..options.events.len())
            .map(times_of)
            .collect::<Result<_>>()?,
        t: Array1::from(times),
        u: into_rows(dof, trajectory.u)?,
        terminated_by,
        stats: trajectory.stats,
        recorded: trajectory.recorded,
    })
}

fn into_rows(dof: usize, values: Vec<f64>) -> Result<Array2<f64>> {
    Array2::from_shape_vec((values.len() / dof.max(1), dof), values)
        .map_err(|e| Error::invalid(e.to_string()))
}
