//! A session: one engine and its variables, on a thread of its own.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, JoinHandle};

use rhai::{AST, Dynamic, Engine, Scope};

use super::engine;
use super::error::{ErrorKind, ScriptError};
use super::host::{Host, Output, RunPlan};
use super::registry::{Catalogue, Doc};
use super::report::{Report, Sources};
use super::syntax::Watch;
use super::{limits, memory};
use crate::devices::Device;

/// How a session is set up.
#[derive(Clone)]
pub struct SessionOptions {
    /// No progress and no remarks.
    pub quiet: bool,
    /// The arguments `KEY=VALUE` that `args(…)` reads, and the overrides of `config(…)`.
    pub arguments: Vec<String>,
    /// Where the runs of experiments go.
    pub runs: RunPlan,
    /// Where what is printed goes.
    pub output: Output,
    /// Bytes that the process may hold; a quarter of the machine's memory unless told otherwise.
    pub memory_limit: Option<usize>,
    /// The device of every call that names neither an engine nor a device; the processor unless told otherwise.
    pub device: Device,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            quiet: false,
            arguments: Vec::new(),
            runs: RunPlan::default(),
            output: Output::terminal(),
            memory_limit: None,
            device: Device::default(),
        }
    }
}

/// What an evaluation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The value as `print` shows it.
    pub text: String,
    /// Whether the value is `()`, that is, there is none.
    pub is_unit: bool,
}

/// Asks a session to stop, from any thread.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// The running evaluation ends at its next step, or the next one at its first.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Takes a request back that nothing has acted on.
    pub fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// One engine with its variables. Variables and functions stay from one evaluation to the next.
///
/// The engine lives on a thread of its own with a large stack, so that deep recursion ends with an error; the session itself
/// may be sent to any thread.
///
/// ```
/// use odesync::script::{Session, SessionOptions};
///
/// let mut session = Session::new(SessionOptions::default())?;
/// session.eval("let x = arange(0.0, 1.0, 0.25)", None)?;
/// assert_eq!(session.eval("sum(x)", None)?.text, "1.5");
/// # Ok::<(), odesync::script::ScriptError>(())
/// ```
pub struct Session {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    host: Host,
}

type Job = Box<dyn FnOnce(&mut State) + Send>;

impl Session {
    /// Starts the thread and sets up the engine.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`] where the system refuses the thread.
    pub fn new(options: SessionOptions) -> Result<Self, ScriptError> {
        let host = Host::new(options);
        let mut refused = String::new();
        for stack in limits::STACK {
            let (jobs, queue) = channel::<Job>();
            let host_there = host.clone();
            let thread = Builder::new()
                .name("script".into())
                .stack_size(stack)
                .spawn(move || {
                    let mut state = State::new(host_there);
                    while let Ok(job) = queue.recv() {
                        job(&mut state);
                    }
                });
            match thread {
                Ok(thread) => {
                    return Ok(Self {
                        jobs: Some(jobs),
                        thread: Some(thread),
                        host,
                    });
                }
                Err(error) => refused = error.to_string(),
            }
        }
        Err(ScriptError::new(
            ErrorKind::Limit,
            format!("the system refuses a thread for the script: {refused}"),
        )
        .with_hint("raise the limit on virtual memory (ulimit -v)"))
    }

    /// Evaluates code. `source` is the file it comes from, or a name for it in messages.
    ///
    /// # Errors
    /// Whatever the script ends with; variables that were set before stay.
    pub fn eval(&mut self, code: &str, source: Option<&Path>) -> Result<Outcome, ScriptError> {
        let code = code.to_string();
        let name = source.map_or_else(|| "<eval>".into(), |path| path.display().to_string());
        self.on_thread(move |state| state.eval(&code, &name, None))
    }

    /// Runs a script file. Arguments that the script doesn't ask for are an error.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a file that can't be read or arguments that aren't wanted; else as [`Session::eval`].
    pub fn run_file(&mut self, path: &Path) -> Result<Outcome, ScriptError> {
        let bytes = std::fs::read(path).map_err(|error| {
            let message = format!("cannot read {}: {error}", path.display());
            ScriptError::new(ErrorKind::Usage, message)
        })?;
        let code = String::from_utf8(bytes).map_err(|error| {
            let place = error.utf8_error().valid_up_to();
            let message = format!("{} is not UTF-8 text (byte {place})", path.display());
            ScriptError::new(ErrorKind::Syntax, message)
        })?;
        let (name, path) = (path.display().to_string(), path.to_path_buf());
        self.on_thread(move |state| state.eval(&code, &name, Some(&path)))
    }

    /// The handle that stops an evaluation.
    pub fn interrupt(&self) -> Interrupt {
        Interrupt(self.host.interrupt_flag())
    }

    /// The documentation of every function, property and constant.
    pub fn docs(&mut self) -> Vec<Doc> {
        self.on_thread(|state| Ok(state.catalogue.docs.clone()))
            .unwrap_or_default()
    }

    /// Names of functions, properties and constants that have no documentation.
    pub fn undescribed(&mut self) -> Vec<String> {
        self.on_thread(|state| Ok(state.catalogue.undescribed()))
            .unwrap_or_default()
    }

    /// The names of the variables that are set.
    pub fn variables(&mut self) -> Vec<String> {
        self.on_thread(|state| Ok(state.variables()))
            .unwrap_or_default()
    }

