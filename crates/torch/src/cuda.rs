//! CUDA, loaded at run time: the program is not linked to it, so that one build runs on machines with a GPU and without.
//!
//! The CUDA part of libtorch is a separate library, `libtorch_cuda.so`. When it is loaded it registers its operators and its
//! devices with the loaded `libtorch_cpu.so`, just as in a program that is linked to both.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{library, nvidia_driver};
use odesync_ode::devices::CudaStatus;

const CUDA_LIBRARY: &str = "libtorch_cuda.so";

/// Returns whether CUDA can be used, and if not, what is missing. Loads CUDA's libraries (about half a second, where they are
/// there).
pub fn status() -> &'static CudaStatus {
    static STATUS: OnceLock<CudaStatus> = OnceLock::new();
    STATUS.get_or_init(|| match load() {
        Err(status) => status.clone(),
        Ok(library) => match usize::try_from(tch::Cuda::device_count()) {
            Ok(gpus) if gpus > 0 => CudaStatus::Ready {
                library: library.clone(),
                gpus,
            },
            _ => CudaStatus::NoGpu {
                library: library.clone(),
                reason: nvidia_driver::no_gpu_reason(),
            },
        },
    })
}

/// Loads CUDA's libraries if there seems to be a GPU. It must be called before libtorch computes anything: libtorch queries its
/// devices once, at the first gradient (and at the first query about CUDA), and a GPU that is registered later can't be used.
pub(super) fn preload() {
    if nvidia_driver::device_node_exists() {
        // An error is reported later, when a GPU is requested.
        let _ = load();
    }
}

/// Loads `libtorch_cuda.so` once, and returns its path or what is missing.
fn load() -> &'static Result<PathBuf, CudaStatus> {
    static LOADED: OnceLock<Result<PathBuf, CudaStatus>> = OnceLock::new();
    LOADED.get_or_init(|| {
        let Some(libtorch) = library::loaded_path() else {
            return Err(CudaStatus::NotInstalled {
                searched_folders: vec![],
            });
        };
        let found = find_library(&search_folders(&libtorch), &libtorch)?;
        match load_library(&found) {
            Ok(()) => Ok(found),
            Err(reason) => Err(load_error(found, reason)),
        }
    })
}

/// Loads a library for the rest of the process's life, with its symbols bound at once and visible to libraries loaded later.
#[allow(unsafe_code)]
pub(super) fn load_library(library: &Path) -> Result<(), String> {
    // SAFETY: loading runs the library's initialisers. Those of libtorch_cuda.so register its parts with the libtorch_cpu.so
    // that is loaded, under libtorch's own locks, and `is_same_build` has made sure that both are of one build; those of
    // libcuda.so.1 are the driver's, which libtorch_cuda.so loads as well. No symbol is used here, and the library is never
    // unloaded, so no pointer into it dangles.
    #[cfg(unix)]
    let opened = unsafe {
        use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
        Library::open(Some(library), RTLD_NOW | RTLD_GLOBAL)
    };
    #[cfg(not(unix))]
    let opened = unsafe { libloading::Library::new(library) };
    std::mem::forget(opened.map_err(|error| error.to_string())?);
    Ok(())
}

