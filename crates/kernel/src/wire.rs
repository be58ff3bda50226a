//! The five sockets of a kernel, on a thread of their own.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::mpsc::{self, Receiver, Sender};
use zeromq::{
    RepSocket, RouterRecvHalf, RouterSendHalf, RouterSocket, Socket, SocketRecv, SocketSend,
    XPubSocket, ZmqMessage,
};

use odesync_base::{Error, Result};

use crate::connection::Connection;
use crate::message::{Message, Signer};
use crate::publisher::{self, Published, Publisher};

/// Number of messages that wait to be sent before those who make them have to wait too.
const QUEUE_LENGTH: usize = 1000;

/// Time for which a kernel that ends stays, so that what it has sent reaches its clients.
const LINGER: Duration = Duration::from_millis(100);

/// Time before a socket is used again on which a client has gone.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(10);

/// Time between two looks for the process that started the kernel.
const PARENT_CHECK: Duration = Duration::from_secs(1);

/// What is done with messages that come in. The functions are called on the wire's thread and must not wait.
pub(crate) struct Receivers {
    pub shell: Box<dyn Fn(Message) + Send>,
    pub control: Box<dyn Fn(Message) + Send>,
    pub stdin: Box<dyn Fn(Message) + Send>,
    /// Called for SIGINT.
    pub interrupt: Box<dyn Fn() + Send>,
    /// Called for SIGTERM, and when the process that started the kernel is gone.
    pub terminate: Box<dyn Fn() + Send>,
}

/// The handle of one socket, to which messages are sent from any thread.
#[derive(Clone)]
pub(crate) struct Channel {
    queue: Sender<Message>,
    session: Arc<str>,
}

impl Channel {
    /// Sends the reply to a request.
    pub fn reply(&self, request: &Message, msg_type: &str, content: serde_json::Value) {
        let mut reply = Message::new(&self.session, msg_type, content, &request.header);
        reply.identities = request.identities.clone();
        // It fails only while the kernel ends.
        let _ = self.queue.blocking_send(reply);
    }
}

/// The running wire. When it and the handles that it gave away are dropped, the thread sends what is left, and ends.
pub(crate) struct Wire {
    pub publisher: Publisher,
    pub shell: Channel,
    pub control: Channel,
    pub stdin: Channel,
    pub thread: JoinHandle<()>,
}

struct Sockets {
    shell: RouterSocket,
    control: RouterSocket,
    stdin: RouterSocket,
    iopub: XPubSocket,
    heartbeat: RepSocket,
}

impl Sockets {
    async fn bind(connection: &Connection) -> Result<Self> {
        let mut sockets = Self {
            shell: RouterSocket::new(),
            control: RouterSocket::new(),
            stdin: RouterSocket::new(),
            iopub: XPubSocket::new(),
            heartbeat: RepSocket::new(),
        };
        bind(&mut sockets.shell, &connection.shell).await?;
        bind(&mut sockets.control, &connection.control).await?;
        bind(&mut sockets.stdin, &connection.stdin).await?;
        bind(&mut sockets.iopub, &connection.iopub).await?;
        bind(&mut sockets.heartbeat, &connection.heartbeat).await?;
        Ok(sockets)
    }
}

async fn bind(socket: &mut impl Socket, address: &str) -> Result<()> {
    if let Some(path) = address.strip_prefix("ipc://") {
        remove_stale(Path::new(path));
    }
    let bound = socket.bind(address).await;
    bound.map(drop).map_err(|error| {
        Error::invalid(format!(
            "the kernel cannot listen at {address}: {error}; start it anew, so that Jupyter chooses other ports"
        ))
    })
}

