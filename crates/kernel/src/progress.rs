//! The progress of a training or of another long computation: one line, which is updated in place and stays in its last state.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use odesync_base::Result;
use odesync_train::progress::{ProgressSink, TrainProgress};
use odesync_train::training::{Callback, EpochRecord, Run, RunStart};
use serde_json::Value;
use uuid::Uuid;

use crate::context::Context;
use crate::lock::lock;
use crate::mime::Bundle;

/// Time between two updates of a line: often enough for the eye.
const INTERVAL: Duration = Duration::from_millis(100);

/// Time before the line of a computation is shown, so that a short one shows nothing.
const SHOW_AFTER: Duration = Duration::from_millis(700);

/// Number of characters of a full bar.
const BAR_WIDTH: usize = 20;

/// A line of output that is updated in place.
struct UpdatedLine {
    context: Arc<Context>,
    /// Header of the request in which the line appeared: it stays in the output of that cell.
    parent: Arc<Value>,
    display_id: String,
    shown: Option<Instant>,
    /// The last text, if it was not shown because another had been shown just before.
    waiting: Option<String>,
}

impl UpdatedLine {
    fn new(context: &Arc<Context>) -> Self {
        Self {
            context: Arc::clone(context),
            parent: context.current().header,
            display_id: Uuid::new_v4().to_string(),
            shown: None,
            waiting: None,
        }
    }

    /// Shows the text if the time for it has come.
    fn update(&mut self, text: impl FnOnce() -> String) {
        match self.shown.is_none_or(|at| at.elapsed() >= INTERVAL) {
            true => self.show(&text()),
            false => self.waiting = Some(text()),
        }
    }

    fn show(&mut self, text: &str) {
        let kind = match self.shown {
            None => "display_data",
            Some(_) => "update_display_data",
        };
        let content = Bundle::text(text).content_named(&self.display_id);
        self.context.publisher.publish(kind, content, &self.parent);
        self.shown = Some(Instant::now());
        self.waiting = None;
    }
}

// A computation that ends with an error leaves the last state too.
impl Drop for UpdatedLine {
    fn drop(&mut self) {
        if let Some(text) = self.waiting.take() {
            self.show(&text);
        }
    }
}

/// Returns a bar with `done` of `all` parts filled.
fn bar(done: usize, all: usize) -> String {
    let filled = (done.min(all) * BAR_WIDTH).checked_div(all).unwrap_or(0);
    format!("{}{}", "━".repeat(filled), "─".repeat(BAR_WIDTH - filled))
}

/// Returns how long it will take, from what was done in the time so far.
fn time_left(done: usize, all: usize, passed: Duration) -> String {
    let left = passed.as_secs_f64() * all.saturating_sub(done) as f64 / done.max(1) as f64;
    match left {
        s if s < 120.0 => format!("{s:.0} s left"),
        s => format!("{:.0} min left", s / 60.0),
    }
}

/// Callback that shows the progress of a training.
pub(crate) struct TrainingLine {
    context: Arc<Context>,
    label: String,
    running: Option<RunningLine>,
}

struct RunningLine {
    line: UpdatedLine,
    texts: TrainProgress,
    first_epoch: usize,
    epochs: usize,
    started: Instant,
}

impl TrainingLine {
    pub fn new(context: &Arc<Context>, label: &str) -> Self {
        Self {
            context: Arc::clone(context),
            label: label.into(),
            running: None,
        }
    }
}

impl Callback for TrainingLine {
    fn on_start(&mut self, start: &RunStart) -> Result<()> {
        self.running = Some(RunningLine {
            line: UpdatedLine::new(&self.context),
            texts: TrainProgress::of_run(self.label.clone(), start),
            first_epoch: start.first_epoch(),
            epochs: start.epochs,
            started: Instant::now(),
        });
        Ok(())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord, best: f64) -> Result<()> {
        if let Some(running) = &mut self.running {
            let RunningLine {
                line,
                texts,
                first_epoch,
                epochs,
                started,
            } = running;
            let done = record.epoch + 1;
            line.update(|| {
                let (title, status) = (texts.title(), texts.status(record, best));
                match *epochs {
                    0 => format!("{title}  step {done}  {status}"),
                    all => {
                        let now = done.saturating_sub(*first_epoch);
                        let rest = all.saturating_sub(*first_epoch);
                        let left = time_left(now, rest, started.elapsed());
                        format!("{title}  {} {done}/{all}  {status}  {left}", bar(done, all))
                    }
                }
            });
        }
        Ok(())
    }

    fn on_note(&mut self, text: &str) {
        let note = match self.label.as_str() {
            "" => format!("note: {text}\n"),
            label => format!("note: {label}: {text}\n"),
        };
        let parent = self.context.current().header;
        self.context.publisher.print("stderr", note, &parent);
    }

    fn on_finish(&mut self, run: &Run) -> Result<()> {
        if let Some(mut running) = self.running.take() {
            let summary = running.texts.summary(run);
            running.line.show(&summary);
        }
        Ok(())
    }
}

/// Sink that shows the progress of a computation of many parts.
pub(crate) struct CountLine {
    label: String,
    unit: &'static str,
    started: Instant,
    state: Mutex<CountState>,
}

struct CountState {
    line: UpdatedLine,
    done: usize,
}

impl CountLine {
    pub fn new(context: &Arc<Context>, label: &str, unit: &'static str) -> Self {
        Self {
            label: label.into(),
            unit,
            started: Instant::now(),
            state: Mutex::new(CountState {
                line: UpdatedLine::new(context),
                done: 0,
            }),
        }
    }
}

impl ProgressSink for CountLine {
    fn update(&self, done: usize, all: usize) {
        let passed = self.started.elapsed();
        let mut state = lock(&self.state);
        // Threads may report out of order.
        state.done = state.done.max(done);
        let done = state.done;
        if passed < SHOW_AFTER {
            return;
        }
        state.line.update(|| {
            let left = match done >= all {
                true => format!("{:.1} s", passed.as_secs_f64()),
                false => time_left(done, all, passed),
            };
            format!(
                "{}  {} {done}/{all} {}  {left}",
                self.label,
                bar(done, all),
                self.unit
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_filled_in_proportion() {
        assert_eq!(bar(0, 10), "─".repeat(20));
        assert_eq!(bar(5, 10), format!("{}{}", "━".repeat(10), "─".repeat(10)));
        assert_eq!(bar(12, 10), "━".repeat(20));
        assert_eq!(bar(1, 0), "─".repeat(20));
    }

    #[test]
    fn the_time_left_follows_from_the_time_passed() {
        assert_eq!(time_left(25, 100, Duration::from_secs(10)), "30 s left");
        assert_eq!(time_left(1, 601, Duration::from_secs(1)), "10 min left");
        assert_eq!(time_left(100, 100, Duration::from_secs(1)), "0 s left");
    }
}
