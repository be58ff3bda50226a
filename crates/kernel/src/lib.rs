//! The Jupyter kernel of the script language: a front end of a [`Session`](odesync_script::script::Session) that speaks Jupyter's
//! messaging protocol, version 5.4.
//!
//! # Map
//!
//! | file | content |
//! |---|---|
//! | [`kernelspec`] | registers the kernel with Jupyter, and takes it away again |
//! | `connection`, `message` | the connection file; messages with their signatures |
//! | `zmtp` | ZeroMQ's wire protocol: listeners, the handshake, frames |
//! | `peers`, `subscribers` | the clients that ask, and those that listen, each with a queue of its own |
//! | `publisher` | what all clients see; lines that follow each other quickly go in one message |
//! | `wire` | the five sockets, on a thread of their own |
//! | `requests` | the queue of requests, in which late values of sliders are recognized |
//! | `kernel` | [`run`]: the threads of a kernel; interrupt and shutdown |
//! | `shell` | the answers to requests |
//! | `execute`, `assist`, `history` | cells; completion and inspection; earlier inputs |
//! | `frontend`, `progress` | what a session shows; trainings in a line that is updated |
//! | `mime` | values as MIME bundles: text, HTML, SVG, LaTeX |
//! | `fuzzing` | what comes through the sockets, for the fuzz tests alone |
//! | `comms`, `widgets` | channels to the notebook's widgets; the sliders of `interact` |
//!
//! Each file uses only those above it, but for `kernel`.

mod assist;
mod comms;
mod connection;
mod context;
mod execute;
mod frontend;
#[cfg(fuzzing)]
pub mod fuzzing;
mod history;
mod kernel;
pub mod kernelspec;
mod lock;
mod message;
mod mime;
mod peers;
mod progress;
mod publisher;
mod requests;
mod shell;
mod subscribers;
#[cfg(test)]
mod tests;
mod widgets;
mod wire;
mod zmtp;

pub use kernel::run;
