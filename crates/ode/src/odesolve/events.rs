//! Events: the times at which a function g(t, u) of the solution passes through zero.
//!
//! After each accepted step g is looked at on the step's dense output: at its end, at points inside, and where three of these
//! let a minimum of |g| be expected, so that a pair of crossings is not missed. Each change of sign is then a bracket whose
//! root is found to the resolution of time. Nothing here depends on the method: a step is a function u(θ), θ from 0 to 1.

mod root;

use super::plan::Step;
use crate::field::native::Evaluator;
use crate::field::{Expr, FieldBuilder, Parameters, VectorField};
use crate::{Error, Result};

/// Points of a step at which g is looked at, the start apart.
const SAMPLES_PER_STEP: usize = 8;

/// Which way g goes through zero, in the order in which the solve runs (also when time runs backwards).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// From negative to positive.
    Up,
    /// From positive to negative.
    Down,
    /// Either.
    #[default]
    Both,
}

impl Direction {
    /// The names in scripts.
    pub const NAMES: [&str; 3] = ["both", "up", "down"];

    /// The direction of this name.
    ///
    /// # Errors
    /// A name that no direction has.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "up" => Ok(Direction::Up),
            "down" => Ok(Direction::Down),
            "both" => Ok(Direction::Both),
            _ => Err(odesync_base::error::unknown("direction", name, Self::NAMES)),
        }
    }

    /// Whether a passage that comes from this side of zero counts.
    fn includes(self, from: f64) -> bool {
        match self {
            Direction::Up => from < 0.0,
            Direction::Down => from > 0.0,
            Direction::Both => true,
        }
    }
}

/// Something to be noticed during a solve: g(t, u) reaches zero or passes through it.
///
/// A zero at the initial time is none. The times are as accurate as the solution at requested times inside steps, and the root is
/// found to rounding.
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
    /// Every component is g.
    function: VectorField,
    direction: Direction,
    terminal: bool,
}

impl Event {
    /// The event that g = 0, from a closure that is called once, on symbols. `dof` is the number of state variables,
    /// `params` are constants of the closure. It counts in both directions and does not end the solve.
    ///
    /// # Errors
    /// Any mistake of shape or name made in the closure; g must be one number.
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

    /// The event that the number g of a graph under construction is zero.
    ///
    /// # Errors
    /// As [`Event::new`].
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

    /// The same for passages in one direction only.
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// The same, ending the solve.
    #[must_use]
    pub fn terminal(mut self) -> Self {
        self.terminal = true;
        self
    }

    /// Whether it ends the solve.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Number of state variables.
    pub fn dof(&self) -> usize {
        self.function.dof()
    }
}

/// An event that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct EventHit {
    /// Index of the event in the options.
    pub event: usize,
    /// When.
    pub t: f64,
    /// The state then, `[dof]`.
    pub u: Vec<f64>,
}

/// A step as a function of θ, written into a slice: quickly, by its polynomial, or to the method's order.
pub(crate) type Interpolant<'a> = dyn FnMut(f64, InterpolationOrder, &mut [f64]) + 'a;

/// How well the solution inside a step is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InterpolationOrder {
    /// By the polynomial.
    Dense,
    /// To the method's order.
    Full,
}

/// The events of a solve under way.
#[derive(Debug)]
pub(crate) struct EventDetector<'a> {
    functions: Vec<EventFunction<'a>>,
    state: Vec<f64>,
    samples: Vec<(f64, f64)>,
    /// Passages of the current step: θ and the event's index.
    crossings: Vec<(f64, usize)>,
}

