//! The continuous adjoint: `dλ/dt = −(∂f/∂u)ᵀ λ`, solved backwards in time together with the state `du/dt = f`, with
//! `dL/dθ = ∫ (∂f/∂θ)ᵀ λ dt` (Pontryagin et al., 1962; Chen, Rubanova, Bettencourt, Duvenaud, NeurIPS 2018).
//!
//! At an output time λ jumps by ∂L/∂u there, and the state is reset to the stored solution, as torchdiffeq does, so that its
//! error does not grow over more than one interval of the output times. Steps end at every output time and every breakpoint.
//! The integral is excluded from step control (Kidger, Chen, Lyons, ICML 2021).

use super::checkpoints::ForwardInputs;
use super::control::{FirstStep, error_norm, joint_norm};
use super::driver::Problem;
use super::options::SolveOptions;
use super::plan::Step;
use super::solver::{Solver, SolverFamily};
use super::solvers;
use super::step_sequencer::StepSequencer;
use super::tableau::Tableau;
use super::vector_ops::{add, add_weighted_sum, all_finite, weighted_sum};
use crate::field::native::{Evaluator, ParamGradient};
use odesync_base::failure::{FailureReason, SolveFailure};

/// Returns the method of the backward solve, and its tableau.
fn backward_solver(forward: &'static Solver) -> Option<(&'static Solver, &'static Tableau)> {
    let method = match forward.family {
        SolverFamily::ExplicitRungeKutta(_) => forward,
        _ => solvers::DEFAULT,
    };
    Some((method, method.tableau()?))
}

/// Returns the options of the backward solve.
fn backward_options(options: &SolveOptions, method: &'static Solver) -> SolveOptions {
    let same_solver = options.solver.tableau().is_some();
    SolveOptions {
        solver: method,
        rtol: options.adjoint_rtol.unwrap_or(options.rtol),
        atol: options.adjoint_atol.unwrap_or(options.atol),
        step_size: options.step_size.filter(|_| same_solver),
        substeps: options.substeps.filter(|_| same_solver),
        first_step: None,
        // The output times are passed as breakpoints and are always tstops, whether the field's breakpoints are or not.
        breakpoints: true,
        ..options.clone()
    }
}

/// Augmented dynamics of the state and the adjoint, with the storage for evaluating their slopes.
struct AugmentedDynamics<'a> {
    evaluator: &'a Evaluator,
    sample: usize,
    dof: usize,
    slot: Vec<f64>,
    bar: Vec<f64>,
    u_bar: Vec<f64>,
    /// Discarded parameter gradient of slopes that do not contribute to the integral.
    unused_gradient: ParamGradient,
}

impl AugmentedDynamics<'_> {
    /// Computes the slope of `x` = (u, λ) at t into `k`. With a weight that is not 0, `weight (∂f/∂θ)ᵀ λ` is added to the
    /// gradient.
    fn slope(&mut self, t: f64, x: &[f64], k: &mut [f64], weight: f64, to: &mut ParamGradient) {
        let (u, lambda) = x.split_at(self.dof);
        let (f, lambda_dot) = k.split_at_mut(self.dof);
        self.evaluator
            .eval_taped(self.sample, t, u, &mut self.slot, f);
        let (scale, to) = match weight {
            0.0 => (1.0, &mut self.unused_gradient),
            weight => (weight, to),
        };
        for (bar, lambda) in self.bar.iter_mut().zip(lambda) {
            *bar = scale * lambda;
        }
        self.u_bar.fill(0.0);
        let place = (self.sample, t);
        let (slot, bar) = (&self.slot, &self.bar);
        self.evaluator
            .vjp(place, slot, bar, &mut self.u_bar, None, to);
        for (k, u_bar) in lambda_dot.iter_mut().zip(&self.u_bar) {
            *k = -u_bar / scale;
        }
    }
}

