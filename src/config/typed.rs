//! A part of a tree as a Rust type, with errors that name the key.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_yaml::{Mapping, Value};

use crate::{Error, Result, error};

use super::origin::Origins;
use super::tree;
use super::write;

/// Reads the value that stands at `path`.
pub(super) fn read<T: DeserializeOwned>(value: &Value, path: &str, origins: &Origins) -> Result<T> {
    T::deserialize(Node(value)).map_err(|fault| fault.error(value, path, origins))
}

/// What does not fit, and where.
#[derive(Debug)]
pub(super) struct Fault {
    /// Keys and indices, innermost first.
    path: Vec<String>,
    what: What,
}

#[derive(Debug)]
enum What {
    Kind {
        found: String,
        expected: String,
    },
    Unknown {
        key: String,
        known: Vec<&'static str>,
    },
    Variant {
        found: String,
        known: Vec<&'static str>,
    },
    Missing(&'static str),
    Other(String),
}

impl Fault {
    fn new(what: What) -> Self {
        Self {
            path: Vec::new(),
            what,
        }
    }

    fn below(mut self, key: impl Into<String>) -> Self {
        self.path.push(key.into());
        self
    }

    /// The error of the section `root` that stands at `path`.
    fn error(self, root: &Value, path: &str, origins: &Origins) -> Error {
        let relative: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
        let mut at = relative.join(".");
        // serde reads an enum that is told apart by a key from a copy, and the path ends there: the value itself may tell.
        if let What::Kind { found, .. } | What::Variant { found, .. } = &self.what {
            if let Some(key) = tree::get(root, &at).and_then(|value| only(value, found)) {
                at = tree::join(&at, key);
            }
        }
        let full = match at.as_str() {
            "" => path.to_string(),
            at => tree::join(path, at),
        };
        let (full, message) = match self.what {
            What::Kind { found, expected } => {
                let message = format!("should be {expected}, not {found}");
                (full, message)
            }
            What::Variant { found, known } => {
                let near = match error::nearest(found.trim_matches('"'), known.iter().copied()) {
                    Some(near) => format!(" (did you mean \"{near}\"?)"),
                    None => String::new(),
                };
                let message = format!("cannot be {found}{near}; known: {}", known.join(", "));
                (full, message)
            }
            What::Unknown { key, known } => {
                let full = tree::join(&full, &key);
                let near = match error::nearest(&key, known.iter().copied()) {
                    Some(near) => format!(" (did you mean \"{near}\"?)"),
                    None => String::new(),
                };
                let known = match known.is_empty() {
                    true => "there are none".to_string(),
                    false => format!("known: {}", known.join(", ")),
                };
                let message = format!("unknown key{near}; {known}");
                (full, message)
            }
            What::Missing(key) => (tree::join(&full, key), "is missing".to_string()),
            What::Other(message) => (full, message),
        };
        let origin = origins.of(&full);
        let subject = match full.as_str() {
            "" => "the configuration",
            full => full,
        };
        let colon = match message.starts_with("should") || message.starts_with("is ") {
            true => "",
            false => ":",
        };
        Error::invalid(format!("{subject}{colon} {message} (from {origin})"))
    }
}

/// The only key of a map whose value is written `found`.
fn only<'a>(value: &'a Value, found: &str) -> Option<&'a str> {
    let Value::Mapping(map) = value else {
        return None;
    };
    let mut matching = map
        .iter()
        .filter(|(_, value)| describe(value) == found)
        .filter_map(|(key, _)| key.as_str());
    let key = matching.next()?;
    matching.next().is_none().then_some(key)
}

fn describe(value: &Value) -> String {
    match value {
        Value::Sequence(_) | Value::Mapping(_) => tree::kind(value).to_string(),
        Value::String(text) => quoted(text),
        other => write::flow(other),
    }
}

fn quoted(text: &str) -> String {
    let text: String = match text.chars().count() {
        ..=60 => text.to_string(),
        _ => text.chars().take(55).chain(" …".chars()).collect(),
    };
    format!("{text:?}")
}

fn found(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Float(value) => write::number(&(*value).into()),
        Unexpected::Str(text) => quoted(text),
        Unexpected::Unit | Unexpected::Option => "null".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "a map".into(),
        other => other.to_string(),
    }
}

