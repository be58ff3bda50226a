//! Vector fields as JSON.

use std::sync::Arc;

use super::graph::{Graph, ParamBlock};
use super::input::InputSignal;
use super::op::{NodeId, Op};
use super::vector_field::VectorField;
use crate::{Error, Result};

/// The saved form of a vector field: its graph, blocks, values and inputs. Other signals are data and are not saved.
#[derive(serde::Serialize, serde::Deserialize)]
struct FieldRepr {
    dof: usize,
    nodes: Vec<Op>,
    output: NodeId,
    blocks: Vec<ParamBlock>,
    #[serde(with = "super::lossless_json")]
    values: Vec<f64>,
    /// Inputs, in the order of the graph's signals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<InputSignal>,
}

impl VectorField {
    /// Returns the field as JSON: graph, blocks, values and inputs.
    ///
    /// # Errors
    /// A synchronised field: its spline is data, not part of a model.
    pub fn to_json(&self) -> Result<String> {
        let saved = FieldRepr::of(self)?;
        serde_json::to_string(&saved).map_err(|e| Error::invalid(e.to_string()))
    }

    /// Reads a field from the JSON of [`Self::to_json`]. Everything is checked again.
    ///
    /// # Errors
    /// Text that is not a saved field.
    pub fn from_json(text: &str) -> Result<Self> {
        let saved: FieldRepr = serde_json::from_str(text)
            .map_err(|e| Error::invalid(format!("not a saved field: {e}")))?;
        saved.field()
    }
}

impl FieldRepr {
    fn of(field: &VectorField) -> Result<Self> {
        field.check_saveable()?;
        Ok(FieldRepr {
            dof: field.dof(),
            nodes: field.nodes().to_vec(),
            output: field.output(),
            blocks: field.blocks().to_vec(),
            values: field.values().to_vec(),
            inputs: field.inputs().map(|(_, input)| input.clone()).collect(),
        })
    }

    fn field(self) -> Result<VectorField> {
        let saved = self;
        let mut graph = Graph::new(saved.dof);
        for block in &saved.blocks {
            let values = block
                .shape
                .iter()
                .try_fold(1usize, |n, d| n.checked_mul(*d))
                .and_then(|n| block.offset.checked_add(n))
                .and_then(|end| saved.values.get(block.offset..end))
                .ok_or_else(|| Error::invalid("not a saved field: values are missing"))?;
            let index = graph.add_block(&block.name, &block.shape, values, block.trainable)?;
            graph.blocks[index].locked = block.locked;
            graph.blocks[index].spec = block.spec;
        }
        for input in saved.inputs {
            graph.signals.push(Arc::new(input));
        }
        for (i, op) in saved.nodes.into_iter().enumerate() {
            if graph.push(op)?.index() != i {
                return Err(Error::invalid(
                    "not a saved field: an operation stands there twice",
                ));
            }
        }
        VectorField::new(graph, saved.output)
    }
}

/// Serialises a field that is part of another value, for serde's `with`.
pub(crate) fn serialize<S: serde::Serializer>(
    field: &VectorField,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let saved = FieldRepr::of(field).map_err(serde::ser::Error::custom)?;
    serde::Serialize::serialize(&saved, serializer)
}

/// Reads a field that is part of another value, for serde's `with`. Everything is checked again.
pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<VectorField, D::Error> {
    let saved: FieldRepr = serde::Deserialize::deserialize(deserializer)?;
    saved.field().map_err(serde::de::Error::custom)
}
