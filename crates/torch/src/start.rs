//! The start of a batch: its initial states, first stages and first step sizes.

use super::batch_integrator::BatchIntegrator;
use super::batch_tableau::eval_points;
use super::device::{download, upload};
use crate::error::TensorResult;
use odesync_ode::odesolve::stepping::{FirstStep, all_finite};
use odesync_ode::odesolve::{FailureReason, SolveOptions};

impl BatchIntegrator<'_> {
    /// Checks the initial states; for adaptive steps, evaluates the first stage and chooses the first step sizes.
    pub fn initialize(&mut self) -> TensorResult<()> {
        for i in 0..self.problems.len() {
            if !all_finite(&self.samples[i].state) {
                self.fail(i, FailureReason::NotFinite);
            }
        }
        let has_steps: Vec<bool> = self.problems.iter().map(|p| p.t.len() > 1).collect();
        self.retain(&has_steps)?;
        if self.options.is_fixed_step() || self.active.is_empty() {
            return Ok(());
        }
        let times: Vec<f64> = self.active.iter().map(|i| self.problems[*i].t[0]).collect();
        let bound = self.stages.bound;
        let points = eval_points(bound, &self.signal_samples(), &times)?;
        let first = bound.eval(&points[0], &self.state)?;
        let f = download(&first)?;
        self.first_stage = Some(first);
        let dof = bound.field.dof();
        for (i, f) in self.active.clone().into_iter().zip(f.chunks_exact(dof)) {
            self.samples[i].stats.evaluations += 1;
            self.samples[i].has_first_stage = true;
            if !all_finite(f) {
                self.fail(i, FailureReason::NotFinite);
            }
        }
        match self.options.first_step {
            Some(h) => {
                for &i in &self.active {
                    self.samples[i].stepper.set_initial_step(h);
                }
            }
            None => self.set_initial_steps(&f)?,
        }
        self.retain(&vec![true; self.active.len()])
    }

    /// Sets the first step sizes, from a trial step of Euler's method; `f` is `[row, dof]`.
    fn set_initial_steps(&mut self, f: &[f64]) -> TensorResult<()> {
        let (dof, n) = (self.stages.bound.field.dof(), self.active.len());
        let SolveOptions { rtol, atol, .. } = self.options;
        let (mut trials, mut ends, mut times) = (vec![], vec![], vec![]);
        for (&i, f) in self.active.iter().zip(f.chunks_exact(dof)) {
            let sample = &self.samples[i];
            let trial = FirstStep::new(&sample.state, f, *rtol, atol, sample.stepper.span());
            let h = sample.stepper.sign() * trial.trial;
            ends.extend(sample.state.iter().zip(f).map(|(u, f)| u + h * f));
            times.push(sample.stepper.t + h);
            trials.push(trial);
        }
        let bound = self.stages.bound;
        let points = eval_points(bound, &self.signal_samples(), &times)?;
        let end = upload(&ends, &[n, dof], bound.device)?;
        let f_end = download(&bound.eval(&points[0], &end)?)?;
        for (row, (&i, trial)) in self.active.iter().zip(&trials).enumerate() {
            let range = row * dof..(row + 1) * dof;
            let change: Vec<f64> = f_end[range.clone()]
                .iter()
                .zip(&f[range])
                .map(|(a, b)| a - b)
                .collect();
            let sample = &mut self.samples[i];
            sample.stats.evaluations += 1;
            let size = trial.size(&change, self.options.solver.order);
            let size = sample.stepper.at_least_resolved(size);
            sample.stepper.set_initial_step(size);
        }
        Ok(())
    }
}
