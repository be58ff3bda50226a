//! What a binding may ask of the session it runs in.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::devices::Device;
use crate::experiments::Place;
use crate::{Error, Result};

use super::memory;
use super::session::SessionOptions;

/// Where a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// What the script prints: the result.
    Out,
    /// Remarks on the way: progress, "wrote runs/a.svg".
    Note,
}

type Sink = dyn Fn(Stream, &str) -> io::Result<()> + Send + Sync;

/// The receiver of everything a session writes. Each call is one line, without its end.
#[derive(Clone)]
pub struct Output(Arc<Sink>);

impl Output {
    /// Lines to standard output, notes to standard error.
    pub fn terminal() -> Self {
        Self::to(|stream, line| match stream {
            Stream::Out => {
                let mut out = io::stdout().lock();
                out.write_all(line.as_bytes())?;
                out.write_all(b"\n")?;
                out.flush()
            }
            Stream::Note => {
                // A closed standard error must not end a run.
                let _ = writeln!(io::stderr().lock(), "{line}");
                Ok(())
            }
        })
    }

    /// Every line is appended to the string that is handed back (both streams, in order).
    pub fn captured() -> (Self, Arc<Mutex<String>>) {
        let text = Arc::new(Mutex::new(String::new()));
        let end = Arc::clone(&text);
        let output = Self::to(move |_, line| {
            let mut text = end.lock().unwrap_or_else(PoisonError::into_inner);
            text.push_str(line);
            text.push('\n');
            Ok(())
        });
        (output, text)
    }

    /// Every line is handed to `sink`; an error of kind `BrokenPipe` ends the script quietly.
    pub fn to(sink: impl Fn(Stream, &str) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }
}

/// The session as its bindings see it. Cheap to clone, `Send` and `Sync`: a thread of a training may hold one.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    interrupt: Arc<AtomicBool>,
    output_failed: Mutex<Option<String>>,
    output_closed: AtomicBool,
    output: Output,
    quiet: bool,
    memory_limit: usize,
    device: Device,
    arguments: Vec<String>,
    runs: RunPlan,
    script: Mutex<Script>,
}

/// Where the runs of a script's experiments go, and what their configuration is read from.
#[derive(Debug, Clone, Default)]
pub struct RunPlan {
    /// Which folder.
    pub place: Place,
    /// A saved configuration to use instead of the one that the script names.
    pub config: Option<PathBuf>,
    /// Print the configuration and end, instead of running.
    pub print_config: bool,
}

/// What is known of the script that runs.
#[derive(Debug, Default)]
struct Script {
    /// Its file.
    path: Option<PathBuf>,
    /// Whether arguments may be meant for a configuration.
    configures: bool,
    /// The arguments that `args` took.
    taken: Vec<String>,
}

impl Host {
    pub(super) fn new(options: SessionOptions) -> Self {
        Self(Arc::new(Inner {
            interrupt: Arc::default(),
            output_failed: Mutex::new(None),
            output_closed: AtomicBool::new(false),
            output: options.output,
            quiet: options.quiet,
            memory_limit: options.memory_limit.unwrap_or_else(memory::default_limit),
            device: options.device,
            arguments: options.arguments,
            runs: options.runs,
            script: Mutex::default(),
        }))
    }

    /// Whether the user asked to stop. A call that lasts looks here often and then returns [`Error::Interrupted`].
    #[inline]
    pub fn interrupted(&self) -> bool {
        self.0.interrupt.load(Ordering::Relaxed)
    }

    /// [`Error::Interrupted`] if the user asked to stop.
    ///
    /// # Errors
    /// As said.
    pub fn check(&self) -> Result<()> {
        if self.interrupted() {
            return Err(Error::Interrupted);
        }
        Ok(())
    }

    /// The flag itself, for code that takes an `Arc<AtomicBool>`. `true` asks to stop.
    pub fn interrupt_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0.interrupt)
    }

    /// Whether remarks and progress are unwanted.
    pub fn quiet(&self) -> bool {
        self.0.quiet
    }

    /// Writes one line of the script's result.
    pub fn print(&self, line: &str) {
        if let Err(error) = (self.0.output.0)(Stream::Out, line) {
            if error.kind() == io::ErrorKind::BrokenPipe {
                self.0.output_closed.store(true, Ordering::Relaxed);
            } else {
                let mut failed = self
                    .0
                    .output_failed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                failed.get_or_insert_with(|| error.to_string());
            }
            // The next step of the script looks at the reason.
            self.0.interrupt.store(true, Ordering::Relaxed);
        }
    }

    /// Writes one line of progress or remark, unless quiet. A failure is ignored.
    pub fn note(&self, line: &str) {
        if !self.quiet() {
            let _ = (self.0.output.0)(Stream::Note, line);
        }
    }

    /// The arguments of the command line, `KEY=VALUE` and the other forms of overrides.
    pub fn arguments(&self) -> &[String] {
        &self.0.arguments
    }

    /// Where runs go.
    pub fn runs(&self) -> &RunPlan {
        &self.0.runs
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another script begins.
    pub(super) fn begin(&self, path: Option<&Path>, configures: bool) {
        *self.script() = Script {
            path: path.map(Path::to_path_buf),
            configures,
            taken: vec![],
        };
    }

    /// The file of the script that runs.
    pub fn script_path(&self) -> Option<PathBuf> {
        self.script().path.clone()
    }

    /// Whether arguments may be meant for a configuration.
    pub fn configures(&self) -> bool {
        self.script().configures
    }

    /// `args` takes an argument; the rest is for the configuration.
    pub fn take(&self, argument: &str) {
        self.script().taken.push(argument.into());
    }

    /// The arguments that `args` did not take.
    pub fn overrides(&self) -> Vec<String> {
        let script = self.script();
        let rest = self
            .0
            .arguments
            .iter()
            .filter(|a| !script.taken.contains(a));
        rest.cloned().collect()
    }

    /// The device of a call that names neither an engine nor a device.
    pub fn device(&self) -> Device {
        self.0.device
    }

    /// Bytes that the process may hold.
    pub fn memory_limit(&self) -> usize {
        self.0.memory_limit
    }

    /// The error for `what` if `elements` floats more would exceed the memory a script may use. Call it before allocating
    /// anything whose size a script chooses.
    ///
    /// # Errors
    /// [`Error::Invalid`] that says how much was asked for and how much there is.
    pub fn room_for(&self, what: &str, elements: usize) -> Result<()> {
        memory::room_for(what, elements, size_of::<f64>(), self.memory_limit())
    }

    /// [`Self::room_for`] an array of this shape. An axis of length 0 does not make the others free: `ndarray` refuses shapes
    /// whose other axes overflow, and a walk along a very long axis would never end.
    ///
    /// # Errors
    /// As [`Self::room_for`].
    pub fn room_for_shape(&self, what: &str, shape: &[usize]) -> Result<()> {
        let elements = shape
            .iter()
            .filter(|n| **n > 0)
            .try_fold(1usize, |product, n| product.checked_mul(*n));
        self.room_for(what, elements.unwrap_or(usize::MAX))
    }

    /// Whether the reader of the output has gone.
    pub(super) fn output_closed(&self) -> bool {
        self.0.output_closed.load(Ordering::Relaxed)
    }

    /// Why the output could not be written, once.
    pub(super) fn take_output_failure(&self) -> Option<String> {
        self.0
            .output_failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    pub(super) fn clear_interrupt(&self) {
        self.0.interrupt.store(false, Ordering::Relaxed);
    }
}
