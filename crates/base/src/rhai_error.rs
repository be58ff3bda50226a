//! The conversion of [`Error`] to rhai's error type. Rust allows the trait for `?` only in the crate of [`Error`], so the
//! conversion is here, behind the feature `rhai`, which only the script language enables.

use rhai::{Dynamic, EvalAltResult, Position};

use crate::Error;

/// An [`Error`] wrapped as a value of rhai. A script that catches it sees its message.
#[derive(Debug, Clone)]
pub struct WrappedError(pub Error);

impl From<Error> for Box<EvalAltResult> {
    fn from(error: Error) -> Self {
        Box::new(match error {
            // An interrupt can't be caught by a script.
            Error::Interrupted => {
                EvalAltResult::ErrorTerminated(Dynamic::from(WrappedError(error)), Position::NONE)
            }
            error => {
                EvalAltResult::ErrorRuntime(Dynamic::from(WrappedError(error)), Position::NONE)
            }
        })
    }
}
