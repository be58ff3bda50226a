//! Radau IIA steps (Hairer, Wanner, *Solving Ordinary Differential Equations II*, IV.8): simplified Newton iteration in
//! variables in which the stages fall apart into one real and one complex system.

use nalgebra::Complex;

use super::adjoint::{add, add_scaled, walk};
use super::auto::Watch;
use super::checkpoints::Row;
use super::control::error_norm;
use super::driver::{Course, Scheme, Workspace, finite};
use super::failure::FailureReason;
use super::jacobian::Jacobian;
use super::linear::Lu;
use super::methods::radau::{A, C, E, MU, MU_COMPLEX, T, TI, weights};
use super::newton::{Newton, Progress, settled};
use super::options::SolveOptions;
use super::plan::Step;
use super::predictive::Predictive;
use crate::field::native::{Evaluator, Gradient};

const ITERATIONS: usize = 6;

/// Storage of a scheme, kept between solves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers {
    slot: Vec<f64>,
    /// du/dt at the state.
    f: Vec<f64>,
    /// u(t + c_i h) − u, `[3, dof]`.
    z: Vec<f64>,
    /// The same of the step before.
    before: Vec<f64>,
    /// The same of the step around the one that leads to a requested time inside it, and the other's factorisations.
    around: Vec<f64>,
    real_around: Lu<f64>,
    complex_around: Lu<Complex<f64>>,
    /// T⁻¹ z.
    w: Vec<f64>,
    /// du/dt at the stages; increments.
    k: Vec<f64>,
    stage: Vec<f64>,
    error: Vec<f64>,
    increment: Vec<Complex<f64>>,
    real: Lu<f64>,
    complex: Lu<Complex<f64>>,
    jacobian: Jacobian,
    stages: Coupled,
}

/// The stages' equations with the Jacobian of every stage.
#[derive(Debug, Clone, Default)]
struct Coupled {
    jacobians: [Jacobian; 3],
    lu: Lu<f64>,
}

impl Coupled {
    fn bind(&mut self, evaluator: &Evaluator) {
        for jacobian in &mut self.jacobians {
            jacobian.bind(evaluator);
        }
    }

    /// Factors I − h A ⊗ J_j, the jth stage having left its slot at `slots[j]`.
    fn factor(
        &mut self,
        evaluator: &Evaluator,
        sample: usize,
        step: Step,
        slots: [&[f64]; 3],
    ) -> bool {
        let dof = evaluator.dof();
        for ((jacobian, c), slot) in self.jacobians.iter_mut().zip(C).zip(slots) {
            jacobian.fill(evaluator, (sample, step.node(c)), slot);
        }
        let (h, jacobians) = (step.h(), &self.jacobians);
        self.lu.factor(3 * dof, |r, c| {
            let (i, j) = (r / dof, c / dof);
            f64::from(r == c) - h * A[i][j] * jacobians[j].at(r % dof, c % dof)
        })
    }
}

/// Radau IIA at work. The tape holds the slots of the three stages of each step.
pub(crate) struct Radau {
    pub buffers: Buffers,
    /// Step size of the factorisations; 0 for none.
    factored: f64,
    /// That of the ones set aside.
    factored_around: f64,
    /// How far a step inside another one leads.
    inside: Option<f64>,
    /// Whether the Jacobian is there, and whether it is that of the current state.
    have: bool,
    current: bool,
    newton: Newton,
    control: Predictive,
    /// Step size of the stages in `before`; 0 for none.
    before: f64,
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
        buffers.stages.bind(evaluator);
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
            return Err(FailureReason::NotFinite);
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

