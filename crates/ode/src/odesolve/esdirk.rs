//! Diagonally implicit Runge-Kutta steps with an explicit first stage (ESDIRK), stage by stage.

use super::checkpoints::Row;
use super::control::error_norm;
use super::course::Course;
use super::plan::Step;
use super::predictive::Predictive;
use super::scheme::Scheme;
use super::stage::{Equation, Factors, StageSolver};
use super::sums::{accumulate, add_scaled, combine, finite};
use super::tableau::Esdirk;
use crate::field::native::Evaluator;
use odesync_base::failure::FailureReason;

const SAFETY: f64 = 0.9;
const ITERATIONS: usize = 8;

/// Storage of a scheme, kept between solves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers {
    solver: StageSolver,
    k: Vec<f64>,
    /// The slopes of the step around the one that leads to a requested time inside it, and the other's factorisation.
    around: Vec<f64>,
    factors_around: Factors,
    base: Vec<f64>,
    z: Vec<f64>,
    error: Vec<f64>,
}

/// An ESDIRK method at work. The tape holds the slots of the stages, the last one being the first of the next step.
pub(crate) struct Stepping {
    tableau: &'static Esdirk,
    pub buffers: Buffers,
    /// Whether the Jacobian was too old in any stage of the last attempt.
    slow: bool,
    /// How far a step inside another one leads.
    inside: Option<f64>,
    control: Predictive,
}

/// Length of the tape for this many steps.
fn room<const TAPE: bool>(tableau: &Esdirk, course: &Course<TAPE>, steps: usize) -> usize {
    let slots = tableau.slot_index(steps, 0) + 1;
    slots.saturating_mul(course.evaluator.slot_len())
}

impl Stepping {
    pub fn new(tableau: &'static Esdirk, evaluator: &Evaluator, mut buffers: Buffers) -> Self {
        let dof = evaluator.dof();
        buffers.solver.start(evaluator);
        buffers.k.resize(tableau.stages() * dof, 0.0);
        buffers.around.resize(tableau.stages() * dof, 0.0);
        for buffer in [&mut buffers.base, &mut buffers.z, &mut buffers.error] {
            buffer.resize(dof, 0.0);
        }
        Stepping {
            tableau,
            buffers,
            slow: false,
            inside: None,
            control: Predictive::default(),
        }
    }

    /// Exchanges the slopes and the factorisation of a step with those of the steps inside it.
    fn step_aside(&mut self) {
        let Buffers {
            solver,
            k,
            around,
            factors_around,
            ..
        } = &mut self.buffers;
        std::mem::swap(k, around);
        std::mem::swap(&mut solver.factors, factors_around);
    }

