//! Radau IIA steps (Hairer, Wanner, *Solving Ordinary Differential Equations II*, IV.8).

use nalgebra::Complex;

use super::auto::StiffnessDetector;
use super::checkpoints::StateReader;
use super::control::error_norm;
use super::gustafsson::GustafssonController;
use super::integrator::Integrator;
use super::jacobian::Jacobian;
use super::lu::Lu;
use super::newton::Newton;
use super::options::SolveOptions;
use super::plan::Step;
use super::radau_stages::sum_into;
use super::solvers::radau::{ERROR_WEIGHTS, MU, MU_COMPLEX, interpolation_weights};
use super::stage_system::StageSystem;
use super::step_method::StepMethod;
use super::vector_ops::{add_scaled, all_finite};
use crate::field::native::Evaluator;
use odesync_base::failure::FailureReason;

pub(super) const MAX_ITERATIONS: usize = 6;

/// Storage of a scheme, kept between solves.
#[derive(Debug, Clone, Default)]
pub(crate) struct RadauCache {
    pub(super) slot: Vec<f64>,
    /// du/dt at the state.
    f: Vec<f64>,
    /// u(t + c_i h) − u, `[3, dof]`.
    pub(super) z: Vec<f64>,
    /// The same of the step before.
    pub(super) previous_z: Vec<f64>,
    /// The same of the step around the one that leads to a requested time inside it, and the other's factorisations.
    pub(super) saved_z: Vec<f64>,
    saved_real_lu: Lu<f64>,
    saved_complex_lu: Lu<Complex<f64>>,
    /// T⁻¹ z.
    pub(super) w: Vec<f64>,
    /// du/dt at the stages; increments.
    pub(super) k: Vec<f64>,
    pub(super) stage: Vec<f64>,
    error: Vec<f64>,
    pub(super) increment: Vec<Complex<f64>>,
    pub(super) real_lu: Lu<f64>,
    pub(super) complex_lu: Lu<Complex<f64>>,
    jacobian: Jacobian,
    pub(super) stage_system: StageSystem,
}

/// Radau IIA at work. The tape holds the slots of the three stages of each step.
pub(crate) struct Radau {
    pub cache: RadauCache,
    /// Step size of the factorisations; 0 for none.
    factored_h: f64,
    /// That of the ones set aside.
    saved_factored_h: f64,
    /// How far a step inside another one leads.
    pub(super) substep_theta: Option<f64>,
    /// Whether the Jacobian is there, and whether it is that of the current state.
    has_jacobian: bool,
    jacobian_fresh: bool,
    pub(super) newton: Newton,
    controller: GustafssonController,
    /// Step size of the stages in `before`; 0 for none.
    pub(super) previous_h: f64,
    stiffness: StiffnessDetector,
}

impl Radau {
    pub fn new(evaluator: &Evaluator, mut buffers: RadauCache) -> Self {
        let dof = evaluator.dof();
        buffers.slot.resize(3 * evaluator.slot_len(), 0.0);
        for (buffer, len) in [
            (&mut buffers.f, dof),
            (&mut buffers.z, 3 * dof),
            (&mut buffers.previous_z, 3 * dof),
            (&mut buffers.saved_z, 3 * dof),
            (&mut buffers.w, 3 * dof),
            (&mut buffers.k, 3 * dof),
            (&mut buffers.stage, dof),
            (&mut buffers.error, dof),
        ] {
            buffer.resize(len, 0.0);
        }
        buffers.increment.resize(dof, Complex::default());
        buffers.jacobian.bind(evaluator);
        buffers.stage_system.bind(evaluator, 3);
        Radau {
            cache: buffers,
            factored_h: 0.0,
            saved_factored_h: 0.0,
            substep_theta: None,
            has_jacobian: false,
            jacobian_fresh: false,
            newton: Newton::new(1.0, MAX_ITERATIONS),
            controller: GustafssonController::default(),
            previous_h: 0.0,
            stiffness: StiffnessDetector::default(),
        }
    }

    /// Length of the tape for this many steps.
    fn tape_len_for<const TAPE: bool>(course: &Integrator<TAPE>, steps: usize) -> usize {
        (3 * steps).saturating_mul(course.evaluator.slot_len())
    }

    /// Evaluates the field and its Jacobian at the state.
    fn linearize<const TAPE: bool>(&mut self, course: &mut Integrator<TAPE>, t: f64) {
        let RadauCache {
            slot, f, jacobian, ..
        } = &mut self.cache;
        let sample = course.problem.sample;
        let slot = &mut slot[..course.evaluator.slot_len()];
        course
            .evaluator
            .eval_taped(sample, t, &course.work.state, slot, f);
        jacobian.fill(course.evaluator, (sample, t), slot);
        course.work.stats.evaluations += 1;
        course.work.stats.jacobians += 1;
        (self.has_jacobian, self.jacobian_fresh, self.factored_h) = (true, true, 0.0);
    }

