//! Progress of a training run on standard error: a bar on a terminal, a line at intervals elsewhere. In a notebook the lines go
//! to standard output, because Jupyter displays standard error as an error.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::Result;
use crate::training::{Callback, EpochRecord, Run, RunStart, StopReason};
use odesync_base::notebook::is_notebook;
use odesync_base::text::printable;

/// Minimum and maximum of the time between two lines without a terminal. In between it is an eighth of the elapsed time, so that
/// the lines of a long run do not flood a page.
const LINE_INTERVAL: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(300)];
/// Number of redraws of the bar per second: enough for the eye, and far cheaper than one for each epoch.
const REDRAW_HZ: u8 = 10;

/// Progress bars of all runs of the process, one below the other.
pub(super) static BARS: LazyLock<MultiProgress> = LazyLock::new(|| {
    MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(REDRAW_HZ))
});

/// Callback that shows loss, mse, λ, epochs/s and the remaining time.
pub struct TrainProgress {
    label: String,
    bar: Option<ProgressBar>,
    method: String,
    first_epoch: usize,
    epochs: usize,
    started: Instant,
    last_line: Instant,
    last_message: Instant,
}

impl Default for TrainProgress {
    fn default() -> Self {
        let now = Instant::now();
        TrainProgress {
            label: String::new(),
            bar: None,
            method: String::new(),
            first_epoch: 0,
            epochs: 0,
            started: now,
            last_line: now,
            last_message: now,
        }
    }
}

impl TrainProgress {
    /// Creates a progress display with a label before every line, which distinguishes runs in parallel.
    pub fn with_label(label: impl Into<String>) -> Self {
        let mut progress = TrainProgress::default();
        progress.label = label.into();
        progress
    }

    /// Creates a progress display of a run that begins, for a front end that shows its texts itself.
    pub fn of_run(label: impl Into<String>, start: &RunStart) -> Self {
        let mut progress = TrainProgress::with_label(label);
        progress.method = start.method.name().into();
        progress.first_epoch = start.first_epoch();
        progress.epochs = start.epochs;
        progress
    }

    /// Returns the name of the run: its label and its method.
    pub fn title(&self) -> String {
        let method = self.method.replace('_', " ");
        match self.label.as_str() {
            "" => method,
            label => format!("{label}: {method}"),
        }
    }

    /// Returns the state of the run after an epoch in one line, `best` being the best mse so far: λ, loss, mse.
    pub fn status(&self, record: &EpochRecord, best: f64) -> String {
        let validation = record.validation.map(|x| format!("  validation {x:.3e}"));
        let validation = validation.unwrap_or_default();
        if ["weak_constraint", "adaptive_homotopy"].contains(&self.method.as_str()) {
            let (name, value) = match record.lambda.is_nan() {
                true => ("q", record.q),
                false => ("λ", record.lambda),
            };
            return format!(
                "{name} {value:.1e}  chi2 {:.3}  log evidence {:.1}  mse {:.3e}{validation}",
                record.chi2, record.log_evidence, record.mse
            );
        }
        let lambda = if self.method == "homotopy" {
            format!("λ {:.3}  ", record.lambda)
        } else {
            String::new()
        };
        let damping = record.damping.map(|x| format!("damping {x:.1e}  "));
        let damping = damping.unwrap_or_default();
        format!(
            "{lambda}{damping}loss {:.3e}  mse {:.3e}{validation}  best {best:.3e}",
            record.train_loss, record.mse
        )
    }

    /// Returns how a run ended in one line: its number of epochs, its time, its best mse.
    pub fn summary(&self, run: &Run) -> String {
        let how = match &run.stop {
            StopReason::Finished => "done",
            StopReason::EarlyStop => "stopped early",
            StopReason::Interrupted => "interrupted",
            StopReason::Failing(_) => "stopped, failing",
        };
        let failures = match run.failures() {
            0 => String::new(),
            n => format!(", {n} skipped"),
        };
        let (title, n, seconds) = (self.title(), run.history.len(), run.seconds());
        let nmse = run.best_nmse.map(|nmse| format!(", nmse {nmse:.4e}"));
        let nmse = nmse.unwrap_or_default();
        let validation = run.best_validation.map(|x| format!(", validation {x:.4e}"));
        let validation = validation.unwrap_or_default();
        match &run.weak_constraint {
            Some(state) => format!(
                "{title} {how}: {n} steps in {seconds:.1} s, mse {:.4e}{nmse}{validation}, log evidence {:.1}",
                run.best_mse,
                state.log_evidence().unwrap_or(f64::NAN)
            ),
            None => format!(
                "{title} {how}: {n} epochs{failures} in {seconds:.1} s, best mse {:.4e} at epoch {}{nmse}{validation}",
                run.best_mse, run.best_epoch
            ),
        }
    }
}

