//! The types of a binding's arguments, and of its result.

use std::any::{TypeId, type_name};

use ndarray::ArrayD;
use rhai::{Array as List, Blob, Dynamic, FnPtr, ImmutableString, Map, Variant};

use crate::script::convert;
use crate::script::dense::ScriptArray;
use crate::script::error::RhaiResult;
use crate::script::keys::Keys;
use crate::script::options::Options;
use crate::{Error, Result};

/// A type that scripts know by a name of its own.
///
/// A value is copied at every use, so it must be cheap to clone: large data belong into an `Arc`.
pub trait ScriptType: Variant + Clone {
    /// Name of the type, in scripts and in messages.
    const NAME: &'static str;

    /// Returns what `print` shows of a value, by itself and inside lists and maps.
    fn show(&self) -> String;

    /// Whether bindings change values of this type in place, such as `model.params = …`. The copy that a property returns is then
    /// compared with what it was, so that no change is lost without a word.
    const CHANGES_IN_PLACE: bool = false;

    /// Whether two values are the same, as far as bindings change them; for types that are [`Self::CHANGES_IN_PLACE`].
    fn is_same(&self, _other: &Self) -> bool {
        true
    }
}

/// A script's type, as the engine tells types apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArgumentType {
    /// Identity of the type.
    pub id: TypeId,
    /// Rust's name of the type.
    pub name: &'static str,
}

impl ArgumentType {
    /// Returns the argument type of a Rust type.
    pub fn of<T: 'static>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: type_name::<T>(),
        }
    }
}

/// The function that a body belongs to, as its arguments are read.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Name of the function.
    pub name: &'static str,
    /// Keys of its options.
    pub keys: Keys,
}

/// An argument of a binding: the script types that it accepts, and how one is read.
///
/// The function exists in the engine once for each accepted type; a call with another type finds no function, and the message
/// lists the signatures.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no argument of a script function",
    note = "bindings take numbers, strings, lists, maps, closures, `Dynamic`, every `ScriptType`, `Number`, `Numbers`, `Operand`, \
            `Options`, and as their last argument `Option` of these"
)]
pub trait Argument: Sized + 'static {
    /// Whether the argument may be left out where it is the last one.
    const OPTIONAL: bool = false;

    /// Returns the accepted types.
    fn types() -> Vec<ArgumentType>;

    /// Reads the argument of a call; `None` where it is left out.
    ///
    /// # Errors
    /// A value of a type that is not accepted.
    fn read(value: Option<Dynamic>, call: &Call) -> RhaiResult<Self>;
}

fn cast<T: Variant + Clone>(value: Option<Dynamic>, call: &Call) -> RhaiResult<T> {
    let wrong = || Error::invalid(format!("{}: an argument has the wrong type", call.name)).into();
    value.and_then(Dynamic::try_cast).ok_or_else(wrong)
}

/// Implements `Argument` for types that are one of rhai's.
macro_rules! argument_of_one_type {
    ($($kind:ty),*) => { $(
        impl Argument for $kind {
            fn types() -> Vec<ArgumentType> {
                vec![ArgumentType::of::<$kind>()]
            }

            fn read(value: Option<Dynamic>, call: &Call) -> RhaiResult<Self> {
                cast(value, call)
            }
        }
    )* };
}

argument_of_one_type!(
    i64,
    f64,
    bool,
    char,
    ImmutableString,
    List,
    Blob,
    Map,
    FnPtr,
    Dynamic
);

impl<T: ScriptType> Argument for T {
    fn types() -> Vec<ArgumentType> {
        vec![ArgumentType::of::<T>()]
    }

    fn read(value: Option<Dynamic>, call: &Call) -> RhaiResult<Self> {
        cast(value, call)
    }
}

/// An argument that is an int or a float.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(pub f64);

impl Argument for Number {
    fn types() -> Vec<ArgumentType> {
        vec![ArgumentType::of::<f64>(), ArgumentType::of::<i64>()]
    }

