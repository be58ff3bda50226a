//! The front end of a kernel's session: what it shows goes to the clients.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use odesync_script::script::{DisplayedValue, Frontend, Interaction};
use odesync_train::progress::ProgressSink;
use odesync_train::training::Callback;
use serde_json::json;

use crate::context::Context;
use crate::lock::lock;
use crate::mime;
use crate::progress::{CountLine, TrainingLine};
use crate::widgets::Widgets;
use crate::wire::Channel;

/// Time between two looks for an interrupt while the user is asked.
const ASKING_INTERVAL: Duration = Duration::from_millis(50);

/// The front end of the kernel's session.
pub(crate) struct KernelFrontend {
    pub context: Arc<Context>,
    pub widgets: Arc<Mutex<Widgets>>,
    /// The picture of an interaction that is being drawn, as HTML.
    pub drawing: Mutex<Option<String>>,
    pub stdin: Channel,
    /// The lines that users have typed.
    pub lines: Mutex<Receiver<String>>,
}

impl KernelFrontend {
    fn write(&self, stream: &'static str, text: &str) {
        if let Some(picture) = lock(&self.drawing).as_mut() {
            mime::push_line(picture, text);
            return;
        }
        let parent = self.context.current().header;
        let line = format!("{text}\n");
        self.context.publisher.print(stream, line, &parent);
    }
}

impl Frontend for KernelFrontend {
    fn print(&self, text: &str) -> io::Result<()> {
        self.write("stdout", text);
        Ok(())
    }

    fn note(&self, text: &str) {
        self.write("stderr", text);
    }

    fn display(&self, display: &DisplayedValue) -> io::Result<()> {
        if let Some(picture) = lock(&self.drawing).as_mut() {
            picture.push_str(&mime::html(display));
            return Ok(());
        }
        let content = mime::bundle(display).content();
        self.context.publish("display_data", content);
        Ok(())
    }

    fn shows_cards(&self) -> bool {
        true
    }

    fn read_line(&self, prompt: &str) -> io::Result<String> {
        let Some(request) = self.context.current().asks else {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "nobody can be asked: this cell was sent without a keyboard, as nbconvert does",
            ));
        };
        let lines = lock(&self.lines);
        // An answer to an earlier question, which was interrupted.
        while lines.try_recv().is_ok() {}
        let question = json!({ "prompt": prompt, "password": false });
        self.stdin.reply(&request, "input_request", question);
        loop {
            match lines.recv_timeout(ASKING_INTERVAL) {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Timeout) if self.context.interrupted() => {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
            }
        }
    }

    fn interact(&self, interaction: &Interaction) -> io::Result<bool> {
        lock(&self.widgets).open(&self.context, interaction);
        Ok(true)
    }

    fn begin_drawing(&self, _interaction: u64) {
        *lock(&self.drawing) = Some(String::new());
    }

    fn end_drawing(&self, interaction: u64, drawn: Option<&DisplayedValue>) {
        let mut picture = lock(&self.drawing).take().unwrap_or_default();
        if let Some(value) = drawn {
            picture.push_str(&mime::html(value));
        }
        lock(&self.widgets).set_picture(&self.context, interaction, &picture);
    }

    fn abandon_drawing(&self, interaction: u64) {
        // What was printed before the error belongs to the cell then.
        let printed = lock(&self.drawing).take().unwrap_or_default();
        lock(&self.widgets).close_unshown(&self.context, interaction);
        if !printed.is_empty() {
            let mut bundle = mime::Bundle::text("what was printed before the error");
            bundle.insert("text/html", printed.into());
            self.context.publish("display_data", bundle.content());
        }
    }

    fn progress(&self, label: &str) -> Box<dyn Callback> {
        Box::new(TrainingLine::new(&self.context, label))
    }

    fn progress_bar(&self, label: &str, unit: &'static str) -> Box<dyn ProgressSink> {
        Box::new(CountLine::new(&self.context, label, unit))
    }
}
