//! The integrator of a batch that chooses its steps, without recording derivatives.

use tch::Tensor;

use super::bound_field::BoundField;
use super::device::{download, to_i64, upload};
use super::engine::explicit_tableau;
use super::first_failure::FirstFailure;
use super::outputs::{OutputCollector, OutputRequest};
use super::stages::{StageEvaluator, StepAttempt, select_rows};
use crate::error::TensorResult;
use odesync_ode::odesolve::stepping::{StepSequencer, all_finite, error_norm, joint_norm};
use odesync_ode::odesolve::{
    FailureReason, OutputPosition, Problem, RecordedSteps, SolveOptions, Stats, Step,
};

/// The state of the integration of one problem.
pub(super) struct SampleState<'a> {
    pub stepper: StepSequencer<'a>,
    recorded: RecordedSteps,
    pub stats: Stats,
    pub state: Vec<f64>,
    /// Whether all stages and the result of the last step attempt were finite.
    last_finite: bool,
    /// Whether the first stage of the next step attempt is known. (It may be evaluated again all the same, where another problem
    /// of the batch needs it.)
    pub has_first_stage: bool,
}

/// The integration of a batch of problems.
pub(super) struct BatchIntegrator<'a> {
    pub stages: StageEvaluator<'a>,
    pub problems: &'a [Problem<'a>],
    pub options: &'a SolveOptions,
    pub samples: Vec<SampleState<'a>>,
    /// Indices of the problems that are not done, one for each row of `state` and `first_stage`.
    pub active: Vec<usize>,
    pub state: Tensor,
    /// First stages of the next step, `[row, dof]`, where they are known.
    pub first_stage: Option<Tensor>,
    first_failure: FirstFailure,
    outputs: OutputCollector,
}

