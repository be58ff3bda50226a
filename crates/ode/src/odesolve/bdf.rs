//! The step method of the backward differentiation formulas of variable order: the state is a table D of backward differences
//! `D_j = ∇^j u`, spaced by the last step size (Shampine, Reichelt, SIAM J. Sci. Comput. 18, 1997).

use super::backward_differences::{interpolation_weight, respacing_matrix};
use super::checkpoints::StateReader;
use super::control::{Controller, PI_BETA};
use super::integrator_core::IntegratorCore;
use super::options::SolveOptions;
use super::recorded_steps::Step;
use super::rhs::{DifferenceScales, Rhs};
use super::solvers::bdf::{GAMMA, MAX_ORDER, alpha, error_constant};
use super::stage_solver::{StageEquation, StageSolver};
use super::step_method::StepMethod;
use super::vector_ops::{add_scaled, all_finite, with_length};
use crate::field::kernels::copy;
use odesync_base::failure::FailureReason;

/// Number of stored differences.
pub(super) const N_DIFFERENCES: usize = MAX_ORDER + 3;
const MAX_ITERATIONS: usize = 4;

/// Step method of BDF. The tape holds the slot of the start, then one slot for each step.
#[derive(Debug, Default)]
pub(crate) struct Bdf {
    solver: StageSolver,
    /// Differences D at the state; `next_d` are those after the attempted step.
    d: Vec<f64>,
    next_d: Vec<f64>,
    predicted: Vec<f64>,
    psi: Vec<f64>,
    /// Correction of the predicted state, u⁺ minus the prediction, which is the (k+1)th difference.
    correction: Vec<f64>,
    error: Vec<f64>,
    order: usize,
    next_order: usize,
    /// Step size that the differences D are spaced by.
    spacing: f64,
    /// Number of consecutive steps of this size and order.
    equal_steps: usize,
    controller: Controller,
    /// Size, error norm and order of the previous accepted step.
    previous: Option<(f64, f64, usize)>,
}

impl Bdf {
    /// Prepares the method for a solve.
    pub fn reset<R: Rhs + ?Sized>(&mut self, rhs: &R, options: &SolveOptions) {
        let dof = rhs.dof();
        self.solver.reset(rhs, options.mass_matrix.as_ref());
        self.d.resize(N_DIFFERENCES * dof, 0.0);
        self.next_d.resize(N_DIFFERENCES * dof, 0.0);
        for buffer in [
            &mut self.predicted,
            &mut self.psi,
            &mut self.correction,
            &mut self.error,
        ] {
            buffer.resize(dof, 0.0);
        }
        (self.order, self.next_order) = (1, 1);
        (self.spacing, self.equal_steps) = (0.0, 0);
        self.controller = options.controller.unwrap_or(Controller::Integral);
        self.previous = None;
    }

    /// Computes the differences at the spacing of the attempted step into `next_d`, and the prediction from them.
    fn predict(&mut self, h: f64, dof: usize) {
        with_length!(dof, |dof| self.predict_of(h, dof));
    }

    #[inline(always)]
    fn predict_of(&mut self, h: f64, dof: usize) {
        let Bdf {
            d,
            next_d,
            predicted,
            psi,
            ..
        } = self;
        let order = self.order;
        let (d, next_d) = (
            &d[..N_DIFFERENCES * dof],
            &mut next_d[..N_DIFFERENCES * dof],
        );
        next_d.copy_from_slice(d);
        if h != self.spacing {
            let m = respacing_matrix(h / self.spacing);
            for j in 0..=order {
                let to = &mut next_d[j * dof..(j + 1) * dof];
                to.fill(0.0);
                for (m, d) in m.iter().zip(d.chunks_exact(dof)).take(order + 1) {
                    add_scaled(m[j], d, to);
                }
            }
        }
        let (predicted, psi) = (&mut predicted[..dof], &mut psi[..dof]);
        predicted.fill(0.0);
        psi.fill(0.0);
        let alpha = alpha(order);
        for (d, gamma) in next_d.chunks_exact(dof).zip(GAMMA).take(order + 1) {
            add_scaled(1.0, d, predicted);
            add_scaled(gamma / alpha, d, psi);
        }
    }

