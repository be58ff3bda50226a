//! Events: times at which an event function g(t, u) of the solution crosses zero.
//!
//! After each accepted step g is sampled on the step's dense output: at the end, at points inside, and where three samples
//! indicate a minimum of |g|, so that a pair of crossings is not missed. Each change of sign gives a bracket whose root is
//! found to the resolution of time. Nothing here depends on the method: a step is a function u(θ), θ from 0 to 1.

mod root;

use super::recorded_steps::Step;
use crate::field::native::Evaluator;
use crate::field::{Expr, FieldBuilder, Parameters, VectorField};
use crate::{Error, Result};

/// Number of equidistant points of a step at which g is sampled, not counting the start.
const SAMPLES_PER_STEP: usize = 8;

/// Direction in which g crosses zero, in the direction of integration (also when time runs backwards).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Crossings of g from negative to positive.
    Up,
    /// Crossings of g from positive to negative.
    Down,
    /// Crossings of g in both directions.
    #[default]
    Both,
}

impl Direction {
    /// Names of the directions in scripts.
    pub const NAMES: [&str; 3] = ["both", "up", "down"];

    /// Returns the direction with this name.
    ///
    /// # Errors
    /// No direction has this name.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "up" => Ok(Direction::Up),
            "down" => Ok(Direction::Down),
            "both" => Ok(Direction::Both),
            _ => Err(odesync_base::error::unknown("direction", name, Self::NAMES)),
        }
    }

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
#[derive(Debug, Clone)]
pub struct Event {
    /// Event function as a field of which every component is g.
    function: VectorField,
    direction: Direction,
    terminal: bool,
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
            terminal: false,
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
        self.terminal = true;
        self
    }

    /// Whether the event is terminal, so that its first hit ends the solve.
    pub fn is_terminal(&self) -> bool {
        self.terminal
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

/// The solution in a step as a function of θ, written into a slice: from the dense output's polynomial, or to the method's
/// order.
pub(crate) type Interpolant<'a> = dyn FnMut(f64, InterpolationOrder, &mut [f64]) + 'a;

/// Accuracy with which the solution inside a step is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InterpolationOrder {
    /// Evaluation of the dense output's polynomial.
    Dense,
    /// Evaluation to the order of the method.
    Full,
}

/// Detector of the events of one solve; it keeps the values of the event functions from step to step.
#[derive(Debug)]
pub(crate) struct EventDetector<'a> {
    functions: Vec<EventFunction<'a>>,
    state: Vec<f64>,
    samples: Vec<(f64, f64)>,
    /// Crossings in the current step: θ and the event's index.
    crossings: Vec<(f64, usize)>,
}

/// The function of one event, and its value at the end of the last step.
#[derive(Debug)]
struct EventFunction<'a> {
    event: &'a Event,
    evaluator: Evaluator,
    slot: Vec<f64>,
    values: Vec<f64>,
    last_value: f64,
    sample: usize,
    /// Whether the function was ever different from NaN.
    was_defined: bool,
}

impl EventFunction<'_> {
    fn evaluate(&mut self, t: f64, u: &[f64]) -> f64 {
        let sample = self.sample;
        self.evaluator
            .eval(sample, t, u, &mut self.slot, &mut self.values);
        self.was_defined |= !self.values[0].is_nan();
        self.values[0]
    }
}

impl<'a> EventDetector<'a> {
    /// Creates the detector at the initial time and state, for this sample of the field's inputs.
    pub fn new(events: &'a [Event], sample: usize, t: f64, u: &[f64]) -> Self {
        let functions = events.iter().map(|event| {
            let evaluator = Evaluator::new(&event.function);
            let mut function = EventFunction {
                event,
                slot: vec![0.0; evaluator.slot_len()],
                values: vec![0.0; u.len()],
                evaluator,
                last_value: 0.0,
                sample,
                was_defined: false,
            };
            function.last_value = function.evaluate(t, u);
            function
        });
        EventDetector {
            functions: functions.collect(),
            state: vec![0.0; u.len()],
            samples: vec![],
            crossings: vec![],
        }
    }

    /// Returns for each event whether its function was ever different from NaN.
    pub fn were_defined(&self) -> Vec<bool> {
        self.functions.iter().map(|f| f.was_defined).collect()
    }

