//! `odesync report RUN`

use std::path::{Path, PathBuf};

use odesync_script::report::run_report;

use crate::datasets::{Dataset, TableOptions, read_table};
use crate::experiments::saved_data;
use crate::files::write_atomically;
use crate::script::{ErrorKind, ScriptError};
use crate::training::Run;

use super::GlobalArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The page needs no other file and no network: what was asked for, results, losses, fit, prediction and residuals, equations, how to go on.
The data are the data.csv of a folder that discover made, those of the config.yaml of an experiment, or --data.

Examples:
  odesync report runs/measured
  odesync report runs/lotka_volterra/2026-03-09_14-05-59 --out lotka_volterra.html
  odesync report runs/mine --data measured.csv")]
pub(super) struct ReportArgs {
    /// Folder of a run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The page to write [default: report.html in the folder]
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// The data that the model was trained on, a table of numbers
    #[arg(long, value_name = "FILE.csv")]
    data: Option<PathBuf>,
}

impl ReportArgs {
    pub(super) fn run(&self, common: &GlobalArgs) -> Result<(), ScriptError> {
        if !self.run.exists() {
            return Err(super::run::usage_error(format!(
                "there is no run {}",
                self.run.display()
            )));
        }
        let out = self
            .out
            .clone()
            .unwrap_or_else(|| self.run.join("report.html"));
        if out.extension().is_none_or(|ending| ending != "html") {
            return Err(super::run::usage_error(format!(
                "a report is a page of HTML, so that the name of the file ends with .html, and not as {}",
                out.display()
            )));
        }
        let has_data = self
            .write(&out)
            .map_err(|e| ScriptError::new(ErrorKind::Runtime, e.to_string()))?;
        if !common.quiet {
            if !has_data {
                super::print_error("the folder holds no data: give them by --data to see the fit");
            }
            super::print_error(&format!("wrote {}", out.display()));
        }
        Ok(())
    }

    /// Writes the page, and returns whether there were data.
    fn write(&self, out: &Path) -> crate::Result<bool> {
        let run = Run::load(&self.run)?;
        let data = self.data()?;
        let page = run_report(&run, data.as_ref(), Some(&self.run.to_string_lossy()))?;
        write_atomically(out, page.as_bytes())?;
        Ok(data.is_some())
    }

    /// Returns the data of the run; `None` where there are none in its folder.
    fn data(&self) -> crate::Result<Option<Dataset>> {
        match &self.data {
            Some(file) => read_table(file, &TableOptions::default()).map(Some),
            None => saved_data(&self.run),
        }
    }
}
