//! Figures in a terminal: as images where it can show them, otherwise as text.
//!
//! The terminal's capabilities are inferred from its environment variables. The terminal is never queried: waiting for an answer
//! that does not come would swallow the user's next keys.

mod iterm2;
mod kitty;
mod protocol;
mod sixel;

use std::io::{IsTerminal, Write, stdout};

use super::use_color;

use protocol::GraphicsProtocol;

use crate::plotting::Panel;
use crate::script::figures::describe;
use crate::script::{ErrorKind, ScriptError};
use crate::{Error, Result};

/// Largest width of an image in columns, also in wider terminals.
const COLUMNS: u16 = 90;

/// Largest height of a plot of characters in lines.
const ROWS: u16 = 26;

/// Pixels of an image per pixel of the figure's size, where the terminal scales the image: sharp on high-resolution screens.
const SCALE: f64 = 2.0;

/// The display of figures in the terminal of the standard output.
#[derive(Debug, Clone, Copy)]
pub(super) struct TerminalGraphics {
    protocol: GraphicsProtocol,
    /// Whether a plot of characters has colours.
    color: bool,
}

impl TerminalGraphics {
    /// Detects the graphics protocol and the colours of the terminal of the standard output.
    ///
    /// # Errors
    /// The user requests an unknown graphics protocol.
    pub fn detect() -> std::result::Result<Self, ScriptError> {
        let get = |name: &str| std::env::var(name).ok();
        let terminal = stdout().is_terminal();
        Ok(Self {
            protocol: GraphicsProtocol::detect(get, terminal)
                .map_err(|e| ScriptError::new(ErrorKind::Usage, e.to_string()))?,
            color: terminal && use_color(),
        })
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

    /// Returns the bytes that show a figure, with a line break at the end.
    ///
    /// # Errors
    /// A figure that can't be drawn.
    pub fn encode(self, figure: &Panel) -> Result<Vec<u8>> {
        let (columns, rows) = available_size();
        let mut bytes = match self.protocol {
            GraphicsProtocol::Kitty => kitty::encode(&figure.to_png(SCALE)?, columns),
            GraphicsProtocol::Iterm2 => iterm2::encode(&figure.to_png(SCALE)?, columns),
            GraphicsProtocol::Sixel => sixel::encode(figure, columns)?,
            GraphicsProtocol::Text => figure
                .to_text(usize::from(columns), usize::from(rows), self.color)?
                .into_bytes(),
            GraphicsProtocol::None => describe(figure).into_bytes(),
        };
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        Ok(bytes)
    }
}

/// Returns the columns and rows that a figure may take.
fn available_size() -> (u16, u16) {
    let (columns, rows) = crossterm::terminal::size().unwrap_or((80, 24));
    let fits = |n: u16, least: u16, most: u16| n.saturating_sub(2).clamp(least, most);
    (fits(columns, 30, COLUMNS), fits(rows, 10, ROWS))
}

fn draw_error(reason: impl std::fmt::Display) -> Error {
    Error::invalid(format!("the picture can't be shown: {reason}"))
}
