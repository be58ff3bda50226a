//! What all clients of a kernel see: outputs, states, comms.
//!
//! Outputs wait in one queue in the order in which they were made. Printed lines that follow each other within some milliseconds
//! go in one message, since a client takes about as long for a short message as for a long one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::Instant;
use zeromq::{SocketRecv, SocketSend, XPubSocket, ZmqMessage};

use crate::message::{Message, Signer};

/// Time for which printed text waits for more of it.
const GATHERING_TIME: Duration = Duration::from_millis(20);

/// Time for which a message waits for a client that does not read.
const SENDING_TIME: Duration = Duration::from_secs(5);

/// Number of bytes of printed text that do not wait.
const MAX_GATHERED: usize = 1 << 16;

/// Something to publish.
pub(crate) enum Published {
    Message(Box<Message>),
    Text(PrintedText),
}

/// Text of a stream, `stdout` or `stderr`.
pub(crate) struct PrintedText {
    stream: &'static str,
    text: String,
    parent: Arc<Value>,
}

/// The handle by which every thread of a kernel publishes. Where the queue is full, it waits: a script that prints for ever then
/// prints as fast as its client reads.
#[derive(Clone)]
pub(crate) struct Publisher {
    queue: Sender<Published>,
    session: Arc<str>,
}

impl Publisher {
    pub fn new(queue: Sender<Published>, session: Arc<str>) -> Self {
        Self { queue, session }
    }

    /// Publishes a message; `parent` is the header of the request that it belongs to.
    pub fn publish(&self, msg_type: &str, content: Value, parent: &Value) {
        self.publish_with(msg_type, content, json!({}), parent);
    }

    /// Publishes a message with metadata.
    pub fn publish_with(&self, msg_type: &str, content: Value, metadata: Value, parent: &Value) {
        let mut message = Message::new(&self.session, msg_type, content, parent);
        message.identities = vec![Bytes::copy_from_slice(msg_type.as_bytes())];
        message.metadata = metadata;
        self.send(Published::Message(Box::new(message)));
    }

    /// Publishes text of a stream, `stdout` or `stderr`.
    pub fn print(&self, stream: &'static str, text: String, parent: &Arc<Value>) {
        let parent = Arc::clone(parent);
        self.send(Published::Text(PrintedText {
            stream,
            text,
            parent,
        }));
    }

    fn send(&self, published: Published) {
        // It fails only while the kernel ends, when nobody is there to see it.
        let _ = self.queue.blocking_send(published);
    }
}

/// Sends what is published to the clients until the last [`Publisher`] is gone.
pub(crate) async fn publish_all(
    mut socket: XPubSocket,
    mut queue: Receiver<Published>,
    signer: Signer,
    session: Arc<str>,
) {
    let mut gathered: Option<(PrintedText, Instant)> = None;
    loop {
        let due = gathered.as_ref().map(|(_, due)| *due);
        let wait = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            published = queue.recv() => match published {
                None => break,
                Some(Published::Message(message)) => {
                    flush(&mut socket, &mut gathered, &signer, &session).await;
                    send(&mut socket, *message, &signer).await;
                }
                Some(Published::Text(text)) => {
                    let continues = gathered.as_mut().filter(|(before, _)| {
                        before.stream == text.stream
                            && Arc::ptr_eq(&before.parent, &text.parent)
                            && before.text.len() < MAX_GATHERED
                    });
                    match continues {
                        Some((before, _)) => before.text.push_str(&text.text),
                        None => {
                            flush(&mut socket, &mut gathered, &signer, &session).await;
                            gathered = Some((text, Instant::now() + GATHERING_TIME));
                        }
                    }
                }
            },
            () = wait => flush(&mut socket, &mut gathered, &signer, &session).await,
            event = socket.recv() => {
                if let Some(topic) = event.ok().as_ref().and_then(subscription) {
                    welcome(&mut socket, &topic, &signer, &session).await;
                }
            }
        }
    }
    flush(&mut socket, &mut gathered, &signer, &session).await;
}

async fn flush(
    socket: &mut XPubSocket,
    gathered: &mut Option<(PrintedText, Instant)>,
    signer: &Signer,
    session: &str,
) {
    if let Some((text, _)) = gathered.take() {
        let content = json!({ "name": text.stream, "text": text.text });
        let mut message = Message::new(session, "stream", content, &text.parent);
        message.identities = vec![Bytes::from_static(b"stream")];
        send(socket, message, signer).await;
    }
}

async fn send(socket: &mut XPubSocket, message: Message, signer: &Signer) {
    if let Ok(message) = ZmqMessage::try_from(message.encode(signer)) {
        // It fails for clients that have gone. One that does not read any more must not keep the kernel from ending.
        let _ = tokio::time::timeout(SENDING_TIME, socket.send(message)).await;
    }
}

/// Returns the topic of a client that has just subscribed.
fn subscription(event: &ZmqMessage) -> Option<Bytes> {
    let frame = event.get(0)?;
    (frame.first() == Some(&1)).then(|| frame.slice(1..))
}

/// Tells a client that it is subscribed: from now on it misses nothing (JEP 65).
async fn welcome(socket: &mut XPubSocket, topic: &Bytes, signer: &Signer, session: &str) {
    let subscription = String::from_utf8_lossy(topic);
    let content = json!({ "subscription": subscription });
    let mut message = Message::new(session, "iopub_welcome", content, &json!({}));
    message.identities = vec![topic.clone()];
    send(socket, message, signer).await;
}
