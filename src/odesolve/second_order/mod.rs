//! Second derivatives of a solve on its steps: tangents of the replay and of its discrete adjoint, many directions at once.
//!
//! A sweep forward gives the tangents of the solution along directions of the initial state and the parameters. The adjoint
//! sweep is differentiated in the same way: everything that it carries has tangents that are carried beside it, and the
//! tangent of `Ȳ = (∂f/∂u)ᵀ k̄` holds the second derivatives of the field. Step sizes are held fixed, so the result is the
//! exact second derivative of the replay.
//!
//! Vectors with planes are laid out `[…, w]`, w directions side by side.

mod explicit;
mod implicit;

use std::fmt::Debug;

use super::driver::Problem;
use super::failure::SolveFailure;
use super::method::{Family, Method};
use super::methods;
use super::options::SolveOptions;
use super::plan::StepPlan;
use super::sums::add_scaled;
use crate::field::native::{Bars, Evaluator, Planes, SecondGradient};
use crate::{Error, Result};
use explicit::Explicit;
use implicit::Implicit;

/// One problem's solve on its plan, with the slots of all of its stages.
pub(crate) trait Taped: Debug + Send + Sync {
    /// The solution, `[time, dof]`.
    fn u(&self) -> &[f64];

    /// Tangents along directions of the initial state, `[dof, w]`, and of the parameters, which `planes` has.
    fn forward(&self, evaluator: &Evaluator, u0_dot: &[f64], planes: &mut Planes) -> Tangents;

    /// Walks back, `stages` being what [`Taped::forward`] left: adds the tangents of ∂L/∂θ to `sums` and returns those of
    /// ∂L/∂u₀, `[dof, w]`.
    fn backward(
        &self,
        evaluator: &Evaluator,
        stages: &[f64],
        bars: &OutputBars,
        planes: &mut Planes,
        sums: &mut SecondGradient,
    ) -> Vec<f64>;
}

/// What a sweep forward gives.
#[derive(Debug)]
pub(crate) struct Tangents {
    /// Of the solution, `[time, dof, w]`.
    pub u: Vec<f64>,
    /// Of the states of all stages, for the sweep back.
    pub stages: Vec<f64>,
}

/// ∂L/∂u of the solution, `[time, dof]`, and its tangents, `[time, dof, w]`.
pub(crate) struct OutputBars<'a> {
    pub value: &'a [f64],
    pub tangents: &'a [f64],
}

impl<'a> OutputBars<'a> {
    /// Those of one requested time.
    fn at(&self, m: usize, (dof, width): (usize, usize)) -> (&'a [f64], &'a [f64]) {
        let value = &self.value[m * dof..(m + 1) * dof];
        (value, &self.tangents[m * width..(m + 1) * width])
    }
}

/// Whether solves by this method have exact tangents.
fn known(method: &Method) -> bool {
    use Family::{Esdirk, ExplicitRungeKutta, Radau};
    matches!(method.family, ExplicitRungeKutta(_) | Radau | Esdirk(_))
}

/// The error for a method without them.
pub(crate) fn check(method: &Method) -> Result<()> {
    if known(method) {
        return Ok(());
    }
    let names = |stiff: bool| -> Vec<&str> {
        let all = methods::ALL.iter().filter(|m| known(m));
        let of = all.filter(|m| m.tableau().is_none() == stiff);
        of.map(|m| m.name).collect()
    };
    Err(Error::invalid(format!(
        "tangents and second derivatives of a solve are there for Runge-Kutta methods, and \"{}\" is none; take one for stiff \
         problems ({}) or an explicit one ({})",
        method.name,
        names(true).join(", "),
        names(false).join(", "),
    )))
}

/// Replays a plan. `limit` is the most numbers that the slots, and the tangents of `planes` directions, may take.
///
/// # Errors
/// A replay that failed, or would take too much memory.
pub(crate) fn replay(
    evaluator: &Evaluator,
    options: &SolveOptions,
    problem: &Problem,
    plan: &StepPlan,
    limit: (usize, usize),
) -> std::result::Result<Box<dyn Taped>, SolveFailure> {
    Ok(match options.method.tableau() {
        Some(tableau) => Box::new(Explicit::new(evaluator, tableau, problem, plan, limit)?),
        None => Box::new(Implicit::new(evaluator, options, problem, plan, limit)?),
    })
}

/// A vector and its tangents.
struct Pair {
    value: Vec<f64>,
    tangents: Vec<f64>,
}

impl Pair {
    fn zero(n: usize, n_dot: usize) -> Self {
        Pair {
            value: vec![0.0; n],
            tangents: vec![0.0; n_dot],
        }
    }

    fn clear(&mut self) {
        self.value.fill(0.0);
        self.tangents.fill(0.0);
    }

    fn bars(&mut self) -> Bars<'_> {
        Bars {
            value: &mut self.value,
            tangents: &mut self.tangents,
        }
    }

    fn both(&self) -> (&[f64], &[f64]) {
        (&self.value, &self.tangents)
    }

    fn part(&self, i: usize, (n, n_dot): (usize, usize)) -> (&[f64], &[f64]) {
        (
            &self.value[i * n..(i + 1) * n],
            &self.tangents[i * n_dot..(i + 1) * n_dot],
        )
    }

    fn add(&mut self, scale: f64, from: (&[f64], &[f64])) {
        self.add_at(0, (from.0.len(), from.1.len()), scale, from);
    }

    fn add_at(&mut self, i: usize, (n, n_dot): (usize, usize), scale: f64, from: (&[f64], &[f64])) {
        add_scaled(scale, from.0, &mut self.value[i * n..(i + 1) * n]);
        add_scaled(
            scale,
            from.1,
            &mut self.tangents[i * n_dot..(i + 1) * n_dot],
        );
    }
}
