//! The integrator: the state of one solve, evaluations of the field, and the storage of the tape.

use super::driver::Problem;
use super::events::{EventDetector, GuardFunctions};
use super::first_step::FirstStep;
use super::jacobian::Jacobian;
use super::options::SolveOptions;
use super::recorded_steps::{RecordedSteps, Step};
use super::rhs::Rhs;
use super::step_method::StepMethod;
use super::step_sequencer::StepSequencer;
use super::tolerance::error_norm;
use super::vector_ops::weighted_sum;
use super::workspace::{ForwardRecord, Workspace};
use odesync_base::failure::{FailureReason, SolveFailure};

/// State of one solve, which every step method works with.
pub(crate) struct IntegratorCore<'w, 'a, R: Rhs + ?Sized, const TAPE: bool> {
    pub rhs: &'w R,
    pub problem: Problem<'a>,
    pub options: &'a SolveOptions,
    pub work: &'w mut Workspace,
    pub dof: usize,
    pub stepper: StepSequencer<'a>,
    /// Whether the solve ended because another method would suit the problem better.
    pub switch_requested: bool,
    /// Steps to replay; `None`: the step sequencer chooses the steps.
    pub recorded_steps: Option<&'w RecordedSteps>,
    /// Detector of the events; `None` where there are no events.
    pub events: Option<EventDetector>,
    /// Guards of the field's conditions in the state.
    pub guards: Option<&'w GuardFunctions>,
    /// Time at which a recomputed solve ended for an event, in the middle of a step.
    pub ends_at: Option<f64>,
    /// Whether implicit equations are solved to rounding rather than to the tolerances: for a gradient, which is exact only
    /// then, and where the steps are given or fixed.
    pub exact_stages: bool,
    /// Reason why the last attempted step failed.
    pub last_failure: Option<FailureReason>,
    /// Places θ in each accepted step whose states are computed too, after the solution in `work.u`.
    step_nodes: &'static [f64],
}

/// State of the step loop between two steps, apart from the workspace and the step method.
pub(crate) struct Progress<'a> {
    pub stepper: StepSequencer<'a>,
    events: Option<EventDetector>,
    exact_stages: bool,
}

impl<'w, 'a, R: Rhs + ?Sized, const TAPE: bool> IntegratorCore<'w, 'a, R, TAPE> {
    /// Goes on with a solve in its workspace.
    pub fn resume(
        rhs: &'w R,
        problem: Problem<'a>,
        options: &'a SolveOptions,
        work: &'w mut Workspace,
        progress: Progress<'a>,
    ) -> Self {
        IntegratorCore {
            dof: rhs.dof(),
            rhs,
            problem,
            options,
            work,
            stepper: progress.stepper,
            switch_requested: false,
            recorded_steps: None,
            events: progress.events,
            guards: None,
            ends_at: None,
            exact_stages: progress.exact_stages,
            last_failure: None,
            step_nodes: &[],
        }
    }

