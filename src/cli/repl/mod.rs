//! The REPL, `odesync` without a command: evaluates code that is typed and shows its values.
//!
//! | file | what |
//! |---|---|
//! | `editor` | the line editor and what it is made of |
//! | `prompt`, `highlight`, `validate`, `history` | the prompt, syntax highlighting, the completeness of an input, earlier inputs |
//! | `shared_symbols`, `complete`, `hint` | the known names, and completion and hints at the cursor |
//! | `commands`, `settings`, `transcript` | the commands, `:set`, `:save` |
//! | `values`, `style` | the display of values and errors |
//! | `piped` | input from a pipe or a file |

mod commands;
mod complete;
mod editor;
mod highlight;
mod hint;
mod history;
mod piped;
mod prompt;
mod settings;
mod shared_symbols;
mod style;
#[cfg(test)]
mod tests;
mod transcript;
mod validate;
mod values;

use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use commands::CommandId;
use settings::ReplSettings;
use shared_symbols::SharedSymbols;
use style::Styler;
use transcript::HistoryEntry;

use super::GlobalArgs;
use super::graphics::TerminalGraphics;
use crate::script::{
    ErrorKind, EvalResult, RunPlan, ScriptError, Session, SessionOptions, SourceLocation, reference,
};
use odesync_base::text::truncate;
use odesync_script::editing::{SymbolTable, last_statement};

/// Runs the REPL, at a terminal or on piped input.
///
/// # Errors
/// At a terminal, a terminal that can't be read; of piped input, the first error in it.
pub(super) fn run(common: &GlobalArgs) -> Result<(), ScriptError> {
    let typed = stdin().is_terminal();
    let paint = Styler(typed && super::use_color());
    let mut repl = Repl::new(common, paint)?;
    match typed {
        true => editor::run(&mut repl, common.quiet),
        false => piped::run(&mut repl),
    }
}

/// The inputs that `:run` runs again.
enum RerunTarget {
    File(PathBuf),
    /// The inputs from this index on.
    FromInput(usize),
}

/// The state of the REPL: its session, settings and inputs.
pub(super) struct Repl {
    session: Session,
    symbols: SharedSymbols,
    graphics: TerminalGraphics,
    styler: Styler,
    settings: ReplSettings,
    /// Inputs that were evaluated without an error.
    history: Vec<HistoryEntry>,
    /// Number of evaluated inputs, for their names in messages.
    count: usize,
    rerun_target: Option<RerunTarget>,
    /// Number of interrupts since the last evaluation began.
    interrupts: Arc<AtomicUsize>,
}

/// Whether the loop continues.
pub(super) enum LoopAction {
    Continue,
    Exit,
}

impl Repl {
    fn new(common: &GlobalArgs, paint: Styler) -> Result<Self, ScriptError> {
        let options = SessionOptions {
            interactive: true,
            ..super::session_options(common, Vec::new(), RunPlan::default())?
        };
        super::watchdog::guard_memory();
        let session = Session::new(options)?;
        let interrupts = Arc::new(AtomicUsize::new(0));
        let (interrupt, counted) = (session.interrupt(), Arc::clone(&interrupts));
        super::on_signal(move || {
            // While the user is typing, Ctrl-C is a key; so the signal comes from another program and ends this one.
            if editor::is_editing() {
                editor::exit_now();
            }
            interrupt.stop();
            match counted.fetch_add(1, Ordering::Relaxed) {
                0 => super::print_error("stopping; a training keeps what it has"),
                1 => super::print_error(
                    "still stopping; press Ctrl-C once more to end odesync at once",
                ),
                _ => editor::exit_now(),
            }
        });
        let mut repl = Self {
            session,
            symbols: SharedSymbols::default(),
            graphics: TerminalGraphics::detect()?,
            styler: paint,
            settings: ReplSettings::new(Vec::new()),
            history: Vec::new(),
            count: 0,
            rerun_target: None,
            interrupts,
        };
        repl.refresh_symbols();
        Ok(repl)
    }

    /// Updates the symbol table that completion and hints use.
    fn refresh_symbols(&mut self) {
        let earlier = self.symbols.get();
        let symbols = SymbolTable::of_session(&mut self.session, &earlier);
        self.symbols.set(symbols);
    }

    /// Handles an input, code or a command; `line` is the number of its first line if it is part of a longer text.
    pub fn handle_input(
        &mut self,
        text: &str,
        line: Option<usize>,
    ) -> Result<LoopAction, ScriptError> {
        let trimmed = text.trim();
        let done = match trimmed.strip_prefix(':') {
            Some(command) => self.command(command.trim()),
            None if trimmed.is_empty() => return Ok(LoopAction::Continue),
            None if self.is_exit_command(trimmed) => return Ok(LoopAction::Exit),
            None if let Some(command) = self.question(trimmed) => self.command(&command),
            None => self.eval_code(text, line).map(|()| LoopAction::Continue),
        };
        self.refresh_symbols();
        done
    }

