//! Kinds of options: the types and ranges of their values.

use std::marker::PhantomData;

use super::key::{Key, Keys};
use super::named::Named;
use super::value::Value;
use crate::error::{self, Error};

/// The reason for which an option cannot have a value.
#[derive(Debug, Clone)]
pub enum Mismatch {
    /// The set has no option of this name.
    UnknownName,
    /// The value has another type or is out of its range.
    Value,
    /// An item of the list has another type or is out of its range; the text says what the items should be.
    Item(&'static str, Value),
    /// The map that is the value has an error of its own.
    Within(Error),
    /// A reason of its own, such as an unknown name of a method.
    Other(Error),
}

impl From<Error> for Mismatch {
    fn from(error: Error) -> Self {
        Mismatch::Other(error)
    }
}

impl Mismatch {
    /// Returns the error for an option of one of these keys that was given this value; `described` is the value in words.
    pub fn into_error(self, keys: &[&'static Key], name: &str, described: &str) -> Error {
        match self {
            Mismatch::UnknownName => {
                error::unknown("option", name, keys.iter().map(|key| key.name))
            }
            Mismatch::Value => {
                let key = keys.iter().find(|key| key.name == name);
                let expected = key.map_or("another value", |key| key.expected);
                Error::invalid(format!(
                    "option \"{name}\" should be {expected}, not {described}"
                ))
            }
            Mismatch::Item(expected, item) => Error::invalid(format!(
                "option \"{name}\" should hold {expected}, and {} is among them",
                item.describe()
            )),
            Mismatch::Within(error) => Error::invalid(format!("{name}: {error}")),
            Mismatch::Other(error) => error,
        }
    }
}

/// A kind of option: which values it takes, and the Rust type that holds them.
pub trait OptionKind {
    /// The Rust type of the option.
    type Field;
    /// The values that are expected, as in "should be a number above 0".
    const EXPECTED: &'static str;
    /// The allowed strings, where they can be listed.
    const CHOICES: &'static [&'static str] = &[];
    /// Possible values that are not strings, as code.
    const LITERALS: &'static [&'static str] = &[];
    /// Keys of the map, or of each map in a list, that is the value.
    const NESTED: Keys = &[];

    /// Converts a value.
    ///
    /// # Errors
    /// A value of another type or out of its range.
    fn read(value: &Value) -> std::result::Result<Self::Field, Mismatch>;

    /// Converts the option to a value; [`OptionKind::read`] converts it back.
    fn write(field: &Self::Field) -> Value;

    /// Whether the option is in its range.
    fn is_in_range(_field: &Self::Field) -> bool {
        true
    }
}

/// Declares a kind of numbers: its name, its type, what is expected in words, the function that reads it from a value, and the
/// function that says whether a number is in its range.
#[macro_export]
macro_rules! number_kind {
    ($(#[$doc:meta])* $kind:ident, $type:ty, $expected:literal, $read:expr, $in_range:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $kind;

        impl $crate::options::OptionKind for $kind {
            type Field = $type;
            const EXPECTED: &'static str = $expected;

            fn read(
                value: &$crate::options::Value,
            ) -> std::result::Result<$type, $crate::options::Mismatch> {
                let read: fn(&$crate::options::Value) -> Option<$type> = $read;
                let in_range = |number: &$type| {
                    <Self as $crate::options::OptionKind>::is_in_range(number)
                };
                read(value)
                    .filter(in_range)
                    .ok_or($crate::options::Mismatch::Value)
            }

            fn write(field: &$type) -> $crate::options::Value {
                (*field).into()
            }

            fn is_in_range(field: &$type) -> bool {
                let in_range: fn($type) -> bool = $in_range;
                in_range(*field)
            }
        }
    };
}

fn whole<T: TryFrom<i64>>(value: &Value) -> Option<T> {
    match value {
        Value::Int(n) => T::try_from(*n).ok(),
        _ => None,
    }
}

number_kind!(
    /// Any number.
    Number, f64, "a number", Value::number, |_| true
);
number_kind!(
    /// A finite number above 0.
    Positive, f64, "a number above 0", Value::number, |x| x > 0.0 && x.is_finite()
);
number_kind!(
    /// A finite number that is 0 or above.
    NonNegative, f64, "a number that is 0 or above", Value::number, |x| x >= 0.0 && x.is_finite()
);
number_kind!(
    /// A whole number that is 0 or above.
    Whole, usize, "a whole number that is 0 or above", whole, |_| true
);
number_kind!(
    /// A whole number above 0.
    Count, usize, "a whole number above 0", whole, |n| n > 0
);
number_kind!(
    /// A seed, a whole number that is 0 or above.
    Seed, u64, "a whole number that is 0 or above", whole, |_| true
);

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

/// True or false.
#[derive(Debug, Clone, Copy)]
pub struct Flag;

impl OptionKind for Flag {
    type Field = bool;
    const EXPECTED: &'static str = "true or false";
    const LITERALS: &'static [&'static str] = &["true", "false"];

    fn read(value: &Value) -> std::result::Result<bool, Mismatch> {
        match value {
            Value::Bool(value) => Ok(*value),
            _ => Err(Mismatch::Value),
        }
    }

    fn write(field: &bool) -> Value {
        Value::Bool(*field)
    }
}