/// Returns the folders in which the library may be: that of the loaded libtorch, that of the libtorch which the environment
/// variables name, and the one into which `make setup-cuda` installs it.
fn search_folders(libtorch: &Path) -> Vec<PathBuf> {
    let loaded = libtorch.parent().map(Path::to_path_buf);
    let environment = std::env::var_os("LIBTORCH_LIB")
        .or_else(|| std::env::var_os("LIBTORCH"))
        .map(|folder| Path::new(&folder).join("lib"));
    let setup = libtorch
        .ancestors()
        .nth(3)
        .map(|third| third.join("libtorch-cuda/lib"));
    let mut folders: Vec<PathBuf> = vec![];
    for folder in [loaded, environment, setup].into_iter().flatten() {
        let folder = std::fs::canonicalize(&folder).unwrap_or(folder);
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// Returns the first `libtorch_cuda.so` in these folders that is of the same build as the loaded libtorch.
fn find_library(folders: &[PathBuf], libtorch: &Path) -> Result<PathBuf, CudaStatus> {
    let existing: Vec<PathBuf> = folders
        .iter()
        .map(|folder| folder.join(CUDA_LIBRARY))
        .filter(|library| library.is_file())
        .collect();
    match existing
        .iter()
        .find(|library| is_same_build(library, libtorch))
    {
        Some(library) => Ok(library.clone()),
        None => Err(match existing.first() {
            Some(library) => CudaStatus::BuildMismatch {
                library: library.clone(),
                libtorch: libtorch.to_path_buf(),
            },
            None => CudaStatus::NotInstalled {
                searched_folders: folders.to_vec(),
            },
        }),
    }
}

/// Returns whether the library is of the same build as the loaded libtorch, by the size of the `libtorch_cpu.so` in the same
/// folder, or the size that set-up has recorded. A library of another build would load its own libtorch_cpu.so or register its
/// operators twice, and libtorch then ends the process.
fn is_same_build(library: &Path, libtorch: &Path) -> bool {
    let Some(folder) = library.parent() else {
        return false;
    };
    let size = |path: &Path| std::fs::metadata(path).map(|m| m.len()).ok();
    let wanted = size(&folder.join("libtorch_cpu.so")).or_else(|| {
        let stamp = std::fs::read_to_string(folder.parent()?.join(".complete")).ok()?;
        let line = stamp
            .lines()
            .find_map(|line| line.strip_prefix("libtorch_cpu.so "))?;
        line.trim().parse().ok()
    });
    wanted.is_some() && wanted == size(libtorch)
}

/// Returns the status for a message of the loader, such as "libcublas.so.13: cannot open shared object file: No such file or
/// directory".
fn load_error(library: PathBuf, reason: String) -> CudaStatus {
    match reason.split_once(": cannot open shared object file") {
        Some((missing, _)) => CudaStatus::MissingLibrary {
            library,
            missing: missing.to_string(),
        },
        None => CudaStatus::NotLoaded { library, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a folder `lib` with files of these names and contents.
    fn lib(root: &Path, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = root.join(name).join("lib");
        std::fs::create_dir_all(&folder).unwrap();
        for (file, text) in files {
            std::fs::write(folder.join(file), text).unwrap();
        }
        folder
    }

    #[test]
    fn only_a_library_of_the_loaded_build_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let slim = lib(root, "libtorch", &[("libtorch_cpu.so", "seven77")]);
        let libtorch = slim.join("libtorch_cpu.so");
        let other = lib(
            root,
            "other",
            &[(CUDA_LIBRARY, ""), ("libtorch_cpu.so", "six666")],
        );
        let unknown = lib(root, "unknown", &[(CUDA_LIBRARY, "")]);
        let same = lib(
            root,
            "same",
            &[(CUDA_LIBRARY, ""), ("libtorch_cpu.so", "seven!!")],
        );
        let cuda = lib(root, "libtorch-cuda", &[(CUDA_LIBRARY, "")]);
        let stamp = root.join("libtorch-cuda/.complete");
        std::fs::write(&stamp, "a.whl 00\nlibtorch_cpu.so 7\n").unwrap();

        let folders = [slim.clone(), other.clone(), unknown];
        let wrong = find_library(&folders, &libtorch).unwrap_err();
        let library = other.join(CUDA_LIBRARY);
        assert_eq!(
            wrong,
            CudaStatus::BuildMismatch {
                library,
                libtorch: libtorch.clone()
            }
        );
        let found = |folder: &PathBuf| find_library(&[other.clone(), folder.clone()], &libtorch);
        assert_eq!(found(&same).unwrap(), same.join(CUDA_LIBRARY));
        assert_eq!(found(&cuda).unwrap(), cuda.join(CUDA_LIBRARY));
        std::fs::write(&stamp, "a.whl 00\nlibtorch_cpu.so 8\n").unwrap();
        assert!(found(&cuda).is_err());
        let searched_folders = vec![slim];
        assert_eq!(
            find_library(&searched_folders, &libtorch).unwrap_err(),
            CudaStatus::NotInstalled { searched_folders }
        );
    }

    #[test]
    fn it_is_looked_for_where_set_up_puts_it() {
        let folders = search_folders(Path::new("/x/third/libtorch/lib/libtorch_cpu.so"));
        assert_eq!(folders.first().unwrap(), Path::new("/x/third/libtorch/lib"));
        let setup = Path::new("/x/third/libtorch-cuda/lib");
        assert_eq!(folders.last().unwrap(), setup);
    }

    #[test]
    fn what_does_not_load_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join(CUDA_LIBRARY);
        std::fs::write(&text, "not a library").unwrap();
        let reason = load_library(&text).unwrap_err();
        assert!(matches!(
            load_error(text, reason),
            CudaStatus::NotLoaded { .. }
        ));
        let missing = load_library(Path::new("libthere-is-no-such.so.13")).unwrap_err();
        assert_eq!(
            load_error("a".into(), missing),
            CudaStatus::MissingLibrary {
                library: "a".into(),
                missing: "libthere-is-no-such.so.13".into()
            }
        );
    }
}
