//! `odesync eval 'CODE'`

use std::path::Path;

use crate::script::{RunPlan, ScriptError};

use super::GlobalArgs;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  odesync eval '1 + 1'
  odesync eval 'let x = linspace(0, 1, 5); x ** 2'")]
pub(super) struct EvalArgs {
    /// The code; quote it for the shell
    #[arg(allow_hyphen_values = true)]
    code: String,
}

impl EvalArgs {
    pub(super) fn run(&self, common: &GlobalArgs) -> Result<(), ScriptError> {
        let mut session = super::session(common, Vec::new(), RunPlan::default())?;
        let outcome = session.eval(&self.code, Some(Path::new("<eval>")))?;
        super::show(&outcome)
    }
}
