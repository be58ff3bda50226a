//! What was typed, kept from one session to the next.

use std::env;
use std::path::PathBuf;

use reedline::FileBackedHistory;

/// Inputs that are kept; the oldest go first.
const MAX_ENTRIES: usize = 5_000;

/// The variable that names another file; empty for none.
const ENV_VAR: &str = "ODESYNC_HISTORY";

/// The file: that of [`ENV_VAR`], else `odesync/history` in the user's folder for the state of programs.
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

/// The history, in its file where there can be one; otherwise why not.
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
