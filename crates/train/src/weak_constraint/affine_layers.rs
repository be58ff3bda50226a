//! The networks in a field: its trainable affine layers, and which of them are first and last.

use odesync_ode::field::{NodeId, Op, ParamBlock, VectorField};

/// A trainable affine layer x ↦ W x + b of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NetworkLayer {
    /// Block of W, `[out, in]`.
    pub weight: usize,
    /// Trainable block of b, `[out]`.
    pub bias: Option<usize>,
    /// Node of x.
    pub input: NodeId,
    /// Whether x does not depend on another trainable affine layer.
    pub is_first: bool,
    /// Whether no other trainable affine layer depends on this one.
    pub is_last: bool,
}

impl NetworkLayer {
    /// Returns the blocks of W and b.
    pub fn blocks<'a>(&self, field: &'a VectorField) -> (&'a ParamBlock, Option<&'a ParamBlock>) {
        let block = |i: usize| &field.blocks()[i];
        (block(self.weight), self.bias.map(block))
    }

    /// Returns the number of components of x and of the layer's output.
    pub fn widths(&self, field: &VectorField) -> (usize, usize) {
        match field.blocks()[self.weight].shape.as_slice() {
            [out, inputs] => (*inputs, *out),
            _ => (0, 0),
        }
    }
}

/// Returns the trainable affine layers of a field, operands first, each pair of blocks once.
pub(crate) fn affine_layers(field: &VectorField) -> Vec<NetworkLayer> {
    let nodes = field.nodes();
    let trainable = |i: usize| field.blocks().get(i).is_some_and(|b| b.trainable);
    let is_layer = |op: &Op| matches!(op, Op::Affine { weight, .. } if trainable(*weight));
    // Whether the value of a node depends on a layer, itself included.
    let mut depends = vec![false; nodes.len()];
    for (i, op) in nodes.iter().enumerate() {
        depends[i] = is_layer(op) || op.operands().iter().any(|x| depends[x.index()]);
    }
    // Whether a layer depends on the value of a node.
    let mut feeds = vec![false; nodes.len()];
    for (i, op) in nodes.iter().enumerate().rev() {
        if is_layer(op) || feeds[i] {
            op.operands().iter().for_each(|x| feeds[x.index()] = true);
        }
    }
    let mut layers: Vec<NetworkLayer> = vec![];
    for (i, op) in nodes.iter().enumerate() {
        let Op::Affine { weight, bias, x } = op else {
            continue;
        };
        if !trainable(*weight) || layers.iter().any(|l| l.weight == *weight) {
            continue;
        }
        layers.push(NetworkLayer {
            weight: *weight,
            bias: bias.filter(|b| trainable(*b)),
            input: *x,
            is_first: !depends[x.index()],
            is_last: !feeds[i],
        });
    }
    layers
}
