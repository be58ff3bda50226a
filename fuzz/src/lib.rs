//! What each target does with its input. A target fails where it panics, runs for too long, or finds two answers that should be one.
//!
//! | file | content |
//! |---|---|
//! | `readers` | files of data, of every format |
//! | `saved_fields`, `saved_runs` | the equations of a checkpoint; checkpoints |
//! | `configs` | configurations and overrides |
//! | `scripts` | code that is typed, and code that runs |
//! | `graphs` | random fields: values against an interpreter, adjoints against tangents |
//! | `kernel` | what comes through the sockets of the kernel |

mod configs;
mod graphs;
#[cfg(feature = "kernel")]
mod kernel;
#[cfg(feature = "data")]
mod readers;
mod saved_fields;
#[cfg(feature = "data")]
mod saved_runs;
#[cfg(feature = "script")]
mod scripts;

pub use configs::{override_text as r#override, yaml};
pub use graphs::equations;
#[cfg(feature = "kernel")]
pub use kernel::{messages, wire};
#[cfg(feature = "data")]
pub use readers::{csv, excel, hdf5, json, matlab, npy, npz, parquet, safetensors, schmidt_lipson};
pub use saved_fields::equations_file;
#[cfg(feature = "data")]
pub use saved_runs::checkpoint;
#[cfg(feature = "script")]
pub use scripts::{script_parse, script_run};

use std::path::{Path, PathBuf};
use std::sync::Once;

/// Bytes that one object may take: small, so that an input that would take all memory is an error as it would be elsewhere.
const MEMORY: usize = 256 << 20;

/// Sets the limit on memory.
fn limit_memory() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| odesync_base::memory::set_limit(MEMORY));
}

/// Returns the folder for the files of this process: in memory where there is such a place.
fn folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let root = match memory.is_dir() {
        true => memory.into(),
        false => std::env::temp_dir(),
    };
    root.join(format!("odesync-fuzz-{}", std::process::id()))
}

/// Writes the input into a file of this name, and returns its path.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    limit_memory();
    let folder = folder();
    std::fs::create_dir_all(&folder).expect("a place for files");
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("room for a file");
    path
}