    /// Detects the events in an accepted step up to θ = `limit` and adds them to `found` in the order in which they occur.
    /// Returns the θ of an event that terminates the solve. With `interpolation` [`InterpolationOrder::Full`], each root
    /// found on the polynomial is refined on the solution to the method's order.
    pub fn detect(
        &mut self,
        step: Step,
        limit: f64,
        interpolation: InterpolationOrder,
        u: &mut Interpolant,
        found: &mut Vec<EventHit>,
    ) -> Option<f64> {
        self.crossings.clear();
        for event in 0..self.functions.len() {
            self.find_crossings(event, step, (limit, interpolation), u);
        }
        let terminal = |p: &&(f64, usize)| self.functions[p.1].event.terminal;
        let terminal_crossings = self.crossings.iter().filter(terminal);
        let end = terminal_crossings.map(|p| p.0).min_by(f64::total_cmp);
        self.crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
        for &(theta, event) in &self.crossings {
            if end.is_some_and(|end| theta > end) {
                break;
            }
            u(theta, interpolation, &mut self.state);
            found.push(EventHit {
                event,
                t: step.time_at(theta),
                u: self.state.clone(),
            });
        }
        end
    }

    /// Finds the crossings of one event in a step.
    fn find_crossings(
        &mut self,
        index: usize,
        step: Step,
        (limit, interpolation): (f64, InterpolationOrder),
        u: &mut Interpolant,
    ) {
        let EventDetector {
            functions,
            state,
            samples,
            crossings,
        } = self;
        let function = &mut functions[index];
        let direction = function.event.direction;
        let last = function.last_value;
        let first = crossings.len();
        let mut evaluate = |theta: f64, interpolation: InterpolationOrder| {
            u(theta, interpolation, state);
            function.evaluate(step.time_at(theta), state)
        };
        let mut g = |theta: f64| evaluate(theta, InterpolationOrder::Dense);
        samples.clear();
        samples.push((0.0, last));
        for i in 1..=SAMPLES_PER_STEP {
            let theta = limit * i as f64 / SAMPLES_PER_STEP as f64;
            samples.push((theta, g(theta)));
        }
        insert_minima(samples, &mut g);
        // A bracket ends at a sample where g has the opposite sign, or is zero.
        let resolution = theta_resolution(step);
        let (mut from, mut before) = (0.0, last);
        for &(theta, value) in samples.iter().skip(1) {
            let passed = before * value < 0.0;
            let reached = value == 0.0 && before.abs() > 0.0;
            if (passed || reached) && direction.includes(before) {
                let root = if passed {
                    root::itp(&mut g, (from, before), (theta, value), resolution)
                } else {
                    theta
                };
                crossings.push((root, index));
            }
            if !value.is_nan() {
                (from, before) = (theta, value);
            }
        }
        if interpolation == InterpolationOrder::Full {
            for (root, _) in &mut crossings[first..] {
                let (left, right) = ((*root - 1e-4).max(0.0), (*root + 1e-4).min(1.0));
                let rise = evaluate(right, InterpolationOrder::Dense)
                    - evaluate(left, InterpolationOrder::Dense);
                let slope = rise / (right - left);
                let mut g = |theta: f64| evaluate(theta, InterpolationOrder::Full);
                *root = root::secant(&mut g, *root, slope, limit, resolution);
            }
        }
        function.last_value = before;
    }
}

/// Returns the smallest difference of θ that floating-point time resolves in this step.
pub(super) fn theta_resolution(step: Step) -> f64 {
    4.0 * f64::EPSILON * step.t.abs().max(step.end.abs()) / step.h().abs()
}

/// Inserts the vertex of the parabola through three neighbouring samples where they have the same sign and |g| is smallest at
/// the middle one.
fn insert_minima(samples: &mut Vec<(f64, f64)>, g: &mut impl FnMut(f64) -> f64) {
    for i in (1..samples.len().saturating_sub(1)).rev() {
        let [(a, ga), (b, gb), (c, gc)] = [samples[i - 1], samples[i], samples[i + 1]];
        let one_sign = ga * gb > 0.0 && gb * gc > 0.0;
        if !(one_sign && gb.abs() <= ga.abs() && gb.abs() <= gc.abs()) {
            continue;
        }
        let (left, right) = ((gb - ga) / (b - a), (gc - gb) / (c - b));
        let bend = right - left;
        if bend == 0.0 {
            continue;
        }
        let vertex = b - 0.5 * (left + right) * 0.5 * (c - a) / bend;
        if vertex > a && vertex < c && vertex != b {
            let at = if vertex < b { i } else { i + 1 };
            samples.insert(at, (vertex, g(vertex)));
        }
    }
}

#[cfg(test)]
mod tests;
