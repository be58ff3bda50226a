//! Models in other languages: a field is a graph of operations, and each format is a way to write that graph down.
//!
//! | module | content |
//! |---|---|
//! | `language` | the walk over the graph, and what a language has to say for each operation |
//! | `text` | identifiers, numbers and statements, which the languages share |
//! | `python`, `julia`, `c`, `rhai` | source: functions of t and u, and a script of odesync |
//! | `onnx` | ONNX graphs in float64 |
//! | `state_dict` | the weights of a network as PyTorch has them, written and read |
//! | `options`, `format` | options; the format of a file by its ending |

#![deny(missing_docs)]

mod c;
mod format;
mod julia;
mod language;
mod onnx;
mod options;
mod python;
mod rhai;
mod state_dict;
mod text;

pub use format::{ExportFormat, export_equations, export_field, field_source};
pub use odesync_base::{Error, Result};
pub use options::{ExportOptions, LayerNames, PythonLibrary};
pub use state_dict::from_torch;
