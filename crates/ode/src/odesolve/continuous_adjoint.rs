//! The continuous adjoint: `dλ/dt = −(∂f/∂u)ᵀ λ`, solved backwards in time together with the state `du/dt = f`, with
//! `dL/dθ = ∫ (∂f/∂θ)ᵀ λ dt` (Pontryagin et al., 1962; Chen, Rubanova, Bettencourt, Duvenaud, NeurIPS 2018).
//!
//! The solver of the forward solve integrates it over one interval of the output times after another; at an output time λ jumps
//! by ∂L/∂u there. With an explicit Runge-Kutta method state and adjoint are one right-hand side, and the state is reset to the
//! stored solution at every output time, as torchdiffeq does, so that its error does not grow over more than one interval. What a
//! stiff problem damps forwards grows without bound backwards; with any other method the interval is therefore solved forwards
//! once more, and λ alone is solved backwards along that solution. The integral takes no part in step control (Kidger, Chen,
//! Lyons, ICML 2021): it is a Gauss quadrature of the dense output over each accepted step.

mod adjoint_rhs;
mod algebraic;
mod augmented;
mod hermite_path;
mod quadrature;

use super::any_method::AnyMethod;
use super::checkpoints::ForwardInputs;
use super::consistency::Consistency;
use super::driver::Problem;
use super::integrator_core::IntegratorCore;
use super::mass_matrix::MassMatrix;
use super::options::SolveOptions;
use super::rhs::Rhs;
use super::solver::{Solver, SolverFamily};
use super::tolerance::AbsoluteTolerance;
use super::vector_ops::add;
use super::workspace::{ForwardRecord, Workspace};
use crate::field::native::{Evaluator, ParamGradient, ParamGradientTangents};
use adjoint_rhs::AdjointRhs;
use augmented::AugmentedRhs;
use hermite_path::HermitePath;
use odesync_base::failure::{FailureReason, SolveFailure};
use quadrature::Quadrature;

/// Returns the solver of the backward solve: that of the forward solve, and for `auto` the one it ended up with.
fn backward_solver(solver: &'static Solver, became_stiff: bool) -> &'static Solver {
    match solver.family {
        SolverFamily::Auto { stiff, .. } if became_stiff => stiff,
        SolverFamily::Auto { explicit, .. } => explicit,
        _ => solver,
    }
}

/// Returns the absolute tolerance of the backward solve. The adjoint has another unit than the state; where the state variables
/// have tolerances of their own, its variables get the smallest of them.
fn backward_tolerance(
    options: &SolveOptions,
    solver: &'static Solver,
    dof: usize,
) -> AbsoluteTolerance {
    match (options.adjoint_atol, &options.atol) {
        (Some(atol), _) => atol.into(),
        (None, AbsoluteTolerance::Uniform(atol)) => (*atol).into(),
        (None, each) if solver.tableau().is_none() => each.smallest().into(),
        (None, each) => {
            let of_state = (0..dof).map(|i| each.at(i));
            let of_adjoint = std::iter::repeat_n(each.smallest(), dof);
            AbsoluteTolerance::Each(of_state.chain(of_adjoint).collect())
        }
    }
}

/// Computes ∂L/∂u₀ by the continuous adjoint, where `solution` and `bars` are u and ∂L/∂u at the output times, `[time, dof]`;
/// the parameters' part is added to `gradient`. `became_stiff`: whether a solve by `auto` changed to its stiff solver.
pub(crate) fn backward(
    inputs: &ForwardInputs,
    solution: &[f64],
    bars: &[f64],
    became_stiff: bool,
    gradient: &mut ParamGradient,
) -> Result<Vec<f64>, SolveFailure> {
    let ForwardInputs {
        evaluator,
        breakpoints,
        problem: Problem { t, sample, .. },
        options,
        ..
    } = *inputs;
    let dof = evaluator.dof();
    let forward = SolveOptions {
        solver: backward_solver(options.solver, became_stiff),
        events: vec![],
        ..options.clone()
    };
    let mut sweep = BackwardSweep {
        evaluator,
        breakpoints,
        sample,
        options: SolveOptions {
            rtol: options.adjoint_rtol.unwrap_or(options.rtol),
            atol: backward_tolerance(options, forward.solver, dof),
            first_step: None,
            mass_matrix: options.mass_matrix.as_ref().map(MassMatrix::transposed),
            ..forward.clone()
        },
        work: Workspace {
            record: ForwardRecord::Nothing,
            ..Workspace::default()
        },
        quadrature: Quadrature::new(evaluator, forward.solver.order),
    };
    let augmented = AugmentedRhs::new(evaluator);
    // With a mass matrix M it is Mᵀ λ between the intervals.
    let mut lambda = vec![0.0; dof];
    for end in (0..t.len()).rev() {
        add(&bars[end * dof..(end + 1) * dof], &mut lambda);
        let Some(start) = end.checked_sub(1) else {
            break;
        };
        // The step sequencers count each interval's steps alone, so they may never look.
        if options.is_interrupted() {
            return Err(SolveFailure {
                reason: FailureReason::Interrupted,
                t: t[end],
                step: 0.0,
                state: solution[end * dof..(end + 1) * dof].to_vec(),
                sample,
                method: options.running_method(),
            });
        }
        let interval = [t[start], t[end]];
        let u_start = &solution[start * dof..end * dof];
        let u_end = &solution[end * dof..(end + 1) * dof];
        let at_end = sweep.enter_interval(t[end], u_end, &mut lambda, gradient);
        let solved = at_end.and_then(|()| match forward.solver.tableau() {
            Some(_) => sweep.with_state(&augmented, interval, u_end, &mut lambda, gradient),
            None => sweep.along_path(&forward, interval, u_start, &mut lambda, gradient),
        });
        if let Some(mass) = &options.mass_matrix {
            let at_start = std::mem::replace(&mut lambda, vec![0.0; dof]);
            mass.add_transposed_product(1.0, &at_start, &mut lambda);
        }
        solved.map_err(|failure| SolveFailure {
            reason: match failure.reason {
                FailureReason::Interrupted => FailureReason::Interrupted,
                _ => FailureReason::AdjointFailed,
            },
            state: u_end.to_vec(),
            ..failure
        })?;
    }
    Ok(lambda)
}

/// The backward solve over the intervals of the output times.
struct BackwardSweep<'a> {
    evaluator: &'a Evaluator,
    breakpoints: &'a [f64],
    sample: usize,
    /// Options of the backward solve; `first_step` is the size that the interval before ended with.
    options: SolveOptions,
    work: Workspace,
    quadrature: Quadrature<'a>,
}

