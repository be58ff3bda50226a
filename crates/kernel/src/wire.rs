//! The five sockets of a kernel, on a thread of their own.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::mpsc::{self, Receiver};

use odesync_base::{Error, Result};

use crate::connection::Connection;
use crate::message::{Message, Signer};
use crate::peers::{Peers, Receive, heartbeat};
use crate::publisher::{Published, Publisher, Sending};
use crate::subscribers::Subscribers;
use crate::zmtp::Listener;

/// Number of published messages that wait to be sent before those who make them have to wait too.
const QUEUE_LENGTH: usize = 1000;

/// Time for which a kernel that ends stays, so that what it has sent reaches its clients.
const LINGER: Duration = Duration::from_millis(100);

/// Time between two looks for the process that started the kernel.
const PARENT_CHECK: Duration = Duration::from_secs(1);

/// What is done with the messages of one socket.
pub(crate) type OnMessage = Box<dyn Fn(Message) + Send + Sync>;

/// What is done with messages that come in. The functions are called on the wire's thread and must not wait.
pub(crate) struct Receivers {
    pub shell: OnMessage,
    pub control: OnMessage,
    pub stdin: OnMessage,
    /// Called for SIGINT.
    pub interrupt: Box<dyn Fn() + Send>,
    /// Called for SIGTERM, and when the process that started the kernel is gone.
    pub terminate: Box<dyn Fn() + Send>,
}

/// The handle of one socket, by which messages are sent from any thread.
#[derive(Clone)]
pub(crate) struct Channel {
    peers: Peers,
    signer: Signer,
    session: Arc<str>,
}

impl Channel {
    /// Sends the reply to a request.
    pub fn reply(&self, request: &Message, msg_type: &str, content: serde_json::Value) {
        let mut reply = Message::new(&self.session, msg_type, content, &request.header);
        reply.identities = request.identities.clone();
        self.peers.send(&reply.encode(&self.signer));
    }
}

/// The running wire. When the publishers that it gave away are dropped, the thread sends what is left, and ends.
pub(crate) struct Wire {
    pub publisher: Publisher,
    pub shell: Channel,
    pub control: Channel,
    pub stdin: Channel,
    pub thread: JoinHandle<()>,
}

struct Listeners {
    shell: Listener,
    control: Listener,
    stdin: Listener,
    iopub: Listener,
    heartbeat: Listener,
}

impl Listeners {
    async fn bind(connection: &Connection) -> Result<Self> {
        Ok(Self {
            shell: bind(&connection.shell).await?,
            control: bind(&connection.control).await?,
            stdin: bind(&connection.stdin).await?,
            iopub: bind(&connection.iopub).await?,
            heartbeat: bind(&connection.heartbeat).await?,
        })
    }
}

async fn bind(address: &str) -> Result<Listener> {
    Listener::bind(address).await.map_err(|error| {
        Error::invalid(format!(
            "the kernel cannot listen at {address}: {error}; start it anew, so that Jupyter chooses other ports"
        ))
    })
}

/// Opens the sockets and starts their thread.
///
/// # Errors
/// An address at which the kernel cannot listen.
pub(crate) fn start(connection: &Connection, receivers: Receivers) -> Result<Wire> {
    let session: Arc<str> = uuid::Uuid::new_v4().to_string().into();
    let signer = Signer::new(&connection.key);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::invalid(format!("the kernel cannot use sockets: {error}")))?;
    let (publish, published) = mpsc::channel(QUEUE_LENGTH);
    let channel_of = |peers: &Peers| Channel {
        peers: peers.clone(),
        signer: signer.clone(),
        session: Arc::clone(&session),
    };
    let peers = [Peers::default(), Peers::default(), Peers::default()];
    let [shell, control, stdin] = [0, 1, 2].map(|at| channel_of(&peers[at]));
    let (ready, bound) = channel();
    let address = connection.clone();
    let outgoing = Outgoing {
        peers,
        published,
        signer: signer.clone(),
        session: Arc::clone(&session),
    };
    let thread = std::thread::Builder::new()
        .name("jupyter".into())
        .spawn(move || match runtime.block_on(Listeners::bind(&address)) {
            Ok(listeners) => {
                // The receiver waits below.
                let _ = ready.send(Ok(()));
                serve(&runtime, listeners, receivers, outgoing);
            }
            Err(error) => {
                let _ = ready.send(Err(error));
            }
        })
        .map_err(|error| Error::invalid(format!("the system refuses a thread: {error}")))?;
    let gone = |_| Error::invalid("the kernel's thread of sockets has ended");
    bound.recv().map_err(gone)??;
    Ok(Wire {
        publisher: Publisher::new(publish, session),
        shell,
        control,
        stdin,
        thread,
    })
}

/// What leaves the kernel: by the clients of the sockets shell, control and stdin, and by iopub.
struct Outgoing {
    peers: [Peers; 3],
    published: Receiver<Published>,
    signer: Signer,
    session: Arc<str>,
}

fn serve(runtime: &Runtime, listeners: Listeners, receivers: Receivers, outgoing: Outgoing) {
    runtime.block_on(async move {
        tokio::spawn(heartbeat(listeners.heartbeat));
        tokio::spawn(signals(receivers.interrupt, receivers.terminate));
        let Outgoing {
            peers: [shell, control, stdin],
            published,
            signer,
            session,
        } = outgoing;
        for (peers, listener, receiver) in [
            (shell, listeners.shell, receivers.shell),
            (control, listeners.control, receivers.control),
            (stdin, listeners.stdin, receivers.stdin),
        ] {
            tokio::spawn(peers.serve(listener, decode(receiver, &signer)));
        }
        let (subscriptions, subscribed) = mpsc::unbounded_channel();
        let subscribers = Subscribers::default();
        tokio::spawn(subscribers.clone().serve(listeners.iopub, subscriptions));
        let sending = Sending {
            subscribers,
            subscriptions: subscribed,
            signer,
            session,
        };
        sending.run(published).await;
        tokio::time::sleep(LINGER).await;
    });
}

/// Returns what takes the frames that come in. What is no message, or not signed with the key, is none of the kernel's business.
fn decode(receiver: OnMessage, signer: &Signer) -> Receive {
    let signer = signer.clone();
    Arc::new(move |frames| {
        if let Some(message) = Message::decode(frames, &signer) {
            receiver(message);
        }
    })
}

/// Waits for signals, and for the end of the process that started the kernel.
async fn signals(interrupt: Box<dyn Fn() + Send>, terminate: Box<dyn Fn() + Send>) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut interrupts), Ok(mut terminations)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        ) else {
            return;
        };
        let parent =
            std::env::var_os("JPY_PARENT_PID").map(|_| std::os::unix::process::parent_id());
        let mut check = tokio::time::interval(PARENT_CHECK);
        loop {
            tokio::select! {
                _ = interrupts.recv() => interrupt(),
                _ = terminations.recv() => terminate(),
                _ = check.tick() => {
                    if parent.is_some_and(|before| before != std::os::unix::process::parent_id()) {
                        terminate();
                    }
                }
            }
        }
    }
    #[cfg(not(unix))]
    {
        let _ = terminate;
        while tokio::signal::ctrl_c().await.is_ok() {
            interrupt();
        }
    }
}
