//! The one driver of explicit Runge-Kutta methods: adaptive or fixed steps, forward or reverse time, with or without a
//! tape, or replayed on a given plan.

use super::control::{self, FirstStep};
use super::failure::{FailureReason, SolveFailure};
use super::options::SolveOptions;
use super::plan::{Output, Stats, Step, StepPlan};
use super::stepper::Stepper;
use super::tableau::Tableau;
use crate::field::native::Evaluator;

/// An initial value problem: `u(t[0]) = u0`, wanted at every `t`.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// Initial state, `[dof]`.
    pub u0: &'a [f64],
    /// Requested times, strictly monotone; the first is the initial time.
    pub t: &'a [f64],
    /// Which sample of the field's signals this is.
    pub sample: usize,
}

/// Everything one solve works on, kept between solves so that nothing is allocated in the loop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Workspace {
    /// Taped slots, stage by stage; `stages − 1` a step (and one more at the start) when the last stage is shared.
    pub tape: Vec<f64>,
    /// The most numbers that the tape may hold.
    pub tape_limit: usize,
    pub plan: StepPlan,
    pub stats: Stats,
    /// The solution, `[time, dof]`.
    pub u: Vec<f64>,
    k: Vec<f64>,
    state: Vec<f64>,
    next: Vec<f64>,
    stage: Vec<f64>,
    error: Vec<f64>,
    weights: Vec<f64>,
    stops: Vec<f64>,
}

/// Index of the slot of a stage.
pub(crate) fn slot_index(method: &Tableau, step: usize, stage: usize) -> usize {
    let per_step = method.stages() - usize::from(method.fsal);
    step * per_step + stage
}

/// Solves one problem into `work`; with `TAPE` every stage of every accepted step stays in `work.tape`.
pub(crate) fn solve<const TAPE: bool>(
    evaluator: &Evaluator,
    breakpoints: &[f64],
    problem: &Problem,
    options: &SolveOptions,
    work: &mut Workspace,
) -> Result<(), SolveFailure> {
    let mut driver = Driver::<TAPE>::start(evaluator, breakpoints, problem, options, work);
    let result = driver.run();
    driver.finish();
    result
}

/// Takes the steps of a given plan.
pub(crate) fn replay<const TAPE: bool>(
    evaluator: &Evaluator,
    problem: &Problem,
    options: &SolveOptions,
    plan: &StepPlan,
    work: &mut Workspace,
) -> Result<(), SolveFailure> {
    let mut driver = Driver::<TAPE>::start(evaluator, &[], problem, options, work);
    let result = driver.replay(plan);
    driver.finish();
    result
}

struct Driver<'a, const TAPE: bool> {
    evaluator: &'a Evaluator,
    problem: &'a Problem<'a>,
    options: &'a SolveOptions,
    method: &'static Tableau,
    work: &'a mut Workspace,
    dof: usize,
    stepper: Stepper<'a>,
}

impl<'a, const TAPE: bool> Driver<'a, TAPE> {
    fn start(
        evaluator: &'a Evaluator,
        breakpoints: &[f64],
        problem: &'a Problem<'a>,
        options: &'a SolveOptions,
        work: &'a mut Workspace,
    ) -> Self {
        let dof = evaluator.dof();
        let method = options.method;
        let s = method.stages();
        work.plan.clear();
        work.stats = Stats::default();
        work.k.resize(s * dof, 0.0);
        work.weights.resize(s, 0.0);
        for buffer in [
            &mut work.state,
            &mut work.next,
            &mut work.stage,
            &mut work.error,
        ] {
            buffer.resize(dof, 0.0);
        }
        work.state.copy_from_slice(problem.u0);
        work.u.resize(problem.t.len() * dof, 0.0);
        work.u[..dof].copy_from_slice(problem.u0);
        work.plan.outputs.push(Output::Start);
        let stops = std::mem::take(&mut work.stops);
        Driver {
            stepper: Stepper::new(problem.t, options, breakpoints, stops),
            evaluator,
            problem,
            options,
            method,
            work,
            dof,
        }
    }

    /// Gives the storage back.
    fn finish(self) {
        self.work.stops = self.stepper.stops;
    }

    /// Evaluates stage `i` of step `n` at (t, `work.stage`) into `k_i`.
    fn evaluate(&mut self, n: usize, i: usize, t: f64) {
        let len = self.evaluator.slot_len();
        let at = if TAPE {
            slot_index(self.method, n, i) * len
        } else {
            0
        };
        // Room for the stages of a step was made before it; this is for those before the first.
        if self.work.tape.len() < at + len {
            self.work.tape.resize(at + len, 0.0);
        }
        let slot = &mut self.work.tape[at..at + len];
        let k = &mut self.work.k[i * self.dof..(i + 1) * self.dof];
        if TAPE {
            self.evaluator
                .taped(self.problem.sample, t, &self.work.stage, slot, k);
        } else {
            self.evaluator
                .value(self.problem.sample, t, &self.work.stage, slot, k);
        }
        self.work.stats.evaluations += 1;
    }

