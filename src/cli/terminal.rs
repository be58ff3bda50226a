//! The front end of `run`, `eval` and the REPL: the standard streams, with pictures where the terminal shows them.

use std::io::{self, Write};

use super::pictures::Pictures;
use crate::script::{Display, Frontend, ScriptError};

/// See the module's text.
pub(super) struct Terminal {
    pictures: Pictures,
}

impl Terminal {
    /// # Errors
    /// Those of [`Pictures::detect`].
    pub fn new() -> Result<Self, ScriptError> {
        Ok(Self {
            pictures: Pictures::detect()?,
        })
    }
}

impl Frontend for Terminal {
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

    fn display(&self, display: &Display) -> io::Result<()> {
        match display {
            Display::Text(text) => self.print(text),
            Display::Figure(figure) => {
                let bytes = self.pictures.encode(figure).map_err(io::Error::other)?;
                let mut out = io::stdout().lock();
                out.write_all(&bytes)?;
                out.flush()
            }
        }
    }
}
