//! The registration of the kernel with Jupyter: a folder `kernels/NAME` with a file `kernel.json`, where Jupyter looks for kernels.

use std::path::{Path, PathBuf};

use odesync_base::files::write_atomically;
use odesync_base::{Error, Result};
use serde_json::{Value, json};

/// The name of the kernel, unless another is given. The Rust kernel of a checkout is `odesync`.
pub const DEFAULT_NAME: &str = "odesync-script";

/// The language of the kernel, as Jupyter lists it.
pub const LANGUAGE: &str = "rhai";

/// Where a kernel is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// The user's own folder, into which every Jupyter of the user looks.
    User,
    /// A folder such as that of a Python environment (`sys.prefix`), for the Jupyter in it.
    Prefix(PathBuf),
}

impl Destination {
    /// Returns the folder of Jupyter's data.
    ///
    /// # Errors
    /// The user's folder where the system does not say what it is.
    fn data_folder(&self) -> Result<PathBuf> {
        match self {
            Destination::Prefix(prefix) => Ok(prefix.join("share").join("jupyter")),
            Destination::User => user_data_folder(&|name| {
                std::env::var_os(name)
                    .filter(|value| !value.is_empty())
                    .map(PathBuf::from)
            })
            .ok_or_else(|| {
                Error::invalid("the home folder is not known; name a folder by --prefix DIR")
            }),
        }
    }
}

/// Returns the folder of the user's data of Jupyter from the variables of the environment, as jupyter_core finds it.
fn user_data_folder(variable: &dyn Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    if let Some(folder) = variable("JUPYTER_DATA_DIR") {
        return Some(folder);
    }
    if cfg!(windows) {
        return Some(variable("APPDATA")?.join("jupyter"));
    }
    if cfg!(target_os = "macos") {
        return Some(variable("HOME")?.join("Library").join("Jupyter"));
    }
    let data = variable("XDG_DATA_HOME");
    let data = data.or_else(|| Some(variable("HOME")?.join(".local").join("share")));
    Some(data?.join("jupyter"))
}

/// Returns the folder of the kernel of this name.
///
/// # Errors
/// A name that no kernel can have, and those of the destination.
pub fn folder(destination: &Destination, name: &str) -> Result<PathBuf> {
    let letter = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || !name.chars().all(letter) || name.starts_with('.') {
        return Err(Error::invalid(format!(
            "\"{name}\" can't be the name of a kernel: names are letters, digits, -, _ and ."
        )));
    }
    Ok(destination.data_folder()?.join("kernels").join(name))
}

/// Registers the kernel under a name: `program` is the path of this program, `flags` what it is called with. Returns the folder.
///
/// # Errors
/// A name that no kernel can have or that belongs to a kernel of another program, and a folder that cannot be written.
pub fn install(
    destination: &Destination,
    name: &str,
    program: &Path,
    flags: &[String],
) -> Result<PathBuf> {
    let folder = folder(destination, name)?;
    let file = folder.join("kernel.json");
    if file.exists() && !is_own(&file) {
        return Err(Error::invalid(format!(
            "{} is the kernel of another program; choose a name by --name",
            folder.display()
        )));
    }
    let display = match name {
        DEFAULT_NAME => "odesync".to_string(),
        other => format!("odesync ({other})"),
    };
    let program = program.display().to_string();
    let mut argv = vec![
        program.as_str(),
        "kernel",
        "run",
        "--connection-file",
        "{connection_file}",
    ];
    argv.extend(flags.iter().map(String::as_str));
    let spec = json!({
        "argv": argv,
        "display_name": display,
        "language": LANGUAGE,
        // An interrupt stops a training, which keeps what it has.
        "interrupt_mode": "message",
        "metadata": { "debugger": false },
    });
    let text = serde_json::to_string_pretty(&spec)
        .map_err(|error| Error::invalid(format!("kernel.json cannot be written: {error}")))?;
    write_atomically(&file, format!("{text}\n").as_bytes())?;
    Ok(folder)
}

/// Takes the registration of this name away. Returns the folder that was removed.
///
/// # Errors
/// A kernel that is not there or that belongs to another program, and a folder that cannot be removed.
pub fn uninstall(destination: &Destination, name: &str) -> Result<PathBuf> {
    let folder = folder(destination, name)?;
    let file = folder.join("kernel.json");
    if !file.exists() {
        return Err(Error::invalid(format!(
            "there is no kernel in {}; `jupyter kernelspec list` shows where kernels are",
            folder.display()
        )));
    }
    if !is_own(&file) {
        return Err(Error::invalid(format!(
            "{} is the kernel of another program, which stays",
            folder.display()
        )));
    }
    std::fs::remove_dir_all(&folder).map_err(|e| Error::io("remove", &folder, &e))?;
    Ok(folder)
}

/// Returns whether this is the file of a kernel of the script language.
fn is_own(file: &Path) -> bool {
    let spec = std::fs::read(file).ok();
    let spec: Option<Value> = spec.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    spec.is_some_and(|spec| spec["language"] == LANGUAGE && spec["argv"][1] == "kernel")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_comes_and_goes() {
        let home = tempfile::tempdir().unwrap();
        let to = Destination::Prefix(home.path().into());
        let program = Path::new("/opt/a b/odesync");
        let folder = install(&to, DEFAULT_NAME, program, &["--allow-read=/data".into()]).unwrap();
        assert_eq!(
            folder,
            home.path().join("share/jupyter/kernels/odesync-script")
        );
        let text = std::fs::read_to_string(folder.join("kernel.json")).unwrap();
        let spec: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(spec["argv"][0], "/opt/a b/odesync");
        assert_eq!(spec["argv"][4], "{connection_file}");
        assert_eq!(spec["interrupt_mode"], "message");
        // Once more, as after an update.
        install(&to, DEFAULT_NAME, program, &["--allow-read=/data".into()]).unwrap();
        assert_eq!(uninstall(&to, DEFAULT_NAME).unwrap(), folder);
        assert!(!folder.exists());
        let missing = uninstall(&to, DEFAULT_NAME).unwrap_err().to_string();
        assert!(missing.contains("there is no kernel"), "{missing}");
    }

    #[test]
    fn the_kernel_of_another_program_stays() {
        let home = tempfile::tempdir().unwrap();
        let to = Destination::Prefix(home.path().into());
        let other = folder(&to, "python3").unwrap();
        std::fs::create_dir_all(&other).unwrap();
        std::fs::write(
            other.join("kernel.json"),
            r#"{ "argv": ["python"], "language": "python" }"#,
        )
        .unwrap();
        assert!(install(&to, "python3", Path::new("/odesync"), &[]).is_err());
        assert!(uninstall(&to, "python3").is_err());
        assert!(other.join("kernel.json").exists());
        for name in ["", "a/b", "..", "ö"] {
            assert!(folder(&to, name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_users_folder_is_where_jupyter_looks() {
        let of = |set: &'static [(&str, &str)]| {
            user_data_folder(&move |name| {
                let found = set.iter().find(|(known, _)| *known == name)?;
                Some(PathBuf::from(found.1))
            })
        };
        assert_eq!(
            of(&[("JUPYTER_DATA_DIR", "/d"), ("HOME", "/h")]),
            Some("/d".into())
        );
        if cfg!(target_os = "linux") {
            assert_eq!(
                of(&[("HOME", "/h")]),
                Some("/h/.local/share/jupyter".into())
            );
            assert_eq!(
                of(&[("XDG_DATA_HOME", "/x"), ("HOME", "/h")]),
                Some("/x/jupyter".into())
            );
        }
        assert_eq!(of(&[]), None);
    }
}
