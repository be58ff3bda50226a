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
use super::error::{ErrorKind, Fallible, ScriptError};
use super::exchange::{FromScript, IntoScript};
use super::experiments::configuration;
use super::frontend::{Display, Output};
use super::host::{Configured, Host, RunPlan, key_of};
use super::kept::LAST;
use super::overview::{Function, Variable};
use super::registry::{Catalogue, Doc};
use super::report::{Report, Sources};
use super::syntax::Watch;
use super::{limits, memory};
use crate::devices::Device;
use crate::plotting::Panel;

/// How a session is set up.
#[derive(Clone)]
pub struct SessionOptions {
    /// No progress and no remarks.
    pub quiet: bool,
    /// Someone types and looks on: an interrupted training gives the run so far, and the variable `ans` holds the last value.
    pub interactive: bool,
    /// The arguments `KEY=VALUE` that `args(…)` reads, and the overrides of `config(…)`.
    pub arguments: Vec<String>,
    /// Where the runs of experiments go.
    pub runs: RunPlan,
    /// The front end: where what is printed and shown goes.
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
            interactive: false,
            arguments: Vec::new(),
            runs: RunPlan::default(),
            output: Output::terminal(),
            memory_limit: None,
            device: Device::default(),
        }
    }
}

/// What an evaluation came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The value as `print` shows it.
    pub text: String,
    /// Whether the value is `()`, that is, there is none.
    pub is_unit: bool,
    /// The value where it is a figure.
    pub figure: Option<Panel>,
}

impl Outcome {
    /// The value in the richest form it has; none of `()`.
    pub fn display(&self) -> Option<Display> {
        match &self.figure {
            Some(figure) => Some(Display::Figure(Box::new(figure.clone()))),
            None if self.is_unit => None,
            None => Some(Display::Text(self.text.clone())),
        }
    }
}

