//! A vector field, written once as a graph, which every engine runs.
//!
//! | file | idea |
//! |---|---|
//! | `op` | the operations |
//! | `graph` | the arena of nodes, parameter blocks and signals; shape checks |
//! | `builder` | the builder of a field |
//! | `expr` | its expressions, with operators |
//! | `vector_field` | the finished field and its parameters |
//! | `system` | a field from a closure |
//! | `saved`, `exact` | a field as JSON; numbers in it |
//! | `input` | external inputs, functions of time given as samples |
//! | `signal` | functions of time from outside, such as a spline |
//! | `show` | equations as text |
//! | `native/` | the native engine: program, value, VJP, JVP, and the JVP of the VJP |
//! | `kernels/` | its inner loops, compiled for several instruction sets |

mod builder;
mod expr;
mod graph;
mod input;
mod json;
pub(crate) mod kernels;
mod lossless_json;
pub mod native;
mod op;
mod printing;
mod signal;
mod system;
mod vector_field;

pub use builder::{BlockId, FieldBuilder};
pub use expr::Expr;
pub use graph::{MAX_NODES, ParamBlock};
pub use input::InputSignal;
pub use kernels::Isa;
pub use op::{Binary, NodeId, Op, Unary};
pub use signal::Signal;
pub use system::{Parameters, driven_system, system};
pub use vector_field::VectorField;
