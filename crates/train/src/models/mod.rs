//! Trainable models: black box, second order and gray box, with a multilayer perceptron initialised as in PyTorch.
//!
//! Weights are drawn from the generator of [`odesync_base::random::seed`], so that `seed(10)` gives the weights that
//! `torch.manual_seed(10)` gives. A model is an ordinary [`VectorField`].

mod graybox;
mod mlp;

pub use graybox::{driven_graybox, graybox};
pub use mlp::Mlp;

use crate::{Error, Result};
use odesync_base::random::Generator;
use odesync_base::text::count_of;
use odesync_ode::field::{FieldBuilder, InputSignal, Signal, Unary, VectorField};

/// Name of the external input of a driven model.
pub(crate) const INPUT: &str = "input";

/// Creates the black-box model du/dt = network(u). `nodes` are the widths of the layers; the first and the last are the number of
/// state variables.
///
/// ```
/// let mut generator = odesync_base::random::Generator::manual_seed(10);
/// let model = odesync_train::models::blackbox(&[2, 32, 2], odesync_ode::field::Unary::Gelu, &mut generator)?;
/// assert_eq!(model.n_params(), 2 * 32 + 32 + 32 * 2 + 2);
/// # Ok::<(), odesync_train::Error>(())
/// ```
///
/// # Errors
/// Widths that do not define a network, or a first width that differs from the last.
pub fn blackbox(
    nodes: &[usize],
    activation: Unary,
    generator: &mut Generator,
) -> Result<VectorField> {
    blackbox_of(&Mlp::new(nodes, activation, generator)?)
}

/// Creates the black-box model du/dt = network(u) of a given network; see [`blackbox`].
///
/// # Errors
/// A first width that differs from the last.
pub fn blackbox_of(network: &Mlp) -> Result<VectorField> {
    let (nodes, dof, out) = (network.widths(), network.inputs(), network.outputs());
    if dof != out {
        return Err(Error::invalid(format!(
            "a black box gives one derivative for each state variable, so its first and its last width are the same; {nodes:?} \
             begins with {dof} and ends with {out}"
        )));
    }
    let b = FieldBuilder::new(dof);
    let output = network.apply(&b, &b.state())?;
    b.finish(output)
}

/// Creates the black-box model du/dt = network(u, w(t)) with an external input w, named `input`. The first layer width is the sum
/// of the numbers of state variables and of components of the input, the last the number of state variables.
///
/// ```
/// use odesync_base::random::Generator;
/// use odesync_ode::field::{InputSignal, Unary};
/// use odesync_train::models::driven_blackbox;
/// let force = InputSignal::linear(&[0.0, 5.0], ndarray::array![[0.0], [1.0]].view())?;
/// let model = driven_blackbox(&[3, 32, 2], Unary::Gelu, force, &mut Generator::manual_seed(10))?;
/// assert_eq!(model.dof(), 2);
/// # Ok::<(), odesync_train::Error>(())
/// ```
///
/// # Errors
/// Widths that do not define a network, or do not fit the input.
pub fn driven_blackbox(
    nodes: &[usize],
    activation: Unary,
    input: InputSignal,
    generator: &mut Generator,
) -> Result<VectorField> {
    driven_blackbox_of(&Mlp::new(nodes, activation, generator)?, input)
}

/// Creates the black-box model du/dt = network(u, w(t)) of a given network; see [`driven_blackbox`].
///
/// # Errors
/// Widths that do not fit the input.
pub fn driven_blackbox_of(network: &Mlp, input: InputSignal) -> Result<VectorField> {
    let (nodes, dof, w) = (network.widths(), network.outputs(), input.dof());
    if network.inputs() != dof + w {
        return Err(Error::invalid(format!(
            "a black box of {} (the last width of {nodes:?}) and an input of {} must begin with {}, their sum, not {}",
            count_of(dof, "state variable"),
            count_of(w, "component"),
            dof + w,
            network.inputs()
        )));
    }
    let b = FieldBuilder::new(dof);
    let w = b.input(INPUT, input);
    let output = network.apply(&b, &b.concat(&[b.state(), w]))?;
    b.finish(output)
}

/// Creates the second-order model dq/dt = v, dv/dt = network(q, v, w(t)) with an external input w, named `input`; see
/// [`second_order`].
///
/// # Errors
/// Widths that do not define a network, or do not fit the input.
pub fn driven_second_order(
    nodes: &[usize],
    activation: Unary,
    input: InputSignal,
    generator: &mut Generator,
) -> Result<VectorField> {
    driven_second_order_of(&Mlp::new(nodes, activation, generator)?, input)
}

/// Creates the second-order model dq/dt = v, dv/dt = network(q, v, w(t)) of a given network; see [`second_order`].
///
/// # Errors
/// Widths that do not fit the input.
pub fn driven_second_order_of(network: &Mlp, input: InputSignal) -> Result<VectorField> {
    let (nodes, half, w) = (network.widths(), network.outputs(), input.dof());
    if network.inputs() != 2 * half + w {
        return Err(Error::invalid(format!(
            "a second-order model of {} (the last width of {nodes:?}), as many positions and velocities, and an input of {} must \
             begin with {}, not {}",
            count_of(half, "acceleration"),
            count_of(w, "component"),
            2 * half + w,
            network.inputs()
        )));
    }
    let b = FieldBuilder::new(2 * half);
    let (u, w) = (b.state(), b.input(INPUT, input));
    let acceleration = network.apply(&b, &b.concat(&[u.clone(), w]))?;
    b.finish(b.concat(&[u.slice(half, 2 * half), acceleration]))
}

/// Creates the second-order model dq/dt = v, dv/dt = network(q, v) with the state (q, v). The first width in `nodes` is the
/// number of state variables, the last is half of it.
///
/// # Errors
/// Widths that do not define a network, an odd number of state variables, or a last width that is not half of the first.
pub fn second_order(
    nodes: &[usize],
    activation: Unary,
    generator: &mut Generator,
) -> Result<VectorField> {
    second_order_of(&Mlp::new(nodes, activation, generator)?)
}

/// Creates the second-order model dq/dt = v, dv/dt = network(q, v) of a given network; see [`second_order`].
///
/// # Errors
/// An odd number of state variables, or a last width that is not half of the first.
pub fn second_order_of(network: &Mlp) -> Result<VectorField> {
    let (nodes, dof) = (network.widths(), network.inputs());
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
