//! What an engine does: solve a batch of initial value problems, and walk back over them. The native one.

use rayon::prelude::*;

use super::adjoint;
use super::driver::{self, Problem, Workspace};
use super::events::Occurrence;
use super::method::{Family, Method};
use super::options::{SolveOptions, check_times};
use super::plan::{Stats, StepPlan};
use super::{adams, auto, bdf, esdirk, radau, rosenbrock};
use crate::field::VectorField;
use crate::field::native::{Evaluator, Gradient};
use crate::{Error, Result};

/// The solution of one problem.
#[derive(Debug, Clone, Default)]
pub struct Trajectory {
    /// The solution, `[time, dof]`.
    pub u: Vec<f64>,
    /// The steps that were taken.
    pub plan: StepPlan,
    /// What it cost.
    pub stats: Stats,
    /// The events, in the order in which they happened.
    pub occurrences: Vec<Occurrence>,
    /// The time at which an event ended the solve; it is then the last one of `u`, in place of those not reached.
    pub ended: Option<f64>,
}

/// Gradients of `Σ ⟨ū, u⟩` over all problems.
#[derive(Debug, Clone)]
pub struct SolveGradient {
    /// With respect to the values of all parameter blocks.
    pub values: Vec<f64>,
    /// With respect to each problem's initial state.
    pub u0: Vec<Vec<f64>>,
}

/// An engine that solves batches of problems, each with its own times and step sizes.
///
/// `forward` with `keep` remembers what `backward` needs, until the next `forward`.
pub trait Engine: Send {
    /// Solves every problem, on the given plans (one for each problem) where there are any.
    ///
    /// # Errors
    /// Options or shapes that do not fit, or the first solve (by index) that failed.
    fn forward(
        &mut self,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
        plans: Option<&[StepPlan]>,
        keep: bool,
    ) -> Result<Vec<Trajectory>>;

    /// The gradient of `Σ ⟨bars, u⟩`; `bars[i]` is `[time, dof]` of problem i.
    ///
    /// # Errors
    /// When nothing was kept, `bars` do not fit it, or the gradient is not finite ([`FailureReason::GradientNotFinite`]).
    ///
    /// [`FailureReason::GradientNotFinite`]: super::FailureReason::GradientNotFinite
    fn backward(&mut self, bars: &[Vec<f64>]) -> Result<SolveGradient>;

    /// Name, as in `engine: "native"`.
    fn name(&self) -> &'static str;
}

/// The native CPU engine: problems in parallel, results independent of the number of threads.
#[derive(Debug, Default)]
pub struct NativeEngine {
    work: Vec<(usize, Workspace)>,
    kept: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    evaluator: Evaluator,
    options: SolveOptions,
    problems: usize,
}

/// Where events have no meaning.
pub(crate) const NO_EVENTS: &str = "events are found by a solve of its own on the native engine; a gradient, a training or a given plan takes none";

/// Checks a batch, and its plans where there are any, before it is solved.
pub(crate) fn check(
    field: &VectorField,
    problems: &[Problem],
    options: &SolveOptions,
    plans: Option<&[StepPlan]>,
) -> Result<()> {
    options.check()?;
    if let Some(event) = options.events.iter().find(|e| e.dof() != field.dof()) {
        return Err(Error::invalid(format!(
            "the field has {} state variables, an event's function was made for {}",
            field.dof(),
            event.dof()
        )));
    }
    if !options.events.is_empty() && plans.is_some() {
        return Err(Error::invalid(NO_EVENTS));
    }
    for problem in problems {
        field.check_state(problem.u0)?;
        check_times(problem.t)?;
        if let Some(signal) = field
            .signals()
            .iter()
            .find(|s| s.samples() > 1 && problem.sample >= s.samples())
        {
            return Err(Error::invalid(format!(
                "the field's external signal has {} samples, sample {} was asked for (counted from 0)",
                signal.samples(),
                problem.sample
            )));
        }
    }
    plans.map_or(Ok(()), |plans| check_plans(problems, plans))
}

/// Checks that there is a plan for every problem, with an output for each of its times.
fn check_plans(problems: &[Problem], plans: &[StepPlan]) -> Result<()> {
    if plans.len() != problems.len() {
        return Err(Error::invalid("a plan is needed for every problem"));
    }
    match problems
        .iter()
        .zip(plans)
        .position(|(problem, plan)| !plan.fits(problem.t.len()))
    {
        Some(i) => Err(Error::invalid(format!(
            "plan {i} is not one of problem {i}: it must place each of the {} requested times at the start or in one of its \
             steps, in order",
            problems[i].t.len()
        ))),
        None => Ok(()),
    }
}