impl<'a> BatchIntegrator<'a> {
    /// Solves every problem and returns the recorded steps, the statistics and the solutions.
    pub fn solve(
        bound: &'a BoundField<'a>,
        problems: &'a [Problem<'a>],
        options: &'a SolveOptions,
    ) -> TensorResult<(Vec<RecordedSteps>, Vec<Stats>, OutputCollector)> {
        let all: Vec<f64> = problems.iter().flat_map(|p| p.u0).copied().collect();
        let u0 = upload(&all, &[problems.len(), bound.field.dof()], bound.device)?;
        let sample = |problem: &Problem<'a>| SampleState {
            stepper: StepSequencer::new(
                problem.t,
                options,
                &bound.field.breakpoints_within(problem.sample, problem.t),
                vec![],
            ),
            recorded: RecordedSteps {
                steps: vec![],
                outputs: vec![OutputPosition::Start],
                variants: vec![],
            },
            stats: Stats::default(),
            state: problem.u0.to_vec(),
            last_finite: true,
            has_first_stage: false,
        };
        let mut integrator = BatchIntegrator {
            stages: StageEvaluator::new(
                bound,
                explicit_tableau(options)?,
                !options.is_fixed_step(),
            ),
            problems,
            options,
            samples: problems.iter().map(sample).collect(),
            active: (0..problems.len()).collect(),
            outputs: OutputCollector::new(&u0, problems.len()),
            state: u0,
            first_stage: None,
            first_failure: FirstFailure::default(),
        };
        integrator.initialize()?;
        while integrator.step()? {}
        integrator.first_failure.into_result()?;
        let samples = integrator.samples.into_iter();
        let (recorded, stats) = samples.map(|s| (s.recorded, s.stats)).unzip();
        Ok((recorded, stats, integrator.outputs))
    }

    /// Records that a problem failed.
    pub fn fail(&mut self, problem: usize, reason: FailureReason) {
        let SampleState { stepper, state, .. } = &self.samples[problem];
        let sample = self.problems[problem].sample;
        self.first_failure
            .record(problem, || stepper.failure(reason, state, sample));
    }

    /// Retains the active problems that are wanted, one flag for each row, and that can still change the result.
    pub fn retain(&mut self, wanted: &[bool]) -> TensorResult<()> {
        let rows: Vec<usize> = (0..self.active.len())
            .filter(|r| wanted[*r] && self.first_failure.is_relevant(self.active[*r]))
            .collect();
        let n = self.active.len();
        if rows.len() == n {
            return Ok(());
        }
        self.active = rows.iter().map(|r| self.active[*r]).collect();
        if !rows.is_empty() {
            self.state = select_rows(&self.state, &rows, n)?;
            self.first_stage = self
                .first_stage
                .take()
                .map(|k| select_rows(&k, &rows, n))
                .transpose()?;
        }
        Ok(())
    }

    /// Returns the index of each row's sample in the field's signals.
    pub fn signal_samples(&self) -> Vec<usize> {
        self.active
            .iter()
            .map(|i| self.problems[*i].sample)
            .collect()
    }

    /// Attempts one step of every active problem; returns false when no problem is active.
    fn step(&mut self) -> TensorResult<bool> {
        let mut steps: Vec<Option<Step>> = vec![];
        for i in self.active.clone() {
            let sample = &mut self.samples[i];
            let finite = sample.last_finite;
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
            .filter(|(_, i)| self.first_failure.is_relevant(**i))
            .filter_map(|(step, _)| step)
            .collect();
        self.retain(&going)?;
        if self.active.is_empty() {
            return Ok(false);
        }
        let first = self.first_stage.as_ref();
        let attempt = self
            .stages
            .try_step(&self.signal_samples(), &steps, &self.state, first)?;
        for &i in &self.active {
            let sample = &mut self.samples[i];
            sample.stats.evaluations +=
                self.stages.method.stages() - usize::from(sample.has_first_stage);
            sample.has_first_stage = true;
        }
        let accepted = if self.options.is_fixed_step() {
            self.check_fixed(&attempt)?
        } else {
            self.check_adaptive(&attempt, &steps)?
        };
        self.accept(attempt, &steps, &accepted)?;
        Ok(true)
    }

    /// Returns which rows are finite after a fixed step; the problems of the others fail.
    fn check_fixed(&mut self, attempt: &StepAttempt) -> TensorResult<Vec<bool>> {
        let dof = self.stages.bound.field.dof();
        let next = download(&attempt.next)?;
        let mut accepted = vec![];
        for (i, next) in self.active.clone().into_iter().zip(next.chunks_exact(dof)) {
            accepted.push(all_finite(next));
            if all_finite(next) {
                self.samples[i].state.copy_from_slice(next);
            } else {
                self.fail(i, FailureReason::NotFinite);
            }
        }
        Ok(accepted)
    }

    /// Returns which rows' adaptive steps are accepted, by the error estimate.
    fn check_adaptive(&mut self, attempt: &StepAttempt, steps: &[Step]) -> TensorResult<Vec<bool>> {
        let dof = self.stages.bound.field.dof();
        let SolveOptions { rtol, atol, .. } = self.options;
        // 0 where all stages of a row are finite, else NaN.
        let zero = Tensor::f_cat(&attempt.k, 1)?
            .f_mul_scalar(0.0)?
            .f_sum_dim_intlist([1_i64].as_slice(), true, None)?;
        let mut parts = self.stages.error_estimates(attempt)?;
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
                .map(|error| error_norm(error, &sample.state, next, *rtol, atol))
                .reduce(joint_norm)
                .unwrap_or(0.0);
            let stages_finite = all_finite(zero);
            sample.last_finite = stages_finite && all_finite(next);
            let good = if all_finite(next) {
                let stepper = &mut sample.stepper;
                stepper.adapt_step_size(*step, norm, || stages_finite)
            } else {
                sample.stepper.reject_nonfinite(*step);
                false
            };
            if good {
                sample.state.copy_from_slice(next);
                sample.last_finite = true;
            } else {
                sample.stats.rejected += 1;
            }
            accepted.push(good);
        }
        Ok(accepted)
    }

    /// Advances the accepted rows: records their outputs, steps and states.
    fn accept(
        &mut self,
        attempt: StepAttempt,
        steps: &[Step],
        accepted: &[bool],
    ) -> TensorResult<()> {
        let mut wanted = vec![];
        for (row, (&problem, &step)) in self.active.iter().zip(steps).enumerate() {
            if !accepted[row] {
                continue;
            }
            let sample = &mut self.samples[problem];
            let index = sample.recorded.steps.len();
            let before = wanted.len();
            while let Some(output) = sample.stepper.next_output(index, step) {
                wanted.push(OutputRequest {
                    row,
                    problem,
                    time: sample.recorded.outputs.len(),
                    output,
                });
                sample.recorded.outputs.push(output);
            }
            sample.stats.evaluations += self.stages.extra_evaluations(&wanted[before..]);
            sample.recorded.steps.push(step);
            sample.stats.steps += 1;
            sample.stepper.advance(step);
            sample.has_first_stage = self.stages.method.fsal;
        }
        self.outputs
            .record(&self.stages, &self.state, &attempt, &wanted)?;
        let StepAttempt { mut k, next, .. } = attempt;
        if !accepted.contains(&true) {
            self.first_stage = Some(k.swap_remove(0));
            return Ok(());
        }
        let last = k.pop().filter(|_| self.stages.method.fsal);
        if accepted.contains(&false) {
            let n = to_i64(accepted.len());
            let mask = Tensor::f_from_slice(accepted)?
                .f_reshape([n, 1])?
                .f_to_device(self.stages.bound.device)?;
            self.state = next.f_where_self(&mask, &self.state)?;
            self.first_stage = match (last, &self.first_stage) {
                (Some(last), Some(first)) => Some(last.f_where_self(&mask, first)?),
                (last, _) => last,
            };
        } else {
            self.state = next;
            self.first_stage = last;
        }
        Ok(())
    }
}