    /// Evaluates the first stage at the current state.
    fn first_stage(&mut self, n: usize) {
        self.work.stage.copy_from_slice(&self.work.state);
        self.evaluate(n, 0, self.stepper.t);
    }

    /// Evaluates the stages of step `n` (the first one is there) and leaves u⁺ in `work.next`.
    fn stages(&mut self, n: usize, step: Step) {
        let (method, dof, h) = (self.method, self.dof, step.h());
        for i in 1..method.stages() {
            combine(
                &self.work.state,
                h,
                method.a[i],
                &self.work.k,
                dof,
                &mut self.work.stage,
            );
            if method.fsal && i == method.stages() - 1 {
                self.work.next.copy_from_slice(&self.work.stage);
            }
            self.evaluate(n, i, step.node(method.c[i]));
        }
        if !method.fsal {
            combine(
                &self.work.state,
                h,
                method.b,
                &self.work.k,
                dof,
                &mut self.work.next,
            );
        }
    }

    /// Makes the attempted step the current one: requested times inside it are filled in, the state moves on.
    fn accept(&mut self, step: Step) {
        let index = self.work.plan.steps.len();
        while let Some(output) = self.stepper.next_output(index, step) {
            self.output(output, step.h());
        }
        self.advance(step);
    }

    /// Moves the state to the end of the attempted step.
    fn advance(&mut self, step: Step) {
        self.work.plan.steps.push(step);
        self.work.stats.steps += 1;
        std::mem::swap(&mut self.work.state, &mut self.work.next);
        self.stepper.advance(step);
        if self.method.fsal {
            let last = (self.method.stages() - 1) * self.dof;
            self.work.k.copy_within(last..last + self.dof, 0);
        }
    }

    /// Fills in the next requested time from the attempted step.
    fn output(&mut self, output: Output, h: f64) {
        let wanted = self.work.plan.outputs.len();
        let to = &mut self.work.u[wanted * self.dof..(wanted + 1) * self.dof];
        match output {
            Output::Start => to.copy_from_slice(self.problem.u0),
            Output::End(_) => to.copy_from_slice(&self.work.next),
            Output::Inside(_, theta) => {
                self.method.dense_weights(theta, &mut self.work.weights);
                combine(
                    &self.work.state,
                    h,
                    &self.work.weights,
                    &self.work.k,
                    self.dof,
                    to,
                );
            }
        }
        self.work.plan.outputs.push(output);
    }

    fn failure(&self, reason: FailureReason) -> SolveFailure {
        SolveFailure {
            reason,
            t: self.stepper.t,
            step: self.stepper.tried,
            state: self.work.state.clone(),
            sample: self.problem.sample,
        }
    }

    fn run(&mut self) -> Result<(), SolveFailure> {
        if !finite(&self.work.state) {
            return Err(self.failure(FailureReason::NotFinite));
        }
        if self.problem.t.len() == 1 {
            return Ok(());
        }
        match self.method.error {
            Some(weights) if !self.options.fixed() => self.adaptive(weights),
            _ => self.fixed(),
        }
    }

    fn next_step(&mut self) -> Result<Option<Step>, SolveFailure> {
        let work = &*self.work;
        let next = self.stepper.next(|| finite(&work.next) && finite(&work.k));
        let next = next.map_err(|reason| self.failure(reason))?;
        if next.is_some() {
            self.make_room(self.work.plan.steps.len())?;
        }
        Ok(next)
    }

    /// Makes the tape long enough for step `n`. Without a bound a stiff field and a large network would take all memory.
    fn make_room(&mut self, n: usize) -> Result<(), SolveFailure> {
        if !TAPE {
            return Ok(());
        }
        let slots = slot_index(self.method, n, self.method.stages() - 1) + 1;
        let needed = slots.saturating_mul(self.evaluator.slot_len());
        let (have, limit) = (self.work.tape.len(), self.work.tape_limit);
        if needed <= have {
            return Ok(());
        }
        // Doubling, so that the tape settles after one solve.
        let grown = needed.max((2 * have).min(limit));
        let too_long = |n: usize| FailureReason::TapeTooLong(n.saturating_mul(size_of::<f64>()));
        if needed > limit {
            return Err(self.failure(too_long(limit)));
        }
        if self.work.tape.try_reserve_exact(grown - have).is_err() {
            return Err(self.failure(too_long(have)));
        }
        self.work.tape.resize(grown, 0.0);
        Ok(())
    }

