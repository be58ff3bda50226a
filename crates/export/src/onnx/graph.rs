//! A graph of ONNX under construction.

use std::collections::HashMap;

use super::protobuf::{Attribute, DOUBLE, INT64, float_bytes, int_bytes, node, tensor};
use odesync_base::protobuf::ProtoMessage;

/// Version of ONNX's operators.
const OPERATORS: i64 = 17;
/// Version of ONNX's format that goes with them.
const FORMAT: i64 = 8;

/// Nodes and constant tensors; values are known by their names.
#[derive(Debug, Default)]
pub(super) struct OnnxGraph {
    nodes: Vec<ProtoMessage>,
    tensors: Vec<ProtoMessage>,
    /// Names of the tensors of one number, by its bits.
    numbers: HashMap<u64, String>,
    next: usize,
}

impl OnnxGraph {
    fn name(&mut self) -> String {
        self.next += 1;
        format!("x{}", self.next)
    }

    /// Adds a node and returns the name of its output.
    pub fn op(&mut self, op: &str, inputs: &[&str]) -> String {
        self.op_with(op, inputs, &[])
    }

    /// Adds a node with attributes and returns the name of its output.
    pub fn op_with(&mut self, op: &str, inputs: &[&str], attributes: &[Attribute]) -> String {
        let name = self.name();
        self.nodes.push(node(op, inputs, &name, attributes));
        name
    }

    /// Adds a node whose output has this name.
    pub fn output(&mut self, x: &str, name: &str) {
        self.nodes.push(node("Identity", &[x], name, &[]));
    }

    /// Adds a constant tensor of float64 numbers.
    pub fn tensor(&mut self, dims: &[usize], values: &[f64]) -> String {
        let name = self.name();
        self.named_tensor(&name, dims, values);
        name
    }

    /// Adds a constant tensor of float64 numbers under this name.
    pub fn named_tensor(&mut self, name: &str, dims: &[usize], values: &[f64]) {
        self.tensors
            .push(tensor(name, dims, DOUBLE, &float_bytes(values)));
    }

    /// Returns the constant tensor of one number, which is broadcast.
    pub fn number(&mut self, x: f64) -> String {
        if let Some(name) = self.numbers.get(&x.to_bits()) {
            return name.clone();
        }
        let name = self.tensor(&[], &[x]);
        self.numbers.insert(x.to_bits(), name.clone());
        name
    }

    /// Adds a constant list of whole numbers.
    pub fn ints(&mut self, values: &[i64]) -> String {
        let name = self.name();
        self.tensors
            .push(tensor(&name, &[values.len()], INT64, &int_bytes(values)));
        name
    }

    /// Returns the value of an operator of two operands, the second of which is a number.
    pub fn with_number(&mut self, op: &str, x: &str, y: f64) -> String {
        let y = self.number(y);
        self.op(op, &[x, &y])
    }

    /// Converts true and false to 1 and 0.
    pub fn number_of_condition(&mut self, condition: &str) -> String {
        self.op_with("Cast", &[condition], &[Attribute::Int("to", DOUBLE)])
    }

    /// Returns the model (`ModelProto`) with these inputs and outputs.
    pub fn into_model(
        self,
        inputs: &[ProtoMessage],
        outputs: &[ProtoMessage],
        about: &str,
    ) -> Vec<u8> {
        let each = |m: ProtoMessage, field: u32, items: &[ProtoMessage]| {
            items.iter().fold(m, |m, item| m.message(field, item))
        };
        let graph = each(ProtoMessage::default(), 1, &self.nodes).text(2, "field");
        let graph = each(graph, 5, &self.tensors);
        let graph = each(each(graph, 11, inputs), 12, outputs);
        let operators = ProtoMessage::default().text(1, "").int(2, OPERATORS);
        ProtoMessage::default()
            .int(1, FORMAT)
            .text(2, "odesync")
            .text(3, env!("CARGO_PKG_VERSION"))
            .text(6, about)
            .message(7, &graph)
            .message(8, &operators)
            .into_bytes()
    }
}
