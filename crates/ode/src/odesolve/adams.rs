//! Adams steps of fixed size: the slopes of the steps before give the next one. Explicit (Adams-Bashforth), or corrected once
//! (Adams-Bashforth-Moulton: predict, evaluate, correct, evaluate). The first steps are those of the classic Runge-Kutta
//! method, and so are those after a change of the step size or a breakpoint.

use super::checkpoints::Row;
use super::course::Course;
use super::methods::rk4;
use super::plan::Step;
use super::scheme::Scheme;
use super::sums::{accumulate, combine, finite};
use super::tableau::{Adams, Tableau};
use crate::field::native::Evaluator;
use odesync_base::failure::FailureReason;

/// The variant of a step: by the formula, or one of the start.
const FORMULA: u8 = 0;
pub(super) const START: u8 = 1;

impl Adams {
    /// Slots that a step takes up on the tape.
    pub(super) fn slots(&self, variant: u8) -> usize {
        match variant {
            START => RK4.stages(),
            _ => 1 + usize::from(self.corrector.is_some()),
        }
    }

    /// Weights of the slopes inside a step by the formula, newest first, from the polynomial through them.
    pub(super) fn dense_weights(&self, theta: f64) -> [f64; 4] {
        let newest = if self.corrector.is_some() { 1.0 } else { 0.0 };
        integrated(
            newest,
            self.corrector.unwrap_or(self.predictor).len(),
            theta,
        )
    }
}

pub(super) const RK4: &Tableau = match rk4::RK4.tableau() {
    Some(tableau) => tableau,
    None => panic!("it is an explicit Runge-Kutta method"),
};

/// ∫₀^θ of the Lagrange polynomials on `n` nodes `newest`, `newest − 1`, ….
fn integrated(newest: f64, n: usize, theta: f64) -> [f64; 4] {
    let mut weights = [0.0; 4];
    for (j, weight) in weights.iter_mut().enumerate().take(n) {
        // Coefficients of Π (x − node) / (own − node), constant first.
        let mut p = [1.0, 0.0, 0.0, 0.0];
        for i in (0..n).filter(|i| *i != j) {
            let node = newest - i as f64;
            let size = i as f64 - j as f64;
            for k in (0..4).rev() {
                let shifted = if k > 0 { p[k - 1] } else { 0.0 };
                p[k] = (shifted - node * p[k]) / size;
            }
        }
        *weight = (0..4)
            .map(|k| p[k] * theta.powi(k as i32 + 1) / (k as f64 + 1.0))
            .sum();
    }
    weights
}

/// Weights of the stages inside a step of the start, of order 3.
pub(super) fn start_weights(theta: f64) -> [f64; 4] {
    let (two, three) = (theta * theta, theta * theta * theta);
    let middle = two - 2.0 / 3.0 * three;
    let last = -0.5 * two + 2.0 / 3.0 * three;
    [theta - 1.5 * two + 2.0 / 3.0 * three, middle, middle, last]
}

/// Storage of a scheme, kept between solves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers {
    /// The slopes at the state and before, newest first.
    history: Vec<f64>,
    /// Slopes inside the step: the stages of the start, or the one at the prediction.
    k: Vec<f64>,
    stage: Vec<f64>,
}

/// An Adams method at work. The tape holds the slots of what each step evaluates, in order.
pub(crate) struct Stepping {
    tableau: &'static Adams,
    pub buffers: Buffers,
    /// Slopes before the one at the state that are there.
    known: usize,
    /// The size of their steps.
    spacing: f64,
    /// Length of the tape in use.
    used: usize,
    variant: u8,
}

impl Stepping {
    pub fn new(tableau: &'static Adams, evaluator: &Evaluator, mut buffers: Buffers) -> Self {
        let dof = evaluator.dof();
        buffers.history.resize(tableau.predictor.len() * dof, 0.0);
        buffers.k.resize(RK4.stages() * dof, 0.0);
        buffers.stage.resize(dof, 0.0);
        Stepping {
            tableau,
            buffers,
            known: 0,
            spacing: 0.0,
            used: 0,
            variant: START,
        }
    }

    /// How to take this step.
    fn choose<const TAPE: bool>(&mut self, course: &Course<TAPE>, index: usize, h: f64) {
        let planned = course.given.and_then(|plan| plan.variants.get(index));
        let enough = self.tableau.predictor.len() - 1;
        let changed = (h - self.spacing).abs() > 1e-9 * h.abs();
        let restart = self.known >= enough && planned == Some(&START);
        if changed || restart || (planned.is_none() && course.stepper.at_stop()) {
            self.known = 0;
        }
        self.variant = if self.known < enough { START } else { FORMULA };
    }
}

