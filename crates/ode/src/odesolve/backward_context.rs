//! Data that the native engine keeps of a batch for its gradient, and the gradient of one problem.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::checkpoints::{self, ForwardInputs};
use super::consistency::Consistency;
use super::discrete_adjoint;
use super::driver::Problem;
use super::engine::SolveGradient;
use super::gradient_accumulator::GradientAccumulator;
use super::gradients::Adjoint;
use super::options::SolveOptions;
use super::pieces_backward::{self, BackwardPieces};
use super::smooth_piece::is_in_pieces;
use super::solver::{Solver, SolverFamily};
use super::switch_gradient::add_switch_terms;
use super::tableau::Tableau;
use super::vector_ops::all_finite;
use super::workspace::{ForwardRecord, Workspace};
use super::{auto, continuous_adjoint, symplectic_adjoint};
use crate::field::native::Evaluator;
use crate::field::{ParamBlock, VectorField};
use crate::{Error, Result};
use odesync_base::failure::{FailureReason, SolveFailure};
use odesync_base::interrupt;

/// Context of the gradient of a solved batch; the workspaces of the problems are stored in the engine.
#[derive(Debug)]
pub(crate) struct BackwardContext {
    pub evaluator: Evaluator,
    /// Ranges of the trainable parameters among the values of all blocks.
    pub trainable: Vec<Range<usize>>,
    options: SolveOptions,
    problems: Vec<SavedProblem>,
    /// The field, where the solves are in pieces.
    in_pieces: Option<VectorField>,
    /// The field, with every parameter frozen, where a trainable one moves a time at which it jumps.
    switching: Option<VectorField>,
}

/// Inputs of one problem of the batch.
#[derive(Debug)]
struct SavedProblem {
    sample: usize,
    /// Initial state. Where the solve is recomputed, `t` are the output times and `breakpoints` those of the field; otherwise
    /// `breakpoints` is empty, and `t` where no parameter moves a switch.
    u0: Vec<f64>,
    t: Vec<f64>,
    t_start: f64,
    breakpoints: Vec<f64>,
}

/// Workspaces in which steps are recomputed: as many as are in use at a time, reused by the next gradient.
pub(crate) type WorkspacePool = Mutex<Vec<Workspace>>;

impl BackwardContext {
    pub fn new(
        evaluator: Evaluator,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
    ) -> Result<Self> {
        let recomputes = options.adjoint != Adjoint::Backprop;
        let is_switching = !field.switch_parameters().is_empty();
        if is_switching && options.mass_matrix.is_some() {
            return Err(Error::invalid(
                "a trainable parameter moves a time at which the equations switch, and with a mass_matrix there is no derivative by such \
                 times: freeze it, or leave mass_matrix out",
            ));
        }
        let saved = |problem: &Problem| SavedProblem {
            sample: problem.sample,
            u0: problem.u0.to_vec(),
            t_start: problem.t[0],
            t: if recomputes || is_switching {
                problem.t.to_vec()
            } else {
                vec![]
            },
            breakpoints: match recomputes {
                true => field.breakpoints_within(problem.sample, problem.t),
                false => vec![],
            },
        };
        let blocks = field.blocks().iter().filter(|block| block.trainable);
        let trainable: Vec<&str> = blocks.map(|block| block.name.as_str()).collect();
        Ok(BackwardContext {
            switching: match is_switching {
                true => Some(field.frozen(&trainable)?),
                false => None,
            },
            in_pieces: is_in_pieces(field, options).then(|| field.clone()),
            problems: problems.iter().map(saved).collect(),
            options: options.clone(),
            trainable: (field.blocks().iter().filter(|b| b.trainable))
                .map(ParamBlock::range)
                .collect(),
            evaluator,
        })
    }

    /// Adds the derivatives by the times at which the field jumps to `values`, over all parameter values; `bars` is ∂L/∂u of
    /// problem `i`.
    pub fn add_switch_terms(&self, i: usize, bars: &[f64], values: &mut [f64]) -> Result<()> {
        let Some(field) = &self.switching else {
            return Ok(());
        };
        let saved = &self.problems[i];
        let problem = Problem {
            u0: &saved.u0,
            t: &saved.t,
            sample: saved.sample,
        };
        add_switch_terms(field, &problem, &self.options, bars, values)
    }

    /// Whether the solves are in pieces, with jumps or switches between them.
    pub fn is_in_pieces(&self) -> bool {
        self.in_pieces.is_some()
    }

    /// Whether a trainable parameter moves a time at which the field jumps.
    pub fn is_switching(&self) -> bool {
        self.switching.is_some()
    }

    /// Returns the failure of problem `i`, whose gradient is not finite.
    pub fn gradient_failure(&self, i: usize) -> SolveFailure {
        let saved = &self.problems[i];
        SolveFailure {
            reason: FailureReason::GradientNotFinite,
            t: saved.t_start,
            step: 0.0,
            state: saved.u0.clone(),
            sample: saved.sample,
            method: self.options.running_method(),
        }
    }

    /// Returns a gradient, after a check that all of it is finite.
    ///
    /// # Errors
    /// The failure of the first problem whose gradient is not.
    pub fn checked_gradient(&self, values: Vec<f64>, u0: Vec<Vec<f64>>) -> Result<SolveGradient> {
        let nonfinite = u0.iter().position(|u0| !all_finite(u0));
        match nonfinite.or((!all_finite(&values)).then_some(0)) {
            Some(i) => Err(self.gradient_failure(i).into()),
            None => Ok(SolveGradient { values, u0 }),
        }
    }

