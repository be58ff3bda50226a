//! The step method of Rosenbrock methods: linearly implicit, with one matrix for all stages of a step and no iteration.

use super::checkpoints::StateReader;
use super::control::{Controller, error_norm};
use super::integrator_core::IntegratorCore;
use super::jacobian::Jacobian;
use super::lu::Lu;
use super::plan::Step;
use super::rhs::Rhs;
use super::step_controller::StepController;
use super::step_method::StepMethod;
use super::tableau::RosenbrockTableau;
use super::vector_ops::{add_scaled, add_weighted_sum, all_finite, weighted_sum};
use odesync_base::failure::FailureReason;

const SAFETY: f64 = 0.9;

/// Storage of a Rosenbrock step, reused between solves.
#[derive(Debug, Clone, Default)]
pub(crate) struct RosenbrockCache {
    slot: Vec<f64>,
    /// Slope du/dt at the state.
    f: Vec<f64>,
    k: Vec<f64>,
    /// Stages of the step of the solve while an output step is computed; of the output step otherwise.
    saved_k: Vec<f64>,
    stage: Vec<f64>,
    error: Vec<f64>,
    jacobian: Jacobian,
    lu: Lu<f64>,
}

/// Step method of Rosenbrock methods. The tape holds for each step the slots of its stages, then their `K_i`.
pub(crate) struct RosenbrockMethod {
    tableau: &'static RosenbrockTableau,
    pub cache: RosenbrockCache,
    /// Whether the Jacobian is that of the current state.
    jacobian_fresh: bool,
    controller: StepController,
}

/// Returns the length of the tape of one step.
pub(super) fn tape_stride<R: Rhs + ?Sized>(tableau: &RosenbrockTableau, rhs: &R) -> usize {
    tableau.stages() * (rhs.slot_len() + rhs.dof())
}

impl RosenbrockMethod {
    pub fn new<R: Rhs + ?Sized>(
        tableau: &'static RosenbrockTableau,
        rhs: &R,
        controller: Option<Controller>,
        mut cache: RosenbrockCache,
    ) -> Self {
        let dof = rhs.dof();
        cache.slot.resize(rhs.slot_len(), 0.0);
        cache.k.resize(tableau.stages() * dof, 0.0);
        cache.saved_k.resize(tableau.stages() * dof, 0.0);
        for buffer in [&mut cache.f, &mut cache.stage, &mut cache.error] {
            buffer.resize(dof, 0.0);
        }
        cache.jacobian.bind(rhs);
        RosenbrockMethod {
            tableau,
            cache,
            jacobian_fresh: false,
            controller: StepController::new(controller, Controller::Gustafsson),
        }
    }

    /// Exchanges the stages of the step of the solve with those of the output steps.
    fn swap_substep_state(&mut self) {
        std::mem::swap(&mut self.cache.k, &mut self.cache.saved_k);
    }

    fn linearize<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        t: f64,
    ) {
        let RosenbrockCache {
            slot, f, jacobian, ..
        } = &mut self.cache;
        let place = (integrator.problem.sample, t);
        let work = &mut *integrator.work;
        integrator.rhs.eval_taped(place.0, t, &work.state, slot, f);
        jacobian.fill(integrator.rhs, place, slot);
        work.stats.evaluations += 1;
        work.stats.jacobians += 1;
        self.jacobian_fresh = true;
    }
}

impl<R: Rhs + ?Sized, const TAPE: bool> StepMethod<R, TAPE> for RosenbrockMethod {
    fn tape_len(&self, integrator: &IntegratorCore<R, TAPE>, steps: usize) -> usize {
        steps.saturating_mul(tape_stride(self.tableau, integrator.rhs))
    }

    fn initialize(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        adaptive: bool,
    ) -> Result<f64, FailureReason> {
        self.linearize(integrator, integrator.stepper.t);
        let RosenbrockCache { slot, f, error, .. } = &mut self.cache;
        if !all_finite(f) {
            return Err(FailureReason::NotFinite);
        }
        if !adaptive {
            return Ok(0.0);
        }
        let order = integrator.options.solver.order;
        // The slot holds the taped evaluation of the first stage, which the evaluation below overwrites.
        let first_slot = if TAPE { slot.clone() } else { vec![] };
        let size = integrator.initial_step_size(order, f, slot, error);
        slot[..first_slot.len()].copy_from_slice(&first_slot);
        Ok(size)
    }

