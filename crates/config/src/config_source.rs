//! Sources of configurations: one file for each experiment, one folder for each group of options.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::Dir;

use crate::{Error, Result};
use odesync_base::error;
use odesync_base::files::{exists, is_file, is_folder, open, read_folder};

use super::read::MAX_FILE;

/// The configurations that are built into a program, which submits them with `inventory::submit!`. The crate `odesync` does so;
/// a program submits at most one folder.
#[derive(Debug, Clone, Copy)]
pub struct BuiltInConfigs(pub &'static Dir<'static>);

inventory::collect!(BuiltInConfigs);

fn built_in() -> Option<&'static Dir<'static>> {
    inventory::iter::<BuiltInConfigs>
        .into_iter()
        .next()
        .map(|built_in| built_in.0)
}

/// The source of configurations: a folder on disk, or the files built into the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigSource {
    /// The files `EXPERIMENT.yaml` and `GROUP/OPTION.yaml` in this folder.
    Folder(PathBuf),
    /// The files of `configs/` as they were when the program was built.
    BuiltIn,
}

/// The name and the text of one file.
#[derive(Debug)]
pub(super) struct ConfigFile {
    /// The file, as messages name it.
    pub file: Arc<str>,
    pub text: String,
}

impl ConfigSource {
    /// Returns the first of these folders that contains a YAML file: `configs` in the working folder, `configs` next to the
    /// folder of `script`, `configs` next to `script`; if none does, the built-in configurations.
    pub fn find(script: Option<&Path>) -> ConfigSource {
        Self::find_from(Path::new(""), script)
    }

    /// Does [`ConfigSource::find`] with `here` as the working folder.
    pub(super) fn find_from(here: &Path, script: Option<&Path>) -> ConfigSource {
        let mut candidates = vec![here.join("configs")];
        if let Some(folder) = script.and_then(Path::parent) {
            candidates.push(match folder.file_name() {
                Some(_) => folder.with_file_name("configs"),
                None => folder.join("../configs"),
            });
            candidates.push(folder.join("configs"));
        }
        candidates
            .into_iter()
            .map(ConfigSource::Folder)
            // A folder that may not be read is none to pass over: what it holds then says why.
            .find(|library| match library.names(None) {
                Ok(names) => !names.is_empty(),
                Err(error) => matches!(error, Error::AccessDenied(_)),
            })
            .unwrap_or(ConfigSource::BuiltIn)
    }

