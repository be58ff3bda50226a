//! Options that are set by name: one declaration on the Rust type that uses them, for scripts, configurations, checkpoints and
//! the documentation.
//!
//! | module | contents |
//! |---|---|
//! | `declaration` | [`option_set!`](crate::option_set), which declares a struct of options |
//! | `key` | [`Key`], the description of an option: name, sentence, expected values, default |
//! | `kind` | [`OptionKind`]: the ranges and types that options have |
//! | `set` | [`OptionSet`]: a struct whose options are set and read by name |
//! | `value` | [`Value`], a value from a script, a configuration or a checkpoint |
//!
//! ```
//! use odesync_base::option_set;
//! use odesync_base::options::{Key, Maybe, NonNegative, OptionSet, Positive, Value};
//!
//! option_set! {
//!     /// Options of a solve.
//!     #[derive(Debug, Clone)]
//!     pub struct Tolerances {
//!         /// Relative tolerance of a step.
//!         pub rtol: f64 as NonNegative = 1e-7;
//!         /// Bound on the size of a step.
//!         pub max_step: Option<f64> as Maybe<Positive> = None;
//!     }
//! }
//!
//! let mut options = Tolerances::default();
//! options.set("rtol", &Value::Float(1e-3))?;
//! assert_eq!(options.rtol, 1e-3);
//! assert_eq!(options.get("max_step"), Some(Value::Unit));
//! let error = options.set("rtol", &Value::Int(-1)).unwrap_err();
//! assert_eq!(error.to_string(), "option \"rtol\" should be a number that is 0 or above, not -1 (int)");
//! let names: Vec<&str> = Tolerances::OPTIONS.iter().map(|key| key.name).collect();
//! assert_eq!(names, ["rtol", "max_step"]);
//! assert_eq!(Tolerances::OPTIONS[0].default_text(), "1e-7");
//! # Ok::<(), odesync_base::Error>(())
//! ```

mod declaration;
mod key;
mod kind;
mod named;
mod set;
mod value;

pub use key::{Key, Keys, distinct, find, join, split};
pub use kind::{
    Count, Flag, ListOf, Maybe, Mismatch, NonNegative, Number, NumberList, NumberPair, OneOf,
    OptionKind, Positive, Seed, Text, TextList, Whole,
};
pub use named::Named;
pub use set::{OptionSet, OptionSubset, read_map, write_map};
pub use value::Value;

#[cfg(test)]
mod tests;
