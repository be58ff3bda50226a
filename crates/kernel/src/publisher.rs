//! What all clients of a kernel see: outputs, states, comms.
//!
//! Outputs wait in one queue in the order in which they were made. Printed lines that follow each other within some milliseconds
//! go in one message, since a client takes about as long for a short message as for a long one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver};
use tokio::time::Instant;

use crate::message::{Message, Signer};
use crate::subscribers::{Subscriber, Subscribers};

/// Time for which printed text waits for more of it.
const GATHERING_TIME: Duration = Duration::from_millis(20);

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

/// What sends messages to the clients.
pub(crate) struct Sending {
    pub subscribers: Subscribers,
    /// Clients that have just subscribed, each with the topic.
    pub subscriptions: UnboundedReceiver<(Arc<Subscriber>, Bytes)>,
    pub signer: Signer,
    pub session: Arc<str>,
}

impl Sending {
    /// Sends what is published until the last [`Publisher`] is gone.
    pub async fn run(mut self, mut queue: Receiver<Published>) {
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
                        self.flush(&mut gathered).await;
                        self.send(*message).await;
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
                                self.flush(&mut gathered).await;
                                gathered = Some((text, Instant::now() + GATHERING_TIME));
                            }
                        }
                    }
                },
                () = wait => self.flush(&mut gathered).await,
                Some((subscriber, topic)) = self.subscriptions.recv() => {
                    self.welcome(&subscriber, topic).await;
                }
            }
        }
        self.flush(&mut gathered).await;
        self.subscribers.close().await;
    }

    async fn flush(&self, gathered: &mut Option<(PrintedText, Instant)>) {
        if let Some((text, _)) = gathered.take() {
            let content = json!({ "name": text.stream, "text": text.text });
            let mut message = Message::new(&self.session, "stream", content, &text.parent);
            message.identities = vec![Bytes::from_static(b"stream")];
            self.send(message).await;
        }
    }

    async fn send(&self, message: Message) {
        self.subscribers.send(&message.encode(&self.signer)).await;
    }

    /// Tells a client that it is subscribed: from now on it misses nothing (JEP 65).
    async fn welcome(&self, subscriber: &Subscriber, topic: Bytes) {
        let content = json!({ "subscription": String::from_utf8_lossy(&topic) });
        let mut message = Message::new(&self.session, "iopub_welcome", content, &json!({}));
        message.identities = vec![topic];
        subscriber.send(&message.encode(&self.signer)).await;
    }
}
