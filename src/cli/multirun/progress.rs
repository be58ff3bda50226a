//! The progress display of a multirun.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::print_error;
use crate::experiments::multirun::MemberStatus;

/// The progress display of a multirun: how many members are done and which are running.
pub(super) struct MultirunProgress {
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl MultirunProgress {
    pub(super) fn new(quiet: bool, members: usize) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar =
                ProgressBar::with_draw_target(Some(members as u64), ProgressDrawTarget::stderr());
            let template = "{wide_bar:.cyan/dim} {pos}/{len} runs  {elapsed} so far";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar.enable_steady_tick(std::time::Duration::from_millis(500));
            bar
        });
        MultirunProgress { bar, quiet }
    }

    pub(super) fn on_status(&self, name: &str, status: MemberStatus) {
        if let Some(bar) = &self.bar {
            if status != MemberStatus::Running {
                bar.println(format!("{}: {name}", status.name()));
                bar.inc(1);
            }
        } else if !self.quiet {
            print_error(&format!("{}: {name}", status.name()));
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
