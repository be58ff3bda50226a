//! Choosing the steps of a batch, without recording.

use tch::Tensor;

use super::device::{download, size, upload};
use super::engine::tableau;
use super::failed::Failed;
use super::graph::Bound;
use super::outputs::{Outputs, Wanted};
use super::stages::{Attempt, Stages, rows};
use crate::error::Result;
use odesync_ode::odesolve::stepping::{Stepper, error_norm, finite, joint_norm};
use odesync_ode::odesolve::{
    FailureReason, Output, Problem, SolveFailure, SolveOptions, Stats, Step, StepPlan,
};

/// One problem on its way.
pub(super) struct Sample<'a> {
    pub stepper: Stepper<'a>,
    plan: StepPlan,
    pub stats: Stats,
    pub state: Vec<f64>,
    /// Whether the last attempt was finite throughout.
    finite: bool,
    /// Whether its first stage of the next attempt needs no evaluation. (In a batch it may be evaluated again for others' sake.)
    pub first: bool,
}

/// A batch on its way.
pub(super) struct Run<'a> {
    pub stages: Stages<'a>,
    pub problems: &'a [Problem<'a>],
    pub options: &'a SolveOptions,
    pub samples: Vec<Sample<'a>>,
    /// The problems that are not done, one for each row of `state` and `first`.
    pub active: Vec<usize>,
    pub state: Tensor,
    /// The first stage of the next step, where it is known.
    pub first: Option<Tensor>,
    failed: Failed,
    outputs: Outputs,
}