/// Asks a session to stop, from any thread.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// The running evaluation ends at its next step, or the next one at its first.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// What is raised to stop.
    pub fn flag(&self) -> &Arc<AtomicBool> {
        &self.0
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
///
/// Rust and the scripts of a session share variables:
///
/// ```
/// use odesync::prelude::*;
/// use odesync::script::{Session, SessionOptions};
///
/// let mut session = Session::new(SessionOptions::default())?;
/// let field = lotka_volterra()?;
/// session.set("field", field)?;
/// session.eval("let data = dataset(field, [1, 1], arange(0.0, 5.0, 0.1));", None)?;
/// let data: Dataset = session.get("data")?;
/// assert_eq!(data.len(), 50);
/// # Ok::<(), Box<dyn std::error::Error>>(())
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

    /// Everything known about the functions, properties and constants.
    pub fn catalogue(&mut self) -> Catalogue {
        self.on_thread(|state| Ok(state.catalogue.clone()))
            .unwrap_or_default()
    }

    /// The names of the variables that are set.
    pub fn variables(&mut self) -> Vec<String> {
        self.on_thread(|state| Ok(state.variables()))
            .unwrap_or_default()
    }

    /// The variables that are set, by name.
    pub fn overview(&mut self) -> Vec<Variable> {
        self.on_thread(|state| Ok(state.overview()))
            .unwrap_or_default()
    }

    /// The functions that the session's code has defined, by name.
    pub fn functions(&mut self) -> Vec<Function> {
        self.on_thread(|state| Ok(Function::all(&state.functions)))
            .unwrap_or_default()
    }

    /// Sets a variable, whether there is one of this name or not. What scripts change then is theirs; the Rust value that came in
    /// is no more.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a name that no variable can have, such as that of a constant.
    pub fn set(&mut self, name: &str, value: impl IntoScript) -> Result<(), ScriptError> {
        let name = name.to_string();
        self.on_thread(move |state| state.set(&name, value.into_script()))
    }

    /// A copy of a variable's value.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a variable that is not set, or holds a value of another type.
    pub fn get<T: FromScript>(&mut self, name: &str) -> Result<T, ScriptError> {
        let name = name.to_string();
        self.on_thread(move |state| state.get(&name))
    }

    /// Other arguments `KEY=VALUE` than those of [`SessionOptions::arguments`], from the next evaluation on. The configuration of
    /// [`Session::configured`] then has them.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where the last `config(…)` or `args(…)` could not take them; they then stay as they were.
    pub fn set_arguments(&mut self, arguments: Vec<String>) -> Result<(), ScriptError> {
        let usage = |error: crate::Error| ScriptError::new(ErrorKind::Usage, error.to_string());
        let asked = self.host.configured();
        let declared = asked.arguments;
        let rest: Vec<String> = arguments
            .iter()
            .filter(|argument| !declared.iter().any(|key| key == key_of(argument)))
            .cloned()
            .collect();
        match (&asked.config, rest.first()) {
            (Some(config), _) => {
                let script = asked.script.as_deref();
                let config = configuration(&self.host, script, config.name(), &rest);
                self.host.reconfigure(config.map_err(usage)?);
            }
            (None, Some(argument)) if !declared.is_empty() => {
                let known = declared.iter().map(String::as_str);
                return Err(usage(crate::error::unknown(
                    "argument",
                    key_of(argument),
                    known,
                )));
            }
            _ => {}
        }
        self.host.set_arguments(arguments);
        Ok(())
    }

    /// What the last `config(…)` and `args(…)` gave.
    pub fn configured(&self) -> Configured {
        self.host.configured()
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

    /// The variables with their values; of those with the same name the one that is in sight.
    fn in_sight(&self) -> Vec<(&str, &Dynamic)> {
        let mut seen: Vec<(&str, &Dynamic)> = self
            .scope
            .iter_raw()
            .map(|(name, _, _)| name)
            .filter(|name| !self.constants.contains(name))
            .filter_map(|name| Some((name, self.scope.get(name)?)))
            .collect();
        seen.sort_by_key(|(name, _)| *name);
        seen.dedup_by_key(|(name, _)| *name);
        seen
    }

    fn variables(&self) -> Vec<String> {
        let names = self.in_sight().into_iter();
        names.map(|(name, _)| name.to_string()).collect()
    }

    fn overview(&self) -> Vec<Variable> {
        let all = self.in_sight().into_iter();
        all.map(|(name, value)| {
            let text = self.show(value).unwrap_or_else(|_| "?".into());
            let kind = self.engine.map_type_name(value.type_name());
            Variable::new(name, kind, value, &text)
        })
        .collect()
    }

    fn set(&mut self, name: &str, value: Dynamic) -> Result<(), ScriptError> {
        let usage = |message: String| ScriptError::new(ErrorKind::Usage, message);
        let letters = name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !letters || self.engine.compile(format!("let {name} = 0;")).is_err() {
            return Err(usage(format!(
                "\"{name}\" can't be a variable's name: names are letters, digits and _, and no word of the language"
            )));
        }
        if self.scope.is_constant(name) == Some(true) {
            return Err(usage(format!("{name} is a constant")));
        }
        match self.scope.get_mut(name) {
            Some(held) => *held = value,
            None => {
                self.scope.push_dynamic(name, value);
            }
        }
        Ok(())
    }

    fn get<T: FromScript>(&self, name: &str) -> Result<T, ScriptError> {
        let usage = |message: String| ScriptError::new(ErrorKind::Usage, message);
        let Some(value) = self.scope.get(name) else {
            let (message, _) = self.report().unknown_variable(name);
            return Err(usage(message));
        };
        T::from_script(value).map_err(|error| usage(format!("{name}: {error}")))
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
        let mut result = self
            .compile(&code, name, file)
            .and_then(|ast| self.run(&ast, name));
        match &result {
            Err(error) if error.kind == ErrorKind::Interrupted => self.host.clear_interrupt(),
            Err(error) if error.kind == ErrorKind::Limit => self.free_memory(held),
            _ => {}
        }
        if let Some(kept) = self.host.take_kept() {
            self.host.clear_interrupt();
            let remark = kept.bind(&mut self.scope);
            match &mut result {
                Err(error) => error.hint = Some(remark),
                Ok(_) => self.host.note(&remark),
            }
        }
        self.forget_shadowed();
        result
    }

    /// A variable declared anew hides the old one for good.
    fn forget_shadowed(&mut self) {
        let mut names: Vec<&str> = self.scope.iter_raw().map(|(name, _, _)| name).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            self.scope = self.scope.clone_visible();
        }
    }

    fn compile(&mut self, code: &str, name: &str, file: Option<&Path>) -> Result<AST, ScriptError> {
        let parsed = self.engine.compile_with_scope(&self.scope, code);
        let mut ast = parsed.map_err(|error| self.report().parse_error(&error, name))?;
        ast.set_source(name);
        self.host.begin(file, self.watch.may_call(&["config"]));
        let given = self.host.arguments();
        if let Some(argument) = given
            .first()
            .filter(|_| file.is_some() && !self.host.interactive())
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
                figure: None,
            });
        }
        if self.host.has_kept() {
            // The code is at its end; showing what it gave must not be interrupted in its place.
            self.host.clear_interrupt();
        }
        let outcome = Outcome {
            text: self
                .show(&value)
                .map_err(|error| self.report().run_error(*error, name))?,
            is_unit: false,
            figure: value.read_lock::<Panel>().map(|panel| panel.clone()),
        };
        if self.host.interactive() && self.scope.is_constant(LAST) != Some(true) {
            self.scope.set_value(LAST, value);
        }
        Ok(outcome)
    }

    /// A value as `print` shows it.
    fn show(&self, value: &Dynamic) -> Fallible<String> {
        let mut scope = Scope::new();
        scope.push_dynamic("value", value.clone());
        let shown = self
            .engine
            .eval_expression_with_scope::<Dynamic>(&mut scope, "value.to_string()")?;
        Ok(shown.to_string())
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

    fn interactive() -> (Session, Arc<std::sync::Mutex<String>>) {
        let (output, text) = Output::captured();
        let session = Session::new(SessionOptions {
            interactive: true,
            output,
            ..SessionOptions::default()
        });
        (session.unwrap(), text)
    }

    #[test]
    fn rust_and_scripts_share_variables() {
        let (mut session, _) = interactive();
        session.set("x", vec![1.0, 2.0, 3.0]).unwrap();
        session.set("n", 3usize).unwrap();
        session
            .set("f", crate::dynamics::lotka_volterra().unwrap())
            .unwrap();
        let code = "x += n; let a = zeros([2, 3]); let y = x; let fig = figure().line(x, y); f.dof";
        assert_eq!(session.eval(code, None).unwrap().text, "2");
        assert_eq!(session.get::<Vec<f64>>("y").unwrap(), [4.0, 5.0, 6.0]);
        assert_eq!(
            session.get::<ndarray::Array2<f64>>("a").unwrap().dim(),
            (2, 3)
        );
        assert_eq!(session.get::<f64>("n").unwrap(), 3.0);
        assert!(session.get::<Panel>("fig").unwrap().to_svg().is_ok());
        let field: crate::field::VectorField = session.get("f").unwrap();
        assert_eq!(field.dof(), 2);

        let says = |error: ScriptError, text: &str| {
            assert_eq!(error.kind, ErrorKind::Usage);
            assert!(error.message.contains(text), "{}", error.message);
        };
        says(
            session.get::<f64>("y").unwrap_err(),
            "y: a number was expected",
        );
        says(
            session.get::<ndarray::Array2<f64>>("y").unwrap_err(),
            "two axes",
        );
        says(session.get::<f64>("nn").unwrap_err(), "did you mean \"n\"?");
        says(session.set("PI", 3.0).unwrap_err(), "PI is a constant");
        says(
            session.set("x y", 3.0).unwrap_err(),
            "can't be a variable's name",
        );
        says(
            session.set("let", 3.0).unwrap_err(),
            "can't be a variable's name",
        );
    }

    #[test]
    fn the_last_value_and_the_variables_are_known() {
        let (mut session, _) = interactive();
        session
            .eval("let x = arange(4); let x = 2 * x;", None)
            .unwrap();
        assert_eq!(session.eval("sum(x)", None).unwrap().text, "12.0");
        assert_eq!(session.eval("ans + 1", None).unwrap().text, "13.0");
        let all = session.overview();
        let names: Vec<&str> = all.iter().map(|v| v.name.as_str()).collect();
        assert_eq!(names, ["ans", "x"]);
        assert_eq!((&*all[1].kind, &*all[1].shape), ("Array", "[4]"));
        assert_eq!(all[0].kind, "float");
        session.eval("fn twice(x) { 2 * x }", None).unwrap();
        assert_eq!(session.functions()[0].parameters, ["x"]);
        assert!(
            session
                .eval("figure().line([0, 1], [1, 2])", None)
                .unwrap()
                .figure
                .is_some()
        );
    }

    /// Stops the session in the third epoch of a training.
    struct Stopper(Arc<std::sync::Mutex<Option<Interrupt>>>);

    impl crate::script::Frontend for Stopper {
        fn print(&self, _text: &str) -> std::io::Result<()> {
            Ok(())
        }

        fn progress(&self, _label: &str) -> Box<dyn crate::training::Observer> {
            Box::new(Stopper(Arc::clone(&self.0)))
        }
    }

    impl crate::training::Observer for Stopper {
        fn epoch(
            &mut self,
            record: &crate::training::EpochRecord,
            _best: f64,
        ) -> crate::Result<()> {
            if record.epoch == 2
                && let Some(interrupt) = self.0.lock().unwrap().as_ref()
            {
                interrupt.stop();
            }
            Ok(())
        }
    }

    #[test]
    fn an_interrupted_training_gives_the_run_so_far() {
        let stop = Arc::default();
        let mut session = Session::new(SessionOptions {
            interactive: true,
            output: Output::new(Stopper(Arc::clone(&stop))),
            ..SessionOptions::default()
        })
        .unwrap();
        *stop.lock().unwrap() = Some(session.interrupt());
        let before = "let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); let model = blackbox([2, 4, 2]);
            fn fitted(model, data) { let run = train(model, data, vanilla(), #{ epochs: 50 }); run.best_mse }";
        session.eval(before, None).unwrap();
        let train = "train(model, data, vanilla(), #{ epochs: 50 })";
        session.eval(&format!("let run = {train};"), None).unwrap();
        assert_eq!(session.eval("run.epochs", None).unwrap().text, "3");
        assert_eq!(
            session.eval("run.stopped", None).unwrap().text,
            "interrupted"
        );
        // The value itself; what follows is not reached; what a function holds is not lost.
        let text = session.eval(train, None).unwrap().text;
        assert!(text.contains("interrupted"), "{text}");
        let error = session
            .eval(&format!("let later = {train}; let after = 1;"), None)
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Interrupted);
        assert_eq!(
            error.hint.as_deref(),
            Some("later holds the 3 epochs that were done")
        );
        assert_eq!(session.eval("later.epochs", None).unwrap().text, "3");
        assert!(session.eval("after", None).is_err());
        session.eval("ans = 0;", None).unwrap();
        assert!(session.eval("fitted(model, data)", None).is_err());
        assert_eq!(session.eval("ans.epochs", None).unwrap().text, "3");
        let ensemble = "let all = train(|| blackbox([2, 4, 2]), data, vanilla(), #{ epochs: 50, seeds: [1, 2] });";
        session.eval(ensemble, None).unwrap();
        assert!(session.variables().contains(&"all".into()));
        let run: crate::training::Run = session.get("run").unwrap();
        assert_eq!(run.history.len(), 3);
    }
    /// Writes down what it is told of the parts of a computation.
    #[derive(Clone, Default)]
    struct Teller(Arc<std::sync::Mutex<Vec<String>>>, String);

    impl crate::script::Frontend for Teller {
        fn print(&self, _text: &str) -> std::io::Result<()> {
            Ok(())
        }

        fn tally(&self, label: &str, unit: &'static str) -> Box<dyn crate::logging::Tally> {
            Box::new(Teller(Arc::clone(&self.0), format!("{label} {unit}")))
        }
    }

    impl crate::logging::Tally for Teller {
        fn at(&self, done: usize, all: usize) {
            let mut told = self.0.lock().unwrap();
            told.push(format!("{} {done}/{all}", self.1));
        }
    }

    #[test]
    fn the_front_end_hears_of_the_parts_of_a_long_computation() {
        let said = |quiet: bool, code: &str| {
            let teller = Teller::default();
            let mut session = Session::new(SessionOptions {
                quiet,
                output: Output::new(teller.clone()),
                ..SessionOptions::default()
            })
            .unwrap();
            session.eval(code, None).unwrap();
            let mut told = teller.0.lock().unwrap().clone();
            told.sort();
            told
        };
        let surface = |options: &str| {
            format!("landscape(|p| p[0] ** 2 + p[1], [1, 1], [[1, 0]], [[-1, 0, 1]], {options})")
        };
        let three = ["1/3", "2/3", "3/3"].map(|n| format!("landscape points {n}"));
        assert_eq!(said(false, &surface("#{}")), three);
        assert!(said(true, &surface("#{}")).is_empty());
        assert!(said(false, &surface("#{ progress: false }")).is_empty());
        let told = said(
            false,
            "hessian(|p| p[0] ** 2, [1], #{ derivatives: \"differences\" })",
        );
        assert!(told.iter().all(|line| line.starts_with("Hessian values ")));
        assert!(!told.is_empty());
    }
}
