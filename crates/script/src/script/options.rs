//! The reader of option maps, which are the last argument of many functions.

use rhai::{Array as List, Dynamic, FnPtr, Map};

use crate::{Error, Result};
use odesync_base::error;
use odesync_base::options::{Mismatch, OptionSet};

use super::convert;
use super::keys::{self, Keys};

/// Reader of the option map of one call, whose keys are declared; [`Options::finish`] rejects keys that are not.
///
/// ```
/// use odesync_script::script::{Key, Keys, Options};
///
/// const KEYS: Keys = &[&[Key::new("lr"), Key::new("epochs")]];
/// let map = rhai::Engine::new().eval("#{ lr: 1, epohcs: 3 }").unwrap();
/// let mut options = Options::new("train", KEYS, map);
/// assert_eq!(options.positive("lr", 0.05)?, 1.0);
/// assert_eq!(options.count("epochs", 100)?, 100);
/// assert_eq!(
///     options.finish().unwrap_err().to_string(),
///     "train: unknown option \"epohcs\" (did you mean \"epochs\"?); known: lr, epochs"
/// );
/// # Ok::<(), odesync_script::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    call: String,
    keys: Keys,
    map: Map,
    read_keys: Vec<&'static str>,
}

impl Options {
    /// Starts reading the options of a call; `call` is the function's name in messages.
    pub fn new(call: impl Into<String>, keys: Keys, map: Map) -> Self {
        Self {
            call: call.into(),
            keys,
            map,
            read_keys: Vec::new(),
        }
    }

    /// Starts reading a map that is the value, or an item of the value, of the option `key`.
    pub fn within(&self, key: &str, keys: Keys, map: Map) -> Self {
        Options::new(format!("{}: {key}", self.call), keys, map)
    }

    /// Takes the value of `key` as it is; `None` where the key is absent or its value `()`.
    pub fn take(&mut self, key: &'static str) -> Option<Dynamic> {
        debug_assert!(
            self.has(key),
            "{}: the key {key} is read and not declared",
            self.call
        );
        self.read_keys.push(key);
        self.map.remove(key).filter(|value| !value.is_unit())
    }

