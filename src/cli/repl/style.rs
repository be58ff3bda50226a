//! Colours of the REPL's own output.

use nu_ansi_term::{Color, Style};

use crate::script::ScriptError;

/// A styler of output text; colours it if the field is `true`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Styler(pub bool);

impl Styler {
    fn with(self, style: Style, text: &str) -> String {
        match self.0 {
            true => style.paint(text).to_string(),
            false => text.to_string(),
        }
    }

    pub fn faint(self, text: &str) -> String {
        self.with(Style::new().fg(Color::DarkGray), text)
    }

    /// Returns the text of an error.
    pub fn error(self, error: &ScriptError) -> String {
        match self.0 {
            true => error.to_ansi(),
            false => error.to_string(),
        }
    }
}
