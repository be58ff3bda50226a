//! A vector field, written once as a graph, which every engine runs.
//!
//! | file | idea |
//! |---|---|
//! | `op` | the operations |
//! | `graph` | the arena of nodes, parameter blocks and signals; shape checks |
//! | `builder` | expressions with operators, and the builder they belong to |
//! | `vector_field` | the finished field, its parameters, saving |
//! | `exact` | numbers in JSON |
//! | `signal` | functions of time from outside, such as a spline |
//! | `show` | equations as text |
//! | `native/` | the native engine: program, value, VJP, JVP |
//! | `kernels/` | its inner loops, compiled for several instruction sets |

mod builder;
mod exact;
mod graph;
pub(crate) mod kernels;
pub mod native;
mod op;
mod show;
mod signal;
mod vector_field;

pub use builder::{BlockId, Expr, FieldBuilder};
pub use graph::{Block, MAX_NODES};
pub use kernels::Isa;
pub use op::{Binary, NodeId, Op, Unary};
pub use signal::Signal;
pub use vector_field::{Parameters, VectorField, system};
