//! Systems of equations from a closure.

use super::builder::FieldBuilder;
use super::expr::Expr;
use super::input::InputSignal;
use super::vector_field::VectorField;
use crate::Result;

/// The parameters of a system's closure, by name.
pub struct Parameters<'a>(&'a FieldBuilder);

impl<'a> Parameters<'a> {
    /// The parameters of a field under construction.
    pub fn new(builder: &'a FieldBuilder) -> Self {
        Parameters(builder)
    }

    /// The parameter, or the input, of this name; a name that is not there is the error of the finished system.
    pub fn get(&self, name: &str) -> Expr {
        self.0.named_parameter(name)
    }
}

/// A system of `dof` equations from a closure that is called once, on symbols. `params` are its constants.
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

/// [`system`] with external inputs, which the closure knows by their names as it knows the constants.
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
