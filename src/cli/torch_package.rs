//! The package `odesync-torch` of Python: the program with the torch engine, in the folder of the environment's packages. This program, of
//! the package `odesync` beside it, hands over to that one when it starts, so that the command, the kernel and the Python module have
//! the torch engine under their own names.
//!
//! What is looked for, with `PREFIX/bin/odesync` for this program:
//!
//! ```text
//! PREFIX/lib/python3.11/site-packages/odesync_torch/odesync              linked to ../torch/lib
//! PREFIX/lib/python3.11/site-packages/odesync_torch-0.1.0.dist-info      of this version
//! PREFIX/lib/python3.11/site-packages/torch-2.11.0.dist-info             of the libtorch that it is linked to
//! ```

use std::path::{Path, PathBuf};

/// The folder of the package, and the name of its distribution.
const PACKAGE: &str = "odesync_torch";

/// Returns the path under which this program is to be called again: that of the program which handed over to it, where it is the one
/// of the package `odesync-torch`, which may be taken away while the other stays.
///
/// # Errors
/// Where the system does not say which program this is.
pub(super) fn own_path() -> std::io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let called = std::env::args_os().next().map(PathBuf::from);
    Ok(match called {
        Some(called) if is_packaged(&program) && called.is_absolute() && called.is_file() => called,
        _ => program,
    })
}

/// Returns whether a program is that of the package `odesync-torch`.
pub(super) fn is_packaged(program: &Path) -> bool {
    program.parent().and_then(Path::file_name) == Some(PACKAGE.as_ref())
}

#[cfg(not(feature = "torch"))]
pub(super) use beside::{State, hand_over, state};

#[cfg(not(feature = "torch"))]
mod beside {
    use std::fmt;
    use std::path::{Path, PathBuf};

    use super::PACKAGE;

    /// Switches handing over off; the way out where the other program does not start.
    const ENV_VAR: &str = "ODESYNC_TORCH";
    /// What the version of PyTorch begins with: that of the libtorch which the package is linked to.
    const TORCH_SERIES: &str = "2.11.";

    /// The package `odesync-torch` beside this program.
    #[derive(Debug, PartialEq, Eq)]
    pub(in crate::cli) enum State {
        /// It is not there.
        Absent,
        /// It can be used; the path of its program.
        Ready(PathBuf),
        /// It is there and is left out, as `ODESYNC_TORCH=off` says.
        Off(PathBuf),
        /// It is there and cannot be used.
        Unusable {
            /// The program.
            program: PathBuf,
            /// What it lacks.
            reason: String,
        },
    }

