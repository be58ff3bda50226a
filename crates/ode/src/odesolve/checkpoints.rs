//! Exact gradients with little memory: a solve without a tape stores checkpoints, and the reverse sweep recomputes the steps
//! between two of them with a tape.
//!
//! The number of steps is not known in advance. A checkpoint is stored at every `stride`-th step; when the checkpoints take
//! up more memory than the tape of `stride` steps would, every other one is deleted and `stride` doubles. N steps, each with
//! a tape of w numbers, and checkpoints of c numbers take up between 2 and 2.5 times `√(N c w)` numbers; the minimum is 2. A
//! checkpoint contains everything that the next step depends on, including the controller's memory, so that the recomputed
//! steps are bitwise the same and no step needs to be recorded.

use super::driver::{self, Problem, SegmentSpec};
use super::options::SolveOptions;
use super::recorded_steps::OutputPosition;
use super::vector_ops::add;
use super::workspace::{ForwardRecord, Workspace};
use crate::field::native::Evaluator;
use odesync_base::failure::SolveFailure;

/// Checkpoints of a solve.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoints {
    /// Stored checkpoints, in order, without the start. Each has its own allocation: one vector of all of them would reserve
    /// up to twice the memory, and while growing would exist together with its copy.
    rows: Vec<Box<[f64]>>,
    /// Buffer in which a checkpoint is written.
    scratch: Vec<f64>,
    /// Number of steps between checkpoints; `usize::MAX` where only the start is stored.
    stride: usize,
}

impl Checkpoints {
    /// Creates the record of a solve of which only the start is stored.
    pub fn initial_only() -> Self {
        Checkpoints {
            rows: vec![],
            scratch: vec![],
            stride: usize::MAX,
        }
    }

    /// Creates the record of a solve with as many checkpoints as suit its number of steps.
    pub fn adaptive() -> Self {
        Checkpoints {
            stride: 1,
            ..Self::initial_only()
        }
    }

    /// Removes the checkpoints of an earlier solve.
    pub fn clear(&mut self) {
        self.rows.clear();
        if self.stride != usize::MAX {
            self.stride = 1;
        }
    }

    /// Whether a checkpoint is due after this many steps.
    pub fn is_due(&self, steps: usize) -> bool {
        steps.is_multiple_of(self.stride)
    }

    /// Stores a checkpoint; `tape` is the length of the tape of one step.
    pub fn push(&mut self, tape: usize, write: impl FnOnce(&mut Vec<f64>)) {
        self.scratch.clear();
        write(&mut self.scratch);
        self.rows.push(self.scratch.as_slice().into());
        let held = self.rows.len() * self.scratch.len();
        if held > self.stride.saturating_mul(tape) {
            self.thin_out();
        }
    }

    /// Deletes every other checkpoint, counting the start as the zeroth, and doubles the stride.
    fn thin_out(&mut self) {
        let mut odd = false;
        self.rows.retain(|_| {
            odd = !odd;
            !odd
        });
        self.stride *= 2;
    }

    /// Returns the checkpoint after `n` strides; `None` for the start.
    fn get(&self, n: usize) -> Option<&[f64]> {
        self.rows.get(n.checked_sub(1)?).map(|row| &**row)
    }
}

/// Reader of a checkpoint, number by number.
pub(crate) struct StateReader<'a>(pub &'a [f64]);

impl StateReader<'_> {
    /// Reads the next number.
    pub fn read_f64(&mut self) -> f64 {
        let (first, rest) = self.0.split_first().unwrap_or((&0.0, &[]));
        self.0 = rest;
        *first
    }

    /// Reads the next number as a count.
    pub fn read_usize(&mut self) -> usize {
        self.read_f64() as usize
    }

    /// Reads the next number as a flag, 0 or 1.
    pub fn read_bool(&mut self) -> bool {
        self.read_f64() != 0.0
    }

    /// Reads the next numbers into a slice.
    pub fn read_into(&mut self, to: &mut [f64]) {
        to.fill_with(|| self.read_f64());
    }
}