impl BackwardSweep<'_> {
    /// Turns the adjoint of the state at the end of an interval into λ, where there is a mass matrix.
    fn enter_interval(
        &self,
        t: f64,
        u_end: &[f64],
        lambda: &mut [f64],
        gradient: &mut ParamGradient,
    ) -> Result<(), SolveFailure> {
        let Some(transposed) = &self.options.mass_matrix else {
            return Ok(());
        };
        let system = (self.evaluator, transposed);
        let entered = algebraic::enter_interval(system, (self.sample, t), u_end, lambda, gradient);
        entered.map_err(|reason| SolveFailure {
            reason,
            t,
            step: 0.0,
            state: u_end.to_vec(),
            sample: self.sample,
            method: self.options.running_method(),
        })
    }

    /// Solves for state and adjoint together from `end` to `start`; λ becomes the adjoint at the start.
    fn with_state(
        &mut self,
        rhs: &AugmentedRhs,
        [start, end]: [f64; 2],
        u_end: &[f64],
        lambda: &mut [f64],
        gradient: &mut ParamGradient,
    ) -> Result<(), SolveFailure> {
        let (x, dof) = ([u_end, lambda].concat(), lambda.len());
        self.integrate(rhs, [end, start], &x, |quadrature, place, weight, x| {
            let (u, lambda) = x.split_at(dof);
            quadrature.add(place, weight, u, lambda, gradient);
        })?;
        lambda.copy_from_slice(&self.work.state[dof..]);
        Ok(())
    }

    /// Solves the interval forwards, then for the adjoint along this solution backwards; λ becomes the adjoint at the start.
    fn along_path(
        &mut self,
        forward: &SolveOptions,
        [start, end]: [f64; 2],
        u_start: &[f64],
        lambda: &mut [f64],
        gradient: &mut ParamGradient,
    ) -> Result<(), SolveFailure> {
        let path = self.path(forward, [start, end], u_start)?;
        let rhs = AdjointRhs::new(self.evaluator, &path);
        let (at_end, mut u) = (lambda.to_vec(), vec![0.0; lambda.len()]);
        self.integrate(
            &rhs,
            [end, start],
            &at_end,
            |quadrature, place, weight, lambda| {
                path.state(place.1, &mut u);
                quadrature.add(place, weight, &u, lambda, gradient);
            },
        )?;
        lambda.copy_from_slice(&self.work.state);
        Ok(())
    }

    /// Solves the interval forwards.
    fn path(
        &mut self,
        options: &SolveOptions,
        interval: [f64; 2],
        u_start: &[f64],
    ) -> Result<HermitePath, SolveFailure> {
        let BackwardSweep {
            evaluator, sample, ..
        } = *self;
        let (mut slot, mut f) = (vec![0.0; evaluator.slot_len()], vec![0.0; evaluator.dof()]);
        let mut path = HermitePath::new(evaluator.dof());
        let mass = options.mass_matrix.as_ref();
        let mut consistency = mass.map(|mass| Consistency::new(evaluator, mass));
        let mut push = |t: f64, u: &[f64]| {
            match &mut consistency {
                None => evaluator.eval(sample, t, u, &mut slot, &mut f),
                Some(consistency) => {
                    if consistency
                        .slope(evaluator, (sample, t), u, &mut f)
                        .is_err()
                    {
                        f.fill(f64::NAN);
                    }
                }
            }
            path.push(t, u, &f);
        };
        push(interval[0], u_start);
        let problem = Problem {
            u0: u_start,
            t: &interval,
            sample,
        };
        let rhs: &dyn Rhs = evaluator;
        let work = &mut self.work;
        let mut core =
            IntegratorCore::<dyn Rhs, false>::new(rhs, self.breakpoints, problem, options, work);
        core.stepper.stop_at_end();
        let mut method = AnyMethod::new(options.solver, options, rhs, None);
        core.initialize(&mut method)?;
        while let Some(step) = core.step(&mut method, false)? {
            push(step.end, &core.work.state);
        }
        Ok(path)
    }

    /// Integrates over one interval of time, calling `add` with the place, the weight and the state at each node of the
    /// quadrature. The state at the end is then `work.state`.
    fn integrate(
        &mut self,
        rhs: &dyn Rhs,
        times: [f64; 2],
        x: &[f64],
        mut add: impl FnMut(&mut Quadrature, (usize, f64), f64, &[f64]),
    ) -> Result<(), SolveFailure> {
        let problem = Problem {
            u0: x,
            t: &times,
            sample: self.sample,
        };
        let rule = self.quadrature.rule;
        let (options, work) = (&self.options, &mut self.work);
        let mut core =
            IntegratorCore::<dyn Rhs, false>::new(rhs, self.breakpoints, problem, options, work);
        core.stepper.stop_at_end();
        core.set_step_nodes(rule.nodes);
        let mut method = AnyMethod::new(options.solver, options, rhs, None);
        core.initialize(&mut method)?;
        while let Some(step) = core.step(&mut method, false)? {
            for (j, (theta, weight)) in rule.nodes.iter().zip(rule.weights).enumerate() {
                let place = (self.sample, step.t + theta * step.h());
                // Time runs backwards, so h has the opposite sign of the integral's.
                add(
                    &mut self.quadrature,
                    place,
                    -step.h() * weight,
                    core.step_node(j),
                );
            }
        }
        let next_step = core.stepper.proposed();
        if !self.options.is_fixed_step() {
            self.options.first_step = Some(next_step);
        }
        let attempts = self.work.stats.steps + self.work.stats.rejected;
        self.options.max_steps = self.options.max_steps.saturating_sub(attempts);
        Ok(())
    }
}

