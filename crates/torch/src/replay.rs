//! The replay of recorded steps, which records derivatives for the gradient.

use tch::Tensor;

use super::bound_field::BoundField;
use super::device::{download, to_i64};
use super::first_failure::FirstFailure;
use super::outputs::{OutputCollector, OutputRequest};
use super::stages::{StageEvaluator, select_rows};
use crate::error::TensorResult;
use odesync_ode::odesolve::stepping::all_finite;
use odesync_ode::odesolve::{
    FailureReason, Problem, RecordedSteps, RunningMethod, SolveFailure, Stats, Step, Tableau,
};

/// Solves every problem on its recorded steps from `u0`, `[problem, dof]`.
///
/// The problems with the most steps come first in the batch, so that those that are done are dropped from its end: the unused
/// derivatives of a masked row could be infinite, and zero times infinity would make the gradient NaN.
pub(super) fn replay(
    bound: &BoundField,
    method: &'static Tableau,
    problems: &[Problem],
    recorded: &[RecordedSteps],
    u0: &Tensor,
) -> TensorResult<(Vec<Stats>, OutputCollector)> {
    let stages = StageEvaluator::new(bound, method, false);
    let n = problems.len();
    let mut outputs = OutputCollector::new(u0, n);
    let mut next_output = vec![1; n];
    let mut stats = vec![Stats::default(); n];
    let mut failed = FirstFailure::default();

    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|i| std::cmp::Reverse(recorded[*i].steps.len()));
    let mut state = select_rows(u0, &order, n)?;
    let mut first: Option<Tensor> = None;
    let max_steps = order.first().map_or(0, |i| recorded[*i].steps.len());
    for index in 0..max_steps {
        order.retain(|i| recorded[*i].steps.len() > index);
        if !order.iter().any(|i| failed.is_relevant(*i)) {
            break;
        }
        let batch = to_i64(order.len());
        state = state.f_narrow(0, 0, batch)?;
        first = first.map(|k| k.f_narrow(0, 0, batch)).transpose()?;
        let steps: Vec<Step> = order.iter().map(|i| recorded[*i].steps[index]).collect();
        let samples: Vec<usize> = order.iter().map(|i| problems[*i].sample).collect();
        let mut attempt = stages.try_step(&samples, &steps, &state, first.as_ref())?;
        let evaluations = method.stages() - usize::from(first.is_some());
        let good = bool::try_from(attempt.next.f_isfinite()?.f_all()?)?;
        if !good {
            record_failures(&mut failed, &order, &steps, problems, &state, &attempt.next)?;
        }
        let mut wanted = vec![];
        for (row, &problem) in order.iter().enumerate() {
            stats[problem].evaluations += evaluations;
            stats[problem].steps += 1;
            let time = &mut next_output[problem];
            let before = wanted.len();
            for &output in recorded[problem].outputs_in_step(*time, index) {
                wanted.push(OutputRequest {
                    row,
                    problem,
                    time: *time,
                    output,
                });
                *time += 1;
            }
            stats[problem].evaluations += stages.extra_evaluations(&wanted[before..]);
        }
        outputs.record(&stages, &state, &attempt, &wanted)?;
        first = attempt.k.pop().filter(|_| method.fsal);
        state = attempt.next;
    }
    failed.into_result()?;
    Ok((stats, outputs))
}

/// Records the failures of the rows whose step was not finite.
fn record_failures(
    failed: &mut FirstFailure,
    order: &[usize],
    steps: &[Step],
    problems: &[Problem],
    state: &Tensor,
    next: &Tensor,
) -> TensorResult<()> {
    let (state, next) = (download(state)?, download(next)?);
    let dof = next.len() / order.len().max(1);
    for (row, (&problem, step)) in order.iter().zip(steps).enumerate() {
        let range = row * dof..(row + 1) * dof;
        if !all_finite(&next[range.clone()]) {
            failed.record(problem, || SolveFailure {
                reason: FailureReason::NotFinite,
                t: step.t,
                step: step.h(),
                state: state[range].to_vec(),
                sample: problems[problem].sample,
                method: RunningMethod::default(),
            });
        }
    }
    Ok(())
}
