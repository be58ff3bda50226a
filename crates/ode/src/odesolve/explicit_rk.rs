//! The step method of explicit Runge-Kutta methods.

use super::auto::StiffnessDetector;
use super::checkpoints::StateReader;
use super::control::joint_norm;
use super::integrator_core::IntegratorCore;
use super::recorded_steps::Step;
use super::rhs::Rhs;
use super::step_method::StepMethod;
use super::tableau::Tableau;
use super::vector_ops::{add_weighted_sum, all_finite, weighted_sum, with_length};
use crate::field::kernels::copy;
use odesync_base::failure::FailureReason;

/// Step method of explicit Runge-Kutta methods. The tape holds the slots of the stages: `stages − 1` per step (and one more
/// at the start) when the last stage is shared with the next step. The output tape holds the slots of the dense output's
/// extra stages, for the steps with an output inside.
#[derive(Debug)]
pub(crate) struct ExplicitRk {
    tableau: &'static Tableau,
    /// Whether the first stage of the next attempted step is already evaluated.
    first_stage_ready: bool,
    /// Whether the extra stages of the attempted step are already evaluated.
    extra_stages_ready: bool,
    stiffness: StiffnessDetector,
    /// What the lane found of the last step that was attempted in one.
    in_lane: Option<LaneStep>,
    k: Vec<f64>,
    stage: Vec<f64>,
    error: Vec<f64>,
    weights: Vec<f64>,
}

/// What a lane, which has the slopes of a step beside those of other solves, says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LaneStep {
    /// Norm of its error.
    pub norm: f64,
    /// Whether all slopes are finite.
    pub is_finite: bool,
}

impl ExplicitRk {
    /// Creates the step method of a tableau, without storage.
    pub fn new(tableau: &'static Tableau) -> Self {
        ExplicitRk {
            tableau,
            first_stage_ready: false,
            extra_stages_ready: false,
            stiffness: StiffnessDetector::default(),
            in_lane: None,
            k: vec![],
            stage: vec![],
            error: vec![],
            weights: vec![],
        }
    }

    /// Prepares the method for a solve.
    pub fn reset<R: Rhs + ?Sized>(&mut self, tableau: &'static Tableau, rhs: &R) {
        let (s, dof) = (tableau.all_stages(), rhs.dof());
        self.tableau = tableau;
        (self.first_stage_ready, self.extra_stages_ready) = (false, false);
        self.stiffness = StiffnessDetector::default();
        self.in_lane = None;
        // What an earlier solve left must not tell why this one fails.
        self.k.clear();
        self.k.resize(s * dof, 0.0);
        self.weights.resize(s, 0.0);
        self.stage.resize(dof, 0.0);
        self.error.resize(dof, 0.0);
    }

    /// Prepares the step from the current state that is taken in a lane, beside those of other solves: the first stage, if the
    /// step before has left none, is evaluated here where it is shared with the steps (first same as last), and counted where
    /// every step evaluates it.
    pub fn prepare_lane<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
    ) {
        self.extra_stages_ready = false;
        if self.first_stage_ready {
            return;
        }
        if self.tableau.fsal {
            self.evaluate_first_stage(integrator, 0);
        } else {
            integrator.work.stats.evaluations += 1;
            self.first_stage_ready = true;
        }
    }

    /// Returns the slope of the first stage, `[dof]`.
    pub fn first_stage(&self) -> &[f64] {
        &self.k[..self.stage.len()]
    }

    /// Takes over what the lane says of the attempted step. It writes the slopes of its stages too, `[stages, dof]`, where these are
    /// returned, because states inside the step are wanted.
    pub fn record_lane<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &IntegratorCore<R, TAPE>,
        step: Step,
        found: LaneStep,
    ) -> Option<&mut [f64]> {
        self.in_lane = Some(found);
        let wants = integrator.wants_states_inside(step);
        wants.then_some(&mut self.k[..])
    }

    /// Evaluates stage `i` of step `n` at (t, `stage`) into `k_i`.
    #[inline]
    fn evaluate_stage<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        n: usize,
        i: usize,
        t: f64,
    ) {
        let at = self.tableau.slot_index(n, i) * integrator.rhs.slot_len();
        let ExplicitRk { k, stage, .. } = self;
        let dof = integrator.dof;
        integrator.evaluate(at, t, stage, &mut k[i * dof..(i + 1) * dof]);
    }

    /// Computes the stages of a step and the state at its end.
    #[inline(always)]
    fn compute_stages<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        index: usize,
        step: Step,
        dof: usize,
    ) {
        let (tableau, h) = (self.tableau, step.h());
        self.extra_stages_ready = false;
        if !self.first_stage_ready {
            self.evaluate_first_stage(integrator, index);
        }
        let last = tableau.stages() - 1;
        for i in 1..=last {
            let ExplicitRk { k, stage, .. } = self;
            weighted_sum(&integrator.work.state, h, tableau.a[i], k, dof, stage);
            if tableau.fsal && i == last {
                copy(stage, &mut integrator.work.next);
            }
            self.evaluate_stage(integrator, index, i, step.time_at(tableau.c[i]));
        }
        if !tableau.fsal {
            let work = &mut *integrator.work;
            let k = &self.k;
            weighted_sum(&work.state, h, tableau.b, k, dof, &mut work.next);
        }
    }

    /// Evaluates the first stage at the current state.
    fn evaluate_first_stage<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        n: usize,
    ) {
        copy(&integrator.work.state, &mut self.stage);
        self.evaluate_stage(integrator, n, 0, integrator.stepper.t);
        self.first_stage_ready = true;
    }

    /// Evaluates the extra stages of the dense output; with a tape, their slots go to the output tape.
    fn evaluate_extra_stages<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        step: Step,
    ) {
        self.extra_stages_ready = true;
        let s = self.tableau.stages();
        let ExplicitRk { k, stage, .. } = self;
        for (i, extra) in self.tableau.extra_stages.iter().enumerate() {
            let (before, rest) = k.split_at_mut((s + i) * integrator.dof);
            weighted_sum(
                &integrator.work.state,
                step.h(),
                extra.a,
                before,
                integrator.dof,
                stage,
            );
            let t = step.time_at(extra.c);
            integrator.evaluate_for_output(t, stage, &mut rest[..integrator.dof]);
        }
    }
}

