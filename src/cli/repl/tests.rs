//! Helpers of the REPL's tests.

use super::symbols::SymbolTable;
use crate::script::{Output, Session, SessionOptions};

/// Returns a session in which this code has run.
pub(super) fn session(code: &str) -> Session {
    let mut session = Session::new(SessionOptions {
        interactive: true,
        quiet: true,
        output: Output::captured().0,
        ..SessionOptions::default()
    })
    .unwrap();
    session.eval(code, None).unwrap();
    session
}

/// Returns the symbol table after this code has run.
pub(super) fn symbol_table(code: &str) -> SymbolTable {
    let mut session = session(code);
    let asked = session.config_request();
    SymbolTable {
        catalogue: session.catalogue(),
        variables: session.variable_infos(),
        functions: session.functions(),
        config: asked.config,
        arguments: asked.arguments,
    }
}