    /// The implicit stages, with the Jacobian there is.
    fn stages<const TAPE: bool>(
        &mut self,
        course: &mut Course<TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        let (tableau, dof, h) = (self.tableau, course.dof, step.h());
        let c = h * tableau.gamma;
        let Buffers {
            solver,
            k,
            around,
            base,
            z,
            ..
        } = &mut self.buffers;
        solver.factor(course, c)?;
        self.slow = false;
        let state = std::mem::take(&mut course.work.state);
        let mut solved = Ok(());
        for i in 1..tableau.stages() {
            combine(&state, h, tableau.a[i], k, dof, base);
            z.fill(0.0);
            match self.inside {
                None => accumulate(c, tableau.guess[i], k, dof, z),
                Some(theta) => {
                    let slopes = around.chunks_exact(dof).enumerate();
                    for (j, k) in slopes {
                        add_scaled(c * tableau.dense_slope(j, tableau.c[i] * theta), k, z);
                    }
                }
            }
            let equation = Equation {
                t: step.node(tableau.c[i]),
                base,
                psi: None,
                c,
                limit: ITERATIONS,
                at: tableau.slot_index(index, i) * solver.slot.len(),
            };
            solved = solver.solve(course, equation, &state, z);
            self.slow |= solver.newton.slow();
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

impl<const TAPE: bool> Scheme<TAPE> for Stepping {
    fn tape_len(&self, course: &Course<TAPE>, steps: usize) -> usize {
        room(self.tableau, course, steps)
    }

    fn begin(&mut self, course: &mut Course<TAPE>, adaptive: bool) -> Result<f64, FailureReason> {
        let Buffers {
            solver, k, error, ..
        } = &mut self.buffers;
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
        if !finite(&solver.f) {
            return Err(FailureReason::NotFinite);
        }
        if !adaptive {
            return Ok(0.0);
        }
        let order = course.options.method.order;
        let StageSolver { slot, f, .. } = solver;
        Ok(course.first_size(order, f, slot, error))
    }

    fn attempt(
        &mut self,
        course: &mut Course<TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        loop {
            let solver = &mut self.buffers.solver;
            if !solver.have {
                let state = std::mem::take(&mut course.work.state);
                solver.linearize(course, step.t, &state);
                course.work.state = state;
            }
            let solved = self.stages(course, index, step);
            if solved.is_ok() || self.buffers.solver.current {
                return solved;
            }
            self.buffers.solver.have = false;
        }
    }

    fn judge(&mut self, course: &mut Course<TAPE>, step: Step) -> bool {
        let Buffers { k, error, .. } = &mut self.buffers;
        let h = step.h();
        error.fill(0.0);
        for (i, k) in k.chunks_exact(course.dof).enumerate() {
            add_scaled(h * (self.tableau.b(i) - self.tableau.embedded[i]), k, error);
        }
        let (rtol, atol) = (course.options.rtol, course.options.atol);
        let norm = error_norm(error, &course.work.state, &course.work.next, rtol, atol);
        let order = course.options.method.order;
        let control = &mut self.control;
        let (accepted, size) = control.judge(h.abs(), norm, order, SAFETY, !self.slow);
        course.stepper.settle(accepted, size);
        accepted
    }

    fn interpolate(
        &mut self,
        course: &mut Course<TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) {
        let work = &mut *course.work;
        let u = &mut work.u[to];
        u.copy_from_slice(&work.state);
        for (i, k) in self.buffers.k.chunks_exact(course.dof).enumerate() {
            add_scaled(step.h() * self.tableau.dense_weight(i, theta), k, u);
        }
    }

    fn inside(
        &mut self,
        course: &mut Course<TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) -> Result<(), FailureReason> {
        let (slow, dof) = (self.slow, course.dof);
        let current = self.buffers.solver.current;
        self.step_aside();
        let Buffers {
            solver, k, around, ..
        } = &mut self.buffers;
        k[..dof].copy_from_slice(&around[..dof]);
        solver.factors.clear();
        self.inside = Some(theta);
        let tableau = self.tableau;
        let room = |course: &Course<TAPE>, steps| room(tableau, course, steps);
        let found = course.by_step((step, theta), to, room, |course, index, part| {
            self.attempt(course, index, part)
        });
        self.inside = None;
        self.step_aside();
        self.slow = slow;
        let solver = &mut self.buffers.solver;
        if solver.current != current {
            // The Jacobian is another one now.
            solver.factors.clear();
        }
        found
    }

    fn advance(&mut self, course: &mut Course<TAPE>, _step: Step) {
        let Buffers { solver, k, .. } = &mut self.buffers;
        let last = (self.tableau.stages() - 1) * course.dof;
        k.copy_within(last..last + course.dof, 0);
        solver.current = false;
        solver.have &= !self.slow;
    }

    fn save(&self, row: &mut Vec<f64>) {
        let Buffers {
            solver, k, base, ..
        } = &self.buffers;
        row.extend(&k[..base.len()]);
        self.control.save(row);
        solver.save(row);
    }

    fn load(&mut self, course: &mut Course<TAPE>, row: &mut Row) {
        let Buffers {
            solver, k, base, ..
        } = &mut self.buffers;
        row.fill(&mut k[..course.dof]);
        self.control.load(row);
        solver.load(row);
        if TAPE {
            // The slot of the first stage; its slope there differs by rounding from the last stage's that was saved.
            base.copy_from_slice(&course.work.state);
            let t = course.stepper.t;
            course.evaluate(0, t, base, &mut solver.f);
        }
    }

    fn finite(&self) -> bool {
        finite(&self.buffers.k)
    }
}

#[cfg(test)]
mod tests {
    use super::super::method::Family;
    use super::super::methods::ALL;
    use super::super::tableau::tests::Conditions;

    #[test]
    fn order_conditions_of_solution_estimate_and_dense_output() {
        let mut found = 0;
        for method in ALL {
            let Family::Esdirk(m) = method.family else {
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
            let conditions = Conditions::of_rows(&rows);
            let b: Vec<f64> = (0..s).map(|i| m.b(i)).collect();
            conditions.order(method.name, &b, method.order, 1.0, 1e-14);
            conditions.order("embedded", m.embedded, method.order - 1, 1.0, 1e-14);
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
