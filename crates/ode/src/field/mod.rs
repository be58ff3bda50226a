//! The vector field du/dt = f(t, u; θ) as a graph of operations, which every engine runs.
//!
//! | file | contents |
//! |---|---|
//! | `op` | the operations |
//! | `graph` | the arena of nodes, parameter blocks and signals; shape checks |
//! | `builder` | the builder of a field |
//! | `expr` | expressions of a field under construction, with operators |
//! | `vector_field`, `constant_spec` | the finished field and its parameters; what is known of a trained constant |
//! | `system` | a field from a closure |
//! | `side_by_side` | several fields as one |
//! | `json`, `lossless_json` | a field as JSON; lossless numbers in JSON |
//! | `input` | external inputs, functions of time given by values at discrete times |
//! | `signal` | external signals, functions of time such as a spline |
//! | `switches` | times at which the equations switch |
//! | `state_switches` | conditions in the state, and the field with each of them held |
//! | `printing` | equations as text |
//! | `native/` | the native evaluator: program, value, VJP, JVP, and the JVP of the VJP |
//! | `kernels/` | inner loops of the native evaluator, compiled for several instruction sets |

mod builder;
mod constant_spec;
mod expr;
mod graph;
mod input;
pub(crate) mod json;
pub(crate) mod kernels;
mod lossless_json;
pub mod native;
mod op;
mod printing;
mod side_by_side;
mod signal;
mod state_switches;
mod switches;
mod system;
mod vector_field;

pub use builder::{FieldBuilder, ParamBlockId};
pub use constant_spec::ConstantSpec;
pub use expr::Expr;
pub use graph::{MAX_NODES, ParamBlock};
pub use input::InputSignal;
pub use kernels::{Isa, normal_tail};
pub use op::{Binary, NodeId, Op, Unary};
pub use signal::Signal;
pub use state_switches::BranchParameter;
pub(crate) use state_switches::HeldField;
pub(crate) use switches::Switch;
pub use system::{Parameters, driven_system, system};
pub use vector_field::VectorField;