/// Removes the file of a local socket that a kernel before a restart has left. A socket that answers is left alone.
fn remove_stale(path: &Path) {
    #[cfg(unix)]
    if std::os::unix::fs::FileTypeExt::is_socket(
        &match std::fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(_) => return,
        }
        .file_type(),
    ) && std::os::unix::net::UnixStream::connect(path).is_err()
    {
        // Where it fails, binding says why.
        let _ = std::fs::remove_file(path);
    }
    #[cfg(not(unix))]
    let _ = path;
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
    let (shell, shell_queue) = mpsc::channel(QUEUE_LENGTH);
    let (control, control_queue) = mpsc::channel(QUEUE_LENGTH);
    let (stdin, stdin_queue) = mpsc::channel(QUEUE_LENGTH);
    let queues = Queues {
        published,
        shell: shell_queue,
        control: control_queue,
        stdin: stdin_queue,
    };
    let (ready, bound) = channel();
    let address = connection.clone();
    let name = Arc::clone(&session);
    let thread = std::thread::Builder::new()
        .name("jupyter".into())
        .spawn(move || {
            let sockets = runtime.block_on(Sockets::bind(&address));
            match sockets {
                Ok(sockets) => {
                    // The receiver waits below.
                    let _ = ready.send(Ok(()));
                    serve(&runtime, sockets, queues, receivers, signer, name);
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                }
            }
        })
        .map_err(|error| Error::invalid(format!("the system refuses a thread: {error}")))?;
    let gone = |_| Error::invalid("the kernel's thread of sockets has ended");
    bound.recv().map_err(gone)??;
    let channel = |queue| Channel {
        queue,
        session: Arc::clone(&session),
    };
    Ok(Wire {
        publisher: Publisher::new(publish, Arc::clone(&session)),
        shell: channel(shell),
        control: channel(control),
        stdin: channel(stdin),
        thread,
    })
}

struct Queues {
    published: Receiver<Published>,
    shell: Receiver<Message>,
    control: Receiver<Message>,
    stdin: Receiver<Message>,
}

fn serve(
    runtime: &Runtime,
    sockets: Sockets,
    queues: Queues,
    receivers: Receivers,
    signer: Signer,
    session: Arc<str>,
) {
    runtime.block_on(async move {
        tokio::spawn(heartbeat(sockets.heartbeat));
        tokio::spawn(signals(receivers.interrupt, receivers.terminate));
        let mut senders = Vec::new();
        for (socket, receiver, queue) in [
            (sockets.shell, receivers.shell, queues.shell),
            (sockets.control, receivers.control, queues.control),
            (sockets.stdin, receivers.stdin, queues.stdin),
        ] {
            let (sending, receiving) = socket.split();
            tokio::spawn(receive_all(receiving, receiver, signer.clone()));
            senders.push(tokio::spawn(send_all(sending, queue, signer.clone())));
        }
        let iopub = publisher::publish_all(sockets.iopub, queues.published, signer, session);
        iopub.await;
        for sender in senders {
            // A task that panicked has nothing left to send.
            let _ = sender.await;
        }
        tokio::time::sleep(LINGER).await;
    });
}

async fn receive_all(
    mut socket: RouterRecvHalf,
    receiver: Box<dyn Fn(Message) + Send>,
    signer: Signer,
) {
    loop {
        match socket.recv().await {
            // What is no message, or not signed with the key, is none of the kernel's business.
            Ok(frames) => {
                if let Some(message) = Message::decode(frames.into_vec(), &signer) {
                    receiver(message);
                }
            }
            Err(_) => tokio::time::sleep(PAUSE_AFTER_ERROR).await,
        }
    }
}

async fn send_all(mut socket: RouterSendHalf, mut queue: Receiver<Message>, signer: Signer) {
    while let Some(message) = queue.recv().await {
        if let Ok(message) = ZmqMessage::try_from(message.encode(&signer)) {
            // It fails for a client that has gone.
            let _ = socket.send(message).await;
        }
    }
}

/// Sends back what comes, by which a client sees that the kernel lives.
async fn heartbeat(mut socket: RepSocket) {
    loop {
        let sent = match socket.recv().await {
            Ok(message) => socket.send(message).await,
            Err(error) => Err(error),
        };
        if sent.is_err() {
            // A client has gone; another may come.
            tokio::time::sleep(PAUSE_AFTER_ERROR).await;
        }
    }
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
