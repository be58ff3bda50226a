//! The step method of Radau IIA (Hairer, Wanner, *Solving Ordinary Differential Equations II*, IV.8).

use nalgebra::Complex;

use super::auto::StiffnessDetector;
use super::checkpoints::StateReader;
use super::control::Controller;
use super::integrator_core::IntegratorCore;
use super::jacobian::Jacobian;
use super::lu::Lu;
use super::mass_matrix::MassMatrix;
use super::newton::Newton;
use super::options::SolveOptions;
use super::radau_stages::sum_into;
use super::recorded_steps::Step;
use super::rhs::{DifferenceScales, Rhs};
use super::solvers::radau::{ERROR_WEIGHTS, MU, MU_COMPLEX, interpolation_weights};
use super::stage_system::StageSystem;
use super::step_controller::StepController;
use super::step_method::StepMethod;
use super::vector_ops::{add_scaled, all_finite};
use odesync_base::failure::FailureReason;

pub(super) const MAX_ITERATIONS: usize = 6;

/// Step method of Radau IIA. The tape holds the slots of the three stages of each step.
#[derive(Debug, Default)]
pub(crate) struct Radau {
    pub(super) slot: Vec<f64>,
    /// f at the state.
    f: Vec<f64>,
    /// Stage increments u(t + c_i h) − u, `[3, dof]`.
    pub(super) z: Vec<f64>,
    /// Stage increments of the previous step, `[3, dof]`.
    pub(super) previous_z: Vec<f64>,
    /// Stage increments and factorizations of the steps of the solve while an output step is computed; of the output steps
    /// otherwise.
    pub(super) saved_z: Vec<f64>,
    saved_real_lu: Lu<f64>,
    saved_complex_lu: Lu<Complex<f64>>,
    /// Transformed stage increments T⁻¹ z.
    pub(super) w: Vec<f64>,
    /// f at the stages; then Newton increments.
    pub(super) k: Vec<f64>,
    pub(super) stage: Vec<f64>,
    error: Vec<f64>,
    /// Mass matrix M; the identity where `None`.
    pub(super) mass: Option<MassMatrix>,
    /// M w, `[3, dof]`, where there is a mass matrix.
    pub(super) mass_product: Vec<f64>,
    pub(super) increment: Vec<Complex<f64>>,
    pub(super) real_lu: Lu<f64>,
    pub(super) complex_lu: Lu<Complex<f64>>,
    jacobian: Jacobian,
    pub(super) stage_system: StageSystem,
    /// Step size of the factorizations; 0 where there are none.
    factored_h: f64,
    /// Step size of the factorizations in `saved_real_lu` and `saved_complex_lu`; 0 where there are none.
    saved_factored_h: f64,
    /// θ of the output step that is being computed, in the enclosing step; `None` for a step of the solve.
    pub(super) substep_theta: Option<f64>,
    /// Whether there is a usable Jacobian; `jacobian_fresh` tells whether it is that of the current state.
    has_jacobian: bool,
    jacobian_fresh: bool,
    pub(super) newton: Newton,
    controller: StepController,
    /// Step size of the stages in `previous_z`; 0 where there are none.
    pub(super) previous_h: f64,
    stiffness: StiffnessDetector,
}

impl Radau {
    /// Prepares the method for a solve.
    pub fn reset<R: Rhs + ?Sized>(&mut self, rhs: &R, options: &SolveOptions) {
        let (dof, mass) = (rhs.dof(), options.mass_matrix.as_ref());
        self.mass = mass.cloned();
        self.mass_product.resize(mass.map_or(0, |_| 3 * dof), 0.0);
        self.slot.resize(3 * rhs.slot_len(), 0.0);
        for (buffer, len) in [
            (&mut self.f, dof),
            (&mut self.z, 3 * dof),
            (&mut self.previous_z, 3 * dof),
            (&mut self.saved_z, 3 * dof),
            (&mut self.w, 3 * dof),
            (&mut self.k, 3 * dof),
            (&mut self.stage, dof),
            (&mut self.error, dof),
        ] {
            buffer.resize(len, 0.0);
        }
        self.increment.resize(dof, Complex::default());
        self.jacobian.bind(rhs, mass);
        self.stage_system.bind(rhs, 3, mass);
        (self.factored_h, self.saved_factored_h, self.previous_h) = (0.0, 0.0, 0.0);
        (self.has_jacobian, self.jacobian_fresh) = (false, false);
        self.substep_theta = None;
        self.newton = Newton::new(1.0, MAX_ITERATIONS);
        self.controller = StepController::new(options.controller, Controller::Gustafsson);
        self.stiffness = StiffnessDetector::default();
    }

