//! The numbers of one step of every sample: times of the stages, signals there, and h times the coefficients. They are
//! made on the CPU and sent to the device in one piece each.

use tch::Tensor;

use super::device::{size, upload};
use super::graph::{Bound, Place};
use crate::error::Result;
use odesync_ode::odesolve::{Step, Tableau};

/// The columns of a step's coefficients, zeros left out.
pub(super) struct Layout {
    /// For each stage, then for u⁺, then for the error estimates: the coefficients with their stage and column. Of the dense
    /// output: for each extra stage.
    pub rows: Vec<Vec<Term>>,
    columns: Vec<f64>,
}

/// One coefficient: it multiplies `k[stage]` and stands in this column.
#[derive(Clone, Copy)]
pub(super) struct Term {
    pub stage: usize,
    pub column: i64,
}

impl Layout {
    pub fn new(method: &Tableau, with_error: bool) -> Self {
        let estimates = method.error.iter().chain(&method.second_error);
        let estimates = estimates.filter(|_| with_error);
        let step = method.a.iter().chain(std::iter::once(&method.b));
        Self::of(step.chain(estimates).copied())
    }

    /// The layout of the extra stages.
    pub fn extra(method: &Tableau) -> Self {
        Self::of(method.extra.iter().map(|e| e.a))
    }

    fn of<'a>(rows: impl Iterator<Item = &'a [f64]>) -> Self {
        let mut layout = Layout {
            rows: vec![],
            columns: vec![],
        };
        rows.for_each(|row| layout.push(row));
        layout
    }

    fn push(&mut self, coefficients: &[f64]) {
        let mut row = vec![];
        for (stage, &a) in coefficients.iter().enumerate() {
            if a != 0.0 {
                let column = size(self.columns.len());
                row.push(Term { stage, column });
                self.columns.push(a);
            }
        }
        self.rows.push(row);
    }
}

/// One step of each row of a batch.
pub(super) struct Table {
    /// h times each coefficient, `[batch, column]`.
    pub coefficients: Tensor,
    /// Where each stage is evaluated.
    pub places: Vec<Place>,
    /// The samples.
    pub samples: Vec<usize>,
    /// Their steps.
    pub steps: Vec<Step>,
}

impl Table {
    /// The table of the steps of some samples, with the nodes of the stages.
    pub fn new(
        bound: &Bound,
        nodes: impl Iterator<Item = f64>,
        layout: &Layout,
        samples: &[usize],
        steps: &[Step],
    ) -> Result<Self> {
        let coefficients: Vec<f64> = steps
            .iter()
            .flat_map(|step| layout.columns.iter().map(move |a| step.h() * a))
            .collect();
        let times: Vec<f64> = nodes
            .flat_map(|c| steps.iter().map(move |s| s.node(c)))
            .collect();
        Ok(Table {
            coefficients: upload(
                &coefficients,
                &[steps.len(), layout.columns.len()],
                bound.device,
            )?,
            places: places(bound, samples, &times)?,
            samples: samples.to_vec(),
            steps: steps.to_vec(),
        })
    }

    /// h times a coefficient, `[batch, 1]`.
    pub fn coefficient(&self, term: Term) -> Result<Tensor> {
        Ok(self.coefficients.f_narrow(1, term.column, 1)?)
    }
}

/// Where a batch is evaluated at some stages; `times` is `[stage, sample]`.
pub(super) fn places(bound: &Bound, samples: &[usize], times: &[f64]) -> Result<Vec<Place>> {
    let batch = samples.len();
    let stages = times.len() / batch.max(1);
    let mut places: Vec<Place> = vec![];
    places.resize_with(stages, Place::default);
    if bound.uses_time {
        let all = upload(times, &[stages, batch, 1], bound.device)?;
        for (i, place) in places.iter_mut().enumerate() {
            place.t = Some(all.f_select(0, size(i))?);
        }
    }
    for &index in &bound.signals {
        let signal = &bound.field.signals()[index];
        let dof = signal.dof();
        let mut values = vec![0.0; times.len() * dof];
        let owners = samples.iter().cycle();
        for ((out, t), sample) in values.chunks_exact_mut(dof).zip(times).zip(owners) {
            signal.value((*sample).min(signal.samples() - 1), *t, out);
        }
        let all = upload(&values, &[stages, batch, dof], bound.device)?;
        for (i, place) in places.iter_mut().enumerate() {
            place.signals.push(all.f_select(0, size(i))?);
        }
    }
    Ok(places)
}
