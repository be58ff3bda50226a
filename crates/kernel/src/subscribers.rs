//! The clients that listen to what a kernel publishes (ZeroMQ's XPUB): each has a queue of its own and a task that empties it.
//!
//! A queue holds a bounded number of bytes. Where one is full, the kernel waits while its client reads, however slowly, so that nothing
//! is lost; a client that has read nothing for some time is sent away, so that it holds up nobody else. It may come back, as
//! ZeroMQ's sockets do by themselves.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use crate::lock::lock;
use crate::zmtp::{self, Listener, Reader, Writer};

/// Number of bytes that wait for a client before the kernel waits for it.
const QUEUE_BYTES: usize = 1 << 25;

/// Time after which a client that reads nothing of what waits is sent away.
const PATIENCE: Duration = Duration::from_secs(2);

/// Time between two looks whether a client still reads.
const CHECK: Duration = Duration::from_millis(100);

/// Time that clients get to read what waits when a kernel ends.
const CLOSING_TIME: Duration = Duration::from_secs(1);

/// Number of topics of one client that are still remembered.
const MAX_TOPICS: usize = 1000;

/// A message on its way: its bytes, and the room in the queue that they take.
type Waiting = (Vec<Bytes>, OwnedSemaphorePermit);

/// Where subscriptions are reported: who, and which topic.
pub(crate) type Subscriptions = UnboundedSender<(Arc<Subscriber>, Bytes)>;

/// A client that listens.
pub(crate) struct Subscriber {
    topics: Mutex<Vec<Bytes>>,
    queue: UnboundedSender<Waiting>,
    room: Arc<Semaphore>,
    /// When it took something last.
    taken: Mutex<Instant>,
    gone: AtomicBool,
    leave: Notify,
}

impl Subscriber {
    fn wants(&self, topic: &[u8]) -> bool {
        lock(&self.topics).iter().any(|own| topic.starts_with(own))
    }

    /// Puts a message into the queue, and waits for room in it as long as the client reads.
    pub async fn send(&self, frames: &[Bytes]) {
        let pieces = zmtp::encode(frames);
        let bytes: usize = pieces.iter().map(Bytes::len).sum();
        // A message that is larger than the queue takes all of it.
        let room = u32::try_from(bytes.min(QUEUE_BYTES)).unwrap_or(u32::MAX);
        while !self.gone.load(Ordering::SeqCst) {
            let permit = Arc::clone(&self.room).acquire_many_owned(room);
            match timeout(CHECK, permit).await {
                Ok(Ok(permit)) => {
                    // It fails for a client that has just gone.
                    let _ = self.queue.send((pieces, permit));
                    return;
                }
                Ok(Err(_)) => return,
                Err(_) if lock(&self.taken).elapsed() > PATIENCE => self.send_away(),
                Err(_) => {}
            }
        }
    }

    fn send_away(&self) {
        self.gone.store(true, Ordering::SeqCst);
        self.leave.notify_one();
    }
}

/// The clients that listen.
#[derive(Clone, Default)]
pub(crate) struct Subscribers(Arc<Mutex<Vec<Arc<Subscriber>>>>);

impl Subscribers {
    fn all(&self) -> Vec<Arc<Subscriber>> {
        let mut all = lock(&self.0);
        all.retain(|subscriber| !subscriber.gone.load(Ordering::SeqCst));
        all.clone()
    }

    /// Sends a message to all who want its topic, which is its first frame.
    pub async fn send(&self, frames: &[Bytes]) {
        let Some(topic) = frames.first() else {
            return;
        };
        for subscriber in self.all() {
            if subscriber.wants(topic) {
                subscriber.send(frames).await;
            }
        }
    }

    /// Waits until all have taken what waits for them, but not for long.
    pub async fn close(&self) {
        let taken = async {
            let waits = |s: &Arc<Subscriber>| s.room.available_permits() < QUEUE_BYTES;
            while self.all().iter().any(waits) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        // Those that do not read lose it.
        let _ = timeout(CLOSING_TIME, taken).await;
    }

    /// Lets clients in until the runtime ends. Each subscription is reported: who, and which topic.
    pub async fn serve(self, listener: Listener, subscriptions: Subscriptions) {
        zmtp::serve(
            listener,
            "XPUB",
            &["SUB", "XSUB"],
            move |reader, writer, _| {
                let (all, subscriptions) = (self.clone(), subscriptions.clone());
                async move { all.attend(reader, writer, &subscriptions).await }
            },
        )
        .await;
    }

    async fn attend(&self, mut reader: Reader, mut writer: Writer, subscriptions: &Subscriptions) {
        let (queue, waiting) = mpsc::unbounded_channel();
        let subscriber = Arc::new(Subscriber {
            topics: Mutex::default(),
            queue,
            room: Arc::new(Semaphore::new(QUEUE_BYTES)),
            taken: Mutex::new(Instant::now()),
            gone: AtomicBool::new(false),
            leave: Notify::new(),
        });
        lock(&self.0).push(Arc::clone(&subscriber));
        tokio::select! {
            () = subscribe_all(&mut reader, &subscriber, subscriptions) => {}
            () = write_all(&mut writer, waiting, &subscriber) => {}
            () = subscriber.leave.notified() => {}
        }
        subscriber.gone.store(true, Ordering::SeqCst);
        // Who waits for room finds that there is nobody any more.
        subscriber.room.close();
    }
}

/// Takes the subscriptions of a client until it goes.
async fn subscribe_all(
    reader: &mut Reader,
    subscriber: &Arc<Subscriber>,
    subscriptions: &Subscriptions,
) {
    while let Ok(frames) = zmtp::read_message(reader).await {
        let [frame] = &frames[..] else {
            continue;
        };
        match frame.first() {
            Some(1) if lock(&subscriber.topics).len() < MAX_TOPICS => {
                let topic = frame.slice(1..);
                lock(&subscriber.topics).push(topic.clone());
                // It fails only while the kernel ends.
                let _ = subscriptions.send((Arc::clone(subscriber), topic));
            }
            Some(0) => {
                let mut topics = lock(&subscriber.topics);
                if let Some(at) = topics.iter().position(|own| own[..] == frame[1..]) {
                    topics.remove(at);
                }
            }
            _ => {}
        }
    }
}

/// Writes what waits for a client until it goes.
async fn write_all(
    writer: &mut Writer,
    mut waiting: UnboundedReceiver<Waiting>,
    subscriber: &Subscriber,
) {
    while let Some((pieces, room)) = waiting.recv().await {
        let taken = || *lock(&subscriber.taken) = Instant::now();
        // Until now there was nothing to take.
        taken();
        if zmtp::write(writer, pieces, taken).await.is_err() {
            return;
        }
        drop(room);
    }
}
