//! Figures in a terminal: as pictures where it can show them, else as text.
//!
//! What the terminal can is read off its environment. It is never asked: a question that it doesn't answer would cost the user's
//! next keys.

mod iterm2;
mod kitty;
mod pixels;
mod protocol;
mod sixel;

use std::io::{IsTerminal, Write, stdout};

use protocol::Protocol;

use crate::plotting::Panel;
use crate::script::{ErrorKind, ScriptError};
use crate::{Error, Result};

/// Columns that a picture takes at most; wider terminals show no more in it.
const COLUMNS: u16 = 90;

/// How figures are shown here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pictures {
    protocol: Protocol,
}

impl Pictures {
    /// What the terminal of the standard output can do.
    pub fn detect() -> Self {
        let get = |name: &str| std::env::var(name).ok();
        Self {
            protocol: Protocol::detect(get, stdout().is_terminal()),
        }
    }

    /// Writes a figure to the standard output.
    ///
    /// # Errors
    /// A figure that can't be drawn, an output that can't be written.
    pub fn show(self, figure: &Panel) -> std::result::Result<(), ScriptError> {
        let failed = |message: String| ScriptError::new(ErrorKind::Runtime, message);
        let bytes = self.encode(figure).map_err(|e| failed(e.to_string()))?;
        let mut out = stdout().lock();
        match out.write_all(&bytes).and_then(|()| out.flush()) {
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(failed(format!("cannot write the output: {e}")))
            }
            _ => Ok(()),
        }
    }

    /// The bytes that show a figure, with the end of the line.
    ///
    /// # Errors
    /// A figure that can't be drawn.
    pub fn encode(self, figure: &Panel) -> Result<Vec<u8>> {
        let columns = columns();
        let mut bytes = match self.protocol {
            Protocol::Kitty => kitty::encode(&figure.to_png()?, columns),
            Protocol::Iterm2 => iterm2::encode(&figure.to_png()?, columns),
            Protocol::Sixel => sixel::encode(&figure.to_png()?, columns)?,
            Protocol::Text => crate::script::frontend::UNSHOWN.as_bytes().to_vec(),
            Protocol::None => crate::script::frontend::UNSHOWN.as_bytes().to_vec(),
        };
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        Ok(bytes)
    }
}

fn columns() -> u16 {
    let (columns, _) = crossterm::terminal::size().unwrap_or((80, 24));
    columns.saturating_sub(2).clamp(20, COLUMNS)
}

fn undrawable(reason: impl std::fmt::Display) -> Error {
    Error::invalid(format!("the picture can't be shown: {reason}"))
}
