//! Whether a library runs in a notebook, and the store for the state that the notebook's cells share.
//!
//! Each cell of a Rust notebook (evcxr) is a separate library, with a copy of all statics. State that a static would keep from
//! one cell to the next has to be stored elsewhere, and only a front end knows where: the crate `odesync`. A notebook that uses
//! only crates that `odesync` depends on shares nothing between cells.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The store for the state that a notebook's cells share. A front end submits it with `inventory::submit!`.
#[derive(Debug, Clone, Copy)]
pub struct NotebookStore {
    /// Function that returns whether this process runs the cells of a notebook.
    pub is_notebook: fn() -> bool,
    /// Function that returns the bytes stored under a name.
    pub load: fn(&str) -> Option<Vec<u8>>,
    /// Function that stores bytes under a name. Where that fails, each cell has its own state.
    pub store: fn(&str, &[u8]),
}

inventory::collect!(NotebookStore);

/// Returns the store, if this process runs the cells of a notebook.
fn current_store() -> Option<&'static NotebookStore> {
    inventory::iter::<NotebookStore>
        .into_iter()
        .find(|store| (store.is_notebook)())
}

/// Returns whether this process runs the cells of a notebook.
pub fn is_notebook() -> bool {
    current_store().is_some()
}

/// Returns the value that an earlier cell stored under this name, if this is a notebook and there is one.
pub fn load<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_slice(&(current_store()?.load)(name)?).ok()
}

/// Stores a value under this name for the cells that follow; does nothing outside a notebook.
pub fn store<T: Serialize>(name: &str, value: &T) {
    if let Some(store) = current_store()
        && let Ok(bytes) = serde_json::to_vec(value)
    {
        (store.store)(name, &bytes);
    }
}
