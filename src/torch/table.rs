//! The numbers of one step of every sample: times of the stages, signals there, and h times the coefficients. They are
//! made on the CPU and sent to the device in one piece each.

use tch::Tensor;

use super::device::{size, upload};
use super::graph::{Bound, Place};
use crate::Result;
use crate::odesolve::{Step, Tableau};

/// The columns of a step's coefficients, zeros left out.
pub(super) struct Layout {
    /// For each stage, then for u⁺, then for the error estimate: the coefficients with their stage and column.
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
        let mut layout = Layout {
            rows: vec![],
            columns: vec![],
        };
        for a in method.a {
            layout.push(a);
        }
        layout.push(method.b);
        if let (Some(error), true) = (method.error, with_error) {
            layout.push(error);
        }
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
    /// Step sizes.
    pub h: Vec<f64>,
}

impl Table {
    /// The table of the steps of some samples.
    pub fn new(
        bound: &Bound,
        method: &Tableau,
        layout: &Layout,
        samples: &[usize],
        steps: &[Step],
    ) -> Result<Self> {
        let h: Vec<f64> = steps.iter().map(Step::h).collect();
        let coefficients: Vec<f64> = h
            .iter()
            .flat_map(|h| layout.columns.iter().map(move |a| h * a))
            .collect();
        let times: Vec<f64> = method
            .c
            .iter()
            .flat_map(|c| steps.iter().map(move |s| s.node(*c)))
            .collect();
        Ok(Table {
            coefficients: upload(
                &coefficients,
                &[h.len(), layout.columns.len()],
                bound.device,
            )?,
            places: places(bound, samples, &times)?,
            h,
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