    /// Updates the differences to the end of the step, from the correction.
    fn update_differences(&mut self, dof: usize) {
        with_length!(dof, |dof| self.update_differences_of(dof));
    }

    #[inline(always)]
    fn update_differences_of(&mut self, dof: usize) {
        let Bdf {
            next_d, correction, ..
        } = self;
        let order = self.order;
        let next_d = &mut next_d[..N_DIFFERENCES * dof];
        for (c, &d) in correction[..dof].iter().enumerate() {
            next_d[(order + 2) * dof + c] = d - next_d[(order + 1) * dof + c];
            next_d[(order + 1) * dof + c] = d;
            for i in (0..=order).rev() {
                next_d[i * dof + c] += next_d[(i + 1) * dof + c];
            }
        }
    }

    /// Returns the norm of an error constant times row `row` of D at the end of the step.
    fn difference_error_norm<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &IntegratorCore<R, TAPE>,
        constant: f64,
        row: usize,
    ) -> f64 {
        let Bdf { next_d, error, .. } = self;
        error.fill(0.0);
        add_scaled(
            constant,
            &next_d[row * integrator.dof..(row + 1) * integrator.dof],
            error,
        );
        integrator.error_norm(error)
    }

    /// Returns the factor on the step size by the controller, where the chosen order alone allows `factor`. The controllers that
    /// remember the previous step do so as long as the order stays.
    fn controlled_factor(&self, h: f64, norm: f64, safety: f64, factor: f64) -> f64 {
        let integral = (safety * factor).min(10.0);
        let Some((previous_h, previous_norm, order)) = self.previous else {
            return integral;
        };
        if order != self.order || self.next_order != self.order {
            return integral;
        }
        let exponent = 1.0 / (order as f64 + 1.0);
        match self.controller {
            Controller::Integral => integral,
            Controller::ProportionalIntegral => {
                let memory = previous_norm.powf(PI_BETA * exponent);
                (safety * factor.powf(1.0 - 0.75 * PI_BETA) * memory).clamp(0.2, 10.0)
            }
            Controller::Gustafsson => {
                let trend = h / previous_h * (previous_norm / norm.max(1e-10)).powf(exponent);
                (integral * trend.min(1.0)).max(0.2)
            }
        }
    }

    /// Returns the order for the next steps and the factor on their size, without the safety factor: the order that allows
    /// the largest step.
    fn choose_order<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &IntegratorCore<R, TAPE>,
        norm: f64,
    ) -> (usize, f64) {
        let order = self.order;
        let factor = |norm: f64, order: usize| norm.max(1e-10).powf(-1.0 / (order as f64 + 1.0));
        let mut best = (order, factor(norm, order));
        if order > 1 {
            let lower = self.difference_error_norm(integrator, error_constant(order - 1), order);
            let lower = factor(lower, order - 1);
            if lower > best.1 {
                best = (order - 1, lower);
            }
        }
        if order < MAX_ORDER {
            let higher =
                self.difference_error_norm(integrator, error_constant(order + 1), order + 2);
            let higher = factor(higher, order + 1);
            if higher > best.1 {
                best = (order + 1, higher);
            }
        }
        best
    }
}

impl<R: Rhs + ?Sized, const TAPE: bool> StepMethod<R, TAPE> for Bdf {
    fn tape_len(&self, integrator: &IntegratorCore<R, TAPE>, steps: usize) -> usize {
        (steps + 1).saturating_mul(integrator.rhs.slot_len())
    }

    fn set_scales(&mut self, scales: &DifferenceScales) {
        self.solver.set_scales(scales);
    }

    fn initialize(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        adaptive: bool,
    ) -> Result<f64, FailureReason> {
        self.solver.initialize(integrator)?;
        // The initial differences have a spacing of 1 until the size of the first step is known.
        let Bdf {
            solver, d, error, ..
        } = self;
        let dof = integrator.dof;
        integrator.turn_into_slope(&mut solver.f)?;
        d.fill(0.0);
        d[..dof].copy_from_slice(&integrator.work.state);
        d[dof..2 * dof].copy_from_slice(&solver.f);
        self.spacing = 1.0;
        if !adaptive {
            return Ok(0.0);
        }
        // The first step is of order 1, so its error is of order 2.
        Ok(integrator.initial_step_size(2, &solver.f, error))
    }

