//! Basics that every crate of odesync uses.
//!
//! | module | contents |
//! |---|---|
//! | [`error`], [`failure`] | the error type, nearest names; why a solve could not be finished |
//! | [`files`], [`paths`] | files written complete or not at all; paths as text |
//! | [`interrupt`] | the request to stop, for long loops |
//! | [`memory`] | how much memory there is |
//! | [`permissions`] | what a script may touch of the file system |
//! | [`options`] | options that are set by name, declared once |
//! | [`protobuf`] | messages of protocol buffers, for TensorBoard and ONNX |
//! | [`random`] | PyTorch's CPU generator, so that seeds mean the same with and without libtorch |
//! | [`tables`], [`text`] | aligned text; words of messages |
//! | `rhai_error` | the conversion of the error type to rhai's (feature `rhai`) |
//! | [`build`], [`notebook`] | the commit of the build; the store that a notebook's cells share |

pub mod build;
pub mod error;
pub mod failure;
pub mod files;
pub mod interrupt;
pub mod memory;
pub mod notebook;
pub mod options;
pub mod paths;
pub mod permissions;
pub mod protobuf;
pub mod random;
#[cfg(feature = "rhai")]
pub mod rhai_error;
pub mod tables;
pub mod text;

pub use error::{Error, Result};
