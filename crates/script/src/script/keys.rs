//! The keys of functions' option maps, declared once for parsing, error messages, completion and the documentation.

pub use odesync_base::options::{Key, Keys, distinct, find};

#[cfg(test)]
mod tests;