    /// Returns the names of the experiments, sorted.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn experiments(&self) -> Result<Vec<String>> {
        self.names(None)
    }

    /// Returns the names of the groups, sorted.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn groups(&self) -> Result<Vec<String>> {
        let mut groups = match self {
            ConfigSource::Folder(folder) => list_dir(folder)?
                .into_iter()
                .filter(|name| is_folder(&folder.join(name)))
                .collect(),
            ConfigSource::BuiltIn => built_in()
                .into_iter()
                .flat_map(Dir::dirs)
                .filter_map(|dir| Some(dir.path().file_name()?.to_str()?.to_string()))
                .collect::<Vec<_>>(),
        };
        groups.retain(|name| is_valid_name(name));
        groups.sort();
        Ok(groups)
    }

    /// Returns the names of a group's options, sorted.
    ///
    /// # Errors
    /// A group that does not exist; a folder that cannot be read.
    pub fn options(&self, group: &str) -> Result<Vec<String>> {
        if !self.has_group(group) {
            let groups = self.groups()?;
            let known = groups.iter().map(String::as_str);
            let error = error::unknown("group of configurations", group, known);
            let folder = self.folder().join(group);
            return Err(Error::invalid(format!(
                "{error}; its folder would be {}",
                folder.display()
            )));
        }
        self.names(Some(group))
    }

    pub(super) fn has_group(&self, group: &str) -> bool {
        is_valid_name(group)
            && match self {
                ConfigSource::Folder(folder) => is_folder(&folder.join(group)),
                ConfigSource::BuiltIn => built_in().is_some_and(|dir| dir.get_dir(group).is_some()),
            }
    }

    /// Returns the file of an experiment.
    pub(super) fn experiment(&self, name: &str) -> Result<ConfigFile> {
        self.load(None, name)
    }

    /// Returns the file of an option.
    pub(super) fn option(&self, group: &str, name: &str) -> Result<ConfigFile> {
        self.load(Some(group), name)
    }

    fn load(&self, group: Option<&str>, name: &str) -> Result<ConfigFile> {
        let what = group.unwrap_or("experiment");
        if !is_valid_name(name) {
            return Err(Error::invalid(format!(
                "\"{name}\" cannot be the name of {what}: names are letters, digits, _, - and dots within, and stay in their folder"
            )));
        }
        let mut relative = PathBuf::from(group.unwrap_or_default());
        relative.push(format!("{name}.yaml"));
        let place = self.folder().join(&relative);
        match self {
            ConfigSource::Folder(_) => {
                let found = exists(&place).map_err(|e| Error::io("read", &place, &e))?;
                if found {
                    return read_file(&place);
                }
            }
            ConfigSource::BuiltIn => {
                if let Some(text) = built_in()
                    .and_then(|dir| dir.get_file(&relative))
                    .and_then(|file| file.contents_utf8())
                {
                    return Ok(ConfigFile {
                        file: format!("{} (built in)", place.display()).into(),
                        text: text.to_string(),
                    });
                }
            }
        }
        let known = match group {
            Some(group) => self.options(group)?,
            None => self.experiments()?,
        };
        let mut message = format!(
            "no {what} called \"{name}\" (it would be {})",
            place.display()
        );
        if is_file(&place.with_extension("yml")) {
            message.push_str("; there is one that ends in .yml: rename it to .yaml");
        }
        if let Some(near) = error::nearest(name, known.iter().map(String::as_str)) {
            message.push_str(&format!("; did you mean \"{near}\"?"));
        }
        message.push_str(&match known.is_empty() {
            true => "; there are none".to_string(),
            false => format!("; known: {}", known.join(", ")),
        });
        Err(Error::invalid(message))
    }

    fn folder(&self) -> &Path {
        match self {
            ConfigSource::Folder(folder) => folder,
            ConfigSource::BuiltIn => Path::new("configs"),
        }
    }

    /// Returns the names, without extension, of the YAML files in a group's folder, or in the top folder.
    fn names(&self, group: Option<&str>) -> Result<Vec<String>> {
        let files = match (self, group) {
            (ConfigSource::Folder(folder), None) => list_dir(folder)?,
            (ConfigSource::Folder(folder), Some(group)) => list_dir(&folder.join(group))?,
            (ConfigSource::BuiltIn, _) => match group {
                None => built_in(),
                Some(group) => built_in().and_then(|dir| dir.get_dir(group)),
            }
            .into_iter()
            .flat_map(|dir| dir.files())
            .filter_map(|file| Some(file.path().file_name()?.to_str()?.to_string()))
            .collect(),
        };
        let mut names: Vec<String> = files
            .iter()
            .filter_map(|file| file.strip_suffix(".yaml"))
            .filter(|name| is_valid_name(name))
            .map(str::to_string)
            .collect();
        names.sort();
        Ok(names)
    }
}

/// Returns whether an experiment, group or option can have this name, which must not lead out of its folder.
pub(super) fn is_valid_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !name.contains("..")
}

/// Returns the names of a folder's entries that are UTF-8.
fn list_dir(folder: &Path) -> Result<Vec<String>> {
    let failed = |e: std::io::Error| Error::io("read the folder", folder, &e);
    let mut names = Vec::new();
    for entry in read_folder(folder).map_err(failed)? {
        if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}

/// Reads a file's text.
///
/// # Errors
/// A file that cannot be read, is longer than 2 MiB or not UTF-8.
pub(super) fn read_file(path: &Path) -> Result<ConfigFile> {
    let failed = |e: std::io::Error| Error::io("read", path, &e);
    let data = |line: Option<usize>, message: String| Error::Data {
        file: path.to_path_buf(),
        line,
        column: None,
        message,
    };
    let mut bytes = Vec::new();
    open(path)
        .map_err(failed)?
        .take(MAX_FILE as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() > MAX_FILE {
        let message = "longer than 2 MiB: this is no configuration";
        return Err(data(None, message.into()));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|b| **b == b'\n').count();
        data(
            Some(line),
            "this line is not UTF-8 text: save the file as UTF-8".into(),
        )
    })?;
    Ok(ConfigFile {
        file: path.display().to_string().into(),
        text,
    })
}
