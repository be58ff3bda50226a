//! Progress of a training on standard error: a bar on a terminal, a line every so often elsewhere.

use std::fmt::Write;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::training::{EpochRecord, Observer, Run, Stop};

/// Time between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(10);
/// Redraws of the bar in a second: enough for the eye, and far cheaper than one an epoch.
const REDRAWS: u8 = 10;

/// Shows loss, mse, λ, epochs/s and the time left.
pub struct Progress {
    bar: Option<ProgressBar>,
    method: String,
    epochs: usize,
    started: Instant,
    last_line: Instant,
    last_text: Instant,
}

impl Default for Progress {
    fn default() -> Self {
        let now = Instant::now();
        Progress {
            bar: None,
            method: String::new(),
            epochs: 0,
            started: now,
            last_line: now,
            last_text: now,
        }
    }
}

impl Progress {
    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(text)),
            None => say(text),
        }
    }

    fn status(&self, record: &EpochRecord, best: f64) -> String {
        let lambda = if self.method == "homotopy" {
            format!("λ {:.3}  ", record.lambda)
        } else {
            String::new()
        };
        format!(
            "{lambda}loss {:.3e}  mse {:.3e}  best {best:.3e}",
            record.train_loss, record.mse
        )
    }
}

/// Standard error may be closed; progress is not worth ending a run for.
fn say(text: &str) {
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{text}\n"));
}

impl Observer for Progress {
    fn start(&mut self, method: &str, epochs: usize) {
        *self = Progress::default();
        self.method = method.into();
        self.epochs = epochs;
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(
                Some(epochs as u64),
                ProgressDrawTarget::stderr_with_hz(REDRAWS),
            );
            let template =
                "{prefix} {wide_bar:.cyan/dim} {pos}/{len}  {msg}  {rate:.dim}  {eta:.dim} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                let rate = |state: &ProgressState, text: &mut dyn Write| {
                    let _ = write!(text, "{:.0} epochs/s", state.per_sec());
                };
                bar.set_style(style.with_key("rate", rate).progress_chars("━╸─"));
            }
            bar.set_prefix(method.replace('_', " "));
            self.bar = Some(bar);
        }
    }

    fn epoch(&mut self, record: &EpochRecord, best: f64) {
        let done = record.epoch + 1;
        match &self.bar {
            Some(bar) => {
                bar.set_position(done as u64);
                if done == 1 || self.last_text.elapsed() > Duration::from_millis(100) {
                    self.last_text = Instant::now();
                    bar.set_message(self.status(record, best));
                }
            }
            None if self.last_line.elapsed() > BETWEEN_LINES => {
                self.last_line = Instant::now();
                let rate = done as f64 / self.started.elapsed().as_secs_f64();
                let left = (self.epochs - done) as f64 / rate;
                self.line(&format!(
                    "{}: epoch {done}/{}  {}  {rate:.0} epochs/s  {left:.0} s left",
                    self.method,
                    self.epochs,
                    self.status(record, best)
                ));
            }
            None => {}
        }
    }

    fn note(&mut self, text: &str) {
        self.line(&format!("note: {text}"));
    }

    fn finish(&mut self, run: &Run) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let how = match &run.stop {
            Stop::Finished => "done",
            Stop::EarlyStop => "stopped early",
            Stop::Interrupted => "interrupted",
            Stop::Failing(_) => "stopped, failing",
        };
        let failures = match run.failures() {
            0 => String::new(),
            n => format!(", {n} skipped"),
        };
        say(&format!(
            "{} {how}: {} epochs{failures} in {:.1} s, best mse {:.4e} at epoch {}",
            run.method.replace('_', " "),
            run.history.len(),
            run.seconds(),
            run.best_mse,
            run.best_epoch
        ));
    }
}
