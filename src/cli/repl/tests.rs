//! Helpers of the REPL's tests.

use crate::script::{Output, Session, SessionOptions};
use odesync_script::editing::SymbolTable;

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
    SymbolTable::of_session(&mut session(code), &SymbolTable::default())
}
