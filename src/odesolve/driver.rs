//! The one driver of explicit Runge-Kutta methods: adaptive or fixed steps, forward or reverse time, with or without a
//! tape, or replayed on a given plan.

use super::control::{self, FirstStep};
use super::failure::{FailureReason, SolveFailure};
use super::options::SolveOptions;
use super::plan::{Output, Stats, Step, StepPlan};
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
    Driver::<TAPE>::start(evaluator, problem, options, work).run(breakpoints)
}

/// Takes the steps of a given plan.
pub(crate) fn replay<const TAPE: bool>(
    evaluator: &Evaluator,
    problem: &Problem,
    options: &SolveOptions,
    plan: &StepPlan,
    work: &mut Workspace,
) -> Result<(), SolveFailure> {
    Driver::<TAPE>::start(evaluator, problem, options, work).replay(plan)
}

struct Driver<'a, const TAPE: bool> {
    evaluator: &'a Evaluator,
    problem: &'a Problem<'a>,
    options: &'a SolveOptions,
    method: &'static Tableau,
    work: &'a mut Workspace,
    dof: usize,
    t: f64,
    /// Next requested time.
    wanted: usize,
    /// Attempted steps.
    attempts: usize,
    /// Step size of the last attempt, for the report of a failure.
    tried: f64,
}

impl<'a, const TAPE: bool> Driver<'a, TAPE> {
    fn start(
        evaluator: &'a Evaluator,
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
        Driver {
            t: problem.t[0],
            wanted: 1,
            attempts: 0,
            tried: 0.0,
            evaluator,
            problem,
            options,
            method,
            work,
            dof,
        }
    }

