//! The clients that ask and get answers (ZeroMQ's ROUTER), and the heartbeat (ZeroMQ's REP).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::mpsc::{self, UnboundedSender};

use crate::lock::lock;
use crate::zmtp::{self, Listener, Reader, Writer};

/// What is done with the frames of a message that comes in, of which the first is the sender's identity.
pub(crate) type Receive = Arc<dyn Fn(Vec<Bytes>) + Send + Sync>;

/// The clients of a socket by their identities, each with the queue of what it is sent.
#[derive(Clone, Default)]
pub(crate) struct Peers(Arc<Mutex<HashMap<Bytes, UnboundedSender<Vec<Bytes>>>>>);

impl Peers {
    /// Sends frames to the client whose identity is the first of them. Where it has gone, they are dropped.
    pub fn send(&self, frames: &[Bytes]) {
        if let Some((identity, frames)) = frames.split_first()
            && let Some(queue) = lock(&self.0).get(identity)
        {
            // It fails for a client that has just gone.
            let _ = queue.send(zmtp::encode(frames));
        }
    }

    /// Lets clients in until the runtime ends.
    pub async fn serve(self, listener: Listener, receive: Receive) {
        let types = &["DEALER", "REQ", "ROUTER"];
        zmtp::serve(
            listener,
            "ROUTER",
            types,
            move |reader, writer, identity| {
                let (peers, receive) = (self.clone(), Arc::clone(&receive));
                async move { peers.attend(reader, writer, identity, &receive).await }
            },
        )
        .await;
    }

    async fn attend(
        &self,
        mut reader: Reader,
        mut writer: Writer,
        mut identity: Bytes,
        receive: &Receive,
    ) {
        if identity.is_empty() {
            // One that no client gives itself: theirs do not begin with a zero.
            let own = uuid::Uuid::new_v4();
            identity = [&[0][..], own.as_bytes()].concat().into();
        }
        let (queue, mut waiting) = mpsc::unbounded_channel();
        // A client that comes back under its identity takes the place of the one before.
        lock(&self.0).insert(identity.clone(), queue.clone());
        let read = async {
            while let Ok(mut frames) = zmtp::read_message(&mut reader).await {
                frames.insert(0, identity.clone());
                receive(frames);
            }
        };
        let write = async {
            while let Some(pieces) = waiting.recv().await {
                if zmtp::write(&mut writer, pieces, || {}).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = read => {}
            () = write => {}
        }
        let mut peers = lock(&self.0);
        if peers
            .get(&identity)
            .is_some_and(|own| own.same_channel(&queue))
        {
            peers.remove(&identity);
        }
    }
}

/// Sends back what comes, by which a client sees that the kernel lives.
pub(crate) async fn heartbeat(listener: Listener) {
    let types = &["REQ", "DEALER"];
    zmtp::serve(
        listener,
        "REP",
        types,
        |mut reader, mut writer, _| async move {
            while let Ok(frames) = zmtp::read_message(&mut reader).await {
                let pieces = zmtp::encode(&frames);
                if zmtp::write(&mut writer, pieces, || {}).await.is_err() {
                    return;
                }
            }
        },
    )
    .await;
}
