//! Events: times at which an event function g(t, u) of the solution crosses zero.
//!
//! After each accepted step g is sampled on the step's dense output: at the end, at points inside, and where three samples
//! indicate a minimum of |g|, so that a pair of crossings is not missed. Each change of sign gives a bracket whose root is
//! found to the resolution of time. Nothing here depends on the method: a step is a function u(θ), θ from 0 to 1.

mod detector;
mod functions;
mod root;

use serde::{Deserialize, Serialize};

use super::jumps::{Jump, followed};
use crate::field::{Expr, FieldBuilder, Parameters, VectorField};
use crate::{Error, Result};
pub(crate) use detector::{
    Ending, EventDetector, EventStart, FiredFunction, InterpolationOrder, theta_resolution,
};
pub(crate) use functions::{EventFunction, EventFunctions, GuardFunctions};
use odesync_base::impl_named;

/// Direction in which g crosses zero, in the direction of integration (also when time runs backwards).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Crossings of g from negative to positive.
    Up,
    /// Crossings of g from positive to negative.
    Down,
    /// Crossings of g in both directions.
    #[default]
    Both,
}

impl_named!(
    Direction,
    "direction",
    Both = "both",
    Up = "up",
    Down = "down",
);

impl Direction {
    /// Whether a crossing counts that starts at the value `from` of g.
    fn includes(self, from: f64) -> bool {
        match self {
            Direction::Up => from < 0.0,
            Direction::Down => from > 0.0,
            Direction::Both => true,
        }
    }
}

/// An event to detect during a solve: the event function g(t, u) reaches or crosses zero.
///
/// A zero at the initial time is not an event. The event times are as accurate as the solution at output times inside steps;
/// the root itself is found to rounding.
///
/// ```
/// use odesync_ode::odesolve::{Direction, Event, SolveOptions, solve};
/// // A ball thrown upwards at 20 m/s; the solve ends when it is back on the ground.
/// let ball = odesync_ode::field::system(2, &[], |_, u, _| vec![u.at(1), u.at(1) * 0.0 - 9.81])?;
/// let ground = Event::new(2, &[], |_, u, _| u.at(0))?.direction(Direction::Down).terminal();
/// let options = SolveOptions::default().event(ground);
/// let solution = solve(&ball, &[0.0, 20.0], &[0.0, 1.0, 10.0], &options)?;
/// assert!((solution.t[2] - 2.0 * 20.0 / 9.81).abs() < 1e-10);
/// assert_eq!(solution.events[0].t[0], solution.t[2]);
/// # Ok::<(), odesync_ode::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Event function as a field of which every component is g.
    #[serde(with = "crate::field::json")]
    function: VectorField,
    direction: Direction,
    /// Number of the hit that ends the solve, counted from 1; `None` where none does.
    terminal: Option<usize>,
    jump: Option<Jump>,
    /// Whether parameters that have the name of one of the field's are the field's.
    follows_field: bool,
}

impl Event {
    /// Creates the event g = 0 from a closure, which is called once, on symbols. `dof` is the number of state variables,
    /// `params` are constants of the closure. The event is detected in both directions and does not terminate the solve.
    ///
    /// # Errors
    /// A shape or name error in the closure, or a g that is not one number.
    pub fn new(
        dof: usize,
        params: &[(&str, f64)],
        g: impl FnOnce(Expr, Expr, Parameters) -> Expr,
    ) -> Result<Self> {
        let b = FieldBuilder::new(dof);
        for (name, value) in params {
            b.block(name, &[], &[*value], false)?;
        }
        let g = g(b.time(), b.state(), Parameters::new(&b));
        Self::build(&b, g)
    }

    /// Creates the event g = 0 from the scalar expression g of a graph under construction.
    ///
    /// # Errors
    /// The errors of [`Event::new`].
    pub fn build(b: &FieldBuilder, g: Expr) -> Result<Self> {
        let g = g.checked()?;
        if g.len() != 1 {
            return Err(Error::invalid(format!(
                "the function of an event must give one number, and it gives {}",
                g.len()
            )));
        }
        let function = b.finish(b.concat(&vec![g; b.dof()]))?;
        Ok(Event {
            function,
            direction: Direction::Both,
            terminal: None,
            jump: None,
            follows_field: false,
        })
    }

    /// Restricts the event to crossings in the given direction.
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// Makes the event terminal: its first hit ends the solve.
    #[must_use]
    pub fn terminal(mut self) -> Self {
        self.terminal = Some(1);
        self
    }

