//! An integrator that a program advances one step at a time.

use super::any_method::AnyMethod;
use super::driver::Problem;
use super::events::EventHit;
use super::integrator_core::{IntegratorCore, Progress};
use super::options::{SolveOptions, check_times};
use super::recorded_steps::{RecordedSteps, Stats, Step};
use super::rhs::Rhs;
use super::solver::SolverFamily;
use super::workspace::Workspace;
use super::{Solution, into_solution};
use crate::field::VectorField;
use crate::field::native::Evaluator;
use crate::{Error, Result};

/// A solve of du/dt = f(t, u), u(t\[0\]) = u0 that is advanced one accepted step at a time. Its steps and outputs are those of
/// [`solve`](super::solve) to the bit.
///
/// ```
/// use odesync_ode::odesolve::{FnRhs, Integrator, SolveOptions};
///
/// let rhs = FnRhs::new(2, |_t, u, du| (du[0], du[1]) = (u[1], -u[0]));
/// let options = SolveOptions::default().tolerances(1e-8, 1e-10);
/// let mut integrator = Integrator::new(rhs, &[1.0, 0.0], &[0.0, 10.0], &options)?;
/// while let Some(step) = integrator.step()? {
///     let energy = integrator.state()[0].powi(2) + integrator.state()[1].powi(2);
///     assert!((energy - 1.0).abs() < 1e-6, "{}", step.end);
/// }
/// assert!(integrator.t() >= 10.0);
/// let solution = integrator.finish()?;
/// assert!((solution.u[[1, 0]] - 10.0_f64.cos()).abs() < 1e-6);
/// # Ok::<(), odesync_ode::Error>(())
/// ```
pub struct Integrator<'a> {
    rhs: Box<dyn Rhs + 'a>,
    problem: Problem<'a>,
    options: &'a SolveOptions,
    work: Workspace,
    method: AnyMethod,
    /// State of the step loop; `None` once a step failed.
    progress: Option<Progress<'a>>,
}

impl<'a> Integrator<'a> {
    /// Starts a solve at `t[0]`, with the solution wanted at every output time `t`, strictly monotone.
    ///
    /// # Errors
    /// Inconsistent shapes, times or options; the solver `auto`, which is two solvers; a right-hand side that is not finite at the
    /// start.
    pub fn new(
        rhs: impl Rhs + 'a,
        u0: &'a [f64],
        t: &'a [f64],
        options: &'a SolveOptions,
    ) -> Result<Self> {
        check_problem(&rhs, u0, t, options)?;
        Self::start(Box::new(rhs), &[], Problem { u0, t, sample: 0 }, options)
    }

    /// Starts a solve of a field. Steps end on the breakpoints of its signals, as the options say.
    ///
    /// # Errors
    /// The errors of [`Integrator::new`].
    pub fn of_field(
        field: &VectorField,
        u0: &'a [f64],
        t: &'a [f64],
        options: &'a SolveOptions,
    ) -> Result<Self> {
        let evaluator = Evaluator::new(field);
        check_problem(&evaluator, u0, t, options)?;
        let problem = Problem { u0, t, sample: 0 };
        let breakpoints = field.breakpoints_within(0, t);
        options.check_breakpoints(!breakpoints.is_empty())?;
        Self::start(Box::new(evaluator), &breakpoints, problem, options)
    }

    fn start(
        rhs: Box<dyn Rhs + 'a>,
        breakpoints: &[f64],
        problem: Problem<'a>,
        options: &'a SolveOptions,
    ) -> Result<Self> {
        if matches!(options.solver.family, SolverFamily::Auto { .. }) {
            return Err(Error::invalid(
                "solver \"auto\" is two solvers, and an integrator has one: take \"dopri5\", or \"radau\" where the problem is stiff",
            ));
        }
        if options.has_jumps() || options.switches {
            return Err(Error::invalid(
                "an integrator takes the steps of one smooth solve: doses, events with a jump and switches: true belong to solve; \
                 leave them out, or start a new integrator after each jump",
            ));
        }
        let mut work = Workspace::default();
        let mut method = AnyMethod::new(options.solver, options, &*rhs, None);
        let mut core =
            IntegratorCore::<dyn Rhs, false>::new(&*rhs, breakpoints, problem, options, &mut work);
        core.initialize(&mut method)?;
        let progress = Some(core.into_progress());
        Ok(Integrator {
            rhs,
            problem,
            options,
            work,
            method,
            progress,
        })
    }

    /// Takes the next accepted step, with as many rejected attempts as it needs. Returns it, or `None` once the last output time
    /// is passed or an event has ended the solve.
    ///
    /// # Errors
    /// A solve that cannot go on; every further call then returns `None`.
    pub fn step(&mut self) -> Result<Option<Step>> {
        if self.work.terminated_at.is_some() || self.problem.t.len() == 1 {
            return Ok(None);
        }
        let Some(progress) = self.progress.take() else {
            return Ok(None);
        };
        let mut core = IntegratorCore::<dyn Rhs, false>::resume(
            &*self.rhs,
            self.problem,
            self.options,
            &mut self.work,
            progress,
        );
        let step = core.step(&mut self.method, false)?;
        self.progress = Some(core.into_progress());
        Ok(step)
    }

    /// Returns the time reached: the end of the last step.
    pub fn t(&self) -> f64 {
        match self.work.recorded.steps.last() {
            Some(step) => step.end,
            None => self.problem.t[0],
        }
    }

    /// Returns the state at the time reached, `[dof]`.
    pub fn state(&self) -> &[f64] {
        &self.work.state
    }

    /// Returns the size of the next step that will be attempted; 0 for fixed steps.
    pub fn next_step_size(&self) -> f64 {
        let progress = self.progress.as_ref();
        progress.map_or(0.0, |progress| progress.stepper.proposed())
    }

    /// Returns what the solve has cost so far.
    pub fn stats(&self) -> Stats {
        self.work.stats
    }

    /// Returns the steps taken so far, and where the output times lie in them.
    pub fn recorded(&self) -> &RecordedSteps {
        &self.work.recorded
    }

    /// Returns the solution at the output times that have been passed, `[time, dof]` row by row.
    pub fn outputs(&self) -> &[f64] {
        &self.work.u[..self.work.recorded.outputs.len() * self.rhs.dof()]
    }

    /// Returns the event hits so far.
    pub fn event_hits(&self) -> &[EventHit] {
        &self.work.event_hits
    }

    /// Takes the remaining steps and returns the solution.
    ///
    /// # Errors
    /// A solve that cannot go on.
    pub fn finish(mut self) -> Result<Solution> {
        while self.step()?.is_some() {}
        into_solution(
            self.work.into_trajectory(),
            self.rhs.dof(),
            self.problem.t,
            self.options,
        )
    }
}

/// Checks what a solve of a right-hand side is given.
pub(super) fn check_problem(
    rhs: &dyn Rhs,
    u0: &[f64],
    t: &[f64],
    options: &SolveOptions,
) -> Result<()> {
    options.check()?;
    check_times(t)?;
    let dof = rhs.dof();
    if dof == 0 || u0.len() != dof {
        return Err(Error::invalid(format!(
            "the right-hand side has {dof} state variables, the state that was given has {}",
            u0.len()
        )));
    }
    options.atol.check(dof)?;
    options.check_breakpoints(!options.breakpoints.given().is_empty())?;
    options.check_dof("the right-hand side", dof)
}
