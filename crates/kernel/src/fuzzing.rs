//! The doors through which the fuzz tests come in; not in an ordinary build.

use bytes::Bytes;

use crate::message::{Message, Signer};
use crate::zmtp;

/// Greets a peer that sends these bytes, and reads its messages until it is sent away.
pub fn wire(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let Ok(runtime) = runtime else {
        return;
    };
    let bytes = bytes.to_vec();
    runtime.block_on(async {
        let mut reader: zmtp::Reader = Box::new(std::io::Cursor::new(bytes));
        let mut writer: zmtp::Writer = Box::new(tokio::io::sink());
        let greeted = zmtp::handshake(&mut reader, &mut writer, "ROUTER", &["DEALER", "REQ"]).await;
        if greeted.is_err() {
            return;
        }
        let signer = Signer::new("");
        while let Ok(frames) = zmtp::read_message(&mut reader).await {
            take(frames, &signer);
        }
    });
}

/// Reads a message whose frames these bytes are, with a line between two of them.
pub fn messages(bytes: &[u8]) {
    let mut frames = vec![Bytes::from_static(b"<IDS|MSG>"), Bytes::new()];
    frames.extend(
        bytes
            .split(|byte| *byte == b'\n')
            .map(Bytes::copy_from_slice),
    );
    take(frames, &Signer::new(""));
}

fn take(frames: Vec<Bytes>, signer: &Signer) {
    let Some(message) = Message::decode(frames, signer) else {
        return;
    };
    let mut history = crate::history::History::default();
    history.push(1, "x = 1", Some("1".into()));
    let _ = history.reply(&message.content);
    let code = message.content["code"].as_str().unwrap_or_default();
    let _ = crate::assist::completeness(code);
    let again = Message::decode(message.clone().encode(signer), signer);
    assert_eq!(again.as_ref(), Some(&message));
}