impl<R: Rhs + ?Sized, const TAPE: bool> StepMethod<R, TAPE> for ExplicitRk {
    fn tape_len(&self, integrator: &IntegratorCore<R, TAPE>, steps: usize) -> usize {
        let slots = self.tableau.n_slots(steps);
        slots.saturating_mul(integrator.rhs.slot_len())
    }

    fn initialize(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        adaptive: bool,
    ) -> Result<f64, FailureReason> {
        if !adaptive {
            return Ok(0.0);
        }
        self.evaluate_first_stage(integrator, 0);
        if !all_finite(&self.k[..integrator.dof]) {
            return Err(FailureReason::NotFinite);
        }
        let order = integrator.options.solver.order;
        Ok(integrator.initial_step_size(order, &self.k[..integrator.dof], &mut self.error))
    }

    fn perform_step(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        with_length!(integrator.dof, |dof| self
            .compute_stages(integrator, index, step, dof));
        Ok(())
    }

    fn error_test(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) -> bool {
        if let Some(LaneStep { norm, is_finite }) = self.in_lane {
            return integrator.stepper.adapt_step_size(step, norm, || is_finite);
        }
        let ExplicitRk { k, error, .. } = self;
        let weights = self.tableau.error.unwrap_or(&[]);
        let mut norm = with_length!(integrator.dof, |dof| {
            let error = &mut error[..dof];
            error.fill(0.0);
            add_weighted_sum(step.h(), weights, k, dof, error);
            integrator.error_norm(error)
        });
        if let Some(weights) = self.tableau.second_error {
            error.fill(0.0);
            add_weighted_sum(step.h(), weights, k, integrator.dof, error);
            norm = joint_norm(norm, integrator.error_norm(error));
        }
        let k = &k[..self.tableau.stages() * integrator.dof];
        integrator
            .stepper
            .adapt_step_size(step, norm, || all_finite(k))
    }

    fn interpolate(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) {
        if !self.extra_stages_ready {
            self.evaluate_extra_stages(integrator, step);
        }
        let ExplicitRk { k, weights, .. } = self;
        self.tableau.dense_weights(theta, weights);
        let work = &mut *integrator.work;
        let u = &mut work.u[to];
        weighted_sum(&work.state, step.h(), weights, k, integrator.dof, u);
    }

    fn forget_interpolant(&mut self) {
        self.extra_stages_ready = false;
    }

    fn on_accept(&mut self, integrator: &mut IntegratorCore<R, TAPE>, _step: Step) {
        self.first_stage_ready = self.tableau.fsal;
        // A lane keeps the slopes.
        if self.first_stage_ready && self.in_lane.is_none() {
            let last = (self.tableau.stages() - 1) * integrator.dof;
            let (first, last) = self.k.split_at_mut(last);
            copy(&last[..integrator.dof], &mut first[..integrator.dof]);
        }
    }

    /// Saves nothing: the first stage is evaluated again, and is bitwise equal to the last stage of the previous step.
    fn save(&self, _row: &mut Vec<f64>) {}

    fn load(&mut self, _integrator: &mut IntegratorCore<R, TAPE>, _row: &mut StateReader) {}

    /// Detects stiffness, where the step is at the limit of stability: the difference of the slopes of the last two stages,
    /// both at the end of the step, divided by that of their states estimates the largest eigenvalue (Hairer, Wanner, II,
    /// IV.2).
    fn should_switch(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) -> bool {
        // The stability limit on the real axis is about 3.3.
        const LIMIT: f64 = 2.6;
        let (tableau, dof) = (self.tableau, integrator.dof);
        let s = tableau.stages();
        if !tableau.fsal || s < 3 || tableau.c[s - 2] != 1.0 {
            return false;
        }
        let ExplicitRk { k, stage, .. } = self;
        weighted_sum(
            &integrator.work.state,
            step.h(),
            tableau.a[s - 2],
            k,
            dof,
            stage,
        );
        let difference = |x: &[f64], y: &[f64]| -> f64 {
            let squares = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y));
            squares.sum::<f64>().sqrt()
        };
        let slopes = difference(&k[(s - 1) * dof..s * dof], &k[(s - 2) * dof..(s - 1) * dof]);
        let states = difference(&integrator.work.next, stage);
        let stiff = step.h().abs() * slopes > LIMIT * states;
        self.stiffness.record(stiff)
    }

    fn is_finite(&self) -> bool {
        if let Some(LaneStep { is_finite, .. }) = self.in_lane {
            return is_finite;
        }
        let dof = self.stage.len();
        all_finite(&self.k[..self.tableau.stages() * dof])
    }
}
