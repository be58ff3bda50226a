//! The keys of functions' option maps, declared once for parsing, error messages, completion and the documentation.

/// A key of an option map, and its possible values where they can be listed.
///
/// ```
/// use odesync_script::script::Key;
///
/// const CONTROLLER: Key = Key::new("controller").choices(&["i", "pi"]);
/// assert_eq!(CONTROLLER.values().collect::<Vec<_>>(), ["\"i\"", "\"pi\""]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Name of the key, as a script writes it.
    pub name: &'static str,
    /// The allowed strings; [`Options::choice`](super::Options::choice) takes the first where the key is missing.
    pub choices: &'static [&'static str],
    /// Possible values that are not strings, as code.
    pub literals: &'static [&'static str],
    /// Keys of the map, or of each map in a list, that is the value.
    pub nested: Keys,
}

/// The keys of an option map, in groups that several functions may share.
pub type Keys = &'static [&'static [Key]];

impl Key {
    /// Makes a key whose values cannot be listed, such as a number.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            choices: &[],
            literals: &[],
            nested: &[],
        }
    }

    /// Makes a key whose value is true or false.
    pub const fn flag(name: &'static str) -> Self {
        Self::new(name).literals(&["true", "false"])
    }

    /// Sets the allowed strings.
    #[must_use]
    pub const fn choices(mut self, names: &'static [&'static str]) -> Self {
        self.choices = names;
        self
    }

    /// Sets possible values that are not strings, as code; the rest of a value, such as the arguments of a call, is left out.
    #[must_use]
    pub const fn literals(mut self, code: &'static [&'static str]) -> Self {
        self.literals = code;
        self
    }

    /// Sets the keys of the map, or of each map in the list, that is the value.
    #[must_use]
    pub const fn nested(mut self, keys: Keys) -> Self {
        self.nested = keys;
        self
    }

    /// Returns the values that can be listed, as a script writes them.
    pub fn values(&self) -> impl Iterator<Item = String> {
        let names = self.choices.iter().map(|name| format!("\"{name}\""));
        names.chain(self.literals.iter().map(|code| code.to_string()))
    }
}

/// Returns all keys of these maps, each once.
pub fn distinct(maps: impl IntoIterator<Item = Keys>) -> Vec<&'static Key> {
    let mut all: Vec<&Key> = vec![];
    for key in maps.into_iter().flatten().copied().flatten() {
        if all.iter().all(|earlier| earlier.name != key.name) {
            all.push(key);
        }
    }
    all
}

/// Returns the key of this name.
pub fn find(keys: Keys, name: &str) -> Option<&'static Key> {
    keys.iter().copied().flatten().find(|key| key.name == name)
}

#[cfg(test)]
mod tests;
