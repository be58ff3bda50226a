//! Radau IIA steps (Hairer, Wanner, *Solving Ordinary Differential Equations II*, IV.8).

use nalgebra::Complex;

use super::auto::Watch;
use super::checkpoints::Row;
use super::control::error_norm;
use super::coupled::Coupled;
use super::course::Course;
use super::jacobian::Jacobian;
use super::linear::Lu;
use super::methods::radau::{E, MU, MU_COMPLEX, weights};
use super::newton::Newton;
use super::options::SolveOptions;
use super::plan::Step;
use super::predictive::Predictive;
use super::radau_stages::sum;
use super::scheme::Scheme;
use super::sums::{add_scaled, finite};
use crate::field::native::Evaluator;
use odesync_base::failure::FailureReason;

pub(super) const ITERATIONS: usize = 6;

/// Storage of a scheme, kept between solves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers {
    pub(super) slot: Vec<f64>,
    /// du/dt at the state.
    f: Vec<f64>,
    /// u(t + c_i h) − u, `[3, dof]`.
    pub(super) z: Vec<f64>,
    /// The same of the step before.
    pub(super) before: Vec<f64>,
    /// The same of the step around the one that leads to a requested time inside it, and the other's factorisations.
    pub(super) around: Vec<f64>,
    real_around: Lu<f64>,
    complex_around: Lu<Complex<f64>>,
    /// T⁻¹ z.
    pub(super) w: Vec<f64>,
    /// du/dt at the stages; increments.
    pub(super) k: Vec<f64>,
    pub(super) stage: Vec<f64>,
    error: Vec<f64>,
    pub(super) increment: Vec<Complex<f64>>,
    pub(super) real: Lu<f64>,
    pub(super) complex: Lu<Complex<f64>>,
    jacobian: Jacobian,
    pub(super) stages: Coupled,
}

/// Radau IIA at work. The tape holds the slots of the three stages of each step.
pub(crate) struct Radau {
    pub buffers: Buffers,
    /// Step size of the factorisations; 0 for none.
    factored: f64,
    /// That of the ones set aside.
    factored_around: f64,
    /// How far a step inside another one leads.
    pub(super) inside: Option<f64>,
    /// Whether the Jacobian is there, and whether it is that of the current state.
    have: bool,
    current: bool,
    pub(super) newton: Newton,
    control: Predictive,
    /// Step size of the stages in `before`; 0 for none.
    pub(super) before: f64,
    watch: Watch,
}

impl Radau {
    pub fn new(evaluator: &Evaluator, mut buffers: Buffers) -> Self {
        let dof = evaluator.dof();
        buffers.slot.resize(3 * evaluator.slot_len(), 0.0);
        for (buffer, len) in [
            (&mut buffers.f, dof),
            (&mut buffers.z, 3 * dof),
            (&mut buffers.before, 3 * dof),
            (&mut buffers.around, 3 * dof),
            (&mut buffers.w, 3 * dof),
            (&mut buffers.k, 3 * dof),
            (&mut buffers.stage, dof),
            (&mut buffers.error, dof),
        ] {
            buffer.resize(len, 0.0);
        }
        buffers.increment.resize(dof, Complex::default());
        buffers.jacobian.bind(evaluator);
        buffers.stages.bind(evaluator, 3);
        Radau {
            buffers,
            factored: 0.0,
            factored_around: 0.0,
            inside: None,
            have: false,
            current: false,
            newton: Newton::new(1.0, ITERATIONS),
            control: Predictive::default(),
            before: 0.0,
            watch: Watch::default(),
        }
    }

    /// Length of the tape for this many steps.
    fn room<const TAPE: bool>(course: &Course<TAPE>, steps: usize) -> usize {
        (3 * steps).saturating_mul(course.evaluator.slot_len())
    }

