//! The step method of diagonally implicit Runge-Kutta methods with an explicit first stage (ESDIRK), which solves stage by
//! stage.

use super::checkpoints::StateReader;
use super::control::{Controller, SAFETY};
use super::integrator_core::IntegratorCore;
use super::options::SolveOptions;
use super::recorded_steps::Step;
use super::rhs::{DifferenceScales, Rhs};
use super::stage_solver::{NewtonMatrix, StageEquation, StageSolver};
use super::step_controller::StepController;
use super::step_method::StepMethod;
use super::tableau::EsdirkTableau;
use super::vector_ops::{add_scaled, add_weighted_sum, all_finite, weighted_sum};
use odesync_base::failure::FailureReason;

const MAX_ITERATIONS: usize = 8;

/// Step method of ESDIRK methods. The tape holds the slots of the stages; the last one is the first of the next step.
#[derive(Debug)]
pub(crate) struct EsdirkMethod {
    tableau: &'static EsdirkTableau,
    solver: StageSolver,
    k: Vec<f64>,
    /// Slopes and factorization of the steps of the solve while an output step is computed; of the output steps otherwise.
    saved_k: Vec<f64>,
    saved_newton_matrix: NewtonMatrix,
    base: Vec<f64>,
    z: Vec<f64>,
    error: Vec<f64>,
    /// Whether the Jacobian was too old in any stage of the last attempted step.
    needs_new_jacobian: bool,
    /// θ of the output step that is being computed, in the enclosing step; `None` for a step of the solve.
    substep_theta: Option<f64>,
    controller: StepController,
}

/// Returns the length of the tape for this many steps.
fn tape_len_for<R: Rhs + ?Sized, const TAPE: bool>(
    tableau: &EsdirkTableau,
    integrator: &IntegratorCore<R, TAPE>,
    steps: usize,
) -> usize {
    let slots = tableau.slot_index(steps, 0) + 1;
    slots.saturating_mul(integrator.rhs.slot_len())
}

impl EsdirkMethod {
    /// Creates the step method of a tableau, without storage.
    pub fn new(tableau: &'static EsdirkTableau) -> Self {
        EsdirkMethod {
            tableau,
            solver: StageSolver::default(),
            k: vec![],
            saved_k: vec![],
            saved_newton_matrix: NewtonMatrix::default(),
            base: vec![],
            z: vec![],
            error: vec![],
            needs_new_jacobian: false,
            substep_theta: None,
            controller: StepController::default(),
        }
    }

    /// Prepares the method for a solve.
    pub fn reset<R: Rhs + ?Sized>(
        &mut self,
        tableau: &'static EsdirkTableau,
        rhs: &R,
        options: &SolveOptions,
    ) {
        let dof = rhs.dof();
        self.tableau = tableau;
        self.solver.reset(rhs, options.mass_matrix.as_ref());
        self.k.resize(tableau.stages() * dof, 0.0);
        self.saved_k.resize(tableau.stages() * dof, 0.0);
        for buffer in [&mut self.base, &mut self.z, &mut self.error] {
            buffer.resize(dof, 0.0);
        }
        (self.needs_new_jacobian, self.substep_theta) = (false, None);
        self.controller = StepController::new(options.controller, Controller::Gustafsson);
    }

    /// Exchanges the slopes and the factorization of the steps of the solve with those of the output steps.
    fn swap_substep_state(&mut self) {
        let EsdirkMethod {
            solver,
            k,
            saved_k,
            saved_newton_matrix,
            ..
        } = self;
        std::mem::swap(k, saved_k);
        std::mem::swap(&mut solver.newton_matrix, saved_newton_matrix);
    }

