//! The process that runs the cells of a Rust notebook (evcxr).
//!
//! Each cell is a library of its own there, with a copy of this crate and of its statics. What a static would hand on from one
//! cell to the next goes by a file in the kernel's folder instead.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Whether this process runs the cells of a notebook.
pub fn is_notebook() -> bool {
    std::env::var_os("EVCXR_IS_RUNTIME").is_some()
}

/// Where a value is kept for the cells that follow; nowhere outside a notebook.
fn place(name: &str) -> Option<PathBuf> {
    is_notebook().then(|| {
        // The kernel's own folder, which goes with it.
        let folder =
            std::env::var_os("EVCXR_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
        folder.join(format!("odesync-{}-{name}.json", std::process::id()))
    })
}

/// What an earlier cell has handed on, if this is a notebook and it has.
pub(crate) fn take_up<T: DeserializeOwned>(name: &str) -> Option<T> {
    place(name).and_then(|path| read(&path))
}

/// Hands a value on to the cells that follow. Where the folder can't be written, each cell goes by its own.
pub(crate) fn hand_on<T: Serialize>(name: &str, value: &T) {
    if let Some(path) = place(name) {
        write(&path, value);
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn write<T: Serialize>(path: &Path, value: &T) {
    if let Ok(bytes) = serde_json::to_vec(value) {
        let _ = fs::write(path, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Generator;

    #[test]
    fn a_generator_that_was_handed_on_draws_what_it_would_have_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("generator.json");
        let mut generator = Generator::manual_seed(10);
        generator.normal(0.0, 1.0, 3);
        write(&path, &generator);
        let mut taken: Generator = read(&path).unwrap();
        assert_eq!(taken.normal(0.0, 1.0, 5), generator.normal(0.0, 1.0, 5));
        assert!(read::<Generator>(&folder.path().join("none.json")).is_none());
        assert!(place("generator").is_none(), "no notebook, no file");
    }
}
