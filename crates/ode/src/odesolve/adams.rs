//! The step method of Adams methods with fixed step size, which compute the next state from the slopes at previous steps:
//! explicit (Adams-Bashforth), or corrected once (Adams-Bashforth-Moulton: predict, evaluate, correct, evaluate). Startup
//! steps, at the beginning and after a change of the step size or a breakpoint, are taken by the classic Runge-Kutta method.

use super::checkpoints::StateReader;
use super::integrator_core::IntegratorCore;
use super::recorded_steps::Step;
use super::rhs::Rhs;
use super::solvers::rk4;
use super::step_method::StepMethod;
use super::tableau::{AdamsTableau, Tableau};
use super::vector_ops::{add_weighted_sum, all_finite, weighted_sum};
use odesync_base::failure::FailureReason;

/// Variant of a step by the multistep formula.
const MULTISTEP: u8 = 0;
/// Variant of a startup step, by the classic Runge-Kutta method.
pub(super) const STARTUP: u8 = 1;

impl AdamsTableau {
    /// Returns the number of slots that a step takes up on the tape.
    pub(super) fn slots_per_step(&self, variant: u8) -> usize {
        match variant {
            STARTUP => RK4.stages(),
            _ => 1 + usize::from(self.corrector.is_some()),
        }
    }

