//! The continuous adjoint: `dλ/dt = −(∂f/∂u)ᵀ λ`, solved backwards in time beside the state `du/dt = f`, with
//! `dL/dθ = ∫ (∂f/∂θ)ᵀ λ dt` (Pontryagin et al., 1962; Chen, Rubanova, Bettencourt, Duvenaud, NeurIPS 2018).
//!
//! At a requested time λ jumps by ∂L/∂u there, and the state is set to the solution's, as torchdiffeq does, so that it strays no
//! further than from one to the next. The steps meet every requested time and every breakpoint. The integral takes no
//! part in step control (Kidger, Chen, Lyons, ICML 2021).

use super::checkpoints::Again;
use super::control::{FirstStep, error_norm, joint_norm};
use super::driver::Problem;
use super::method::{Family, Method};
use super::methods;
use super::options::SolveOptions;
use super::plan::Step;
use super::stepper::Stepper;
use super::sums::{accumulate, add, combine, finite};
use super::tableau::Tableau;
use crate::field::native::{Evaluator, Gradient};
use odesync_base::failure::{FailureReason, SolveFailure};

/// The method of the solve backwards, and its tableau.
fn method(forward: &'static Method) -> Option<(&'static Method, &'static Tableau)> {
    let method = match forward.family {
        Family::ExplicitRungeKutta(_) => forward,
        _ => methods::DEFAULT,
    };
    Some((method, method.tableau()?))
}

/// The options of the solve backwards.
fn own(options: &SolveOptions, method: &'static Method) -> SolveOptions {
    let same = options.method.tableau().is_some();
    SolveOptions {
        method,
        rtol: options.adjoint_rtol.unwrap_or(options.rtol),
        atol: options.adjoint_atol.unwrap_or(options.atol),
        step_size: options.step_size.filter(|_| same),
        substeps: options.substeps.filter(|_| same),
        first_step: None,
        // The requested times are stops, whether breakpoints are or not.
        breakpoints: true,
        ..options.clone()
    }
}

/// State and adjoint, one after the other, and what their slopes are made with.
struct Augmented<'a> {
    evaluator: &'a Evaluator,
    sample: usize,
    dof: usize,
    slot: Vec<f64>,
    bar: Vec<f64>,
    u_bar: Vec<f64>,
    /// For slopes without a part in the integral.
    unused: Gradient,
}

