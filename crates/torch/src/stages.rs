//! The stages of one step of every sample of a batch, each with its own time and step size.

use tch::Tensor;

use super::batch_tableau::{BatchTableau, CoefficientLayout, TableauTerm};
use super::bound_field::BoundField;
use super::device::upload_rows;
use super::outputs::OutputRequest;
use crate::error::TensorResult;
use odesync_ode::odesolve::{OutputPosition, Step, Tableau};

/// The evaluator of a method's stages on a bound field.
pub(super) struct StageEvaluator<'a> {
    pub bound: &'a BoundField<'a>,
    pub method: &'static Tableau,
    step_layout: CoefficientLayout,
    extra_layout: CoefficientLayout,
}

/// The stages and the result of one step attempt of every row of a batch.
pub(super) struct StepAttempt {
    pub tableau: BatchTableau,
    /// Stages, each `[batch, dof]`.
    pub k: Vec<Tensor>,
    /// State u⁺ after the step, `[batch, dof]`.
    pub next: Tensor,
}

impl<'a> StageEvaluator<'a> {
    /// Creates the evaluator of a method's stages, with error estimates if `with_error`.
    pub fn new(bound: &'a BoundField<'a>, method: &'static Tableau, with_error: bool) -> Self {
        StageEvaluator {
            bound,
            method,
            step_layout: CoefficientLayout::new(method, with_error),
            extra_layout: CoefficientLayout::extra(method),
        }
    }

    /// Attempts one step of each of these samples from `state`, `[batch, dof]`; `first` is the first stage, where it is known.
    pub fn try_step(
        &self,
        samples: &[usize],
        steps: &[Step],
        state: &Tensor,
        first: Option<&Tensor>,
    ) -> TensorResult<StepAttempt> {
        let nodes = self.method.c.iter().copied();
        let tableau = BatchTableau::new(self.bound, nodes, &self.step_layout, samples, steps)?;
        let s = self.method.stages();
        let mut k = Vec::with_capacity(s);
        k.push(match first {
            Some(first) => first.shallow_clone(),
            None => self.bound.eval(&tableau.eval_points[0], state)?,
        });
        let mut next = None;
        for i in 1..s {
            let stage = linear_combination(Some(state), &self.step_layout.rows[i], &tableau, &k)?;
            k.push(self.bound.eval(&tableau.eval_points[i], &stage)?);
            if i == s - 1 && self.method.fsal {
                next = Some(stage);
            }
        }
        let next = match next {
            Some(next) => next,
            None => linear_combination(Some(state), &self.step_layout.rows[s], &tableau, &k)?,
        };
        Ok(StepAttempt { tableau, k, next })
    }

    /// Returns the error estimates of a step, `[batch, dof]` each; a second one where the method has it.
    pub fn error_estimates(&self, attempt: &StepAttempt) -> TensorResult<Vec<Tensor>> {
        let rows = self.step_layout.rows.iter().skip(self.method.stages() + 1);
        rows.map(|row| linear_combination(None, row, &attempt.tableau, &attempt.k))
            .collect()
    }

    /// Returns the number of evaluations that the outputs of one sample in a step need.
    pub fn extra_evaluations(&self, wanted: &[OutputRequest]) -> usize {
        let inside = |w: &OutputRequest| matches!(w.output, OutputPosition::Inside(..));
        if wanted.iter().any(inside) {
            self.method.extra_stages.len()
        } else {
            0
        }
    }

    /// Evaluates the extra stages of some rows of a step and appends them to `k`; `state` and `k` are those of these rows.
    pub fn extra_stages(
        &self,
        attempt: &StepAttempt,
        wanted: &[usize],
        state: &Tensor,
        k: &mut Vec<Tensor>,
    ) -> TensorResult<()> {
        if self.method.extra_stages.is_empty() {
            return Ok(());
        }
        let samples: Vec<usize> = wanted.iter().map(|r| attempt.tableau.samples[*r]).collect();
        let steps: Vec<Step> = wanted.iter().map(|r| attempt.tableau.steps[*r]).collect();
        let nodes = self.method.extra_stages.iter().map(|e| e.c);
        let tableau = BatchTableau::new(self.bound, nodes, &self.extra_layout, &samples, &steps)?;
        for (row, point) in self.extra_layout.rows.iter().zip(&tableau.eval_points) {
            let stage = linear_combination(Some(state), row, &tableau, k)?;
            k.push(self.bound.eval(point, &stage)?);
        }
        Ok(())
    }
}

/// Returns `u + h Σ_j a_j k_j`, term by term; u is zero where it is `None`.
fn linear_combination(
    u: Option<&Tensor>,
    row: &[TableauTerm],
    tableau: &BatchTableau,
    k: &[Tensor],
) -> TensorResult<Tensor> {
    let mut sum = u.map(Tensor::shallow_clone);
    for &term in row {
        let (ha, k) = (tableau.coefficient(term)?, &k[term.stage]);
        sum = Some(match sum {
            Some(sum) => sum.f_addcmul(k, &ha)?,
            None => k.f_mul(&ha)?,
        });
    }
    match sum {
        Some(sum) => Ok(sum),
        None => Ok(k[0].f_zeros_like()?),
    }
}

/// Returns the rows `wanted` of a batch of `n` rows.
pub(super) fn select_rows(x: &Tensor, wanted: &[usize], n: usize) -> TensorResult<Tensor> {
    if wanted.len() == n && wanted.iter().enumerate().all(|(i, r)| i == *r) {
        return Ok(x.shallow_clone());
    }
    Ok(x.f_index_select(0, &upload_rows(wanted, x.device())?)?)
}