    impl fmt::Display for State {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                State::Absent => f.write_str("not in this build; only engine \"torch\" needs it"),
                State::Ready(program) => {
                    write!(f, "{} is there, but does not start", program.display())
                }
                State::Off(program) => {
                    write!(f, "{} is left out by {ENV_VAR}=off", program.display())
                }
                State::Unusable { program, reason } => {
                    write!(f, "{} is not used: {reason}", program.display())
                }
            }
        }
    }

    /// Returns the package beside this program.
    pub(in crate::cli) fn state() -> State {
        let found = std::env::current_exe().map_or(State::Absent, |program| find(&program));
        match found {
            State::Ready(program) if is_off(std::env::var_os(ENV_VAR)) => State::Off(program),
            found => found,
        }
    }

    /// Goes on as the program of the package `odesync-torch`, with the same arguments, where there is one that can be used. Returns
    /// where there is none.
    pub(in crate::cli) fn hand_over() {
        #[cfg(unix)]
        if let State::Ready(program) = state()
            && let Ok(own) = std::env::current_exe()
        {
            use std::os::unix::process::CommandExt;

            // It returns where the program cannot be executed; `odesync doctor` says so.
            let _ = std::process::Command::new(program)
                .arg0(own)
                .args(std::env::args_os().skip(1))
                .exec();
        }
    }

    fn is_off(value: Option<std::ffi::OsString>) -> bool {
        value.is_some_and(|value| value == "off")
    }

    /// Looks for the package in the folders of packages that belong to a program's environment; one that can be used wins.
    fn find(program: &Path) -> State {
        let mut found: Vec<State> = package_folders(program)
            .iter()
            .filter_map(|folder| examine(folder))
            .collect();
        let usable = found
            .iter()
            .position(|state| matches!(state, State::Ready(_)));
        match (usable, found.is_empty()) {
            (_, true) => State::Absent,
            (at, false) => found.swap_remove(at.unwrap_or(0)),
        }
    }

    /// Returns the folders of packages beside `PREFIX/bin/odesync`, in order: those of Debian's own Python have another name.
    fn package_folders(program: &Path) -> Vec<PathBuf> {
        let Some(prefix) = program.parent().and_then(Path::parent) else {
            return vec![];
        };
        let mut folders: Vec<PathBuf> = ["lib", "lib64"]
            .iter()
            .filter_map(|lib| std::fs::read_dir(prefix.join(lib)).ok())
            .flat_map(|entries| entries.flatten())
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("python"))
            .flat_map(|entry| {
                ["site-packages", "dist-packages"].map(|name| entry.path().join(name))
            })
            .filter(|folder| folder.join(PACKAGE).is_dir())
            .collect();
        folders.sort();
        folders
    }

    /// Returns what is to be said of the package in a folder of packages; `None` where it is not there.
    fn examine(folder: &Path) -> Option<State> {
        let program = folder.join(PACKAGE).join("odesync");
        if !program.is_file() {
            return None;
        }
        let own = env!("CARGO_PKG_VERSION");
        let reason = match (version(folder, PACKAGE), version(folder, "torch")) {
            (Some(version), _) if version != own => format!(
                "it is of version {version}, and this program of {own}; install both of one version"
            ),
            (None, _) => format!("its version is not known; install odesync-torch {own} anew"),
            (_, None) => format!("there is no torch beside it; pip install torch=={TORCH_SERIES}*"),
            (_, Some(torch)) if !torch.starts_with(TORCH_SERIES) => {
                format!("it needs torch {TORCH_SERIES}*, and {torch} is installed")
            }
            _ if !folder.join("torch/lib/libtorch_cpu.so").is_file() => {
                "torch/lib/libtorch_cpu.so is not there; install torch anew".into()
            }
            _ => return Some(State::Ready(program)),
        };
        Some(State::Unusable { program, reason })
    }

    /// Returns the version of an installed package, from the name of the folder `NAME-VERSION.dist-info`.
    fn version(folder: &Path, name: &str) -> Option<String> {
        let entries = std::fs::read_dir(folder).ok()?;
        entries.flatten().find_map(|entry| {
            let entry = entry.file_name();
            let rest = entry.to_str()?.strip_suffix(".dist-info")?;
            Some(rest.strip_prefix(name)?.strip_prefix('-')?.to_string())
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const OWN: &str = env!("CARGO_PKG_VERSION");

        /// Creates an environment with these files and folders below its folder of packages; returns it and the program.
        fn environment(packages: &str, entries: &[&str]) -> (tempfile::TempDir, PathBuf) {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join(packages);
            std::fs::create_dir_all(&folder).unwrap();
            for entry in entries {
                let path = folder.join(entry);
                if entry.ends_with(".dist-info") {
                    std::fs::create_dir(path).unwrap();
                } else {
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(path, "").unwrap();
                }
            }
            let program = root.path().join("bin/odesync");
            (root, program)
        }

        fn complete() -> Vec<String> {
            [
                "odesync_torch/odesync",
                &format!("odesync_torch-{OWN}.dist-info"),
                "torch/lib/libtorch_cpu.so",
                "torch-2.11.0+cpu.dist-info",
            ]
            .map(String::from)
            .to_vec()
        }

        fn found(packages: &str, entries: &[String]) -> State {
            let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
            let (_root, program) = environment(packages, &entries);
            find(&program)
        }

        #[test]
        fn a_complete_environment_is_used() {
            for packages in [
                "lib/python3.11/site-packages",
                "lib64/python3.13/site-packages",
                "lib/python3/dist-packages",
            ] {
                let state = found(packages, &complete());
                let State::Ready(program) = state else {
                    panic!("{packages}: {state}");
                };
                assert!(program.ends_with("odesync_torch/odesync"));
                assert!(super::super::is_packaged(&program));
            }
        }

        #[test]
        fn without_the_package_there_is_nothing_to_say() {
            assert_eq!(find(Path::new("/nowhere/bin/odesync")), State::Absent);
            assert_eq!(find(Path::new("odesync")), State::Absent);
            let folder = "lib/python3.11/site-packages";
            assert_eq!(found(folder, &complete()[2..]), State::Absent);
        }

        #[test]
        fn what_does_not_fit_is_not_used() {
            let folder = "lib/python3.11/site-packages";
            for (at, other, reason) in [
                (1, Some("odesync_torch-9.9.9.dist-info"), "version 9.9.9"),
                (1, None, "not known"),
                (3, Some("torch-2.12.0.dist-info"), "2.12.0 is installed"),
                (3, Some("torch-2.1.2.dist-info"), "2.1.2 is installed"),
                (3, None, "no torch beside it"),
                (2, None, "libtorch_cpu.so is not there"),
            ] {
                let mut entries = complete();
                match other {
                    Some(other) => entries[at] = other.into(),
                    None => drop(entries.remove(at)),
                }
                let state = found(folder, &entries);
                assert!(matches!(state, State::Unusable { .. }), "{state:?}");
                assert!(state.to_string().contains(reason), "{state}");
            }
        }

        #[test]
        fn of_two_the_one_that_fits_is_used() {
            let mut entries = vec!["../../python3.10/site-packages/odesync_torch/odesync".into()];
            entries.extend(complete());
            let state = found("lib/python3.12/site-packages", &entries);
            assert!(matches!(state, State::Ready(_)), "{state}");
        }

        #[test]
        fn it_is_the_libtorch_that_the_set_up_brings() {
            let setup = include_str!("../../tools/setup.py");
            assert!(setup.contains(&format!("\nVERSION = \"{TORCH_SERIES}0\"\n")));
        }

        #[test]
        fn off_is_off() {
            assert!(is_off(Some("off".into())));
            assert!(!is_off(Some("on".into())));
            assert!(!is_off(None));
        }
    }
}
