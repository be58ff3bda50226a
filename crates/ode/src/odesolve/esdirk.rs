//! Diagonally implicit Runge-Kutta steps with an explicit first stage (ESDIRK), stage by stage.

use super::checkpoints::StateReader;
use super::control::error_norm;
use super::gustafsson::GustafssonController;
use super::integrator::Integrator;
use super::plan::Step;
use super::stage_solver::{NewtonMatrix, StageEquation, StageSolver};
use super::step_method::StepMethod;
use super::tableau::EsdirkTableau;
use super::vector_ops::{add_scaled, add_weighted_sum, all_finite, weighted_sum};
use crate::field::native::Evaluator;
use odesync_base::failure::FailureReason;

const SAFETY: f64 = 0.9;
const MAX_ITERATIONS: usize = 8;

/// Storage of a scheme, kept between solves.
#[derive(Debug, Clone, Default)]
pub(crate) struct EsdirkCache {
    solver: StageSolver,
    k: Vec<f64>,
    /// The slopes of the step around the one that leads to a requested time inside it, and the other's factorisation.
    saved_k: Vec<f64>,
    saved_newton_matrix: NewtonMatrix,
    base: Vec<f64>,
    z: Vec<f64>,
    error: Vec<f64>,
}

/// An ESDIRK method at work. The tape holds the slots of the stages, the last one being the first of the next step.
pub(crate) struct EsdirkMethod {
    tableau: &'static EsdirkTableau,
    pub cache: EsdirkCache,
    /// Whether the Jacobian was too old in any stage of the last attempt.
    needs_new_jacobian: bool,
    /// How far a step inside another one leads.
    substep_theta: Option<f64>,
    controller: GustafssonController,
}

/// Length of the tape for this many steps.
fn tape_len_for<const TAPE: bool>(
    tableau: &EsdirkTableau,
    course: &Integrator<TAPE>,
    steps: usize,
) -> usize {
    let slots = tableau.slot_index(steps, 0) + 1;
    slots.saturating_mul(course.evaluator.slot_len())
}

impl EsdirkMethod {
    pub fn new(
        tableau: &'static EsdirkTableau,
        evaluator: &Evaluator,
        mut buffers: EsdirkCache,
    ) -> Self {
        let dof = evaluator.dof();
        buffers.solver.reset(evaluator);
        buffers.k.resize(tableau.stages() * dof, 0.0);
        buffers.saved_k.resize(tableau.stages() * dof, 0.0);
        for buffer in [&mut buffers.base, &mut buffers.z, &mut buffers.error] {
            buffer.resize(dof, 0.0);
        }
        EsdirkMethod {
            tableau,
            cache: buffers,
            needs_new_jacobian: false,
            substep_theta: None,
            controller: GustafssonController::default(),
        }
    }

    /// Exchanges the slopes and the factorisation of a step with those of the steps inside it.
    fn swap_substep_state(&mut self) {
        let EsdirkCache {
            solver,
            k,
            saved_k: around,
            saved_newton_matrix: factors_around,
            ..
        } = &mut self.cache;
        std::mem::swap(k, around);
        std::mem::swap(&mut solver.newton_matrix, factors_around);
    }

