//! Exact gradients with little memory: a solve without a tape leaves checkpoints, and its steps are taken again between two of
//! them, with a tape, as the gradient walks back.
//!
//! The number of steps is not known beforehand. A checkpoint is kept at every `stride`-th step; where they come to take up more
//! than the tape of `stride` steps would, every other one goes and `stride` doubles. N steps, each with a tape of w numbers,
//! and checkpoints of c numbers hold between 2 and 2.5 times `√(N c w)`, 2 being the least. A checkpoint has all that the next
//! step depends on, the controller's memory too, so that the same steps follow with the same bits, and no step needs to be
//! written down.

use super::driver::{self, Problem, Route};
use super::options::SolveOptions;
use super::plan::{Output, StepPlan};
use super::sums::add;
use super::workspace::{Trace, Workspace};
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
    pub fn single() -> Self {
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
            ..Self::single()
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
    pub fn due(&self, steps: usize) -> bool {
        steps.is_multiple_of(self.stride)
    }

    /// Keeps one; `tape` is the length of a step's tape.
    pub fn keep(&mut self, tape: usize, write: impl FnOnce(&mut Vec<f64>)) {
        self.scratch.clear();
        write(&mut self.scratch);
        self.rows.push(self.scratch.as_slice().into());
        let held = self.rows.len() * self.scratch.len();
        if held > self.stride.saturating_mul(tape) {
            self.thin();
        }
    }

    /// Every other one, the start being the zeroth.
    fn thin(&mut self) {
        let mut odd = false;
        self.rows.retain(|_| {
            odd = !odd;
            !odd
        });
        self.stride *= 2;
    }

    /// The one after `n` strides.
    fn row(&self, n: usize) -> Option<&[f64]> {
        self.rows.get(n.checked_sub(1)?).map(|row| &**row)
    }
}

/// A checkpoint that is read, number by number.
pub(crate) struct Row<'a>(pub &'a [f64]);

impl Row<'_> {
    /// The next number.
    pub fn number(&mut self) -> f64 {
        let (first, rest) = self.0.split_first().unwrap_or((&0.0, &[]));
        self.0 = rest;
        *first
    }

    /// The next number, which counts something.
    pub fn count(&mut self) -> usize {
        self.number() as usize
    }

    /// The next number, which is 0 or 1.
    pub fn flag(&mut self) -> bool {
        self.number() != 0.0
    }

    /// The next ones.
    pub fn fill(&mut self, to: &mut [f64]) {
        to.fill_with(|| self.number());
    }
}

/// A solve that is to be taken again.
pub(crate) struct Again<'a> {
    pub evaluator: &'a Evaluator,
    pub breakpoints: &'a [f64],
    pub problem: Problem<'a>,
    pub options: &'a SolveOptions,
}

/// Walks back over a solve, `kept` having its checkpoints and, where it was a replay, its plan. `back` walks over the taped
/// steps of one part, carrying the adjoints of a multistep method's history from part to part. `bars` is ∂L/∂u at the requested
/// times, `[time, dof]`, `mu` what comes to it at the end of the last step.
pub(crate) fn backward(
    again: &Again,
    kept: &Workspace,
    bars: &[f64],
    mut mu: Vec<f64>,
    part: &mut Workspace,
    mut back: impl FnMut(&Workspace, &[f64], &mut Vec<f64>) -> Vec<f64>,
) -> Result<Vec<f64>, SolveFailure> {
    let dof = again.evaluator.dof();
    let mut history = vec![];
    let Trace::Checkpoints(checkpoints) = &kept.trace else {
        return Ok(mu);
    };
    let (stride, steps) = (checkpoints.stride, kept.stats.steps);
    // Of the requested times, those that no part has had yet.
    let mut outputs = kept.plan.outputs.len();
    let mut weights = vec![];
    for i in (0..steps.div_ceil(stride)).rev() {
        let from = i.saturating_mul(stride);
        let most = stride.min(steps - from);
        let plan = kept.given.then(|| kept.plan.part(from..from + most));
        let route = Route {
            plan: plan.as_ref(),
            from: checkpoints.row(i),
            most: Some(most),
            ..Route::default()
        };
        let Again {
            evaluator,
            breakpoints,
            problem,
            options,
        } = again;
        driver::part::<true>(evaluator, breakpoints, problem, options, route, part)?;
        let inside = part.plan.outputs.len() - 1;
        let first = outputs.saturating_sub(inside);
        weights.clear();
        weights.resize(dof, 0.0);
        weights.extend_from_slice(&bars[first * dof..outputs * dof]);
        weights.extend_from_slice(&mu);
        outputs = first;
        part.plan.outputs.push(Output::End(most - 1));
        mu = back(part, &weights, &mut history);
    }
    add(&bars[..dof], &mut mu);
    Ok(mu)
}

impl StepPlan {
    /// Some of the steps, with the requested times that lie in them.
    fn part(&self, steps: std::ops::Range<usize>) -> StepPlan {
        let mut outputs = vec![Output::Start];
        outputs.extend(self.outputs.iter().filter_map(|output| match *output {
            Output::End(n) if steps.contains(&n) => Some(Output::End(n - steps.start)),
            Output::Inside(n, theta) if steps.contains(&n) => {
                Some(Output::Inside(n - steps.start, theta))
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
            if c.due(n) {
                c.keep(tape, |row| row.extend((0..width).map(|_| n as f64)));
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
        let single = Checkpoints::single();
        assert!((1..1000).all(|n| !single.due(n)));
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
        let methods = super::super::methods::ALL.iter().copied();
        let methods = methods.filter(|m| m.name != "auto");
        for (method, t) in methods.flat_map(|m| [(m, &forwards), (m, &backwards)]) {
            let options = SolveOptions {
                method,
                step_size: (!method.adaptive()).then_some(0.013),
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
            work.trace = Trace::Checkpoints(Checkpoints::adaptive());
            driver::solve::<false>(&evaluator, &breakpoints, &problem, &options, &mut work)
                .unwrap();
            assert_eq!(work.u, u, "{}", method.name);
            assert_eq!(work.plan.steps.len(), 1);
            let again = Again {
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
