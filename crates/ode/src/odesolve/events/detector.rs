//! The detector of the events of one solve, step by step.

use super::super::recorded_steps::Step;
use super::{EventFunction, EventFunctions, EventHit, root};

/// Number of equidistant points of a step at which g is sampled, not counting the start.
const SAMPLES_PER_STEP: usize = 8;

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

/// Where an event stands at the start of a solve that goes on from another one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EventStart {
    /// Number of hits before.
    pub hits: usize,
    /// Value of g just after the start, where it is known better than from the state, which lies on g = 0 but for rounding.
    pub value: Option<f64>,
}

/// What ends a solve inside a step, with the θ of the place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ending {
    /// A terminal event that changes nothing.
    Terminal(f64),
    /// The functions of [`EventDetector::fired`]: the state jumps, or a condition switches.
    Piece(f64),
}

/// Detector of the events of one solve; it keeps the values of the event functions from step to step.
#[derive(Debug)]
pub(crate) struct EventDetector {
    functions: Vec<WatchedFunction>,
    sample: usize,
    state: Vec<f64>,
    samples: Vec<(f64, f64)>,
    /// Crossings in the current step: θ and the function's index.
    crossings: Vec<(f64, usize)>,
    /// Functions that are zero where the solve ended for one of them.
    fired: Vec<FiredFunction>,
}

/// A function that is zero where a solve ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FiredFunction {
    /// Index among the functions.
    pub index: usize,
    /// Sign of g before.
    pub sign: f64,
    /// Size of g in the last step, to whose rounding it is zero.
    pub size: f64,
    /// Whether g came back to zero from a start on it without having left it.
    pub is_stuck: bool,
}

/// One function, and its value at the end of the last step.
#[derive(Debug)]
struct WatchedFunction {
    function: EventFunction,
    last_value: f64,
    /// Size of g at a start on its zero, as far as the place was found: what is no larger has no sign yet.
    noise: f64,
    /// Whether g came back to zero in this step without having left it.
    is_stuck: bool,
    /// Whether the function was ever different from NaN.
    was_defined: bool,
    /// Number of hits so far.
    hits: usize,
}

impl WatchedFunction {
    fn evaluate(&mut self, sample: usize, t: f64, u: &[f64]) -> f64 {
        let value = self.function.evaluate(sample, t, u);
        self.was_defined |= !value.is_nan();
        value
    }
}

impl EventDetector {
    /// Creates the detector at the initial time and state, for this sample of the field's inputs. `starts` tell where the functions
    /// stand; without them none was hit before.
    pub fn new(
        functions: EventFunctions,
        starts: &[EventStart],
        sample: usize,
        t: f64,
        u: &[f64],
    ) -> Self {
        let functions = functions.all.into_iter().enumerate().map(|(i, function)| {
            let start = starts.get(i).copied().unwrap_or_default();
            let mut watched = WatchedFunction {
                function,
                last_value: 0.0,
                noise: 0.0,
                is_stuck: false,
                was_defined: false,
                hits: start.hits,
            };
            let value = watched.evaluate(sample, t, u);
            watched.last_value = start.value.unwrap_or(value);
            watched.noise = start.value.map_or(0.0, |_| value.abs());
            watched
        });
        EventDetector {
            functions: functions.collect(),
            sample,
            state: vec![0.0; u.len()],
            samples: vec![],
            crossings: vec![],
            fired: vec![],
        }
    }

    /// Returns where the events stand, for a solve that goes on from here.
    pub fn starts(&self) -> Vec<EventStart> {
        let start = |f: &WatchedFunction| EventStart {
            hits: f.hits,
            value: None,
        };
        self.functions.iter().map(start).collect()
    }

    /// Returns for each event whether its function was ever different from NaN.
    pub fn were_defined(&self) -> Vec<bool> {
        self.functions.iter().map(|f| f.was_defined).collect()
    }

    /// Returns the functions that are zero where the last step ended for one of them.
    pub fn fired(&self) -> &[FiredFunction] {
        &self.fired
    }

    /// Returns the first of the fired functions.
    pub fn first_fired(&mut self) -> Option<&mut EventFunction> {
        let index = self.fired.first()?.index;
        Some(&mut self.functions[index].function)
    }