    /// The implicit stages, with the Jacobian there is.
    fn solve_stages<const TAPE: bool>(
        &mut self,
        course: &mut Integrator<TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        let (tableau, dof, h) = (self.tableau, course.dof, step.h());
        let c = h * tableau.gamma;
        let EsdirkCache {
            solver,
            k,
            saved_k: around,
            base,
            z,
            ..
        } = &mut self.cache;
        solver.ensure_factored(course, c)?;
        self.needs_new_jacobian = false;
        let state = std::mem::take(&mut course.work.state);
        let mut solved = Ok(());
        for i in 1..tableau.stages() {
            weighted_sum(&state, h, tableau.a[i], k, dof, base);
            z.fill(0.0);
            match self.substep_theta {
                None => add_weighted_sum(c, tableau.guess[i], k, dof, z),
                Some(theta) => {
                    let slopes = around.chunks_exact(dof).enumerate();
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
            solved = solver.solve(course, equation, &state, z);
            self.needs_new_jacobian |= solver.newton.needs_new_jacobian();
            if solved.is_err() {
                break;
            }
            for (k, z) in k[i * dof..(i + 1) * dof].iter_mut().zip(z.iter()) {
                *k = z / c;
            }
        }
        course.work.state = state;
        // The last stage.
        for (next, (base, z)) in course.work.next.iter_mut().zip(base.iter().zip(z.iter())) {
            *next = base + z;
        }
        solved
    }
}

impl<const TAPE: bool> StepMethod<TAPE> for EsdirkMethod {
    fn tape_len(&self, course: &Integrator<TAPE>, steps: usize) -> usize {
        tape_len_for(self.tableau, course, steps)
    }

    fn initialize(
        &mut self,
        course: &mut Integrator<TAPE>,
        adaptive: bool,
    ) -> Result<f64, FailureReason> {
        let EsdirkCache {
            solver, k, error, ..
        } = &mut self.cache;
        let t = course.stepper.t;
        let state = std::mem::take(&mut course.work.state);
        solver.linearize(course, t, &state);
        course.work.state = state;
        k[..course.dof].copy_from_slice(&solver.f);
        if TAPE {
            let len = solver.slot.len();
            if course.work.tape.len() < len {
                course.work.tape.resize(len, 0.0);
            }
            course.work.tape[..len].copy_from_slice(&solver.slot);
        }
        if !all_finite(&solver.f) {
            return Err(FailureReason::NotFinite);
        }
        if !adaptive {
            return Ok(0.0);
        }
        let order = course.options.solver.order;
        let StageSolver { slot, f, .. } = solver;
        Ok(course.initial_step_size(order, f, slot, error))
    }

    fn perform_step(
        &mut self,
        course: &mut Integrator<TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        loop {
            let solver = &mut self.cache.solver;
            if !solver.has_jacobian {
                let state = std::mem::take(&mut course.work.state);
                solver.linearize(course, step.t, &state);
                course.work.state = state;
            }
            let solved = self.solve_stages(course, index, step);
            if solved.is_ok() || self.cache.solver.jacobian_fresh {
                return solved;
            }
            self.cache.solver.has_jacobian = false;
        }
    }

    fn error_test(&mut self, course: &mut Integrator<TAPE>, step: Step) -> bool {
        let EsdirkCache { k, error, .. } = &mut self.cache;
        let h = step.h();
        error.fill(0.0);
        for (i, k) in k.chunks_exact(course.dof).enumerate() {
            add_scaled(h * (self.tableau.b(i) - self.tableau.embedded[i]), k, error);
        }
        let (rtol, atol) = (course.options.rtol, course.options.atol);
        let norm = error_norm(error, &course.work.state, &course.work.next, rtol, atol);
        let order = course.options.solver.order;
        let control = &mut self.controller;
        let (accepted, size) =
            control.adapt_step_size(h.abs(), norm, order, SAFETY, !self.needs_new_jacobian);
        course.stepper.record_step(accepted, size);
        accepted
    }

    fn interpolate(
        &mut self,
        course: &mut Integrator<TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) {
        let work = &mut *course.work;
        let u = &mut work.u[to];
        u.copy_from_slice(&work.state);
        for (i, k) in self.cache.k.chunks_exact(course.dof).enumerate() {
            add_scaled(step.h() * self.tableau.dense_weight(i, theta), k, u);
        }
    }

    fn solve_at(
        &mut self,
        course: &mut Integrator<TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) -> Result<(), FailureReason> {
        let (slow, dof) = (self.needs_new_jacobian, course.dof);
        let current = self.cache.solver.jacobian_fresh;
        self.swap_substep_state();
        let EsdirkCache {
            solver,
            k,
            saved_k: around,
            ..
        } = &mut self.cache;
        k[..dof].copy_from_slice(&around[..dof]);
        solver.newton_matrix.invalidate();
        self.substep_theta = Some(theta);
        let tableau = self.tableau;
        let tape_len = |course: &Integrator<TAPE>, steps| tape_len_for(tableau, course, steps);
        let found = course.substep_to_output((step, theta), to, tape_len, |course, index, part| {
            self.perform_step(course, index, part)
        });
        self.substep_theta = None;
        self.swap_substep_state();
        self.needs_new_jacobian = slow;
        let solver = &mut self.cache.solver;
        if solver.jacobian_fresh != current {
            // The Jacobian is another one now.
            solver.newton_matrix.invalidate();
        }
        found
    }

    fn on_accept(&mut self, course: &mut Integrator<TAPE>, _step: Step) {
        let EsdirkCache { solver, k, .. } = &mut self.cache;
        let last = (self.tableau.stages() - 1) * course.dof;
        k.copy_within(last..last + course.dof, 0);
        solver.jacobian_fresh = false;
        solver.has_jacobian &= !self.needs_new_jacobian;
    }

    fn save(&self, row: &mut Vec<f64>) {
        let EsdirkCache {
            solver, k, base, ..
        } = &self.cache;
        row.extend(&k[..base.len()]);
        self.controller.save(row);
        solver.save(row);
    }

    fn load(&mut self, course: &mut Integrator<TAPE>, row: &mut StateReader) {
        let EsdirkCache {
            solver, k, base, ..
        } = &mut self.cache;
        row.read_into(&mut k[..course.dof]);
        self.controller.load(row);
        solver.load(row);
        if TAPE {
            // The slot of the first stage; its slope there differs by rounding from the last stage's that was saved.
            base.copy_from_slice(&course.work.state);
            let t = course.stepper.t;
            course.evaluate(0, t, base, &mut solver.f);
        }
    }

    fn is_finite(&self) -> bool {
        all_finite(&self.cache.k)
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
                // A first guess is a mean of slopes.
                let sum: f64 = m.guess[i].iter().sum();
                assert!(i == 0 || (sum - 1.0).abs() < 1e-12);
            }
        }
        assert_eq!(found, 1);
    }
}