    /// Evaluates stage `i` of step `n` at (t, `work.stage`) into `k_i`.
    fn evaluate(&mut self, n: usize, i: usize, t: f64) {
        let len = self.evaluator.slot_len();
        let at = if TAPE {
            slot_index(self.method, n, i) * len
        } else {
            0
        };
        if self.work.tape.len() < at + len {
            // Doubling, so that the tape settles after one solve.
            let grown = (at + len).max(2 * self.work.tape.len());
            self.work.tape.resize(grown, 0.0);
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
        self.evaluate(n, 0, self.t);
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
        let h = step.h();
        while let Some(&t) = self.problem.t.get(self.wanted) {
            // Both signs of time: is t past the end of the step?
            if (t - step.end) * h > 0.0 {
                break;
            }
            let output = if t == step.end {
                Output::End(index)
            } else {
                Output::Inside(index, (t - step.t) / h)
            };
            self.output(output, h);
        }
        self.advance(step);
    }

    /// Moves the state to the end of the attempted step.
    fn advance(&mut self, step: Step) {
        self.work.plan.steps.push(step);
        self.work.stats.steps += 1;
        std::mem::swap(&mut self.work.state, &mut self.work.next);
        self.t = step.end;
        if self.method.fsal {
            let last = (self.method.stages() - 1) * self.dof;
            self.work.k.copy_within(last..last + self.dof, 0);
        }
    }

    /// Fills in the next requested time from the attempted step.
    fn output(&mut self, output: Output, h: f64) {
        let to = &mut self.work.u[self.wanted * self.dof..(self.wanted + 1) * self.dof];
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
        self.wanted += 1;
    }

    fn failure(&self, reason: FailureReason) -> SolveFailure {
        SolveFailure {
            reason,
            t: self.t,
            step: self.tried,
            state: self.work.state.clone(),
            sample: self.problem.sample,
        }
    }

    fn run(mut self, breakpoints: &[f64]) -> Result<(), SolveFailure> {
        if !finite(&self.work.state) {
            return Err(self.failure(FailureReason::NotFinite));
        }
        if self.problem.t.len() == 1 {
            return Ok(());
        }
        if self.options.fixed() {
            self.fixed(breakpoints)
        } else {
            self.adaptive(breakpoints)
        }
    }

    /// The breakpoints strictly inside the span, in the direction of time.
    fn stops(&mut self, breakpoints: &[f64]) {
        let (first, last) = (self.problem.t[0], self.problem.t[self.problem.t.len() - 1]);
        let (low, high) = (first.min(last), first.max(last));
        self.work.stops.clear();
        if self.options.breakpoints {
            let inside = breakpoints.iter().filter(|b| **b > low && **b < high);
            self.work.stops.extend(inside);
            if last < first {
                self.work.stops.reverse();
            }
        }
    }

    /// Equal steps in each interval between requested times and breakpoints.
    fn fixed(&mut self, breakpoints: &[f64]) -> Result<(), SolveFailure> {
        self.stops(breakpoints);
        let mut next_stop = 0;
        for i in 1..self.problem.t.len() {
            let (from, to) = (self.problem.t[i - 1], self.problem.t[i]);
            let h = match (self.options.step_size, self.options.substeps) {
                (Some(h), _) => h,
                (None, n) => (to - from).abs() / n.unwrap_or(1) as f64,
            };
            while self.t != to {
                let mut end = to;
                if let Some(&stop) = self.work.stops.get(next_stop)
                    && (stop - to) * (to - from) <= 0.0
                {
                    next_stop += 1;
                    end = stop;
                }
                if end == self.t {
                    continue;
                }
                self.equal_steps(end, h)?;
            }
        }
        Ok(())
    }

    fn equal_steps(&mut self, end: f64, h: f64) -> Result<(), SolveFailure> {
        let start = self.t;
        // Rounding of the quotient must not add a step.
        let n = ((end - start).abs() / h * (1.0 - 1e-12)).ceil().max(1.0);
        let size = (end - start) / n;
        let mut i = 0.0;
        while i < n {
            i += 1.0;
            let step = Step {
                t: self.t,
                end: if i == n { end } else { start + i * size },
            };
            let index = self.work.plan.steps.len();
            self.tried = step.h();
            self.count()?;
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

    fn count(&mut self) -> Result<(), SolveFailure> {
        self.attempts += 1;
        if self.attempts > self.options.max_steps {
            return Err(self.failure(FailureReason::TooManySteps(self.options.max_steps)));
        }
        Ok(())
    }

    /// Steps chosen by the error estimate. Breakpoints are stepped onto; the last requested time is stepped over and read
    /// from the dense output, unless the field is not finite there.
    fn adaptive(&mut self, breakpoints: &[f64]) -> Result<(), SolveFailure> {
        let SolveOptions { rtol, atol, .. } = *self.options;
        let Some(weights) = self.method.error else {
            return self.fixed(breakpoints);
        };
        self.stops(breakpoints);
        let last = self.problem.t[self.problem.t.len() - 1];
        let sign = if last > self.t { 1.0 } else { -1.0 };
        self.first_stage(0);
        if !finite(&self.work.k[..self.dof]) {
            return Err(self.failure(FailureReason::NotFinite));
        }
        let mut proposed = match self.options.first_step {
            Some(h) => h,
            None => self.first_step(sign),
        };
        let mut next_stop = 0;
        // A field synchronised to data ends with the data; beyond it lies nothing worth a step.
        let mut stop_at_end = self.options.breakpoints && !breakpoints.is_empty();
        while self.wanted < self.problem.t.len() {
            let stop = match self.work.stops.get(next_stop) {
                Some(&stop) => Some(stop),
                None => stop_at_end.then_some(last),
            };
            // A sliver left before a stop would cost a step of its own.
            let clipped = stop.filter(|s| proposed * (1.0 + 1e-9) >= (s - self.t) * sign);
            let step = Step {
                t: self.t,
                end: clipped.unwrap_or(self.t + sign * proposed),
            };
            let h = step.h().abs();
            self.tried = step.h();
            let resolution = 1e-14_f64.max(4.0 * f64::EPSILON * self.t.abs());
            if clipped.is_none() && (h < resolution || h.is_nan()) {
                let finite = finite(&self.work.next) && finite(&self.work.k);
                return Err(self.failure(if finite {
                    FailureReason::StepTooSmall
                } else {
                    FailureReason::NotFinite
                }));
            }
            self.count()?;
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
            let suggested = h * control::factor(norm, self.method.order);
            if norm <= 1.0 && finite(&self.work.k) {
                self.accept(step);
                if clipped.is_some() {
                    next_stop += 1;
                    proposed = proposed.max(suggested);
                } else {
                    proposed = suggested;
                }
            } else {
                self.work.stats.rejected += 1;
                proposed = suggested.min(h * 0.9);
                if !norm.is_finite() && (step.end - last) * sign > 0.0 {
                    stop_at_end = true;
                }
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
        self.evaluate(0, 1, self.t + sign * first.trial);
        for i in 0..dof {
            self.work.error[i] = self.work.k[dof + i] - self.work.k[i];
        }
        first.size(&self.work.error, self.method.order)
    }

    fn replay(mut self, plan: &StepPlan) -> Result<(), SolveFailure> {
        for (index, &step) in plan.steps.iter().enumerate() {
            self.tried = step.h();
            if index == 0 || !self.method.fsal {
                self.first_stage(index);
            }
            self.stages(index, step);
            if !finite(&self.work.next) {
                return Err(self.failure(FailureReason::NotFinite));
            }
            while let Some(&output) = plan.outputs.get(self.wanted) {
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

fn finite(x: &[f64]) -> bool {
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
