//! Options of a solve: method, tolerances, step sizes, events, gradient method.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::breakpoints::{Breakpoints, FlagOrTimes};
use super::control::Controller;
use super::events::Event;
use super::gradients::Adjoint;
use super::jumps::Dose;
use super::mass_checks;
use super::mass_matrix::{MassMatrix, SquareMatrix};
use super::solver::Solver;
use super::solvers;
use super::tolerance::{AbsoluteTolerance, PositiveOrEach};
use crate::field::VectorField;
use crate::{Error, Result};
use odesync_base::failure::RunningMethod;
use odesync_base::option_set;
use odesync_base::options::{Count, Flag, Maybe, Named, NonNegative, OneOf, Positive};
use odesync_base::text::count_of;

option_set! {
    /// Options of a solve. The defaults are `dopri5` with `rtol` 1e-7 and `atol` 1e-9.
    #[derive(Debug, Clone)]
    pub struct SolveOptions {
        /// The ODE solver; `"auto"` changes to a stiff one when it has to.
        pub solver: &'static Solver as OneOf<&'static Solver> = solvers::DEFAULT;
        /// Relative tolerance of a step.
        pub rtol: f64 as NonNegative = 1e-7;
        /// Absolute tolerance of a step, in the state's unit: a number, or a list with one for each state variable.
        pub atol: AbsoluteTolerance as PositiveOrEach = AbsoluteTolerance::Uniform(1e-9);
        /// Fixed steps of at most this size.
        ///
        /// Each interval between output times or breakpoints is divided equally.
        pub step_size: Option<f64> as Maybe<Positive> = None;
        /// Fixed steps, so many in each interval of the times; 1 for a method that has fixed steps only.
        pub substeps: Option<usize> as Maybe<Count> = None;
        /// Size of the first step; refused with steps of a fixed size.
        pub first_step: Option<f64> as Maybe<Positive> = None, "chosen from the field";
        /// Bound on the size of a step, of adaptive and of fixed steps.
        pub max_step: Option<f64> as Maybe<Positive> = None;
        /// How the step size follows the error, with every adaptive solver: `"i"` (torchdiffeq's; the default of explicit methods and
        /// `bdf`), `"pi"` (smoother) or `"gustafsson"` (follows the trend; the default of the other implicit ones); refused with steps
        /// of a fixed size.
        pub controller: Option<Controller> as Maybe<OneOf<Controller>> = None, "the solver's";
        /// Limit on attempted steps, accepted and rejected.
        pub max_steps: usize as Count = 100_000;
        /// Whether steps end exactly at the breakpoints of a field (the knots of the spline in a coupled one, times at which a
        /// condition in t switches), or a list of further times at which it jumps.
        pub breakpoints: Breakpoints as FlagOrTimes = Breakpoints::OfField;
        /// Whether conditions in the state (`where`, `max`, `min`, `abs`, `sign`) are located: steps end where one switches, the next
        /// begins on the other side, and gradients take into account that parameters move the place.
        pub switches: bool as Flag = false;
        /// Mass matrix M of `M du/dt = f(t, u)`, a list of its rows, for `"radau"`, `"kvaerno5"`, `"rodas5p"` and `"bdf"`; where it is
        /// singular (a row of zeros) equations are algebraic, `0 = f`.
        pub mass_matrix: Option<MassMatrix> as Maybe<SquareMatrix> = None;
        /// How gradients are computed.
        pub adjoint: Adjoint as OneOf<Adjoint> = Adjoint::default();
        /// Relative tolerance of the backward solve of the continuous adjoint, `"adjoint"`.
        pub adjoint_rtol: Option<f64> as Maybe<NonNegative> = None, "`rtol`";
        /// Absolute tolerance of the backward solve of the continuous adjoint, `"adjoint"`.
        pub adjoint_atol: Option<f64> as Maybe<Positive> = None, "`atol`";
    }
    others {
        /// Events to detect during the solve.
        pub events: Vec<Event> = vec![];
        /// Jumps of the state at given times.
        pub doses: Vec<Dose> = vec![];
        /// Flag that interrupts the solve: where it is set, a solve of many steps ends with [`Error::Interrupted`].
        pub interrupt: Option<Arc<AtomicBool>> = None;
    }
}

