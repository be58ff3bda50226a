//! The step method of Rosenbrock methods: linearly implicit, with one matrix for all stages of a step and no iteration.

use super::checkpoints::StateReader;
use super::control::{Controller, SAFETY};
use super::integrator_core::IntegratorCore;
use super::jacobian::Jacobian;
use super::lu::Lu;
use super::mass_matrix::MassMatrix;
use super::options::SolveOptions;
use super::recorded_steps::Step;
use super::rhs::{DifferenceScales, Rhs};
use super::step_controller::StepController;
use super::step_method::StepMethod;
use super::tableau::RosenbrockTableau;
use super::vector_ops::{add_scaled, add_weighted_sum, all_finite, weighted_sum};
use odesync_base::failure::FailureReason;

/// Step method of Rosenbrock methods. The tape holds for each step the slots of its stages, then their `K_i`.
#[derive(Debug)]
pub(crate) struct RosenbrockMethod {
    tableau: &'static RosenbrockTableau,
    slot: Vec<f64>,
    /// f at the state.
    f: Vec<f64>,
    k: Vec<f64>,
    /// Stages of the step of the solve while an output step is computed; of the output step otherwise.
    saved_k: Vec<f64>,
    stage: Vec<f64>,
    error: Vec<f64>,
    jacobian: Jacobian,
    lu: Lu<f64>,
    /// Mass matrix M; the identity where `None`.
    mass: Option<MassMatrix>,
    /// Σ_j C_ij K_j / h of the stage, `[dof]`, where there is a mass matrix.
    coupled: Vec<f64>,
    /// Whether the Jacobian is that of the current state.
    jacobian_fresh: bool,
    controller: StepController,
}

/// Returns the length of the tape of one step.
pub(super) fn tape_stride<R: Rhs + ?Sized>(tableau: &RosenbrockTableau, rhs: &R) -> usize {
    tableau.stages() * (rhs.slot_len() + rhs.dof())
}

impl RosenbrockMethod {
    /// Creates the step method of a tableau, without storage.
    pub fn new(tableau: &'static RosenbrockTableau) -> Self {
        RosenbrockMethod {
            tableau,
            slot: vec![],
            f: vec![],
            k: vec![],
            saved_k: vec![],
            stage: vec![],
            error: vec![],
            jacobian: Jacobian::default(),
            lu: Lu::default(),
            mass: None,
            coupled: vec![],
            jacobian_fresh: false,
            controller: StepController::default(),
        }
    }

    /// Prepares the method for a solve.
    pub fn reset<R: Rhs + ?Sized>(
        &mut self,
        tableau: &'static RosenbrockTableau,
        rhs: &R,
        options: &SolveOptions,
    ) {
        let (dof, mass) = (rhs.dof(), options.mass_matrix.as_ref());
        self.mass = mass.cloned();
        self.tableau = tableau;
        self.slot.resize(rhs.slot_len(), 0.0);
        self.k.resize(tableau.stages() * dof, 0.0);
        self.saved_k.resize(tableau.stages() * dof, 0.0);
        for buffer in [
            &mut self.f,
            &mut self.stage,
            &mut self.error,
            &mut self.coupled,
        ] {
            buffer.resize(dof, 0.0);
        }
        self.jacobian.bind(rhs, mass);
        self.jacobian_fresh = false;
        self.controller = StepController::new(options.controller, Controller::Gustafsson);
    }

    /// Exchanges the stages of the step of the solve with those of the output steps.
    fn swap_substep_state(&mut self) {
        std::mem::swap(&mut self.k, &mut self.saved_k);
    }

    fn linearize<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        t: f64,
    ) {
        let RosenbrockMethod {
            slot, f, jacobian, ..
        } = self;
        integrator.linearize((t, None), slot, f, jacobian);
        self.jacobian_fresh = true;
    }
}

impl<R: Rhs + ?Sized, const TAPE: bool> StepMethod<R, TAPE> for RosenbrockMethod {
    fn tape_len(&self, integrator: &IntegratorCore<R, TAPE>, steps: usize) -> usize {
        steps.saturating_mul(tape_stride(self.tableau, integrator.rhs))
    }

    fn set_scales(&mut self, scales: &DifferenceScales) {
        self.jacobian.set_scales(scales);
    }

    fn initialize(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        adaptive: bool,
    ) -> Result<f64, FailureReason> {
        self.linearize(integrator, integrator.stepper.t);
        let RosenbrockMethod { f, error, .. } = self;
        if !all_finite(f) {
            return Err(FailureReason::NotFinite);
        }
        if !adaptive {
            return Ok(0.0);
        }
        let order = integrator.options.solver.order;
        let mut slope = f.clone();
        integrator.turn_into_slope(&mut slope)?;
        Ok(integrator.initial_step_size(order, &slope, error))
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
        let RosenbrockMethod {
            slot,
            f,
            k,
            stage,
            jacobian,
            lu,
            mass,
            coupled,
            ..
        } = self;
        if !jacobian.is_finite() {
            return Err(FailureReason::JacobianNotFinite);
        }
        let regular = jacobian.factor_shifted(1.0 / (h * tableau.gamma), lu);
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
            match mass {
                None => add_weighted_sum(1.0 / h, tableau.coupling[i], before, dof, now),
                Some(mass) => {
                    coupled.fill(0.0);
                    add_weighted_sum(1.0 / h, tableau.coupling[i], before, dof, coupled);
                    mass.add_product(1.0, coupled, now);
                }
            }
            lu.solve(now);
        }
        let work = &mut *integrator.work;
        weighted_sum(&work.state, 1.0, tableau.b, k, dof, &mut work.next);
        if TAPE {
            let at = start + tableau.stages() * len;
            work.tape[at..at + k.len()].copy_from_slice(k);
        }
        // Where algebraic variables jump with the field, one linearization may not be enough to follow them.
        match integrator.stepper.is_indivisible() && !integrator.ends_consistent(step) {
            true => Err(FailureReason::NotConverging),
            false => Ok(()),
        }
    }

    fn error_test(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) -> bool {
        let RosenbrockMethod { k, error, .. } = self;
        error.fill(0.0);
        add_weighted_sum(1.0, self.tableau.error, k, integrator.dof, error);
        let norm = integrator.error_norm(error);
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
        for (i, k) in self.k.chunks_exact(integrator.dof).enumerate() {
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
        all_finite(&self.k)
    }
}