    fn ensure_factored<const TAPE: bool>(
        &mut self,
        course: &mut Integrator<TAPE>,
        h: f64,
    ) -> Result<(), FailureReason> {
        // Step sizes that are meant to be equal differ by the rounding of the time.
        if (self.factored_h - h).abs() <= 1e-5 * h.abs() {
            return Ok(());
        }
        if !self.cache.jacobian.is_finite() {
            return Err(FailureReason::JacobianNotFinite);
        }
        let good = self.factorize(course.dof, h);
        course.work.stats.factorizations += 2;
        self.factored_h = if good { h } else { 0.0 };
        good.then_some(()).ok_or(FailureReason::Singular)
    }

    /// Factors the matrices of the transformed stages.
    fn factorize(&mut self, dof: usize, h: f64) -> bool {
        let RadauCache {
            real_lu: real,
            complex_lu: complex,
            jacobian,
            ..
        } = &mut self.cache;
        let mu = MU / h;
        let mu_complex = Complex::new(MU_COMPLEX.0 / h, MU_COMPLEX.1 / h);
        real.factor(dof, |r, c| {
            let diagonal = if r == c { mu } else { 0.0 };
            diagonal - jacobian.at(r, c)
        }) && complex.factor(dof, |r, c| {
            let diagonal = if r == c {
                mu_complex
            } else {
                Complex::default()
            };
            diagonal - jacobian.at(r, c)
        })
    }

    /// Exchanges the stages and factorisations of a step with those of the steps inside it.
    fn swap_substep_state(&mut self) {
        let RadauCache {
            z,
            saved_z: around,
            real_lu: real,
            saved_real_lu: real_around,
            complex_lu: complex,
            saved_complex_lu: complex_around,
            ..
        } = &mut self.cache;
        std::mem::swap(z, around);
        std::mem::swap(real, real_around);
        std::mem::swap(complex, complex_around);
        std::mem::swap(&mut self.factored_h, &mut self.saved_factored_h);
    }

    /// The error estimate of the attempted step into `error`, from the slope `f`; its norm.
    fn estimate_error<const TAPE: bool>(&mut self, course: &Integrator<TAPE>, h: f64) -> f64 {
        let SolveOptions { rtol, atol, .. } = *course.options;
        let RadauCache {
            z,
            error,
            real_lu: real,
            ..
        } = &mut self.cache;
        let dof = course.dof;
        for (i, error) in error.iter_mut().enumerate() {
            *error += (ERROR_WEIGHTS[0] * z[i]
                + ERROR_WEIGHTS[1] * z[dof + i]
                + ERROR_WEIGHTS[2] * z[2 * dof + i])
                / h;
        }
        real.solve(error);
        error_norm(error, &course.work.state, &course.work.next, rtol, atol)
    }
}

impl<const TAPE: bool> StepMethod<TAPE> for Radau {
    fn tape_len(&self, course: &Integrator<TAPE>, steps: usize) -> usize {
        Self::tape_len_for(course, steps)
    }

    fn initialize(
        &mut self,
        course: &mut Integrator<TAPE>,
        adaptive: bool,
    ) -> Result<f64, FailureReason> {
        self.linearize(course, course.stepper.t);
        if !adaptive {
            return Ok(0.0);
        }
        let RadauCache { slot, f, error, .. } = &mut self.cache;
        if !all_finite(f) {
            return Err(FailureReason::NotFinite);
        }
        let slot = &mut slot[..course.evaluator.slot_len()];
        Ok(course.initial_step_size(4, f, slot, error))
    }

    fn perform_step(
        &mut self,
        course: &mut Integrator<TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        let h = step.h();
        let solved = loop {
            if !self.has_jacobian {
                self.linearize(course, step.t);
            }
            let solved = self.ensure_factored(course, h).and_then(|()| {
                self.predict_stages(h);
                self.simplified_newton(course, step)
            });
            if solved.is_ok() || self.jacobian_fresh {
                break solved;
            }
            self.has_jacobian = false;
        };
        if course.exact_stages {
            // Where simplified Newton's iteration has not found the stages, the exact one may.
            if solved.is_err() {
                self.cache.z.fill(0.0);
            }
            let limit = if solved.is_ok() { 10 } else { 30 };
            if !self.full_newton(course, index, step, limit) {
                return Err(solved.err().unwrap_or(FailureReason::NotConverging));
            }
        } else {
            solved?;
        }
        let last = &self.cache.z[2 * course.dof..];
        sum_into(&course.work.state, last, &mut course.work.next);
        Ok(())
    }

