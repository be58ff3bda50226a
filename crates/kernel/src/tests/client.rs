//! A client of a kernel that runs on another thread.

use std::collections::VecDeque;
use std::net::TcpListener;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use odesync_base::Result;
use odesync_script::script::SessionOptions;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use zeromq::util::PeerIdentity;
use zeromq::{
    DealerSocket, ReqSocket, Socket, SocketOptions, SocketRecv, SocketSend, SubSocket, ZmqMessage,
};

use crate::connection::Connection;
use crate::message::{Message, Signer};

/// Time after which an answer is missed. Tests wait only where a kernel does not answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The channels of a kernel to which a client sends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum To {
    Shell,
    Control,
    Stdin,
}

/// A client and its kernel.
pub struct Client {
    runtime: Runtime,
    shell: DealerSocket,
    control: DealerSocket,
    stdin: DealerSocket,
    iopub: SubSocket,
    pub heartbeat: ReqSocket,
    pub signer: Signer,
    /// What came on iopub and was not asked for yet.
    published: VecDeque<Message>,
    /// The kernel's thread, for the client that started it.
    kernel: Option<JoinHandle<Result<()>>>,
    pub connection: Connection,
    pub folder: TempDir,
}

/// Writes a connection file; local sockets lie beside it.
fn write_connection_file(folder: &Path, transport: &str) -> std::path::PathBuf {
    let listeners: Vec<TcpListener> = (0..5)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let port = |at: usize| listeners[at].local_addr().unwrap().port();
    let ip = match transport {
        "tcp" => "127.0.0.1".to_string(),
        _ => folder.join("socket").display().to_string(),
    };
    let file = folder.join("connection.json");
    let connection = json!({
        "shell_port": port(0), "iopub_port": port(1), "stdin_port": port(2), "control_port": port(3), "hb_port": port(4),
        "ip": ip, "transport": transport, "key": "a key", "signature_scheme": "hmac-sha256",
    });
    std::fs::write(&file, connection.to_string()).unwrap();
    file
}

impl Client {
    /// Starts a kernel and connects to it.
    pub fn start() -> Self {
        Self::start_over(if cfg!(unix) { "ipc" } else { "tcp" })
    }

    pub fn start_over(transport: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = write_connection_file(folder.path(), transport);
        let connection = Connection::read(&file).unwrap();
        let kernel = std::thread::spawn(move || {
            crate::run(
                &file,
                SessionOptions {
                    memory_limit: Some(usize::MAX),
                    ..SessionOptions::default()
                },
            )
        });
        Self::connect(connection, "client", Some(kernel), folder)
    }

    /// Connects another client to the kernel.
    pub fn join(&self, name: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::connect(self.connection.clone(), name, None, folder)
    }

    fn connect(
        connection: Connection,
        name: &'static str,
        kernel: Option<JoinHandle<Result<()>>>,
        folder: TempDir,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        // The same identity on all channels, by which a question finds the client that runs the cell.
        let dealer = || {
            let mut options = SocketOptions::default();
            let identity: PeerIdentity = Bytes::from_static(name.as_bytes()).try_into().unwrap();
            options.peer_identity(identity);
            DealerSocket::with_options(options)
        };
        let mut client = Self {
            shell: dealer(),
            control: dealer(),
            stdin: dealer(),
            iopub: runtime.block_on(async { SubSocket::new() }),
            heartbeat: ReqSocket::new(),
            runtime,
            signer: Signer::new(&connection.key),
            published: VecDeque::new(),
            kernel,
            connection: connection.clone(),
            folder,
        };
        client.runtime.block_on(async {
            for (socket, address) in [
                (&mut client.shell, &connection.shell),
                (&mut client.control, &connection.control),
                (&mut client.stdin, &connection.stdin),
            ] {
                socket.connect(address).await.unwrap();
            }
            client.iopub.subscribe("").await.unwrap();
            client.iopub.connect(&connection.iopub).await.unwrap();
            client
                .heartbeat
                .connect(&connection.heartbeat)
                .await
                .unwrap();
        });
        client.wait_published("iopub_welcome");
        client
    }

    /// Sends frames as they are.
    pub fn send_frames(&mut self, to: To, frames: Vec<Bytes>) {
        let socket = match to {
            To::Shell => &mut self.shell,
            To::Control => &mut self.control,
            To::Stdin => &mut self.stdin,
        };
        let message = ZmqMessage::try_from(frames).unwrap();
        self.runtime.block_on(socket.send(message)).unwrap();
    }

    /// Sends a request, and returns its header.
    pub fn send(&mut self, to: To, msg_type: &str, content: Value) -> Value {
        let message = Message::new("client", msg_type, content, &json!({}));
        let header = message.header.clone();
        self.send_frames(to, message.encode(&self.signer));
        header
    }