    /// Returns the length of the tape for this many steps.
    fn tape_len_for<R: Rhs + ?Sized, const TAPE: bool>(
        integrator: &IntegratorCore<R, TAPE>,
        steps: usize,
    ) -> usize {
        (3 * steps).saturating_mul(integrator.rhs.slot_len())
    }

    /// Evaluates the field and its Jacobian at the state.
    fn linearize<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        t: f64,
    ) {
        let Radau {
            slot, f, jacobian, ..
        } = self;
        let slot = &mut slot[..integrator.rhs.slot_len()];
        integrator.linearize((t, None), slot, f, jacobian);
        (self.has_jacobian, self.jacobian_fresh, self.factored_h) = (true, true, 0.0);
    }

    fn ensure_factored<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        h: f64,
    ) -> Result<(), FailureReason> {
        // Nominally equal step sizes differ by the rounding of the time.
        if (self.factored_h - h).abs() <= 1e-5 * h.abs() {
            return Ok(());
        }
        if !self.jacobian.is_finite() {
            return Err(FailureReason::JacobianNotFinite);
        }
        let regular = self.factorize(h);
        integrator.work.stats.factorizations += 2;
        self.factored_h = if regular { h } else { 0.0 };
        regular.then_some(()).ok_or(FailureReason::Singular)
    }

    /// Factors the real and the complex matrix of the transformed stages; false where one is singular.
    fn factorize(&mut self, h: f64) -> bool {
        let Radau {
            real_lu,
            complex_lu,
            jacobian,
            ..
        } = self;
        let mu_complex = Complex::new(MU_COMPLEX.0 / h, MU_COMPLEX.1 / h);
        jacobian.factor_shifted(MU / h, real_lu) && jacobian.factor_shifted(mu_complex, complex_lu)
    }

    /// Exchanges the stages and factorizations of the steps of the solve with those of the output steps.
    fn swap_substep_state(&mut self) {
        let Radau {
            z,
            saved_z,
            real_lu,
            saved_real_lu,
            complex_lu,
            saved_complex_lu,
            ..
        } = self;
        std::mem::swap(z, saved_z);
        std::mem::swap(real_lu, saved_real_lu);
        std::mem::swap(complex_lu, saved_complex_lu);
        std::mem::swap(&mut self.factored_h, &mut self.saved_factored_h);
    }

    /// Computes the error estimate of the attempted step into `error`, which holds f on entry, and returns its norm.
    fn estimate_error<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &IntegratorCore<R, TAPE>,
        h: f64,
    ) -> f64 {
        let Radau {
            z,
            error,
            real_lu,
            mass,
            ..
        } = self;
        let dof = integrator.dof;
        let weighted = |i: usize| {
            (ERROR_WEIGHTS[0] * z[i]
                + ERROR_WEIGHTS[1] * z[dof + i]
                + ERROR_WEIGHTS[2] * z[2 * dof + i])
                / h
        };
        for (i, error) in error.iter_mut().enumerate() {
            *error += match mass {
                None => weighted(i),
                Some(mass) => (0..dof).map(|j| mass.at(i, j) * weighted(j)).sum(),
            };
        }
        real_lu.solve(error);
        integrator.error_norm(error)
    }
}

impl<R: Rhs + ?Sized, const TAPE: bool> StepMethod<R, TAPE> for Radau {
    fn tape_len(&self, integrator: &IntegratorCore<R, TAPE>, steps: usize) -> usize {
        Self::tape_len_for(integrator, steps)
    }

    fn set_scales(&mut self, scales: &DifferenceScales) {
        self.jacobian.set_scales(scales);
        self.stage_system.set_scales(scales);
    }

    fn initialize(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        adaptive: bool,
    ) -> Result<f64, FailureReason> {
        self.linearize(integrator, integrator.stepper.t);
        if !adaptive {
            return Ok(0.0);
        }
        let Radau { f, error, .. } = self;
        if !all_finite(f) {
            return Err(FailureReason::NotFinite);
        }
        let mut slope = f.clone();
        integrator.turn_into_slope(&mut slope)?;
        Ok(integrator.initial_step_size(4, &slope, error))
    }