    /// Returns the state of the step loop, to go on with later.
    pub fn into_progress(self) -> Progress<'a> {
        Progress {
            stepper: self.stepper,
            events: self.events,
            exact_stages: self.exact_stages,
        }
    }

    pub fn new(
        rhs: &'w R,
        breakpoints: &[f64],
        problem: Problem<'a>,
        options: &'a SolveOptions,
        work: &'w mut Workspace,
    ) -> Self {
        let dof = rhs.dof();
        work.begin();
        work.previous_h = None;
        match &mut work.record {
            ForwardRecord::States(states) => states.clear(),
            ForwardRecord::Checkpoints(checkpoints) => checkpoints.clear(),
            ForwardRecord::Steps | ForwardRecord::Nothing => {}
        }
        work.output_tape.clear();
        work.n_output_steps = 0;
        work.state.resize(dof, 0.0);
        work.next.clear();
        work.next.resize(dof, 0.0);
        work.output_state.resize(dof, 0.0);
        work.state.copy_from_slice(problem.u0);
        work.u.resize(problem.t.len() * dof, 0.0);
        work.u[..dof].copy_from_slice(problem.u0);
        let tstops = std::mem::take(&mut work.tstops);
        IntegratorCore {
            stepper: StepSequencer::new(problem.t, options, breakpoints, tstops),
            rhs,
            problem,
            options,
            work,
            dof,
            recorded_steps: None,
            switch_requested: false,
            exact_stages: TAPE || options.is_fixed_step(),
            events: None,
            guards: None,
            ends_at: None,
            last_failure: None,
            step_nodes: &[],
        }
    }

    /// Returns the initial step size of a method whose error is of this order in the step size; `f` is du/dt at the start,
    /// `change` is storage. With a tape, the evaluation writes its second slot, which the first step writes again.
    pub fn initial_step_size(&mut self, order: usize, f: &[f64], change: &mut [f64]) -> f64 {
        if let Some(h) = self.options.first_step {
            return h;
        }
        let SolveOptions { rtol, atol, .. } = self.options;
        let first = FirstStep::new(&self.work.state, f, *rtol, atol, self.stepper.span());
        let trial = self.stepper.sign() * first.trial;
        let mut end = std::mem::take(&mut self.work.next);
        weighted_sum(&self.work.state, trial, &[1.0], f, self.dof, &mut end);
        match self.consistency() {
            None => self.evaluate(self.rhs.slot_len(), self.stepper.t + trial, &end, change),
            Some(mut consistency) => {
                let (sample, t) = (self.problem.sample, self.stepper.t);
                // Singular equations were an error before, where the slope at the start was computed.
                if consistency.slope(self.rhs, (sample, t), &self.work.state, change) == Ok(()) {
                    consistency.frozen_slope(self.rhs, (sample, t + trial), &end, change);
                }
            }
        }
        self.work.next = end;
        for (change, f) in change.iter_mut().zip(f) {
            *change -= f;
        }
        self.stepper.at_least_resolved(first.size(change, order))
    }

    /// Returns the norm of an error estimate of the attempted step.
    #[inline]
    pub fn error_norm(&self, error: &[f64]) -> f64 {
        let (SolveOptions { rtol, atol, .. }, work) = (self.options, &*self.work);
        error_norm(error, &work.state, &work.next, *rtol, atol)
    }

    /// Evaluates the field at (t, u) into `k`; with a tape, also writes the slot that begins at offset `at` of the tape.
    #[inline]
    pub fn evaluate(&mut self, at: usize, t: f64, u: &[f64], k: &mut [f64]) {
        let len = self.rhs.slot_len();
        let at = if TAPE { at } else { 0 };
        // The tape is extended before each step; this covers evaluations before the first step.
        if self.work.tape.len() < at + len {
            self.work.tape.resize(at + len, 0.0);
        }
        let slot = &mut self.work.tape[at..at + len];
        let sample = self.problem.sample;
        if TAPE {
            self.rhs.eval_taped(sample, t, u, slot, k);
        } else {
            self.rhs.eval(sample, t, u, slot, k);
        }
        self.work.stats.evaluations += 1;
    }

    /// Evaluates the field at (t, u), without `u` at the current state, into `f` and `slot`, and its Jacobian there.
    pub fn linearize(
        &mut self,
        (t, u): (f64, Option<&[f64]>),
        slot: &mut [f64],
        f: &mut [f64],
        jacobian: &mut Jacobian,
    ) {
        let (sample, work) = (self.problem.sample, &mut *self.work);
        let u = u.unwrap_or(&work.state);
        self.rhs.eval_taped(sample, t, u, slot, f);
        jacobian.fill(self.rhs, (sample, t), slot);
        work.stats.evaluations += 1;
        work.stats.jacobians += 1;
    }

    /// Evaluates the field at (t, u) into `k` for an output inside a step; with a tape, also writes a new slot of the output
    /// tape.
    pub fn evaluate_for_output(&mut self, t: f64, u: &[f64], k: &mut [f64]) {
        if !TAPE {
            return self.evaluate(0, t, u, k);
        }
        let at = self.work.output_tape.len();
        self.work.output_tape.resize(at + self.rhs.slot_len(), 0.0);
        let slot = &mut self.work.output_tape[at..];
        self.rhs.eval_taped(self.problem.sample, t, u, slot, k);
        self.work.stats.evaluations += 1;
    }

    /// Makes the tape long enough for step `n`. Its length is limited, because a stiff field and a large network would
    /// otherwise use up all memory.
    pub fn ensure_tape_capacity<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &S,
        n: usize,
    ) -> Result<(), SolveFailure> {
        if !TAPE {
            return Ok(());
        }
        let needed = method.tape_len(self, n + 1);
        let output_len = self.work.output_tape.len();
        let tape_len = self.work.tape.len();
        let limit = self.work.tape_limit.saturating_sub(output_len);
        if needed <= tape_len && needed <= limit {
            return Ok(());
        }
        // Doubling the length, so that later solves need no reallocation.
        let grown = needed.max((2 * tape_len).min(limit));
        let too_long = |n: usize| FailureReason::TapeTooLarge(n.saturating_mul(size_of::<f64>()));
        if needed > limit {
            return Err(self.failure(too_long(self.work.tape_limit)));
        }
        if self.work.tape.try_reserve_exact(grown - tape_len).is_err() {
            return Err(self.failure(too_long(tape_len)));
        }
        self.work.tape.resize(grown, 0.0);
        Ok(())
    }

    /// Reserves exactly the memory for the tape and the record of this many steps; an old tape is freed before the new one is
    /// allocated. Where the memory is not available, the step that needs it fails.
    pub fn reserve_tape<S: StepMethod<R, TAPE>>(&mut self, method: &S, steps: usize) {
        self.work.recorded.steps.reserve_exact(steps);
        self.work.recorded.variants.reserve_exact(steps);
        let more = method
            .tape_len_per_step(self)
            .saturating_mul(steps.saturating_sub(1));
        let needed = method.tape_len(self, 1).saturating_add(more);
        let tape = &mut self.work.tape;
        if TAPE && needed > tape.len() && needed <= self.work.tape_limit {
            *tape = vec![];
            if tape.try_reserve_exact(needed).is_ok() {
                tape.resize(needed, 0.0);
            }
        }
    }

    /// Has the states at these places θ of every accepted step computed, from the dense output.
    pub fn set_step_nodes(&mut self, nodes: &'static [f64]) {
        self.step_nodes = nodes;
        let states = self.problem.t.len() + nodes.len();
        self.work.u.resize(states * self.dof, 0.0);
    }

    /// Whether states inside the attempted step are wanted, if it is accepted.
    pub fn wants_states_inside(&self, step: Step) -> bool {
        !self.step_nodes.is_empty() || self.stepper.reaches_output(step)
    }

    /// Computes the states at the nodes of the attempted step, from the method's dense output or, where it has none, the cubic
    /// polynomial through states and slopes at both ends of the step.
    pub fn evaluate_step_nodes<S: StepMethod<R, TAPE>>(&mut self, method: &mut S, step: Step) {
        if !self.step_nodes.is_empty() && !self.options.solver.has_dense_output() {
            return self.evaluate_hermite_nodes(step);
        }
        for (j, theta) in self.step_nodes.iter().enumerate() {
            let at = (self.problem.t.len() + j) * self.dof;
            method.interpolate(self, step, *theta, at..at + self.dof);
        }
    }

    fn evaluate_hermite_nodes(&mut self, step: Step) {
        let (mut f, mut f_next) = (vec![0.0; self.dof], vec![0.0; self.dof]);
        let (state, next) = (self.work.state.clone(), self.work.next.clone());
        self.evaluate(0, step.t, &state, &mut f);
        self.evaluate(0, step.end, &next, &mut f_next);
        let h = step.h();
        for (j, &s) in self.step_nodes.iter().enumerate() {
            let at = (self.problem.t.len() + j) * self.dof;
            let r = 1.0 - s;
            for (i, u) in self.work.u[at..at + self.dof].iter_mut().enumerate() {
                let ends = r * r * (1.0 + 2.0 * s) * state[i] + s * s * (3.0 - 2.0 * s) * next[i];
                *u = ends + h * s * r * (r * f[i] - s * f_next[i]);
            }
        }
    }

    /// Returns the state at node `j` of the last accepted step, `[dof]`.
    pub fn step_node(&self, j: usize) -> &[f64] {
        let at = (self.problem.t.len() + j) * self.dof;
        &self.work.u[at..at + self.dof]
    }

    /// Creates the failure of the solve at the current time and state.
    pub fn failure(&self, reason: FailureReason) -> SolveFailure {
        let sample = self.problem.sample;
        self.stepper.failure(reason, &self.work.state, sample)
    }
}
