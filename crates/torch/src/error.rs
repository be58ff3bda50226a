//! The errors of tensors within this crate. Its public functions return [`Error`], as those of all crates.

use odesync_base::failure::SolveFailure;
use tch::TchError;

use crate::Error;

/// An error within the torch engine: libtorch's errors and all others.
#[derive(Debug)]
pub(crate) struct TensorError(Error);

/// The result of a function that works on tensors.
pub(crate) type TensorResult<T> = std::result::Result<T, TensorError>;

impl From<TchError> for TensorError {
    fn from(error: TchError) -> Self {
        let text = match error {
            TchError::Torch(text) => text,
            other => other.to_string(),
        };
        // The text after this line is a C++ back trace.
        let end = text.find("\nException raised from").unwrap_or(text.len());
        TensorError(Error::Torch(text[..end].trim().to_string()))
    }
}

impl From<Error> for TensorError {
    fn from(error: Error) -> Self {
        TensorError(error)
    }
}

impl From<SolveFailure> for TensorError {
    fn from(failure: SolveFailure) -> Self {
        TensorError(failure.into())
    }
}

impl From<TensorError> for Error {
    fn from(error: TensorError) -> Self {
        error.0
    }
}
