//! What the code of a session may touch of the file system.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use odesync_base::permissions::{Permissions, resolve};
use odesync_config::{Override, Value};

/// The rules for what the code of a session may touch of the file system.
#[derive(Debug, Clone)]
pub struct AccessRules {
    /// What every script may touch, besides the folder it lies in.
    pub permissions: Permissions,
    /// Whether code that does not come from a script file, such as that of a cell, is held to them too.
    pub restricts_typed_code: bool,
    /// Whether what the arguments `KEY=VALUE` name is allowed: somebody typed them.
    pub allows_arguments: bool,
}

impl AccessRules {
    /// Returns what code may touch: that of a script file, or typed code; `None` is everything.
    pub(super) fn of_code(
        &self,
        script: Option<&Path>,
        arguments: &[String],
    ) -> Option<Arc<Permissions>> {
        if script.is_none() && !self.restricts_typed_code {
            return None;
        }
        let mut allowed = self.permissions.clone();
        if let Some(script) = script {
            allowed.allow_write(folder_of(script));
            if let Some(configs) = configs_beside(folder_of(script)) {
                allowed.allow_read(configs);
            }
        }
        if self.allows_arguments {
            let paths = arguments.iter().flat_map(|argument| paths(argument));
            for path in paths.filter(|path| !contains_current_folder(path)) {
                allowed.allow_write(path);
            }
        }
        Some(Arc::new(allowed))
    }
}

fn folder_of(script: &Path) -> &Path {
    match script.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Returns the folder `configs` beside that of a script, where [`ConfigSource::find`](odesync_config::ConfigSource::find) looks too. One
/// that is a link may lead anywhere and is left out.
fn configs_beside(folder: &Path) -> Option<PathBuf> {
    let configs = resolve(folder)?.parent()?.join("configs");
    (resolve(&configs).as_ref() == Some(&configs)).then_some(configs)
}

/// Whether the current folder lies below a path: a value such as `/` is hardly meant as "all files".
fn contains_current_folder(path: &Path) -> bool {
    match (resolve(path), resolve(Path::new("."))) {
        (Some(path), Some(here)) => here != path && here.starts_with(path),
        _ => true,
    }
}

/// Returns the texts of an argument `KEY=VALUE` that may be paths: the value, and those within a list or map.
fn paths(argument: &str) -> Vec<PathBuf> {
    let mut texts = vec![];
    if let Some((_, value)) = argument.split_once('=') {
        texts.push(value.trim().into());
        let inside = value.trim().strip_prefix('[');
        if let Some(list) = inside.and_then(|list| list.strip_suffix(']')) {
            texts.extend(list.split(',').map(|item| item.trim().into()));
        }
    }
    if let Ok(change) = argument.parse::<Override>() {
        change
            .value()
            .iter()
            .for_each(|value| add_texts(value, &mut texts));
    }
    texts.retain(|text: &PathBuf| !text.as_os_str().is_empty());
    texts
}

fn add_texts(value: &Value, texts: &mut Vec<PathBuf>) {
    match value {
        Value::String(text) => texts.push(text.into()),
        Value::Sequence(items) => items.iter().for_each(|item| add_texts(item, texts)),
        Value::Mapping(map) => map.values().for_each(|item| add_texts(item, texts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_name_paths() {
        let names = |argument: &str| -> Vec<String> {
            let mut names: Vec<String> = paths(argument)
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            names.sort();
            names.dedup();
            names
        };
        assert_eq!(names("file=/data/a b.csv"), ["/data/a b.csv"]);
        assert_eq!(names("dataset.path='/data/x'"), ["'/data/x'", "/data/x"]);
        assert!(names("files=[/a, /b]").contains(&"/b".to_string()));
        assert!(names("~dataset.path").is_empty());
        assert!(contains_current_folder(Path::new("/")));
        assert!(contains_current_folder(Path::new("..")));
        assert!(!contains_current_folder(Path::new(".")));
        assert!(!contains_current_folder(Path::new("../beside")));
    }
}
