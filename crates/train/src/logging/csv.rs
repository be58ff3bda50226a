//! `metrics.csv`: one line an epoch, to be read while the run goes on.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::training::{EpochRecord, Method, Observer, Run, RunStart};
use crate::{Error, Result};
use odesync_base::files::write_atomically;

const FILE: &str = "metrics.csv";
const COLUMNS: &str = "epoch,lambda,train_loss,mse,evaluations,seconds,lr,gradient_norm,failed";

/// Writes `metrics.csv` into a folder: `epoch,lambda,train_loss,mse,evaluations,seconds,lr,gradient_norm,failed`, and of multiple
/// shooting `data_loss,continuity`. Every number is read back as it was.
///
/// Each line is handed to the operating system when its epoch is done. When a run goes on, the file is first made to hold the
/// epochs of its checkpoint, whatever a process that was killed has left there.
pub struct CsvLogger {
    path: PathBuf,
    file: Option<File>,
    shooting: bool,
}

impl CsvLogger {
    /// A logger for the file in this folder.
    pub fn new(folder: impl AsRef<Path>) -> Self {
        CsvLogger {
            path: folder.as_ref().join(FILE),
            file: None,
            shooting: false,
        }
    }

    fn failed(&self, reason: &std::io::Error) -> Error {
        Error::io("write", &self.path, reason)
    }
}

impl Observer for CsvLogger {
    fn start(&mut self, start: &RunStart) -> Result<()> {
        self.shooting = is_shooting(start.method);
        write_atomically(&self.path, table(start.method, start.history).as_bytes())?;
        let file = OpenOptions::new().append(true).open(&self.path);
        self.file = Some(file.map_err(|e| self.failed(&e))?);
        Ok(())
    }

    fn epoch(&mut self, record: &EpochRecord, _best: f64) -> Result<()> {
        let line = line(record, self.shooting);
        match self
            .file
            .as_mut()
            .map(|file| file.write_all(line.as_bytes()))
        {
            Some(Err(e)) => Err(self.failed(&e)),
            _ => Ok(()),
        }
    }

    fn finish(&mut self, _run: &Run) -> Result<()> {
        self.file = None;
        Ok(())
    }
}

/// Writes the metrics of a run that is over into `metrics.csv` in a folder, as [`CsvLogger`] does.
///
/// # Errors
/// What the operating system says.
pub fn write_metrics(run: &Run, folder: impl AsRef<Path>) -> Result<()> {
    write_atomically(
        &folder.as_ref().join(FILE),
        table(&run.settings.method, &run.history).as_bytes(),
    )
}

fn is_shooting(method: &Method) -> bool {
    matches!(method, Method::MultipleShooting(_))
}

fn table(method: &Method, history: &[EpochRecord]) -> String {
    let shooting = is_shooting(method);
    let own = if shooting {
        ",data_loss,continuity"
    } else {
        ""
    };
    let lines = history.iter().map(|record| line(record, shooting));
    std::iter::once(format!("{COLUMNS}{own}\n"))
        .chain(lines)
        .collect()
}

fn line(r: &EpochRecord, shooting: bool) -> String {
    // `{:?}` writes the shortest digits that are read back as the same number.
    let mut line = format!(
        "{},{:?},{:?},{:?},{},{:?},{:?},{:?},{}",
        r.epoch,
        r.lambda,
        r.train_loss,
        r.mse,
        r.evaluations,
        r.seconds,
        r.lr,
        r.gradient_norm,
        r.failed
    );
    if shooting {
        line.push_str(&format!(",{:?},{:?}", r.data_loss, r.continuity));
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
        logger.file = Some(OpenOptions::new().append(true).open("/dev/full").unwrap());
        let error = logger.epoch(&EpochRecord::default(), 0.0).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("runs/full/metrics.csv") && text.contains("space"),
            "{text}"
        );
    }
}
