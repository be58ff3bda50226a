//! Exact gradients with little memory: a solve without a tape leaves checkpoints, and its steps are taken again between two of
//! them, with a tape, as the gradient walks back.
//!
//! The number of steps is not known beforehand. A checkpoint is kept at every `stride`-th step; where they come to take up more
//! than the tape of `stride` steps would, every other one goes and `stride` doubles. N steps, each with a tape of w numbers,
//! and checkpoints of c numbers hold between 2 and 2.5 times `√(N c w)`, 2 being the least. A checkpoint has all that the next
//! step depends on, the controller's memory too, so that the same steps follow with the same bits, and no step needs to be
//! written down.

use super::driver::{self, Problem, SegmentSpec};
use super::options::SolveOptions;
use super::plan::{SaveLocation, StepPlan};
use super::vector_ops::add;
use super::workspace::{ForwardRecord, Workspace};
use crate::field::native::Evaluator;
use odesync_base::failure::SolveFailure;

/// The checkpoints of a solve.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoints {
    /// One after the other; the start is none of them. Each has its own storage: a vector of all of them would have room for up
    /// to twice as many, and would stand beside its copy as it grows.
    rows: Vec<Box<[f64]>>,
    /// Where one is written.
    scratch: Vec<f64>,
    /// Steps from one to the next; `usize::MAX` where there is none but the start.
    stride: usize,
}

impl Checkpoints {
    /// Only the start.
    pub fn initial_only() -> Self {
        Checkpoints {
            rows: vec![],
            scratch: vec![],
            stride: usize::MAX,
        }
    }

    /// As many as suit the number of steps.
    pub fn adaptive() -> Self {
        Checkpoints {
            stride: 1,
            ..Self::initial_only()
        }
    }

    /// Forgets those of another solve.
    pub fn clear(&mut self) {
        self.rows.clear();
        if self.stride != usize::MAX {
            self.stride = 1;
        }
    }

    /// Whether one is due after this many steps.
    pub fn is_due(&self, steps: usize) -> bool {
        steps.is_multiple_of(self.stride)
    }

    /// Keeps one; `tape` is the length of a step's tape.
    pub fn push(&mut self, tape: usize, write: impl FnOnce(&mut Vec<f64>)) {
        self.scratch.clear();
        write(&mut self.scratch);
        self.rows.push(self.scratch.as_slice().into());
        let held = self.rows.len() * self.scratch.len();
        if held > self.stride.saturating_mul(tape) {
            self.thin_out();
        }
    }

    /// Every other one, the start being the zeroth.
    fn thin_out(&mut self) {
        let mut odd = false;
        self.rows.retain(|_| {
            odd = !odd;
            !odd
        });
        self.stride *= 2;
    }

    /// The one after `n` strides.
    fn get(&self, n: usize) -> Option<&[f64]> {
        self.rows.get(n.checked_sub(1)?).map(|row| &**row)
    }
}

/// A checkpoint that is read, number by number.
pub(crate) struct StateReader<'a>(pub &'a [f64]);

impl StateReader<'_> {
    /// The next number.
    pub fn read_f64(&mut self) -> f64 {
        let (first, rest) = self.0.split_first().unwrap_or((&0.0, &[]));
        self.0 = rest;
        *first
    }

    /// The next number, which counts something.
    pub fn read_usize(&mut self) -> usize {
        self.read_f64() as usize
    }

    /// The next number, which is 0 or 1.
    pub fn read_bool(&mut self) -> bool {
        self.read_f64() != 0.0
    }

    /// The next ones.
    pub fn read_into(&mut self, to: &mut [f64]) {
        to.fill_with(|| self.read_f64());
    }
}

/// A solve that is to be taken again.
pub(crate) struct ForwardInputs<'a> {
    pub evaluator: &'a Evaluator,
    pub breakpoints: &'a [f64],
    pub problem: Problem<'a>,
    pub options: &'a SolveOptions,
}

/// Walks back over a solve, `kept` having its checkpoints and, where it was a replay, its plan. `back` walks over the taped
/// steps of one part, carrying the adjoints of a multistep method's history from part to part. `bars` is ∂L/∂u at the requested
/// times, `[time, dof]`, `mu` what comes to it at the end of the last step.
pub(crate) fn backward(
    inputs: &ForwardInputs,
    forward: &Workspace,
    bars: &[f64],
    mut mu: Vec<f64>,
    segment: &mut Workspace,
    mut reverse_sweep: impl FnMut(&Workspace, &[f64], &mut Vec<f64>) -> Vec<f64>,
) -> Result<Vec<f64>, SolveFailure> {
    let dof = inputs.evaluator.dof();
    let mut history = vec![];
    let ForwardRecord::Checkpoints(checkpoints) = &forward.record else {
        return Ok(mu);
    };
    let (stride, steps) = (checkpoints.stride, forward.stats.steps);
    // Of the requested times, those that no part has had yet.
    let mut outputs = forward.plan.outputs.len();
    let mut weights = vec![];
    for i in (0..steps.div_ceil(stride)).rev() {
        let from = i.saturating_mul(stride);
        let n_steps = stride.min(steps - from);
        let plan = forward
            .is_replay
            .then(|| forward.plan.slice(from..from + n_steps));
        let route = SegmentSpec {
            plan: plan.as_ref(),
            start: checkpoints.get(i),
            max_steps: Some(n_steps),
            ..SegmentSpec::default()
        };
        let ForwardInputs {
            evaluator,
            breakpoints,
            problem,
            options,
        } = inputs;
        driver::integrate_segment::<true>(
            evaluator,
            breakpoints,
            problem,
            options,
            route,
            segment,
        )?;
        let n_inside = segment.plan.outputs.len() - 1;
        let first = outputs.saturating_sub(n_inside);
        weights.clear();
        weights.resize(dof, 0.0);
        weights.extend_from_slice(&bars[first * dof..outputs * dof]);
        weights.extend_from_slice(&mu);
        outputs = first;
        segment.plan.outputs.push(SaveLocation::End(n_steps - 1));
        mu = reverse_sweep(segment, &weights, &mut history);
    }
    add(&bars[..dof], &mut mu);
    Ok(mu)
}

