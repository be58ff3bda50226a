//! A step method of any family as one type, for integrators that are advanced step by step.

use super::adams::AdamsMethod;
use super::bdf::Bdf;
use super::checkpoints::StateReader;
use super::control::Controller;
use super::esdirk::EsdirkMethod;
use super::explicit_rk::ExplicitRk;
use super::integrator_core::IntegratorCore;
use super::plan::Step;
use super::radau::Radau;
use super::rhs::Rhs;
use super::rosenbrock::RosenbrockMethod;
use super::solver::{Solver, SolverFamily};
use super::step_method::StepMethod;
use odesync_base::failure::FailureReason;

/// Step method of one of the families.
pub(crate) enum AnyMethod {
    ExplicitRk(ExplicitRk),
    Radau(Box<Radau>),
    Esdirk(Box<EsdirkMethod>),
    Rosenbrock(Box<RosenbrockMethod>),
    Bdf(Box<Bdf>),
    Adams(Box<AdamsMethod>),
}

impl AnyMethod {
    /// Creates the step method of a solver. For `auto`, which is made of two solvers, it is that of the explicit one.
    pub fn new<R: Rhs + ?Sized>(
        solver: &Solver,
        controller: Option<Controller>,
        rhs: &R,
    ) -> AnyMethod {
        match solver.family {
            SolverFamily::ExplicitRungeKutta(tableau) => {
                AnyMethod::ExplicitRk(ExplicitRk::new(tableau, rhs.dof(), Default::default()))
            }
            SolverFamily::Radau => {
                AnyMethod::Radau(Box::new(Radau::new(rhs, controller, Default::default())))
            }
            SolverFamily::Esdirk(tableau) => {
                let method = EsdirkMethod::new(tableau, rhs, controller, Default::default());
                AnyMethod::Esdirk(Box::new(method))
            }
            SolverFamily::Rosenbrock(tableau) => {
                let method = RosenbrockMethod::new(tableau, rhs, controller, Default::default());
                AnyMethod::Rosenbrock(Box::new(method))
            }
            SolverFamily::Bdf => {
                AnyMethod::Bdf(Box::new(Bdf::new(rhs, controller, Default::default())))
            }
            SolverFamily::Adams(tableau) => {
                let method = AdamsMethod::new(tableau, rhs, Default::default());
                AnyMethod::Adams(Box::new(method))
            }
            SolverFamily::Auto { explicit, .. } => AnyMethod::new(explicit, controller, rhs),
        }
    }
}

/// Calls a method of the step method inside.
macro_rules! delegate {
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

/// Calls a method of `StepMethod<R, TAPE>` whose arguments don't name these types.
macro_rules! of_step_method {
    ($self:expr, $method:ident => $name:ident($($arg:expr),*)) => {
        match $self {
            AnyMethod::ExplicitRk($method) => StepMethod::<R, TAPE>::$name($method, $($arg),*),
            AnyMethod::Radau($method) => StepMethod::<R, TAPE>::$name(&**$method, $($arg),*),
            AnyMethod::Esdirk($method) => StepMethod::<R, TAPE>::$name(&**$method, $($arg),*),
            AnyMethod::Rosenbrock($method) => StepMethod::<R, TAPE>::$name(&**$method, $($arg),*),
            AnyMethod::Bdf($method) => StepMethod::<R, TAPE>::$name(&**$method, $($arg),*),
            AnyMethod::Adams($method) => StepMethod::<R, TAPE>::$name(&**$method, $($arg),*),
        }
    };
}

impl<R: Rhs + ?Sized, const TAPE: bool> StepMethod<R, TAPE> for AnyMethod {
    fn tape_len(&self, integrator: &IntegratorCore<R, TAPE>, steps: usize) -> usize {
        delegate!(self, method => method.tape_len(integrator, steps))
    }

    fn tape_len_per_step(&self, integrator: &IntegratorCore<R, TAPE>) -> usize {
        delegate!(self, method => method.tape_len_per_step(integrator))
    }

    fn initialize(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        adaptive: bool,
    ) -> Result<f64, FailureReason> {
        delegate!(self, method => method.initialize(integrator, adaptive))
    }

    fn perform_step(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason> {
        delegate!(self, method => method.perform_step(integrator, index, step))
    }

    fn error_test(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) -> bool {
        delegate!(self, method => method.error_test(integrator, step))
    }

    fn interpolate(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) {
        delegate!(self, method => method.interpolate(integrator, step, theta, to));
    }

    fn evaluate_output(
        &mut self,
        integrator: &mut IntegratorCore<R, TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) -> Result<(), FailureReason> {
        delegate!(self, method => method.evaluate_output(integrator, step, theta, to))
    }

    fn on_accept(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) {
        delegate!(self, method => method.on_accept(integrator, step));
    }

    fn should_switch(&mut self, integrator: &mut IntegratorCore<R, TAPE>, step: Step) -> bool {
        delegate!(self, method => method.should_switch(integrator, step))
    }

    fn save(&self, row: &mut Vec<f64>) {
        of_step_method!(self, method => save(row));
    }

    fn load(&mut self, integrator: &mut IntegratorCore<R, TAPE>, row: &mut StateReader) {
        delegate!(self, method => method.load(integrator, row));
    }

    fn is_finite(&self) -> bool {
        of_step_method!(self, method => is_finite())
    }
}
