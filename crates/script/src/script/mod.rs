//! The script language: the rhai engine, its bindings, and the session that `run`, `eval` and the interactive session share.
//!
//! # Files
//!
//! | file | content |
//! |---|---|
//! | [`session`] | [`Session`]: owns the thread, the engine and the variables; evaluates code |
//! | `session_options` | [`SessionOptions`], [`Outcome`]: the options of a session, and the result of an evaluation |
//! | [`engine`] | the setup of the rhai engine: settings, hooks, the list of all bindings |
//! | [`limits`], [`memory`] | the limits on scripts; the counted memory |
//! | [`token_linter`] | the linter of a source's tokens: the `-x ** 2` trap, the names that a source declares |
//! | `error`, `error_report` | [`ScriptError`]: file, line, column, the line's text, a hint; rhai's errors converted to it |
//! | `suggestions`, `source_map` | names similar to an unknown one; the location that a position of rhai's means |
//! | [`frontend`] | [`Frontend`]: the receiver of what a session shows: text, figures, progress |
//! | [`host`] | [`Host`]: the interface of a session to its bindings (interrupt, quiet, output, arguments) |
//! | `exchange`, `introspection` | values shared with Rust; summaries of the variables |
//! | `interrupted_training` | the result of an interrupted training in an interactive session |
//! | [`registry`] | [`Registry`]: registers functions and records their documentation |
//! | [`reference`](mod@reference) | the text that `odesync docs` makes from the documentation |
//! | [`convert`], `options`, [`keys`] | script values to arrays and numbers; the option map of a call, and its keys |
//! | [`numbers`], [`guards`] | division and powers of integers; bounded versions of rhai functions that could take all memory |
//! | `dense`, [`array`](mod@array) | the script's dense `Array` of floats; all its functions |
//! | [`fields`] | vector fields: known systems, models, closures traced into graphs |
//! | [`solving`], [`data`], [`synchronizing`] | the bindings of the modules of these names |
//! | [`training`], [`ensembles`], [`runs`], [`landscape`], [`figures`] | the bindings of the modules of these names |
//! | [`experiments`] | `config`, `experiment` and their runs |
//! | [`tables`] | `table(rows)`: aligned text |
//! | [`arguments`] | `args(#{ … })`: the arguments of `odesync run SCRIPT KEY=VALUE` |
//!
//! # How to add a binding
//!
//! 1. Write a file `src/script/THING.rs` with one public function `register(reg: &mut Registry)`.
//! 2. In it, for each type that scripts hold: `reg.register_type::<Thing>("Thing")`, and `to_string`/`to_debug` by
//!    `reg.display::<Thing>(|x| …)`. A script value must be cheap to clone: wrap the data in an `Arc`.
//! 3. For each function: `reg.register_fn("name", |…| …)` once for every combination of argument types (integers and floats are
//!    two types: register both), then `reg.describe("name", "name(x, y) -> Thing", "One sentence.", "an example")`. The example
//!    runs as a test. Properties: `reg.register_get`, `reg.register_set`, then
//!    `reg.describe_property("Thing", "thing.size -> int", "One sentence.", "an example")`. A test finds what is not described.
//! 4. A function that can fail returns [`RhaiResult<T>`]; `?` turns a [`crate::Error`] into what rhai wants, and the position is
//!    filled in by the engine. Messages say how to correct the mistake.
//! 5. Arguments that may be numbers, lists or arrays are taken as `Dynamic` and read by [`convert`]; the option map is read
//!    by [`Options`], whose keys are declared once: `.option_keys(KEYS)` after the description makes them known to
//!    completion too.
//! 6. A long call checks `host.interrupted()` often and returns [`crate::Error::Interrupted`]; it shows progress
//!    through `host.note` and not on its own. `reg.host()` gives a [`Host`] to move into the closure.
//! 7. Add the file's `register` to the list in [`engine`], under a topic of the documentation.
//!
//! ```
//! use odesync_script::script::{RhaiResult, Key, Keys, Options, Registry};
//!
//! const KEYS: Keys = &[&[Key::new("t")]];
//!
//! fn register(reg: &mut Registry) {
//!     reg.register_fn("decay", |rate: f64, options: rhai::Map| -> RhaiResult<f64> {
//!         let mut options = Options::new("decay", KEYS, options);
//!         let t = options.non_negative("t", 1.0)?;
//!         options.finish()?;
//!         Ok((-rate * t).exp())
//!     });
//!     reg.describe("decay", "decay(rate, #{ t: 1.0 }) -> float", "exp(−rate t).", "decay(0.5, #{ t: 2.0 })")
//!         .option_keys(KEYS);
//! }
//! ```

pub mod arguments;
pub mod array;
pub mod convert;
pub mod data;
mod dense;
pub mod engine;
pub mod ensembles;
mod error;
mod error_report;
mod exchange;
pub mod experiments;
pub mod fields;
pub mod figures;
pub mod frontend;
pub mod guards;
pub mod host;
mod interrupted_training;
mod introspection;
mod jvp;
pub mod keys;
pub mod landscape;
pub mod limits;
pub mod memory;
pub mod numbers;
pub mod observation;
mod options;
pub mod reference;
pub mod registry;
pub mod runs;
pub mod session;
mod session_options;
pub mod solving;
mod source_map;
mod suggestions;
pub mod synchronizing;
pub mod tables;
pub mod token_linter;
pub mod training;

pub use array::ScriptArray;
pub use error::{ErrorKind, RhaiResult, ScriptError, SourceLocation};
pub use exchange::{FromScript, IntoScript};
pub use frontend::{DisplayData, Frontend, Output};
pub use host::{ConfigRequest, Host, RunPlan};
pub use interrupted_training::LAST_VALUE;
pub use introspection::{FunctionInfo, VariableInfo};
pub use keys::{Key, Keys, distinct};
pub use options::Options;
pub use registry::{Catalogue, Doc, Registry};
pub use session::{Outcome, Session, SessionOptions};
