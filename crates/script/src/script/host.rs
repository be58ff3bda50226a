//! The interface of a session to the bindings that run in it.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::experiments::RunDir;
use crate::{Error, Result};
use odesync_base::permissions::{EnteredPermissions, Permissions};
use odesync_base::text::printable;
use odesync_config::Config;
use odesync_ode::devices::Device;
use odesync_train::progress::ProgressSink;
use odesync_train::training::Callback;

use super::access::AccessRules;
use super::error::RhaiResult;
use super::frontend::{DisplayedValue, Output};
use super::interaction::Interaction;
use super::interrupted_training::InterruptedTraining;
use super::memory;
use super::session_options::SessionOptions;

/// A session as its bindings see it. Cheap to clone, `Send` and `Sync`, so a thread of a training may hold one.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    interrupt: Arc<AtomicBool>,
    output_failed: Mutex<Option<String>>,
    /// Notes that are said once.
    said: Mutex<HashSet<String>>,
    output_closed: AtomicBool,
    output: Output,
    quiet: bool,
    interactive: bool,
    memory_limit: usize,
    access: Option<AccessRules>,
    device: Device,
    arguments: Mutex<Vec<String>>,
    runs: RunPlan,
    script: Mutex<RunningScript>,
    config_request: Mutex<ConfigRequest>,
    interrupted_training: Mutex<Option<InterruptedTraining>>,
}

/// The configuration and arguments that the code of a session asked for; overrides can change them.
#[derive(Debug, Clone, Default)]
pub struct ConfigRequest {
    /// Number of calls of `config(…)` and `args(…)` so far.
    pub requests: usize,
    /// The last configuration, with the overrides it was composed with.
    pub config: Option<Config>,
    /// The keys that the last `args(…)` declared.
    pub arguments: Vec<String>,
    /// The file of the script that asked for the configuration.
    pub(super) script: Option<PathBuf>,
}

/// Where the runs of a script's experiments are written, and the source of their configuration.
#[derive(Debug, Clone, Default)]
pub struct RunPlan {
    /// Folder of the run.
    pub run_dir: RunDir,
    /// File of a saved configuration to use instead of the one that the script names.
    pub config: Option<PathBuf>,
    /// Whether to print the configuration and end, instead of running.
    pub print_config: bool,
    /// Whether what the script trains replaces runs that are in its folders.
    pub overwrite: bool,
}

/// State of the script that runs.
#[derive(Debug, Default)]
struct RunningScript {
    /// File of the script; `None` for code without a file.
    path: Option<PathBuf>,
    /// Whether command-line arguments may be overrides of a configuration.
    accepts_overrides: bool,
    /// The keys that `args` declared.
    declared_arguments: Vec<String>,
}

impl Host {
    pub(super) fn new(options: SessionOptions) -> Self {
        Self(Arc::new(Inner {
            interrupt: Arc::default(),
            output_failed: Mutex::new(None),
            said: Mutex::default(),
            output_closed: AtomicBool::new(false),
            output: options.output,
            quiet: options.quiet,
            interactive: options.interactive,
            memory_limit: options.memory_limit.unwrap_or_else(memory::default_limit),
            access: options.access,
            device: options.device,
            arguments: Mutex::new(options.arguments),
            runs: options.runs,
            script: Mutex::default(),
            config_request: Mutex::default(),
            interrupted_training: Mutex::new(None),
        }))
    }

    /// Returns whether the user asked to stop. A long call checks this often and then returns [`Error::Interrupted`].
    #[inline]
    pub fn interrupted(&self) -> bool {
        self.0.interrupt.load(Ordering::Relaxed)
    }

    /// Checks for an interrupt.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the user asked to stop.
    pub fn check_interrupt(&self) -> Result<()> {
        if self.interrupted() {
            return Err(Error::Interrupted);
        }
        Ok(())
    }