impl Augmented<'_> {
    /// The slope of `x` = (u, λ) at t into `k`. With a weight that is not 0, `weight (∂f/∂θ)ᵀ λ` is added to the gradient.
    fn slope(&mut self, t: f64, x: &[f64], k: &mut [f64], weight: f64, to: &mut Gradient) {
        let (u, lambda) = x.split_at(self.dof);
        let (f, lambda_dot) = k.split_at_mut(self.dof);
        self.evaluator.taped(self.sample, t, u, &mut self.slot, f);
        let (scale, to) = match weight {
            0.0 => (1.0, &mut self.unused),
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

/// ∂L/∂u₀, where `solution` and `bars` are u and ∂L/∂u at the requested times, `[time, dof]`; the parameters' part is added
/// to `gradient`.
pub(crate) fn backward(
    again: &Again,
    solution: &[f64],
    bars: &[f64],
    gradient: &mut Gradient,
) -> Result<Vec<f64>, SolveFailure> {
    let Again {
        evaluator,
        breakpoints,
        problem,
        options,
    } = *again;
    let dof = evaluator.dof();
    let Some((method, tableau)) = method(options.method) else {
        return Ok(vec![0.0; dof]);
    };
    let breakpoints = if options.breakpoints {
        breakpoints
    } else {
        &[]
    };
    let options = own(options, method);
    let times: Vec<f64> = problem.t.iter().rev().copied().collect();
    let stops = stops(&times, breakpoints);
    let mut solve = Solve {
        stepper: Stepper::new(&times, &options, &stops, vec![]),
        tableau,
        options: &options,
        augmented: Augmented {
            evaluator,
            sample: problem.sample,
            dof,
            slot: vec![0.0; evaluator.slot_len()],
            bar: vec![0.0; dof],
            u_bar: vec![0.0; dof],
            unused: evaluator.gradient(),
        },
        x: vec![0.0; 2 * dof],
        next: vec![0.0; 2 * dof],
        stage: vec![0.0; 2 * dof],
        error: vec![0.0; 2 * dof],
        second: vec![0.0; 2 * dof],
        k: vec![0.0; tableau.stages() * 2 * dof],
        attempt: evaluator.gradient(),
    };
    solve.meet(problem, solution, bars, times.len() - 1);
    let found = solve.run(problem, solution, bars, gradient);
    found.map_err(|reason| SolveFailure {
        reason: match reason {
            FailureReason::Interrupted => reason,
            _ => FailureReason::Backwards,
        },
        t: solve.stepper.t,
        step: solve.stepper.tried,
        state: solve.x[..dof].to_vec(),
        sample: problem.sample,
    })?;
    Ok(solve.x[dof..].to_vec())
}

/// Where steps end in any case, increasing: the breakpoints and the requested times.
fn stops(times: &[f64], breakpoints: &[f64]) -> Vec<f64> {
    let mut stops: Vec<f64> = times.iter().chain(breakpoints).copied().collect();
    stops.sort_by(f64::total_cmp);
    stops.dedup();
    stops
}

/// The solve backwards under way.
struct Solve<'a> {
    stepper: Stepper<'a>,
    tableau: &'static Tableau,
    options: &'a SolveOptions,
    augmented: Augmented<'a>,
    /// (u, λ), `[2 dof]`, and after the attempted step.
    x: Vec<f64>,
    next: Vec<f64>,
    stage: Vec<f64>,
    error: Vec<f64>,
    second: Vec<f64>,
    k: Vec<f64>,
    /// The integral over the attempted step.
    attempt: Gradient,
}

impl Solve<'_> {
    /// At the `n`th requested time.
    fn meet(&mut self, problem: Problem, solution: &[f64], bars: &[f64], n: usize) {
        let dof = problem.u0.len();
        let (u, lambda) = self.x.split_at_mut(dof);
        u.copy_from_slice(&solution[n * dof..(n + 1) * dof]);
        add(&bars[n * dof..(n + 1) * dof], lambda);
    }

    fn run(
        &mut self,
        problem: Problem,
        solution: &[f64],
        bars: &[f64],
        gradient: &mut Gradient,
    ) -> Result<(), FailureReason> {
        let mut wanted = problem.t.len() - 1;
        if wanted == 0 {
            return Ok(());
        }
        let adaptive = !self.options.fixed();
        if adaptive {
            let first = self.first_step();
            self.stepper.begin(first);
        }
        loop {
            let (next, k) = (&self.next, &self.k);
            let step = self.stepper.next(|| finite(next) && finite(k))?;
            let Some(step) = step else {
                return Ok(());
            };
            self.attempt(step);
            if !adaptive {
                if !finite(&self.next) {
                    return Err(FailureReason::NotFinite);
                }
            } else {
                let norm = self.norm(step.h());
                let k = &self.k;
                if !self.stepper.judge(step, norm, || finite(k)) {
                    continue;
                }
            }
            gradient.add(&self.attempt);
            std::mem::swap(&mut self.x, &mut self.next);
            while self.stepper.next_output(0, step).is_some() {
                wanted = wanted.saturating_sub(1);
                self.meet(problem, solution, bars, wanted);
            }
            self.stepper.advance(step);
        }
    }

    fn attempt(&mut self, step: Step) {
        let (tableau, h, n) = (self.tableau, step.h(), self.x.len());
        self.attempt.clear();
        for i in 0..tableau.stages() {
            combine(&self.x, h, tableau.a[i], &self.k, n, &mut self.stage);
            // Time runs backwards: h is of the other sign than in the integral.
            let weight = -h * tableau.b[i];
            let k = &mut self.k[i * n..(i + 1) * n];
            let t = step.node(tableau.c[i]);
            self.augmented
                .slope(t, &self.stage, k, weight, &mut self.attempt);
        }
        combine(&self.x, h, tableau.b, &self.k, n, &mut self.next);
    }

    /// The error norm of the attempted step: the larger one of state and adjoint.
    fn norm(&mut self, h: f64) -> f64 {
        let n = self.x.len();
        for (weights, error) in [
            (self.tableau.error, &mut self.error),
            (self.tableau.second_error, &mut self.second),
        ] {
            error.fill(0.0);
            accumulate(h, weights.unwrap_or(&[]), &self.k, n, error);
        }
        let SolveOptions { rtol, atol, .. } = *self.options;
        let part = |part: std::ops::Range<usize>| {
            let (x, next) = (&self.x[part.clone()], &self.next[part.clone()]);
            let norm = error_norm(&self.error[part.clone()], x, next, rtol, atol);
            match self.tableau.second_error {
                Some(_) => joint_norm(norm, error_norm(&self.second[part], x, next, rtol, atol)),
                None => norm,
            }
        };
        let (state, adjoint) = (part(0..n / 2), part(n / 2..n));
        // The larger one, but a NaN shows.
        if state > adjoint || state.is_nan() {
            state
        } else {
            adjoint
        }
    }

    fn first_step(&mut self) -> f64 {
        let SolveOptions { rtol, atol, .. } = *self.options;
        let n = self.x.len();
        let (slope, after) = (&mut self.k[..n], &mut self.error);
        let t = self.stepper.t;
        self.augmented
            .slope(t, &self.x, slope, 0.0, &mut self.attempt);
        let first = FirstStep::new(&self.x, slope, rtol, atol);
        let trial = self.stepper.sign() * first.trial;
        combine(&self.x, trial, &[1.0], slope, n, &mut self.stage);
        self.augmented
            .slope(t + trial, &self.stage, after, 0.0, &mut self.attempt);
        for (after, slope) in after.iter_mut().zip(slope.iter()) {
            *after -= slope;
        }
        first.size(after, self.options.method.order)
    }
}
