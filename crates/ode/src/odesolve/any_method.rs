//! A step method of any family as one type: the choice by a solver's family, and the storage kept between solves.

use super::adams::AdamsMethod;
use super::bdf::Bdf;
use super::checkpoints::StateReader;
use super::esdirk::EsdirkMethod;
use super::explicit_rk::ExplicitRk;
use super::integrator_core::IntegratorCore;
use super::options::SolveOptions;
use super::radau::Radau;
use super::recorded_steps::Step;
use super::rhs::{DifferenceScales, Rhs};
use super::rosenbrock::RosenbrockMethod;
use super::solver::{Solver, SolverFamily};
use super::step_method::StepMethod;
use odesync_base::failure::FailureReason;

/// Step method of one of the families.
#[derive(Debug)]
pub(crate) enum AnyMethod {
    ExplicitRk(Box<ExplicitRk>),
    Radau(Box<Radau>),
    Esdirk(Box<EsdirkMethod>),
    Rosenbrock(Box<RosenbrockMethod>),
    Bdf(Box<Bdf>),
    Adams(Box<AdamsMethod>),
}

impl AnyMethod {
    /// Prepares the step method of a solver for a solve with these options, in the storage of an earlier one where that was of the same family. For
    /// `auto`, which is made of two solvers, it is that of the explicit one.
    pub fn new<R: Rhs + ?Sized>(
        solver: &Solver,
        options: &SolveOptions,
        rhs: &R,
        earlier: Option<AnyMethod>,
    ) -> AnyMethod {
        /// Takes the storage of an earlier step method of this family, or creates one.
        macro_rules! reuse {
            ($variant:ident, $new:expr) => {
                match earlier {
                    Some(AnyMethod::$variant(method)) => method,
                    _ => Box::new($new),
                }
            };
        }
        match solver.family {
            SolverFamily::ExplicitRungeKutta(tableau) => {
                let mut method = reuse!(ExplicitRk, ExplicitRk::new(tableau));
                method.reset(tableau, rhs);
                AnyMethod::ExplicitRk(method)
            }
            SolverFamily::Radau => {
                let mut method = reuse!(Radau, Radau::default());
                method.reset(rhs, options);
                AnyMethod::Radau(method)
            }
            SolverFamily::Esdirk(tableau) => {
                let mut method = reuse!(Esdirk, EsdirkMethod::new(tableau));
                method.reset(tableau, rhs, options);
                AnyMethod::Esdirk(method)
            }
            SolverFamily::Rosenbrock(tableau) => {
                let mut method = reuse!(Rosenbrock, RosenbrockMethod::new(tableau));
                method.reset(tableau, rhs, options);
                AnyMethod::Rosenbrock(method)
            }
            SolverFamily::Bdf => {
                let mut method = reuse!(Bdf, Bdf::default());
                method.reset(rhs, options);
                AnyMethod::Bdf(method)
            }
            SolverFamily::Adams(tableau) => {
                let mut method = reuse!(Adams, AdamsMethod::new(tableau));
                method.reset(tableau, rhs);
                AnyMethod::Adams(method)
            }
            SolverFamily::Auto { explicit, .. } => AnyMethod::new(explicit, options, rhs, earlier),
        }
    }
}

/// Evaluates an expression with the step method inside, in code of its own for each family.
macro_rules! with_step_method {
    ($self:expr, $method:ident => $call:expr) => {
        match $self {
            AnyMethod::ExplicitRk($method) => $call,
            AnyMethod::Radau($method) => $call,
            AnyMethod::Esdirk($method) => $call,
            AnyMethod::Rosenbrock($method) => $call,
            AnyMethod::Bdf($method) => $call,
            AnyMethod::Adams($method) => $call,
        }
    };
}
pub(super) use with_step_method;

impl<R: Rhs + ?Sized, const TAPE: bool> StepMethod<R, TAPE> for AnyMethod {
    fn tape_len(&self, integrator: &IntegratorCore<R, TAPE>, steps: usize) -> usize {
        with_step_method!(self, method => method.tape_len(integrator, steps))
    }

    fn tape_len_per_step(&self, integrator: &IntegratorCore<R, TAPE>) -> usize {
        with_step_method!(self, method => method.tape_len_per_step(integrator))
    }

    fn set_scales(&mut self, scales: &DifferenceScales) {
        with_step_method!(self, method => StepMethod::<R, TAPE>::set_scales(&mut **method, scales));
    }

    fn initialize(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        adaptive: bool,
    ) -> Result<f64, FailureReason> {
        with_step_method!(self, method => method.initialize(integrator, adaptive))
    }

    fn perform_step(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        with_step_method!(self, method => method.perform_step(integrator, index, step))
    }

    fn error_test(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) -> bool {
        with_step_method!(self, method => method.error_test(integrator, step))
    }

    fn interpolate(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) {
        with_step_method!(self, method => method.interpolate(integrator, step, theta, to));
    }

    fn evaluate_output(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) -> Result<(), FailureReason> {
        with_step_method!(self, method => method.evaluate_output(integrator, step, theta, to))
    }

    fn forget_interpolant(&mut self) {
        with_step_method!(self, method => StepMethod::<R, TAPE>::forget_interpolant(&mut **method));
    }

    fn on_accept(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) {
        with_step_method!(self, method => method.on_accept(integrator, step));
    }

    fn should_switch(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) -> bool {
        with_step_method!(self, method => method.should_switch(integrator, step))
    }

    fn save(&self, row: &mut Vec<f64>) {
        with_step_method!(self, method => StepMethod::<R, TAPE>::save(&**method, row));
    }

    fn load(&mut self, integrator: &mut IntegratorCore<R, TAPE>, row: &mut StateReader) {
        with_step_method!(self, method => method.load(integrator, row));
    }

    fn is_finite(&self) -> bool {
        with_step_method!(self, method => StepMethod::<R, TAPE>::is_finite(&**method))
    }
}