    /// Returns the interrupt flag, for code that takes an `Arc<AtomicBool>`. `true` asks to stop.
    pub fn interrupt_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0.interrupt)
    }

    /// Returns whether remarks and progress are suppressed.
    pub fn quiet(&self) -> bool {
        self.0.quiet
    }

    /// Returns whether the session is interactive: an interrupted training then returns the run so far.
    pub fn interactive(&self) -> bool {
        self.0.interactive
    }

    /// Prints one line of the script's output.
    pub fn print(&self, line: &str) {
        self.record_output_error(self.0.output.0.print(&printable(line)));
    }

    /// Displays a value in the richest form that the front end supports.
    pub fn display(&self, display: &DisplayedValue) {
        self.record_output_error(self.0.output.0.display(display));
    }

    /// Returns whether the front end shows cards.
    pub fn shows_cards(&self) -> bool {
        self.0.output.0.shows_cards()
    }

    /// Asks the user for a line of text.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the user asked to stop; else the reason for which nobody can be asked.
    pub fn read_line(&self, prompt: &str) -> Result<String> {
        self.0
            .output
            .0
            .read_line(prompt)
            .map_err(|error| match error.kind() {
                io::ErrorKind::Interrupted => Error::Interrupted,
                _ => Error::invalid(format!("input: {error}")),
            })
    }

    /// Shows the controls of an interaction; returns whether the front end has any.
    pub(super) fn interact(&self, interaction: &Interaction) -> bool {
        match self.0.output.0.interact(interaction) {
            Ok(shown) => shown,
            Err(error) => {
                self.record_output_error(Err(error));
                true
            }
        }
    }

    /// Calls the function of an interaction whose controls are shown: what it prints and returns becomes its picture.
    pub(super) fn draw(
        &self,
        interaction: u64,
        draw: impl FnOnce() -> RhaiResult<Option<DisplayedValue>>,
    ) -> RhaiResult<()> {
        self.0.output.0.begin_drawing(interaction);
        let drawn = draw();
        match &drawn {
            Ok(shown) => self.0.output.0.end_drawing(interaction, shown.as_ref()),
            Err(_) => self.0.output.0.abandon_drawing(interaction),
        }
        drawn.map(drop)
    }

    fn record_output_error(&self, result: io::Result<()>) {
        let Err(error) = result else {
            return;
        };
        if error.kind() == io::ErrorKind::BrokenPipe {
            self.0.output_closed.store(true, Ordering::Relaxed);
        } else {
            lock(&self.0.output_failed).get_or_insert_with(|| error.to_string());
        }
        // The next step of the script checks the reason.
        self.0.interrupt.store(true, Ordering::Relaxed);
    }

    /// Writes one line as a remark, as [`Host::note`] does, the first time that it is said in this session.
    pub fn note_once(&self, line: &str) {
        if lock(&self.0.said).insert(line.to_string()) {
            self.note(line);
        }
    }

    /// Writes one line as a remark, unless quiet. A failure is ignored.
    pub fn note(&self, line: &str) {
        if !self.quiet() {
            self.0.output.0.note(&printable(line));
        }
    }

    /// Returns the callback that shows the progress of a training; it does nothing where the session is quiet.
    pub fn progress(&self, label: &str) -> Box<dyn Callback> {
        match self.quiet() {
            true => Box::new(()),
            false => self.0.output.0.progress(label),
        }
    }

    /// Returns the sink that shows the progress of another long computation; it does nothing where the session is quiet.
    pub fn progress_bar(&self, label: &str, unit: &'static str) -> Box<dyn ProgressSink> {
        match self.quiet() {
            true => Box::new(()),
            false => self.0.output.0.progress_bar(label, unit),
        }
    }

    /// Returns the arguments of the command line: `KEY=VALUE` and the other forms of overrides.
    pub fn arguments(&self) -> Vec<String> {
        lock(&self.0.arguments).clone()
    }

    /// Replaces the arguments of the command line.
    pub(super) fn set_arguments(&self, arguments: Vec<String>) {
        *lock(&self.0.arguments) = arguments;
    }

    /// Records the configuration that the code asked for.
    pub(super) fn record_config(&self, config: &Config) {
        let script = self.script().path.clone();
        let mut configured = lock(&self.0.config_request);
        configured.requests += 1;
        configured.config = Some(config.clone());
        configured.script = script;
    }

    /// Replaces the recorded configuration by the same one with other overrides; the request is not counted again.
    pub(super) fn replace_config(&self, config: Config) {
        lock(&self.0.config_request).config = Some(config);
    }

    /// Returns the configuration and arguments that the code asked for.
    pub(super) fn config_request(&self) -> ConfigRequest {
        lock(&self.0.config_request).clone()
    }

    /// Stores the result of an interrupted training until the evaluation ends.
    pub(super) fn store_interrupted(&self, training: InterruptedTraining) {
        *lock(&self.0.interrupted_training) = Some(training);
    }

    /// Returns whether the result of an interrupted training is stored.
    pub(super) fn has_interrupted(&self) -> bool {
        lock(&self.0.interrupted_training).is_some()
    }

    /// Takes the stored result of an interrupted training.
    pub(super) fn take_interrupted(&self) -> Option<InterruptedTraining> {
        lock(&self.0.interrupted_training).take()
    }

    /// Returns where runs are written, and the source of their configuration.
    pub fn runs(&self) -> &RunPlan {
        &self.0.runs
    }

    fn script(&self) -> MutexGuard<'_, RunningScript> {
        lock(&self.0.script)
    }

    /// Resets the script's state at the beginning of a script.
    pub(super) fn begin_script(&self, path: Option<&Path>, configures: bool) {
        *self.script() = RunningScript {
            path: path.map(Path::to_path_buf),
            accepts_overrides: configures,
            declared_arguments: vec![],
        };
    }

    /// Returns the file of the script that runs.
    pub fn script_path(&self) -> Option<PathBuf> {
        self.script().path.clone()
    }

    /// Returns whether command-line arguments may be overrides of a configuration.
    pub fn accepts_overrides(&self) -> bool {
        self.script().accepts_overrides
    }

    /// Declares the keys of `args`; the other arguments are overrides of the configuration.
    pub fn declare_arguments(&self, keys: &[String]) {
        self.script().declared_arguments.extend_from_slice(keys);
        let mut configured = lock(&self.0.config_request);
        configured.requests += 1;
        configured.arguments = keys.to_vec();
    }

    /// Returns the arguments that `args` did not declare.
    pub fn overrides(&self) -> Vec<String> {
        let declared = self.script().declared_arguments.clone();
        let mut rest = self.arguments();
        rest.retain(|argument| !declared.iter().any(|key| key == key_of(argument)));
        rest
    }

    /// Restricts this thread to what code may touch, that of a script file or typed code, until the value that is returned is dropped.
    pub(super) fn restrict(&self, script: Option<&Path>) -> EnteredPermissions {
        let rules = self.0.access.as_ref();
        Permissions::enter(rules.and_then(|rules| rules.of_code(script, &self.arguments())))
    }

    /// Returns the device of a call that names neither an engine nor a device.
    pub fn device(&self) -> Device {
        self.0.device
    }

    /// Returns the number of bytes that the process may hold.
    pub fn memory_limit(&self) -> usize {
        self.0.memory_limit
    }

    /// Checks that `elements` more floats for `what` fit into the memory that a script may use. Call it before allocating
    /// anything whose size a script chooses.
    ///
    /// # Errors
    /// [`Error::Invalid`] that says how much was requested and how much there is.
    pub fn check_memory(&self, what: &str, elements: usize) -> Result<()> {
        memory::check_memory(what, elements, size_of::<f64>(), self.memory_limit())
    }

    /// Checks that an array of this shape fits into memory, as [`Self::check_memory`] does. An axis of length 0 does not make the
    /// other axes free: `ndarray` refuses shapes whose other axes overflow, and an iteration along a very long axis would never
    /// end.
    ///
    /// # Errors
    /// Those of [`Self::check_memory`].
    pub fn check_memory_for_shape(&self, what: &str, shape: &[usize]) -> Result<()> {
        let elements = shape
            .iter()
            .filter(|n| **n > 0)
            .try_fold(1usize, |product, n| product.checked_mul(*n));
        self.check_memory(what, elements.unwrap_or(usize::MAX))
    }

    /// Returns whether the reader of the output has gone away.
    pub(super) fn output_closed(&self) -> bool {
        self.0.output_closed.load(Ordering::Relaxed)
    }

    /// Takes the reason for which the output could not be written; later calls return `None`.
    pub(super) fn take_output_failure(&self) -> Option<String> {
        lock(&self.0.output_failed).take()
    }

    pub(super) fn clear_interrupt(&self) {
        self.0.interrupt.store(false, Ordering::Relaxed);
    }
}

/// Returns the key of an argument `KEY=VALUE`.
pub(super) fn key_of(argument: &str) -> &str {
    argument.split_once('=').map_or(argument, |(key, _)| key)
}

/// Locks a mutex, also after a panic of a thread that held it: no panic can leave the data inconsistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
