//! A session: one engine and its variables, on a separate thread.

mod bind_interrupted;
mod state;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, JoinHandle};

use super::error::{ErrorKind, ScriptError};
use super::exchange::{FromScript, IntoScript};
use super::experiments::compose_config;
use super::host::{ConfigRequest, Host, key_of};
use super::interaction::WidgetValue;
use super::introspection::{FunctionInfo, VariableInfo};
use super::limits;
use super::registry::{Catalogue, Doc};
pub use super::session_options::{EvalResult, InterruptHandle, SessionOptions};
use state::{Interpreter, SessionState};

/// A session: one engine and its variables. Variables and functions persist from one evaluation to the next.
///
/// The engine runs on a separate thread with a large stack, so that deep recursion ends with an error; the session itself may be
/// sent to any thread.
///
/// ```
/// use odesync_script::script::{Session, SessionOptions};
///
/// let mut session = Session::new(SessionOptions::default())?;
/// session.eval("let x = arange(0.0, 1.0, 0.25)", None)?;
/// assert_eq!(session.eval("sum(x)", None)?.text, "1.5");
/// # Ok::<(), odesync_script::script::ScriptError>(())
/// ```
///
/// Rust and the scripts of a session share variables:
///
/// ```
/// use odesync_ode::dynamics::lotka_volterra;
/// use odesync_script::script::{Session, SessionOptions};
///
/// let mut session = Session::new(SessionOptions::default())?;
/// let field = lotka_volterra()?;
/// session.set("field", field)?;
/// session.eval("let data = dataset(field, [1, 1], arange(0.0, 5.0, 0.1));", None)?;
/// let data: odesync_train::datasets::Dataset = session.get("data")?;
/// assert_eq!(data.len(), 50);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Session {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    host: Host,
}

type Job = Box<dyn FnOnce(&mut dyn Interpreter) + Send>;

