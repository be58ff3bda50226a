//! `odesync` without a command: type code, see values.
//!
//! | file | what |
//! |---|---|
//! | `editor` | the line editor and what it is made of |
//! | `prompt`, `highlight`, `validate`, `history` | what stands before the cursor, colours, whether an input is whole, what was typed |
//! | `scan`, `call`, `infer` | tokens, the call around the cursor, the type of an expression |
//! | `known`, `complete`, `options`, `paths`, `hint` | what is known, and what may stand at the cursor |
//! | `commands`, `settings`, `record` | the commands, `:set`, `:save` |
//! | `values`, `style` | how values and errors are shown |
//! | `piped` | input that nobody types |

mod call;
mod commands;
mod complete;
mod editor;
mod highlight;
mod hint;
mod history;
mod infer;
mod known;
mod options;
mod paths;
mod piped;
mod prompt;
mod record;
mod scan;
mod settings;
mod style;
#[cfg(test)]
mod tests;
mod validate;
mod values;

use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use commands::Name;
use known::{Known, Shared};
use record::Input;
use settings::Settings;
use style::Paint;

use super::Common;
use super::pictures::Pictures;
use crate::script::{
    ErrorKind, Outcome, Place, RunPlan, ScriptError, Session, SessionOptions, reference,
};

/// The whole of `odesync` without a command.
///
/// # Errors
/// Of a terminal nothing but one that can't be read; of piped input the first mistake in it.
pub(super) fn run(common: &Common) -> Result<(), ScriptError> {
    let typed = stdin().is_terminal();
    let paint = Paint(typed && super::colours());
    let mut repl = Repl::new(common, paint)?;
    match typed {
        true => editor::run(&mut repl, common.quiet),
        false => piped::run(&mut repl),
    }
}

/// What `:run` runs again.
enum Program {
    File(PathBuf),
    /// The inputs from this one on.
    Inputs(usize),
}

/// A session at a terminal.
pub(super) struct Repl {
    session: Session,
    known: Shared,
    pictures: Pictures,
    paint: Paint,
    settings: Settings,
    /// What was typed and succeeded.
    inputs: Vec<Input>,
    /// How many inputs were evaluated, for their names in messages.
    count: usize,
    program: Option<Program>,
    /// Interrupts since the last evaluation began.
    interrupts: Arc<AtomicUsize>,
}

/// Whether to go on.
pub(super) enum Next {
    Go,
    Leave,
}

impl Repl {
    fn new(common: &Common, paint: Paint) -> Result<Self, ScriptError> {
        let options = SessionOptions {
            interactive: true,
            ..super::session_options(common, Vec::new(), RunPlan::default())?
        };
        let session = Session::new(options)?;
        let interrupts = Arc::new(AtomicUsize::new(0));
        let (interrupt, counted) = (session.interrupt(), Arc::clone(&interrupts));
        super::on_signal(move || {
            // While someone types Ctrl-C is a key: the signal is one to end the program.
            if editor::is_editing() {
                editor::leave_at_once();
            }
            interrupt.stop();
            match counted.fetch_add(1, Ordering::Relaxed) {
                0 => super::complain("stopping; a training keeps what it has"),
                1 => {
                    super::complain("still stopping; press Ctrl-C once more to end odesync at once")
                }
                _ => editor::leave_at_once(),
            }
        });
        let mut repl = Self {
            session,
            known: Shared::default(),
            pictures: Pictures::detect()?,
            paint,
            settings: Settings::new(Vec::new()),
            inputs: Vec::new(),
            count: 0,
            program: None,
            interrupts,
        };
        repl.renew();
        Ok(repl)
    }

    /// What is known now.
    fn renew(&mut self) {
        let asked = self.session.configured();
        let before = self.known.get();
        let catalogue = match before.catalogue.docs.is_empty() {
            true => self.session.catalogue(),
            false => before.catalogue.clone(),
        };
        self.known.set(Known {
            catalogue,
            variables: self.session.overview(),
            functions: self.session.functions(),
            config: asked.config,
            arguments: asked.arguments,
        });
    }

