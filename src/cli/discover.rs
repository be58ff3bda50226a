//! `odesync discover FILE.csv`

use std::path::{Path, PathBuf};

use odesync_base::options::Value;

use crate::files::write_atomically;
use crate::script::{ErrorKind, RunPlan, ScriptError};

use super::GlobalArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  odesync discover measured.csv
  odesync discover measured.csv --time t --state x,v --out runs/measured

A report and the equations are printed. In the folder lie the run of the highest evidence (load reads it), a figure of the fit, and
discover.rhai, the script that repeats it and can be changed.")]
pub(super) struct DiscoverArgs {
    /// The data: a table of numbers with a row for each time
    file: PathBuf,
    /// Column of the time [default: the one named t or time, else the first]
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// Columns of the state, with commas between [default: all others]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    state: Vec<String>,
    /// Column that identifies the sample, where there are several
    #[arg(long, value_name = "COLUMN")]
    sample: Option<String>,
    /// Widths of the hidden layers, with commas between [default: by evidence]
    #[arg(long, value_name = "WIDTHS", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    hidden: Vec<u16>,
    /// Do not look for equations
    #[arg(long)]
    no_equations: bool,
    /// Folder of the results [default: runs/NAME, after the file]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
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
                let name = self.file.file_stem().unwrap_or_default();
                Path::new("runs").join(name)
            }
        };
        let script = self.script(&out)?;
        let failed = |e: crate::Error| ScriptError::new(ErrorKind::Runtime, e.to_string());
        std::fs::create_dir_all(&out)
            .map_err(|e| failed(crate::Error::io("create the folder", &out, &e)))?;
        let path = out.join("discover.rhai");
        write_atomically(&path, script.as_bytes()).map_err(failed)?;
        let mut session = super::session(common, Vec::new(), RunPlan::default())?;
        session.run_file(&path)?;
        Ok(())
    }

    /// Returns the script that does the work.
    fn script(&self, out: &Path) -> Result<String, ScriptError> {
        let file = text(&self.file.to_string_lossy());
        let out = out.to_string_lossy();
        let mut options = vec![];
        if let Some(time) = &self.time {
            options.push(format!("time: {}", text(time)));
        }
        if !self.state.is_empty() {
            let names: Vec<String> = self.state.iter().map(|name| text(name)).collect();
            options.push(format!("state: [{}]", names.join(", ")));
        }
        if let Some(sample) = &self.sample {
            options.push(format!("sample: {}", text(sample)));
        }
        let hidden = match self.hidden.is_empty() {
            true => String::new(),
            false => {
                let widths: Vec<String> = self.hidden.iter().map(u16::to_string).collect();
                format!(", #{{ hidden: [{}] }}", widths.join(", "))
            }
        };
        let read = match options.is_empty() {
            true => format!("read_csv({file})"),
            false => format!("read_csv({file}, #{{ {} }})", options.join(", ")),
        };
        let folder = text(&out);
        let figure = text(&format!("{out}/fit.svg"));
        let mut script = format!(
            "// A model of the data, with nothing set; change what you like and run it again: odesync run {out}/discover.rhai\n\
             let data = {read};\n\
             let found = discover(data{hidden});\n\
             print(found.report);\n\
             found.best.save({folder});\n\
             plot(data, found.best).save({figure});\n"
        );
        if !self.no_equations {
            script.push_str(
                "\n// The sparse set of terms that explains the data, where there is one.\n\
                 let equations = equations(found.best, data);\n\
                 if equations.log_evidence < equations.network_log_evidence {\n\
                 \x20   let cubic = equations(found.best, data, #{ library: polynomials(3) });\n\
                 \x20   if cubic.log_evidence > equations.log_evidence { equations = cubic; }\n\
                 }\n\
                 print(\"equations:\");\n\
                 print(equations);\n",
            );
        }
        Ok(script)
    }
}

/// Returns a string as a script writes it.
fn text(text: &str) -> String {
    Value::from(text).to_string()
}
