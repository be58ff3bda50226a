//! Messages of Jupyter's protocol as the frames of a socket: identities, a delimiter, a signature, four parts in JSON, buffers.

use bytes::Bytes;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

/// The frame between the identities of a message and its signature.
const DELIMITER: &[u8] = b"<IDS|MSG>";

/// The version of the protocol.
pub(crate) const PROTOCOL_VERSION: &str = "5.4";

/// A message. The parts are JSON as it came: what a client adds to a header comes back to it whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    /// The route back to the sender, or the topic of what is published.
    pub identities: Vec<Bytes>,
    pub header: Value,
    pub parent_header: Value,
    pub metadata: Value,
    pub content: Value,
    pub buffers: Vec<Bytes>,
}

impl Message {
    /// Makes a message of a session. `parent` is the header of the request that it belongs to, `{}` where there is none.
    pub fn new(session: &str, msg_type: &str, content: Value, parent: &Value) -> Self {
        Self {
            identities: Vec::new(),
            header: json!({
                "msg_id": Uuid::new_v4().to_string(),
                "session": session,
                "username": "kernel",
                // Clients read up to six digits of a second.
                "date": format!("{:.6}", jiff::Timestamp::now()),
                "msg_type": msg_type,
                "version": PROTOCOL_VERSION,
            }),
            parent_header: parent.clone(),
            metadata: json!({}),
            content,
            buffers: Vec::new(),
        }
    }

    /// Returns the type of the message; empty where the header has none.
    pub fn msg_type(&self) -> &str {
        self.header["msg_type"].as_str().unwrap_or_default()
    }

    /// Reads a message from its frames; `None` for one that is cut short, no JSON, or signed with another key.
    pub fn decode(frames: Vec<Bytes>, signer: &Signer) -> Option<Self> {
        let delimiter = frames.iter().position(|frame| &frame[..] == DELIMITER)?;
        let mut frames = frames.into_iter();
        let identities: Vec<Bytes> = frames.by_ref().take(delimiter).collect();
        let mut rest = frames.skip(1);
        let signature = rest.next()?;
        let parts = [rest.next()?, rest.next()?, rest.next()?, rest.next()?];
        if !signer.verify(&parts, &signature) {
            return None;
        }
        let object = |part: &Bytes| {
            let value: Value = serde_json::from_slice(part).ok()?;
            value.is_object().then_some(value)
        };
        let [header, parent_header, metadata, content] = &parts;
        let message = Self {
            identities,
            header: object(header)?,
            parent_header: object(parent_header)?,
            metadata: object(metadata)?,
            content: object(content)?,
            buffers: rest.collect(),
        };
        (!message.msg_type().is_empty()).then_some(message)
    }

    /// Returns the frames of the message.
    pub fn encode(self, signer: &Signer) -> Vec<Bytes> {
        let parts = [
            &self.header,
            &self.parent_header,
            &self.metadata,
            &self.content,
        ]
        .map(|part| Bytes::from(part.to_string()));
        let signature = signer.sign(&parts);
        let mut frames = self.identities;
        frames.push(Bytes::from_static(DELIMITER));
        frames.push(Bytes::from(signature));
        frames.extend(parts);
        frames.extend(self.buffers);
        frames
    }
}

/// The key of signatures; without one nothing is signed.
#[derive(Clone)]
pub(crate) struct Signer(Option<Hmac<Sha256>>);

impl Signer {
    pub fn new(key: &str) -> Self {
        // A key of any length is accepted, so this does not fail.
        let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok();
        Self(mac.filter(|_| !key.is_empty()))
    }

    fn mac(&self, parts: &[Bytes; 4]) -> Option<Hmac<Sha256>> {
        let mut mac = self.0.clone()?;
        parts.iter().for_each(|part| mac.update(part));
        Some(mac)
    }

    /// Returns the signature of the four parts in hexadecimal digits; empty without a key.
    fn sign(&self, parts: &[Bytes; 4]) -> String {
        let Some(mac) = self.mac(parts) else {
            return String::new();
        };
        let bytes = mac.finalize().into_bytes();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns whether the signature is that of the parts. The comparison takes the same time wherever two signatures differ.
    fn verify(&self, parts: &[Bytes; 4], signature: &[u8]) -> bool {
        match self.mac(parts) {
            None => true,
            Some(mac) => from_hex(signature).is_some_and(|bytes| mac.verify_slice(&bytes).is_ok()),
        }
    }
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(digits).ok()?;
    if text.len() % 2 != 0 || !text.is_ascii() {
        return None;
    }
    let byte = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let mut message = Message::new("s", "execute_request", json!({ "code": "λ" }), &json!({}));
        message.identities = vec![Bytes::from_static(b"me")];
        message.buffers = vec![Bytes::from_static(&[0, 255])];
        message
    }

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        // Test case 2 of RFC 4231, its data in four parts.
        let parts =
            [&b"what do ya "[..], b"want ", b"for ", b"nothing?"].map(Bytes::copy_from_slice);
        assert_eq!(
            Signer::new("Jefe").sign(&parts),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_message_comes_back_as_it_was_sent() {
        for key in ["", "secret"] {
            let signer = Signer::new(key);
            let sent = message();
            assert_eq!(
                Message::decode(sent.clone().encode(&signer), &signer),
                Some(sent)
            );
        }
    }

    #[test]
    fn what_is_forged_changed_or_cut_short_is_no_message() {
        let signer = Signer::new("secret");
        let frames = message().encode(&signer);
        assert_eq!(
            Message::decode(message().encode(&Signer::new("other")), &signer),
            None
        );
        assert_eq!(
            Message::decode(message().encode(&Signer::new("")), &signer),
            None
        );
        for n in 0..frames.len() - 1 {
            assert_eq!(
                Message::decode(frames[..n].to_vec(), &signer),
                None,
                "{n} frames"
            );
        }
        for at in 2..7 {
            let mut changed = frames.clone();
            let mut bytes = changed[at].to_vec();
            bytes[0] ^= 1;
            changed[at] = bytes.into();
            assert_eq!(Message::decode(changed, &signer), None, "frame {at}");
        }
        // Signed well, and no message.
        let none = Signer::new("");
        for at in 3..7 {
            for bad in ["", "[]", "{", "null", "\u{fffd}"] {
                let mut frames = message().encode(&none);
                frames[at] = bad.into();
                assert_eq!(
                    Message::decode(frames, &none),
                    None,
                    "{bad:?} in frame {at}"
                );
            }
        }
    }
}
