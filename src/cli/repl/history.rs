//! The history of inputs, kept in a file between sessions.

use std::env;
use std::path::PathBuf;

use reedline::FileBackedHistory;

/// Largest number of inputs in the history; the oldest are removed first.
const MAX_ENTRIES: usize = 5_000;

/// The environment variable that sets the file of the history; empty for no file.
const ENV_VAR: &str = "ODESYNC_HISTORY";

/// Returns the file of the history: that of [`ENV_VAR`], otherwise `odesync/history` in the user's state folder.
fn file(get: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if let Some(file) = get(ENV_VAR) {
        return (!file.is_empty()).then(|| file.into());
    }
    let folder = |name: &str| get(name).filter(|f| !f.is_empty()).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME")
        .or_else(|| Some(folder("HOME")?.join(".local/state")))
        .or_else(|| folder("LOCALAPPDATA"))?;
    Some(state.join("odesync").join("history"))
}

/// Opens the history: in its file if possible, otherwise in memory, with the reason why there is no file.
pub(super) fn open() -> (FileBackedHistory, Option<String>) {
    let in_memory = || FileBackedHistory::new(MAX_ENTRIES).unwrap_or_default();
    let Some(file) = file(|name| env::var(name).ok()) else {
        return (in_memory(), None);
    };
    match FileBackedHistory::with_file(MAX_ENTRIES, file.clone()) {
        Ok(history) => (history, None),
        Err(error) => {
            let reason = format!(
                "what is typed can't be kept in {}: {error}; {ENV_VAR}=FILE names another file",
                file.display()
            );
            (in_memory(), Some(reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_the_users() {
        let of = |set: &[(&str, &str)]| {
            file(|name| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| value.to_string())
            })
        };
        assert_eq!(
            of(&[("HOME", "/h")]),
            Some("/h/.local/state/odesync/history".into())
        );
        assert_eq!(
            of(&[("HOME", "/h"), ("XDG_STATE_HOME", "/s")]),
            Some("/s/odesync/history".into())
        );
        assert_eq!(of(&[("HOME", "/h"), (ENV_VAR, "/a")]), Some("/a".into()));
        assert_eq!(of(&[("HOME", "/h"), (ENV_VAR, "")]), None);
        assert_eq!(of(&[]), None);
    }
}