impl SolveOptions {
    /// Sets the method, by its name.
    ///
    /// # Errors
    /// No method has this name.
    pub fn solver(mut self, name: &str) -> Result<Self> {
        self.solver = solvers::by_name(name)?;
        Ok(self)
    }

    /// Sets the relative tolerance and the absolute one, a number or one for each state variable.
    #[must_use]
    pub fn tolerances(mut self, rtol: f64, atol: impl Into<AbsoluteTolerance>) -> Self {
        (self.rtol, self.atol) = (rtol, atol.into());
        self
    }

    /// Sets the number of fixed steps per interval of the output times.
    #[must_use]
    pub fn substeps(mut self, n: usize) -> Self {
        self.substeps = Some(n);
        self
    }

    /// Sets the maximum size of fixed steps.
    #[must_use]
    pub fn step_size(mut self, h: f64) -> Self {
        self.step_size = Some(h);
        self
    }

    /// Sets the upper limit on the size of a step.
    #[must_use]
    pub fn max_step(mut self, h: f64) -> Self {
        self.max_step = Some(h);
        self
    }

    /// Sets the step-size controller.
    #[must_use]
    pub fn controller(mut self, controller: Controller) -> Self {
        self.controller = Some(controller);
        self
    }

    /// Sets the method by which a gradient is computed.
    #[must_use]
    pub fn adjoint(mut self, adjoint: Adjoint) -> Self {
        self.adjoint = adjoint;
        self
    }

    /// Sets the relative and absolute tolerance of the backward solve of [`Adjoint::Continuous`].
    #[must_use]
    pub fn adjoint_tolerances(mut self, rtol: f64, atol: f64) -> Self {
        (self.adjoint_rtol, self.adjoint_atol) = (Some(rtol), Some(atol));
        self
    }

    /// Sets whether steps end at the field's breakpoints (`true`, `false`), or further times at which the right-hand side jumps.
    #[must_use]
    pub fn breakpoints(mut self, breakpoints: impl Into<Breakpoints>) -> Self {
        self.breakpoints = breakpoints.into();
        self
    }

    /// Adds an event to detect.
    #[must_use]
    pub fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// Adds jumps of the state at given times.
    #[must_use]
    pub fn dose(mut self, dose: Dose) -> Self {
        self.doses.push(dose);
        self
    }

    /// Sets whether conditions in the state are located.
    #[must_use]
    pub fn switches(mut self, located: bool) -> Self {
        self.switches = located;
        self
    }

    /// Sets the mass matrix, by its rows.
    ///
    /// # Errors
    /// The errors of [`MassMatrix::new`].
    pub fn mass_matrix<R: AsRef<[f64]>>(mut self, rows: &[R]) -> Result<Self> {
        self.mass_matrix = Some(MassMatrix::new(rows)?);
        Ok(self)
    }

    /// Whether the state jumps in a solve: at given times, or at the hits of an event.
    pub fn has_jumps(&self) -> bool {
        !self.doses.is_empty() || self.events.iter().any(|e| e.state_jump().is_some())
    }

    /// Returns the options with the parameters of events and jumps that follow the field's at their values.
    pub(crate) fn bound_to(&self, field: &VectorField) -> Result<SolveOptions> {
        let events = self.events.iter().map(|event| event.bound_to(field));
        let doses = self.doses.iter().map(|dose| dose.bound_to(field));
        Ok(SolveOptions {
            events: events.collect::<Result<_>>()?,
            doses: doses.collect::<Result<_>>()?,
            ..self.clone()
        })
    }

    /// Checks that events, doses and the mass matrix are made for a state of `dof` components; `what` has them.
    pub(crate) fn check_dof(&self, what: &str, dof: usize) -> Result<()> {
        if let Some(event) = self.events.iter().find(|e| e.dof() != dof) {
            return Err(Error::invalid(format!(
                "{what} has {}, an event's function was made for {}",
                count_of(dof, "state variable"),
                event.dof()
            )));
        }
        if let Some(mass) = &self.mass_matrix {
            mass.check(dof)?;
        }
        let jumps = self.doses.iter().map(Dose::state_jump);
        jumps
            .into_iter()
            .try_for_each(|jump| jump.check_dof(dof, "a dose's jump"))
    }