    fn read(value: Option<Dynamic>, call: &Call) -> RhaiResult<Self> {
        match value.as_ref().and_then(|value| value.as_int().ok()) {
            Some(n) => Ok(Number(n as f64)),
            None => cast(value, call).map(Number),
        }
    }
}

/// An argument that is a list or an `Array`, and is read as an array.
#[derive(Debug, Clone)]
pub struct Numbers(pub Dynamic);

impl Numbers {
    /// Returns the array; `what` names the argument in messages.
    ///
    /// # Errors
    /// See [`convert::to_array`].
    pub fn array(&self, what: &str) -> Result<ArrayD<f64>> {
        convert::to_array(&self.0, what)
    }
}

impl Argument for Numbers {
    fn types() -> Vec<ArgumentType> {
        vec![
            ArgumentType::of::<List>(),
            ArgumentType::of::<ScriptArray>(),
        ]
    }

    fn read(value: Option<Dynamic>, call: &Call) -> RhaiResult<Self> {
        cast(value, call).map(Numbers)
    }
}

/// An argument that is an int, a float, a list or an `Array`, and is read as an array; a number has rank 0.
#[derive(Debug, Clone)]
pub struct Operand(pub Dynamic);

impl Operand {
    /// Returns the array; `what` names the argument in messages.
    ///
    /// # Errors
    /// See [`convert::to_array`].
    pub fn array(&self, what: &str) -> Result<ArrayD<f64>> {
        convert::to_array(&self.0, what)
    }
}

impl Argument for Operand {
    fn types() -> Vec<ArgumentType> {
        [Numbers::types(), Number::types()].concat()
    }

    fn read(value: Option<Dynamic>, call: &Call) -> RhaiResult<Self> {
        cast(value, call).map(Operand)
    }
}

/// A last argument that may be left out.
impl<T: Argument> Argument for Option<T> {
    const OPTIONAL: bool = true;

    fn types() -> Vec<ArgumentType> {
        T::types()
    }

    fn read(value: Option<Dynamic>, call: &Call) -> RhaiResult<Self> {
        match value {
            Some(value) => T::read(Some(value), call).map(Some),
            None => Ok(None),
        }
    }
}

/// The options of a call, read under the function's name and with its keys; a call without a map has none of them.
impl Argument for Options {
    const OPTIONAL: bool = true;

    fn types() -> Vec<ArgumentType> {
        Map::types()
    }

    fn read(value: Option<Dynamic>, call: &Call) -> RhaiResult<Self> {
        let map = Option::<Map>::read(value, call)?.unwrap_or_default();
        Ok(Options::new(call.name, call.keys, map))
    }
}

/// A result of a binding: a value, or a `Result` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no result of a script function",
    note = "bindings return numbers, strings, lists, maps, `Dynamic`, `()`, every `ScriptType`, or a `Result` of these"
)]
pub trait ReturnValue {
    /// Converts the result to a value of the script, or to an error that stops it.
    ///
    /// # Errors
    /// The error of the result.
    fn into_result(self) -> RhaiResult<Dynamic>;
}

/// Implements `ReturnValue` for types of rhai's.
macro_rules! return_value_of_one_type {
    ($($kind:ty),*) => { $(
        impl ReturnValue for $kind {
            fn into_result(self) -> RhaiResult<Dynamic> {
                Ok(Dynamic::from(self))
            }
        }
    )* };
}

return_value_of_one_type!(
    (),
    i64,
    f64,
    bool,
    String,
    ImmutableString,
    List,
    Blob,
    Map,
    Dynamic
);

impl<T: ScriptType> ReturnValue for T {
    fn into_result(self) -> RhaiResult<Dynamic> {
        Ok(Dynamic::from(self))
    }
}

impl<T: ReturnValue> ReturnValue for RhaiResult<T> {
    fn into_result(self) -> RhaiResult<Dynamic> {
        self?.into_result()
    }
}

impl<T: ReturnValue> ReturnValue for Result<T> {
    fn into_result(self) -> RhaiResult<Dynamic> {
        self?.into_result()
    }
}
