//! The script language: the rhai engine, its bindings, and the session that `run`, `eval` and the interactive session share.
//!
//! # Files
//!
//! | file | content |
//! |---|---|
//! | [`session`] | [`Session`]: owns the thread, the engine and the variables; evaluates code |
//! | `session_options` | [`SessionOptions`], [`EvalResult`]: the options of a session, and the result of an evaluation |
//! | [`engine`] | the setup of the rhai engine: settings, hooks, the list of all bindings |
//! | [`limits`], [`memory`], `copies` | the limits on scripts; the counted memory; what is too large to be copied |
//! | [`token_linter`] | the linter of a source's tokens: the `-x ** 2` trap, the names that a source declares |
//! | `equation_regions` | the parts of a source that are equations, where `&&` joins conditions of symbols |
//! | `error`, `error_report` | [`ScriptError`]: file, line, column, the line's text, a hint; rhai's errors converted to it |
//! | `caught_errors` | the text of an error that a script has caught |
//! | `suggestions`, `source_map` | names similar to an unknown one; the location that a position of rhai's means |
//! | [`frontend`] | [`Frontend`]: the receiver of what a session shows: text, figures, progress |
//! | [`host`] | [`Host`]: the interface of a session to its bindings (interrupt, quiet, output, arguments) |
//! | `exchange`, `introspection` | values shared with Rust; summaries of the variables |
//! | `interrupted_training` | the result of an interrupted training in an interactive session |
//! | [`registry`] | [`Registry`]: takes the declarations of functions, and records their documentation |
//! | [`reference`](mod@reference) | the text that `odesync docs` makes from the documentation |
//! | [`convert`], `options`, [`keys`] | script values to arrays and numbers; the option map of a call, and its keys |
//! | [`numbers`], [`guards`], `number_format` | division and powers of integers; bounded versions of rhai functions that could take all memory |
//! | `dense`, [`array`](mod@array) | the script's dense `Array` of floats; all its functions |
//! | [`fields`] | vector fields: known systems, models, closures traced into graphs |
//! | [`solving`], [`data`], [`synchronizing`] | the bindings of the modules of these names |
//! | `event_options` | the options of events and doses |
//! | `batch_solving` | many solves by one call of `solve` |
//! | [`training`], [`ensembles`], [`runs`], [`cross_validating`], [`landscape`], [`figures`] | the bindings of the modules of these names |
//! | [`discovering`], [`exporting`] | models and equations from data; models for other programs, and reports |
//! | `interact`, `interaction` | `interact`: a function whose arguments the user sets by sliders; its controls |
//! | `value_display` | the text of a value, and its card |
//! | [`experiments`] | `config`, `experiment` and their runs |
//! | [`tables`] | `table(rows)`: aligned text |
//! | [`arguments`] | `args(#{ … })`: the arguments of `odesync run SCRIPT KEY=VALUE` |
//!
//! # How to add a binding
//!
//! 1. Write a file `src/script/THING.rs` with one public function `register(reg: &mut Registry)`.
//! 2. In it, for each type that scripts hold: `impl ScriptType for Thing`, its name and what `print` shows of a value, and
//!    `reg.script_type::<Thing>()`. A script value must be cheap to clone: wrap the data in an `Arc`.
//! 3. For each function one declaration: `reg.function("name(x, y) -> Thing", "One sentence.", "an example").body(|…| …)`. The
//!    name is read from the signature, where a method has a dot before it; the example runs as a test. The types of the closure's
//!    arguments say which calls it takes (see [`Argument`]): [`Number`] is an int or a float, [`Numbers`] a list or an `Array`;
//!    `Option<T>` and [`Options`] are last arguments that may be left out. Other forms of the same call are further bodies;
//!    where they belong into another file, `reg.overload("name").body(|…| …)` adds them, and operators too. Properties:
//!    `reg.property("thing.size -> int", "One sentence.", "an example").get(|thing: &mut Thing| …)`, and `.set(|thing, value| …)`
//!    if they can be assigned.
//! 4. A function that can fail returns a [`crate::Result`], or an [`RhaiResult`] where it calls a script's closure; the engine
//!    fills in the position. Messages say how to correct the mistake.
//! 5. Arguments that may be numbers, lists or arrays are taken as `Dynamic` and read by [`convert`]. The options of a call are the
//!    last argument, [`Options`], whose keys are declared once: `.options(KEYS)` before the body makes them known to completion
//!    and to the documentation too.
//! 6. A long call checks `host.interrupted()` often and returns [`crate::Error::Interrupted`]; it shows progress
//!    through `host.note` and not on its own. `reg.host()` gives a [`Host`] to move into the closure.
//! 7. Add the file's `register` to the list in [`engine`], under a topic of the documentation.
//!
//! ```
//! use odesync_script::Result;
//! use odesync_script::script::{Key, Keys, Number, Options, Registry};
//!
//! const KEYS: Keys = &[&[Key::new("t")]];
//!
//! fn register(reg: &mut Registry) {
//!     reg.function("decay(rate, #{ t: 1.0 }) -> float", "exp(−rate t).", "decay(0.5, #{ t: 2.0 })")
//!         .options(KEYS)
//!         .body(|rate: Number, mut options: Options| -> Result<f64> {
//!             let t = options.positive("t", 1.0)?;
//!             options.finish()?;
//!             Ok((-rate.0 * t).exp())
//!         });
//! }
//! ```

mod access;
pub mod arguments;
pub mod array;
mod batch_solving;
mod caught_errors;
pub mod convert;
mod copies;
pub mod cross_validating;
pub mod data;
mod dense;
pub mod discovering;
pub mod engine;
pub mod ensembles;
mod equation_regions;
mod error;
mod error_report;
mod event_options;
mod exchange;
pub mod experiments;
pub mod exporting;
pub mod fields;
pub mod figures;
pub mod frontend;
pub mod guards;
pub mod host;
mod interact;
mod interaction;
mod interrupted_training;
mod introspection;
mod jvp;
pub mod keys;
pub mod landscape;
pub mod limits;
pub mod memory;
mod modules;
mod number_format;
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
mod value_display;

pub use access::AccessRules;
pub use array::ScriptArray;
pub use error::{ErrorKind, RhaiResult, ScriptError, SourceLocation};
pub use exchange::{FromScript, IntoScript};
pub use frontend::{DisplayedValue, Frontend, Output};
pub use host::{ConfigRequest, Host, RunPlan};
pub use interaction::{Interaction, Widget, WidgetKind, WidgetValue};
pub use interrupted_training::LAST_VALUE;
pub use introspection::{FunctionInfo, VariableInfo};
pub use keys::{Key, Keys, distinct};
pub use options::Options;
pub use registry::{
    Argument, ArgumentType, BindingBody, Call, Catalogue, Doc, Function, Number, Numbers, Operand,
    Property, ReadableProperty, Registry, ReturnValue, ScriptType,
};
pub use session::{EvalResult, InterruptHandle, Session, SessionOptions};