    fn perform_step(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        let (dof, h) = (integrator.dof, step.h());
        if let Some(recorded) = integrator.recorded_steps {
            let order = recorded
                .variants
                .get(index)
                .map_or(1, |order| *order as usize);
            let max_order = match integrator.work.previous_h {
                Some(_) => MAX_ORDER,
                None => (index + 1).min(MAX_ORDER),
            };
            self.order = order.clamp(1, max_order);
        }
        if integrator.recorded_steps.is_none() && integrator.stepper.is_indivisible() {
            // The differences of before say nothing of what comes after a jump of the field: it begins again with order 1.
            (self.order, self.next_order, self.equal_steps) = (1, 1, 0);
        }
        self.predict(h, dof);
        let Bdf {
            solver,
            predicted,
            psi,
            correction,
            ..
        } = self;
        let equation = StageEquation {
            t: step.end,
            base: predicted,
            psi: Some(psi),
            c: h / alpha(self.order),
            max_iterations: MAX_ITERATIONS,
            tape_offset: (index + 1) * solver.slot.len(),
        };
        loop {
            if !solver.has_jacobian {
                solver.linearize(integrator, step.end, Some(predicted));
            }
            correction.fill(0.0);
            let solved = solver
                .ensure_factored(integrator, equation.c)
                .and_then(|()| solver.solve(integrator, equation, predicted, correction));
            match solved {
                Ok(()) => break,
                Err(reason) if solver.jacobian_fresh => return Err(reason),
                Err(_) => solver.has_jacobian = false,
            }
        }
        self.update_differences(dof);
        copy(&self.next_d[..dof], &mut integrator.work.next);
        Ok(())
    }

    fn error_test(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) -> bool {
        let h = step.h();
        let order = self.order;
        let safety = self.solver.newton.safety();
        let norm = self.difference_error_norm(integrator, error_constant(order), order + 1);
        if !norm.is_finite() || norm > 1.0 {
            let factor = match norm.is_finite() {
                true => (safety * norm.powf(-1.0 / (order as f64 + 1.0))).clamp(0.2, 0.9),
                false => 0.2,
            };
            self.equal_steps = 0;
            integrator.stepper.record_step(false, h.abs() * factor);
            return false;
        }
        let same_size = (h - self.spacing).abs() <= 1e-8 * h.abs();
        self.equal_steps = if same_size { self.equal_steps + 1 } else { 1 };
        self.next_order = order;
        let mut size = h.abs();
        if self.equal_steps > order {
            let (next, factor) = self.choose_order(integrator, norm);
            self.next_order = next;
            self.equal_steps = 0;
            size *= self.controlled_factor(h.abs(), norm, safety, factor);
        }
        self.previous = Some((h.abs(), norm.max(1e-4), order));
        // After a step that was clipped to a tstop the step size grows only gradually: differences cannot be extrapolated to
        // a much larger spacing.
        let clipped = integrator.stepper.clipped();
        integrator.stepper.record_step(true, size);
        if clipped {
            let proposed = integrator.stepper.proposed();
            integrator
                .stepper
                .set_initial_step(proposed.min(4.0 * h.abs()));
            self.equal_steps = 0;
        }
        true
    }

    fn interpolate(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        _step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) {
        let dof = integrator.dof;
        let u = &mut integrator.work.u[to];
        u.fill(0.0);
        for (j, d) in self
            .next_d
            .chunks_exact(dof)
            .enumerate()
            .take(self.order + 1)
        {
            add_scaled(interpolation_weight(j, theta), d, u);
        }
    }

    fn on_accept(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) {
        let Bdf {
            d, next_d, solver, ..
        } = self;
        std::mem::swap(d, next_d);
        integrator.work.recorded.variants.push(self.order as u8);
        self.spacing = step.h();
        self.order = self.next_order;
        solver.jacobian_fresh = false;
    }