impl Session {
    /// Starts a session: its thread and its engine.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`] where the system refuses the thread.
    pub fn new(options: SessionOptions) -> Result<Self, ScriptError> {
        let host = Host::new(options);
        let mut refused = String::new();
        for stack in limits::STACK_SIZES {
            let (jobs, queue) = channel::<Job>();
            let host_there = host.clone();
            let thread = Builder::new()
                .name("script".into())
                .stack_size(stack)
                .spawn(move || {
                    odesync_base::interrupt::listen(host_there.interrupt_flag());
                    let mut state = SessionState::new(host_there);
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
    /// The error that the script ended with; variables that were set before keep their values.
    pub fn eval(&mut self, code: &str, source: Option<&Path>) -> Result<EvalResult, ScriptError> {
        let code = code.to_string();
        let name = source.map_or_else(|| "<eval>".into(), |path| path.display().to_string());
        self.run_on_thread(move |state| state.eval(&code, &name, None))
    }

    /// Runs a script file. Arguments that the script does not ask for are an error.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a file that cannot be read or for arguments that the script does not accept; else those of
    /// [`Session::eval`].
    pub fn run_file(&mut self, path: &Path) -> Result<EvalResult, ScriptError> {
        let bytes = odesync_base::files::read(path).map_err(|error| {
            let message = format!("cannot read {}: {error}", path.display());
            ScriptError::new(ErrorKind::Usage, message)
        })?;
        let code = String::from_utf8(bytes).map_err(|error| {
            let offset = error.utf8_error().valid_up_to();
            let message = format!("{} is not UTF-8 text (byte {offset})", path.display());
            ScriptError::new(ErrorKind::Syntax, message)
        })?;
        let (name, path) = (path.display().to_string(), path.to_path_buf());
        self.run_on_thread(move |state| state.eval(&code, &name, Some(&path)))
    }

    /// Calls the function of an interaction that a front end shows, with these values of its controls.
    ///
    /// # Errors
    /// The error of the function; [`ErrorKind::Runtime`] for an interaction that is not kept any more.
    pub fn run_interaction(
        &mut self,
        id: u64,
        values: Vec<WidgetValue>,
    ) -> Result<EvalResult, ScriptError> {
        self.run_on_thread(move |state| state.run_interaction(id, &values))
    }

    /// Drops an interaction whose controls are gone.
    pub fn end_interaction(&mut self, id: u64) {
        // It fails only where the session's thread has ended, and the interaction with it.
        let _ = self.run_on_thread(move |state| {
            state.end_interaction(id);
            Ok(())
        });
    }

    /// Returns the handle that stops an evaluation.
    pub fn interrupt(&self) -> InterruptHandle {
        InterruptHandle(self.host.interrupt_flag())
    }

    /// Returns the documentation of every function, property and constant.
    pub fn docs(&mut self) -> Vec<Doc> {
        self.run_on_thread(|state| Ok(state.catalogue().docs.clone()))
            .unwrap_or_default()
    }

    /// Returns the catalogue of all functions, properties and constants.
    pub fn catalogue(&mut self) -> Catalogue {
        self.run_on_thread(|state| Ok(state.catalogue().clone()))
            .unwrap_or_default()
    }

    /// Returns the names of the variables that are set.
    pub fn variables(&mut self) -> Vec<String> {
        self.run_on_thread(|state| Ok(state.variables()))
            .unwrap_or_default()
    }

    /// Returns summaries of the variables that are set, sorted by name.
    pub fn variable_infos(&mut self) -> Vec<VariableInfo> {
        self.run_on_thread(|state| Ok(state.variable_infos()))
            .unwrap_or_default()
    }

    /// Returns the functions that the session's code has defined, sorted by name.
    pub fn functions(&mut self) -> Vec<FunctionInfo> {
        self.run_on_thread(|state| Ok(state.functions()))
            .unwrap_or_default()
    }

    /// Sets a variable; an existing one of this name is replaced. Scripts change their own copy only: the Rust value that was
    /// passed in is moved.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a name that no variable can have, such as that of a constant.
    pub fn set(&mut self, name: &str, value: impl IntoScript) -> Result<(), ScriptError> {
        let name = name.to_string();
        self.run_on_thread(move |state| state.set(&name, value.into_script()))
    }

    /// Returns a copy of a variable's value.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a variable that is not set, or that holds a value of another type.
    pub fn get<T: FromScript>(&mut self, name: &str) -> Result<T, ScriptError> {
        let name = name.to_string();
        self.run_on_thread(move |state| {
            let value = T::from_script(state.value(&name)?);
            value.map_err(|error| ScriptError::new(ErrorKind::Usage, format!("{name}: {error}")))
        })
    }

    /// Replaces the arguments `KEY=VALUE` of [`SessionOptions::arguments`], from the next evaluation on. The configuration of
    /// [`Session::config_request`] is composed with the new ones.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where the last `config(…)` or `args(…)` does not accept them; the arguments then stay as they were.
    pub fn set_arguments(&mut self, arguments: Vec<String>) -> Result<(), ScriptError> {
        let usage = |error: crate::Error| ScriptError::new(ErrorKind::Usage, error.to_string());
        let asked = self.host.config_request();
        let declared = asked.arguments;
        let rest: Vec<String> = arguments
            .iter()
            .filter(|argument| !declared.iter().any(|key| key == key_of(argument)))
            .cloned()
            .collect();
        match (&asked.config, rest.first()) {
            (Some(config), _) => {
                let script = asked.script.as_deref();
                let config = compose_config(&self.host, script, config.name(), &rest);
                self.host.replace_config(config.map_err(usage)?);
            }
            (None, Some(argument)) if !declared.is_empty() => {
                let known = declared.iter().map(String::as_str);
                return Err(usage(odesync_base::error::unknown(
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

    /// Returns the configuration and arguments that the last `config(…)` and `args(…)` asked for.
    pub fn config_request(&self) -> ConfigRequest {
        self.host.config_request()
    }

    /// Runs a job on the session's thread. A panic there is returned as an error, and the session stays usable.
    fn run_on_thread<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut dyn Interpreter) -> Result<T, ScriptError> + Send + 'static,
    ) -> Result<T, ScriptError> {
        let (answer, answered) = channel();
        let job: Job = Box::new(move |state| {
            let result = catch_unwind(AssertUnwindSafe(|| work(state)));
            let result = result.unwrap_or_else(|payload| Err(internal_error(&*payload)));
            // The receiver is gone only if the session was dropped.
            let _ = answer.send(result);
        });
        let gone = || ScriptError::new(ErrorKind::InternalError, "the script's thread has ended");
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(job).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // The job that caused a panic of the thread has already reported it.
            let _ = thread.join();
        }
    }
}

fn internal_error(payload: &(dyn Any + Send)) -> ScriptError {
    let what = payload
        .downcast_ref::<&str>()
        .map(|text| text.to_string())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown panic".into());
    ScriptError::new(ErrorKind::InternalError, format!("internal error: {what}"))
        .with_hint("this is a defect in odesync; please report it with the script that led to it")
}
