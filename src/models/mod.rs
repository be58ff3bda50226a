//! Trainable models: black box, second order, gray box, all on a multilayer perceptron with PyTorch's initialisation.
//!
//! Weights are drawn from the generator of [`crate::random::seed`], so `seed(10)` gives the weights that
//! `torch.manual_seed(10)` gives. A model is a [`VectorField`] like any other.

mod graybox;
mod mlp;

pub use graybox::graybox;
pub use mlp::Mlp;

use crate::field::{FieldBuilder, Unary, VectorField};
use crate::random::Generator;
use crate::{Error, Result};

/// du/dt = network(u). `nodes` are the layers' widths; the first and the last are the number of state variables.
///
/// ```
/// let mut generator = odesync::random::Generator::manual_seed(10);
/// let model = odesync::models::blackbox(&[2, 32, 2], odesync::field::Unary::Gelu, &mut generator)?;
/// assert_eq!(model.n_params(), 2 * 32 + 32 + 32 * 2 + 2);
/// # Ok::<(), odesync::Error>(())
/// ```
///
/// # Errors
/// Widths that make no network, or a first width that differs from the last.
pub fn blackbox(
    nodes: &[usize],
    activation: Unary,
    generator: &mut Generator,
) -> Result<VectorField> {
    let network = Mlp::new(nodes, activation, generator)?;
    let (dof, out) = (network.inputs(), network.outputs());
    if dof != out {
        return Err(Error::invalid(format!(
            "a black box gives one derivative for each state variable: the first width of {nodes:?} is {dof}, the last must \
             be {dof} too, not {out}"
        )));
    }
    let b = FieldBuilder::new(dof);
    let output = network.apply(&b, &b.state())?;
    b.finish(output)
}

/// The state is (q, v) and dq/dt = v, dv/dt = network(q, v). `nodes` begins with the number of state variables and ends
/// with half of it.
///
/// # Errors
/// Widths that make no network, an odd number of state variables, or a last width that is not half of the first.
pub fn second_order(
    nodes: &[usize],
    activation: Unary,
    generator: &mut Generator,
) -> Result<VectorField> {
    let network = Mlp::new(nodes, activation, generator)?;
    let dof = network.inputs();
    if dof % 2 != 0 || network.outputs() * 2 != dof {
        return Err(Error::invalid(format!(
            "a second-order model has an even number of state variables, positions before velocities, and gives half as many \
             accelerations, for example [4, 50, 50, 2]; {nodes:?} does not fit"
        )));
    }
    let b = FieldBuilder::new(dof);
    let u = b.state();
    let acceleration = network.apply(&b, &u)?;
    b.finish(b.concat(&[u.slice(dof / 2, dof), acceleration]))
}
