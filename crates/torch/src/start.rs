//! The start of a batch: its initial states, first stages and first step sizes.

use super::adaptive::Run;
use super::device::{download, upload};
use super::table::places;
use crate::error::Result;
use odesync_ode::odesolve::stepping::{FirstStep, finite};
use odesync_ode::odesolve::{FailureReason, SolveOptions};

impl Run<'_> {
    /// Checks the initial states; for adaptive steps, evaluates the first stage and chooses the first step sizes.
    pub fn start(&mut self) -> Result<()> {
        for i in 0..self.problems.len() {
            if !finite(&self.samples[i].state) {
                self.fail(i, FailureReason::NotFinite);
            }
        }
        let to_do: Vec<bool> = self.problems.iter().map(|p| p.t.len() > 1).collect();
        self.keep(&to_do)?;
        if self.options.fixed() || self.active.is_empty() {
            return Ok(());
        }
        let times: Vec<f64> = self.active.iter().map(|i| self.problems[*i].t[0]).collect();
        let bound = self.stages.bound;
        let place = places(bound, &self.signal_samples(), &times)?;
        let first = bound.value(&place[0], &self.state)?;
        let f = download(&first)?;
        self.first = Some(first);
        let dof = bound.field.dof();
        for (i, f) in self.active.clone().into_iter().zip(f.chunks_exact(dof)) {
            self.samples[i].stats.evaluations += 1;
            self.samples[i].first = true;
            if !finite(f) {
                self.fail(i, FailureReason::NotFinite);
            }
        }
        match self.options.first_step {
            Some(h) => {
                for &i in &self.active {
                    self.samples[i].stepper.begin(h);
                }
            }
            None => self.first_steps(&f)?,
        }
        self.keep(&vec![true; self.active.len()])
    }

    /// The first step sizes, from a trial step of Euler's method; `f` is `[row, dof]`.
    fn first_steps(&mut self, f: &[f64]) -> Result<()> {
        let (dof, n) = (self.stages.bound.field.dof(), self.active.len());
        let SolveOptions { rtol, atol, .. } = *self.options;
        let (mut trials, mut ends, mut times) = (vec![], vec![], vec![]);
        for (&i, f) in self.active.iter().zip(f.chunks_exact(dof)) {
            let sample = &self.samples[i];
            let trial = FirstStep::new(&sample.state, f, rtol, atol);
            let h = sample.stepper.sign() * trial.trial;
            ends.extend(sample.state.iter().zip(f).map(|(u, f)| u + h * f));
            times.push(sample.stepper.t + h);
            trials.push(trial);
        }
        let bound = self.stages.bound;
        let place = places(bound, &self.signal_samples(), &times)?;
        let end = upload(&ends, &[n, dof], bound.device)?;
        let there = download(&bound.value(&place[0], &end)?)?;
        for (row, (&i, trial)) in self.active.iter().zip(&trials).enumerate() {
            let range = row * dof..(row + 1) * dof;
            let change: Vec<f64> = there[range.clone()]
                .iter()
                .zip(&f[range])
                .map(|(a, b)| a - b)
                .collect();
            let sample = &mut self.samples[i];
            sample.stats.evaluations += 1;
            sample
                .stepper
                .begin(trial.size(&change, self.options.method.order));
        }
        Ok(())
    }
}
