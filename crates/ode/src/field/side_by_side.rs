//! Several fields as one.

use super::graph::Graph;
use super::op::{NodeId, Op};
use super::vector_field::VectorField;
use crate::{Error, Result};

impl VectorField {
    /// Puts fields side by side: the state is that of the first field, then that of the second, and so on, and so are the
    /// derivatives; none sees another. A solve of it solves all of them on the same steps. Parameters have their field's label before
    /// their name, `seed_1.layers.0.weight`.
    ///
    /// ```
    /// use odesync_ode::{dynamics, field::VectorField};
    /// let (prey, other) = (dynamics::lotka_volterra()?, dynamics::van_der_pol()?);
    /// let both = VectorField::side_by_side(&[("a", &prey), ("b", &other)])?;
    /// assert_eq!(both.dof(), 4);
    /// let du = both.derivative(0.0, &[1.0, 2.0, 3.0, 4.0])?;
    /// assert_eq!(du[..2], prey.derivative(0.0, &[1.0, 2.0])?);
    /// assert_eq!(du[2..], other.derivative(0.0, &[3.0, 4.0])?);
    /// # Ok::<(), odesync_ode::Error>(())
    /// ```
    ///
    /// # Errors
    /// No field; two with the same label; more than a graph can hold.
    pub fn side_by_side(fields: &[(&str, &VectorField)]) -> Result<VectorField> {
        if fields.is_empty() {
            return Err(Error::invalid("there is no field to put side by side"));
        }
        let mut all = Graph::new(fields.iter().map(|(_, field)| field.dof()).sum());
        let state = all.push(Op::State)?;
        let (mut outputs, mut first) = (vec![], 0);
        for (label, field) in fields {
            let graph = field.graph_with_values();
            let (blocks, signals) = (all.blocks.len(), all.signals.len());
            for block in &graph.blocks {
                let name = format!("{label}.{}", block.name);
                let values = &graph.values[block.range()];
                let added = all.add_block(&name, &block.shape, values, block.trainable)?;
                all.blocks[added].locked = block.locked;
                all.blocks[added].spec.clone_from(&block.spec);
            }
            all.signals.extend(graph.signals.iter().cloned());
            let mut places: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
            for op in &graph.nodes {
                let moved = match op.with_operands(|id| places[id.index()]) {
                    Op::State => Op::Slice {
                        x: state,
                        start: first,
                        len: graph.dof,
                    },
                    Op::Param(block) => Op::Param(blocks + block),
                    Op::Signal(signal) => Op::Signal(signals + signal),
                    Op::Affine { weight, bias, x } => Op::Affine {
                        weight: blocks + weight,
                        bias: bias.map(|bias| blocks + bias),
                        x,
                    },
                    other => other,
                };
                places.push(all.push(moved)?);
            }
            outputs.push(places[field.output().index()]);
            first += graph.dof;
        }
        let output = all.push(Op::Concat(outputs))?;
        VectorField::new(all, output)
    }
}
