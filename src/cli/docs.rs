//! `odesync docs [NAME]`

use crate::script::{RunPlan, ScriptError, reference};

use super::GlobalArgs;
use super::run::usage_error;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  odesync docs
  odesync docs smoothing_spline
  odesync docs run.best_mse
  odesync docs training
  odesync docs --markdown > functions.md")]
pub(super) struct DocsArgs {
    /// A function, a property, a constant or a topic [default: a list of everything]
    name: Option<String>,
    /// Everything as one page of Markdown
    #[arg(long, conflicts_with = "name")]
    markdown: bool,
}

impl DocsArgs {
    pub(super) fn run(&self, common: &GlobalArgs) -> Result<(), ScriptError> {
        let docs = super::session(common, Vec::new(), RunPlan::default())?.docs();
        let text = match &self.name {
            None if self.markdown => reference::markdown(&docs),
            None => reference::index(&docs, super::text_width()),
            Some(name) => reference::page(&docs, name, super::text_width())
                .map_err(|e| usage_error(e.to_string()))?,
        };
        super::print(&text)
    }
}
