//! The prompt before the cursor.

use std::borrow::Cow;

use reedline::{Prompt, PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus};

pub(super) struct ReplPrompt;

/// The prompt before an input; [`CONTINUATION_PROMPT`] before its further lines has the same width.
pub(super) const PROMPT: &str = "odesync> ";
const CONTINUATION_PROMPT: &str = "     ... ";

impl Prompt for ReplPrompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        PROMPT.into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_indicator(&self, _mode: PromptEditMode) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        CONTINUATION_PROMPT.into()
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let found = match search.status {
            PromptHistorySearchStatus::Passing => "history",
            PromptHistorySearchStatus::Failing => "not in history",
        };
        format!("({found}: {}) ", search.term).into()
    }
}
