//! The options of a session, and the result of an evaluation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::access::AccessRules;
use super::frontend::{DisplayedValue, Output};
use super::host::RunPlan;
use crate::cards::Card;
use odesync_ode::devices::Device;
use odesync_plot::Panel;

/// The options of a session.
#[derive(Clone)]
pub struct SessionOptions {
    /// Whether to suppress progress and remarks.
    pub quiet: bool,
    /// Whether the session is interactive: an interrupted training then returns the run so far, and the variable `ans` holds the
    /// last value.
    pub interactive: bool,
    /// The command-line arguments: `KEY=VALUE` for `args(…)`, and the overrides of `config(…)`.
    pub arguments: Vec<String>,
    /// Where the runs of experiments are written, and the source of their configuration.
    pub runs: RunPlan,
    /// The front end that receives everything that is printed and shown.
    pub output: Output,
    /// Bytes that the process may hold; a quarter of the machine's memory where `None`.
    pub memory_limit: Option<usize>,
    /// What the code may touch of the file system; everything that the user may where `None`.
    pub access: Option<AccessRules>,
    /// The device of every call that names neither an engine nor a device; the CPU by default.
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
            access: None,
            device: Device::default(),
        }
    }
}

/// The result of an evaluation.
#[derive(Debug, Clone)]
pub struct EvalResult {
    /// Text of the value, as `print` shows it.
    pub text: String,
    /// Whether the value is `()`, that is, whether there is no value.
    pub is_unit: bool,
    /// The value as a figure; `None` where it is not a figure.
    pub figure: Option<Panel>,
    /// The value as a card; `None` where it has none, and where the front end shows no cards.
    pub card: Option<Card>,
}

impl EvalResult {
    /// Returns the outcome without a value.
    pub(super) fn unit() -> Self {
        Self {
            text: String::new(),
            is_unit: true,
            figure: None,
            card: None,
        }
    }

    /// Returns the value in the richest form it has; `None` for `()`.
    pub fn display(&self) -> Option<DisplayedValue> {
        match &self.figure {
            Some(figure) => Some(DisplayedValue::Figure(Box::new(figure.clone()))),
            None if self.is_unit => None,
            None => Some(match &self.card {
                Some(card) => DisplayedValue::Card {
                    text: self.text.clone(),
                    card: Box::new(card.clone()),
                },
                None => DisplayedValue::Text(self.text.clone()),
            }),
        }
    }
}

/// A handle that asks a session to stop, from any thread.
#[derive(Debug, Clone)]
pub struct InterruptHandle(pub(super) Arc<AtomicBool>);

impl InterruptHandle {
    /// Requests a stop: the running evaluation ends at its next step; if none is running, the next one ends at its first step.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns the flag that is set to request a stop.
    pub fn flag(&self) -> &Arc<AtomicBool> {
        &self.0
    }

    /// Withdraws a stop request on which nothing has acted yet.
    pub fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
