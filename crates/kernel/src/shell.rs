//! The answers to requests, one after the other.

use std::sync::{Arc, Mutex};

use jupyter_protocol::{CompleteRequest, ExecuteRequest, InspectRequest, IsCompleteRequest};
use odesync_script::editing::SymbolTable;
use odesync_script::script::{ErrorKind, Session};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::assist;
use crate::comms::{WIDGET_CONTROL_TARGET, WIDGET_TARGET};
use crate::context::Context;
use crate::execute::{self, CellResult};
use crate::frontend::KernelFrontend;
use crate::history::History;
use crate::lock::lock;
use crate::message::{Message, PROTOCOL_VERSION};
use crate::mime;
use crate::requests::Requests;
use crate::widgets::{Redraw, Widgets};
use crate::wire::Channel;
use odesync_script::script::Frontend;

/// Where the functions of the language are described.
const HELP: &str = "https://rhai.rs/book";

/// The part of a kernel that answers requests: the session, and what clients know of it.
pub(crate) struct Shell {
    pub context: Arc<Context>,
    pub channel: Channel,
    pub session: Session,
    pub frontend: Arc<KernelFrontend>,
    pub widgets: Arc<Mutex<Widgets>>,
    pub requests: Arc<Requests>,
    pub history: History,
    pub symbols: SymbolTable,
    /// Number of the last cell.
    pub count: usize,
}

impl Shell {
    /// Answers requests until the queue is closed.
    pub fn serve(&mut self) {
        let requests = Arc::clone(&self.requests);
        while let Some(request) = requests.next() {
            self.answer(&request);
        }
    }

    fn answer(&mut self, request: &Message) {
        let asks = request.content["allow_stdin"].as_bool().unwrap_or(false);
        self.context.begin(request, asks);
        let status = |state: &str| json!({ "execution_state": state });
        self.context.publish("status", status("busy"));
        self.dispatch(request);
        self.context.publish("status", status("idle"));
    }

    fn dispatch(&mut self, request: &Message) {
        match request.msg_type() {
            "kernel_info_request" => self.reply(request, "kernel_info_reply", kernel_info()),
            "execute_request" => self.execute(request),
            "complete_request" => {
                self.answer_typed(request, "complete_reply", |shell, r: CompleteRequest| {
                    assist::complete(shell.symbols(), &r.code, r.cursor_pos)
                })
            }
            "inspect_request" => {
                self.answer_typed(request, "inspect_reply", |shell, r: InspectRequest| {
                    assist::inspection(shell.symbols(), &r.code, r.cursor_pos)
                })
            }
            "is_complete_request" => {
                self.answer_typed(request, "is_complete_reply", |_, r: IsCompleteRequest| {
                    assist::completeness(&r.code)
                });
            }
            "history_request" => {
                let reply = self.history.reply(&request.content);
                let reply = reply.unwrap_or_else(|error| request_error(&error));
                self.reply(request, "history_reply", reply);
            }
            "comm_info_request" => self.comm_info(request),
            "comm_open" => self.comm_open(request),
            "comm_msg" => self.comm_msg(request),
            "comm_close" => self.comm_close(request),
            // Every request gets a reply, so that no client waits for one.
            unknown => {
                if let Some(name) = unknown.strip_suffix("_request") {
                    let text = format!("this kernel does not know {unknown}");
                    self.reply(request, &format!("{name}_reply"), request_error(&text));
                }
            }
        }
    }

    fn reply(&self, request: &Message, msg_type: &str, content: Value) {
        self.channel.reply(request, msg_type, content);
    }

    /// Replies to a request whose content is read as this type; to one that cannot be read, with an error.
    fn answer_typed<T: DeserializeOwned>(
        &mut self,
        request: &Message,
        msg_type: &str,
        answer: impl FnOnce(&mut Self, T) -> Value,
    ) {
        let content = match serde_json::from_value(request.content.clone()) {
            Ok(read) => answer(self, read),
            Err(error) => request_error(&format!("the request cannot be read: {error}")),
        };
        self.reply(request, msg_type, content);
    }

    /// Returns the names that the session knows now.
    fn symbols(&mut self) -> &SymbolTable {
        self.symbols = SymbolTable::of_session(&mut self.session, &self.symbols);
        &self.symbols
    }

