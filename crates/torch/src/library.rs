//! The libtorch that this process has loaded: its path and its version.

use std::path::{Path, PathBuf};

/// Returns the path of the loaded library `libtorch_cpu.so`; `None` where the operating system does not report it (Linux does).
pub fn loaded_path() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(|line| {
        let path = Path::new(line.get(line.find('/')?..)?.trim_end_matches(" (deleted)"));
        (path.file_name()? == "libtorch_cpu.so").then(|| path.to_path_buf())
    })
}

/// Returns the version that is recorded in a library's installation, `2.11.0+cpu` for example: libtorch's own archives have a
/// file `build-version`, PyTorch's packages `version.py`.
pub fn version(library: &Path) -> Option<String> {
    let root = library.parent()?.parent()?;
    if let Ok(text) = std::fs::read_to_string(root.join("build-version")) {
        return Some(text.trim().to_string());
    }
    let text = std::fs::read_to_string(root.join("version.py")).ok()?;
    let line = text.lines().find(|line| line.starts_with("__version__"))?;
    Some(line.split(['\'', '"']).nth(1)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_loaded_library_is_found() {
        let library = loaded_path().expect("a test of the torch engine has libtorch loaded");
        assert!(library.is_file(), "{}", library.display());
    }

    #[test]
    fn versions_of_both_kinds() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("lib/libtorch_cpu.so");
        assert_eq!(version(&library), None);
        std::fs::write(
            folder.path().join("version.py"),
            "from typing import Optional\n__version__ = '2.11.0+cu130'\ndebug = False\n",
        )
        .unwrap();
        assert_eq!(version(&library).as_deref(), Some("2.11.0+cu130"));
        std::fs::write(folder.path().join("build-version"), "2.11.0+cpu\n").unwrap();
        assert_eq!(version(&library).as_deref(), Some("2.11.0+cpu"));
    }
}