    /// Waits for the next message on a channel. What is published meanwhile is kept, since a kernel waits for a client that does not
    /// read.
    pub fn receive(&mut self, from: To) -> Message {
        let socket = match from {
            To::Shell => &mut self.shell,
            To::Control => &mut self.control,
            To::Stdin => &mut self.stdin,
        };
        let (iopub, published, signer) = (&mut self.iopub, &mut self.published, &self.signer);
        let decode = |frames: ZmqMessage| {
            Message::decode(frames.into_vec(), signer).expect("the kernel signs")
        };
        self.runtime.block_on(async {
            let receive = async {
                loop {
                    tokio::select! {
                        message = socket.recv() => return decode(message.unwrap()),
                        message = iopub.recv() => published.push_back(decode(message.unwrap())),
                    }
                }
            };
            let received = tokio::time::timeout(PATIENCE, receive).await;
            received.unwrap_or_else(|_| panic!("nothing came from {from:?}"))
        })
    }

    /// Waits for the next message on iopub.
    pub fn receive_published(&mut self) -> Message {
        let frames = self.runtime.block_on(async {
            let received = tokio::time::timeout(PATIENCE, self.iopub.recv()).await;
            received.expect("nothing was published").unwrap()
        });
        Message::decode(frames.into_vec(), &self.signer).expect("the kernel signs")
    }

    /// Waits for a published message of this type; what comes before it is dropped.
    pub fn wait_published(&mut self, msg_type: &str) -> Message {
        loop {
            let next = self.published.pop_front();
            let message = next.unwrap_or_else(|| self.receive_published());
            if message.msg_type() == msg_type {
                return message;
            }
        }
    }

    /// Returns what is published for a request, up to its `idle`; other messages stay for later.
    pub fn published_for(&mut self, header: &Value) -> Vec<Message> {
        let mut own = Vec::new();
        let mut others = VecDeque::new();
        loop {
            let next = self.published.pop_front();
            let message = next.unwrap_or_else(|| self.receive_published());
            if message.parent_header["msg_id"] != header["msg_id"] {
                others.push_back(message);
                continue;
            }
            let idle = message.content["execution_state"] == "idle";
            own.push(message);
            if idle {
                others.append(&mut self.published);
                self.published = others;
                return own;
            }
        }
    }

    /// Sends a request on the shell channel, and returns the content of its reply with what was published.
    pub fn ask(&mut self, msg_type: &str, content: Value) -> (Value, Vec<Message>) {
        let header = self.send(To::Shell, msg_type, content);
        let reply = self.receive(To::Shell);
        assert_eq!(reply.parent_header, header, "{}", reply.msg_type());
        (reply.content, self.published_for(&header))
    }

    /// Executes a cell.
    pub fn run(&mut self, code: &str) -> (Value, Vec<Message>) {
        self.ask("execute_request", cell(code))
    }

    /// Executes a cell and returns the text of its value.
    pub fn value(&mut self, code: &str) -> String {
        let (reply, published) = self.run(code);
        assert_eq!(reply["status"], "ok", "{code}: {reply}");
        let value = published.iter().find(|m| m.msg_type() == "execute_result");
        let value = value.unwrap_or_else(|| panic!("{code} has no value"));
        value.content["data"]["text/plain"].as_str().unwrap().into()
    }

    /// Sends a word over the heartbeat and returns what comes back.
    pub fn beat(&mut self, word: &'static str) -> Bytes {
        let heartbeat = &mut self.heartbeat;
        self.runtime.block_on(async {
            heartbeat.send(word.into()).await.unwrap();
            let back = tokio::time::timeout(PATIENCE, heartbeat.recv()).await;
            back.expect("no heartbeat").unwrap().into_vec().remove(0)
        })
    }

    /// Shuts the kernel down, and returns the reply.
    pub fn shut_down(&mut self) -> Value {
        self.send(To::Control, "shutdown_request", json!({ "restart": true }));
        // Replies to earlier requests may still be there.
        let mut reply = self.receive(To::Control);
        while reply.msg_type() != "shutdown_reply" {
            reply = self.receive(To::Control);
        }
        let kernel = self.kernel.take().unwrap();
        kernel.join().unwrap().unwrap();
        reply.content
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.kernel.is_some() && !std::thread::panicking() {
            self.shut_down();
        }
    }
}

/// The content of a request to execute a cell.
pub fn cell(code: &str) -> Value {
    json!({
        "code": code, "silent": false, "store_history": true, "user_expressions": {}, "allow_stdin": true, "stop_on_error": true,
    })
}

/// The text of a stream, all messages together.
pub fn stream(published: &[Message], name: &str) -> String {
    published
        .iter()
        .filter(|m| m.msg_type() == "stream" && m.content["name"] == name)
        .filter_map(|m| m.content["text"].as_str())
        .collect()
}
