//! Messages of protocol buffers, written field by field: each field is a key, its number and how it is stored, and its value.
//! Source: Protocol Buffers, encoding (protobuf.dev).

use std::borrow::Borrow;

/// How a field is stored.
#[derive(Clone, Copy)]
enum WireType {
    Varint = 0,
    Bits64 = 1,
    Bytes = 2,
    Bits32 = 5,
}

/// A message that is being written.
///
/// ```
/// use odesync_base::protobuf::ProtoMessage;
/// let message = ProtoMessage::default().int(1, 150).text(2, "abc");
/// assert_eq!(message.into_bytes(), [0x08, 0x96, 0x01, 0x12, 3, b'a', b'b', b'c']);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProtoMessage(Vec<u8>);

impl ProtoMessage {
    /// Returns the bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Appends a number in groups of 7 bits, lowest first.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, field: u32, wire: WireType) {
        self.varint(u64::from(field) << 3 | wire as u64);
    }

    /// Adds a field of a whole number.
    #[must_use]
    pub fn int(mut self, field: u32, value: i64) -> Self {
        self.key(field, WireType::Varint);
        // Negative numbers have ten bytes, as two's complement.
        self.varint(value as u64);
        self
    }

    /// Adds a field of a float64.
    #[must_use]
    pub fn double(mut self, field: u32, value: f64) -> Self {
        self.key(field, WireType::Bits64);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Adds a field of a float32.
    #[must_use]
    pub fn float(mut self, field: u32, value: f32) -> Self {
        self.key(field, WireType::Bits32);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Adds a field of bytes.
    #[must_use]
    pub fn bytes(mut self, field: u32, value: &[u8]) -> Self {
        self.key(field, WireType::Bytes);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    /// Adds a field of text.
    #[must_use]
    pub fn text(self, field: u32, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    /// Adds a field that is a message.
    #[must_use]
    pub fn message(self, field: u32, value: impl Borrow<ProtoMessage>) -> Self {
        self.bytes(field, &value.borrow().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_the_bytes_of_the_published_encoding() {
        let bytes = |message: ProtoMessage| message.into_bytes();
        let new = ProtoMessage::default;
        assert_eq!(bytes(new().text(2, "testing")), b"\x12\x07testing".to_vec());
        assert_eq!(
            bytes(new().message(3, new().int(1, 150))),
            [0x1a, 0x03, 0x08, 0x96, 0x01]
        );
        assert_eq!(
            bytes(new().int(1, -2)),
            [
                8, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01
            ]
        );
        assert_eq!(bytes(new().float(2, 1.0)), [0x15, 0, 0, 0x80, 0x3f]);
        assert_eq!(bytes(new().double(1, -2.0)), [9, 0, 0, 0, 0, 0, 0, 0, 0xc0]);
        // A field number above 15 takes two bytes.
        assert_eq!(bytes(new().int(20, 2)), [0xa0, 0x01, 2]);
    }
}
