//! Descriptions of options.

use super::value::Value;

/// The description of an option: its name, what it means, and the values it takes.
///
/// ```
/// use odesync_base::options::Key;
///
/// const CONTROLLER: Key = Key::new("controller").choices(&["i", "pi"]);
/// assert_eq!(CONTROLLER.values().collect::<Vec<_>>(), ["\"i\"", "\"pi\""]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Name of the option, as a script writes it.
    pub name: &'static str,
    /// What the option means, as Markdown; [`Key::meaning`] is the part for users.
    pub doc: &'static str,
    /// The values that are expected, as in "should be a number above 0"; empty where the reader says it.
    pub expected: &'static str,
    /// The allowed strings; the first is the default where nothing else is said.
    pub choices: &'static [&'static str],
    /// Possible values that are not strings, as code.
    pub literals: &'static [&'static str],
    /// Keys of the map, or of each map in a list, that is the value.
    pub nested: Keys,
    /// Returns the default value; `Value::Unit` where there is none.
    pub default: fn() -> Value,
    /// The default in words, where the value does not say it.
    pub default_words: &'static str,
}

/// The keys of an option map, in groups that several functions may share.
pub type Keys = &'static [&'static [Key]];

impl Key {
    /// Makes a key whose values cannot be listed, such as a number.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            doc: "",
            expected: "",
            choices: &[],
            literals: &[],
            nested: &[],
            default: || Value::Unit,
            default_words: "",
        }
    }

    /// Makes a key whose value is true or false.
    pub const fn flag(name: &'static str) -> Self {
        Self::new(name).literals(&["true", "false"])
    }

    /// Sets what the option means: a sentence.
    #[must_use]
    pub const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// Sets the values that are expected.
    #[must_use]
    pub const fn expected(mut self, expected: &'static str) -> Self {
        self.expected = expected;
        self
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

    /// Sets the default value, and how to say it in words where these are not empty.
    #[must_use]
    pub const fn default(mut self, value: fn() -> Value, words: &'static str) -> Self {
        self.default = value;
        self.default_words = words;
        self
    }

    /// Returns the values that can be listed, as a script writes them.
    pub fn values(&self) -> impl Iterator<Item = String> {
        let names = self.choices.iter().map(|name| format!("\"{name}\""));
        names.chain(self.literals.iter().map(|code| code.to_string()))
    }

    /// Returns what the option means to a user: the first paragraph of its documentation, on one line.
    pub fn meaning(&self) -> String {
        let lines = self.doc.lines().map(str::trim).skip_while(|l| l.is_empty());
        let paragraph: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
        paragraph.join(" ")
    }

    /// Returns the default as a user reads it, as Markdown: in words, or the value as a script writes it; "none" where there is none.
    pub fn default_text(&self) -> String {
        match (self.default_words, (self.default)()) {
            ("", Value::Unit) => "none".into(),
            ("", Value::Text(text)) => format!("`{}`", Value::Text(text)),
            ("", value) => value.to_string(),
            (words, _) => words.into(),
        }
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

/// Splits the options of a set before the one of this name, for calls that take a part of the set.
///
/// # Panics
/// While compiling, where no option has this name.
pub const fn split(options: &'static [Key], name: &str) -> (&'static [Key], &'static [Key]) {
    let mut i = 0;
    while !equal(options[i].name.as_bytes(), name.as_bytes()) {
        i += 1;
    }
    options.split_at(i)
}

/// Joins groups of options to one group of `N`.
///
/// # Panics
/// While compiling, where they are not `N` in all.
pub const fn join<const N: usize>(groups: Keys) -> [Key; N] {
    let mut all = [Key::new(""); N];
    let (mut n, mut i) = (0, 0);
    while i < groups.len() {
        let mut j = 0;
        while j < groups[i].len() {
            all[n] = groups[i][j];
            (n, j) = (n + 1, j + 1);
        }
        i += 1;
    }
    assert!(n == N, "the groups have another number of options");
    all
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}
