//! Colours of the REPL's own output.

use nu_ansi_term::{Color, Style};

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

    /// Colours an error as [`ScriptError`](crate::script::ScriptError) writes it: its beginning and its pointer in red.
    pub fn error(self, text: &str) -> String {
        let red = Style::new().fg(Color::Red).bold();
        let line = |line: &str| {
            if let Some(rest) = line.strip_prefix("error:") {
                return format!("{}{rest}", self.with(red, "error:"));
            }
            if let Some(rest) = line.strip_prefix("hint:") {
                return format!("{}{rest}", self.with(Style::new().fg(Color::Cyan), "hint:"));
            }
            match line.strip_suffix('^') {
                Some(before) => format!("{before}{}", self.with(red, "^")),
                None => line.to_string(),
            }
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    }
}
