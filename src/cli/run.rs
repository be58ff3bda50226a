//! `odesync run SCRIPT [KEY=VALUE …]`

use std::path::PathBuf;

use crate::script::ScriptError;

use super::Common;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  odesync run scripts/my_data.rhai file=measured.csv
  odesync run scripts/my_system.rhai epochs=50 out=runs/short --quiet

A script declares the keys it takes, with defaults, by `let opt = args(#{ epochs: 600, out: \"runs/demo\" });`.")]
pub(super) struct Run {
    /// The script, a .rhai file
    script: PathBuf,
    /// Arguments of the script
    #[arg(value_name = "KEY=VALUE", value_parser = pair)]
    args: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.into(), value.into())),
        _ => Err("arguments are written KEY=VALUE, without spaces around the =".into()),
    }
}

impl Run {
    pub(super) fn run(&self, common: &Common) -> Result<(), ScriptError> {
        let mut session = super::session(common, self.args.clone())?;
        session.run_file(&self.script)?;
        Ok(())
    }
}