    /// Runs a job on the session's thread. A panic there is an error here, and the session lives on.
    fn on_thread<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut State) -> Result<T, ScriptError> + Send + 'static,
    ) -> Result<T, ScriptError> {
        let (answer, answered) = channel();
        let job: Job = Box::new(move |state| {
            let result = catch_unwind(AssertUnwindSafe(|| work(state)));
            let result = result.unwrap_or_else(|payload| Err(defect(&*payload)));
            // Nobody waits any more only if the session was dropped.
            let _ = answer.send(result);
        });
        let gone = || ScriptError::new(ErrorKind::Defect, "the script's thread has ended");
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(job).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported by the job that caused it.
            let _ = thread.join();
        }
    }
}

fn defect(payload: &(dyn Any + Send)) -> ScriptError {
    let what = payload
        .downcast_ref::<&str>()
        .map(|text| text.to_string())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown panic".into());
    ScriptError::new(ErrorKind::Defect, format!("internal error: {what}"))
        .with_hint("this is a defect in odesync; please report it with the script that led to it")
}

/// What lives on the thread.
struct State {
    engine: Engine,
    catalogue: Catalogue,
    watch: Rc<Watch>,
    scope: Scope<'static>,
    constants: Scope<'static>,
    functions: AST,
    sources: Sources,
    host: Host,
}

impl State {
    fn new(host: Host) -> Self {
        let watch = Rc::new(Watch::default());
        let (engine, constants, catalogue) = engine::build(&host, &watch);
        Self {
            engine,
            catalogue,
            watch,
            scope: constants.clone(),
            constants,
            functions: AST::empty(),
            sources: HashMap::new(),
            host,
        }
    }

    fn variables(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .scope
            .iter_raw()
            .skip(self.constants.len())
            .map(|x| x.0.to_string())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// `file` is the script's, whose arguments must be wanted.
    fn eval(
        &mut self,
        code: &str,
        name: &str,
        file: Option<&Path>,
    ) -> Result<Outcome, ScriptError> {
        let code = without_preamble(code);
        self.sources.insert(name.into(), Arc::from(code.as_str()));
        self.watch.reset();
        let held = self.scope.len();
        let result = self
            .compile(&code, name, file)
            .and_then(|ast| self.run(&ast, name));
        match &result {
            Err(error) if error.kind == ErrorKind::Interrupted => self.host.clear_interrupt(),
            Err(error) if error.kind == ErrorKind::Limit => self.free_memory(held),
            _ => {}
        }
        result
    }

    fn compile(&mut self, code: &str, name: &str, file: Option<&Path>) -> Result<AST, ScriptError> {
        let parsed = self.engine.compile_with_scope(&self.scope, code);
        let mut ast = parsed.map_err(|error| self.report().parse_error(&error, name))?;
        ast.set_source(name);
        self.host.begin(file, self.watch.may_call(&["config"]));
        let given = self.host.arguments();
        if let Some(argument) = given.first().filter(|_| file.is_some())
            && !self.watch.may_call(&["args", "config"])
        {
            return Err(ScriptError::new(
                ErrorKind::Usage,
                format!("{name} takes no arguments, but {argument} is given"),
            )
            .with_hint("a script declares its arguments by `let opt = args(#{ epochs: 600 });`"));
        }
        let run = self.functions.merge(&ast);
        self.functions = run.clone_functions_only();
        Ok(run)
    }

    fn run(&mut self, ast: &AST, name: &str) -> Result<Outcome, ScriptError> {
        let result = self
            .engine
            .eval_ast_with_scope::<Dynamic>(&mut self.scope, ast);
        let value = result.map_err(|error| self.report().run_error(*error, name))?;
        if let Some(reason) = self.host.take_output_failure() {
            self.host.clear_interrupt();
            let message = format!("cannot write the output: {reason}");
            return Err(ScriptError::new(ErrorKind::Runtime, message));
        }
        if self.host.output_closed() {
            self.host.clear_interrupt();
            return Err(ScriptError::new(
                ErrorKind::OutputClosed,
                "the output is closed",
            ));
        }
        if value.is_unit() {
            return Ok(Outcome {
                text: String::new(),
                is_unit: true,
            });
        }
        let mut scope = Scope::new();
        scope.push_dynamic("value", value);
        let shown = self
            .engine
            .eval_expression_with_scope::<Dynamic>(&mut scope, "value.to_string()");
        let text = shown
            .map_err(|error| self.report().run_error(*error, name))?
            .to_string();
        Ok(Outcome {
            text,
            is_unit: false,
        })
    }

    /// After too much memory was used: what the evaluation made goes, and if that is not enough, everything.
    fn free_memory(&mut self, held: usize) {
        let limit = self.host.memory_limit();
        let too_much = || memory::allocated().is_some_and(|used| used > limit);
        if too_much() {
            self.scope.rewind(held);
        }
        if too_much() {
            self.scope = self.constants.clone();
            self.host.note("all variables were dropped to free memory");
        }
    }

    fn report(&self) -> Report<'_> {
        Report {
            sources: &self.sources,
            catalogue: &self.catalogue,
            watch: &self.watch,
            functions: &self.functions,
            variables: self.variables(),
            host: &self.host,
        }
    }
}

/// The code without a byte order mark, and with a first line `#!…` blanked so that lines keep their numbers.
fn without_preamble(code: &str) -> String {
    let code = code.strip_prefix('\u{feff}').unwrap_or(code);
    match code.strip_prefix("#!") {
        Some(rest) => format!("//{rest}"),
        None => code.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_on_the_thread_is_an_error_and_the_session_lives_on() {
        let mut session = Session::new(SessionOptions::default()).unwrap();
        session.eval("let x = 2;", None).unwrap();
        let result: Result<(), _> = session.on_thread(|_| panic!("a binding's mistake"));
        let error = result.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Defect);
        let text = error.to_string();
        assert!(
            text.contains("a binding's mistake") && text.contains("please report it"),
            "{text}"
        );
        assert_eq!(session.eval("x", None).unwrap().text, "2");
    }
}