    /// Does what was typed; `line` is the number of its first line, where it comes from a longer text.
    pub fn input(&mut self, text: &str, line: Option<usize>) -> Result<Next, ScriptError> {
        let trimmed = text.trim();
        let done = match trimmed.strip_prefix(':') {
            Some(command) => self.command(command.trim()),
            None if trimmed.is_empty() => return Ok(Next::Go),
            None if self.is_farewell(trimmed) => return Ok(Next::Leave),
            None => self.code(text, line).map(|()| Next::Go),
        };
        self.renew();
        done
    }

    /// What other programs of this kind end with.
    fn is_farewell(&self, text: &str) -> bool {
        let word = text.trim_end_matches(';').trim_end_matches("()");
        matches!(word, "quit" | "exit") && self.known.get().variable(word).is_none()
    }

    fn code(&mut self, code: &str, line: Option<usize>) -> Result<(), ScriptError> {
        let before = self.session.configured().count;
        let result = self.evaluate(code, line);
        if self.leaves_something(&result) {
            if self.session.configured().count > before {
                self.program = Some(Program::Inputs(self.inputs.len()));
            }
            let valued = result.as_ref().is_ok_and(|outcome| !outcome.is_unit);
            self.record(code, None, valued);
        }
        let outcome = result?;
        self.show(code, &outcome).map_err(|mut error| {
            // A figure is drawn when its code is over: what is pointed at is the code that gave it.
            if error.kind == ErrorKind::Runtime && error.place.is_none() && outcome.figure.is_some()
            {
                error.place = self.place(code, line);
            }
            error
        })
    }

    /// The last statement of an input, as messages point at it.
    fn place(&self, code: &str, line: Option<usize>) -> Option<Box<Place>> {
        let (start, text) = scan::last_statement(code);
        let before = code.get(..start)?;
        let number = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next()?.chars().count() + 1;
        let source = match line {
            Some(_) => "<stdin>".into(),
            None => format!("input {}", self.count),
        };
        Some(Box::new(Place {
            source,
            line: line.unwrap_or(0) + number,
            column,
            text: (!text.is_empty())
                .then(|| code.lines().nth(number - 1).unwrap_or_default().to_string()),
        }))
    }

    fn record(&mut self, code: &str, file: Option<String>, valued: bool) {
        self.inputs.push(Input {
            code: code.trim().into(),
            file,
            valued,
        });
    }

