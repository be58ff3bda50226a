//! Solution of the stage equations of a Radau step: an initial guess, simplified Newton iteration in variables that decouple
//! the stages into one real and one complex system, and full Newton iteration to rounding.

use nalgebra::Complex;

use super::integrator_core::IntegratorCore;
use super::newton::{Newton, NewtonStatus, converged_to_roundoff};
use super::options::SolveOptions;
use super::radau::{MAX_ITERATIONS, Radau};
use super::recorded_steps::Step;
use super::rhs::Rhs;
use super::solvers::radau::{A, C, MU, MU_COMPLEX, RK_MATRIX, T, T_INV, interpolation_weights};
use super::tolerance::error_norm;
use super::vector_ops::{add, add_scaled, all_finite};
use odesync_base::failure::FailureReason;

impl Radau {
    /// Computes the initial guess of the stages from a collocation polynomial: that of the previous step, extrapolated, or
    /// for an output step that of the enclosing step.
    pub(super) fn predict_stages(&mut self, h: f64) {
        let Radau {
            z,
            previous_z,
            saved_z,
            ..
        } = self;
        let dof = z.len() / 3;
        if let Some(theta) = self.substep_theta {
            for (c, z) in C.iter().zip(z.chunks_exact_mut(dof)) {
                z.fill(0.0);
                for (w, saved) in interpolation_weights(c * theta)
                    .iter()
                    .zip(saved_z.chunks_exact(dof))
                {
                    add_scaled(*w, saved, z);
                }
            }
            return;
        }
        let ratio = h / self.previous_h;
        // Where the step size grows abruptly, as after a breakpoint, the extrapolated polynomial is useless.
        if self.previous_h == 0.0 || ratio > 10.0 {
            z.fill(0.0);
            return;
        }
        for (c, z) in C.iter().zip(z.chunks_exact_mut(dof)) {
            let [a, b, d] = interpolation_weights(1.0 + c * ratio);
            for (i, z) in z.iter_mut().enumerate() {
                let (x, y, w) = (previous_z[i], previous_z[dof + i], previous_z[2 * dof + i]);
                *z = a * x + b * y + (d - 1.0) * w;
            }
        }
    }