/// One event's function, and its value where the last step ended.
#[derive(Debug)]
struct EventFunction<'a> {
    event: &'a Event,
    evaluator: Evaluator,
    slot: Vec<f64>,
    values: Vec<f64>,
    last_value: f64,
    sample: usize,
    /// Whether it was a number anywhere.
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
    /// At the initial state of this sample of the field's inputs.
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

    /// For each event whether its function was a number anywhere.
    pub fn were_defined(&self) -> Vec<bool> {
        self.functions.iter().map(|f| f.was_defined).collect()
    }

    /// Finds what happens in an accepted step up to θ = `limit`, and adds it to `found` in the order in which it happens;
    /// the θ of an event that ends the solve. With `quality` full, a root that the polynomial shows is then found on the solution
    /// to the method's order.
    pub fn detect(
        &mut self,
        step: Step,
        limit: f64,
        quality: InterpolationOrder,
        u: &mut Interpolant,
        found: &mut Vec<EventHit>,
    ) -> Option<f64> {
        self.crossings.clear();
        for index in 0..self.functions.len() {
            self.find_crossings(index, step, (limit, quality), u);
        }
        let terminal = |p: &&(f64, usize)| self.functions[p.1].event.terminal;
        let ends = self.crossings.iter().filter(terminal);
        let end = ends.map(|p| p.0).min_by(f64::total_cmp);
        self.crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
        for &(theta, event) in &self.crossings {
            if end.is_some_and(|end| theta > end) {
                break;
            }
            u(theta, quality, &mut self.state);
            found.push(EventHit {
                event,
                t: step.time_at(theta),
                u: self.state.clone(),
            });
        }
        end
    }

    /// The passages of one event.
    fn find_crossings(
        &mut self,
        index: usize,
        step: Step,
        (limit, quality): (f64, InterpolationOrder),
        u: &mut Interpolant,
    ) {
        let EventDetector {
            functions,
            state,
            samples: points,
            crossings: passages,
        } = self;
        let function = &mut functions[index];
        let direction = function.event.direction;
        let last = function.last_value;
        let first = passages.len();
        let mut of = |theta: f64, quality: InterpolationOrder| {
            u(theta, quality, state);
            function.evaluate(step.time_at(theta), state)
        };
        let mut g = |theta: f64| of(theta, InterpolationOrder::Dense);
        points.clear();
        points.push((0.0, last));
        for i in 1..=SAMPLES_PER_STEP {
            let theta = limit * i as f64 / SAMPLES_PER_STEP as f64;
            points.push((theta, g(theta)));
        }
        insert_minima(points, &mut g);
        // A bracket ends where g has left zero on the other side, or is zero.
        let resolution = theta_resolution(step);
        let (mut from, mut before) = (0.0, last);
        for &(theta, value) in points.iter().skip(1) {
            let passed = before * value < 0.0;
            let reached = value == 0.0 && before.abs() > 0.0;
            if (passed || reached) && direction.includes(before) {
                let root = if passed {
                    root::itp(&mut g, (from, before), (theta, value), resolution)
                } else {
                    theta
                };
                passages.push((root, index));
            }
            if !value.is_nan() {
                (from, before) = (theta, value);
            }
        }
        if quality == InterpolationOrder::Full {
            for (root, _) in &mut passages[first..] {
                let (left, right) = ((*root - 1e-4).max(0.0), (*root + 1e-4).min(1.0));
                let rise =
                    of(right, InterpolationOrder::Dense) - of(left, InterpolationOrder::Dense);
                let slope = rise / (right - left);
                let mut g = |theta: f64| of(theta, InterpolationOrder::Full);
                *root = root::secant(&mut g, *root, slope, limit, resolution);
            }
        }
        function.last_value = before;
    }
}

/// The smallest difference of θ that time can show.
pub(super) fn theta_resolution(step: Step) -> f64 {
    4.0 * f64::EPSILON * step.t.abs().max(step.end.abs()) / step.h().abs()
}

/// Where three neighbours have one sign and |g| is smallest at the one in the middle, adds the vertex of the parabola through them.
fn insert_minima(points: &mut Vec<(f64, f64)>, g: &mut impl FnMut(f64) -> f64) {
    for i in (1..points.len().saturating_sub(1)).rev() {
        let [(a, ga), (b, gb), (c, gc)] = [points[i - 1], points[i], points[i + 1]];
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
            points.insert(at, (vertex, g(vertex)));
        }
    }
}

#[cfg(test)]
mod tests;
