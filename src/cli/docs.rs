//! `odesync docs [NAME]`

use crate::script::{RunPlan, ScriptError, reference};

use super::Common;
use super::run::usage;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  odesync docs
  odesync docs smoothing_spline
  odesync docs run.best_mse
  odesync docs training
  odesync docs --markdown > functions.md")]
pub(super) struct Docs {
    /// A function, a property, a constant or a topic [default: a list of everything]
    name: Option<String>,
    /// Everything as one page of Markdown
    #[arg(long, conflicts_with = "name")]
    markdown: bool,
}

impl Docs {
    pub(super) fn run(&self, common: &Common) -> Result<(), ScriptError> {
        let docs = super::session(common, Vec::new(), RunPlan::default())?.docs();
        let text = match &self.name {
            None if self.markdown => reference::markdown(&docs),
            None => reference::index(&docs, super::width()),
            Some(name) => {
                reference::page(&docs, name, super::width()).map_err(|e| usage(e.to_string()))?
            }
        };
        super::print(&text)
    }
}
