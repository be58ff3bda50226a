//! What the threads of a kernel share: whose request is answered now, and whether the user asked to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use odesync_script::script::InterruptHandle;
use serde_json::{Value, json};

use crate::lock::lock;
use crate::message::Message;
use crate::publisher::Publisher;

/// The request that is answered now.
#[derive(Clone)]
pub(crate) struct CurrentRequest {
    /// Header of the request.
    pub header: Arc<Value>,
    /// The request, where its client can be asked for a line of text.
    pub asks: Option<Arc<Message>>,
}

/// State of a kernel that its threads share.
pub(crate) struct Context {
    pub publisher: Publisher,
    current: Mutex<CurrentRequest>,
    interrupt: OnceLock<InterruptHandle>,
    /// Whether code of the session runs.
    busy: AtomicBool,
    /// Whether the user asked to stop since the code began.
    interrupted: AtomicBool,
}

impl Context {
    pub fn new(publisher: Publisher) -> Self {
        let header = Arc::new(json!({}));
        Self {
            publisher,
            current: Mutex::new(CurrentRequest { header, asks: None }),
            interrupt: OnceLock::new(),
            busy: AtomicBool::new(false),
            interrupted: AtomicBool::new(false),
        }
    }

    /// Sets the handle by which the session is stopped; later calls do nothing.
    pub fn set_interrupt(&self, handle: InterruptHandle) {
        let _ = self.interrupt.set(handle);
    }

    /// Begins the answer to a request: what is shown from now on belongs to it.
    pub fn begin(&self, request: &Message, asks: bool) {
        *lock(&self.current) = CurrentRequest {
            header: Arc::new(request.header.clone()),
            asks: asks.then(|| Arc::new(request.clone())),
        };
    }

    /// Returns the request that is answered now.
    pub fn current(&self) -> CurrentRequest {
        lock(&self.current).clone()
    }

    /// Publishes a message that belongs to the current request.
    pub fn publish(&self, msg_type: &str, content: Value) {
        let header = self.current().header;
        self.publisher.publish(msg_type, content, &header);
    }

    /// Runs code of the session, which an interrupt stops. A request to stop that came before is withdrawn.
    pub fn run<T>(&self, code: impl FnOnce() -> T) -> T {
        self.interrupted.store(false, Ordering::SeqCst);
        if let Some(handle) = self.interrupt.get() {
            handle.clear();
        }
        self.busy.store(true, Ordering::SeqCst);
        let result = code();
        self.busy.store(false, Ordering::SeqCst);
        result
    }

    /// Stops the code that runs; does nothing where none does.
    pub fn interrupt(&self) {
        if self.busy.load(Ordering::SeqCst) {
            self.interrupted.store(true, Ordering::SeqCst);
            if let Some(handle) = self.interrupt.get() {
                handle.stop();
            }
        }
    }

    /// Returns whether the user asked to stop the code that runs, or that ran last.
    pub fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }
}