    fn evaluate(&mut self, code: &str, line: Option<usize>) -> Result<Outcome, ScriptError> {
        self.count += 1;
        self.begin();
        match line {
            // Lines keep the numbers they have in the whole text.
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

    /// Ctrl-C is counted anew.
    fn begin(&mut self) {
        self.session.interrupt().clear();
        self.interrupts.store(0, Ordering::Relaxed);
    }

    /// Shows a value, unless a semicolon says not to.
    fn show(&self, code: &str, outcome: &Outcome) -> Result<(), ScriptError> {
        if code.trim_end().ends_with(';') {
            return Ok(());
        }
        match &outcome.figure {
            Some(figure) => self.pictures.show(figure),
            None if outcome.is_unit => Ok(()),
            None => super::print(&format!("{}\n", values::shortened(&outcome.text))),
        }
    }

    fn command(&mut self, command: &str) -> Result<Next, ScriptError> {
        let (name, argument) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        let argument = argument.trim();
        let Some(found) = commands::find(name) else {
            let known = commands::ALL.iter().map(|c| c.name);
            let unknown = crate::error::unknown("command", name, known);
            return Err(usage(unknown.to_string()).with_hint(":help says what they do"));
        };
        let needs = |what: &str| {
            usage(format!(
                ":{} needs {what}, as in :{} {}",
                found.name, found.name, found.usage
            ))
        };
        match found.id {
            Name::Help => super::print(&commands::help())?,
            Name::Doc => {
                let docs = &self.known.get().catalogue.docs;
                let page = match argument {
                    "" => reference::index(docs, super::width()),
                    name => reference::page(docs, name, super::width())
                        .map_err(|e| usage(e.to_string()))?,
                };
                super::print(&page)?;
            }
            Name::Vars => super::print(&values::table(&self.known.get().variables))?,
            Name::Load if argument.is_empty() => return Err(needs("a script")),
            Name::Load => self.load(Path::new(argument))?,
            Name::Save if argument.is_empty() => return Err(needs("a file")),
            Name::Save => self.save(Path::new(argument))?,
            Name::Time if argument.is_empty() => return Err(needs("code")),
            Name::Time => {
                let begun = Instant::now();
                let outcome = self.evaluate(argument, None)?;
                let took = begun.elapsed();
                self.record(argument, None, !outcome.is_unit);
                self.show(argument, &outcome)?;
                super::print(&format!("{}\n", self.paint.faint(&values::duration(took))))?;
            }
            Name::Set => {
                let text = self.settings.set(&mut self.session, argument)?;
                super::print(&format!("{text}\n"))?;
            }
            Name::Unset => {
                let text = self.settings.unset(&mut self.session, argument)?;
                super::print(&format!("{text}\n"))?;
            }
            Name::Run => self.again()?,
            Name::Quit => return Ok(Next::Leave),
        }
        Ok(Next::Go)
    }

    fn load(&mut self, file: &Path) -> Result<(), ScriptError> {
        self.begin();
        // It can be changed and run again even where it fails.
        if file.is_file() {
            self.program = Some(Program::File(file.to_path_buf()));
        }
        let result = self.session.run_file(file);
        if self.leaves_something(&result) {
            let code = std::fs::read_to_string(file).unwrap_or_default();
            let valued = result.as_ref().is_ok_and(|outcome| !outcome.is_unit);
            self.record(&code, Some(file.display().to_string()), valued);
        }
        result.map(drop)
    }

    /// Whether the variables of what was evaluated stand: it succeeded, or a training in it was interrupted and kept.
    fn leaves_something(&self, result: &Result<Outcome, ScriptError>) -> bool {
        match result {
            Ok(_) => true,
            Err(error) => error.kind == ErrorKind::Interrupted && error.hint.is_some(),
        }
    }

    fn save(&mut self, file: &Path) -> Result<(), ScriptError> {
        let text = record::script(&self.inputs, self.settings.changes());
        let made = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .map(|folder| format!(", in a new folder {}", folder.display()));
        crate::files::write_atomically(file, text.as_bytes())
            .map_err(|e| ScriptError::new(ErrorKind::Runtime, e.to_string()))?;
        let inputs = match self.inputs.len() {
            1 => "1 input".into(),
            n => format!("{n} inputs"),
        };
        super::print(&format!(
            "wrote {inputs} to {}{}\n",
            file.display(),
            made.unwrap_or_default()
        ))
    }

    /// Runs again what a change of the configuration is for.
    fn again(&mut self) -> Result<(), ScriptError> {
        match &self.program {
            None => Err(usage(
                "there is nothing to run again: :load a script, or call config(…) or args(…)"
                    .to_string(),
            )),
            Some(Program::File(file)) => {
                let file = file.clone();
                let name = file.display().to_string();
                if !self
                    .inputs
                    .iter()
                    .any(|input| input.file.as_ref() == Some(&name))
                {
                    // It failed before.
                    return self.load(&file);
                }
                self.begin();
                self.session.run_file(&file).map(drop)
            }
            Some(Program::Inputs(from)) => {
                let inputs: Vec<Input> = self.inputs.get(*from..).unwrap_or_default().to_vec();
                for input in inputs {
                    for line in input.code.lines() {
                        super::print(&format!(
                            "{}\n",
                            self.paint.faint(&format!("{}{line}", prompt::FIRST))
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

fn usage(message: String) -> ScriptError {
    ScriptError::new(ErrorKind::Usage, message)
}
