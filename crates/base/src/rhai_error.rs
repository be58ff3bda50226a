//! [`Error`] as rhai's engine carries it. Only the crate of [`Error`] may say how `?` turns one into the other, so the conversion is
//! here, behind the feature `rhai`, which the script language alone asks for.

use rhai::{Dynamic, EvalAltResult, Position};

use crate::Error;

/// An [`Error`] on its way through the engine. A script that catches it sees its message.
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