    fn error_test(&mut self, course: &mut Integrator<TAPE>, step: Step) -> bool {
        let h = step.h();
        self.cache.error.copy_from_slice(&self.cache.f);
        let mut norm = self.estimate_error(course, h);
        if norm > 1.0 && (self.controller.rejected || self.controller.is_first_step()) {
            // The estimate of a first step, or of one after a rejection, is too large in the stiff components.
            let RadauCache {
                slot, stage, error, ..
            } = &mut self.cache;
            sum_into(&course.work.state, error, stage);
            let slot = &mut slot[..course.evaluator.slot_len()];
            let sample = course.problem.sample;
            course.evaluator.eval(sample, step.t, stage, slot, error);
            course.work.stats.evaluations += 1;
            norm = self.estimate_error(course, h);
        }
        let (safety, keep) = (self.newton.safety(), !self.newton.needs_new_jacobian());
        let (accepted, size) = self
            .controller
            .adapt_step_size(h.abs(), norm, 4, safety, keep);
        course.stepper.record_step(accepted, size);
        accepted
    }

    fn interpolate(
        &mut self,
        course: &mut Integrator<TAPE>,
        _step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) {
        let work = &mut *course.work;
        let u = &mut work.u[to];
        u.copy_from_slice(&work.state);
        for (w, z) in interpolation_weights(theta)
            .iter()
            .zip(self.cache.z.chunks_exact(course.dof))
        {
            add_scaled(*w, z, u);
        }
    }

    fn solve_at(
        &mut self,
        course: &mut Integrator<TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) -> Result<(), FailureReason> {
        let (newton, current) = (self.newton, self.jacobian_fresh);
        self.swap_substep_state();
        (self.substep_theta, self.factored_h) = (Some(theta), 0.0);
        let tape_len = |course: &Integrator<TAPE>, steps| Self::tape_len_for(course, steps);
        let found = course.substep_to_output((step, theta), to, tape_len, |course, index, part| {
            self.perform_step(course, index, part)
        });
        self.substep_theta = None;
        self.swap_substep_state();
        self.newton = newton;
        if self.jacobian_fresh != current {
            // The Jacobian is another one now.
            self.factored_h = 0.0;
        }
        found
    }

    fn on_accept(&mut self, course: &mut Integrator<TAPE>, step: Step) {
        std::mem::swap(&mut self.cache.z, &mut self.cache.previous_z);
        self.previous_h = step.h();
        self.jacobian_fresh = false;
        if self.newton.needs_new_jacobian() {
            self.linearize(course, step.end);
        } else if !course.options.is_fixed_step() {
            let RadauCache { slot, f, .. } = &mut self.cache;
            let slot = &mut slot[..course.evaluator.slot_len()];
            let sample = course.problem.sample;
            let state = &course.work.state;
            course.evaluator.eval(sample, step.end, state, slot, f);
            course.work.stats.evaluations += 1;
        }
    }

    fn save(&self, row: &mut Vec<f64>) {
        row.extend([self.has_jacobian, self.jacobian_fresh].map(f64::from));
        row.extend([self.factored_h, self.previous_h]);
        self.controller.save(row);
        row.extend(&self.cache.f);
        row.extend(&self.cache.previous_z);
        row.extend(self.cache.jacobian.df_du());
    }

    fn load(&mut self, course: &mut Integrator<TAPE>, row: &mut StateReader) {
        self.has_jacobian = row.read_bool();
        self.jacobian_fresh = row.read_bool();
        self.factored_h = row.read_f64();
        self.previous_h = row.read_f64();
        self.controller.load(row);
        row.read_into(&mut self.cache.f);
        row.read_into(&mut self.cache.previous_z);
        row.read_into(self.cache.jacobian.df_du_mut());
        if self.has_jacobian && self.factored_h != 0.0 {
            self.factorize(course.dof, self.factored_h);
        }
    }

    /// Not stiff where every eigenvalue is so small that an explicit method could take this step.
    fn should_switch(&mut self, _course: &mut Integrator<TAPE>, step: Step) -> bool {
        let easy = step.h().abs() * self.cache.jacobian.norm() < 1.0;
        self.stiffness.record(easy)
    }

    fn is_finite(&self) -> bool {
        all_finite(&self.cache.z)
    }
}