    /// Makes the event terminal: its `n`th hit, counted from 1 in its direction, ends the solve (`terminal` of SciPy's
    /// `solve_ivp`).
    ///
    /// ```
    /// use odesync_ode::odesolve::{Direction, Event, SolveOptions, solve};
    /// // The third time that sin t passes zero upwards after the start.
    /// let swing = odesync_ode::field::system(2, &[], |_, u, _| vec![u.at(1), -u.at(0)])?;
    /// let upwards = Event::new(2, &[], |_, u, _| u.at(0))?.direction(Direction::Up);
    /// let options = SolveOptions::default().event(upwards.terminal_at_hit(3)?);
    /// let solution = solve(&swing, &[0.0, 1.0], &[0.0, 100.0], &options)?;
    /// assert!((solution.t[1] - 6.0 * std::f64::consts::PI).abs() < 1e-5);
    /// # Ok::<(), odesync_ode::Error>(())
    /// ```
    ///
    /// # Errors
    /// `n` is 0.
    pub fn terminal_at_hit(mut self, n: usize) -> Result<Self> {
        if n == 0 {
            return Err(Error::invalid(
                "the hits of an event are counted from 1: give terminal 1 for the first; an event that never ends the solve has none",
            ));
        }
        self.terminal = Some(n);
        Ok(self)
    }

    /// Returns the number of the hit that ends the solve, counted from 1; `None` where the event is not terminal.
    pub fn terminal_hit(&self) -> Option<usize> {
        self.terminal
    }

    /// Lets the event change the state: at each hit u⁺ = J(t, u⁻), and the solve goes on from u⁺ with a first step of its own (a
    /// multistep method begins again with order 1).
    ///
    /// [`Solution::events`](super::Solution::events) has the states before the jump; an output at exactly the time of a hit is
    /// the state after it, as in OrdinaryDiffEq.jl without `save_positions`. A jump that leaves g at zero does not fire the event
    /// again; where the solution comes back to zero within the resolution of time the solve ends with
    /// [`FailureReason::EventsAccumulate`](super::FailureReason::EventsAccumulate).
    ///
    /// ```
    /// use odesync_ode::odesolve::{Direction, Event, Jump, SolveOptions, solve};
    /// // A ball that keeps 4/5 of its speed when it hits the ground.
    /// let ball = odesync_ode::field::system(2, &[], |_, u, _| vec![u.at(1), u.at(1) * 0.0 - 10.0])?;
    /// let bounce = Jump::new(2, &[], |_, u, _| vec![u.at(0) * 0.0, u.at(1) * -0.8])?;
    /// let ground = Event::new(2, &[], |_, u, _| u.at(0))?.direction(Direction::Down).jump(bounce)?;
    /// let options = SolveOptions::default().event(ground);
    /// let solution = solve(&ball, &[5.0, 0.0], &[0.0, 2.0], &options)?;
    /// // It falls for 1 s and flies for 1.6 s; after 1 s of that it is at 8 − 5 m and falls at 2 m/s.
    /// assert!((solution.u[[1, 0]] - 3.0).abs() < 1e-9 && (solution.u[[1, 1]] + 2.0).abs() < 1e-9);
    /// assert!((solution.events[0].u[[0, 1]] + 10.0).abs() < 1e-9);
    /// # Ok::<(), odesync_ode::Error>(())
    /// ```
    ///
    /// # Errors
    /// A jump of another number of state variables.
    pub fn jump(mut self, jump: Jump) -> Result<Self> {
        jump.check_dof(self.dof(), "an event's jump")?;
        self.jump = Some(jump);
        Ok(self)
    }

    /// Returns the change of the state at a hit; `None` where the event changes nothing.
    pub fn state_jump(&self) -> Option<&Jump> {
        self.jump.as_ref()
    }

    /// Makes parameters of the event's function that have the name of one of the field's follow it: they take the field's value in
    /// every solve, and derivatives by the field's parameters take the event into account.
    #[must_use]
    pub fn with_field_parameters(mut self) -> Self {
        self.follows_field = true;
        self
    }

    /// Returns the event function, a field of which every component is g.
    pub(crate) fn function(&self) -> &VectorField {
        &self.function
    }

    /// Returns the direction in which crossings count.
    pub(crate) fn crossing_direction(&self) -> Direction {
        self.direction
    }

    /// Whether parameters follow those of the field.
    pub(crate) fn follows_field(&self) -> bool {
        self.follows_field
    }

    /// Returns the event with the parameters that follow the field's at their values.
    pub(crate) fn bound_to(&self, field: &VectorField) -> Result<Self> {
        let mut bound = self.clone();
        if self.follows_field {
            bound.function = followed(&self.function, field)?;
        }
        if let Some(jump) = &self.jump {
            bound.jump = Some(jump.bound_to(field)?);
        }
        Ok(bound)
    }

    /// Returns the number of state variables of the event function.
    pub fn dof(&self) -> usize {
        self.function.dof()
    }
}

/// One hit of an event during a solve.
#[derive(Debug, Clone, PartialEq)]
pub struct EventHit {
    /// Index of the event in the options.
    pub event: usize,
    /// Time of the hit.
    pub t: f64,
    /// State at the time of the hit, `[dof]`.
    pub u: Vec<f64>,
}

#[cfg(test)]
mod tests;