impl<const TAPE: bool> Scheme<TAPE> for Stepping {
    fn tape_len(&self, course: &Course<TAPE>, _steps: usize) -> usize {
        let next = RK4.stages().saturating_mul(course.evaluator.slot_len());
        self.used.saturating_add(next)
    }

    fn tape_of_step(&self, course: &Course<TAPE>) -> usize {
        self.tableau.slots(FORMULA) * course.evaluator.slot_len()
    }

    fn begin(&mut self, _course: &mut Course<TAPE>, _adaptive: bool) -> Result<f64, FailureReason> {
        Ok(0.0)
    }

    fn attempt(
        &mut self,
        course: &mut Course<TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        let (tableau, dof, h) = (self.tableau, course.dof, step.h());
        let (len, used) = (course.evaluator.slot_len(), self.used);
        self.choose(course, index, h);
        let Buffers { history, k, stage } = &mut self.buffers;
        stage.copy_from_slice(&course.work.state);
        course.evaluate(used, step.t, stage, &mut history[..dof]);
        if self.variant == START {
            k[..dof].copy_from_slice(&history[..dof]);
            for i in 1..RK4.stages() {
                combine(&course.work.state, h, RK4.a[i], k, dof, stage);
                let k = &mut k[i * dof..(i + 1) * dof];
                course.evaluate(used + i * len, step.node(RK4.c[i]), stage, k);
            }
            let work = &mut *course.work;
            combine(&work.state, h, RK4.b, k, dof, &mut work.next);
            return Ok(());
        }
        combine(
            &course.work.state,
            h,
            tableau.predictor,
            history,
            dof,
            stage,
        );
        if let Some(beta) = tableau.corrector {
            course.evaluate(used + len, step.end, stage, &mut k[..dof]);
            let work = &mut *course.work;
            combine(&work.state, h, &beta[1..], history, dof, &mut work.next);
            accumulate(h, &beta[..1], k, dof, &mut work.next);
        } else {
            course.work.next.copy_from_slice(stage);
        }
        Ok(())
    }

    fn judge(&mut self, course: &mut Course<TAPE>, step: Step) -> bool {
        // Steps are fixed.
        course.stepper.settle(true, step.h().abs());
        true
    }

    fn interpolate(
        &mut self,
        course: &mut Course<TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) {
        let Buffers { history, k, .. } = &self.buffers;
        let (dof, h, work) = (course.dof, step.h(), &mut *course.work);
        let u = &mut work.u[to];
        if self.variant == START {
            combine(&work.state, h, &start_weights(theta), k, dof, u);
            return;
        }
        let weights = self.tableau.dense_weights(theta);
        match self.tableau.corrector {
            Some(_) => {
                combine(&work.state, h, &weights[1..], history, dof, u);
                accumulate(h, &weights[..1], k, dof, u);
            }
            None => combine(&work.state, h, &weights, history, dof, u),
        }
    }

    fn advance(&mut self, course: &mut Course<TAPE>, step: Step) {
        let history = &mut self.buffers.history;
        let kept = history.len() - course.dof;
        history.copy_within(..kept, course.dof);
        course.work.plan.variants.push(self.variant);
        if TAPE {
            self.used += self.tableau.slots(self.variant) * course.evaluator.slot_len();
        }
        self.known += 1;
        self.spacing = step.h();
    }

    fn save(&self, row: &mut Vec<f64>) {
        row.extend([self.known as f64, self.spacing]);
        row.extend(&self.buffers.history);
    }

    fn load(&mut self, _course: &mut Course<TAPE>, row: &mut Row) {
        (self.known, self.spacing) = (row.count(), row.number());
        row.fill(&mut self.buffers.history);
    }

    fn finite(&self) -> bool {
        finite(&self.buffers.history)
    }
}

#[cfg(test)]
mod tests {
    use super::super::method::Family;
    use super::super::methods::ALL;
    use super::*;

    #[test]
    fn formulas_integrate_the_polynomial_through_their_slopes() {
        let mut found = 0;
        for method in ALL {
            let Family::Adams(adams) = method.family else {
                continue;
            };
            found += 1;
            for (newest, beta) in [(0.0, Some(adams.predictor)), (1.0, adams.corrector)] {
                let Some(beta) = beta else { continue };
                let want = integrated(newest, beta.len(), 1.0);
                for (beta, want) in beta.iter().zip(want) {
                    assert!((beta - want).abs() < 1e-14, "{}", method.name);
                }
                // Exact for slopes 1, x, …, one more power than the order allows fails.
                for q in 0..=beta.len() as i32 {
                    let sum: f64 = (0..beta.len())
                        .map(|j| beta[j] * (newest - j as f64).powi(q))
                        .sum();
                    let off = (sum - 1.0 / f64::from(q + 1)).abs();
                    assert_eq!(off < 1e-13, (q as usize) < beta.len(), "{}", method.name);
                }
            }
        }
        assert_eq!(found, 4);
    }
}
