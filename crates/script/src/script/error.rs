//! The error of a script: file, line, column, the text of the line and a hint.

use std::fmt::{self, Write};

use nu_ansi_term::{Color, Style};
use rhai::EvalAltResult;

/// The return type of a binding that can fail. `?` converts a [`crate::Error`] into its error; the engine fills in the position.
pub type RhaiResult<T> = std::result::Result<T, Box<EvalAltResult>>;

use odesync_base::text::printable;

pub use odesync_base::rhai_error::WrappedError;

/// Reason for which the session terminates a script: the token of rhai's `ErrorTerminated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Termination {
    Interrupted,
    MemoryLimit,
    OutputClosed,
    Exit,
}

/// Kind of a [`ScriptError`]; the command line maps it to an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The source cannot be parsed.
    Syntax,
    /// An operation of the script failed while it ran.
    Runtime,
    /// A limit was reached: memory or depth.
    Limit,
    /// The script was called with arguments that it does not accept.
    Usage,
    /// The user asked to stop.
    Interrupted,
    /// The reader of the output has gone away (a closed pipe).
    OutputClosed,
    /// The script is ended early because nothing remains to be done (the configuration was to be printed only).
    Exit,
    /// A panic inside odesync.
    InternalError,
}

/// A location in a source, with the line's text where the source is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLocation {
    /// File name, or another name such as `<eval>`.
    pub source: String,
    /// Line number, from 1.
    pub line: usize,
    /// Column in characters, from 1; 0 where only the line is known.
    pub column: usize,
    /// Text of the line; `None` where the source is not known.
    pub text: Option<String>,
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.line)?;
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}

/// A call in the backtrace of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackFrame {
    /// What was called: "function f", "a closure", "module m".
    pub callee: String,
    /// Location of the call; `None` where it is not known.
    pub call_site: Option<SourceLocation>,
}

/// The error that a script ended with. Its `Display` has several lines:
///
/// ```text
/// error: unknown option "epohcs" (did you mean "epochs"?); known: epochs, lr
///   --> scripts/a.rhai:12:11
///    |
/// 12 | let run = train(model, data, m, #{ epohcs: 3 });
///    |           ^
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// Kind of the error.
    pub kind: ErrorKind,
    /// Message that says what is wrong, without the location.
    pub message: String,
    /// Advice on what to do, where the message does not say so already.
    pub hint: Option<String>,
    /// Location of the error: the innermost one in the script.
    pub location: Option<Box<SourceLocation>>,
    /// The calls that led to the error, innermost first.
    pub backtrace: Vec<StackFrame>,
}

impl std::error::Error for ScriptError {}

/// Largest number of calls shown; longer backtraces, as endless recursion has them, are cut.
const MAX_FRAMES_SHOWN: usize = 4;

/// Largest width of a line that is shown whole; a longer line is shown around the column only.
const MAX_LINE_WIDTH: usize = 160;

impl ScriptError {
    /// Makes an error without a location.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            location: None,
            backtrace: Vec::new(),
        }
    }

    /// Adds a hint.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns the text with colours of a terminal: its beginning and its pointer in red, the hint in cyan.
    pub fn to_ansi(&self) -> String {
        let red = Style::new().fg(Color::Red).bold();
        let line = |line: &str| {
            if let Some(rest) = line.strip_prefix("error:") {
                return format!("{}{rest}", red.paint("error:"));
            }
            if let Some(rest) = line.strip_prefix("hint:") {
                return format!("{}{rest}", Style::new().fg(Color::Cyan).paint("hint:"));
            }
            match line.strip_suffix('^') {
                // Without a colour of its own: red is hard to see on the red ground that notebooks give errors at night.
                Some(before) => format!("{before}{}", Style::new().bold().paint("^")),
                None => line.to_string(),
            }
        };
        let text = self.to_string();
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Returns the exit code of a program that ends with this error: 0 where the output was closed or nothing remained to be
    /// done, 1 for a script that failed, 2 for wrong usage, 130 for an interrupt.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::OutputClosed | ErrorKind::Exit => 0,
            ErrorKind::Usage => 2,
            ErrorKind::Interrupted => 130,
            _ => 1,
        }
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text)?;
        f.write_str(&printable(&text))
    }
}

impl ScriptError {
    fn write(&self, f: &mut String) -> fmt::Result {
        match self.kind {
            ErrorKind::Interrupted => write!(f, "{}", self.message)?,
            _ => write!(f, "error: {}", self.message)?,
        }
        if let Some(location) = &self.location {
            let margin = location.line.to_string().len();
            write!(f, "\n{:margin$}--> {location}", "")?;
            if let Some(text) = &location.text {
                let (shown, caret) = line_excerpt(text, location.column);
                write!(f, "\n{:margin$} |", "")?;
                write!(f, "\n{} | {}", location.line, shown)?;
                if let Some(caret) = caret {
                    write!(f, "\n{:margin$} | {caret}^", "")?;
                }
            }
        }
        for call in self.backtrace.iter().take(MAX_FRAMES_SHOWN) {
            write!(f, "\n  in {}", call.callee)?;
            if let Some(location) = &call.call_site {
                write!(f, ", used at {location}")?;
            }
        }
        if self.backtrace.len() > MAX_FRAMES_SHOWN {
            write!(
                f,
                "\n  … and {} more calls",
                self.backtrace.len() - MAX_FRAMES_SHOWN
            )?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

/// Returns the line, cut around the column if it is long, and the text before the caret (tabs kept as tabs).
fn line_excerpt(text: &str, column: usize) -> (String, Option<String>) {
    let characters: Vec<char> = text.chars().collect();
    let mut start = 0;
    let mut shown: String = text.to_string();
    if characters.len() > MAX_LINE_WIDTH {
        start = column
            .saturating_sub(MAX_LINE_WIDTH / 2)
            .min(characters.len() - MAX_LINE_WIDTH);
        let end = start + MAX_LINE_WIDTH;
        let part: String = characters[start..end].iter().collect();
        let dots = |cut: bool| if cut { "…" } else { "" };
        shown = format!("{}{part}{}", dots(start > 0), dots(end < characters.len()));
    }
    if column == 0 || column > characters.len() + 1 {
        return (shown, None);
    }
    let mut caret = String::from(if start > 0 { " " } else { "" });
    for &c in &characters[start..column - 1] {
        caret.push(if c == '\t' { '\t' } else { ' ' });
    }
    (shown, Some(caret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, column: usize, text: &str) -> ScriptError {
        let mut error = ScriptError::new(ErrorKind::Runtime, "no");
        error.location = Some(Box::new(SourceLocation {
            source: "a.rhai".into(),
            line,
            column,
            text: Some(text.into()),
        }));
        error
    }

    #[test]
    fn the_caret_stands_under_the_column() {
        let error = at(12, 5, "let x = 1;").with_hint("try");
        assert_eq!(
            error.to_string(),
            "error: no\n  --> a.rhai:12:5\n   |\n12 | let x = 1;\n   |     ^\nhint: try"
        );
    }

    #[test]
    fn tabs_stay_tabs_and_wide_letters_count_once() {
        assert!(at(1, 3, "\tλx").to_string().ends_with("| \t ^"));
    }

    #[test]
    fn long_lines_are_cut_and_the_caret_moves_with_them() {
        let text = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let shown = at(1, 501, &text).to_string();
        let lines: Vec<&str> = shown.lines().collect();
        let line: Vec<char> = lines[3].chars().collect();
        let caret = lines[4].chars().position(|c| c == '^').unwrap();
        assert_eq!(line[caret], 'X');
        assert!(line.len() < 200);
    }
}
