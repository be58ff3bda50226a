//! Components of nodes.

use odesync_ode::field::{NodeId, Op, VectorField};

/// Returns the node and component that component `i` of a node is a copy of: slices and concatenations are looked through.
pub(super) fn origin(field: &VectorField, mut id: NodeId, mut i: usize) -> (NodeId, usize) {
    loop {
        match &field.nodes()[id.index()] {
            Op::Slice { x, start, .. } => (id, i) = (*x, start + i),
            Op::Concat(parts) => {
                for part in parts {
                    let n = field.node_len(*part);
                    if i < n {
                        id = *part;
                        break;
                    }
                    i -= n;
                }
            }
            _ => return (id, i),
        }
    }
}