pub(super) fn line_interval(passed: Duration) -> Duration {
    let [min, max] = LINE_INTERVAL;
    (passed / 8).clamp(min, max)
}

/// Prints a line. Standard error may be closed, which is no reason to end a run: errors are ignored.
pub(super) fn print_line(text: &str) {
    BARS.suspend(|| {
        if is_notebook() {
            println!("{text}");
            return;
        }
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{text}\n"));
    });
}

impl Drop for TrainProgress {
    // `on_finish` is not called for a run that ends with an error.
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
            BARS.remove(&bar);
        }
    }
}

impl Callback for TrainProgress {
    fn on_start(&mut self, start: &RunStart) -> Result<()> {
        *self = TrainProgress::of_run(std::mem::take(&mut self.label), start);
        if std::io::stderr().is_terminal() {
            let (bar, template) = match self.epochs {
                0 => (
                    ProgressBar::no_length(),
                    "{prefix} {spinner} step {pos}  {msg}",
                ),
                n => (
                    ProgressBar::new(n as u64),
                    "{prefix} {wide_bar:.cyan/dim} {pos}/{len}  {msg}  {rate:.dim}  {eta:.dim} left",
                ),
            };
            let bar = BARS.add(bar.with_position(self.first_epoch as u64));
            if let Ok(style) = ProgressStyle::with_template(template) {
                let rate = |state: &ProgressState, text: &mut dyn Write| {
                    let _ = write!(text, "{:.0} epochs/s", state.per_sec());
                };
                bar.set_style(style.with_key("rate", rate).progress_chars("━╸─"));
            }
            bar.set_prefix(self.title());
            // Epochs of an earlier process must not count for the speed.
            bar.tick();
            bar.reset_eta();
            self.bar = Some(bar);
        }
        Ok(())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord, best: f64) -> Result<()> {
        let done = record.epoch + 1;
        match &self.bar {
            Some(bar) => {
                bar.set_position(done as u64);
                if record.epoch == self.first_epoch
                    || self.last_message.elapsed() > Duration::from_millis(100)
                {
                    self.last_message = Instant::now();
                    bar.set_message(self.status(record, best));
                }
            }
            None if self.last_line.elapsed() > line_interval(self.started.elapsed()) => {
                self.last_line = Instant::now();
                let now = (done - self.first_epoch) as f64;
                let rate = now / self.started.elapsed().as_secs_f64();
                let status = self.status(record, best);
                let line = match self.epochs {
                    0 => format!("{}: step {done}  {status}", self.title()),
                    n => {
                        let left = n.saturating_sub(done) as f64 / rate;
                        let title = self.title();
                        format!(
                            "{title}: epoch {done}/{n}  {status}  {rate:.0} epochs/s  {left:.0} s left"
                        )
                    }
                };
                print_line(&line);
            }
            None => {}
        }
        Ok(())
    }

    fn on_note(&mut self, text: &str) {
        let text = &printable(text);
        match self.label.as_str() {
            "" => print_line(&format!("note: {text}")),
            label => print_line(&format!("note: {label}: {text}")),
        }
    }

    fn on_finish(&mut self, run: &Run) -> Result<()> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
            BARS.remove(&bar);
        }
        print_line(&self.summary(run));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_an_hour_fit_on_a_page() {
        let mut passed = Duration::ZERO;
        let mut lines = 0;
        while passed < Duration::from_secs(3600) {
            passed += line_interval(passed);
            lines += 1;
        }
        assert!((10..80).contains(&lines), "{lines}");
    }
}
