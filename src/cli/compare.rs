//! `odesync compare RUN…`

use std::path::PathBuf;

use crate::Error;
use crate::experiments::Comparison;
use crate::script::{ErrorKind, ScriptError};

use super::GlobalArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A run is a folder with last.safetensors; what its result.json says, and the settings in which the config.yaml of the runs
differ, are shown too. With --out the mean squared errors by epoch, and λ under them, are drawn; without it nothing is drawn.

Examples:
  odesync compare runs/lotka_volterra/2026-03-09_14-05-59 runs/lotka_volterra/2026-03-09_15-12-03
  odesync compare runs/lotka_volterra --out curves.svg
  odesync compare runs/* --csv > runs.csv")]
pub(super) struct CompareArgs {
    /// Folders of runs; of a multirun, or another folder of runs, all of them
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Draw the curves into this file, .svg, .png or .pdf
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Comma-separated values with all digits, a line for each run
    #[arg(long)]
    csv: bool,
}

impl CompareArgs {
    pub(super) fn run(&self, common: &GlobalArgs) -> Result<(), ScriptError> {
        let comparison = Comparison::read(&self.runs).map_err(classify_error)?;
        if !common.quiet {
            for (folder, reason) in &comparison.skipped {
                super::print_error(&format!("skipped {}: {reason}", folder.display()));
            }
        }
        // Before the output, so that an error about a file that can't be written does not follow a long table.
        if let Some(file) = &self.out {
            let figure = comparison.figure().map_err(classify_error)?;
            figure.save(file).map_err(classify_error)?;
            if !common.quiet {
                super::print_error(&format!("wrote {}", file.display()));
            }
        }
        super::print(&if self.csv {
            comparison.records().to_csv()
        } else {
            comparison.table().to_text(4) + "\n"
        })
    }
}

/// Converts an error: a wrong name is a usage error, a damaged run or a full disk is not.
fn classify_error(error: Error) -> ScriptError {
    let kind = match error {
        Error::Invalid(_) | Error::Usage(_) => ErrorKind::Usage,
        _ => ErrorKind::Runtime,
    };
    ScriptError::new(kind, error.to_string())
}
