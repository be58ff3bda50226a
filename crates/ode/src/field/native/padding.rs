//! Padding of hidden layers to whole registers, so that no loop over a layer has a remainder.
//!
//! The value of a padding unit is f(0) for the activation f; the weights of the next layer for it are zero, so that neither
//! values nor adjoints change.

use super::super::graph::Graph;
use super::super::op::{NodeId, Op, Unary};

/// Number of values in a register of AVX2, the smallest of the instruction sets with wide registers.
pub(super) const REGISTER: usize = 4;

/// Returns whether f is finite at zero with all its derivatives, so that padding with f(0) has no effect.
fn is_padding_safe(f: Unary) -> bool {
    use Unary::{Cos, Gelu, Relu, Sigmoid, Silu, Sin, Softplus, Tanh};
    matches!(
        f,
        Gelu | Relu | Silu | Softplus | Sigmoid | Tanh | Sin | Cos
    )
}

/// Returns the length of every node's value in the buffer: the length of the node, rounded up to a multiple of a register where
/// the value is a hidden layer that only affine layers use, directly or through activations.
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
    // Users come after their operands: in reverse order, every user of a node is decided before the node.
    for i in (0..n).rev().filter(|i| used[*i]) {
        let accepts_padding = match &graph.nodes[i] {
            Op::Affine { .. } => true,
            Op::Unary(..) => padded[i],
            _ => false,
        };
        if !accepts_padding {
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
