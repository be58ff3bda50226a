//! Solver of one implicit equation of a step, `M (z + ψ) = c f(t, base + z)`: a stage of a diagonally implicit Runge-Kutta
//! method, or a step of BDF. It uses simplified Newton iteration with a Jacobian that is reused as long as the iteration
//! converges well.

use super::checkpoints::StateReader;
use super::integrator_core::IntegratorCore;
use super::jacobian::Jacobian;
use super::lu::Lu;
use super::mass_matrix::MassMatrix;
use super::newton::{Newton, NewtonStatus, converged_to_roundoff, scaled_norm};
use super::rhs::{DifferenceScales, Rhs};
use super::stage_system::StageSystem;
use super::vector_ops::{add, all_finite, with_length};
use odesync_base::failure::FailureReason;

/// Solver of implicit stage equations, with its storage and the state of its iteration matrix.
#[derive(Debug, Clone, Default)]
pub(crate) struct StageSolver {
    pub slot: Vec<f64>,
    /// Slope du/dt at the last evaluation.
    pub f: Vec<f64>,
    stage: Vec<f64>,
    dz: Vec<f64>,
    /// Mass matrix M; the identity where `None`.
    mass: Option<MassMatrix>,
    pub jacobian: Jacobian,
    pub newton_matrix: NewtonMatrix,
    exact_system: StageSystem,
    /// Whether there is a usable Jacobian; `jacobian_fresh` tells whether it is that of the current state.
    pub has_jacobian: bool,
    pub jacobian_fresh: bool,
    pub newton: Newton,
}

/// Factored Newton matrix M − c J with a stored Jacobian.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewtonMatrix {
    lu: Lu<f64>,
    /// Factor c of the factored matrix; 0 where there is none.
    c: f64,
}

impl NewtonMatrix {
    /// Marks the matrix as not factored.
    pub fn invalidate(&mut self) {
        self.c = 0.0;
    }
}

/// An implicit equation `M (z + ψ) = c f(t, base + z)`.
#[derive(Clone, Copy)]
pub(crate) struct StageEquation<'a> {
    pub t: f64,
    pub base: &'a [f64],
    pub psi: Option<&'a [f64]>,
    pub c: f64,
    /// Maximum number of simplified Newton iterations.
    pub max_iterations: usize,
    /// Offset of the equation's slot on the tape.
    pub tape_offset: usize,
}

impl StageSolver {
    /// Prepares the solver for a new solve.
    pub fn reset<R: Rhs + ?Sized>(&mut self, rhs: &R, mass: Option<&MassMatrix>) {
        let dof = rhs.dof();
        self.mass = mass.cloned();
        self.slot.resize(rhs.slot_len(), 0.0);
        for buffer in [&mut self.f, &mut self.stage, &mut self.dz] {
            buffer.resize(dof, 0.0);
        }
        self.jacobian.bind(rhs, mass);
        self.exact_system.bind(rhs, 1, mass);
        (self.has_jacobian, self.jacobian_fresh) = (false, false);
        self.newton_matrix.invalidate();
    }

    /// Gives the sizes of differences; see [`Jacobian::set_scales`].
    pub fn set_scales(&mut self, scales: &DifferenceScales) {
        self.jacobian.set_scales(scales);
        self.exact_system.set_scales(scales);
    }

    /// Adds the state of the iteration matrix to a checkpoint.
    pub fn save(&self, row: &mut Vec<f64>) {
        row.extend([self.has_jacobian, self.jacobian_fresh].map(f64::from));
        row.push(self.newton_matrix.c);
        row.extend(self.jacobian.df_du());
    }

    /// Restores the state of the iteration matrix from a checkpoint.
    pub fn load(&mut self, row: &mut StateReader) {
        self.has_jacobian = row.read_bool();
        self.jacobian_fresh = row.read_bool();
        self.newton_matrix.c = row.read_f64();
        row.read_into(self.jacobian.df_du_mut());
        if self.has_jacobian && self.newton_matrix.c != 0.0 {
            self.factorize(self.newton_matrix.c);
        }
    }

    /// Factors M − c J; returns false where it is singular.
    fn factorize(&mut self, c: f64) -> bool {
        self.jacobian
            .factor_newton_matrix(c, &mut self.newton_matrix.lu)
    }