impl<'a> Run<'a> {
    /// Solves every problem: plans, costs and solutions.
    pub fn solve(
        bound: &'a Bound<'a>,
        problems: &'a [Problem<'a>],
        options: &'a SolveOptions,
    ) -> Result<(Vec<StepPlan>, Vec<Stats>, Outputs)> {
        let all: Vec<f64> = problems.iter().flat_map(|p| p.u0).copied().collect();
        let u0 = upload(&all, &[problems.len(), bound.field.dof()], bound.device)?;
        let sample = |problem: &Problem<'a>| Sample {
            stepper: Stepper::new(
                problem.t,
                options,
                &bound.field.breakpoints(problem.sample),
                vec![],
            ),
            plan: StepPlan {
                steps: vec![],
                outputs: vec![Output::Start],
                variants: vec![],
            },
            stats: Stats::default(),
            state: problem.u0.to_vec(),
            finite: true,
            first: false,
        };
        let mut run = Run {
            stages: Stages::new(bound, tableau(options)?, !options.fixed()),
            problems,
            options,
            samples: problems.iter().map(sample).collect(),
            active: (0..problems.len()).collect(),
            outputs: Outputs::new(&u0, problems.len()),
            state: u0,
            first: None,
            failed: Failed::default(),
        };
        run.start()?;
        while run.step()? {}
        run.failed.check()?;
        let (plans, stats) = run.samples.into_iter().map(|s| (s.plan, s.stats)).unzip();
        Ok((plans, stats, run.outputs))
    }

    pub fn fail(&mut self, problem: usize, reason: FailureReason) {
        let sample = &self.samples[problem];
        let of = self.problems[problem].sample;
        self.failed.note(problem, || SolveFailure {
            reason,
            t: sample.stepper.t,
            step: sample.stepper.tried,
            state: sample.state.clone(),
            sample: of,
        });
    }

    /// Goes on with those active problems only that are wanted and can still change the result.
    pub fn keep(&mut self, wanted: &[bool]) -> Result<()> {
        let kept: Vec<usize> = (0..self.active.len())
            .filter(|r| wanted[*r] && self.failed.matters(self.active[*r]))
            .collect();
        let n = self.active.len();
        if kept.len() == n {
            return Ok(());
        }
        self.active = kept.iter().map(|r| self.active[*r]).collect();
        if !kept.is_empty() {
            self.state = rows(&self.state, &kept, n)?;
            self.first = self.first.take().map(|k| rows(&k, &kept, n)).transpose()?;
        }
        Ok(())
    }

    /// The sample of the field's signals of each row.
    pub fn signal_samples(&self) -> Vec<usize> {
        self.active
            .iter()
            .map(|i| self.problems[*i].sample)
            .collect()
    }

    /// One attempt of every active problem; false when none is left.
    fn step(&mut self) -> Result<bool> {
        let mut steps: Vec<Option<Step>> = vec![];
        for i in self.active.clone() {
            let sample = &mut self.samples[i];
            let finite = sample.finite;
            steps.push(match sample.stepper.next(|| finite) {
                Ok(step) => step,
                Err(reason) => {
                    self.fail(i, reason);
                    None
                }
            });
        }
        let going: Vec<bool> = steps.iter().map(Option::is_some).collect();
        let steps: Vec<Step> = steps
            .into_iter()
            .zip(&self.active)
            .filter(|(_, i)| self.failed.matters(**i))
            .filter_map(|(step, _)| step)
            .collect();
        self.keep(&going)?;
        if self.active.is_empty() {
            return Ok(false);
        }
        let first = self.first.as_ref();
        let attempt = self
            .stages
            .attempt(&self.signal_samples(), &steps, &self.state, first)?;
        for &i in &self.active {
            let sample = &mut self.samples[i];
            sample.stats.evaluations += self.stages.method.stages() - usize::from(sample.first);
            sample.first = true;
        }
        let accepted = if self.options.fixed() {
            self.check_fixed(&attempt)?
        } else {
            self.judge(&attempt, &steps)?
        };
        self.accept(attempt, &steps, &accepted)?;
        Ok(true)
    }

    /// Which rows are finite after a fixed step; the others fail.
    fn check_fixed(&mut self, attempt: &Attempt) -> Result<Vec<bool>> {
        let dof = self.stages.bound.field.dof();
        let next = download(&attempt.next)?;
        let mut accepted = vec![];
        for (i, next) in self.active.clone().into_iter().zip(next.chunks_exact(dof)) {
            accepted.push(finite(next));
            if finite(next) {
                self.samples[i].state.copy_from_slice(next);
            } else {
                self.fail(i, FailureReason::NotFinite);
            }
        }
        Ok(accepted)
    }

    /// Which rows' adaptive steps are accepted, by the error estimate.
    fn judge(&mut self, attempt: &Attempt, steps: &[Step]) -> Result<Vec<bool>> {
        let dof = self.stages.bound.field.dof();
        let SolveOptions { rtol, atol, .. } = *self.options;
        // 0 where all stages of a row are finite, else NaN.
        let zero = Tensor::f_cat(&attempt.k, 1)?
            .f_mul_scalar(0.0)?
            .f_sum_dim_intlist([1_i64].as_slice(), true, None)?;
        let mut parts = self.stages.errors(attempt)?;
        let estimates = parts.len();
        parts.extend([attempt.next.shallow_clone(), zero]);
        let all = download(&Tensor::f_cat(&parts, 1)?)?;
        let mut accepted = vec![];
        for ((&i, row), step) in self
            .active
            .iter()
            .zip(all.chunks_exact((estimates + 1) * dof + 1))
            .zip(steps)
        {
            let (errors, rest) = row.split_at(estimates * dof);
            let (next, zero) = rest.split_at(dof);
            let sample = &mut self.samples[i];
            let norm = errors
                .chunks_exact(dof)
                .map(|error| error_norm(error, &sample.state, next, rtol, atol))
                .reduce(joint_norm)
                .unwrap_or(0.0);
            let stages_finite = finite(zero);
            sample.finite = stages_finite && finite(next);
            let good = sample.stepper.judge(*step, norm, || stages_finite);
            if good {
                sample.state.copy_from_slice(next);
                sample.finite = true;
            } else {
                sample.stats.rejected += 1;
            }
            accepted.push(good);
        }
        Ok(accepted)
    }

    /// Moves the accepted rows on.
    fn accept(&mut self, attempt: Attempt, steps: &[Step], accepted: &[bool]) -> Result<()> {
        let mut wanted = vec![];
        for (row, (&problem, &step)) in self.active.iter().zip(steps).enumerate() {
            if !accepted[row] {
                continue;
            }
            let sample = &mut self.samples[problem];
            let index = sample.plan.steps.len();
            let before = wanted.len();
            while let Some(output) = sample.stepper.next_output(index, step) {
                wanted.push(Wanted {
                    row,
                    problem,
                    time: sample.plan.outputs.len(),
                    output,
                });
                sample.plan.outputs.push(output);
            }
            sample.stats.evaluations += self.stages.extra_evaluations(&wanted[before..]);
            sample.plan.steps.push(step);
            sample.stats.steps += 1;
            sample.stepper.advance(step);
            sample.first = self.stages.method.fsal;
        }
        self.outputs
            .add(&self.stages, &self.state, &attempt, &wanted)?;
        let Attempt { mut k, next, .. } = attempt;
        if !accepted.contains(&true) {
            self.first = Some(k.swap_remove(0));
            return Ok(());
        }
        let last = k.pop().filter(|_| self.stages.method.fsal);
        if accepted.contains(&false) {
            let n = size(accepted.len());
            let mask = Tensor::f_from_slice(accepted)?
                .f_reshape([n, 1])?
                .f_to_device(self.stages.bound.device)?;
            self.state = next.f_where_self(&mask, &self.state)?;
            self.first = match (last, &self.first) {
                (Some(last), Some(first)) => Some(last.f_where_self(&mask, first)?),
                (last, _) => last,
            };
        } else {
            self.state = next;
            self.first = last;
        }
        Ok(())
    }
}