    fn read_as<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&Dynamic) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => match read(&value) {
                Some(read) => Ok(Some(read)),
                None => Err(self.invalid_value(key, expected, &value)),
            },
        }
    }

    /// Reads the options of a set that this call has; those that are absent keep their values.
    ///
    /// # Errors
    /// A value of the wrong type or out of its range, or an unknown name.
    pub fn read_set(&mut self, set: &mut dyn OptionSet) -> Result<()> {
        for key in set.keys() {
            if !self.has(key.name) {
                continue;
            }
            let Some(value) = self.take(key.name) else {
                continue;
            };
            let read = set.try_set(key.name, &convert::to_option_value(&value));
            read.map_err(|mismatch| match mismatch {
                Mismatch::Other(error @ Error::Invalid(_)) => self.error(&error.to_string()),
                Mismatch::Other(error) => error,
                mismatch => {
                    let described = convert::describe(&value);
                    self.error(
                        &mismatch
                            .into_error(&[key], key.name, &described)
                            .to_string(),
                    )
                }
            })?;
        }
        Ok(())
    }

    /// Returns the error for an option of the wrong type or out of its range.
    pub fn invalid_value(&self, key: &str, expected: &str, value: &Dynamic) -> Error {
        Error::invalid(format!(
            "{}: option \"{key}\" should be {expected}, not {}",
            self.call,
            convert::describe(value)
        ))
    }

    /// Returns an error of this call with a message of its own.
    pub fn error(&self, message: &str) -> Error {
        Error::invalid(format!("{}: {message}", self.call))
    }

    /// Whether the call has an option of this name.
    pub fn has(&self, key: &str) -> bool {
        keys::find(self.keys, key).is_some()
    }

    /// Refuses a key that the call does not have, with a message of its own in place of the list of those that it has.
    ///
    /// # Errors
    /// The key is given, and not among the call's.
    pub fn refuse(&self, key: &str, message: &str) -> Result<()> {
        if !self.map.contains_key(key) || self.has(key) {
            return Ok(());
        }
        Err(self.error(&format!("unknown option \"{key}\": {message}")))
    }

    /// Returns the error for an item of a list that has the wrong type or is out of its range.
    pub fn invalid_item(&self, key: &str, expected: &str, item: &Dynamic) -> Error {
        Error::invalid(format!(
            "{}: option \"{key}\" should hold {expected}, and {} is among them",
            self.call,
            convert::describe(item)
        ))
    }

    /// Reads a number.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the value is something else; all getters return this error.
    pub fn f64(&mut self, key: &'static str, default: f64) -> Result<f64> {
        Ok(self.opt_f64(key)?.unwrap_or(default))
    }

    /// Reads a number that may be absent.
    ///
    /// # Errors
    /// See [`Options::f64`].
    pub fn opt_f64(&mut self, key: &'static str) -> Result<Option<f64>> {
        self.read_as(key, "a number", convert::to_number)
    }

    /// Reads a finite number above 0.
    ///
    /// # Errors
    /// See [`Options::f64`].
    pub fn positive(&mut self, key: &'static str, default: f64) -> Result<f64> {
        Ok(self.opt_positive(key)?.unwrap_or(default))
    }

    /// Reads a finite number above 0 that may be absent.
    ///
    /// # Errors
    /// See [`Options::f64`].
    pub fn opt_positive(&mut self, key: &'static str) -> Result<Option<f64>> {
        self.read_as(key, "a number above 0", |value| {
            convert::to_number(value).filter(|x| *x > 0.0 && x.is_finite())
        })
    }

    /// Reads a whole number above 0.
    ///
    /// # Errors
    /// See [`Options::f64`].
    pub fn count(&mut self, key: &'static str, default: usize) -> Result<usize> {
        let read = self.read_as(key, "a whole number above 0", |value| {
            value
                .as_int()
                .ok()
                .and_then(|n| usize::try_from(n).ok())
                .filter(|n| *n > 0)
        })?;
        Ok(read.unwrap_or(default))
    }

    /// Reads `true` or `false`.
    ///
    /// # Errors
    /// See [`Options::f64`].
    pub fn bool(&mut self, key: &'static str, default: bool) -> Result<bool> {
        let read = self.read_as(key, "true or false", |value| value.as_bool().ok())?;
        Ok(read.unwrap_or(default))
    }

    /// Reads a string.
    ///
    /// # Errors
    /// See [`Options::f64`].
    pub fn string(&mut self, key: &'static str, default: &str) -> Result<String> {
        Ok(self.opt_string(key)?.unwrap_or_else(|| default.into()))
    }

    /// Reads a string that may be absent.
    ///
    /// # Errors
    /// See [`Options::f64`].
    pub fn opt_string(&mut self, key: &'static str) -> Result<Option<String>> {
        self.read_as(key, "a string", convert::to_text)
    }

    /// Reads one of the names that are declared for the key; the first is the default.
    ///
    /// # Errors
    /// [`Error::Invalid`] that lists the names and suggests the nearest one.
    pub fn choice(&mut self, key: &'static str) -> Result<&'static str> {
        let chosen = self.opt_choice(key)?;
        let default = keys::find(self.keys, key).and_then(|key| key.choices.first().copied());
        chosen
            .or(default)
            .ok_or_else(|| Error::invalid("no choices"))
    }

    /// Reads one of the names that are declared for the key; it may be absent.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another name; it lists the allowed ones and suggests the nearest one.
    pub fn opt_choice(&mut self, key: &'static str) -> Result<Option<&'static str>> {
        let Some(name) = self.opt_string(key)? else {
            return Ok(None);
        };
        let choices = keys::find(self.keys, key).map_or(&[][..], |key| key.choices);
        match choices.iter().find(|choice| **choice == name) {
            Some(choice) => Ok(Some(choice)),
            None => {
                let unknown = error::unknown(key, &name, choices.iter().copied());
                Err(Error::invalid(format!("{}: {unknown}", self.call)))
            }
        }
    }

    /// Converts the value of `key` to a list of strings; a single string is a list of one.
    ///
    /// # Errors
    /// Another value than is expected, or an item that is no string.
    pub fn strings(&self, key: &str, expected: &str, value: &Dynamic) -> Result<Vec<String>> {
        if let Some(text) = convert::to_text(value) {
            return Ok(vec![text]);
        }
        let Some(list) = value.read_lock::<List>() else {
            return Err(self.invalid_value(key, expected, value));
        };
        list.iter()
            .map(|item| {
                convert::to_text(item).ok_or_else(|| self.invalid_item(key, "strings", item))
            })
            .collect()
    }

    /// Reads an array of any rank that may be absent: a number, a list of numbers (of lists …) or an `Array`.
    ///
    /// # Errors
    /// See [`convert::to_array`].
    pub fn opt_array(&mut self, key: &'static str) -> Result<Option<ndarray::ArrayD<f64>>> {
        let what = format!("{}: option \"{key}\"", self.call);
        self.take(key)
            .map(|value| convert::to_array(&value, &what))
            .transpose()
    }

    /// Reads a closure that may be absent.
    ///
    /// # Errors
    /// See [`Options::f64`].
    pub fn opt_closure(&mut self, key: &'static str) -> Result<Option<FnPtr>> {
        self.read_as(key, "a closure |…| …", |value| {
            value.clone().try_cast::<FnPtr>()
        })
    }

    /// Reads a value of a script type, such as a method or a model, that may be absent.
    ///
    /// # Errors
    /// See [`Options::f64`].
    pub fn opt_value<T: rhai::Variant + Clone>(
        &mut self,
        key: &'static str,
        expected: &str,
    ) -> Result<Option<T>> {
        self.read_as(key, expected, |value| value.clone().try_cast::<T>())
    }

    /// Checks that no undeclared key was given; to be called after the last option was read.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a key that is not declared: suggests the nearest one and lists the declared keys.
    pub fn finish(self) -> Result<()> {
        for key in keys::distinct([self.keys]) {
            debug_assert!(
                self.read_keys.contains(&key.name),
                "{}: the key {} is declared and not read",
                self.call,
                key.name
            );
        }
        match self.map.keys().find(|key| !self.has(key)) {
            None => Ok(()),
            Some(key) => {
                let known: Vec<&str> = keys::distinct([self.keys])
                    .into_iter()
                    .map(|key| key.name)
                    .collect();
                let unknown = error::unknown("option", key, known);
                Err(Error::invalid(format!("{}: {unknown}", self.call)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::Key;
    use super::*;

    const KEYS: Keys = &[&[
        Key::new("a").choices(&["dopri5", "rk4"]),
        Key::new("b"),
        Key::new("c"),
    ]];

    fn options(code: &str) -> Options {
        Options::new("f", KEYS, rhai::Engine::new().eval::<Map>(code).unwrap())
    }

    #[test]
    fn absent_and_unit_mean_the_default() {
        let mut read = options("#{ a: (), b: 2 }");
        assert_eq!(read.f64("a", 0.5).unwrap(), 0.5);
        assert_eq!(read.f64("b", 0.5).unwrap(), 2.0);
        assert_eq!(read.opt_string("c").unwrap(), None);
        assert!(read.finish().is_ok());
    }

    #[test]
    fn a_text_that_a_value_writes_is_read_back() {
        let texts = [
            "plain",
            "a \"quoted\" \\ path",
            "C:\\new\tand\nlines\r",
            "\u{7f}\u{1}",
            "e\u{301} µ 中",
        ];
        for text in texts {
            let code = odesync_base::options::Value::from(text).to_string();
            let read = rhai::Engine::new().eval::<String>(&code).unwrap();
            assert_eq!(read, text, "{code}");
        }
    }
}
