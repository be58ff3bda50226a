//! Hidden layers are padded to whole registers, so that no loop over one has a remainder.
//!
//! The value of a hidden unit that is padding is f(0) for the activation f; the weights that read it are zero, so that
//! neither values nor adjoints change.

use super::super::graph::Graph;
use super::super::op::{NodeId, Op, Unary};

/// Numbers in the smallest register of any instruction set with wide ones.
pub(super) const REGISTER: usize = 4;

/// Whether f is finite at zero with all derivatives, so that padding stays harmless.
fn is_padding_safe(f: Unary) -> bool {
    use Unary::{Cos, Gelu, Relu, Sigmoid, Silu, Sin, Softplus, Tanh};
    matches!(
        f,
        Gelu | Relu | Silu | Softplus | Sigmoid | Tanh | Sin | Cos
    )
}

/// Length of every node's value in the buffer: its own, or the next multiple of a register where the value is a hidden
/// layer that only affine layers read, through activations or not.
pub(super) fn padded_lens(graph: &Graph, used: &[bool], output: NodeId) -> Vec<usize> {
    let n = graph.nodes.len();
    let mut padded: Vec<bool> = (0..n)
        .map(|i| {
            let hidden = match &graph.nodes[i] {
                Op::Affine { .. } => true,
                Op::Unary(f, _) => is_padding_safe(*f),
                _ => false,
            };
            hidden && used[i] && i != output.index() && graph.lens[i] > REGISTER
        })
        .collect();
    // Readers come after what they read: backwards, every reader is settled first.
    for i in (0..n).rev().filter(|i| used[*i]) {
        let reads = match &graph.nodes[i] {
            Op::Affine { .. } => true,
            Op::Unary(..) => padded[i],
            _ => false,
        };
        if !reads {
            for x in graph.nodes[i].operands() {
                padded[x.index()] = false;
            }
        }
    }
    for i in 0..n {
        if let Op::Unary(_, x) = &graph.nodes[i] {
            padded[i] = padded[i] && padded[x.index()];
        }
    }
    (0..n)
        .map(|i| match padded[i] {
            true => graph.lens[i].next_multiple_of(REGISTER),
            false => graph.lens[i],
        })
        .collect()
}
