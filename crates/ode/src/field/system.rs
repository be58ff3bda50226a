//! Vector fields from a closure that returns the right-hand sides.

use super::builder::FieldBuilder;
use super::expr::Expr;
use super::input::InputSignal;
use super::vector_field::VectorField;
use crate::Result;

/// The parameters and inputs that the closure of [`system`] refers to, by name.
pub struct Parameters<'a>(&'a FieldBuilder);

impl<'a> Parameters<'a> {
    /// Returns the parameters of a field under construction.
    pub fn new(builder: &'a FieldBuilder) -> Self {
        Parameters(builder)
    }

    /// Returns the parameter, or else the input, of this name as an expression. An unknown name makes [`system`] return an error.
    pub fn get(&self, name: &str) -> Expr {
        self.0.named_parameter(name)
    }
}

/// Builds the field of a system of `dof` equations from a closure, which is called once with symbolic arguments. `params` are the
/// constants of the system.
///
/// ```
/// let pendulum = odesync_ode::field::system(2, &[("g", 9.81)], |_t, u, p| {
///     vec![u.at(1), -p.get("g") * u.at(0).sin()]
/// })?;
/// # Ok::<(), odesync_ode::Error>(())
/// ```
///
/// # Errors
/// Any mistake of shape or name made in the closure.
pub fn system(
    dof: usize,
    params: &[(&str, f64)],
    equations: impl FnOnce(Expr, Expr, Parameters) -> Vec<Expr>,
) -> Result<VectorField> {
    driven_system(dof, params, &[], equations)
}

/// Builds the field of a system with external inputs, as [`system`] does; the closure gets inputs by name, like constants.
///
/// ```
/// use odesync_ode::field::{InputSignal, driven_system};
/// let force = InputSignal::linear(&[0.0, 5.0], ndarray::array![[0.0], [1.0]].view())?;
/// let pendulum = driven_system(2, &[("g", 9.81)], &[("w", force)], |_t, u, p| {
///     vec![u.at(1), p.get("w") - p.get("g") * u.at(0).sin()]
/// })?;
/// assert_eq!(pendulum.derivative(2.5, &[0.0, 0.0])?, [0.0, 0.5]);
/// # Ok::<(), odesync_ode::Error>(())
/// ```
///
/// # Errors
/// Any mistake of shape or name made in the closure.
pub fn driven_system(
    dof: usize,
    params: &[(&str, f64)],
    inputs: &[(&str, InputSignal)],
    equations: impl FnOnce(Expr, Expr, Parameters) -> Vec<Expr>,
) -> Result<VectorField> {
    let b = FieldBuilder::new(dof);
    for (name, value) in params {
        b.block(name, &[], &[*value], false)?;
    }
    for (name, input) in inputs {
        b.input(name, input.clone());
    }
    let output = equations(b.time(), b.state(), Parameters(&b));
    b.finish(b.concat(&output))
}
