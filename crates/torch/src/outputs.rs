//! The solution at the requested times: rows gathered step by step, of whichever sample reaches one.

use tch::{Device, Tensor};

use super::device::{download, upload};
use super::stages::{Attempt, Stages, rows};
use crate::error::Result;
use odesync_ode::odesolve::{Output, Problem};

/// A requested time that was reached.
pub(super) struct Wanted {
    /// Row in the batch.
    pub row: usize,
    /// Index of the problem.
    pub problem: usize,
    /// Index of the requested time.
    pub time: usize,
    pub output: Output,
}

/// Rows of the solution in the order in which they were reached.
pub(super) struct Outputs {
    parts: Vec<Tensor>,
    /// Problem and requested time of each row.
    places: Vec<(usize, usize)>,
    u0: Tensor,
}

impl Outputs {
    /// With the initial states, `[problem, dof]`, as the solution at the first times.
    pub fn new(u0: &Tensor, problems: usize) -> Self {
        Outputs {
            parts: vec![u0.shallow_clone()],
            places: (0..problems).map(|i| (i, 0)).collect(),
            u0: u0.shallow_clone(),
        }
    }

    /// Adds what lies in a step from `state`, `[batch, dof]`.
    pub fn add(
        &mut self,
        stages: &Stages,
        state: &Tensor,
        attempt: &Attempt,
        wanted: &[Wanted],
    ) -> Result<()> {
        let batch = attempt.table.steps.len();
        let (mut start, mut end, mut inside) = (vec![], vec![], vec![]);
        for w in wanted {
            match w.output {
                Output::Start => start.push(w),
                Output::End(_) => end.push(w),
                Output::Inside(_, theta) => inside.push((w, theta)),
            }
        }
        if !start.is_empty() {
            let from: Vec<usize> = start.iter().map(|w| w.problem).collect();
            let part = rows(&self.u0, &from, usize::MAX)?;
            self.push(part, start);
        }
        if !end.is_empty() {
            let from: Vec<usize> = end.iter().map(|w| w.row).collect();
            let part = rows(&attempt.next, &from, batch)?;
            self.push(part, end);
        }
        if !inside.is_empty() {
            let part = dense(stages, state, attempt, &inside)?;
            self.push(part, inside.into_iter().map(|(w, _)| w).collect());
        }
        Ok(())
    }

    fn push(&mut self, part: Tensor, of: Vec<&Wanted>) {
        self.parts.push(part);
        self.places.extend(of.iter().map(|w| (w.problem, w.time)));
    }

    /// All rows as one tensor.
    pub fn finish(self) -> Result<Solution> {
        Ok(Solution {
            rows: Tensor::f_cat(&self.parts, 0)?,
            places: self.places,
        })
    }
}

/// The dense output, one row for each requested time.
fn dense(
    stages: &Stages,
    state: &Tensor,
    attempt: &Attempt,
    inside: &[(&Wanted, f64)],
) -> Result<Tensor> {
    let (steps, s) = (&attempt.table.steps, stages.method.all_stages());
    // Extra stages are evaluated in the rows that need them only: elsewhere they could be infinite, which would spoil the
    // gradient.
    let mut used: Vec<usize> = (0..steps.len()).collect();
    if !stages.method.extra.is_empty() {
        used.retain(|row| inside.iter().any(|(w, _)| w.row == *row));
    }
    let state = rows(state, &used, steps.len())?;
    let mut all_k = attempt
        .k
        .iter()
        .map(|k| rows(k, &used, steps.len()))
        .collect::<Result<Vec<_>>>()?;
    stages.extra(attempt, &used, &state, &mut all_k)?;

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
    let mut u = rows(&state, &from, used.len())?;
    for (j, k) in all_k.iter().enumerate() {
        if weights.iter().skip(j).step_by(s).any(|w| *w != 0.0) {
            let k = rows(k, &from, used.len())?;
            u = u.f_addcmul(&k, &all.f_narrow(1, super::device::size(j), 1)?)?;
        }
    }
    Ok(u)
}

/// A batch's solution on its device.
#[derive(Debug)]
pub(super) struct Solution {
    /// `[row, dof]`.
    pub rows: Tensor,
    /// Problem and requested time of each row.
    places: Vec<(usize, usize)>,
}

impl Solution {
    /// The solution of each problem, `[time, dof]`.
    pub fn trajectories(&self, problems: &[Problem], dof: usize) -> Result<Vec<Vec<f64>>> {
        let mut all: Vec<Vec<f64>> = problems
            .iter()
            .map(|p| vec![0.0; p.t.len() * dof])
            .collect();
        let rows = download(&self.rows)?;
        for (&(problem, time), row) in self.places.iter().zip(rows.chunks_exact(dof)) {
            all[problem][time * dof..(time + 1) * dof].copy_from_slice(row);
        }
        Ok(all)
    }

    /// `Σ ⟨bars, u⟩`, `bars[i]` being `[time, dof]` of problem i.
    pub fn product(&self, bars: &[Vec<f64>], dof: usize, device: Device) -> Result<Tensor> {
        let weights: Vec<f64> = self
            .places
            .iter()
            .flat_map(|&(problem, time)| &bars[problem][time * dof..(time + 1) * dof])
            .copied()
            .collect();
        let weights = upload(&weights, &[self.places.len(), dof], device)?;
        Ok(self.rows.f_mul(&weights)?.f_sum(None::<tch::Kind>)?)
    }
}
