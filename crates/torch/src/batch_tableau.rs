//! The coefficients of one step of every sample: times of the stages, signals there, and h times the coefficients of the
//! tableau. They are computed on the CPU and sent to the device in one piece each.

use tch::Tensor;

use super::bound_field::{BoundField, EvalPoint};
use super::device::{to_i64, upload};
use crate::error::TensorResult;
use odesync_ode::odesolve::{Step, Tableau};

/// The layout of a tableau's coefficients as columns of a matrix, without the zeros.
pub(super) struct CoefficientLayout {
    /// Coefficients, with their stage and column, of each stage, then of u⁺, then of the error estimates; in the layout of the
    /// extra stages, of each extra stage.
    pub rows: Vec<Vec<TableauTerm>>,
    columns: Vec<f64>,
}

/// One coefficient of a tableau: it multiplies `k[stage]` and is in this column of the matrix.
#[derive(Clone, Copy)]
pub(super) struct TableauTerm {
    pub stage: usize,
    pub column: i64,
}

impl CoefficientLayout {
    pub fn new(method: &Tableau, with_error: bool) -> Self {
        let estimates = method.error.iter().chain(&method.second_error);
        let estimates = estimates.filter(|_| with_error);
        let step = method.a.iter().chain(std::iter::once(&method.b));
        Self::from_rows(step.chain(estimates).copied())
    }

    /// Returns the layout of the extra stages of the dense output.
    pub fn extra(method: &Tableau) -> Self {
        Self::from_rows(method.extra_stages.iter().map(|e| e.a))
    }

    fn from_rows<'a>(rows: impl Iterator<Item = &'a [f64]>) -> Self {
        let mut layout = CoefficientLayout {
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
                let column = to_i64(self.columns.len());
                row.push(TableauTerm { stage, column });
                self.columns.push(a);
            }
        }
        self.rows.push(row);
    }
}

/// The coefficients of one step of each row of a batch.
pub(super) struct BatchTableau {
    /// h times each coefficient, `[batch, column]`.
    pub coefficients: Tensor,
    /// Evaluation point of each stage.
    pub eval_points: Vec<EvalPoint>,
    /// Sample of each row.
    pub samples: Vec<usize>,
    /// Step of each row.
    pub steps: Vec<Step>,
}

impl BatchTableau {
    /// Computes the coefficients of the steps of these samples, with the nodes of the stages.
    pub fn new(
        bound: &BoundField,
        nodes: impl Iterator<Item = f64>,
        layout: &CoefficientLayout,
        samples: &[usize],
        steps: &[Step],
    ) -> TensorResult<Self> {
        let coefficients: Vec<f64> = steps
            .iter()
            .flat_map(|step| layout.columns.iter().map(move |a| step.h() * a))
            .collect();
        let times: Vec<f64> = nodes
            .flat_map(|c| steps.iter().map(move |s| s.time_at(c)))
            .collect();
        Ok(BatchTableau {
            coefficients: upload(
                &coefficients,
                &[steps.len(), layout.columns.len()],
                bound.device,
            )?,
            eval_points: eval_points(bound, samples, &times)?,
            samples: samples.to_vec(),
            steps: steps.to_vec(),
        })
    }

    /// Returns h times a coefficient, `[batch, 1]`.
    pub fn coefficient(&self, term: TableauTerm) -> TensorResult<Tensor> {
        Ok(self.coefficients.f_narrow(1, term.column, 1)?)
    }
}

/// Returns the evaluation point of a batch at each stage; `times` is `[stage, sample]`.
pub(super) fn eval_points(
    bound: &BoundField,
    samples: &[usize],
    times: &[f64],
) -> TensorResult<Vec<EvalPoint>> {
    let batch = samples.len();
    let stages = times.len() / batch.max(1);
    let mut points: Vec<EvalPoint> = vec![];
    points.resize_with(stages, EvalPoint::default);
    if bound.uses_time {
        let all = upload(times, &[stages, batch, 1], bound.device)?;
        for (i, point) in points.iter_mut().enumerate() {
            point.t = Some(all.f_select(0, to_i64(i))?);
        }
    }
    for &index in &bound.signals {
        let signal = &bound.field.signals()[index];
        let dof = signal.dof();
        let mut values = vec![0.0; times.len() * dof];
        let cycled = samples.iter().cycle();
        for ((out, t), sample) in values.chunks_exact_mut(dof).zip(times).zip(cycled) {
            signal.value((*sample).min(signal.n_samples() - 1), *t, out);
        }
        let all = upload(&values, &[stages, batch, dof], bound.device)?;
        for (i, point) in points.iter_mut().enumerate() {
            point.signals.push(all.f_select(0, to_i64(i))?);
        }
    }
    Ok(points)
}