    fn perform_step(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        if !self.jacobian_fresh {
            self.linearize(integrator, step.t);
        }
        let (tableau, dof, h) = (self.tableau, integrator.dof, step.h());
        let len = integrator.rhs.slot_len();
        let start = index * tape_stride(tableau, integrator.rhs);
        let RosenbrockCache {
            slot,
            f,
            k,
            stage,
            jacobian,
            lu,
            ..
        } = &mut self.cache;
        if !jacobian.is_finite() {
            return Err(FailureReason::JacobianNotFinite);
        }
        let diagonal = 1.0 / (h * tableau.gamma);
        let regular = lu.factor(dof, |r, c| {
            let diagonal = if r == c { diagonal } else { 0.0 };
            diagonal - jacobian.at(r, c)
        });
        integrator.work.stats.factorizations += 1;
        if !regular {
            return Err(FailureReason::Singular);
        }
        if TAPE {
            integrator.work.tape[start..start + len].copy_from_slice(slot);
        }
        for i in 0..tableau.stages() {
            let (before, now) = k.split_at_mut(i * dof);
            let now = &mut now[..dof];
            if i == 0 {
                now.copy_from_slice(f);
            } else {
                let t = step.time_at(tableau.c[i]);
                weighted_sum(
                    &integrator.work.state,
                    1.0,
                    tableau.a[i],
                    before,
                    dof,
                    stage,
                );
                if TAPE {
                    integrator.evaluate(start + i * len, t, stage, now);
                } else {
                    let sample = integrator.problem.sample;
                    integrator.rhs.eval(sample, t, stage, slot, now);
                    integrator.work.stats.evaluations += 1;
                }
            }
            add_scaled(h * tableau.d[i], jacobian.df_dt(), now);
            add_weighted_sum(1.0 / h, tableau.coupling[i], before, dof, now);
            lu.solve(now);
        }
        let work = &mut *integrator.work;
        weighted_sum(&work.state, 1.0, tableau.b, k, dof, &mut work.next);
        if TAPE {
            let at = start + tableau.stages() * len;
            work.tape[at..at + k.len()].copy_from_slice(k);
        }
        Ok(())
    }

    fn error_test(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) -> bool {
        let RosenbrockCache { k, error, .. } = &mut self.cache;
        error.fill(0.0);
        add_weighted_sum(1.0, self.tableau.error, k, integrator.dof, error);
        let (rtol, atol) = (integrator.options.rtol, integrator.options.atol);
        let norm = error_norm(
            error,
            &integrator.work.state,
            &integrator.work.next,
            rtol,
            atol,
        );
        let order = integrator.options.solver.order;
        let norm = if all_finite(k) { norm } else { f64::NAN };
        let h = step.h().abs();
        let (accepted, size) =
            self.controller
                .adapt_step_size(h, norm, (order, SAFETY), false, || true);
        integrator.stepper.record_step(accepted, size);
        if norm.is_nan() {
            integrator.stepper.clamp_to_end(step);
        }
        accepted
    }

    fn interpolate(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        _step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) {
        let work = &mut *integrator.work;
        let u = &mut work.u[to];
        u.copy_from_slice(&work.state);
        for (i, k) in self.cache.k.chunks_exact(integrator.dof).enumerate() {
            add_scaled(self.tableau.dense_weight(i, theta), k, u);
        }
    }

    fn evaluate_output(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) -> Result<(), FailureReason> {
        let tableau = self.tableau;
        let tape_len = |integrator: &IntegratorCore<R, TAPE>, n: usize| {
            n * tape_stride(tableau, integrator.rhs)
        };
        self.swap_substep_state();
        let found = integrator.substep_to_output(
            (step, theta),
            to,
            tape_len,
            |integrator, index, substep| self.perform_step(integrator, index, substep),
        );
        self.swap_substep_state();
        found
    }

    fn on_accept(&mut self, _integrator: &mut IntegratorCore<R, TAPE>, _step: Step) {
        self.jacobian_fresh = false;
    }

    fn save(&self, row: &mut Vec<f64>) {
        self.controller.save(row);
    }

    fn load(&mut self, _integrator: &mut IntegratorCore<R, TAPE>, row: &mut StateReader) {
        self.controller.load(row);
    }

    fn is_finite(&self) -> bool {
        all_finite(&self.cache.k)
    }
}