/// Computes ∂L/∂u₀ by the continuous adjoint, where `solution` and `bars` are u and ∂L/∂u at the output times, `[time, dof]`;
/// the parameters' part is added to `gradient`.
pub(crate) fn backward(
    inputs: &ForwardInputs,
    solution: &[f64],
    bars: &[f64],
    gradient: &mut ParamGradient,
) -> Result<Vec<f64>, SolveFailure> {
    let ForwardInputs {
        evaluator,
        breakpoints,
        problem,
        options,
    } = *inputs;
    let dof = evaluator.dof();
    let Some((method, tableau)) = backward_solver(options.solver) else {
        return Ok(vec![0.0; dof]);
    };
    let breakpoints = if options.breakpoints {
        breakpoints
    } else {
        &[]
    };
    let options = backward_options(options, method);
    let times: Vec<f64> = problem.t.iter().rev().copied().collect();
    let tstops = backward_tstops(&times, breakpoints);
    let mut solve = BackwardSolve {
        stepper: StepSequencer::new(&times, &options, &tstops, vec![]),
        tableau,
        options: &options,
        augmented: AugmentedDynamics {
            evaluator,
            sample: problem.sample,
            dof,
            slot: vec![0.0; evaluator.slot_len()],
            bar: vec![0.0; dof],
            u_bar: vec![0.0; dof],
            unused_gradient: evaluator.zero_gradient(),
        },
        x: vec![0.0; 2 * dof],
        next: vec![0.0; 2 * dof],
        stage: vec![0.0; 2 * dof],
        error: vec![0.0; 2 * dof],
        second_error: vec![0.0; 2 * dof],
        k: vec![0.0; tableau.stages() * 2 * dof],
        step_gradient: evaluator.zero_gradient(),
    };
    solve.apply_jump(problem, solution, bars, times.len() - 1);
    let found = solve.integrate(problem, solution, bars, gradient);
    found.map_err(|reason| SolveFailure {
        reason: match reason {
            FailureReason::Interrupted => reason,
            _ => FailureReason::AdjointFailed,
        },
        t: solve.stepper.t,
        step: solve.stepper.attempted_h,
        state: solve.x[..dof].to_vec(),
        sample: problem.sample,
    })?;
    Ok(solve.x[dof..].to_vec())
}

/// Returns the times at which backward steps must end, increasing: the breakpoints and the output times.
fn backward_tstops(times: &[f64], breakpoints: &[f64]) -> Vec<f64> {
    let mut tstops: Vec<f64> = times.iter().chain(breakpoints).copied().collect();
    tstops.sort_by(f64::total_cmp);
    tstops.dedup();
    tstops
}

/// State of the backward solve.
struct BackwardSolve<'a> {
    stepper: StepSequencer<'a>,
    tableau: &'static Tableau,
    options: &'a SolveOptions,
    augmented: AugmentedDynamics<'a>,
    /// State and adjoint (u, λ), `[2 dof]`; `next` is their value after the attempted step.
    x: Vec<f64>,
    next: Vec<f64>,
    stage: Vec<f64>,
    error: Vec<f64>,
    second_error: Vec<f64>,
    k: Vec<f64>,
    /// Integral of the parameters' gradient over the attempted step.
    step_gradient: ParamGradient,
}