    fn execute(&mut self, request: &Message) {
        let mut aborts = false;
        self.answer_typed(request, "execute_reply", |shell, cell: ExecuteRequest| {
            let CellResult {
                reply,
                aborts: stop,
            } = execute::execute(
                &shell.context,
                &mut shell.session,
                &mut shell.history,
                &mut shell.count,
                &cell,
            );
            aborts = stop;
            reply
        });
        if aborts {
            for cell in self.requests.take_cells() {
                self.context.begin(&cell, false);
                self.context
                    .publish("status", json!({ "execution_state": "busy" }));
                self.reply(&cell, "execute_reply", json!({ "status": "aborted" }));
                self.context
                    .publish("status", json!({ "execution_state": "idle" }));
            }
            self.context.begin(request, false);
        }
    }

    fn comm_info(&self, request: &Message) {
        let wanted = request.content["target_name"].as_str().unwrap_or_default();
        let comms = match wanted {
            "" | WIDGET_TARGET => lock(&self.widgets).models.list(),
            _ => json!({}),
        };
        let content = json!({ "status": "ok", "comms": comms });
        self.reply(request, "comm_info_reply", content);
    }

    fn comm_open(&self, request: &Message) {
        // A client opens only the comm by which it asks for the states of all widgets.
        if request.content["target_name"] != WIDGET_CONTROL_TARGET {
            let comm = &request.content["comm_id"];
            self.context
                .publish("comm_close", json!({ "comm_id": comm, "data": {} }));
        }
    }

    fn comm_msg(&mut self, request: &Message) {
        let content = &request.content;
        let comm = content["comm_id"].as_str().unwrap_or_default();
        let data = &content["data"];
        match data["method"].as_str() {
            Some("request_states") => lock(&self.widgets)
                .models
                .send_all_states(&self.context, comm),
            Some("request_state") => lock(&self.widgets).models.send_state(&self.context, comm),
            Some("update") => {
                let redraw = data["state"]
                    .as_object()
                    .and_then(|state| lock(&self.widgets).change(&self.context, comm, state));
                if let Some(redraw) = redraw {
                    self.redraw(redraw);
                }
            }
            _ => {}
        }
    }

    fn comm_close(&mut self, request: &Message) {
        let comm = request.content["comm_id"].as_str().unwrap_or_default();
        let ended = lock(&self.widgets).closed_by_client(comm);
        if let Some(id) = ended {
            self.session.end_interaction(id);
        }
    }

    /// Draws an interaction, unless a newer value of one of its controls waits already.
    fn redraw(&mut self, Redraw { id, values }: Redraw) {
        let is_newer = |request: &Message| {
            let comm = request.content["comm_id"].as_str().unwrap_or_default();
            request.msg_type() == "comm_msg"
                && request.content["data"]["method"] == "update"
                && lock(&self.widgets).is_control_of(id, comm)
        };
        if self.requests.any(is_newer) {
            return;
        }
        self.frontend.begin_drawing(id);
        let session = &mut self.session;
        let result = self.context.run(|| session.run_interaction(id, values));
        match result {
            Ok(outcome) => self.frontend.end_drawing(id, outcome.display().as_ref()),
            Err(error) => {
                let printed = lock(&self.frontend.drawing).take().unwrap_or_default();
                // Who stops a picture keeps the one before.
                if error.kind != ErrorKind::Interrupted {
                    let picture = format!("{printed}{}", mime::pre(&error.to_string()));
                    lock(&self.widgets).set_picture(&self.context, id, &picture);
                }
            }
        }
    }
}

/// Returns the content of a reply to a request that cannot be answered.
pub(crate) fn request_error(text: &str) -> Value {
    json!({ "status": "error", "ename": "RequestError", "evalue": text, "traceback": [] })
}

/// Returns the content of `kernel_info_reply`.
pub(crate) fn kernel_info() -> Value {
    let version = env!("CARGO_PKG_VERSION");
    json!({
        "status": "ok",
        "protocol_version": PROTOCOL_VERSION,
        "implementation": "odesync",
        "implementation_version": version,
        "banner": format!("odesync {version}: Shift-Tab shows what a function does, Tab completes"),
        // rhai's syntax is close to Rust's, and every notebook colours that.
        "language_info": {
            "name": "rhai",
            "version": version,
            "mimetype": "text/x-rustsrc",
            "file_extension": ".rhai",
            "pygments_lexer": "rust",
            "codemirror_mode": "rust",
            "nbconvert_exporter": "script",
        },
        "help_links": [{ "text": "The language rhai", "url": HELP }],
        "debugger": false,
        "supported_features": [],
    })
}