/// Storage of a right-hand side for `dλ/dt = −(∂f/∂u)ᵀ λ`.
struct AdjointSlope {
    /// State and slope of the field, where the right-hand side is that of λ alone.
    u: Vec<f64>,
    f: Vec<f64>,
    u_bar: Vec<f64>,
    /// Parameter gradients of single evaluations and their tangents, which no one needs.
    unused_gradient: ParamGradient,
    unused_tangents: Option<ParamGradientTangents>,
}

impl AdjointSlope {
    fn new(evaluator: &Evaluator) -> Self {
        AdjointSlope {
            u: vec![0.0; evaluator.dof()],
            f: vec![0.0; evaluator.dof()],
            u_bar: vec![0.0; evaluator.dof()],
            unused_gradient: evaluator.zero_gradient(),
            unused_tangents: None,
        }
    }

    /// Computes −(∂f/∂u)ᵀ λ over a taped slot.
    fn compute(
        &mut self,
        evaluator: &Evaluator,
        place: (usize, f64),
        slot: &[f64],
        lambda: &[f64],
        lambda_dot: &mut [f64],
    ) {
        self.u_bar.fill(0.0);
        let unused = &mut self.unused_gradient;
        evaluator.vjp(place, slot, lambda, &mut self.u_bar, None, unused);
        for (lambda_dot, u_bar) in lambda_dot.iter_mut().zip(&self.u_bar) {
            *lambda_dot = -u_bar;
        }
    }
}
