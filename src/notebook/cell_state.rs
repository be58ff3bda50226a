//! State that the cells of a Rust notebook (evcxr) share.
//!
//! In evcxr each cell is a library of its own, with its own copy of this crate and of its statics. State that a program keeps in
//! a static is therefore passed from one cell to the next in a file in the kernel's folder.

use std::fs;
use std::path::PathBuf;

use odesync_base::notebook::NotebookStore;

inventory::submit! {
    NotebookStore { is_notebook: in_notebook, load, store }
}

/// Whether this process runs the cells of a notebook.
fn in_notebook() -> bool {
    std::env::var_os("EVCXR_IS_RUNTIME").is_some()
}

/// Returns the file of a value, in the kernel's own folder, which is deleted with the kernel.
fn value_file(name: &str) -> PathBuf {
    let folder = std::env::var_os("EVCXR_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
    folder.join(format!("odesync-{}-{name}.json", std::process::id()))
}

fn load(name: &str) -> Option<Vec<u8>> {
    fs::read(value_file(name)).ok()
}

fn store(name: &str, bytes: &[u8]) {
    // If the folder can't be written, each cell has its own state.
    let _ = fs::write(value_file(name), bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Generator;

    #[test]
    fn a_generator_that_was_handed_on_draws_what_it_would_have_drawn() {
        let mut generator = Generator::manual_seed(10);
        generator.normal(0.0, 1.0, 3);
        let name = "test-generator";
        store(name, &serde_json::to_vec(&generator).unwrap());
        let mut taken: Generator = serde_json::from_slice(&load(name).unwrap()).unwrap();
        fs::remove_file(value_file(name)).unwrap();
        assert_eq!(taken.normal(0.0, 1.0, 5), generator.normal(0.0, 1.0, 5));
        assert!(load("none").is_none());
        assert!(
            !odesync_base::notebook::is_notebook(),
            "no notebook, no file"
        );
    }
}
