//! `odesync discover FILE`

use std::path::{Path, PathBuf};

use odesync_base::options::Value;
use odesync_base::paths::to_text;

use crate::files::{create_folder, write_atomically};
use crate::script::{ErrorKind, RunPlan, ScriptError};
use crate::training::Run;

use super::GlobalArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  odesync discover measured.csv
  odesync discover measured.csv --time t --state x,v --out runs/measured
  odesync discover driven.csv --input force
  odesync discover measured.xlsx --sheet 'run 2'

A report is printed. In the folder lie index.html, a page with all of it, the run of the highest evidence (load reads it), a copy of the
data, figures of the fit, the equations, and discover.rhai, the script that repeats it and can be changed.")]
pub(super) struct DiscoverArgs {
    /// The data: a table of numbers with a row for each time, as text, packed by gzip or not, or in a file of Excel, MATLAB, Parquet or HDF5
    file: PathBuf,
    /// Sheet of a workbook that holds the table [default: the first]
    #[arg(long, value_name = "SHEET")]
    sheet: Option<String>,
    /// Group or array of a MATLAB or HDF5 file that holds the table [default: found]
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Column of the time [default: the one named t or time, else one of dates, else the first]
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// Columns of the state, with commas between [default: all others that hold numbers]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    state: Vec<String>,
    /// Columns of known inputs, with commas between; the model sees them
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    input: Vec<String>,
    /// Column that identifies the sample, where there are several [default: the one named sample, id or subject]
    #[arg(long, value_name = "COLUMN")]
    sample: Option<String>,
    /// Time between two rows, of a table without times
    #[arg(long, value_name = "TIME")]
    dt: Option<f64>,
    /// Lines at the beginning that are no part of the table
    #[arg(long, value_name = "LINES")]
    skip: Option<u32>,
    /// Character between the columns [default: found]
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<String>,
    /// Decimal mark, "." or "," [default: found]
    #[arg(long, value_name = "MARK")]
    decimal: Option<String>,
    /// Markers of missing values besides the known ones, with commas between
    #[arg(long, value_name = "MARKERS", value_delimiter = ',')]
    missing: Vec<String>,
    /// Widths of the hidden layers, with commas between [default: by evidence]
    #[arg(long, value_name = "WIDTHS", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    hidden: Vec<u16>,
    /// Do not look for equations
    #[arg(long)]
    no_equations: bool,
    /// Folder of the results [default: runs/NAME, after the file]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the run that the folder holds
    #[arg(long)]
    overwrite: bool,
}

impl DiscoverArgs {
    pub(super) fn run(&self, common: &GlobalArgs) -> Result<(), ScriptError> {
        if !self.file.is_file() {
            return Err(super::run::usage_error(format!(
                "there is no file {}",
                self.file.display()
            )));
        }
        let out = match &self.out {
            Some(out) => out.clone(),
            None => {
                let name = Path::new(self.file.file_stem().unwrap_or_default());
                // Of "measured.csv.gz" it is "measured".
                let is_packed = self.file.extension().is_some_and(|e| e == "gz");
                let name = if is_packed {
                    name.with_extension("")
                } else {
                    name.into()
                };
                Path::new("runs").join(name)
            }
        };
        let script = self.script(&out)?;
        let failed = |e: crate::Error| ScriptError::new(ErrorKind::Runtime, e.to_string());
        if !self.overwrite {
            // Better an error now than after the discovery.
            Run::check_replaceable(&out).map_err(failed)?;
        }
        create_folder(&out).map_err(failed)?;
        let path = out.join("discover.rhai");
        write_atomically(&path, script.as_bytes()).map_err(failed)?;
        let mut options = super::session_options(common, Vec::new(), RunPlan::default())?;
        if let Some(rules) = &mut options.access {
            rules.permissions.allow_read(&self.file);
            rules.permissions.allow_write(&out);
        }
        let mut session = super::session_of(options)?;
        session.run_file(&path)?;
        Ok(())
    }

    /// Returns the script that does the work.
    fn script(&self, out: &Path) -> Result<String, ScriptError> {
        let file = text(&to_text(&self.file));
        let out = to_text(out);
        let mut options = vec![];
        if let Some(time) = &self.time {
            options.push(format!("time: {}", text(time)));
        }
        if !self.state.is_empty() {
            // The inputs are read with the state, and taken out of it.
            let columns: Vec<String> = self.state.iter().chain(&self.input).cloned().collect();
            options.push(format!("state: {}", list(&columns)));
        }
        if let Some(sample) = &self.sample {
            options.push(format!("sample: {}", text(sample)));
        }
        if let Some(dt) = self.dt {
            options.push(format!("dt: {dt:?}"));
        }
        if let Some(skip) = self.skip {
            options.push(format!("skip: {skip}"));
        }
        for (key, value) in [
            ("sheet", &self.sheet),
            ("group", &self.group),
            ("delimiter", &self.delimiter),
            ("decimal", &self.decimal),
        ] {
            if let Some(value) = value {
                options.push(format!("{key}: {}", text(value)));
            }
        }
        if !self.missing.is_empty() {
            options.push(format!("missing: {}", list(&self.missing)));
        }
        let reader = reader_of(&self.file);
        let read = match options.is_empty() {
            true => format!("{reader}({file})"),
            false => format!("{reader}({file}, #{{ {} }})", options.join(", ")),
        };
        let mut chosen = vec![];
        if !self.hidden.is_empty() {
            let widths: Vec<String> = self.hidden.iter().map(u16::to_string).collect();
            chosen.push(format!("hidden: [{}]", widths.join(", ")));
        }
        if !self.input.is_empty() {
            chosen.push(format!("input: {}", list(&self.input)));
        }
        if self.no_equations {
            chosen.push("equations: false".into());
        }
        let options = match chosen.is_empty() {
            true => String::new(),
            false => format!(", #{{ {} }}", chosen.join(", ")),
        };
        let folder = text(&out);
        Ok(format!(
            "// A model of the data, with nothing set; change what you like and run it again: odesync run {out}/discover.rhai\n\
             let data = {read};\n\
             let found = discover(data{options});\n\
             print(found.report);\n\
             found.save({folder}, #{{ overwrite: true }});\n"
        ))
    }
}

/// Endings of the names of tables of text; read_table reads those too.
const TEXT_ENDINGS: [&str; 5] = ["csv", "tsv", "txt", "dat", ""];

/// Returns the function that reads a file of this name, packed by gzip or not.
fn reader_of(file: &Path) -> &'static str {
    let of = |path: &Path| path.extension().unwrap_or_default().to_ascii_lowercase();
    let ending = match of(file) == "gz" {
        true => of(&file.with_extension("")),
        false => of(file),
    };
    match TEXT_ENDINGS.iter().any(|text| ending == *text) {
        true => "read_csv",
        false => "read_table",
    }
}

/// Returns a list of strings as a script writes it.
fn list(texts: &[String]) -> String {
    let items: Vec<String> = texts.iter().map(|item| text(item)).collect();
    format!("[{}]", items.join(", "))
}

/// Returns a string as a script writes it.
fn text(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_reads_text_and_other_tables() {
        for (file, reader) in [
            ("a.csv", "read_csv"),
            ("a.TSV.gz", "read_csv"),
            ("a", "read_csv"),
            ("a.xlsx", "read_table"),
            ("b/a.mat", "read_table"),
            ("a.parquet", "read_table"),
        ] {
            assert_eq!(reader_of(Path::new(file)), reader, "{file}");
        }
    }
}
