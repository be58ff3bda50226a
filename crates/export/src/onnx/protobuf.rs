//! The messages of ONNX that a graph needs.

use odesync_base::protobuf::ProtoMessage;

/// Number of the element type of float64 in ONNX.
pub(super) const DOUBLE: i64 = 11;
/// Number of the element type of 64-bit integers in ONNX.
pub(super) const INT64: i64 = 7;

/// Returns a tensor (`TensorProto`) of this element type from its bytes.
pub(super) fn tensor(name: &str, dims: &[usize], element: i64, bytes: &[u8]) -> ProtoMessage {
    let message = dims
        .iter()
        .fold(ProtoMessage::default(), |m, n| m.int(1, *n as i64));
    message.int(2, element).text(8, name).bytes(9, bytes)
}

/// Returns the bytes of float64 numbers.
pub(super) fn float_bytes(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// Returns the bytes of 64-bit integers.
pub(super) fn int_bytes(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// A dimension of an input or output.
pub(super) enum Dimension {
    /// The number of states that are given.
    Batch,
    /// A number that is known.
    Fixed(usize),
}

/// Returns the description (`ValueInfoProto`) of a float64 input or output.
pub(super) fn value_info(name: &str, dims: &[Dimension]) -> ProtoMessage {
    let shape = dims.iter().fold(ProtoMessage::default(), |shape, dim| {
        let dim = match dim {
            Dimension::Batch => ProtoMessage::default().text(2, "batch"),
            Dimension::Fixed(n) => ProtoMessage::default().int(1, *n as i64),
        };
        shape.message(1, &dim)
    });
    let tensor = ProtoMessage::default().int(1, DOUBLE).message(2, &shape);
    let kind = ProtoMessage::default().message(1, &tensor);
    ProtoMessage::default().text(1, name).message(2, &kind)
}

/// An attribute of a node.
pub(super) enum Attribute {
    /// A whole number.
    Int(&'static str, i64),
    /// A tensor.
    Tensor(&'static str, ProtoMessage),
}

/// Returns a node (`NodeProto`).
pub(super) fn node(
    op: &str,
    inputs: &[&str],
    output: &str,
    attributes: &[Attribute],
) -> ProtoMessage {
    let message = inputs
        .iter()
        .fold(ProtoMessage::default(), |m, input| m.text(1, input));
    let message = message.text(2, output).text(4, op);
    attributes.iter().fold(message, |m, attribute| {
        let attribute = match attribute {
            Attribute::Int(name, n) => ProtoMessage::default().text(1, name).int(3, *n).int(20, 2),
            Attribute::Tensor(name, tensor) => ProtoMessage::default()
                .text(1, name)
                .message(5, tensor)
                .int(20, 4),
        };
        m.message(5, &attribute)
    })
}
