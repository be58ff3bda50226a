//! Validation of inputs: an incomplete input continues in the next line.

use reedline::{ValidationResult, Validator};

use odesync_script::editing::TokenizedText;

pub(super) struct InputValidator;

impl Validator for InputValidator {
    fn validate(&self, line: &str) -> ValidationResult {
        let command = line.trim_start().starts_with(':');
        match !command && TokenizedText::tokenize(line).is_unfinished(line) {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Complete,
        }
    }
}