    fn perform_step(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        let h = step.h();
        let solved = loop {
            if !self.has_jacobian {
                self.linearize(integrator, step.t);
            }
            let solved = self.ensure_factored(integrator, h).and_then(|()| {
                self.predict_stages(h);
                self.simplified_newton(integrator, step)
            });
            if solved.is_ok() || self.jacobian_fresh {
                break solved;
            }
            self.has_jacobian = false;
        };
        if integrator.exact_stages {
            // Where simplified Newton iteration does not converge, full Newton iteration still may.
            if solved.is_err() {
                self.z.fill(0.0);
            }
            let max_iterations = if solved.is_ok() { 10 } else { 30 };
            if !self.full_newton(integrator, index, step, max_iterations) {
                return Err(solved.err().unwrap_or(FailureReason::NotConverging));
            }
        } else {
            solved?;
        }
        let last = &self.z[2 * integrator.dof..];
        sum_into(&integrator.work.state, last, &mut integrator.work.next);
        Ok(())
    }

    fn error_test(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) -> bool {
        let h = step.h();
        self.error.copy_from_slice(&self.f);
        let mut norm = self.estimate_error(integrator, h);
        if norm > 1.0 && (self.controller.rejected || self.controller.is_first_step()) {
            // The error estimate of the first step, and of a step after a rejection, is too large in the stiff components.
            let Radau {
                slot, stage, error, ..
            } = self;
            sum_into(&integrator.work.state, error, stage);
            let slot = &mut slot[..integrator.rhs.slot_len()];
            let sample = integrator.problem.sample;
            integrator.rhs.eval(sample, step.t, stage, slot, error);
            integrator.work.stats.evaluations += 1;
            norm = self.estimate_error(integrator, h);
        }
        let (safety, keep) = (self.newton.safety(), !self.newton.needs_new_jacobian());
        let (accepted, size) =
            self.controller
                .adapt_step_size(h.abs(), norm, (4, safety), keep, || true);
        integrator.stepper.record_step(accepted, size);
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
        for (w, z) in interpolation_weights(theta)
            .iter()
            .zip(self.z.chunks_exact(integrator.dof))
        {
            add_scaled(*w, z, u);
        }
    }

    fn evaluate_output(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) -> Result<(), FailureReason> {
        let (newton, jacobian_fresh) = (self.newton, self.jacobian_fresh);
        self.swap_substep_state();
        (self.substep_theta, self.factored_h) = (Some(theta), 0.0);
        let tape_len =
            |integrator: &IntegratorCore<R, TAPE>, steps| Self::tape_len_for(integrator, steps);
        let found = integrator.substep_to_output(
            (step, theta),
            to,
            tape_len,
            |integrator, index, substep| self.perform_step(integrator, index, substep),
        );
        self.substep_theta = None;
        self.swap_substep_state();
        self.newton = newton;
        if self.jacobian_fresh != jacobian_fresh {
            // The output step computed a new Jacobian.
            self.factored_h = 0.0;
        }
        found
    }

    fn on_accept(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) {
        std::mem::swap(&mut self.z, &mut self.previous_z);
        self.previous_h = step.h();
        self.jacobian_fresh = false;
        if self.newton.needs_new_jacobian() {
            self.linearize(integrator, step.end);
        } else if !integrator.options.is_fixed_step() {
            let Radau { slot, f, .. } = self;
            let slot = &mut slot[..integrator.rhs.slot_len()];
            let sample = integrator.problem.sample;
            let state = &integrator.work.state;
            integrator.rhs.eval(sample, step.end, state, slot, f);
            integrator.work.stats.evaluations += 1;
        }
    }

    fn save(&self, row: &mut Vec<f64>) {
        row.extend([self.has_jacobian, self.jacobian_fresh].map(f64::from));
        row.extend([self.factored_h, self.previous_h]);
        self.controller.save(row);
        row.extend(&self.f);
        row.extend(&self.previous_z);
        row.extend(self.jacobian.df_du());
    }

    fn load(&mut self, _integrator: &mut IntegratorCore<R, TAPE>, row: &mut StateReader) {
        self.has_jacobian = row.read_bool();
        self.jacobian_fresh = row.read_bool();
        self.factored_h = row.read_f64();
        self.previous_h = row.read_f64();
        self.controller.load(row);
        row.read_into(&mut self.f);
        row.read_into(&mut self.previous_z);
        row.read_into(self.jacobian.df_du_mut());
        if self.has_jacobian && self.factored_h != 0.0 {
            self.factorize(self.factored_h);
        }
    }

    /// Detects the end of stiffness, where every eigenvalue is so small that an explicit method could take this step.
    fn should_switch(&mut self, _integrator: &mut IntegratorCore<R, TAPE>, step: Step) -> bool {
        let nonstiff = step.h().abs() * self.jacobian.norm() < 1.0;
        self.stiffness.record(nonstiff)
    }

    fn is_finite(&self) -> bool {
        all_finite(&self.z)
    }
}