    /// Solves for the stages by simplified Newton iteration, from their initial guess.
    pub(super) fn simplified_newton<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        step: Step,
    ) -> Result<(), FailureReason> {
        let SolveOptions { rtol, atol, .. } = integrator.options;
        let (dof, h) = (integrator.dof, step.h());
        let sample = integrator.problem.sample;
        self.newton = Newton::new(*rtol, MAX_ITERATIONS);
        let Radau {
            slot,
            z,
            w,
            k,
            stage,
            increment,
            real_lu,
            complex_lu,
            mass,
            mass_product,
            ..
        } = self;
        let slot = &mut slot[..integrator.rhs.slot_len()];
        transform(&T_INV, z, w, dof);
        let (a, b) = (MU_COMPLEX.0 / h, MU_COMPLEX.1 / h);
        loop {
            for (i, k) in k.chunks_exact_mut(dof).enumerate() {
                sum_into(&integrator.work.state, &z[i * dof..(i + 1) * dof], stage);
                let t = step.time_at(C[i]);
                integrator.rhs.eval(sample, t, stage, slot, k);
            }
            integrator.work.stats.evaluations += 3;
            if !all_finite(k) {
                return Err(FailureReason::NotFinite);
            }
            // T⁻¹ f − Λ/h M w, written over k and `increment`.
            let mass_product: &[f64] = match mass {
                None => w,
                Some(mass) => {
                    mass.product(w, mass_product);
                    mass_product
                }
            };
            for i in 0..dof {
                let f = [k[i], k[dof + i], k[2 * dof + i]];
                let ti =
                    |row: usize| T_INV[row][0] * f[0] + T_INV[row][1] * f[1] + T_INV[row][2] * f[2];
                let (x, y) = (mass_product[dof + i], mass_product[2 * dof + i]);
                k[i] = ti(0) - MU / h * mass_product[i];
                increment[i] = Complex::new(ti(1) - (a * x - b * y), ti(2) - (a * y + b * x));
            }
            real_lu.solve(&mut k[..dof]);
            complex_lu.solve(increment);
            let mut squares = 0.0;
            for i in 0..dof {
                let scale = atol.at(i) + rtol * integrator.work.state[i].abs();
                (k[dof + i], k[2 * dof + i]) = (increment[i].re, increment[i].im);
                for dw in [k[i], k[dof + i], k[2 * dof + i]] {
                    squares += (dw / scale) * (dw / scale);
                }
            }
            let status = self
                .newton
                .check_convergence((squares / (3 * dof) as f64).sqrt());
            if status == NewtonStatus::Failed {
                return Err(FailureReason::NotConverging);
            }
            add(k, w);
            transform(&T, w, z, dof);
            if status == NewtonStatus::Converged {
                return Ok(());
            }
        }
    }

    /// Solves for the stages by full Newton iteration to rounding; with a tape, writes the slots of the stages there. Returns
    /// false where it does not converge.
    pub(super) fn full_newton<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        index: usize,
        step: Step,
        max_iterations: usize,
    ) -> bool {
        let (dof, h, len) = (integrator.dof, step.h(), integrator.rhs.slot_len());
        let sample = integrator.problem.sample;
        let SolveOptions { rtol, atol, .. } = integrator.options;
        let Radau {
            slot,
            z,
            k,
            w,
            stage,
            stage_system,
            mass,
            mass_product,
            ..
        } = self;
        let mut norm = f64::INFINITY;
        let mut done = false;
        for iteration in 0..=max_iterations {
            let work = &mut *integrator.work;
            let slots = if TAPE {
                &mut work.tape[3 * index * len..3 * (index + 1) * len]
            } else if done {
                break;
            } else {
                &mut slot[..]
            };
            for i in 0..3 {
                sum_into(&work.state, &z[i * dof..(i + 1) * dof], stage);
                let slot = &mut slots[i * len..(i + 1) * len];
                let k = &mut k[i * dof..(i + 1) * dof];
                let t = step.time_at(C[i]);
                integrator.rhs.eval_taped(sample, t, stage, slot, k);
            }
            work.stats.evaluations += 3;
            if done {
                break;
            }
            if !all_finite(k) || iteration == max_iterations {
                return false;
            }
            let (first, rest) = slots.split_at(len);
            let (second, third) = rest.split_at(len);
            let slots: [&[f64]; 3] = [first, second, third];
            if !stage_system.factor(integrator.rhs, (sample, step), RK_MATRIX, &slots) {
                return false;
            }
            work.stats.jacobians += 3;
            work.stats.factorizations += 1;
            let mass_product: &[f64] = match mass {
                None => z,
                Some(mass) => {
                    mass.product(z, mass_product);
                    mass_product
                }
            };
            for i in 0..3 {
                for d in 0..dof {
                    let f = A[i][0] * k[d] + A[i][1] * k[dof + d] + A[i][2] * k[2 * dof + d];
                    w[i * dof + d] = h * f - mass_product[i * dof + d];
                }
            }
            stage_system.lu.solve(w);
            add(w, z);
            let (mut settled_all, mut largest) = (true, 0.0_f64);
            for (dz, z) in w.chunks_exact(dof).zip(z.chunks_exact(dof)) {
                sum_into(&work.state, z, stage);
                settled_all &= converged_to_roundoff(dz, stage);
                largest = largest.max(error_norm(dz, &work.state, stage, *rtol, atol));
            }
            // At the level of rounding the increments do not decrease any more.
            done = settled_all || (largest < 1e-3 && largest > 0.5 * norm);
            norm = largest;
        }
        true
    }
}

/// Computes `to = m x` for each component of three stacked vectors.
fn transform(m: &[[f64; 3]; 3], x: &[f64], to: &mut [f64], dof: usize) {
    for (row, to) in m.iter().zip(to.chunks_exact_mut(dof)) {
        for (i, to) in to.iter_mut().enumerate() {
            *to = row[0] * x[i] + row[1] * x[dof + i] + row[2] * x[2 * dof + i];
        }
    }
}

pub(super) fn sum_into(x: &[f64], y: &[f64], to: &mut [f64]) {
    for ((to, x), y) in to.iter_mut().zip(x).zip(y) {
        *to = x + y;
    }
}