/// What serde expects, in the words of a configuration.
fn expected(expected: &dyn Expected) -> String {
    let name = expected.to_string();
    match name.as_str() {
        "f32" | "f64" => "a number".into(),
        "u8" | "u16" | "u32" | "u64" | "usize" | "a nonzero usize" | "a nonzero u64" => {
            match name.starts_with("a nonzero") {
                true => "a whole number above 0".into(),
                false => "a whole number that is 0 or above".into(),
            }
        }
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".into(),
        "a boolean" => "true or false".into(),
        "a string" => "a text (a number as text in quotes)".into(),
        "a sequence" => "a list".into(),
        "unit" => "null".into(),
        name if name.starts_with("struct ") => "a map".into(),
        name if name.starts_with("enum ") || name.starts_with("internally tagged enum ") => {
            "a name or a map with one".into()
        }
        name => {
            // "an array of length 2", "a tuple of size 2", "tuple struct Pair with 2 elements"
            let length = name
                .strip_prefix("an array of length ")
                .or_else(|| name.strip_prefix("a tuple of size "))
                .or_else(|| name.strip_prefix("tuple ")?.rsplit(' ').nth(1));
            match length {
                Some(length) => format!("a list of {length}"),
                None => name.to_string(),
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(What::Other(message.to_string()))
    }

    fn invalid_type(unexpected: Unexpected<'_>, exp: &dyn Expected) -> Self {
        Self::new(What::Kind {
            found: found(&unexpected),
            expected: expected(exp),
        })
    }

    fn invalid_value(unexpected: Unexpected<'_>, exp: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, exp)
    }

    fn invalid_length(length: usize, exp: &dyn Expected) -> Self {
        Self::new(What::Kind {
            found: format!("of length {length}"),
            expected: expected(exp),
        })
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::new(What::Variant {
            found: quoted(variant),
            known: known.to_vec(),
        })
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(What::Unknown {
            key: field.to_string(),
            known: known.to_vec(),
        })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(What::Missing(field))
    }
}

/// A value as serde reads it.
#[derive(Clone, Copy)]
struct Node<'a>(&'a Value);

type Read<T> = std::result::Result<T, Fault>;

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), ..) => visitor.visit_u64(value),
                (_, Some(value), _) => visitor.visit_i64(value),
                (.., value) => visitor.visit_f64(value.unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Sequence(list) => visit_list(list, visitor),
            Value::Mapping(map) => visitor.visit_map(Entries::new(map)),
            Value::Tagged(tagged) => Node(&tagged.value).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Read<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(Variant { name, value: None }),
            Value::Mapping(map) => {
                let mut entries = map.iter();
                match (entries.next(), entries.next()) {
                    (Some((Value::String(name), value)), None) => visitor.visit_enum(Variant {
                        name,
                        value: Some(value),
                    }),
                    _ => Err(Fault::new(What::Kind {
                        found: "a map".into(),
                        expected: format!("one of {}", known.join(", ")),
                    })),
                }
            }
            other => Err(Fault::new(What::Kind {
                found: describe(other),
                expected: format!("one of {}", known.join(", ")),
            })),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Fault> for Node<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

fn visit_list<'de, V: Visitor<'de>>(list: &'de [Value], visitor: V) -> Read<V::Value> {
    let mut elements = Elements { list, next: 0 };
    let value = visitor.visit_seq(&mut elements)?;
    match elements.next == list.len() {
        true => Ok(value),
        false => Err(Fault::new(What::Kind {
            found: format!("of length {}", list.len()),
            expected: format!("a list of {}", elements.next),
        })),
    }
}

struct Elements<'a> {
    list: &'a [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<Option<T::Value>> {
        let Some(value) = self.list.get(self.next) else {
            return Ok(None);
        };
        let index = self.next;
        self.next += 1;
        seed.deserialize(Node(value))
            .map(Some)
            .map_err(|fault| fault.below(index.to_string()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.list.len() - self.next)
    }
}

struct Entries<'a> {
    entries: serde_yaml::mapping::Iter<'a>,
    current: Option<(&'a str, &'a Value)>,
}

impl<'a> Entries<'a> {
    fn new(map: &'a Mapping) -> Self {
        Self {
            entries: map.iter(),
            current: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Read<Option<K::Value>> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        let key = key
            .as_str()
            .ok_or_else(|| Fault::new(What::Other("a key is not text".into())))?;
        self.current = Some((key, value));
        let key: StrDeserializer<'de, Fault> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<T::Value> {
        let Some((key, value)) = self.current.take() else {
            return Err(Fault::new(What::Other("a value without a key".into())));
        };
        seed.deserialize(Node(value))
            .map_err(|fault| fault.below(key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// `name`, or `{name: value}`.
struct Variant<'a> {
    name: &'a str,
    value: Option<&'a Value>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Fault;
    type Variant = Content<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Read<(V::Value, Content<'de>)> {
        let name: StrDeserializer<'de, Fault> = self.name.into_deserializer();
        let variant = seed.deserialize(name)?;
        Ok((
            variant,
            Content {
                name: self.name,
                value: self.value,
            },
        ))
    }
}

struct Content<'a> {
    name: &'a str,
    value: Option<&'a Value>,
}

impl<'a> Content<'a> {
    fn node(&self) -> Read<Node<'a>> {
        match self.value {
            Some(value) => Ok(Node(value)),
            None => Err(Fault::new(What::Kind {
                found: quoted(self.name),
                expected: format!("a map {{{}: …}}", self.name),
            })),
        }
    }
}

impl<'de> VariantAccess<'de> for Content<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Read<()> {
        match self.value {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(Fault::new(What::Kind {
                found: "a map".into(),
                expected: format!("the name {} alone", self.name),
            })),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Read<T::Value> {
        seed.deserialize(self.node()?)
            .map_err(|fault| fault.below(self.name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Read<V::Value> {
        self.node()?
            .deserialize_any(visitor)
            .map_err(|fault| fault.below(self.name))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        self.node()?
            .deserialize_any(visitor)
            .map_err(|fault| fault.below(self.name))
    }
}
