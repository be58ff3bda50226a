//! Structs whose options are set and read by name.

use super::key::{Key, Keys, distinct, find};
use super::kind::Mismatch;
use super::value::Value;
use crate::{Error, Result};

/// A struct whose options are set and read by name. [`option_set!`](crate::option_set) implements it.
pub trait OptionSet {
    /// Returns the descriptions of all options, in their order; those of the sets that are parts of this one come last.
    fn keys(&self) -> Vec<&'static Key>;

    /// Sets an option, or says why it cannot have this value.
    ///
    /// # Errors
    /// An unknown name; a value of another type or out of its range.
    fn try_set(&mut self, name: &str, value: &Value) -> std::result::Result<(), Mismatch>;

    /// Returns the value of an option; `None` for an unknown name.
    fn get(&self, name: &str) -> Option<Value>;

    /// Sets an option.
    ///
    /// # Errors
    /// An unknown name (the known ones are listed); a value of another type or out of its range.
    fn set(&mut self, name: &str, value: &Value) -> Result<()> {
        let set = self.try_set(name, value);
        set.map_err(|mismatch| mismatch.into_error(&self.keys(), name, &value.describe()))
    }
}

/// The part of a set that has these keys, for a map that holds a part of the options.
#[derive(Debug)]
pub struct OptionSubset<'a, S: ?Sized> {
    set: &'a mut S,
    keys: Keys,
}

impl<'a, S: OptionSet + ?Sized> OptionSubset<'a, S> {
    /// Makes the part of the set that has these keys.
    pub fn new(set: &'a mut S, keys: Keys) -> Self {
        OptionSubset { set, keys }
    }
}

impl<S: OptionSet + ?Sized> OptionSet for OptionSubset<'_, S> {
    fn keys(&self) -> Vec<&'static Key> {
        distinct([self.keys])
    }

    fn try_set(&mut self, name: &str, value: &Value) -> std::result::Result<(), Mismatch> {
        match find(self.keys, name) {
            Some(_) => self.set.try_set(name, value),
            None => Err(Mismatch::UnknownName),
        }
    }

    fn get(&self, name: &str) -> Option<Value> {
        find(self.keys, name).and_then(|_| self.set.get(name))
    }
}

/// Sets the options that a map holds; the others keep their values.
///
/// # Errors
/// A value that is no map; the errors of [`OptionSet::set`].
pub fn read_map(set: &mut dyn OptionSet, map: &Value) -> Result<()> {
    let Value::Map(entries) = map else {
        let found = map.describe();
        return Err(Error::invalid(format!(
            "options should be a map, not {found}"
        )));
    };
    entries
        .iter()
        .try_for_each(|(name, value)| set.set(name, value))
}

/// Returns a map of all options, in their order.
pub fn write_map(set: &dyn OptionSet) -> Value {
    let entry = |key: &Key| Some((key.name.to_string(), set.get(key.name)?));
    Value::Map(set.keys().into_iter().filter_map(entry).collect())
}