    fn fixed(&mut self) -> Result<(), SolveFailure> {
        while let Some(step) = self.next_step()? {
            let index = self.work.plan.steps.len();
            if index == 0 || !self.method.fsal {
                self.first_stage(index);
            }
            self.stages(index, step);
            if !finite(&self.work.next) {
                return Err(self.failure(FailureReason::NotFinite));
            }
            self.accept(step);
        }
        Ok(())
    }

    fn adaptive(&mut self, weights: &[f64]) -> Result<(), SolveFailure> {
        let SolveOptions { rtol, atol, .. } = *self.options;
        self.first_stage(0);
        if !finite(&self.work.k[..self.dof]) {
            return Err(self.failure(FailureReason::NotFinite));
        }
        let size = match self.options.first_step {
            Some(h) => h,
            None => self.first_step(self.stepper.sign()),
        };
        self.stepper.begin(size);
        while let Some(step) = self.next_step()? {
            let index = self.work.plan.steps.len();
            self.stages(index, step);
            self.work.error.fill(0.0);
            accumulate(
                step.h(),
                weights,
                &self.work.k,
                self.dof,
                &mut self.work.error,
            );
            let norm = control::error_norm(
                &self.work.error,
                &self.work.state,
                &self.work.next,
                rtol,
                atol,
            );
            let k = &self.work.k;
            if self.stepper.judge(step, norm, || finite(k)) {
                self.accept(step);
            } else {
                self.work.stats.rejected += 1;
            }
        }
        Ok(())
    }

    fn first_step(&mut self, sign: f64) -> f64 {
        let SolveOptions { rtol, atol, .. } = *self.options;
        let dof = self.dof;
        let first = FirstStep::new(&self.work.state, &self.work.k[..dof], rtol, atol);
        combine(
            &self.work.state,
            sign * first.trial,
            &[1.0],
            &self.work.k,
            dof,
            &mut self.work.stage,
        );
        // Stage 1 of step 0 is free to write to: it is evaluated again by the step itself.
        self.evaluate(0, 1, self.stepper.t + sign * first.trial);
        for i in 0..dof {
            self.work.error[i] = self.work.k[dof + i] - self.work.k[i];
        }
        first.size(&self.work.error, self.method.order)
    }

    fn replay(&mut self, plan: &StepPlan) -> Result<(), SolveFailure> {
        for (index, &step) in plan.steps.iter().enumerate() {
            self.stepper.tried = step.h();
            self.make_room(index)?;
            if index == 0 || !self.method.fsal {
                self.first_stage(index);
            }
            self.stages(index, step);
            if !finite(&self.work.next) {
                return Err(self.failure(FailureReason::NotFinite));
            }
            while let Some(&output) = plan.outputs.get(self.work.plan.outputs.len()) {
                match output {
                    Output::End(n) | Output::Inside(n, _) if n > index => break,
                    _ => self.output(output, step.h()),
                }
            }
            self.advance(step);
        }
        Ok(())
    }
}

/// Whether every number is.
pub(crate) fn finite(x: &[f64]) -> bool {
    x.iter().all(|x| x.is_finite())
}

/// `out = u + h Σ_j a_j k_j`.
#[inline]
fn combine(u: &[f64], h: f64, a: &[f64], k: &[f64], dof: usize, out: &mut [f64]) {
    out.copy_from_slice(u);
    accumulate(h, a, k, dof, out);
}

/// `out += h Σ_j a_j k_j`.
#[inline]
fn accumulate(h: f64, a: &[f64], k: &[f64], dof: usize, out: &mut [f64]) {
    for (&a, k) in a.iter().zip(k.chunks_exact(dof)) {
        if a != 0.0 {
            for (out, k) in out.iter_mut().zip(k) {
                *out += h * a * k;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_that_would_be_too_long_is_a_failure_and_a_solve_without_one_is_not() {
        let field = crate::dynamics::lotka_volterra().unwrap();
        let evaluator = Evaluator::new(&field);
        let problem = Problem {
            u0: &[1.0, 1.0],
            t: &[0.0, 10.0],
            sample: 0,
        };
        for options in [
            SolveOptions::default(),
            SolveOptions::default().substeps(100),
        ] {
            let mut work = Workspace {
                tape_limit: 20 * 6 * evaluator.slot_len(),
                ..Workspace::default()
            };
            let failure =
                super::solve::<true>(&evaluator, &[], &problem, &options, &mut work).unwrap_err();
            assert_eq!(
                failure.reason,
                FailureReason::TapeTooLong(8 * work.tape_limit)
            );
            assert_eq!(work.plan.steps.len(), 19);
            assert!(work.tape.len() <= work.tape_limit);
            assert!(failure.to_string().contains("GiB"));
            super::solve::<false>(&evaluator, &[], &problem, &options, &mut work).unwrap();
            work.tape_limit = usize::MAX;
            super::solve::<true>(&evaluator, &[], &problem, &options, &mut work).unwrap();
        }
    }
}