    /// Detects the events in an accepted step up to θ = `limit` and adds them to `found` in the order in which they occur, without
    /// those of [`EventDetector::fired`]. Returns what ends the solve in the step. With `interpolation`
    /// [`InterpolationOrder::Full`], each root found on the polynomial is refined on the solution to the method's order.
    pub fn detect(
        &mut self,
        step: Step,
        limit: f64,
        interpolation: InterpolationOrder,
        u: &mut Interpolant,
        found: &mut Vec<EventHit>,
    ) -> Option<Ending> {
        self.crossings.clear();
        self.fired.clear();
        for event in 0..self.functions.len() {
            self.find_crossings(event, step, (limit, interpolation), u);
        }
        self.crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut ending = None;
        for &(theta, event) in &self.crossings {
            let is_past = match ending {
                None => false,
                Some(Ending::Terminal(end)) => theta > end,
                // Functions that are zero at the same time are so but for rounding.
                Some(Ending::Piece(end)) => theta > end + theta_resolution(step),
            };
            if is_past {
                break;
            }
            let watched = &mut self.functions[event];
            if matches!(ending, Some(Ending::Terminal(_))) && watched.function.ends_piece {
                break;
            }
            watched.hits += 1;
            if watched.function.ends_piece {
                ending.get_or_insert(Ending::Piece(theta));
            }
            if matches!(ending, Some(Ending::Piece(_))) {
                self.fired.push(FiredFunction {
                    index: event,
                    sign: 0.0,
                    size: 0.0,
                    is_stuck: watched.is_stuck,
                });
                continue;
            }
            if watched.function.terminal == Some(watched.hits) {
                ending = Some(Ending::Terminal(theta));
            }
            u(theta, interpolation, &mut self.state);
            found.push(EventHit {
                event,
                t: step.time_at(theta),
                u: self.state.clone(),
            });
        }
        if let Some(Ending::Piece(end)) = ending {
            self.measure_fired(step, end, u);
        }
        ending
    }

    /// Notes the signs and sizes of the fired functions before the end of a piece.
    fn measure_fired(&mut self, step: Step, end: f64, u: &mut Interpolant) {
        let EventDetector {
            functions,
            sample,
            state,
            fired,
            ..
        } = self;
        for fired in fired {
            // Between the places that are looked at the sign does not change.
            let mut size = 0.0;
            for share in [0.0, 0.5, 0.9375] {
                let theta = share * end;
                u(theta, InterpolationOrder::Dense, state);
                let function = &mut functions[fired.index].function;
                let value = function.evaluate(*sample, step.time_at(theta), state);
                size = f64::max(size, value.abs());
                if value.abs() > 0.0 {
                    fired.sign = value.signum();
                }
            }
            fired.size = size;
        }
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
            sample,
            state,
            samples,
            crossings,
            ..
        } = self;
        let function = &mut functions[index];
        let direction = function.function.direction;
        let (last, watched_noise) = (function.last_value, function.noise);
        let ends_piece = function.function.ends_piece;
        let mut is_stuck = false;
        let first = crossings.len();
        let mut evaluate = |theta: f64, interpolation: InterpolationOrder| {
            u(theta, interpolation, state);
            function.evaluate(*sample, step.time_at(theta), state)
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
        let mut noise = watched_noise;
        for &(theta, value) in samples.iter().skip(1) {
            if noise > 0.0 && value.abs() <= noise {
                continue;
            }
            if !value.is_nan() {
                noise = 0.0;
            }
            // The signs, as the product of numbers may be zero.
            let passed = before != 0.0 && value != 0.0 && (before > 0.0) != (value > 0.0);
            let passed = passed && !before.is_nan() && !value.is_nan();
            let reached = value == 0.0 && before.abs() > 0.0;
            if (passed || reached) && direction.includes(before) {
                let root = if passed {
                    root::itp(&mut g, (from, before), (theta, value), resolution)
                } else {
                    theta
                };
                // From a start on the zero g has to leave it, by more than the size that it has there, before it comes back.
                let has_left =
                    |middle: f64| middle.abs() > watched_noise && (middle > 0.0) == (before > 0.0);
                let stays = before.abs() <= f64::MIN_POSITIVE && !has_left(g(0.5 * (from + root)));
                is_stuck |= stays;
                if ends_piece || !stays {
                    crossings.push((root, index));
                }
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
        function.noise = noise;
        function.is_stuck = is_stuck;
    }
}

/// Returns the smallest difference of θ that floating-point time resolves in this step.
pub(crate) fn theta_resolution(step: Step) -> f64 {
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