/// Inputs of a forward solve that is to be recomputed.
pub(crate) struct ForwardInputs<'a> {
    pub evaluator: &'a Evaluator,
    pub breakpoints: &'a [f64],
    pub problem: Problem<'a>,
    pub options: &'a SolveOptions,
    /// Time at which the solve ended for an event, in the middle of a step.
    pub ends_at: Option<f64>,
}

/// Computes ∂L/∂u₀ by a reverse sweep over a solve, whose workspace `forward` has its checkpoints and, where it was a replay,
/// its recorded steps. `reverse_sweep` goes over the taped steps of one segment and carries the adjoints of a multistep method's
/// history from segment to segment. `bars` is ∂L/∂u at the output times, `[time, dof]`; `mu` is added to the adjoint at the
/// end of the last step.
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
    // Its workspace may be that of a solve which recorded checkpoints.
    segment.record = ForwardRecord::Steps;
    // Number of output times that are not yet covered by a segment.
    let mut outputs = forward.recorded.outputs.len();
    let mut weights = vec![];
    for i in (0..steps.div_ceil(stride)).rev() {
        let from = i.saturating_mul(stride);
        let n_steps = stride.min(steps - from);
        let recorded = forward
            .is_replay
            .then(|| forward.recorded.slice(from..from + n_steps));
        let spec = SegmentSpec {
            recorded: recorded.as_ref(),
            start: checkpoints.get(i),
            max_steps: Some(n_steps),
            ends_at: inputs.ends_at,
            ..SegmentSpec::default()
        };
        let ForwardInputs {
            evaluator,
            breakpoints,
            problem,
            options,
            ..
        } = inputs;
        driver::integrate_segment::<Evaluator, true>(
            evaluator,
            breakpoints,
            problem,
            options,
            spec,
            segment,
        )?;
        let n_inside = segment.recorded.outputs.len() - 1;
        let first_output = outputs.saturating_sub(n_inside);
        weights.clear();
        weights.resize(dof, 0.0);
        weights.extend_from_slice(&bars[first_output * dof..outputs * dof]);
        weights.extend_from_slice(&mu);
        outputs = first_output;
        segment
            .recorded
            .outputs
            .push(OutputPosition::End(n_steps - 1));
        mu = reverse_sweep(segment, &weights, &mut history);
    }
    add(&bars[..dof], &mut mu);
    Ok(mu)
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

    /// Tests on Van der Pol's oscillator with a forcing, with breakpoints at some of the output times.
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
                controller: Some(super::super::Controller::ProportionalIntegral),
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
            driver::solve::<_, true>(&evaluator, &breakpoints, &problem, &options, &mut work)
                .unwrap();
            let (whole, u) = (work.recorded.clone(), work.u.clone());
            work.record = ForwardRecord::Checkpoints(Checkpoints::adaptive());
            driver::solve::<_, false>(&evaluator, &breakpoints, &problem, &options, &mut work)
                .unwrap();
            assert_eq!(work.u, u, "{}", method.name);
            assert_eq!(work.recorded.steps.len(), 1);
            let inputs = ForwardInputs {
                evaluator: &evaluator,
                breakpoints: &breakpoints,
                problem,
                options: &options,
                ends_at: None,
            };
            let mut segment = Workspace {
                tape_limit: usize::MAX,
                ..Workspace::default()
            };
            let (mut segments, mut outputs) = (vec![], 0);
            let bars = vec![0.0; u.len()];
            backward(
                &inputs,
                &work,
                &bars,
                vec![0.0; 2],
                &mut segment,
                |taped, bars, _| {
                    segments.push(taped.recorded.steps.clone());
                    outputs += taped.recorded.outputs.len() - 2;
                    assert_eq!(bars.len(), 2 * taped.recorded.outputs.len());
                    vec![0.0; 2]
                },
            )
            .unwrap();
            assert!(segments.len() > 3, "{}: {}", method.name, segments.len());
            let steps: Vec<_> = segments.into_iter().rev().flatten().collect();
            assert_eq!(steps, whole.steps, "{}", method.name);
            assert_eq!(outputs, t.len() - 1, "{}", method.name);
        }
    }
}