    /// Solves the implicit stages with the stored Jacobian.
    fn solve_stages<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        let (tableau, dof, h) = (self.tableau, integrator.dof, step.h());
        let c = h * tableau.gamma;
        let EsdirkMethod {
            solver,
            k,
            saved_k,
            base,
            z,
            ..
        } = self;
        solver.ensure_factored(integrator, c)?;
        self.needs_new_jacobian = false;
        let state = std::mem::take(&mut integrator.work.state);
        let mut solved = Ok(());
        for i in 1..tableau.stages() {
            weighted_sum(&state, h, tableau.a[i], k, dof, base);
            z.fill(0.0);
            match self.substep_theta {
                None => add_weighted_sum(c, tableau.guess[i], k, dof, z),
                Some(theta) => {
                    let slopes = saved_k.chunks_exact(dof).enumerate();
                    for (j, k) in slopes {
                        add_scaled(c * tableau.dense_slope(j, tableau.c[i] * theta), k, z);
                    }
                }
            }
            let equation = StageEquation {
                t: step.time_at(tableau.c[i]),
                base,
                psi: None,
                c,
                max_iterations: MAX_ITERATIONS,
                tape_offset: tableau.slot_index(index, i) * solver.slot.len(),
            };
            solved = solver.solve(integrator, equation, &state, z);
            self.needs_new_jacobian |= solver.newton.needs_new_jacobian();
            if solved.is_err() {
                break;
            }
            for (k, z) in k[i * dof..(i + 1) * dof].iter_mut().zip(z.iter()) {
                *k = z / c;
            }
        }
        integrator.work.state = state;
        // u⁺ is the last stage.
        for (next, (base, z)) in integrator
            .work
            .next
            .iter_mut()
            .zip(base.iter().zip(z.iter()))
        {
            *next = base + z;
        }
        solved
    }
}

impl<R: Rhs + ?Sized, const TAPE: bool> StepMethod<R, TAPE> for EsdirkMethod {
    fn tape_len(&self, integrator: &IntegratorCore<R, TAPE>, steps: usize) -> usize {
        tape_len_for(self.tableau, integrator, steps)
    }

    fn set_scales(&mut self, scales: &DifferenceScales) {
        self.solver.set_scales(scales);
    }

    fn initialize(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        adaptive: bool,
    ) -> Result<f64, FailureReason> {
        let EsdirkMethod {
            solver, k, error, ..
        } = self;
        solver.initialize(integrator)?;
        integrator.turn_into_slope(&mut solver.f)?;
        k[..integrator.dof].copy_from_slice(&solver.f);
        if !adaptive {
            return Ok(0.0);
        }
        let order = integrator.options.solver.order;
        Ok(integrator.initial_step_size(order, &solver.f, error))
    }

    fn perform_step(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        loop {
            if !self.solver.has_jacobian {
                self.solver.linearize(integrator, step.t, None);
            }
            let solved = self.solve_stages(integrator, index, step);
            if solved.is_ok() || self.solver.jacobian_fresh {
                return solved;
            }
            self.solver.has_jacobian = false;
        }
    }

    fn error_test(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) -> bool {
        let EsdirkMethod { k, error, .. } = self;
        let h = step.h();
        error.fill(0.0);
        for (i, k) in k.chunks_exact(integrator.dof).enumerate() {
            add_scaled(h * (self.tableau.b(i) - self.tableau.embedded[i]), k, error);
        }
        let norm = integrator.error_norm(error);
        let order = integrator.options.solver.order;
        let controller = &mut self.controller;
        let (accepted, size) = controller.adapt_step_size(
            h.abs(),
            norm,
            (order, SAFETY),
            !self.needs_new_jacobian,
            || true,
        );
        integrator.stepper.record_step(accepted, size);
        accepted
    }

    fn interpolate(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) {
        let work = &mut *integrator.work;
        let u = &mut work.u[to];
        u.copy_from_slice(&work.state);
        for (i, k) in self.k.chunks_exact(integrator.dof).enumerate() {
            add_scaled(step.h() * self.tableau.dense_weight(i, theta), k, u);
        }
    }