impl Engine for NativeEngine {
    fn forward(
        &mut self,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
        plans: Option<&[StepPlan]>,
        keep: bool,
    ) -> Result<Vec<Trajectory>> {
        if keep && !options.events.is_empty() {
            return Err(Error::invalid(NO_EVENTS));
        }
        check(field, problems, options, plans)?;
        let evaluator = Evaluator::new(field);
        self.kept = None;
        if self.work.len() < problems.len() {
            self.work.resize_with(problems.len(), Default::default);
        }
        // Every problem has its own tape.
        let tape_limit = crate::memory::default_limit() / size_of::<f64>() / problems.len().max(1);
        let solve = |(i, (sample, work)): (usize, &mut (usize, Workspace))| {
            let problem = &problems[i];
            *sample = problem.sample;
            work.tape_limit = tape_limit;
            match plans {
                Some(plans) if keep => {
                    driver::replay::<true>(&evaluator, problem, options, &plans[i], work)
                }
                Some(plans) => {
                    driver::replay::<false>(&evaluator, problem, options, &plans[i], work)
                }
                None => {
                    let breakpoints = field.breakpoints(problem.sample);
                    if keep {
                        driver::solve::<true>(&evaluator, &breakpoints, problem, options, work)
                    } else {
                        driver::solve::<false>(&evaluator, &breakpoints, problem, options, work)
                    }
                }
            }
        };
        let work = &mut self.work[..problems.len()];
        let results: Vec<_> = match work {
            [one] => vec![solve((0, one))],
            _ => work.par_iter_mut().enumerate().map(solve).collect(),
        };
        for result in results {
            result?;
        }
        let trajectories = self.work[..problems.len()]
            .iter_mut()
            .map(|(_, work)| Trajectory {
                u: work.u.clone(),
                plan: work.plan.clone(),
                stats: work.stats,
                occurrences: std::mem::take(&mut work.occurrences),
                ended: work.ended,
            })
            .collect();
        if keep {
            self.kept = Some(Kept {
                evaluator,
                options: options.clone(),
                problems: problems.len(),
            });
        }
        Ok(trajectories)
    }

    fn backward(&mut self, bars: &[Vec<f64>]) -> Result<SolveGradient> {
        let Some(kept) = &self.kept else {
            return Err(Error::invalid(
                "a gradient needs a solve that was kept for it",
            ));
        };
        let work = &self.work[..kept.problems];
        if bars.len() != kept.problems
            || bars
                .iter()
                .zip(work)
                .any(|(b, (_, w))| b.len() != w.u.len())
        {
            return Err(Error::invalid(
                "the weights of a gradient must have the shape of the solution",
            ));
        }
        let back = |((sample, work), bars): (&(usize, Workspace), &Vec<f64>)| {
            let mut gradient = kept.evaluator.gradient();
            let evaluator = &kept.evaluator;
            let mut more = vec![];
            let mut back = |method: &'static Method, work: &Workspace, bars: &[f64]| {
                let (sample, gradient) = (*sample, &mut gradient);
                match method.family {
                    Family::ExplicitRungeKutta(tableau) => {
                        adjoint::backward(evaluator, tableau, sample, work, bars, gradient)
                    }
                    Family::Radau => radau::backward(evaluator, sample, work, bars, gradient),
                    Family::Esdirk(tableau) => {
                        esdirk::backward(evaluator, tableau, sample, work, bars, gradient)
                    }
                    Family::Rosenbrock(tableau) => {
                        let u0;
                        (u0, more) =
                            rosenbrock::backward(evaluator, tableau, sample, work, bars, gradient);
                        u0
                    }
                    Family::Bdf => bdf::backward(evaluator, sample, work, bars, gradient),
                    Family::Adams(tableau) => {
                        adams::backward(evaluator, tableau, sample, work, bars, gradient)
                    }
                    // It was taken apart into the others.
                    Family::Auto { .. } => vec![0.0; evaluator.dof()],
                }
            };
            let method = kept.options.method;
            let u0 = match method.family {
                Family::Auto { .. } => auto::backward(work, bars, evaluator.dof(), back),
                _ => back(method, work, bars),
            };
            (gradient, more, u0)
        };
        let parts: Vec<(Gradient, Vec<f64>, Vec<f64>)> = match (work, bars) {
            ([work], [bars]) => vec![back((work, bars))],
            _ => work.par_iter().zip(bars).map(back).collect(),
        };
        // Summed in the order of the problems, so that the bits do not depend on the threads.
        let mut total = kept.evaluator.gradient();
        let (mut values, mut u0) = (vec![], vec![]);
        for (gradient, more, part) in parts {
            total.add(&gradient);
            values.resize(more.len(), 0.0);
            adjoint::add(&more, &mut values);
            u0.push(part);
        }
        let first = kept.evaluator.parameter_gradient(total);
        values.resize(first.len(), 0.0);
        adjoint::add(&first, &mut values);
        let bad = u0.iter().position(|u0| !driver::finite(u0));
        if let Some(i) = bad.or((!driver::finite(&values)).then_some(0)) {
            let (sample, work) = &work[i];
            return Err(work.gradient_failure(*sample).into());
        }
        Ok(SolveGradient { values, u0 })
    }

    fn name(&self) -> &'static str {
        "native"
    }
}