impl StepPlan {
    /// Some of the steps, with the requested times that lie in them.
    fn slice(&self, steps: std::ops::Range<usize>) -> StepPlan {
        let mut outputs = vec![SaveLocation::Start];
        outputs.extend(self.outputs.iter().filter_map(|output| match *output {
            SaveLocation::End(n) if steps.contains(&n) => Some(SaveLocation::End(n - steps.start)),
            SaveLocation::Inside(n, theta) if steps.contains(&n) => {
                Some(SaveLocation::Inside(n - steps.start, theta))
            }
            _ => None,
        }));
        StepPlan {
            variants: self
                .variants
                .get(steps.clone())
                .map_or_else(Vec::new, <[u8]>::to_vec),
            steps: self.steps[steps].to_vec(),
            outputs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_are_thinned_evenly_and_grow_with_the_root_of_the_steps() {
        let (width, tape) = (20, 900);
        let mut c = Checkpoints::adaptive();
        for n in 1..=1_000_000_usize {
            if c.is_due(n) {
                c.push(tape, |row| row.extend((0..width).map(|_| n as f64)));
            }
            if n % 1000 == 0 {
                let held = (c.rows.len() * width + c.stride * tape) as f64;
                let least = 2.0 * ((n * width * tape) as f64).sqrt();
                assert!(held <= 1.26 * least, "{n}: {held} of {least}");
                assert!(held >= 0.95 * least, "{n}: {held} of {least}");
                for (i, row) in c.rows.iter().enumerate() {
                    assert_eq!(row.len(), width);
                    assert!(row.iter().all(|x| *x == ((i + 1) * c.stride) as f64));
                }
                assert_eq!(c.rows.len(), n / c.stride);
            }
        }
        let single = Checkpoints::initial_only();
        assert!((1..1000).all(|n| !single.is_due(n)));
    }

    /// Van der Pol's oscillator with a forcing, of which some requested times are breakpoints.
    #[test]
    fn parts_take_the_very_steps_of_the_whole_with_every_method() {
        let field = crate::field::system(2, &[], |t, u, _| {
            let (x, v) = (u.at(0), u.at(1));
            vec![
                v.clone(),
                5.0 * (1.0 - x.square()) * &v - &x + 0.4 * t.sin(),
            ]
        })
        .unwrap();
        let evaluator = Evaluator::new(&field);
        let forwards: Vec<f64> = (0..40).map(|i| 0.3 * f64::from(i)).collect();
        let backwards: Vec<f64> = (0..9).map(|i| -0.02 * f64::from(i)).collect();
        let breakpoints = [-0.11, -0.04, 1.05, 3.0, 7.77];
        let methods = super::super::solvers::ALL.iter().copied();
        let methods = methods.filter(|m| m.name != "auto");
        for (method, t) in methods.flat_map(|m| [(m, &forwards), (m, &backwards)]) {
            let options = SolveOptions {
                solver: method,
                step_size: (!method.is_adaptive()).then_some(0.013),
                controller: super::super::Controller::ProportionalIntegral,
                ..SolveOptions::default().tolerances(1e-6, 1e-8)
            };
            let problem = Problem {
                u0: &[1.7, 0.3],
                t,
                sample: 0,
            };
            let mut work = Workspace {
                tape_limit: usize::MAX,
                ..Workspace::default()
            };
            driver::solve::<true>(&evaluator, &breakpoints, &problem, &options, &mut work).unwrap();
            let (whole, u) = (work.plan.clone(), work.u.clone());
            work.record = ForwardRecord::Checkpoints(Checkpoints::adaptive());
            driver::solve::<false>(&evaluator, &breakpoints, &problem, &options, &mut work)
                .unwrap();
            assert_eq!(work.u, u, "{}", method.name);
            assert_eq!(work.plan.steps.len(), 1);
            let again = ForwardInputs {
                evaluator: &evaluator,
                breakpoints: &breakpoints,
                problem,
                options: &options,
            };
            let mut part = Workspace {
                tape_limit: usize::MAX,
                ..Workspace::default()
            };
            let (mut parts, mut outputs) = (vec![], 0);
            let bars = vec![0.0; u.len()];
            backward(
                &again,
                &work,
                &bars,
                vec![0.0; 2],
                &mut part,
                |part, bars, _| {
                    parts.push(part.plan.steps.clone());
                    outputs += part.plan.outputs.len() - 2;
                    assert_eq!(bars.len(), 2 * part.plan.outputs.len());
                    vec![0.0; 2]
                },
            )
            .unwrap();
            assert!(parts.len() > 3, "{}: {}", method.name, parts.len());
            let steps: Vec<_> = parts.into_iter().rev().flatten().collect();
            assert_eq!(steps, whole.steps, "{}", method.name);
            assert_eq!(outputs, t.len() - 1, "{}", method.name);
        }
    }
}