    /// Evaluates the field and its Jacobian at the state.
    fn linearize<const TAPE: bool>(&mut self, course: &mut Course<TAPE>, t: f64) {
        let Buffers {
            slot, f, jacobian, ..
        } = &mut self.buffers;
        let sample = course.problem.sample;
        let slot = &mut slot[..course.evaluator.slot_len()];
        course
            .evaluator
            .taped(sample, t, &course.work.state, slot, f);
        jacobian.fill(course.evaluator, (sample, t), slot);
        course.work.stats.evaluations += 1;
        course.work.stats.jacobians += 1;
        (self.have, self.current, self.factored) = (true, true, 0.0);
    }

    fn factor<const TAPE: bool>(
        &mut self,
        course: &mut Course<TAPE>,
        h: f64,
    ) -> Result<(), FailureReason> {
        // Step sizes that are meant to be equal differ by the rounding of the time.
        if (self.factored - h).abs() <= 1e-5 * h.abs() {
            return Ok(());
        }
        if !self.buffers.jacobian.finite() {
            return Err(FailureReason::JacobianNotFinite);
        }
        let good = self.decompose(course.dof, h);
        course.work.stats.factorizations += 2;
        self.factored = if good { h } else { 0.0 };
        good.then_some(()).ok_or(FailureReason::Singular)
    }

    /// Factors the matrices of the transformed stages.
    fn decompose(&mut self, dof: usize, h: f64) -> bool {
        let Buffers {
            real,
            complex,
            jacobian,
            ..
        } = &mut self.buffers;
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
    fn step_aside(&mut self) {
        let Buffers {
            z,
            around,
            real,
            real_around,
            complex,
            complex_around,
            ..
        } = &mut self.buffers;
        std::mem::swap(z, around);
        std::mem::swap(real, real_around);
        std::mem::swap(complex, complex_around);
        std::mem::swap(&mut self.factored, &mut self.factored_around);
    }

    /// The error estimate of the attempted step into `error`, from the slope `f`; its norm.
    fn estimate<const TAPE: bool>(&mut self, course: &Course<TAPE>, h: f64) -> f64 {
        let SolveOptions { rtol, atol, .. } = *course.options;
        let Buffers { z, error, real, .. } = &mut self.buffers;
        let dof = course.dof;
        for (i, error) in error.iter_mut().enumerate() {
            *error += (E[0] * z[i] + E[1] * z[dof + i] + E[2] * z[2 * dof + i]) / h;
        }
        real.solve(error);
        error_norm(error, &course.work.state, &course.work.next, rtol, atol)
    }
}

impl<const TAPE: bool> Scheme<TAPE> for Radau {
    fn tape_len(&self, course: &Course<TAPE>, steps: usize) -> usize {
        Self::room(course, steps)
    }

    fn begin(&mut self, course: &mut Course<TAPE>, adaptive: bool) -> Result<f64, FailureReason> {
        self.linearize(course, course.stepper.t);
        if !adaptive {
            return Ok(0.0);
        }
        let Buffers { slot, f, error, .. } = &mut self.buffers;
        if !finite(f) {
            return Err(FailureReason::NotFinite);
        }
        let slot = &mut slot[..course.evaluator.slot_len()];
        Ok(course.first_size(4, f, slot, error))
    }

    fn attempt(
        &mut self,
        course: &mut Course<TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        let h = step.h();
        let solved = loop {
            if !self.have {
                self.linearize(course, step.t);
            }
            let solved = self.factor(course, h).and_then(|()| {
                self.predict(h);
                self.iterate(course, step)
            });
            if solved.is_ok() || self.current {
                break solved;
            }
            self.have = false;
        };
        if course.tight {
            // Where simplified Newton's iteration has not found the stages, the exact one may.
            if solved.is_err() {
                self.buffers.z.fill(0.0);
            }
            let limit = if solved.is_ok() { 10 } else { 30 };
            if !self.polish(course, index, step, limit) {
                return Err(solved.err().unwrap_or(FailureReason::NotConverging));
            }
        } else {
            solved?;
        }
        let last = &self.buffers.z[2 * course.dof..];
        sum(&course.work.state, last, &mut course.work.next);
        Ok(())
    }

