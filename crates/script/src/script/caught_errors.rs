//! The text of a caught error: `try { … } catch (e) { print(e) }` prints what the script would have ended with.
//!
//! An error that a function of odesync returns is caught as a value of its own. rhai's own errors (an unknown property, an index that is
//! out of range) are caught as maps of their parts, `#{ error: "ErrorDotExpr", property: …, message: … }`; the parts stay readable, and
//! only what is shown of the map changes.

use std::cell::OnceCell;
use std::rc::Rc;

use rhai::{
    AST, Dynamic, Engine, EvalAltResult, ImmutableString, Map, NativeCallContext, Position,
};

use super::error::RhaiResult;
use super::error_report::ErrorReporter;
use super::host::Host;
use super::registry::Catalogue;
use super::source_map::SourceMap;
use super::suggestions::lower_first;
use super::token_linter::TokenLinter;

/// What the texts of caught errors need.
pub(super) struct CaughtErrors {
    host: Host,
    linter: Rc<TokenLinter>,
    /// Set once the bindings are complete.
    catalogue: OnceCell<Catalogue>,
}

impl CaughtErrors {
    /// Registers the text of maps.
    pub fn install(engine: &mut Engine, host: &Host, linter: &Rc<TokenLinter>) -> Rc<Self> {
        let errors = Rc::new(Self {
            host: host.clone(),
            linter: Rc::clone(linter),
            catalogue: OnceCell::new(),
        });
        for name in ["to_string", "print"] {
            let errors = Rc::clone(&errors);
            engine.register_fn(
                name,
                move |context: NativeCallContext, map: Map| -> RhaiResult<ImmutableString> {
                    match errors.text(&map) {
                        Some(text) => Ok(text.into()),
                        None => show_map(&context, map),
                    }
                },
            );
        }
        errors
    }

    /// Sets the catalogue of the engine.
    pub fn set_catalogue(&self, catalogue: &Catalogue) {
        let _ = self.catalogue.set(catalogue.clone());
    }

    /// Returns the message of a map that is a caught error, with its hint; `None` for other maps.
    fn text(&self, map: &Map) -> Option<String> {
        let word = |key: &str| map.get(key)?.clone().into_immutable_string().ok();
        let message = word("message")?;
        let error = parts(
            map,
            &word("error").filter(|name| name.starts_with("Error"))?,
        );
        let Some(error) = error else {
            return Some(lower_first(&message));
        };
        let reporter = ErrorReporter {
            sources: &SourceMap::default(),
            catalogue: self.catalogue.get()?,
            linter: &self.linter,
            functions: &AST::empty(),
            variables: vec![],
            host: &self.host,
        };
        let report = reporter.explain(error);
        Some(match report.hint {
            Some(hint) => format!("{}; {hint}", report.message),
            None => report.message,
        })
    }
}

/// Builds the error from its parts; `None` where its text is in the message.
fn parts(map: &Map, name: &str) -> Option<EvalAltResult> {
    use EvalAltResult as E;
    let at = Position::NONE;
    let text = |key: &str| map.get(key)?.clone().into_string().ok();
    let number = |key: &str| map.get(key)?.as_int().ok();
    Some(match name {
        "ErrorFunctionNotFound" => E::ErrorFunctionNotFound(text("function")?, at),
        "ErrorVariableNotFound" => E::ErrorVariableNotFound(text("variable")?, at),
        "ErrorPropertyNotFound" => E::ErrorPropertyNotFound(text("variable")?, at),
        "ErrorAssignmentToConstant" => E::ErrorAssignmentToConstant(text("variable")?, at),
        "ErrorDotExpr" => E::ErrorDotExpr(text("property")?, at),
        "ErrorMismatchDataType" => {
            E::ErrorMismatchDataType(text("requested")?, text("actual")?, at)
        }
        "ErrorArrayBounds" => E::ErrorArrayBounds(
            usize::try_from(number("length")?).ok()?,
            number("index")?,
            at,
        ),
        "ErrorIndexingType" => E::ErrorIndexingType(text("type")?, at),
        "ErrorDataTooLarge" => E::ErrorDataTooLarge(text("type")?, at),
        "ErrorModuleNotFound" => E::ErrorModuleNotFound(text("module")?, at),
        "ErrorArithmetic" => E::ErrorArithmetic(text("message")?, at),
        "ErrorFor" => E::ErrorFor(at),
        _ => return None,
    })
}

/// Formats a map as rhai does.
fn show_map(context: &NativeCallContext, map: Map) -> RhaiResult<ImmutableString> {
    let mut items = Vec::with_capacity(map.len());
    for (key, mut value) in map {
        let shown: Dynamic = context.call_native_fn_raw("to_debug", true, &mut [&mut value])?;
        items.push(format!("{key:?}: {shown}"));
    }
    Ok(format!("#{{{}}}", items.join(", ")).into())
}
