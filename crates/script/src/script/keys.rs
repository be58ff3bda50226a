//! What the option maps of functions may hold: declared once, for the reading of a map, its messages, completion and the book.

/// A key of an option map, and what may stand behind it where that can be listed.
///
/// ```
/// use odesync_script::script::Key;
///
/// const CONTROLLER: Key = Key::new("controller").choices(&["i", "pi"]);
/// assert_eq!(CONTROLLER.values().collect::<Vec<_>>(), ["\"i\"", "\"pi\""]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As a script writes it.
    pub name: &'static str,
    /// The strings that are allowed; [`Options::choice`](super::Options::choice) takes the first where none is given.
    pub choices: &'static [&'static str],
    /// Other values, as code.
    pub literals: &'static [&'static str],
    /// The keys of a map, or of each map in a list.
    pub nested: Keys,
}

/// The keys of an option map, in groups, of which several functions may have the same.
pub type Keys = &'static [&'static [Key]];

impl Key {
    /// A key with values that can't be listed, such as a number.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            choices: &[],
            literals: &[],
            nested: &[],
        }
    }

    /// A key that is true or false.
    pub const fn flag(name: &'static str) -> Self {
        Self::new(name).literals(&["true", "false"])
    }

    /// The strings that are allowed.
    #[must_use]
    pub const fn choices(mut self, names: &'static [&'static str]) -> Self {
        self.choices = names;
        self
    }

    /// Values that are no strings; what goes on, such as the arguments of a call, is left out.
    #[must_use]
    pub const fn literals(mut self, code: &'static [&'static str]) -> Self {
        self.literals = code;
        self
    }

    /// The keys of the map, or of each map in the list, that it takes.
    #[must_use]
    pub const fn nested(mut self, keys: Keys) -> Self {
        self.nested = keys;
        self
    }

    /// The values that can be listed, as a script writes them.
    pub fn values(&self) -> impl Iterator<Item = String> {
        let names = self.choices.iter().map(|name| format!("\"{name}\""));
        names.chain(self.literals.iter().map(|code| code.to_string()))
    }
}

/// All keys of these maps, each once.
pub fn distinct(maps: impl IntoIterator<Item = Keys>) -> Vec<&'static Key> {
    let mut all: Vec<&Key> = vec![];
    for key in maps.into_iter().flatten().copied().flatten() {
        if all.iter().all(|earlier| earlier.name != key.name) {
            all.push(key);
        }
    }
    all
}

/// The key of this name.
pub fn find(keys: Keys, name: &str) -> Option<&'static Key> {
    keys.iter().copied().flatten().find(|key| key.name == name)
}

#[cfg(test)]
mod tests;
