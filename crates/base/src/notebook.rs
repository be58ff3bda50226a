//! What the libraries know of a notebook: whether they run in one, and where they keep what its cells share.
//!
//! Each cell of a Rust notebook (evcxr) is a library of its own, with a copy of all statics. What a static would hand on from one
//! cell to the next has to be kept elsewhere, and only a front end knows where: the crate `odesync`. A notebook that takes one of the
//! crates below it alone shares nothing between cells.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The place where a notebook's cells keep what they share. A front end submits it with `inventory::submit!`.
#[derive(Debug, Clone, Copy)]
pub struct NotebookStore {
    /// Whether this process runs the cells of a notebook.
    pub is_notebook: fn() -> bool,
    /// What was kept under this name.
    pub load: fn(&str) -> Option<Vec<u8>>,
    /// Keeps bytes under a name. Where that fails, each cell goes by its own.
    pub store: fn(&str, &[u8]),
}

inventory::collect!(NotebookStore);

fn cells() -> Option<&'static NotebookStore> {
    inventory::iter::<NotebookStore>
        .into_iter()
        .find(|store| (store.is_notebook)())
}

/// Whether this process runs the cells of a notebook.
pub fn is_notebook() -> bool {
    cells().is_some()
}

/// The value that an earlier cell has kept under this name, if this is a notebook and one has.
pub fn load<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_slice(&(cells()?.load)(name)?).ok()
}

/// Keeps a value for the cells that follow; does nothing outside a notebook.
pub fn store<T: Serialize>(name: &str, value: &T) {
    if let Some(cells) = cells()
        && let Ok(bytes) = serde_json::to_vec(value)
    {
        (cells.store)(name, &bytes);
    }
}