impl BackwardSolve<'_> {
    /// Applies the jump at the `n`th output time: adds ∂L/∂u to the adjoint and resets the state to the solution.
    fn apply_jump(&mut self, problem: Problem, solution: &[f64], bars: &[f64], n: usize) {
        let dof = problem.u0.len();
        let (u, lambda) = self.x.split_at_mut(dof);
        u.copy_from_slice(&solution[n * dof..(n + 1) * dof]);
        add(&bars[n * dof..(n + 1) * dof], lambda);
    }

    fn integrate(
        &mut self,
        problem: Problem,
        solution: &[f64],
        bars: &[f64],
        gradient: &mut ParamGradient,
    ) -> Result<(), FailureReason> {
        let mut output_index = problem.t.len() - 1;
        if output_index == 0 {
            return Ok(());
        }
        let adaptive = !self.options.is_fixed_step();
        if adaptive {
            let first = self.initial_step_size();
            self.stepper.set_initial_step(first);
        }
        loop {
            let (next, k) = (&self.next, &self.k);
            let step = self.stepper.next(|| all_finite(next) && all_finite(k))?;
            let Some(step) = step else {
                return Ok(());
            };
            self.perform_step(step);
            if !adaptive {
                if !all_finite(&self.next) {
                    return Err(FailureReason::NotFinite);
                }
            } else {
                let norm = self.step_error_norm(step.h());
                let k = &self.k;
                if !self.stepper.adapt_step_size(step, norm, || all_finite(k)) {
                    continue;
                }
            }
            gradient.add(&self.step_gradient);
            std::mem::swap(&mut self.x, &mut self.next);
            while self.stepper.next_output(0, step).is_some() {
                output_index = output_index.saturating_sub(1);
                self.apply_jump(problem, solution, bars, output_index);
            }
            self.stepper.advance(step);
        }
    }

    fn perform_step(&mut self, step: Step) {
        let (tableau, h, n) = (self.tableau, step.h(), self.x.len());
        self.step_gradient.clear();
        for i in 0..tableau.stages() {
            weighted_sum(&self.x, h, tableau.a[i], &self.k, n, &mut self.stage);
            // Time runs backwards, so h has the opposite sign of the integral's.
            let weight = -h * tableau.b[i];
            let k = &mut self.k[i * n..(i + 1) * n];
            let t = step.time_at(tableau.c[i]);
            self.augmented
                .slope(t, &self.stage, k, weight, &mut self.step_gradient);
        }
        weighted_sum(&self.x, h, tableau.b, &self.k, n, &mut self.next);
    }

    /// Returns the error norm of the attempted step: the maximum of those of the state and of the adjoint.
    fn step_error_norm(&mut self, h: f64) -> f64 {
        let n = self.x.len();
        for (weights, error) in [
            (self.tableau.error, &mut self.error),
            (self.tableau.second_error, &mut self.second_error),
        ] {
            error.fill(0.0);
            add_weighted_sum(h, weights.unwrap_or(&[]), &self.k, n, error);
        }
        let SolveOptions { rtol, atol, .. } = *self.options;
        let norm_of = |range: std::ops::Range<usize>| {
            let (x, next) = (&self.x[range.clone()], &self.next[range.clone()]);
            let norm = error_norm(&self.error[range.clone()], x, next, rtol, atol);
            match self.tableau.second_error {
                Some(_) => joint_norm(
                    norm,
                    error_norm(&self.second_error[range], x, next, rtol, atol),
                ),
                None => norm,
            }
        };
        let (state, adjoint) = (norm_of(0..n / 2), norm_of(n / 2..n));
        // The maximum of both, where a NaN is returned rather than dropped.
        if state > adjoint || state.is_nan() {
            state
        } else {
            adjoint
        }
    }

    fn initial_step_size(&mut self) -> f64 {
        let SolveOptions { rtol, atol, .. } = *self.options;
        let n = self.x.len();
        let (slope, after) = (&mut self.k[..n], &mut self.error);
        let t = self.stepper.t;
        self.augmented
            .slope(t, &self.x, slope, 0.0, &mut self.step_gradient);
        let first = FirstStep::new(&self.x, slope, rtol, atol);
        let trial = self.stepper.sign() * first.trial;
        weighted_sum(&self.x, trial, &[1.0], slope, n, &mut self.stage);
        self.augmented
            .slope(t + trial, &self.stage, after, 0.0, &mut self.step_gradient);
        for (after, slope) in after.iter_mut().zip(slope.iter()) {
            *after -= slope;
        }
        first.size(after, self.options.solver.order)
    }
}
