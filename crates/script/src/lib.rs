//! The script language and what it is made of, for every front end.
//!
//! | module | what lives there |
//! |---|---|
//! | [`recipes`] | the figure of a run, of data, of a landscape |
//! | [`experiments`] | experiments put together from a configuration, their runs on disk, many runs |
//! | [`script`] | the rhai engine, its bindings and the session |
//!
//! Each module uses only those above it in this table.

pub mod experiments;
pub mod recipes;
pub mod script;

pub use odesync_base::{Error, Result};
