//! The symbol table of the REPL's session, updated after each input.

use std::sync::{Arc, Mutex, PoisonError};

use odesync_script::editing::SymbolTable;

/// The symbol table that the loop updates and the line editor reads.
#[derive(Clone, Default)]
pub(super) struct SharedSymbols(Arc<Mutex<Arc<SymbolTable>>>);

impl SharedSymbols {
    pub fn get(&self) -> Arc<SymbolTable> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn set(&self, symbols: SymbolTable) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(symbols);
    }
}
