//! The front end of `run`, `eval` and the REPL: the standard streams, with images where the terminal shows them.

use std::io::{self, Write};

use super::graphics::TerminalGraphics;
use crate::script::{DisplayedValue, Frontend, ScriptError};

/// The front end of a session on the standard streams.
pub(super) struct TerminalFrontend {
    graphics: TerminalGraphics,
}

impl TerminalFrontend {
    /// # Errors
    /// Those of [`TerminalGraphics::detect`].
    pub fn new() -> Result<Self, ScriptError> {
        Ok(Self {
            graphics: TerminalGraphics::detect()?,
        })
    }
}

impl Frontend for TerminalFrontend {
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

    fn read_line(&self, prompt: &str) -> io::Result<String> {
        super::question::ask(prompt)
    }

    fn display(&self, display: &DisplayedValue) -> io::Result<()> {
        match display {
            DisplayedValue::Text(text) | DisplayedValue::Card { text, .. } => self.print(text),
            DisplayedValue::Figure(figure) => {
                let bytes = self.graphics.encode(figure).map_err(io::Error::other)?;
                let mut out = io::stdout().lock();
                out.write_all(&bytes)?;
                out.flush()
            }
        }
    }
}
