//! Progress of a computation of many similar parts on standard error: a bar on a terminal, a line at intervals elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::train_progress::{BARS, line_interval, print_line};

/// Time before anything is shown, so that a short computation shows nothing.
const SHOW_AFTER: Duration = Duration::from_millis(700);

/// Receiver of the progress of a computation of many similar parts.
pub trait ProgressSink: Send + Sync {
    /// Called when `done` of `all` parts are done, from any thread, and not always in order.
    fn update(&self, done: usize, all: usize);
}

/// The receiver that does nothing.
impl ProgressSink for () {
    fn update(&self, _done: usize, _all: usize) {}
}

/// Progress display that counts the parts done.
pub struct ProgressCounter {
    label: String,
    unit: &'static str,
    started: Instant,
    state: Mutex<CounterState>,
}

struct CounterState {
    bar: Option<ProgressBar>,
    max_done: usize,
    last_line: Instant,
}

impl ProgressCounter {
    /// Creates a counter of parts called `unit`.
    pub fn new(label: impl Into<String>, unit: &'static str) -> Self {
        let now = Instant::now();
        ProgressCounter {
            label: label.into(),
            unit,
            started: now,
            state: Mutex::new(CounterState {
                bar: None,
                max_done: 0,
                last_line: now,
            }),
        }
    }
}

impl ProgressSink for ProgressCounter {
    fn update(&self, done: usize, all: usize) {
        if self.started.elapsed() < SHOW_AFTER {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Threads may report out of order.
        state.max_done = state.max_done.max(done);
        let done = state.max_done;
        if std::io::stderr().is_terminal() {
            let bar = state.bar.get_or_insert_with(|| {
                let bar =
                    BARS.add(ProgressBar::new(all as u64).with_elapsed(self.started.elapsed()));
                let template = "{prefix} {wide_bar:.cyan/dim} {pos}/{len} {msg}  {eta:.dim} left";
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style.progress_chars("━╸─"));
                }
                bar.set_prefix(self.label.clone());
                bar.set_message(self.unit);
                bar
            });
            bar.set_position(done as u64);
        } else if state.last_line.elapsed() > line_interval(self.started.elapsed()) {
            state.last_line = Instant::now();
            let rate = done as f64 / self.started.elapsed().as_secs_f64();
            let left = all.saturating_sub(done) as f64 / rate;
            let (label, unit) = (&self.label, self.unit);
            print_line(&format!("{label}: {done}/{all} {unit}  {left:.0} s left"));
        }
    }
}

impl Drop for ProgressCounter {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
            BARS.remove(&bar);
        }
    }
}