    /// Returns the weights of the slopes in the dense output of a multistep step, newest first, from the polynomial through
    /// the slopes.
    pub(super) fn dense_weights(&self, theta: f64) -> [f64; 4] {
        let newest = if self.corrector.is_some() { 1.0 } else { 0.0 };
        integrated_lagrange_weights(
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

/// Returns the integrals ∫₀^θ of the Lagrange polynomials on `n` nodes `newest`, `newest − 1`, ….
fn integrated_lagrange_weights(newest: f64, n: usize, theta: f64) -> [f64; 4] {
    let mut weights = [0.0; 4];
    for (j, weight) in weights.iter_mut().enumerate().take(n) {
        // Coefficients of Π (x − node_i) / (node_j − node_i), constant first.
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

/// Returns the weights of the stages in the dense output of a startup step, which is of order 3.
pub(super) fn startup_weights(theta: f64) -> [f64; 4] {
    let (two, three) = (theta * theta, theta * theta * theta);
    let middle = two - 2.0 / 3.0 * three;
    let last = -0.5 * two + 2.0 / 3.0 * three;
    [theta - 1.5 * two + 2.0 / 3.0 * three, middle, middle, last]
}

/// Step method of Adams methods. The tape holds the slots of the evaluations of each step, in order.
#[derive(Debug)]
pub(crate) struct AdamsMethod {
    tableau: &'static AdamsTableau,
    /// Slopes at the state and at previous steps, newest first.
    history: Vec<f64>,
    /// Slopes inside the step: the stages of a startup step, or the slope at the predicted state.
    k: Vec<f64>,
    stage: Vec<f64>,
    /// Number of available slopes at previous steps, not counting the slope at the state.
    n_history: usize,
    /// Size of the previous steps.
    spacing: f64,
    /// Length of the used part of the tape.
    tape_used: usize,
    variant: u8,
}

impl AdamsMethod {
    /// Creates the step method of a tableau, without storage.
    pub fn new(tableau: &'static AdamsTableau) -> Self {
        AdamsMethod {
            tableau,
            history: vec![],
            k: vec![],
            stage: vec![],
            n_history: 0,
            spacing: 0.0,
            tape_used: 0,
            variant: STARTUP,
        }
    }

    /// Prepares the method for a solve.
    pub fn reset<R: Rhs + ?Sized>(&mut self, tableau: &'static AdamsTableau, rhs: &R) {
        let dof = rhs.dof();
        self.tableau = tableau;
        self.history.resize(tableau.predictor.len() * dof, 0.0);
        self.k.resize(RK4.stages() * dof, 0.0);
        self.stage.resize(dof, 0.0);
        (self.n_history, self.spacing) = (0, 0.0);
        (self.tape_used, self.variant) = (0, STARTUP);
    }

    /// Chooses the variant of this step: multistep or startup.
    fn choose_variant<R: Rhs + ?Sized, const TAPE: bool>(
        &mut self,
        integrator: &IntegratorCore<R, TAPE>,
        index: usize,
        h: f64,
    ) {
        let planned = integrator
            .recorded_steps
            .and_then(|recorded| recorded.variants.get(index));
        let n_needed = self.tableau.predictor.len() - 1;
        let changed = (h - self.spacing).abs() > 1e-9 * h.abs();
        let restart_planned = self.n_history >= n_needed && planned == Some(&STARTUP);
        if changed || restart_planned || (planned.is_none() && integrator.stepper.at_tstop()) {
            self.n_history = 0;
        }
        self.variant = if self.n_history < n_needed {
            STARTUP
        } else {
            MULTISTEP
        };
    }
}

impl<R: Rhs + ?Sized, const TAPE: bool> StepMethod<R, TAPE> for AdamsMethod {
    fn tape_len(&self, integrator: &IntegratorCore<R, TAPE>, _steps: usize) -> usize {
        let next = RK4.stages().saturating_mul(integrator.rhs.slot_len());
        self.tape_used.saturating_add(next)
    }

    fn tape_len_per_step(&self, integrator: &IntegratorCore<R, TAPE>) -> usize {
        self.tableau.slots_per_step(MULTISTEP) * integrator.rhs.slot_len()
    }

    fn initialize(
        &mut self,
        _integrator: &mut IntegratorCore<R, TAPE>,
        _adaptive: bool,
    ) -> Result<f64, FailureReason> {
        Ok(0.0)
    }

    fn perform_step(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        let (tableau, dof, h) = (self.tableau, integrator.dof, step.h());
        let (len, tape_used) = (integrator.rhs.slot_len(), self.tape_used);
        self.choose_variant(integrator, index, h);
        let AdamsMethod {
            history, k, stage, ..
        } = self;
        stage.copy_from_slice(&integrator.work.state);
        integrator.evaluate(tape_used, step.t, stage, &mut history[..dof]);
        if self.variant == STARTUP {
            k[..dof].copy_from_slice(&history[..dof]);
            for i in 1..RK4.stages() {
                weighted_sum(&integrator.work.state, h, RK4.a[i], k, dof, stage);
                let k = &mut k[i * dof..(i + 1) * dof];
                integrator.evaluate(tape_used + i * len, step.time_at(RK4.c[i]), stage, k);
            }
            let work = &mut *integrator.work;
            weighted_sum(&work.state, h, RK4.b, k, dof, &mut work.next);
            return Ok(());
        }
        weighted_sum(
            &integrator.work.state,
            h,
            tableau.predictor,
            history,
            dof,
            stage,
        );
        if let Some(beta) = tableau.corrector {
            integrator.evaluate(tape_used + len, step.end, stage, &mut k[..dof]);
            let work = &mut *integrator.work;
            weighted_sum(&work.state, h, &beta[1..], history, dof, &mut work.next);
            add_weighted_sum(h, &beta[..1], k, dof, &mut work.next);
        } else {
            integrator.work.next.copy_from_slice(stage);
        }
        Ok(())
    }

    fn error_test(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) -> bool {
        // Steps are fixed, so every step is accepted.
        integrator.stepper.record_step(true, step.h().abs());
        true
    }

    fn interpolate(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) {
        let AdamsMethod { history, k, .. } = self;
        let (dof, h, work) = (integrator.dof, step.h(), &mut *integrator.work);
        let u = &mut work.u[to];
        if self.variant == STARTUP {
            weighted_sum(&work.state, h, &startup_weights(theta), k, dof, u);
            return;
        }
        let weights = self.tableau.dense_weights(theta);
        match self.tableau.corrector {
            Some(_) => {
                weighted_sum(&work.state, h, &weights[1..], history, dof, u);
                add_weighted_sum(h, &weights[..1], k, dof, u);
            }
            None => weighted_sum(&work.state, h, &weights, history, dof, u),
        }
    }

    fn on_accept(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) {
        let history = &mut self.history;
        let n_older = history.len() - integrator.dof;
        history.copy_within(..n_older, integrator.dof);
        integrator.work.recorded.variants.push(self.variant);
        if TAPE {
            self.tape_used += self.tableau.slots_per_step(self.variant) * integrator.rhs.slot_len();
        }
        self.n_history += 1;
        self.spacing = step.h();
    }

    fn save(&self, row: &mut Vec<f64>) {
        row.extend([self.n_history as f64, self.spacing]);
        row.extend(&self.history);
    }

    fn load(&mut self, _integrator: &mut IntegratorCore<R, TAPE>, row: &mut StateReader) {
        (self.n_history, self.spacing) = (row.read_usize(), row.read_f64());
        row.read_into(&mut self.history);
    }

    fn is_finite(&self) -> bool {
        all_finite(&self.history)
    }
}

#[cfg(test)]
mod tests {
    use super::super::solver::SolverFamily;
    use super::super::solvers::ALL;
    use super::*;

    #[test]
    fn formulas_integrate_the_polynomial_through_their_slopes() {
        let mut found = 0;
        for method in ALL {
            let SolverFamily::Adams(adams) = method.family else {
                continue;
            };
            found += 1;
            for (newest, beta) in [(0.0, Some(adams.predictor)), (1.0, adams.corrector)] {
                let Some(beta) = beta else { continue };
                let want = integrated_lagrange_weights(newest, beta.len(), 1.0);
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