/// A text.
#[derive(Debug, Clone, Copy)]
pub struct Text;

impl OptionKind for Text {
    type Field = String;
    const EXPECTED: &'static str = "a string";

    fn read(value: &Value) -> std::result::Result<String, Mismatch> {
        value.text().map(String::from).ok_or(Mismatch::Value)
    }

    fn write(field: &String) -> Value {
        Value::Text(field.clone())
    }
}

/// Two numbers.
#[derive(Debug, Clone, Copy)]
pub struct NumberPair;

impl OptionKind for NumberPair {
    type Field = (f64, f64);
    const EXPECTED: &'static str = "two numbers";

    fn read(value: &Value) -> std::result::Result<(f64, f64), Mismatch> {
        match value.numbers().as_deref() {
            Some([a, b]) => Ok((*a, *b)),
            _ => Err(Mismatch::Value),
        }
    }

    fn write(field: &(f64, f64)) -> Value {
        Value::from(&[field.0, field.1][..])
    }
}

/// A list of numbers.
#[derive(Debug, Clone, Copy)]
pub struct NumberList;

impl OptionKind for NumberList {
    type Field = Vec<f64>;
    const EXPECTED: &'static str = "an Array or a list of numbers";

    fn read(value: &Value) -> std::result::Result<Vec<f64>, Mismatch> {
        value.numbers().ok_or(Mismatch::Value)
    }

    fn write(field: &Vec<f64>) -> Value {
        Value::from(&field[..])
    }
}

/// A list of texts; a single text is a list of one.
#[derive(Debug, Clone, Copy)]
pub struct TextList;

impl OptionKind for TextList {
    type Field = Vec<String>;
    const EXPECTED: &'static str = "a list of strings";

    fn read(value: &Value) -> std::result::Result<Vec<String>, Mismatch> {
        let text = |item: &Value| {
            let text = item.text().map(String::from);
            text.ok_or_else(|| Mismatch::Item("strings", item.clone()))
        };
        match value {
            Value::Text(one) => Ok(vec![one.clone()]),
            Value::List(list) => list.iter().map(text).collect(),
            _ => Err(Mismatch::Value),
        }
    }

    fn write(field: &Vec<String>) -> Value {
        Value::List(field.iter().cloned().map(Value::Text).collect())
    }
}

/// One of the values of a type that have names, by its name.
#[derive(Debug, Clone, Copy)]
pub struct OneOf<T>(PhantomData<T>);

impl<T: Named> OptionKind for OneOf<T> {
    type Field = T;
    const EXPECTED: &'static str = "a string";
    const CHOICES: &'static [&'static str] = T::NAMES;

    fn read(value: &Value) -> std::result::Result<T, Mismatch> {
        Ok(T::from_name(value.text().ok_or(Mismatch::Value)?)?)
    }

    fn write(field: &T) -> Value {
        Value::from(field.to_name())
    }
}

/// A list of values of a kind, at least one.
#[derive(Debug, Clone, Copy)]
pub struct ListOf<K>(PhantomData<K>);

impl<K: OptionKind> OptionKind for ListOf<K> {
    type Field = Vec<K::Field>;
    const EXPECTED: &'static str = "a list that is not empty";

    fn read(value: &Value) -> std::result::Result<Self::Field, Mismatch> {
        let item = |item: &Value| {
            K::read(item).map_err(|mismatch| match mismatch {
                Mismatch::Value => Mismatch::Item(K::EXPECTED, item.clone()),
                other => other,
            })
        };
        match value {
            Value::List(list) if !list.is_empty() => list.iter().map(item).collect(),
            _ => Err(Mismatch::Value),
        }
    }

    fn write(field: &Self::Field) -> Value {
        Value::List(field.iter().map(K::write).collect())
    }

    fn is_in_range(field: &Self::Field) -> bool {
        field.iter().all(K::is_in_range)
    }
}

/// An option that may be absent.
#[derive(Debug, Clone, Copy)]
pub struct Maybe<K>(PhantomData<K>);

impl<K: OptionKind> OptionKind for Maybe<K> {
    type Field = Option<K::Field>;
    const EXPECTED: &'static str = K::EXPECTED;
    const CHOICES: &'static [&'static str] = K::CHOICES;
    const LITERALS: &'static [&'static str] = K::LITERALS;
    const NESTED: Keys = K::NESTED;

    fn read(value: &Value) -> std::result::Result<Self::Field, Mismatch> {
        match value {
            Value::Unit => Ok(None),
            value => K::read(value).map(Some),
        }
    }

    fn write(field: &Self::Field) -> Value {
        field.as_ref().map_or(Value::Unit, K::write)
    }

    fn is_in_range(field: &Self::Field) -> bool {
        field.as_ref().is_none_or(K::is_in_range)
    }
}
