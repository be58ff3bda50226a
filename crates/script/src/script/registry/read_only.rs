//! Changes to what a property returned: an error, where they would otherwise be lost.
//!
//! A property returns a copy. In `data.u[1][0] = 2.0` rhai reads the copy, changes it, and then asks a setter to take it back; without
//! a setter the change is lost without a word. What an index returns, `data["x"]`, is a copy likewise.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use rhai::{Array as List, Dynamic, EvalAltResult, Map, Position};

use super::ScriptType;
use crate::Error;
use crate::script::array::ScriptArray;
use crate::script::error::RhaiResult;

/// How values of the script types that bindings change in place are compared.
#[derive(Clone, Default)]
pub(super) struct Comparisons(Rc<RefCell<HashMap<TypeId, Comparison>>>);

type Comparison = fn(&Dynamic, &Dynamic) -> bool;

impl Comparisons {
    /// Adds a script type.
    pub fn add<T: ScriptType>(&self) {
        let comparison: Comparison = |a, b| match (a.read_lock::<T>(), b.read_lock::<T>()) {
            (Some(a), Some(b)) => a.is_same(&b),
            _ => false,
        };
        if T::CHANGES_IN_PLACE {
            self.0.borrow_mut().insert(TypeId::of::<T>(), comparison);
        }
    }

    fn get(&self, value: &Dynamic) -> Option<Comparison> {
        self.0.borrow().get(&value.type_id()).copied()
    }

    /// Whether the value can be changed in place.
    fn is_changeable(&self, value: &Dynamic) -> bool {
        value.is_array() || value.is_map() || value.is_string() || self.get(value).is_some()
    }

    /// Whether two values are equal; NaN equals NaN.
    fn same(&self, a: &Dynamic, b: &Dynamic) -> bool {
        if let Some(comparison) = self.get(a) {
            return comparison(a, b);
        }
        if let (Some(a), Some(b)) = (a.read_lock::<List>(), b.read_lock::<List>()) {
            let mut pairs = a.iter().zip(b.iter());
            return a.len() == b.len() && pairs.all(|(a, b)| self.same(a, b));
        }
        if let (Some(a), Some(b)) = (a.read_lock::<Map>(), b.read_lock::<Map>()) {
            let mut pairs = a.iter().zip(b.iter());
            return a.len() == b.len() && pairs.all(|((k, a), (l, b))| k == l && self.same(a, b));
        }
        if let (Ok(a), Ok(b)) = (a.as_float(), b.as_float()) {
            return same_number(a, b);
        }
        // Values of other types are not changed in place; plain ones are compared by what they print.
        a.type_id() == b.type_id()
            && (!a.is_string() && !a.is_int() && !a.is_bool() || a.to_string() == b.to_string())
    }
}

/// The setter of a property that can only be read. rhai also calls it after a method of the property's value, whether that changed
/// it or not: then there is nothing to say where the value is as it was.
///
/// # Errors
/// A value that can be changed in place and differs from what the property returns; for other values the error that rhai gives where
/// there is no setter.
pub(super) fn set(
    name: &str,
    kind: &str,
    comparisons: &Comparisons,
    now: impl FnOnce() -> RhaiResult<Dynamic>,
    given: &Dynamic,
) -> RhaiResult<()> {
    if !comparisons.is_changeable(given) {
        let text = format!(
            "No writable property '{name}' - a setter is not registered for type '{kind}' to handle '{}'",
            given.type_name()
        );
        return Err(EvalAltResult::ErrorDotExpr(text, Position::NONE).into());
    }
    match comparisons.same(&now()?, given) {
        true => Ok(()),
        false => Err(lost(name, &format!(".{name}")).into()),
    }
}

/// Checks that a column that an index returned is given back as it was; rhai gives it back after each use. `name` is what messages call
/// it, `path` how a script writes it after the value that it belongs to.
///
/// # Errors
/// A value that differs from what is there now.
pub(in crate::script) fn check_unchanged(
    name: &str,
    path: &str,
    now: &ScriptArray,
    given: &Dynamic,
) -> RhaiResult<()> {
    let given = given.read_lock::<ScriptArray>();
    match given.is_some_and(|given| now.is_same(&given)) {
        true => Ok(()),
        false => Err(lost(name, path).into()),
    }
}

fn lost(name: &str, path: &str) -> Error {
    Error::invalid(format!(
        "{name} is a copy, and a change to it would be lost: take it into a variable (let x = …{path};), change that, and make a new \
         value of it"
    ))
}

/// Whether two numbers are equal; NaN equals NaN.
pub(in crate::script) fn same_number(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}
