//! The messages of ONNX that a graph needs, in the wire format of protocol buffers: each field is a key, its number and how it is
//! stored, and its value.

/// Number of the element type of float64 in ONNX.
pub(super) const DOUBLE: u64 = 11;
/// Number of the element type of 64-bit integers in ONNX.
pub(super) const INT64: u64 = 7;

/// A message under construction.
#[derive(Debug, Clone, Default)]
pub(super) struct ProtoMessage(Vec<u8>);

impl ProtoMessage {
    /// Returns the bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Appends a number in groups of 7 bits, lowest first.
    fn varint(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push((n as u8) | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    /// Adds a whole number.
    pub fn number(mut self, field: u64, n: u64) -> Self {
        self.varint(field << 3);
        self.varint(n);
        self
    }

    /// Adds bytes.
    pub fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    /// Adds a text.
    pub fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    /// Adds a message.
    pub fn message(self, field: u64, message: &ProtoMessage) -> Self {
        self.bytes(field, &message.0)
    }
}

/// Returns a tensor (`TensorProto`) of this element type from its bytes.
pub(super) fn tensor(name: &str, dims: &[usize], element: u64, bytes: &[u8]) -> ProtoMessage {
    let message = dims
        .iter()
        .fold(ProtoMessage::default(), |m, n| m.number(1, *n as u64));
    message.number(2, element).text(8, name).bytes(9, bytes)
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
            Dimension::Fixed(n) => ProtoMessage::default().number(1, *n as u64),
        };
        shape.message(1, &dim)
    });
    let tensor = ProtoMessage::default().number(1, DOUBLE).message(2, &shape);
    let kind = ProtoMessage::default().message(1, &tensor);
    ProtoMessage::default().text(1, name).message(2, &kind)
}

/// An attribute of a node.
pub(super) enum Attribute {
    /// A whole number.
    Int(&'static str, u64),
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
            Attribute::Int(name, n) => ProtoMessage::default()
                .text(1, name)
                .number(3, *n)
                .number(20, 2),
            Attribute::Tensor(name, tensor) => ProtoMessage::default()
                .text(1, name)
                .message(5, tensor)
                .number(20, 4),
        };
        m.message(5, &attribute)
    })
}
