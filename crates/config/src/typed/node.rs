//! A tree as serde reads it. The YAML crate can read its own values too, but its errors know no path.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_yaml::{Mapping, Value};

use super::fault::{Fault, What, describe, quoted};

/// A value as serde reads it.
#[derive(Clone, Copy)]
pub(super) struct Node<'a>(pub &'a Value);

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
