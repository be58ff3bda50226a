//! Whether an input is whole: what is not goes on in the next line.

use reedline::{ValidationResult, Validator};

use super::scan::Scan;

pub(super) struct WholeInput;

impl Validator for WholeInput {
    fn validate(&self, line: &str) -> ValidationResult {
        let command = line.trim_start().starts_with(':');
        match !command && Scan::of(line).is_unfinished(line) {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Complete,
        }
    }
}
