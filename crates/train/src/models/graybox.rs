//! Gray-box models: known terms, with a network for the unknown ones.

use super::Mlp;
use crate::Result;
use odesync_base::random::Generator;
use odesync_ode::field::{Expr, FieldBuilder, InputSignal, Parameters, Unary, VectorField};

/// Creates the model du/dt = f(t, u, nn, p) from a closure f, where nn = network(u) and p are the named constants. The closure is
/// called once, on symbols. The first width of `nodes` is the number of state variables, the last the length of nn.
///
/// ```
/// use odesync_base::random::Generator;
/// use odesync_ode::field::Unary;
/// use odesync_train::models::graybox;
/// let mut generator = Generator::manual_seed(10);
/// let model = graybox(&[2, 20, 20, 2], Unary::Gelu, &[("a", 1.3)], &mut generator, |_t, u, nn, p| {
///     vec![p.get("a") * u.at(0) + nn.at(0), -1.8 * u.at(1) + nn.at(1)]
/// })?;
/// # Ok::<(), odesync_train::Error>(())
/// ```
///
/// # Errors
/// Widths that do not define a network, or an error of shape or name in the closure.
pub fn graybox(
    nodes: &[usize],
    activation: Unary,
    params: &[(&str, f64)],
    generator: &mut Generator,
    equations: impl FnOnce(Expr, Expr, Expr, Parameters) -> Vec<Expr>,
) -> Result<VectorField> {
    driven_graybox(nodes, activation, params, &[], generator, equations)
}

/// Creates a [`graybox`] model with external inputs; the closure gets both constants and inputs by name. The inputs are not fed
/// to the network.
///
/// # Errors
/// Widths that do not define a network, or an error of shape or name in the closure.
pub fn driven_graybox(
    nodes: &[usize],
    activation: Unary,
    params: &[(&str, f64)],
    inputs: &[(&str, InputSignal)],
    generator: &mut Generator,
    equations: impl FnOnce(Expr, Expr, Expr, Parameters) -> Vec<Expr>,
) -> Result<VectorField> {
    let network = Mlp::new(nodes, activation, generator)?;
    let b = FieldBuilder::new(network.inputs());
    for (name, value) in params {
        b.block(name, &[], &[*value], false)?;
    }
    for (name, input) in inputs {
        b.input(name, input.clone());
    }
    let nn = network.apply(&b, &b.state())?;
    let output = equations(b.time(), b.state(), nn, Parameters::new(&b));
    b.finish(b.concat(&output))
}