    fn save(&self, row: &mut Vec<f64>) {
        row.extend([self.order, self.equal_steps].map(|n| n as f64));
        row.push(self.spacing);
        if self.controller != Controller::Integral {
            let (h, norm, order) = self.previous.unwrap_or_default();
            row.extend([h, norm, order as f64, f64::from(self.previous.is_some())]);
        }
        row.extend(&self.d);
        self.solver.save(row);
    }

    fn load(&mut self, integrator: &mut IntegratorCore<R, TAPE>, row: &mut StateReader) {
        (self.order, self.equal_steps) = (row.read_usize(), row.read_usize());
        self.spacing = row.read_f64();
        if self.controller != Controller::Integral {
            let previous = (row.read_f64(), row.read_f64(), row.read_usize());
            self.previous = row.read_bool().then_some(previous);
        }
        row.read_into(&mut self.d);
        self.solver.load(row);
        integrator.work.previous_h = Some(self.spacing);
    }

    fn is_finite(&self) -> bool {
        all_finite(&self.next_d)
    }
}

#[cfg(test)]
mod tests {
    use super::super::driver::Problem;
    use super::super::options::SolveOptions;
    use super::super::workspace::Workspace;
    use super::*;
    use crate::field::native::Evaluator;
    use crate::field::{VectorField, system};

    type ExactSolution = fn(f64) -> f64;

    /// Returns the error at t = 2 of `n` steps of one order from exact differences at t = 0, and the largest error inside the
    /// last step.
    fn errors(field: &VectorField, exact: ExactSolution, order: usize, n: usize) -> [f64; 2] {
        let evaluator = Evaluator::new(field);
        let options = SolveOptions::default().solver("bdf").unwrap();
        let h = 2.0 / n as f64;
        let problem = Problem {
            u0: &[exact(0.0)],
            t: &[0.0, 2.0],
            sample: 0,
        };
        let mut work = Workspace::default();
        let mut integrator =
            IntegratorCore::<_, false>::new(&evaluator, &[], problem, &options, &mut work);
        integrator.exact_stages = true;
        let mut bdf = Bdf::default();
        bdf.reset(&evaluator, &options);
        bdf.initialize(&mut integrator, false).unwrap();
        (bdf.order, bdf.next_order, bdf.spacing) = (order, order, h);
        let mut row: Vec<f64> = (0..N_DIFFERENCES).map(|i| exact(-h * i as f64)).collect();
        for d in &mut bdf.d {
            *d = row[0];
            row = row.windows(2).map(|pair| pair[0] - pair[1]).collect();
        }
        integrator.work.u = vec![0.0];
        let mut inside = 0.0_f64;
        for i in 0..n {
            let step = Step {
                t: h * i as f64,
                end: h * (i + 1) as f64,
            };
            bdf.perform_step(&mut integrator, i, step).unwrap();
            if i + 1 == n {
                for theta in [0.15, 0.3, 0.5, 0.7, 0.9] {
                    bdf.interpolate(&mut integrator, step, theta, 0..1);
                    let t = step.t + theta * h;
                    inside = inside.max((integrator.work.u[0] - exact(t)).abs());
                }
            }
            integrator.advance(&mut bdf, step);
        }
        [(integrator.work.state[0] - exact(2.0)).abs(), inside]
    }

    #[test]
    fn each_order_is_the_stated_one_at_the_ends_of_steps_and_inside() {
        let linear = system(1, &[], |t, u, _| vec![-4.0 * (u.at(0) - t.sin()) + t.cos()]);
        let logistic = system(1, &[], |_, u, _| vec![u.at(0) * (1.0 - u.at(0))]);
        let problems = [
            (linear, f64::sin as ExactSolution),
            (logistic, |t| 1.0 / (1.0 + (-t).exp())),
        ];
        for (field, exact) in problems {
            let field = field.unwrap();
            for order in 1..=MAX_ORDER {
                let (coarse, fine) = (
                    errors(&field, exact, order, 100),
                    errors(&field, exact, order, 200),
                );
                for (coarse, fine) in coarse.into_iter().zip(fine) {
                    let observed = (coarse / fine).log2();
                    assert!((observed - order as f64).abs() < 0.2, "{order}: {observed}");
                }
            }
        }
    }
}
