//! What a session is made with, and what it hands back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::frontend::{DisplayData, Output};
use super::host::RunPlan;
use odesync_ode::devices::Device;
use odesync_plot::Panel;

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
    pub fn display(&self) -> Option<DisplayData> {
        match &self.figure {
            Some(figure) => Some(DisplayData::Figure(Box::new(figure.clone()))),
            None if self.is_unit => None,
            None => Some(DisplayData::Text(self.text.clone())),
        }
    }
}

/// Asks a session to stop, from any thread.
#[derive(Debug, Clone)]
pub struct InterruptHandle(pub(super) Arc<AtomicBool>);

impl InterruptHandle {
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
