//! Logger for `metrics.csv`: one line for each epoch, readable while the run goes on.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::training::{Callback, EpochRecord, Run, RunStart, TrainingMethod};
use crate::{Error, Result};
use odesync_base::files::{AppendedFile, append, write_atomically};

const FILE: &str = "metrics.csv";
const COLUMNS: &str = "epoch,lambda,train_loss,mse,evaluations,seconds,lr,gradient_norm,failed";

/// Callback that writes `metrics.csv` into a folder: `epoch,lambda,train_loss,mse,evaluations,seconds,lr,gradient_norm,failed`,
/// for multiple shooting also `data_loss,continuity`, for weak-constraint training
/// `q,chi2,log_evidence`, with an empty λ, lr and gradient norm; then `validation`, where data are held out, and
/// `damping` of `optimizer: "lm"`, which has an empty lr. Every number is read back as the same float64.
///
/// Each line is passed to the operating system when its epoch is done. When a run continues, the file is first rewritten with the
/// epochs of its checkpoint, whatever a killed process has left there.
pub struct CsvLogger {
    path: PathBuf,
    file: Option<AppendedFile>,
    extra: ExtraColumns,
}

impl CsvLogger {
    /// Creates a logger for the file in this folder.
    pub fn new(folder: impl AsRef<Path>) -> Self {
        CsvLogger {
            path: folder.as_ref().join(FILE),
            file: None,
            extra: ExtraColumns::None,
        }
    }

    fn write_error(&self, reason: &std::io::Error) -> Error {
        Error::io("write", &self.path, reason)
    }
}

impl Callback for CsvLogger {
    fn on_start(&mut self, start: &RunStart) -> Result<()> {
        self.extra = ExtraColumns::of(start.method);
        let last = (start.has_validation, start.has_damping);
        let text = csv_text(start.method, last, start.history);
        write_atomically(&self.path, text.as_bytes())?;
        let file = append(&self.path);
        self.file = Some(file.map_err(|e| self.write_error(&e))?);
        Ok(())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord, _best: f64) -> Result<()> {
        let line = csv_line(record, self.extra);
        match self
            .file
            .as_mut()
            .map(|file| file.write_all(line.as_bytes()))
        {
            Some(Err(e)) => Err(self.write_error(&e)),
            _ => Ok(()),
        }
    }

    fn on_finish(&mut self, _run: &Run) -> Result<()> {
        self.file = None;
        Ok(())
    }
}

/// Writes the metrics of a finished run into `metrics.csv` in a folder, as [`CsvLogger`] does.
///
/// # Errors
/// An error of the operating system.
pub fn write_metrics(run: &Run, folder: impl AsRef<Path>) -> Result<()> {
    write_atomically(
        &folder.as_ref().join(FILE),
        csv_text(
            &run.settings.method,
            (run.settings.has_validation(), run.settings.has_damping()),
            &run.history,
        )
        .as_bytes(),
    )
}

/// The columns of a method besides those of all.
#[derive(Debug, Clone, Copy, PartialEq)]
enum ExtraColumns {
    None,
    Shooting,
    SelfSetting,
}

impl ExtraColumns {
    fn of(method: &TrainingMethod) -> Self {
        match method {
            TrainingMethod::MultipleShooting(_) => ExtraColumns::Shooting,
            TrainingMethod::WeakConstraint(_) | TrainingMethod::AdaptiveHomotopy(_) => {
                ExtraColumns::SelfSetting
            }
            TrainingMethod::Vanilla | TrainingMethod::Homotopy(_) => ExtraColumns::None,
        }
    }

    fn names(self) -> &'static str {
        match self {
            ExtraColumns::None => "",
            ExtraColumns::Shooting => ",data_loss,continuity",
            ExtraColumns::SelfSetting => ",q,chi2,log_evidence",
        }
    }
}

fn csv_text(
    method: &TrainingMethod,
    (has_validation, has_damping): (bool, bool),
    history: &[EpochRecord],
) -> String {
    let extra = ExtraColumns::of(method);
    let lines = history.iter().map(|record| csv_line(record, extra));
    let validation = if has_validation { ",validation" } else { "" };
    let damping = if has_damping { ",damping" } else { "" };
    std::iter::once(format!("{COLUMNS}{}{validation}{damping}\n", extra.names()))
        .chain(lines)
        .collect()
}

fn csv_line(r: &EpochRecord, extra: ExtraColumns) -> String {
    // `{:?}` writes the shortest digits that parse to the same number.
    let number = |x: f64| format!("{x:?}");
    // What a method does not have is an empty field.
    let own = |x: f64| match extra {
        ExtraColumns::SelfSetting if x.is_nan() => String::new(),
        _ => number(x),
    };
    let lr = match r.damping {
        Some(_) => String::new(),
        None => own(r.lr),
    };
    let mut line = format!(
        "{},{},{:?},{:?},{},{:?},{},{},{}",
        r.epoch,
        own(r.lambda),
        r.train_loss,
        r.mse,
        r.evaluations,
        r.seconds,
        lr,
        own(r.gradient_norm),
        r.failed
    );
    match extra {
        ExtraColumns::None => {}
        ExtraColumns::Shooting => line.push_str(&format!(",{:?},{:?}", r.data_loss, r.continuity)),
        ExtraColumns::SelfSetting => {
            line.push_str(&format!(",{:?},{:?},{:?}", r.q, r.chi2, r.log_evidence));
        }
    }
    // A record has a validation mse where the run has data that are held out.
    if let Some(validation) = r.validation {
        line.push_str(&format!(",{validation:?}"));
    }
    if let Some(damping) = r.damping {
        line.push_str(&format!(",{damping:?}"));
    }
    line.push('\n');
    line
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_an_error_that_names_the_file() {
        let mut logger = CsvLogger::new("runs/full");
        logger.file = Some(append(Path::new("/dev/full")).unwrap());
        let error = logger
            .on_epoch_end(&EpochRecord::default(), 0.0)
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("runs/full/metrics.csv") && text.contains("space"),
            "{text}"
        );
    }
}
