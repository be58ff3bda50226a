//! A vector field, written once as a graph, which every engine runs.

mod signal;

pub use signal::Signal;
