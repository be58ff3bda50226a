//! Changes to what a property returned: an error, where they would otherwise be lost.
//!
//! A property returns a copy. In `data.u[1][0] = 2.0` rhai reads the copy, changes it, and then asks a setter to take it back; without
//! a setter the change is lost without a word.

use rhai::{Array as List, Dynamic, EvalAltResult, Map, Position};

use crate::Error;
use crate::script::array::ScriptArray;
use crate::script::error::RhaiResult;

/// The setter of a property that can only be read. rhai also calls it after a method of the property's value, whether that changed
/// it or not: then there is nothing to say where the value is as it was.
///
/// # Errors
/// A value that can be changed in place and differs from what the property returns; for other values the error that rhai gives where
/// there is no setter.
pub(super) fn set(
    name: &str,
    kind: &str,
    now: impl FnOnce() -> RhaiResult<Dynamic>,
    given: &Dynamic,
) -> RhaiResult<()> {
    if !is_container(given) {
        let text = format!(
            "No writable property '{name}' - a setter is not registered for type '{kind}' to handle '{}'",
            given.type_name()
        );
        return Err(EvalAltResult::ErrorDotExpr(text, Position::NONE).into());
    }
    match same(&now()?, given) {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "{name} is a copy, and a change to it would be lost: take it into a variable (let x = ….{name};), change that, and make a \
             new value of it"
        ))
        .into()),
    }
}

/// Whether the value can be changed in place.
fn is_container(value: &Dynamic) -> bool {
    value.is_array() || value.is_map() || value.is::<ScriptArray>()
}

/// Whether two values are equal; NaN equals NaN.
fn same(a: &Dynamic, b: &Dynamic) -> bool {
    if let (Some(a), Some(b)) = (a.read_lock::<ScriptArray>(), b.read_lock::<ScriptArray>()) {
        let equal = |(x, y): (&f64, &f64)| x == y || (x.is_nan() && y.is_nan());
        return a.data().shape() == b.data().shape() && a.data().iter().zip(b.data()).all(equal);
    }
    if let (Some(a), Some(b)) = (a.read_lock::<List>(), b.read_lock::<List>()) {
        return a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b));
    }
    if let (Some(a), Some(b)) = (a.read_lock::<Map>(), b.read_lock::<Map>()) {
        let mut pairs = a.iter().zip(b.iter());
        return a.len() == b.len() && pairs.all(|((k, a), (l, b))| k == l && same(a, b));
    }
    if let (Ok(a), Ok(b)) = (a.as_float(), b.as_float()) {
        return a == b || (a.is_nan() && b.is_nan());
    }
    // Values of other types are not changed in place; plain ones are compared by what they print.
    a.type_id() == b.type_id()
        && (!a.is_string() && !a.is_int() && !a.is_bool() || a.to_string() == b.to_string())
}
