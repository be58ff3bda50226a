//! A running kernel: its threads, interrupts, and its end.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use odesync_base::{Error, Result};
use odesync_script::editing::SymbolTable;
use odesync_script::script::{Frontend, Output, Session, SessionOptions};
use serde_json::json;

use crate::connection::Connection;
use crate::context::Context;
use crate::frontend::KernelFrontend;
use crate::history::History;
use crate::lock::lock;
use crate::message::Message;
use crate::requests::Requests;
use crate::shell::{Shell, kernel_info, request_error};
use crate::widgets::Widgets;
use crate::wire::{self, Channel, Receivers};

/// Time that code which does not react to an interrupt gets before the process ends without it.
const SHUTDOWN_TIME: Duration = Duration::from_secs(2);

/// What the control thread is told.
enum Control {
    Request(Box<Message>),
    Terminate,
}

/// The end of a kernel, from whatever thread it comes.
struct Ending {
    requests: Arc<Requests>,
    ended: AtomicBool,
}

/// Runs a kernel until its client shuts it down. `options` are those of its session; their output and whether it is interactive
/// are replaced.
///
/// Code that does not react to an interrupt cannot keep the process: it ends two seconds after the request to shut down.
///
/// # Errors
/// A connection file that cannot be used, an address that is taken, a session that cannot start.
pub fn run(connection_file: &Path, options: SessionOptions) -> Result<()> {
    let connection = Connection::read(connection_file)?;
    let requests = Arc::new(Requests::default());
    let (control, controls) = channel();
    let (typed, lines) = channel();
    let stop: Arc<Mutex<Option<Arc<Context>>>> = Arc::default();
    let (queue, terminate, interrupted) =
        (Arc::clone(&requests), control.clone(), Arc::clone(&stop));
    let wire = wire::start(
        &connection,
        Receivers {
            shell: Box::new(move |request| queue.push(request)),
            control: Box::new(move |request| {
                // The control thread ends with the kernel.
                let _ = control.send(Control::Request(Box::new(request)));
            }),
            stdin: Box::new(move |reply| {
                if reply.msg_type() == "input_reply" {
                    let line = reply.content["value"].as_str().unwrap_or_default();
                    let _ = typed.send(line.to_string());
                }
            }),
            interrupt: Box::new(move || {
                if let Some(context) = lock(&interrupted).as_ref() {
                    context.interrupt();
                }
            }),
            terminate: Box::new(move || {
                let _ = terminate.send(Control::Terminate);
            }),
        },
    )?;
    let context = Arc::new(Context::new(wire.publisher.clone()));
    *lock(&stop) = Some(Arc::clone(&context));
    context.publish("status", json!({ "execution_state": "starting" }));
    let widgets = Arc::new(Mutex::new(Widgets::default()));
    let frontend = Arc::new(KernelFrontend {
        context: Arc::clone(&context),
        widgets: Arc::clone(&widgets),
        drawing: Mutex::new(None),
        stdin: wire.stdin,
        lines: Mutex::new(lines),
    });
    let session = Session::new(SessionOptions {
        interactive: true,
        output: Output::shared(Arc::clone(&frontend) as Arc<dyn Frontend>),
        ..options
    })
    .map_err(|error| Error::invalid(error.to_string()))?;
    context.set_interrupt(session.interrupt());
    let ending = Arc::new(Ending {
        requests: Arc::clone(&requests),
        ended: AtomicBool::new(false),
    });
    let answers = (wire.control, Arc::clone(&context), Arc::clone(&ending));
    std::thread::Builder::new()
        .name("control".into())
        .spawn(move || serve_control(&controls, &answers.0, &answers.1, &answers.2))
        .map_err(|error| Error::invalid(format!("the system refuses a thread: {error}")))?;
    let mut shell = Shell {
        context,
        channel: wire.shell,
        session,
        frontend,
        widgets,
        requests,
        history: History::default(),
        symbols: SymbolTable::default(),
        count: 0,
    };
    shell.serve();
    ending.ended.store(true, Ordering::SeqCst);
    // The handles go first, so that the wire sends what is left and ends.
    drop(shell);
    drop(wire.publisher);
    *lock(&stop) = None;
    wait_for(|| wire.thread.is_finished());
    Ok(())
}

/// Waits until something holds, but not longer than the time of a shutdown.
fn wait_for(holds: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while !holds() {
        if begun.elapsed() > SHUTDOWN_TIME {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Answers the requests that do not wait for the code that runs.
fn serve_control(
    controls: &Receiver<Control>,
    channel: &Channel,
    context: &Arc<Context>,
    ending: &Ending,
) {
    while let Ok(control) = controls.recv() {
        let request = match control {
            Control::Request(request) => request,
            Control::Terminate => return end(context, ending),
        };
        let header = &request.header;
        let status = |state: &str| {
            let content = json!({ "execution_state": state });
            context.publisher.publish("status", content, header);
        };
        status("busy");
        match request.msg_type() {
            "interrupt_request" => {
                context.interrupt();
                channel.reply(&request, "interrupt_reply", json!({ "status": "ok" }));
            }
            "shutdown_request" => {
                let restart = request.content["restart"].as_bool().unwrap_or(false);
                let content = json!({ "status": "ok", "restart": restart });
                channel.reply(&request, "shutdown_reply", content.clone());
                context.publisher.publish("shutdown_reply", content, header);
                status("idle");
                return end(context, ending);
            }
            "kernel_info_request" => channel.reply(&request, "kernel_info_reply", kernel_info()),
            unknown => {
                if let Some(name) = unknown.strip_suffix("_request") {
                    let error = request_error(&format!("this kernel does not know {unknown}"));
                    channel.reply(&request, &format!("{name}_reply"), error);
                }
            }
        }
        status("idle");
    }
}

/// Ends the kernel: no further request is answered, and the code that runs is stopped.
fn end(context: &Context, ending: &Ending) {
    ending.requests.close();
    context.interrupt();
    if !wait_for(|| ending.ended.load(Ordering::SeqCst)) {
        std::process::exit(0);
    }
}
