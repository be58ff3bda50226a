//! `odesync export RUN|SCRIPT FILE`

use std::path::{Path, PathBuf};

use odesync_base::options::{Named, Value};
use odesync_base::paths::to_text;

use crate::export::{ExportFormat, LayerNames, PythonLibrary};
use crate::script::{RunPlan, ScriptError};

use super::GlobalArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The ending of FILE says the format: .py (NumPy, or --target torch or jax), .jl, .c, .tex, .onnx, .safetensors (the weights of the network,
as PyTorch has them) or .rhai.

Examples:
  odesync export runs/measured model.py
  odesync export runs/measured model.onnx
  odesync export runs/measured/equations.rhai equations.c")]
pub(super) struct ExportArgs {
    /// Folder of a run, or a script whose value is a model
    #[arg(value_name = "RUN|SCRIPT")]
    model: PathBuf,
    /// The file to write
    file: PathBuf,
    /// Library of a .py file
    #[arg(long, value_name = "LIBRARY", value_parser = clap::builder::PossibleValuesParser::new(PythonLibrary::NAMES))]
    target: Option<String>,
    /// Names of the layers in a .safetensors file
    #[arg(long, value_name = "NAMES", value_parser = clap::builder::PossibleValuesParser::new(LayerNames::NAMES))]
    names: Option<String>,
    /// Sample whose input is written, where each sample has its own
    #[arg(long, value_name = "SAMPLE")]
    sample: Option<u32>,
}

impl ExportArgs {
    pub(super) fn run(&self, common: &GlobalArgs) -> Result<(), ScriptError> {
        // Before anything is read, so that a wrong ending is said at once.
        ExportFormat::of_path(&self.file).map_err(|e| super::run::usage_error(e.to_string()))?;
        let mut options = super::session_options(common, Vec::new(), RunPlan::default())?;
        if let Some(rules) = &mut options.access {
            rules.permissions.allow_read(&self.model);
            rules.permissions.allow_write(&self.file);
        }
        let mut session = super::session_of(options)?;
        session.eval(&self.script()?, Some(Path::new("<export>")))?;
        Ok(())
    }

    /// Returns the script that does the work.
    fn script(&self) -> Result<String, ScriptError> {
        let text = |path: &Path| Value::from(to_text(path).as_str()).to_string();
        let model = match self
            .model
            .extension()
            .is_some_and(|ending| ending == "rhai")
        {
            true => {
                let code = std::fs::read_to_string(&self.model).map_err(|e| {
                    super::run::usage_error(format!("cannot read {}: {e}", self.model.display()))
                })?;
                format!("{{\n{code}\n}}")
            }
            false if self.model.exists() => format!("load({})", text(&self.model)),
            false => {
                return Err(super::run::usage_error(format!(
                    "there is no run {}",
                    self.model.display()
                )));
            }
        };
        let mut options = vec![];
        for (key, value) in [("target", &self.target), ("names", &self.names)] {
            options.extend(value.as_ref().map(|value| format!("{key}: \"{value}\"")));
        }
        options.extend(self.sample.map(|sample| format!("sample: {sample}")));
        Ok(format!(
            "let model = {model};\nexport_model(model, {}, #{{ {} }});",
            text(&self.file),
            options.join(", ")
        ))
    }
}
