//! The stages of one step of every sample of a batch, each with its own time and step size.

use tch::Tensor;

use super::device::upload_rows;
use super::graph::Bound;
use super::outputs::Wanted;
use super::table::{Layout, Table, Term};
use crate::error::Result;
use odesync_ode::odesolve::{Output, Step, Tableau};

/// A method at work on a bound field.
pub(super) struct Stages<'a> {
    pub bound: &'a Bound<'a>,
    pub method: &'static Tableau,
    layout: Layout,
    extra: Layout,
}

/// A step that was tried by every row of a batch.
pub(super) struct Attempt {
    pub table: Table,
    /// The stages, each `[batch, dof]`.
    pub k: Vec<Tensor>,
    /// u⁺, `[batch, dof]`.
    pub next: Tensor,
}

impl<'a> Stages<'a> {
    pub fn new(bound: &'a Bound<'a>, method: &'static Tableau, with_error: bool) -> Self {
        Stages {
            bound,
            method,
            layout: Layout::new(method, with_error),
            extra: Layout::extra(method),
        }
    }

    /// Tries one step of each of these samples from `state`, `[batch, dof]`; `first` is the first stage where it is there.
    pub fn attempt(
        &self,
        samples: &[usize],
        steps: &[Step],
        state: &Tensor,
        first: Option<&Tensor>,
    ) -> Result<Attempt> {
        let nodes = self.method.c.iter().copied();
        let table = Table::new(self.bound, nodes, &self.layout, samples, steps)?;
        let s = self.method.stages();
        let mut k = Vec::with_capacity(s);
        k.push(match first {
            Some(first) => first.shallow_clone(),
            None => self.bound.value(&table.places[0], state)?,
        });
        let mut next = None;
        for i in 1..s {
            let stage = add(Some(state), &self.layout.rows[i], &table, &k)?;
            k.push(self.bound.value(&table.places[i], &stage)?);
            if i == s - 1 && self.method.fsal {
                next = Some(stage);
            }
        }
        let next = match next {
            Some(next) => next,
            None => add(Some(state), &self.layout.rows[s], &table, &k)?,
        };
        Ok(Attempt { table, k, next })
    }

    /// The error estimates of a step, `[batch, dof]` each; the second where the method has one.
    pub fn errors(&self, attempt: &Attempt) -> Result<Vec<Tensor>> {
        let rows = self.layout.rows.iter().skip(self.method.stages() + 1);
        rows.map(|row| add(None, row, &attempt.table, &attempt.k))
            .collect()
    }

    /// How many evaluations the outputs of one sample in a step need.
    pub fn extra_evaluations(&self, wanted: &[Wanted]) -> usize {
        let inside = |w: &Wanted| matches!(w.output, Output::Inside(..));
        if wanted.iter().any(inside) {
            self.method.extra.len()
        } else {
            0
        }
    }

    /// The extra stages of some rows of a step, `state` and `k` being those of these rows; they are added to `k`.
    pub fn extra(
        &self,
        attempt: &Attempt,
        wanted: &[usize],
        state: &Tensor,
        k: &mut Vec<Tensor>,
    ) -> Result<()> {
        if self.method.extra.is_empty() {
            return Ok(());
        }
        let samples: Vec<usize> = wanted.iter().map(|r| attempt.table.samples[*r]).collect();
        let steps: Vec<Step> = wanted.iter().map(|r| attempt.table.steps[*r]).collect();
        let nodes = self.method.extra.iter().map(|e| e.c);
        let table = Table::new(self.bound, nodes, &self.extra, &samples, &steps)?;
        for (row, place) in self.extra.rows.iter().zip(&table.places) {
            let stage = add(Some(state), row, &table, k)?;
            k.push(self.bound.value(place, &stage)?);
        }
        Ok(())
    }
}

/// `u + h Σ_j a_j k_j`, term by term; u is zero where it is None.
fn add(u: Option<&Tensor>, row: &[Term], table: &Table, k: &[Tensor]) -> Result<Tensor> {
    let mut sum = u.map(Tensor::shallow_clone);
    for &term in row {
        let (ha, k) = (table.coefficient(term)?, &k[term.stage]);
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

/// These rows of a batch of `of` rows.
pub(super) fn rows(x: &Tensor, wanted: &[usize], of: usize) -> Result<Tensor> {
    if wanted.len() == of && wanted.iter().enumerate().all(|(i, r)| i == *r) {
        return Ok(x.shallow_clone());
    }
    Ok(x.f_index_select(0, &upload_rows(wanted, x.device())?)?)
}