    /// Returns the tableau of the method, where it is an explicit Runge-Kutta method and the solves were taped.
    pub fn taped_tableau(&self) -> Option<&'static Tableau> {
        let is_taped = self.options.adjoint == Adjoint::Backprop;
        self.options.solver.tableau().filter(|_| is_taped)
    }

    /// Returns the sample of problem `i`.
    pub fn sample(&self, i: usize) -> usize {
        self.problems[i].sample
    }

    /// Returns the number of trainable parameters.
    pub fn n_params(&self) -> usize {
        self.trainable.iter().map(ExactSizeIterator::len).sum()
    }

    /// Returns the number of problems.
    pub fn n_problems(&self) -> usize {
        self.problems.len()
    }

    /// Computes the gradient of ⟨bars, u⟩ of problem `i`: adds the parameters' part to `accumulator`, and returns ∂/∂u₀.
    ///
    /// # Errors
    /// Steps that would take too much memory, or a continuous adjoint that cannot be solved.
    pub fn backward(
        &self,
        i: usize,
        work: &Workspace,
        bars: &[f64],
        pool: &WorkspacePool,
        accumulator: &mut GradientAccumulator,
    ) -> Result<Vec<f64>> {
        let evaluator = &self.evaluator;
        let saved = &self.problems[i];
        if let Some(field) = &self.in_pieces {
            let context = BackwardPieces {
                field,
                evaluator,
                options: &self.options,
                sample: saved.sample,
                n_problems: self.problems.len(),
            };
            return pieces_backward::backward(&context, work, bars, pool, accumulator);
        }
        let inputs = ForwardInputs {
            evaluator,
            breakpoints: &saved.breakpoints,
            problem: Problem {
                u0: &saved.u0,
                t: &saved.t,
                sample: saved.sample,
            },
            options: &self.options,
            ends_at: None,
        };
        let pool = (pool, self.problems.len());
        gradient_of_solve(&inputs, work, bars, pool, accumulator)
    }
}

/// Computes the gradient of ⟨bars, u⟩ of one solve without jumps: adds the parameters' part to `accumulator`, and returns ∂/∂u₀. `pool`
/// has the workspaces in which steps are recomputed, and the number of solves that may need one.
///
/// # Errors
/// Steps that would take too much memory, or a continuous adjoint that cannot be solved.
pub(crate) fn gradient_of_solve(
    inputs: &ForwardInputs,
    work: &Workspace,
    bars: &[f64],
    (pool, n_problems): (&WorkspacePool, usize),
    accumulator: &mut GradientAccumulator,
) -> Result<Vec<f64>> {
    let (evaluator, sample) = (inputs.evaluator, inputs.problem.sample);
    if rayon::current_thread_index().is_some() {
        // A thread of the pool works for whoever called; one without a flag must not keep that of another.
        interrupt::listen(inputs.options.interrupt.clone().unwrap_or_default());
    }
    let method = inputs.options.solver;
    let mass = inputs.options.mass_matrix.as_ref();
    let is_auto = matches!(method.family, SolverFamily::Auto { .. });
    let mut reverse_sweep =
        |method: &Solver, work: &Workspace, bars: &[f64], history: &mut Vec<f64>| {
            let bars = (bars, history);
            let method = (method, mass);
            discrete_adjoint::backward(evaluator, method, sample, work, bars, accumulator)
        };
    let mut u0 = match (&work.record, method.tableau()) {
        (ForwardRecord::Steps, _) if is_auto => {
            auto::backward(work, bars, evaluator.dof(), reverse_sweep)
        }
        (ForwardRecord::Steps, _) => reverse_sweep(method, work, bars, &mut vec![]),
        (ForwardRecord::States(states), Some(tableau)) => {
            let gradient = &mut accumulator.gradient;
            symplectic_adjoint::backward(evaluator, tableau, sample, (work, states), bars, gradient)
        }
        (ForwardRecord::States(_) | ForwardRecord::Nothing, _) => {
            let became_stiff = work.stats.stiff_from.is_some();
            let gradient = &mut accumulator.gradient;
            continuous_adjoint::backward(inputs, &work.u, bars, became_stiff, gradient)?
        }
        (ForwardRecord::Checkpoints(_), _) => {
            let lock = || pool.lock().unwrap_or_else(PoisonError::into_inner);
            let mut segment = lock().pop().unwrap_or_default();
            // At most this many problems have a tape at the same time.
            let at_once = rayon::current_num_threads().min(n_problems).max(1);
            segment.tape_limit = odesync_base::memory::limit() / size_of::<f64>() / at_once;
            let mu = vec![0.0; evaluator.dof()];
            let u0 = match is_auto {
                true => auto::recompute_backward(inputs, work, bars, &mut segment, reverse_sweep),
                false => checkpoints::backward(inputs, work, bars, mu, &mut segment, |w, b, h| {
                    reverse_sweep(method, w, b, h)
                }),
            };
            lock().push(segment);
            u0?
        }
    };
    if let Some(mass) = mass {
        let place = (
            sample,
            inputs.problem.t.first().copied().unwrap_or_default(),
        );
        let (start, gradient) = (&work.u[..u0.len()], &mut accumulator.gradient);
        let mut consistency = Consistency::new(evaluator, mass);
        consistency.pull_back_state(evaluator, place, start, &mut u0, gradient);
    }
    interrupt::check()?;
    Ok(u0)
}
