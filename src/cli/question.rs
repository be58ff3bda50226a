//! A question that a script asks by `input("…")`: a line typed at the terminal, or the next line of a pipe.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use reedline::{
    Prompt, PromptEditMode, PromptHistorySearch, Reedline, Signal, default_emacs_keybindings,
};

/// The text of a question before the cursor.
struct QuestionPrompt<'a>(&'a str);

impl Prompt for QuestionPrompt<'_> {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        self.0.into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_indicator(&self, _mode: PromptEditMode) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_history_search_indicator(&self, _search: PromptHistorySearch) -> Cow<'_, str> {
        "".into()
    }
}

/// Asks a question and returns the line that is typed.
///
/// # Errors
/// `Interrupted` for Ctrl-C, `UnexpectedEof` where the input has ended, and errors of the system.
pub(super) fn ask(question: &str) -> io::Result<String> {
    let ended = || {
        let reason = "there is no line to read: the standard input has ended";
        io::Error::new(io::ErrorKind::UnexpectedEof, reason)
    };
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        // In the editor Ctrl-C is a key, so that it ends the question and not only the next step of the script.
        let keys = reedline::Emacs::new(default_emacs_keybindings());
        let mut editor = Reedline::create().with_edit_mode(Box::new(keys));
        return match editor.read_line(&QuestionPrompt(question))? {
            Signal::Success(line) => Ok(line),
            Signal::CtrlD => Err(ended()),
            _ => Err(io::ErrorKind::Interrupted.into()),
        };
    }
    let mut out = io::stdout().lock();
    out.write_all(question.as_bytes())?;
    out.flush()?;
    let mut line = String::new();
    match io::stdin().read_line(&mut line)? {
        0 => Err(ended()),
        _ => Ok(line.trim_end_matches(['\n', '\r']).to_string()),
    }
}