    /// Returns the state variables that a solve with a singular mass matrix moved by more than its tolerances, so that the initial state
    /// `u0` satisfies the algebraic equations; `start` is the solution at the first time.
    pub fn initial_state_corrections(&self, u0: &[f64], start: &[f64]) -> Vec<usize> {
        if self.mass_matrix.is_none() {
            return vec![];
        }
        let is_moved = |(i, (u0, start)): (usize, (&f64, &f64))| {
            let size = self.atol.at(i) + self.rtol * u0.abs().max(start.abs());
            ((u0 - start).abs() > size).then_some(i)
        };
        u0.iter()
            .zip(start)
            .enumerate()
            .filter_map(is_moved)
            .collect()
    }

    /// Checks that the mass matrix goes together with steps across jumps of the field; `has_breakpoints`: whether there are any.
    pub(crate) fn check_breakpoints(&self, has_breakpoints: bool) -> Result<()> {
        let crosses = has_breakpoints && self.breakpoints.of_field();
        mass_checks::check_breakpoints(self.solver, self.mass_matrix.as_ref(), crosses)
    }

    /// Whether the flag that interrupts the solve is set.
    pub fn is_interrupted(&self) -> bool {
        self.interrupt
            .as_ref()
            .is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// Whether steps have a fixed size: because the options ask for it, or because the method has no error estimate.
    pub fn is_fixed_step(&self) -> bool {
        self.step_size.is_some() || self.substeps.is_some() || !self.solver.is_adaptive()
    }

    /// Returns what messages about a failed solve need to know of the method and its steps.
    pub(crate) fn running_method(&self) -> RunningMethod {
        RunningMethod {
            name: self.solver.name,
            handles_stiffness: self.solver.handles_stiffness(),
            has_fixed_steps: self.is_fixed_step(),
        }
    }

    /// Checks every option for its range and for consistency with the others.
    ///
    /// # Errors
    /// An option that is out of its range or contradicts another one.
    pub fn check(&self) -> Result<()> {
        self.check_ranges()?;
        if self.step_size.is_some() && self.substeps.is_some() {
            return Err(Error::invalid(
                "step_size and substeps exclude each other; give one",
            ));
        }
        if self.is_fixed_step() && !self.solver.supports_fixed_steps() {
            return Err(Error::invalid(format!(
                "\"{}\" chooses its own steps; leave out step_size and substeps, or take \"radau\" or \"kvaerno5\" for fixed ones",
                self.solver.name
            )));
        }
        if self.mass_matrix.is_some() {
            mass_checks::check_solver(self.solver)?;
            if self.switches {
                return Err(Error::invalid(
                    "switches: true locates conditions in equations for du/dt, and with a mass_matrix these are others; leave switches out,                      or give an event for each condition",
                ));
            }
        }
        let given = self.adjoint_rtol.or(self.adjoint_atol);
        if given.is_some() && self.adjoint != Adjoint::Continuous {
            return Err(Error::invalid(format!(
                "adjoint_rtol and adjoint_atol belong to adjoint \"adjoint\", and it is \"{}\"; leave them out",
                self.adjoint.to_name()
            )));
        }
        self.adjoint.check(self.solver)
    }
}

/// Checks the output times of a solve: at least one, all finite, strictly increasing or strictly decreasing.
///
/// # Errors
/// No time, a time that is not finite, or the first pair that breaks the order, with its index.
pub fn check_times(t: &[f64]) -> Result<()> {
    if let Some(i) = t.iter().position(|x| !x.is_finite()) {
        return Err(Error::invalid(format!(
            "time {i} is {}; times must be finite",
            t[i]
        )));
    }
    let (Some(first), Some(last)) = (t.first(), t.last()) else {
        return Err(Error::invalid(
            "a solve needs at least one time, and the list of times is empty",
        ));
    };
    let forward = last >= first;
    for (i, pair) in t.windows(2).enumerate() {
        let ordered = if forward {
            pair[0] < pair[1]
        } else {
            pair[0] > pair[1]
        };
        if !ordered {
            return Err(Error::invalid(format!(
                "times must be strictly {}, but t[{i}] = {} is followed by t[{}] = {}",
                if forward { "increasing" } else { "decreasing" },
                pair[0],
                i + 1,
                pair[1]
            )));
        }
    }
    Ok(())
}