    fn evaluate_output(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) -> Result<(), FailureReason> {
        let (needs_new_jacobian, dof) = (self.needs_new_jacobian, integrator.dof);
        let jacobian_fresh = self.solver.jacobian_fresh;
        self.swap_substep_state();
        let EsdirkMethod {
            solver, k, saved_k, ..
        } = self;
        k[..dof].copy_from_slice(&saved_k[..dof]);
        solver.newton_matrix.invalidate();
        self.substep_theta = Some(theta);
        let tableau = self.tableau;
        let tape_len =
            |integrator: &IntegratorCore<R, TAPE>, steps| tape_len_for(tableau, integrator, steps);
        let found = integrator.substep_to_output(
            (step, theta),
            to,
            tape_len,
            |integrator, index, substep| self.perform_step(integrator, index, substep),
        );
        self.substep_theta = None;
        self.swap_substep_state();
        self.needs_new_jacobian = needs_new_jacobian;
        let solver = &mut self.solver;
        if solver.jacobian_fresh != jacobian_fresh {
            // The output step computed a new Jacobian.
            solver.newton_matrix.invalidate();
        }
        found
    }

    fn on_accept(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) {
        let EsdirkMethod { solver, k, .. } = self;
        let last = (self.tableau.stages() - 1) * integrator.dof;
        k.copy_within(last..last + integrator.dof, 0);
        if integrator.stepper.is_crossing(step) {
            // Algebraic variables may jump with the field, and their difference over the step is no slope. No step depends on it.
            let mut slope = vec![0.0; integrator.dof];
            if integrator.turn_into_slope(&mut slope) == Ok(true) {
                k[..integrator.dof].copy_from_slice(&slope);
            }
        }
        solver.jacobian_fresh = false;
        solver.has_jacobian &= !self.needs_new_jacobian;
    }

    fn save(&self, row: &mut Vec<f64>) {
        let EsdirkMethod {
            solver, k, base, ..
        } = self;
        row.extend(&k[..base.len()]);
        self.controller.save(row);
        solver.save(row);
    }

    fn load(&mut self, integrator: &mut IntegratorCore<R, TAPE>, row: &mut StateReader) {
        let EsdirkMethod {
            solver, k, base, ..
        } = self;
        row.read_into(&mut k[..integrator.dof]);
        self.controller.load(row);
        solver.load(row);
        if TAPE {
            // Writes the slot of the first stage. The slope evaluated here differs by rounding from the saved slope of the
            // last stage, which remains in use.
            base.copy_from_slice(&integrator.work.state);
            let t = integrator.stepper.t;
            integrator.evaluate(0, t, base, &mut solver.f);
        }
    }

    fn is_finite(&self) -> bool {
        all_finite(&self.k)
    }
}

#[cfg(test)]
mod tests {
    use super::super::solver::SolverFamily;
    use super::super::solvers::ALL;
    use super::super::tableau::tests::OrderConditions;

    #[test]
    fn order_conditions_of_solution_estimate_and_dense_output() {
        let mut found = 0;
        for method in ALL {
            let SolverFamily::Esdirk(m) = method.family else {
                continue;
            };
            found += 1;
            let s = m.stages();
            let rows: Vec<Vec<f64>> = (0..s)
                .map(|i| {
                    let diagonal = if i > 0 { m.gamma } else { 0.0 };
                    m.a[i].iter().copied().chain([diagonal]).collect()
                })
                .collect();
            let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
            for (row, c) in rows.iter().zip(m.c) {
                assert!((row.iter().sum::<f64>() - c).abs() < 1e-14);
            }
            let conditions = OrderConditions::of_rows(&rows);
            let b: Vec<f64> = (0..s).map(|i| m.b(i)).collect();
            conditions.check_order(method.name, &b, method.order, 1.0, 1e-14);
            conditions.check_order("embedded", m.embedded, method.order - 1, 1.0, 1e-14);
            for theta in [0.1, 0.35, 0.5, 0.8, 1.0] {
                let w: Vec<f64> = (0..s).map(|i| m.dense_weight(i, theta)).collect();
                assert!(conditions.residual(&w, 1..=4, theta) < 1e-14);
            }
            for i in 0..s {
                assert!((m.dense_weight(i, 1.0) - m.b(i)).abs() < 1e-14);
                // An initial guess is a weighted mean of slopes.
                let sum: f64 = m.guess[i].iter().sum();
                assert!(i == 0 || (sum - 1.0).abs() < 1e-12);
            }
        }
        assert_eq!(found, 1);
    }
}
