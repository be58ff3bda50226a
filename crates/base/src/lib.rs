//! What every crate of odesync uses.
//!
//! | module | what lives there |
//! |---|---|
//! | [`error`], [`failure`] | the one error type, nearest names; why a solve could not be finished |
//! | [`files`] | files written complete or not at all |
//! | [`memory`] | how much memory there is |
//! | [`random`] | PyTorch's CPU generator, so that seeds mean the same with and without libtorch |
//! | [`tables`], [`text`] | aligned text; words of messages |
//! | `thrown` | the error type as rhai carries it (feature `rhai`) |
//! | [`build`], [`notebook`] | what the program and the notebook tell the crates below them |

pub mod build;
pub mod error;
pub mod failure;
pub mod files;
pub mod memory;
pub mod notebook;
pub mod random;
#[cfg(feature = "rhai")]
pub mod rhai_error;
pub mod tables;
pub mod text;

pub use error::{Error, Result};
