//! Rosenbrock steps: linearly implicit, one matrix for all stages of a step and no iteration.

use super::checkpoints::Row;
use super::control::error_norm;
use super::course::Course;
use super::jacobian::Jacobian;
use super::linear::Lu;
use super::plan::Step;
use super::predictive::Predictive;
use super::scheme::Scheme;
use super::sums::{accumulate, add_scaled, combine, finite};
use super::tableau::Rosenbrock;
use crate::field::native::Evaluator;
use odesync_base::failure::FailureReason;

const SAFETY: f64 = 0.9;

/// Storage of a scheme, kept between solves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers {
    slot: Vec<f64>,
    /// du/dt at the state.
    f: Vec<f64>,
    k: Vec<f64>,
    /// The stages of the step around the one that leads to a requested time inside it.
    around: Vec<f64>,
    stage: Vec<f64>,
    error: Vec<f64>,
    jacobian: Jacobian,
    lu: Lu<f64>,
}

/// A Rosenbrock method at work. The tape holds for each step the slots of its stages, then their `K_i`.
pub(crate) struct Stepping {
    tableau: &'static Rosenbrock,
    pub buffers: Buffers,
    /// Whether the Jacobian is that of the current state.
    current: bool,
    control: Predictive,
}

/// Length of a step's part of the tape.
pub(super) fn stride(tableau: &Rosenbrock, evaluator: &Evaluator) -> usize {
    tableau.stages() * (evaluator.slot_len() + evaluator.dof())
}

impl Stepping {
    pub fn new(tableau: &'static Rosenbrock, evaluator: &Evaluator, mut buffers: Buffers) -> Self {
        let dof = evaluator.dof();
        buffers.slot.resize(evaluator.slot_len(), 0.0);
        buffers.k.resize(tableau.stages() * dof, 0.0);
        buffers.around.resize(tableau.stages() * dof, 0.0);
        for buffer in [&mut buffers.f, &mut buffers.stage, &mut buffers.error] {
            buffer.resize(dof, 0.0);
        }
        buffers.jacobian.bind(evaluator);
        Stepping {
            tableau,
            buffers,
            current: false,
            control: Predictive::default(),
        }
    }

    /// Exchanges the stages of a step with those of the steps inside it.
    fn step_aside(&mut self) {
        std::mem::swap(&mut self.buffers.k, &mut self.buffers.around);
    }

    fn linearize<const TAPE: bool>(&mut self, course: &mut Course<TAPE>, t: f64) {
        let Buffers {
            slot, f, jacobian, ..
        } = &mut self.buffers;
        let place = (course.problem.sample, t);
        let work = &mut *course.work;
        course.evaluator.taped(place.0, t, &work.state, slot, f);
        jacobian.fill(course.evaluator, place, slot);
        work.stats.evaluations += 1;
        work.stats.jacobians += 1;
        self.current = true;
    }
}

impl<const TAPE: bool> Scheme<TAPE> for Stepping {
    fn tape_len(&self, course: &Course<TAPE>, steps: usize) -> usize {
        steps.saturating_mul(stride(self.tableau, course.evaluator))
    }

    fn begin(&mut self, course: &mut Course<TAPE>, adaptive: bool) -> Result<f64, FailureReason> {
        self.linearize(course, course.stepper.t);
        let Buffers { slot, f, error, .. } = &mut self.buffers;
        if !finite(f) {
            return Err(FailureReason::NotFinite);
        }
        if !adaptive {
            return Ok(0.0);
        }
        let order = course.options.method.order;
        // The slot holds what a tape needs of the first stage.
        let kept = if TAPE { slot.clone() } else { vec![] };
        let size = course.first_size(order, f, slot, error);
        slot[..kept.len()].copy_from_slice(&kept);
        Ok(size)
    }

    fn attempt(
        &mut self,
        course: &mut Course<TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        if !self.current {
            self.linearize(course, step.t);
        }
        let (tableau, dof, h) = (self.tableau, course.dof, step.h());
        let len = course.evaluator.slot_len();
        let start = index * stride(tableau, course.evaluator);
        let Buffers {
            slot,
            f,
            k,
            stage,
            jacobian,
            lu,
            ..
        } = &mut self.buffers;
        if !jacobian.finite() {
            return Err(FailureReason::JacobianNotFinite);
        }
        let diagonal = 1.0 / (h * tableau.gamma);
        let good = lu.factor(dof, |r, c| {
            let diagonal = if r == c { diagonal } else { 0.0 };
            diagonal - jacobian.at(r, c)
        });
        course.work.stats.factorizations += 1;
        if !good {
            return Err(FailureReason::Singular);
        }
        if TAPE {
            course.work.tape[start..start + len].copy_from_slice(slot);
        }
        for i in 0..tableau.stages() {
            let (before, now) = k.split_at_mut(i * dof);
            let now = &mut now[..dof];
            if i == 0 {
                now.copy_from_slice(f);
            } else {
                let t = step.node(tableau.c[i]);
                combine(&course.work.state, 1.0, tableau.a[i], before, dof, stage);
                if TAPE {
                    course.evaluate(start + i * len, t, stage, now);
                } else {
                    let sample = course.problem.sample;
                    course.evaluator.value(sample, t, stage, slot, now);
                    course.work.stats.evaluations += 1;
                }
            }
            add_scaled(h * tableau.d[i], jacobian.t(), now);
            accumulate(1.0 / h, tableau.coupling[i], before, dof, now);
            lu.solve(now);
        }
        let work = &mut *course.work;
        combine(&work.state, 1.0, tableau.b, k, dof, &mut work.next);
        if TAPE {
            let at = start + tableau.stages() * len;
            work.tape[at..at + k.len()].copy_from_slice(k);
        }
        Ok(())
    }

    fn judge(&mut self, course: &mut Course<TAPE>, step: Step) -> bool {
        let Buffers { k, error, .. } = &mut self.buffers;
        error.fill(0.0);
        accumulate(1.0, self.tableau.error, k, course.dof, error);
        let (rtol, atol) = (course.options.rtol, course.options.atol);
        let norm = error_norm(error, &course.work.state, &course.work.next, rtol, atol);
        let order = course.options.method.order;
        let norm = if finite(k) { norm } else { f64::NAN };
        let h = step.h().abs();
        let (accepted, size) = self.control.judge(h, norm, order, SAFETY, false);
        course.stepper.settle(accepted, size);
        if norm.is_nan() {
            course.stepper.stay_inside(step);
        }
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
        for (i, k) in self.buffers.k.chunks_exact(course.dof).enumerate() {
            add_scaled(self.tableau.dense_weight(i, theta), k, u);
        }
    }

    fn inside(
        &mut self,
        course: &mut Course<TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) -> Result<(), FailureReason> {
        let tableau = self.tableau;
        let stride = |course: &Course<TAPE>, n: usize| n * stride(tableau, course.evaluator);
        self.step_aside();
        let found = course.by_step((step, theta), to, stride, |course, index, part| {
            self.attempt(course, index, part)
        });
        self.step_aside();
        found
    }

    fn advance(&mut self, _course: &mut Course<TAPE>, _step: Step) {
        self.current = false;
    }

    fn save(&self, row: &mut Vec<f64>) {
        self.control.save(row);
    }

    fn load(&mut self, _course: &mut Course<TAPE>, row: &mut Row) {
        self.control.load(row);
    }

    fn finite(&self) -> bool {
        finite(&self.buffers.k)
    }
}