    /// Whether an input is `quit` or `exit`, with which users leave other REPLs, and not a variable of that name.
    fn is_exit_command(&self, text: &str) -> bool {
        let word = text.trim_end_matches(';').trim_end_matches("()");
        matches!(word, "quit" | "exit") && self.symbols.get().variable(word).is_none()
    }

    /// Returns the command that an input in the words of other prompts means: `help`, `solve?`, `?solve` or `help(solve)`.
    fn question(&self, text: &str) -> Option<String> {
        let text = text.trim_end_matches(';').trim_end();
        if matches!(text, "help" | "help()" | "?") && self.symbols.get().variable("help").is_none()
        {
            return Some("help".into());
        }
        let asked = text
            .strip_suffix('?')
            .or_else(|| text.strip_prefix('?'))
            .or_else(|| text.strip_prefix("help(")?.strip_suffix(')'))?;
        let name = asked.trim_matches(['?', '"', '\'', ' ']);
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        (!name.is_empty() && name.chars().all(is_name)).then(|| format!("doc {name}"))
    }

    fn eval_code(&mut self, code: &str, line: Option<usize>) -> Result<(), ScriptError> {
        let before = self.session.config_request().requests;
        let result = self.evaluate(code, line);
        if self.keeps_variables(&result) {
            if self.session.config_request().requests > before {
                self.rerun_target = Some(RerunTarget::FromInput(self.history.len()));
            }
            let valued = result.as_ref().is_ok_and(|outcome| !outcome.is_unit);
            self.record(code, None, valued);
        }
        let outcome = result?;
        self.show(code, &outcome).map_err(|mut error| {
            // A figure is drawn after its code has run, so the error is attributed to the statement that created it.
            if error.kind == ErrorKind::Runtime
                && error.location.is_none()
                && outcome.figure.is_some()
            {
                error.location = self.statement_location(code, line);
            }
            error
        })
    }

    /// Returns the location of the last statement of an input, for messages.
    fn statement_location(&self, code: &str, line: Option<usize>) -> Option<Box<SourceLocation>> {
        let (start, text) = last_statement(code);
        let before = code.get(..start)?;
        let number = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next()?.chars().count() + 1;
        let source = match line {
            Some(_) => "<stdin>".into(),
            None => format!("input {}", self.count),
        };
        Some(Box::new(SourceLocation {
            source,
            line: line.unwrap_or(0) + number,
            column,
            text: (!text.is_empty())
                .then(|| code.lines().nth(number - 1).unwrap_or_default().to_string()),
        }))
    }

    fn record(&mut self, code: &str, file: Option<String>, valued: bool) {
        self.history.push(HistoryEntry {
            code: code.trim().into(),
            file,
            has_value: valued,
        });
    }

    fn evaluate(&mut self, code: &str, line: Option<usize>) -> Result<EvalResult, ScriptError> {
        self.count += 1;
        self.reset_interrupts();
        match line {
            // Empty lines before the code keep the line numbers of the whole text.
            Some(line) => {
                let code = format!("{}{code}", "\n".repeat(line));
                self.session.eval(&code, Some(Path::new("<stdin>")))
            }
            None => {
                let name = format!("input {}", self.count);
                self.session.eval(code, Some(Path::new(&name)))
            }
        }
    }

    /// Resets the number of interrupts.
    fn reset_interrupts(&mut self) {
        self.session.interrupt().clear();
        self.interrupts.store(0, Ordering::Relaxed);
    }

    /// Shows a value, unless the input ends with a semicolon.
    fn show(&self, code: &str, outcome: &EvalResult) -> Result<(), ScriptError> {
        if code.trim_end().ends_with(';') {
            return Ok(());
        }
        match &outcome.figure {
            Some(figure) => self.graphics.show(figure),
            None if outcome.is_unit => Ok(()),
            None => super::print(&format!("{}\n", truncate(&outcome.text))),
        }
    }