    /// The first guess of the stages: the polynomial of the step before goes on, or that of the step around this one.
    fn predict(&mut self, h: f64) {
        let Buffers {
            z, before, around, ..
        } = &mut self.buffers;
        let dof = z.len() / 3;
        if let Some(theta) = self.inside {
            for (c, z) in C.iter().zip(z.chunks_exact_mut(dof)) {
                z.fill(0.0);
                for (w, around) in weights(c * theta).iter().zip(around.chunks_exact(dof)) {
                    add_scaled(*w, around, z);
                }
            }
            return;
        }
        let ratio = h / self.before;
        // Where steps grow at once, as after a breakpoint, its continuation says nothing.
        if self.before == 0.0 || ratio > 10.0 {
            z.fill(0.0);
            return;
        }
        for (c, z) in C.iter().zip(z.chunks_exact_mut(dof)) {
            let [a, b, d] = weights(1.0 + c * ratio);
            for (i, z) in z.iter_mut().enumerate() {
                let (x, y, w) = (before[i], before[dof + i], before[2 * dof + i]);
                *z = a * x + b * y + (d - 1.0) * w;
            }
        }
    }

    /// Simplified Newton iteration for the stages, from their first guess.
    fn iterate<const TAPE: bool>(
        &mut self,
        course: &mut Course<TAPE>,
        step: Step,
    ) -> Result<(), FailureReason> {
        let SolveOptions { rtol, atol, .. } = *course.options;
        let (dof, h) = (course.dof, step.h());
        let sample = course.problem.sample;
        self.newton = Newton::new(rtol, ITERATIONS);
        let Buffers {
            slot,
            z,
            w,
            k,
            stage,
            increment,
            real,
            complex,
            ..
        } = &mut self.buffers;
        let slot = &mut slot[..course.evaluator.slot_len()];
        transform(&TI, z, w, dof);
        let (a, b) = (MU_COMPLEX.0 / h, MU_COMPLEX.1 / h);
        loop {
            for (i, k) in k.chunks_exact_mut(dof).enumerate() {
                sum(&course.work.state, &z[i * dof..(i + 1) * dof], stage);
                let t = step.node(C[i]);
                course.evaluator.value(sample, t, stage, slot, k);
            }
            course.work.stats.evaluations += 3;
            if !finite(k) {
                return Err(FailureReason::NotFinite);
            }
            // T⁻¹ f − Λ/h w, in place of k.
            for i in 0..dof {
                let f = [k[i], k[dof + i], k[2 * dof + i]];
                let ti = |row: usize| TI[row][0] * f[0] + TI[row][1] * f[1] + TI[row][2] * f[2];
                let (x, y) = (w[dof + i], w[2 * dof + i]);
                k[i] = ti(0) - MU / h * w[i];
                increment[i] = Complex::new(ti(1) - (a * x - b * y), ti(2) - (a * y + b * x));
            }
            real.solve(&mut k[..dof]);
            complex.solve(increment);
            let mut squares = 0.0;
            for i in 0..dof {
                let scale = atol + rtol * course.work.state[i].abs();
                (k[dof + i], k[2 * dof + i]) = (increment[i].re, increment[i].im);
                for dw in [k[i], k[dof + i], k[2 * dof + i]] {
                    squares += (dw / scale) * (dw / scale);
                }
            }
            let progress = self.newton.judge((squares / (3 * dof) as f64).sqrt());
            if progress == Progress::Failed {
                return Err(FailureReason::NotConverging);
            }
            add(k, w);
            transform(&T, w, z, dof);
            if progress == Progress::Converged {
                return Ok(());
            }
        }
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

    /// Exact Newton iteration to rounding; with a tape, the slots of the stages stay there. False where it does not converge.
    fn polish<const TAPE: bool>(
        &mut self,
        course: &mut Course<TAPE>,
        index: usize,
        step: Step,
        limit: usize,
    ) -> bool {
        let (dof, h, len) = (course.dof, step.h(), course.evaluator.slot_len());
        let sample = course.problem.sample;
        let SolveOptions { rtol, atol, .. } = *course.options;
        let Buffers {
            slot,
            z,
            k,
            w,
            stage,
            stages,
            ..
        } = &mut self.buffers;
        let mut norm = f64::INFINITY;
        let mut done = false;
        for iteration in 0..=limit {
            let work = &mut *course.work;
            let slots = if TAPE {
                &mut work.tape[3 * index * len..3 * (index + 1) * len]
            } else if done {
                break;
            } else {
                &mut slot[..]
            };
            for i in 0..3 {
                sum(&work.state, &z[i * dof..(i + 1) * dof], stage);
                let slot = &mut slots[i * len..(i + 1) * len];
                let k = &mut k[i * dof..(i + 1) * dof];
                let t = step.node(C[i]);
                course.evaluator.taped(sample, t, stage, slot, k);
            }
            work.stats.evaluations += 3;
            if done {
                break;
            }
            if !finite(k) || iteration == limit {
                return false;
            }
            let (first, rest) = slots.split_at(len);
            let (second, third) = rest.split_at(len);
            let slots = [first, second, third];
            if !stages.factor(course.evaluator, sample, step, slots) {
                return false;
            }
            work.stats.jacobians += 3;
            work.stats.factorizations += 1;
            for i in 0..3 {
                for d in 0..dof {
                    let f = A[i][0] * k[d] + A[i][1] * k[dof + d] + A[i][2] * k[2 * dof + d];
                    w[i * dof + d] = h * f - z[i * dof + d];
                }
            }
            stages.lu.solve(w);
            add(w, z);
            let (mut settled_all, mut largest) = (true, 0.0_f64);
            for (dz, z) in w.chunks_exact(dof).zip(z.chunks_exact(dof)) {
                sum(&work.state, z, stage);
                settled_all &= settled(dz, stage);
                largest = largest.max(error_norm(dz, &work.state, stage, rtol, atol));
            }
            // At the level of rounding increments get no smaller.
            done = settled_all || (largest < 1e-3 && largest > 0.5 * norm);
            norm = largest;
        }
        true
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

/// The exact adjoint of Radau steps: the stages' adjoints λ solve the transposed equations with the Jacobians at the stages,
/// `λ_j − h J_jᵀ Σ_i a_ij λ_i = Z̄_j`, and the slopes' are `k̄_j = h Σ_i a_ij λ_i`.
pub(crate) fn backward(
    evaluator: &Evaluator,
    sample: usize,
    work: &Workspace,
    bars: &[f64],
    gradient: &mut Gradient,
) -> Vec<f64> {
    let (dof, len) = (evaluator.dof(), evaluator.slot_len());
    let mut coupled = Coupled::default();
    coupled.bind(evaluator);
    let mut lambda = vec![0.0; 3 * dof];
    let mut k_bar = vec![0.0; dof];
    walk(work, bars, dof, |pulled, mu| {
        let (step, first) = (pulled.step, 3 * pulled.index);
        let slot = |i: usize| &pulled.tape[(first + i) * len..(first + i + 1) * len];
        lambda.fill(0.0);
        lambda[2 * dof..].copy_from_slice(pulled.bar);
        coupled.factor(evaluator, sample, step, [slot(0), slot(1), slot(2)]);
        coupled.lu.solve_transposed(&mut lambda);
        for j in 0..3 {
            k_bar.fill(0.0);
            for (row, lambda) in A.iter().zip(lambda.chunks_exact(dof)) {
                add_scaled(step.h() * row[j], lambda, &mut k_bar);
            }
            let place = (sample, step.node(C[j]));
            evaluator.vjp(place, slot(j), &k_bar, mu, None, gradient);
        }
    })
}

/// `to = m x` for each component of three stacked vectors.
fn transform(m: &[[f64; 3]; 3], x: &[f64], to: &mut [f64], dof: usize) {
    for (row, to) in m.iter().zip(to.chunks_exact_mut(dof)) {
        for (i, to) in to.iter_mut().enumerate() {
            *to = row[0] * x[i] + row[1] * x[dof + i] + row[2] * x[2 * dof + i];
        }
    }
}

fn sum(x: &[f64], y: &[f64], to: &mut [f64]) {
    for ((to, x), y) in to.iter_mut().zip(x).zip(y) {
        *to = x + y;
    }
}
