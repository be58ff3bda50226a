//! The read-eval-print loop at a terminal.

use std::sync::atomic::{AtomicBool, Ordering};

use reedline::{
    ColumnarMenu, EditCommand, Emacs, KeyCode, KeyModifiers, MenuBuilder, Reedline, ReedlineEvent,
    ReedlineMenu, Signal, default_emacs_keybindings,
};

use super::complete::ReplCompleter;
use super::highlight::ReplHighlighter;
use super::hint::ReplHinter;
use super::prompt::ReplPrompt;
use super::validate::InputValidator;
use super::{LoopAction, Repl, history};
use crate::script::{ErrorKind, ScriptError};

const COMPLETION_MENU: &str = "completion";

/// Whether the line editor controls the terminal. Ctrl-C is then a key, and signals come only from other programs.
static EDITING: AtomicBool = AtomicBool::new(false);

/// Reads and evaluates inputs until the user leaves.
pub(super) fn run(repl: &mut Repl, quiet: bool) -> Result<(), ScriptError> {
    let (history, trouble) = history::open();
    let mut editor = build_editor(repl).with_history(Box::new(history));
    if !quiet {
        super::super::print(&format!(
            "odesync {}: :help says what can be typed, Ctrl-D leaves\n",
            env!("CARGO_PKG_VERSION")
        ))?;
    }
    if let Some(trouble) = trouble {
        super::super::print_error(&trouble);
    }
    loop {
        EDITING.store(true, Ordering::Relaxed);
        let signal = editor.read_line(&ReplPrompt);
        EDITING.store(false, Ordering::Relaxed);
        match signal {
            Ok(Signal::Success(text)) => {
                // The history is written before the evaluation, which may crash the program.
                let _ = editor.sync_history();
                match repl.handle_input(&text, None) {
                    Ok(LoopAction::Continue) => {}
                    Ok(LoopAction::Exit) => return Ok(()),
                    // Nothing further can be shown.
                    Err(error) if error.kind == ErrorKind::OutputClosed => return Ok(()),
                    Err(error) => super::super::print_error(&repl.styler.error(&error)),
                }
            }
            Ok(Signal::CtrlC) => {}
            Ok(Signal::CtrlD) => return Ok(()),
            Ok(_) => {}
            Err(error) => {
                let message = format!("the terminal can't be read: {error}");
                return Err(ScriptError::new(ErrorKind::Runtime, message));
            }
        }
    }
}

fn build_editor(repl: &Repl) -> Reedline {
    let known = || repl.symbols.clone();
    let mut keys = default_emacs_keybindings();
    keys.add_binding(
        KeyModifiers::NONE,
        KeyCode::Tab,
        ReedlineEvent::UntilFound(vec![
            ReedlineEvent::Menu(COMPLETION_MENU.into()),
            ReedlineEvent::MenuNext,
        ]),
    );
    keys.add_binding(
        KeyModifiers::SHIFT,
        KeyCode::BackTab,
        ReedlineEvent::MenuPrevious,
    );
    for modifier in [KeyModifiers::ALT, KeyModifiers::SHIFT] {
        let newline = ReedlineEvent::Edit(vec![EditCommand::InsertNewline]);
        keys.add_binding(modifier, KeyCode::Enter, newline);
    }
    let menu = ColumnarMenu::default()
        .with_name(COMPLETION_MENU)
        .with_marker("");
    Reedline::create()
        .with_edit_mode(Box::new(Emacs::new(keys)))
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
        .with_completer(Box::new(ReplCompleter(known())))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_hinter(Box::new(ReplHinter::new(known())))
        .with_highlighter(Box::new(ReplHighlighter(known())))
        .with_validator(Box::new(InputValidator))
        .with_ansi_colors(repl.styler.0)
        .use_bracketed_paste(repl.styler.0)
}

/// Ends the program from a signal handler's thread, after restoring the terminal.
pub(super) fn exit_now() -> ! {
    // It fails only if there is no terminal any more.
    let _ = crossterm::terminal::disable_raw_mode();
    std::process::exit(130)
}

/// Whether the user is typing, so that a signal is a request to end the program.
pub(super) fn is_editing() -> bool {
    EDITING.load(Ordering::Relaxed)
}
