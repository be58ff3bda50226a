//! The solution at the output times: rows collected step by step, whenever a sample reaches an output time.

use tch::{Device, Tensor};

use super::device::{download, upload};
use super::stages::{StageEvaluator, StepAttempt, select_rows};
use crate::error::TensorResult;
use odesync_ode::odesolve::{OutputPosition, Problem};

/// An output time that a sample has reached.
pub(super) struct OutputRequest {
    /// Row in the batch.
    pub row: usize,
    /// Index of the problem.
    pub problem: usize,
    /// Index of the output time.
    pub time: usize,
    /// Location of the output time in the step.
    pub output: OutputPosition,
}

/// The rows of the solution, in the order in which their output times were reached.
pub(super) struct OutputCollector {
    parts: Vec<Tensor>,
    /// Problem and output time of each row.
    row_targets: Vec<(usize, usize)>,
    u0: Tensor,
}

impl OutputCollector {
    /// Creates the collector with the initial states, `[problem, dof]`, as the solution at the first output times.
    pub fn new(u0: &Tensor, problems: usize) -> Self {
        OutputCollector {
            parts: vec![u0.shallow_clone()],
            row_targets: (0..problems).map(|i| (i, 0)).collect(),
            u0: u0.shallow_clone(),
        }
    }

    /// Adds the outputs that lie in a step from `state`, `[batch, dof]`.
    pub fn record(
        &mut self,
        stages: &StageEvaluator,
        state: &Tensor,
        attempt: &StepAttempt,
        wanted: &[OutputRequest],
    ) -> TensorResult<()> {
        let batch = attempt.tableau.steps.len();
        let (mut start, mut end, mut inside) = (vec![], vec![], vec![]);
        for w in wanted {
            match w.output {
                OutputPosition::Start => start.push(w),
                OutputPosition::End(_) => end.push(w),
                OutputPosition::Inside(_, theta) => inside.push((w, theta)),
            }
        }
        if !start.is_empty() {
            let from: Vec<usize> = start.iter().map(|w| w.problem).collect();
            let part = select_rows(&self.u0, &from, usize::MAX)?;
            self.push(part, start);
        }
        if !end.is_empty() {
            let from: Vec<usize> = end.iter().map(|w| w.row).collect();
            let part = select_rows(&attempt.next, &from, batch)?;
            self.push(part, end);
        }
        if !inside.is_empty() {
            let part = dense_output(stages, state, attempt, &inside)?;
            self.push(part, inside.into_iter().map(|(w, _)| w).collect());
        }
        Ok(())
    }

    fn push(&mut self, part: Tensor, requests: Vec<&OutputRequest>) {
        self.parts.push(part);
        self.row_targets
            .extend(requests.iter().map(|w| (w.problem, w.time)));
    }

    /// Concatenates all rows to the solution.
    pub fn finish(self) -> TensorResult<TorchSolution> {
        Ok(TorchSolution {
            rows: Tensor::f_cat(&self.parts, 0)?,
            row_targets: self.row_targets,
        })
    }
}

/// Evaluates the dense output, one row for each output time inside the step.
fn dense_output(
    stages: &StageEvaluator,
    state: &Tensor,
    attempt: &StepAttempt,
    inside: &[(&OutputRequest, f64)],
) -> TensorResult<Tensor> {
    let (steps, s) = (&attempt.tableau.steps, stages.method.all_stages());
    // Extra stages are evaluated only in the rows that need them: elsewhere they could be infinite, which would make the
    // gradient NaN.
    let mut used: Vec<usize> = (0..steps.len()).collect();
    if !stages.method.extra_stages.is_empty() {
        used.retain(|row| inside.iter().any(|(w, _)| w.row == *row));
    }
    let state = select_rows(state, &used, steps.len())?;
    let mut all_k = attempt
        .k
        .iter()
        .map(|k| select_rows(k, &used, steps.len()))
        .collect::<TensorResult<Vec<_>>>()?;
    stages.extra_stages(attempt, &used, &state, &mut all_k)?;

    let mut from = vec![];
    let mut weights = vec![0.0; inside.len() * s];
    for ((w, theta), weights) in inside.iter().zip(weights.chunks_exact_mut(s)) {
        from.push(used.partition_point(|row| *row < w.row));
        stages.method.dense_weights(*theta, weights);
        for weight in weights {
            *weight *= steps[w.row].h();
        }
    }
    let all = upload(&weights, &[inside.len(), s], state.device())?;
    let mut u = select_rows(&state, &from, used.len())?;
    for (j, k) in all_k.iter().enumerate() {
        if weights.iter().skip(j).step_by(s).any(|w| *w != 0.0) {
            let k = select_rows(k, &from, used.len())?;
            u = u.f_addcmul(&k, &all.f_narrow(1, super::device::to_i64(j), 1)?)?;
        }
    }
    Ok(u)
}

/// The solution of a batch, on its device.
#[derive(Debug)]
pub(super) struct TorchSolution {
    /// Solution at the output times, `[row, dof]`.
    pub rows: Tensor,
    /// Problem and output time of each row.
    row_targets: Vec<(usize, usize)>,
}

impl TorchSolution {
    /// Returns the solution of each problem, `[time, dof]`.
    pub fn trajectories(&self, problems: &[Problem], dof: usize) -> TensorResult<Vec<Vec<f64>>> {
        let mut all: Vec<Vec<f64>> = problems
            .iter()
            .map(|p| vec![0.0; p.t.len() * dof])
            .collect();
        let rows = download(&self.rows)?;
        for (&(problem, time), row) in self.row_targets.iter().zip(rows.chunks_exact(dof)) {
            all[problem][time * dof..(time + 1) * dof].copy_from_slice(row);
        }
        Ok(all)
    }

    /// Returns the inner product `Σ ⟨bars, u⟩` of cotangents and solution, where `bars[i]` is `[time, dof]` of problem i.
    pub fn inner_product(
        &self,
        bars: &[Vec<f64>],
        dof: usize,
        device: Device,
    ) -> TensorResult<Tensor> {
        let weights: Vec<f64> = self
            .row_targets
            .iter()
            .flat_map(|&(problem, time)| &bars[problem][time * dof..(time + 1) * dof])
            .copied()
            .collect();
        let weights = upload(&weights, &[self.row_targets.len(), dof], device)?;
        Ok(self.rows.f_mul(&weights)?.f_sum(None::<tch::Kind>)?)
    }
}
