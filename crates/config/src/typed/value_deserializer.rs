//! The serde deserializer of a tree. The YAML crate can deserialize its own values too, but its errors have no path.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_yaml::{Mapping, Value};

use super::de_error::{DeError, DeErrorKind, describe, quoted};

/// The deserializer of a value.
#[derive(Clone, Copy)]
pub(super) struct ValueDeserializer<'a>(pub &'a Value);

type DeResult<T> = std::result::Result<T, DeError>;

impl<'de> Deserializer<'de> for ValueDeserializer<'de> {
    type Error = DeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> DeResult<V::Value> {
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
            Value::Mapping(map) => visitor.visit_map(MapDeserializer::new(map)),
            Value::Tagged(tagged) => ValueDeserializer(&tagged.value).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> DeResult<V::Value> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> DeResult<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> DeResult<V::Value> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(EnumDeserializer { name, value: None }),
            Value::Mapping(map) => {
                let mut entries = map.iter();
                match (entries.next(), entries.next()) {
                    (Some((Value::String(name), value)), None) => {
                        visitor.visit_enum(EnumDeserializer {
                            name,
                            value: Some(value),
                        })
                    }
                    _ => Err(DeError::new(DeErrorKind::InvalidType {
                        found: "a map".into(),
                        expected: format!("one of {}", known.join(", ")),
                    })),
                }
            }
            other => Err(DeError::new(DeErrorKind::InvalidType {
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

impl<'de> IntoDeserializer<'de, DeError> for ValueDeserializer<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

fn visit_list<'de, V: Visitor<'de>>(list: &'de [Value], visitor: V) -> DeResult<V::Value> {
    let mut elements = SeqDeserializer { list, next: 0 };
    let value = visitor.visit_seq(&mut elements)?;
    match elements.next == list.len() {
        true => Ok(value),
        false => Err(DeError::new(DeErrorKind::InvalidType {
            found: format!("of length {}", list.len()),
            expected: format!("a list of {}", elements.next),
        })),
    }
}

struct SeqDeserializer<'a> {
    list: &'a [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for SeqDeserializer<'de> {
    type Error = DeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> DeResult<Option<T::Value>> {
        let Some(value) = self.list.get(self.next) else {
            return Ok(None);
        };
        let index = self.next;
        self.next += 1;
        seed.deserialize(ValueDeserializer(value))
            .map(Some)
            .map_err(|fault| fault.within_key(index.to_string()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.list.len() - self.next)
    }
}

struct MapDeserializer<'a> {
    entries: serde_yaml::mapping::Iter<'a>,
    current: Option<(&'a str, &'a Value)>,
}

impl<'a> MapDeserializer<'a> {
    fn new(map: &'a Mapping) -> Self {
        Self {
            entries: map.iter(),
            current: None,
        }
    }
}

impl<'de> MapAccess<'de> for MapDeserializer<'de> {
    type Error = DeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> DeResult<Option<K::Value>> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        let key = key
            .as_str()
            .ok_or_else(|| DeError::new(DeErrorKind::Custom("a key is not text".into())))?;
        self.current = Some((key, value));
        let key: StrDeserializer<'de, DeError> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> DeResult<T::Value> {
        let Some((key, value)) = self.current.take() else {
            return Err(DeError::new(DeErrorKind::Custom(
                "a value without a key".into(),
            )));
        };
        seed.deserialize(ValueDeserializer(value))
            .map_err(|fault| fault.within_key(key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// An enum's value, written `name` or `{name: value}`.
struct EnumDeserializer<'a> {
    name: &'a str,
    value: Option<&'a Value>,
}

impl<'de> EnumAccess<'de> for EnumDeserializer<'de> {
    type Error = DeError;
    type Variant = VariantDeserializer<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> DeResult<(V::Value, VariantDeserializer<'de>)> {
        let name: StrDeserializer<'de, DeError> = self.name.into_deserializer();
        let variant = seed.deserialize(name)?;
        Ok((
            variant,
            VariantDeserializer {
                name: self.name,
                value: self.value,
            },
        ))
    }
}

struct VariantDeserializer<'a> {
    name: &'a str,
    value: Option<&'a Value>,
}

impl<'a> VariantDeserializer<'a> {
    fn content(&self) -> DeResult<ValueDeserializer<'a>> {
        match self.value {
            Some(value) => Ok(ValueDeserializer(value)),
            None => Err(DeError::new(DeErrorKind::InvalidType {
                found: quoted(self.name),
                expected: format!("a map {{{}: …}}", self.name),
            })),
        }
    }
}

impl<'de> VariantAccess<'de> for VariantDeserializer<'de> {
    type Error = DeError;

    fn unit_variant(self) -> DeResult<()> {
        match self.value {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(DeError::new(DeErrorKind::InvalidType {
                found: "a map".into(),
                expected: format!("the name {} alone", self.name),
            })),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> DeResult<T::Value> {
        seed.deserialize(self.content()?)
            .map_err(|fault| fault.within_key(self.name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> DeResult<V::Value> {
        self.content()?
            .deserialize_any(visitor)
            .map_err(|fault| fault.within_key(self.name))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> DeResult<V::Value> {
        self.content()?
            .deserialize_any(visitor)
            .map_err(|fault| fault.within_key(self.name))
    }
}
