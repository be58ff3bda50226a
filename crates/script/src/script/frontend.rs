//! The trait of front ends: receivers of everything that a session shows while it evaluates.
//!
//! A new front end is a type that implements [`Frontend`], passed in [`SessionOptions::output`](super::SessionOptions::output).
//! Only [`Frontend::print`] must be implemented; the value of an evaluation is the [`EvalResult`](super::EvalResult) that the session
//! returns.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::interaction::Interaction;
use crate::cards::Card;
use odesync_plot::Panel;
use odesync_train::progress::{ProgressCounter, ProgressSink, TrainProgress};
use odesync_train::training::Callback;

/// A value in the richest form it has: text, a card or a figure.
#[derive(Debug, Clone)]
pub enum DisplayedValue {
    /// Text of one or several lines.
    Text(String),
    /// A figure; the methods of [`Panel`] render it as SVG, PNG or text.
    Figure(Box<Panel>),
    /// A value with a card. There are none where the front end shows no cards.
    Card {
        /// The value as text, as `print` shows it.
        text: String,
        /// The value as a card.
        card: Box<Card>,
    },
}

impl DisplayedValue {
    /// Renders the value as text without control sequences; a figure becomes a plot of characters.
    pub fn text(&self) -> String {
        match self {
            DisplayedValue::Text(text) | DisplayedValue::Card { text, .. } => text.clone(),
            DisplayedValue::Figure(figure) => match figure.to_text(COLUMNS, ROWS, false) {
                Ok(text) => text,
                Err(error) => error.to_string(),
            },
        }
    }
}

/// Number of characters per line, and of lines, of a figure as text.
const COLUMNS: usize = 80;
const ROWS: usize = 24;

/// The receiver of what a session shows. Its methods are called from the session's thread and from the threads of its trainings.
pub trait Frontend: Send + Sync {
    /// Prints a line of the script's output; the text is without the end of the line.
    ///
    /// # Errors
    /// An error of kind `BrokenPipe` ends the script quietly, any other with an error.
    fn print(&self, text: &str) -> io::Result<()>;

    /// Shows a remark during the evaluation, such as "wrote runs/a.svg". The default drops it.
    fn note(&self, _text: &str) {}

    /// Displays a value for which the script called `show`. The default prints it as text.
    ///
    /// # Errors
    /// As [`Frontend::print`].
    fn display(&self, display: &DisplayedValue) -> io::Result<()> {
        self.print(display.text().trim_end())
    }

    /// Returns whether the front end shows cards, which are HTML. The default is `false`, and values then come as text.
    fn shows_cards(&self) -> bool {
        false
    }

    /// Asks the user for a line of text, and waits for it.
    ///
    /// # Errors
    /// `Interrupted` where the user asked to stop instead; `Unsupported` where nobody can be asked, which is the default.
    fn read_line(&self, _prompt: &str) -> io::Result<String> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "nobody can be asked here",
        ))
    }

    /// Shows the controls of an interaction. The default has none and returns `false`; the function is then drawn once.
    ///
    /// # Errors
    /// As [`Frontend::print`].
    fn interact(&self, _interaction: &Interaction) -> io::Result<bool> {
        Ok(false)
    }

    /// Called before the function of an interaction is called: what it prints belongs to its picture.
    fn begin_drawing(&self, _interaction: u64) {}

    /// Called after the function of an interaction was called, with what it returned; `None` for nothing.
    fn end_drawing(&self, _interaction: u64, _drawn: Option<&DisplayedValue>) {}

    /// Called in place of [`Frontend::end_drawing`] where the function failed when it was first drawn: there is no picture.
    fn abandon_drawing(&self, _interaction: u64) {}

    /// Returns the callback that shows the progress of a training; `label` tells trainings apart and is often empty. The default
    /// writes to standard error: a progress bar on a terminal, else a line at intervals.
    fn progress(&self, label: &str) -> Box<dyn Callback> {
        Box::new(TrainProgress::with_label(label))
    }

    /// Returns the sink that shows the progress of another long computation; it has many parts, which are called `unit`
    /// ("landscape", "points"). The default writes to standard error as that of [`Frontend::progress`] does.
    fn progress_bar(&self, label: &str, unit: &'static str) -> Box<dyn ProgressSink> {
        Box::new(ProgressCounter::new(label, unit))
    }
}

/// A handle of a front end, shared by the session and the code that made it.
#[derive(Clone)]
pub struct Output(pub(super) Arc<dyn Frontend>);

impl Output {
    /// Wraps a front end.
    pub fn new(frontend: impl Frontend + 'static) -> Self {
        Self(Arc::new(frontend))
    }

    /// Wraps a front end that its maker keeps too.
    pub fn shared(frontend: Arc<dyn Frontend>) -> Self {
        Self(frontend)
    }

    /// Returns the front end of a terminal: lines to standard output, notes and progress to standard error.
    pub fn terminal() -> Self {
        Self::new(StdStreams)
    }

    /// Returns a front end that appends every line, printed or noted, to the string that is returned with it, in order.
    pub fn captured() -> (Self, Arc<Mutex<String>>) {
        let text = Arc::new(Mutex::new(String::new()));
        (Self::new(CapturedOutput(Arc::clone(&text))), text)
    }
}

/// The front end of the standard streams.
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
