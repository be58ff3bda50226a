//! The reader of YAML text to a tree within bounds.

use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Mapping, Value};

use crate::{Error, Result};

use super::tree::Budget;

/// Largest number of bytes of a file. Every tree within its bounds is shorter.
pub(super) const MAX_FILE: usize = 2 << 20;
/// Largest number of opening brackets in a file: the parser's time grows with the square of the number of open brackets.
const MAX_BRACKETS: usize = 100_000;

/// Reads a file's content, which is a map; an empty file is an empty map.
///
/// # Errors
/// [`Error::Data`] with line and column: text that is not YAML or not a map, duplicate keys, keys that are not text, tags,
/// aliases that repeat more than the bounds allow.
pub(super) fn read(text: &str, file: &Path) -> Result<Mapping> {
    let failed = |line: Option<usize>, column: Option<usize>, message: String| Error::Data {
        file: file.to_path_buf(),
        line,
        column,
        message,
    };
    if text.matches(['[', '{']).count() > MAX_BRACKETS {
        let message =
            format!("there are more than {MAX_BRACKETS} brackets: keep data in a data file");
        return Err(failed(None, None, message));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut budget = Budget::default();
    let node = BoundedSeed {
        budget: &mut budget,
        depth: 0,
    };
    match node.deserialize(serde_yaml::Deserializer::from_str(text)) {
        Ok(Value::Null) => Ok(Mapping::new()),
        Ok(Value::Mapping(map)) => Ok(map),
        Ok(other) => Err(failed(
            None,
            None,
            format!(
                "a configuration is a map, lines of `key: value`, not {}",
                super::tree::kind(&other)
            ),
        )),
        Err(error) => {
            let location = error
                .location()
                .map(|location| (location.line(), location.column()));
            let (line, column) = location.unzip();
            Err(failed(line, column, syntax_message(&error, text)))
        }
    }
}

/// Returns the message of a YAML parser about `text` in everyday words, without line and column, which [`Error::Data`] has as fields.
pub fn syntax_message(error: &serde_yaml::Error, text: &str) -> String {
    let mut message = error.to_string();
    for (terms, words) in [
        ("a flow sequence", "the list [...]"),
        ("a flow mapping", "the map {...}"),
        ("a block sequence", "the list"),
        ("a block collection", "the list"),
        ("a block mapping", "the map"),
    ] {
        message = message.replace(terms, words);
    }
    let Some(location) = error.location() else {
        return message;
    };
    let (line, column) = (location.line(), location.column());
    message = message.replacen(&format!(" at line {line} column {column}"), "", 1);
    let lines = text.lines().skip(line.saturating_sub(2)).take(2);
    if lines
        .filter_map(|line| line.split(|c: char| !c.is_whitespace()).next())
        .any(|indent| indent.contains('\t'))
    {
        message.push_str("; YAML is indented with spaces, not with tabs");
    }
    message
}

/// A value to be read, `depth` levels below the root, that is counted in the budget.
struct BoundedSeed<'a> {
    budget: &'a mut Budget,
    depth: usize,
}

impl BoundedSeed<'_> {
    fn child(&mut self) -> BoundedSeed<'_> {
        BoundedSeed {
            budget: self.budget,
            depth: self.depth + 1,
        }
    }
}

impl<'de> DeserializeSeed<'de> for BoundedSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<Value, D::Error> {
        self.budget.value(self.depth).map_err(D::Error::custom)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for BoundedSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number, text, true, false, null, a list or a map, without a tag (!…)")
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> std::result::Result<Value, E> {
        self.budget.text(value).map_err(E::custom)?;
        Ok(Value::String(value.to_string()))
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(
        mut self,
        mut access: A,
    ) -> std::result::Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = access.next_element_seed(self.child())? {
            list.push(element);
        }
        Ok(Value::Sequence(list))
    }

    fn visit_map<A: MapAccess<'de>>(
        mut self,
        mut access: A,
    ) -> std::result::Result<Value, A::Error> {
        let mut map = Mapping::new();
        while let Some(key) = access.next_key_seed(UniqueKey(&map))? {
            self.budget.key(&key).map_err(A::Error::custom)?;
            let value = access.next_value_seed(self.child())?;
            map.insert(Value::String(key), value);
        }
        Ok(Value::Mapping(map))
    }
}

/// A key to be read that must not be in the map `.0` already. The check is made while reading, so that the error has the key's
/// line.
struct UniqueKey<'a>(&'a Mapping);

impl<'de> DeserializeSeed<'de> for UniqueKey<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueKey<'_> {
    type Value = String;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key that is text (a number in quotes)")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> std::result::Result<String, E> {
        match self.0.contains_key(key) {
            true => Err(E::custom(format!("the key \"{key}\" is there twice"))),
            false => Ok(key.to_string()),
        }
    }
}