    /// Evaluates the field and its Jacobian at (t, u), without `u` at the current state.
    pub fn linearize<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        t: f64,
        u: Option<&[f64]>,
    ) {
        integrator.linearize((t, u), &mut self.slot, &mut self.f, &mut self.jacobian);
        (self.has_jacobian, self.jacobian_fresh) = (true, true);
        self.newton_matrix.invalidate();
    }

    /// Evaluates the field and its Jacobian at the start of a solve; with a tape, the slot of the start is written there.
    pub fn initialize<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
    ) -> Result<(), FailureReason> {
        self.linearize(integrator, integrator.stepper.t, None);
        if TAPE {
            let (tape, len) = (&mut integrator.work.tape, self.slot.len());
            tape.resize(tape.len().max(len), 0.0);
            tape[..len].copy_from_slice(&self.slot);
        }
        let finite = all_finite(&self.f);
        finite.then_some(()).ok_or(FailureReason::NotFinite)
    }

    /// Factors M − c J unless the stored factorization has this c.
    pub fn ensure_factored<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        c: f64,
    ) -> Result<(), FailureReason> {
        // Nominally equal step sizes differ by the rounding of the time.
        if (self.newton_matrix.c - c).abs() <= 1e-5 * c.abs() {
            return Ok(());
        }
        if !self.jacobian.is_finite() {
            // BDF evaluates the Jacobian at the predicted state, where the field may not be defined.
            return Err(match all_finite(&self.f) {
                true => FailureReason::JacobianNotFinite,
                false => FailureReason::NotFinite,
            });
        }
        let regular = self.factorize(c);
        integrator.work.stats.factorizations += 1;
        self.newton_matrix.c = if regular { c } else { 0.0 };
        regular.then_some(()).ok_or(FailureReason::Singular)
    }

    /// Solves for z from an initial guess; `scale` is the state that tolerances refer to. With `exact_stages` z is exact to
    /// rounding, and with a tape the slot of the equation is written there.
    pub fn solve<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        equation: StageEquation,
        scale: &[f64],
        z: &mut [f64],
    ) -> Result<(), FailureReason> {
        let solved = self.simplified_newton(integrator, equation, scale, z);
        if !integrator.exact_stages || (solved.is_err() && !self.jacobian_fresh) {
            return solved;
        }
        // Where simplified Newton iteration does not converge, full Newton iteration still may.
        if solved.is_err() {
            z.fill(0.0);
        }
        let max_iterations = if solved.is_ok() { 10 } else { 30 };
        match self.full_newton(integrator, equation, scale, z, max_iterations) {
            true => Ok(()),
            false => Err(solved.err().unwrap_or(FailureReason::NotConverging)),
        }
    }

    /// Computes the residual `c f − M (ψ + z)` at `base + z` into `dz`.
    #[inline(always)]
    fn residual(&mut self, equation: StageEquation, z: &[f64]) {
        if let Some(mass) = &self.mass {
            let moved = |i: usize| z[i] + equation.psi.map_or(0.0, |psi| psi[i]);
            for (i, dz) in self.dz.iter_mut().enumerate() {
                let sum: f64 = (0..z.len()).map(|j| mass.at(i, j) * moved(j)).sum();
                *dz = equation.c * self.f[i] - sum;
            }
            return;
        }
        with_length!(z.len(), |n| {
            let (dz, f, z) = (&mut self.dz[..n], &self.f[..n], &z[..n]);
            for i in 0..n {
                dz[i] = equation.c * f[i] - z[i];
            }
            if let Some(psi) = equation.psi {
                for (dz, psi) in dz.iter_mut().zip(psi) {
                    *dz -= psi;
                }
            }
        });
    }

    #[inline(always)]
    fn set_stage(&mut self, equation: StageEquation, z: &[f64]) {
        with_length!(z.len(), |n| {
            let (stage, base, z) = (&mut self.stage[..n], &equation.base[..n], &z[..n]);
            for i in 0..n {
                stage[i] = base[i] + z[i];
            }
        });
    }

    fn simplified_newton<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        equation: StageEquation,
        scale: &[f64],
        z: &mut [f64],
    ) -> Result<(), FailureReason> {
        with_length!(z.len(), |n| {
            self.iterate(integrator, equation, &scale[..n], &mut z[..n])
        })
    }

    #[inline(always)]
    fn iterate<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        equation: StageEquation,
        scale: &[f64],
        z: &mut [f64],
    ) -> Result<(), FailureReason> {
        let (rtol, atol) = (integrator.options.rtol, &integrator.options.atol);
        self.newton = Newton::new(rtol, equation.max_iterations);
        loop {
            self.set_stage(equation, z);
            let StageSolver { slot, f, stage, .. } = self;
            let sample = integrator.problem.sample;
            integrator.rhs.eval(sample, equation.t, stage, slot, f);
            integrator.work.stats.evaluations += 1;
            if !all_finite(f) {
                return Err(FailureReason::NotFinite);
            }
            self.residual(equation, z);
            self.newton_matrix.lu.solve(&mut self.dz);
            let status =
                self.newton
                    .check_convergence(scaled_norm(&self.dz[..z.len()], scale, rtol, atol));
            if status == NewtonStatus::Failed {
                return Err(FailureReason::NotConverging);
            }
            add(&self.dz[..z.len()], z);
            if status == NewtonStatus::Converged {
                return Ok(());
            }
        }
    }

    /// Solves for z by full Newton iteration to rounding. Returns false where it does not converge.
    fn full_newton<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        equation: StageEquation,
        scale: &[f64],
        z: &mut [f64],
        max_iterations: usize,
    ) -> bool {
        let (rtol, atol) = (integrator.options.rtol, &integrator.options.atol);
        let (mut norm, mut done) = (f64::INFINITY, false);
        let place = (integrator.problem.sample, equation.t);
        for iteration in 0..=max_iterations {
            if done && !TAPE {
                break;
            }
            self.set_stage(equation, z);
            let work = &mut *integrator.work;
            let slot = if TAPE {
                &mut work.tape[equation.tape_offset..equation.tape_offset + self.slot.len()]
            } else {
                &mut self.slot[..]
            };
            let (rhs, f) = (integrator.rhs, &mut self.f);
            rhs.eval_taped(place.0, place.1, &self.stage, slot, f);
            work.stats.evaluations += 1;
            if done {
                break;
            }
            if !all_finite(&self.f) || iteration == max_iterations {
                return false;
            }
            if !self.exact_system.factor_stage(rhs, place, slot, equation.c) {
                return false;
            }
            work.stats.jacobians += 1;
            work.stats.factorizations += 1;
            self.residual(equation, z);
            self.exact_system.lu.solve(&mut self.dz);
            add(&self.dz, z);
            self.set_stage(equation, z);
            let increment = scaled_norm(&self.dz, scale, rtol, atol);
            // At the level of rounding the increments do not decrease any more.
            done = converged_to_roundoff(&self.dz, &self.stage)
                || (increment < 1e-3 && increment > 0.5 * norm);
            norm = increment;
        }
        true
    }
}