    fn command(&mut self, command: &str) -> Result<LoopAction, ScriptError> {
        let (name, argument) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        let argument = argument.trim();
        let Some(found) = commands::find(name) else {
            let known = commands::COMMANDS.iter().map(|c| c.name);
            let unknown = crate::error::unknown("command", name, known);
            return Err(usage_error(unknown.to_string()).with_hint(":help says what they do"));
        };
        let needs = |what: &str| {
            usage_error(format!(
                ":{} needs {what}, as in :{} {}",
                found.name, found.name, found.usage
            ))
        };
        match found.id {
            CommandId::Help => super::print(&commands::help())?,
            CommandId::Doc => {
                let docs = &self.symbols.get().catalogue.docs;
                let page = match argument {
                    "" => reference::index(docs, super::text_width()),
                    name => reference::page(docs, name, super::text_width())
                        .map_err(|e| usage_error(e.to_string()))?,
                };
                super::print(&page)?;
            }
            CommandId::Vars => super::print(&values::table(&self.symbols.get().variables))?,
            CommandId::Load if argument.is_empty() => return Err(needs("a script")),
            CommandId::Load => self.load(Path::new(argument))?,
            CommandId::Save if argument.is_empty() => return Err(needs("a file")),
            CommandId::Save => self.save(Path::new(argument))?,
            CommandId::Time if argument.is_empty() => return Err(needs("code")),
            CommandId::Time => {
                let begun = Instant::now();
                let outcome = self.evaluate(argument, None)?;
                let took = begun.elapsed();
                self.record(argument, None, !outcome.is_unit);
                self.show(argument, &outcome)?;
                super::print(&format!("{}\n", self.styler.faint(&values::duration(took))))?;
            }
            CommandId::Set => {
                let text = self.settings.set(&mut self.session, argument)?;
                super::print(&format!("{text}\n"))?;
            }
            CommandId::Unset => {
                let text = self.settings.unset(&mut self.session, argument)?;
                super::print(&format!("{text}\n"))?;
            }
            CommandId::Run => self.rerun()?,
            CommandId::Quit => return Ok(LoopAction::Exit),
        }
        Ok(LoopAction::Continue)
    }

    fn load(&mut self, file: &Path) -> Result<(), ScriptError> {
        self.reset_interrupts();
        // Set before the evaluation, so that a script that fails can be changed and run again.
        if file.is_file() {
            self.rerun_target = Some(RerunTarget::File(file.to_path_buf()));
        }
        let result = self.session.run_file(file);
        if self.keeps_variables(&result) {
            let code = std::fs::read_to_string(file).unwrap_or_default();
            let valued = result.as_ref().is_ok_and(|outcome| !outcome.is_unit);
            self.record(&code, Some(file.display().to_string()), valued);
        }
        result.map(drop)
    }

    /// Whether the variables of an evaluation are kept: it succeeded, or a training in it was interrupted and its run kept.
    fn keeps_variables(&self, result: &Result<EvalResult, ScriptError>) -> bool {
        match result {
            Ok(_) => true,
            Err(error) => error.kind == ErrorKind::Interrupted && error.hint.is_some(),
        }
    }

    fn save(&mut self, file: &Path) -> Result<(), ScriptError> {
        let text = transcript::to_script(&self.history, self.settings.overrides());
        let made = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .map(|folder| format!(", in a new folder {}", folder.display()));
        crate::files::write_atomically(file, text.as_bytes())
            .map_err(|e| ScriptError::new(ErrorKind::Runtime, e.to_string()))?;
        let inputs = match self.history.len() {
            1 => "1 input".into(),
            n => format!("{n} inputs"),
        };
        super::print(&format!(
            "wrote {inputs} to {}{}\n",
            file.display(),
            made.unwrap_or_default()
        ))
    }

    /// Evaluates the [`RerunTarget`] again after a change of the configuration.
    fn rerun(&mut self) -> Result<(), ScriptError> {
        match &self.rerun_target {
            None => Err(usage_error(
                "there is nothing to run again: :load a script, or call config(…) or args(…)"
                    .to_string(),
            )),
            Some(RerunTarget::File(file)) => {
                let file = file.clone();
                let name = file.display().to_string();
                if !self
                    .history
                    .iter()
                    .any(|input| input.file.as_ref() == Some(&name))
                {
                    // The script failed when it was loaded.
                    return self.load(&file);
                }
                self.reset_interrupts();
                self.session.run_file(&file).map(drop)
            }
            Some(RerunTarget::FromInput(from)) => {
                let inputs: Vec<HistoryEntry> =
                    self.history.get(*from..).unwrap_or_default().to_vec();
                for input in inputs {
                    for line in input.code.lines() {
                        super::print(&format!(
                            "{}\n",
                            self.styler.faint(&format!("{}{line}", prompt::PROMPT))
                        ))?;
                    }
                    let outcome = self.evaluate(&input.code, None)?;
                    self.show(&input.code, &outcome)?;
                }
                Ok(())
            }
        }
    }
}

fn usage_error(message: String) -> ScriptError {
    ScriptError::new(ErrorKind::Usage, message)
}
