//! What the native engine keeps of a batch for its gradient, and the gradient of one problem of it.

use std::sync::{Mutex, PoisonError};

use super::checkpoints::{self, Again};
use super::driver::Problem;
use super::gradients::Adjoint;
use super::method::{Family, Method};
use super::options::SolveOptions;
use super::transpose::{self, Sums};
use super::workspace::{Trace, Workspace};
use super::{auto, continuous, symplectic};
use crate::Result;
use crate::field::VectorField;
use crate::field::native::Evaluator;
use odesync_base::failure::{FailureReason, SolveFailure};

/// A batch that was solved; each problem's workspace stands beside it.
#[derive(Debug)]
pub(crate) struct Kept {
    pub evaluator: Evaluator,
    options: SolveOptions,
    problems: Vec<Own>,
}

/// A problem.
#[derive(Debug)]
struct Own {
    sample: usize,
    /// Where the solve is taken again: the initial state, the requested times, and the field's breakpoints.
    u0: Vec<f64>,
    t: Vec<f64>,
    start: f64,
    breakpoints: Vec<f64>,
}

/// Workspaces in which steps are taken again: as many as work at a time, kept for the next gradient.
#[derive(Debug, Default)]
pub(crate) struct Spare(Mutex<Vec<Workspace>>);

impl Spare {
    fn take(&self) -> Workspace {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.pop().unwrap_or_default()
    }

    fn put(&self, work: Workspace) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(work);
    }
}

impl Kept {
    pub fn new(
        evaluator: Evaluator,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
    ) -> Self {
        let again = options.adjoint != Adjoint::Backprop;
        let own = |problem: &Problem| Own {
            sample: problem.sample,
            u0: problem.u0.to_vec(),
            start: problem.t[0],
            t: if again { problem.t.to_vec() } else { vec![] },
            breakpoints: match again {
                true => field.breakpoints(problem.sample),
                false => vec![],
            },
        };
        Kept {
            problems: problems.iter().map(own).collect(),
            options: options.clone(),
            evaluator,
        }
    }

    /// The failure of problem `i`, whose gradient is not finite.
    pub fn not_finite(&self, i: usize) -> SolveFailure {
        let own = &self.problems[i];
        SolveFailure {
            reason: FailureReason::GradientNotFinite,
            t: own.start,
            step: 0.0,
            state: own.u0.clone(),
            sample: own.sample,
        }
    }

    /// Number of problems.
    pub fn problems(&self) -> usize {
        self.problems.len()
    }

    /// The gradient of ⟨bars, u⟩ of problem `i`: the parameters' part, and ∂/∂u₀.
    ///
    /// # Errors
    /// Steps that would take too much memory, or a continuous adjoint that can't be solved.
    pub fn backward(
        &self,
        i: usize,
        work: &Workspace,
        bars: &[f64],
        spare: &Spare,
    ) -> Result<(Sums, Vec<f64>)> {
        let evaluator = &self.evaluator;
        let mut sums = Sums::new(evaluator);
        let own = &self.problems[i];
        let again = Again {
            evaluator,
            breakpoints: &own.breakpoints,
            problem: Problem {
                u0: &own.u0,
                t: &own.t,
                sample: own.sample,
            },
            options: &self.options,
        };
        let method = self.options.method;
        let is_auto = matches!(method.family, Family::Auto { .. });
        let mut back = |method: &Method, work: &Workspace, bars: &[f64], history: &mut Vec<f64>| {
            let bars = (bars, history);
            transpose::backward(evaluator, method, own.sample, work, bars, &mut sums)
        };
        let u0 = match (&work.trace, method.tableau()) {
            (Trace::Plan, _) if is_auto => auto::backward(work, bars, evaluator.dof(), back),
            (Trace::Plan, _) => back(method, work, bars, &mut vec![]),
            (Trace::States(states), Some(tableau)) => {
                let (sample, gradient) = (own.sample, &mut sums.gradient);
                symplectic::backward(evaluator, tableau, sample, (work, states), bars, gradient)
            }
            (Trace::States(_) | Trace::Nothing, _) => {
                continuous::backward(&again, &work.u, bars, &mut sums.gradient)?
            }
            (Trace::Checkpoints(_), _) => {
                let mut part = spare.take();
                // As many have a tape as are worked on at a time.
                let at_once = rayon::current_num_threads().min(self.problems.len()).max(1);
                part.tape_limit =
                    odesync_base::memory::default_limit() / size_of::<f64>() / at_once;
                let mu = vec![0.0; evaluator.dof()];
                let u0 = match is_auto {
                    true => auto::again(&again, work, bars, &mut part, back),
                    false => checkpoints::backward(&again, work, bars, mu, &mut part, |w, b, h| {
                        back(method, w, b, h)
                    }),
                };
                spare.put(part);
                u0?
            }
        };
        Ok((sums, u0))
    }
}