    fn judge(&mut self, course: &mut Course<TAPE>, step: Step) -> bool {
        let h = step.h();
        self.buffers.error.copy_from_slice(&self.buffers.f);
        let mut norm = self.estimate(course, h);
        if norm > 1.0 && (self.control.rejected || self.control.first()) {
            // The estimate of a first step, or of one after a rejection, is too large in the stiff components.
            let Buffers {
                slot, stage, error, ..
            } = &mut self.buffers;
            sum(&course.work.state, error, stage);
            let slot = &mut slot[..course.evaluator.slot_len()];
            let sample = course.problem.sample;
            course.evaluator.value(sample, step.t, stage, slot, error);
            course.work.stats.evaluations += 1;
            norm = self.estimate(course, h);
        }
        let (safety, keep) = (self.newton.safety(), !self.newton.slow());
        let (accepted, size) = self.control.judge(h.abs(), norm, 4, safety, keep);
        course.stepper.settle(accepted, size);
        accepted
    }

    fn interpolate(
        &mut self,
        course: &mut Course<TAPE>,
        _step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) {
        let work = &mut *course.work;
        let u = &mut work.u[to];
        u.copy_from_slice(&work.state);
        for (w, z) in weights(theta)
            .iter()
            .zip(self.buffers.z.chunks_exact(course.dof))
        {
            add_scaled(*w, z, u);
        }
    }

    fn inside(
        &mut self,
        course: &mut Course<TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) -> Result<(), FailureReason> {
        let (newton, current) = (self.newton, self.current);
        self.step_aside();
        (self.inside, self.factored) = (Some(theta), 0.0);
        let room = |course: &Course<TAPE>, steps| Self::room(course, steps);
        let found = course.by_step((step, theta), to, room, |course, index, part| {
            self.attempt(course, index, part)
        });
        self.inside = None;
        self.step_aside();
        self.newton = newton;
        if self.current != current {
            // The Jacobian is another one now.
            self.factored = 0.0;
        }
        found
    }

    fn advance(&mut self, course: &mut Course<TAPE>, step: Step) {
        std::mem::swap(&mut self.buffers.z, &mut self.buffers.before);
        self.before = step.h();
        self.current = false;
        if self.newton.slow() {
            self.linearize(course, step.end);
        } else if !course.options.fixed() {
            let Buffers { slot, f, .. } = &mut self.buffers;
            let slot = &mut slot[..course.evaluator.slot_len()];
            let sample = course.problem.sample;
            let state = &course.work.state;
            course.evaluator.value(sample, step.end, state, slot, f);
            course.work.stats.evaluations += 1;
        }
    }

    fn save(&self, row: &mut Vec<f64>) {
        row.extend([self.have, self.current].map(f64::from));
        row.extend([self.factored, self.before]);
        self.control.save(row);
        row.extend(&self.buffers.f);
        row.extend(&self.buffers.before);
        row.extend(self.buffers.jacobian.by_state());
    }

    fn load(&mut self, course: &mut Course<TAPE>, row: &mut Row) {
        self.have = row.flag();
        self.current = row.flag();
        self.factored = row.number();
        self.before = row.number();
        self.control.load(row);
        row.fill(&mut self.buffers.f);
        row.fill(&mut self.buffers.before);
        row.fill(self.buffers.jacobian.by_state_mut());
        if self.have && self.factored != 0.0 {
            self.decompose(course.dof, self.factored);
        }
    }

    /// Not stiff where every eigenvalue is so small that an explicit method could take this step.
    fn unsuited(&mut self, _course: &mut Course<TAPE>, step: Step) -> bool {
        let easy = step.h().abs() * self.buffers.jacobian.norm() < 1.0;
        self.watch.note(easy)
    }

    fn finite(&self) -> bool {
        finite(&self.buffers.z)
    }
}
