//! The setup of the rhai engine, and the list of all bindings.

use std::rc::Rc;

use rhai::{Dynamic, Engine, EvalAltResult, OptimizationLevel, Position, Scope};

use super::caught_errors::CaughtErrors;
use super::copies;
use super::error::{Termination, WrappedError};
use super::host::Host;
use super::interaction::Interactions;
use super::limits;
use super::modules::ScriptModuleResolver;
use super::registry::{Catalogue, Registry, ScriptType};
use super::token_linter::TokenLinter;

/// A function that registers the bindings of one file.
type RegisterFn = fn(&mut Registry);

/// All files with bindings, each under its topic in the documentation; a new file is added here.
const BINDINGS: [(&str, RegisterFn); 20] = [
    ("language", super::numbers::register),
    ("language", super::guards::register),
    ("language", super::number_format::register),
    ("language", super::arguments::register),
    ("arrays", super::array::register),
    ("fields", super::fields::register),
    ("solving", super::solving::register),
    ("data", super::data::register),
    ("smoothing", super::synchronizing::register),
    ("training", super::training::register),
    ("training", super::runs::register),
    ("training", super::ensembles::register),
    ("training", super::cross_validating::register),
    ("training", super::discovering::register),
    ("training", super::exporting::register),
    ("landscape", super::landscape::register),
    ("figures", super::figures::register),
    ("figures", super::interact::register),
    ("experiments", super::experiments::register),
    ("tables", super::tables::register),
];

impl ScriptType for WrappedError {
    const NAME: &'static str = "error";

    fn show(&self) -> String {
        self.0.to_string()
    }
}

/// Builds the engine of a session, the constants that its scope starts with, and the catalogue of its bindings.
pub(super) fn build(
    host: &Host,
    linter: &Rc<TokenLinter>,
    interactions: &Interactions,
) -> (Engine, Scope<'static>, Catalogue) {
    let mut engine = Engine::new();
    limits::apply(&mut engine);
    // Otherwise a misspelt option would read as ().
    engine.set_fail_on_invalid_map_property(true);
    // A misspelt variable is then found before the script runs, not hours later.
    engine.set_strict_variables(true);
    // The division of integers can only be replaced without fast operators.
    engine.set_fast_operators(false);
    engine.set_optimization_level(OptimizationLevel::Simple);
    // Code in strings would escape the checks of tokens, and its errors would have no location in a file.
    engine.disable_symbol("eval");
    install_hooks(&mut engine, host, linter);
    let caught = CaughtErrors::install(&mut engine, host, linter);

    let mut reg = Registry::new(engine, host.clone(), interactions.clone());
    reg.script_type::<WrappedError>();
    for (topic, register) in BINDINGS {
        register(reg.topic(topic));
    }
    let (mut engine, constants, catalogue) = reg.finish();
    caught.set_catalogue(&catalogue);
    // Modules are searched for in the folder of the script that imports them, and see the constants.
    engine.set_module_resolver(ScriptModuleResolver::new(&constants, linter));
    (engine, constants, catalogue)
}

// `on_var` and `on_parse_token` are marked as deprecated to say that their signatures may change; the version of rhai is
// pinned to one minor release for that reason.
#[allow(deprecated)]
fn install_hooks(engine: &mut Engine, host: &Host, linter: &Rc<TokenLinter>) {
    let printer = host.clone();
    engine.on_print(move |text| printer.print(text));
    let printer = host.clone();
    engine.on_debug(move |text, source, position| {
        printer.print(&match source {
            Some(source) => format!("{source}:{position:?}: {text}"),
            None => format!("{position:?}: {text}"),
        });
    });

    let session = host.clone();
    engine.on_progress(move |_| {
        if session.interrupted() {
            let stop = if session.output_closed() {
                Termination::OutputClosed
            } else {
                Termination::Interrupted
            };
            return Some(Dynamic::from(stop));
        }
        odesync_base::memory::exceeds(session.memory_limit())
            .then(|| Dynamic::from(Termination::MemoryLimit))
    });

    // rhai copies and drops nested values recursively and has no limit on their depth, so each value is checked where it is used; it copies
    // a list or map at almost every use as well, and asks nobody whether there is room.
    let session = host.clone();
    engine.on_var(move |name, _, context| {
        match context.scope().get(name).and_then(|value| {
            limits::too_large(value).or_else(|| copies::too_large(value, session.memory_limit()))
        }) {
            Some(what) => Err(Box::new(EvalAltResult::ErrorDataTooLarge(
                what,
                Position::NONE,
            ))),
            None => Ok(None),
        }
    });

    let linter = Rc::clone(linter);
    engine.on_parse_token(move |token, position, _| linter.on_token(token, position));
}
