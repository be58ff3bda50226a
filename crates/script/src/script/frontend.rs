//! What a front end is: the receiver of everything that a session shows while it evaluates.
//!
//! Another front end is a type with [`Frontend`], handed over in [`SessionOptions::output`](super::SessionOptions::output). Only
//! [`Frontend::print`] must be written; what stands for a value in it, and how an evaluation ended, is the
//! [`Outcome`](super::Outcome).

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use odesync_plot::Panel;
use odesync_train::progress::{ProgressCounter, ProgressSink, TrainProgress};
use odesync_train::training::Callback;

/// A value in the richest form it has.
#[derive(Debug, Clone)]
pub enum DisplayData {
    /// Text of one line or several.
    Text(String),
    /// A picture; as SVG, PNG or text it comes by the methods of [`Panel`].
    Figure(Box<Panel>),
}

impl DisplayData {
    /// The value as text without control sequences; a figure is a plot of characters.
    pub fn text(&self) -> String {
        match self {
            DisplayData::Text(text) => text.clone(),
            DisplayData::Figure(figure) => match figure.to_text(COLUMNS, ROWS, false) {
                Ok(text) => text,
                Err(error) => error.to_string(),
            },
        }
    }
}

/// Characters of a line, and lines, of a figure as text.
const COLUMNS: usize = 80;
const ROWS: usize = 24;

/// The receiver of what a session shows. It is called from the session's thread, and from those of its trainings.
pub trait Frontend: Send + Sync {
    /// What the script prints, without the end of the line.
    ///
    /// # Errors
    /// One of kind `BrokenPipe` ends the script quietly, another with an error.
    fn print(&self, text: &str) -> io::Result<()>;

    /// A remark on the way, such as "wrote runs/a.svg". The default drops it.
    fn note(&self, _text: &str) {}

    /// A value that the script asks to be shown, by `show`. The default prints it as text.
    ///
    /// # Errors
    /// As [`Frontend::print`].
    fn display(&self, display: &DisplayData) -> io::Result<()> {
        self.print(display.text().trim_end())
    }

    /// The listener of a training that begins, which shows its progress; `label` tells trainings apart, and is often empty. The
    /// default writes to standard error: a bar on a terminal, else a line every so often.
    fn progress(&self, label: &str) -> Box<dyn Callback> {
        Box::new(TrainProgress::with_label(label))
    }

    /// The listener of another long computation that begins, of many parts that are called `unit` ("landscape", "points"), which
    /// shows how many are done. The default does as that of [`Frontend::progress`].
    fn progress_bar(&self, label: &str, unit: &'static str) -> Box<dyn ProgressSink> {
        Box::new(ProgressCounter::new(label, unit))
    }
}

/// A front end that is shared by the session and whoever made it.
#[derive(Clone)]
pub struct Output(pub(super) Arc<dyn Frontend>);

impl Output {
    /// Everything goes to `frontend`.
    pub fn new(frontend: impl Frontend + 'static) -> Self {
        Self(Arc::new(frontend))
    }

    /// Lines to standard output, notes and progress to standard error.
    pub fn terminal() -> Self {
        Self::new(StdStreams)
    }

    /// Every line is appended to the string that is handed back: what is printed and what is noted, in order.
    pub fn captured() -> (Self, Arc<Mutex<String>>) {
        let text = Arc::new(Mutex::new(String::new()));
        (Self::new(CapturedOutput(Arc::clone(&text))), text)
    }
}

/// The standard streams.
struct StdStreams;

impl Frontend for StdStreams {
    fn print(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.write_all(b"\n")?;
        out.flush()
    }

    fn note(&self, text: &str) {
        // A closed standard error must not end a run.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

struct CapturedOutput(Arc<Mutex<String>>);

impl Frontend for CapturedOutput {
    fn print(&self, text: &str) -> io::Result<()> {
        self.note(text);
        Ok(())
    }

    fn note(&self, text: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_str(text);
        all.push('\n');
    }

    fn progress(&self, _label: &str) -> Box<dyn Callback> {
        Box::new(())
    }

    fn progress_bar(&self, _label: &str, _unit: &'static str) -> Box<dyn ProgressSink> {
        Box::new(())
    }
}
