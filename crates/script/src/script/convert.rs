//! Conversions of script values to numbers, strings and arrays.

use ndarray::{ArrayD, ArrayViewD, IxDyn};
use rhai::{Array as List, Dynamic, ImmutableString, Map};

use crate::{Error, Result};
use odesync_base::options::Value;
use odesync_base::text::count_of;

use super::dense::{ScriptArray, elements};
use super::memory::check_floats;

/// Largest number of dimensions of an array.
pub const MAX_RANK: usize = 8;

/// Returns the value as a number; integers are converted to floats. `None` for another type.
pub fn to_number(value: &Dynamic) -> Option<f64> {
    match value.as_float() {
        Ok(x) => Some(x),
        Err(_) => value.as_int().ok().map(|n| n as f64),
    }
}

/// Reads a number; `what` names the argument in messages.
///
/// # Errors
/// [`Error::Invalid`] for a value of another type.
pub fn number(value: &Dynamic, what: &str) -> Result<f64> {
    to_number(value).ok_or_else(|| {
        Error::invalid(format!(
            "{what} should be a number, not {}",
            describe(value)
        ))
    })
}

/// Returns the value as a string; `None` for another type.
pub fn to_text(value: &Dynamic) -> Option<String> {
    value
        .read_lock::<ImmutableString>()
        .map(|text| text.to_string())
}

/// Returns the name of a value's type as scripts know it.
pub fn type_name(value: &Dynamic) -> String {
    script_type_name(value.type_name())
}

/// Returns the script's name of a type whose rhai name is given.
pub(super) fn script_type_name(name: &str) -> String {
    match name.trim() {
        "i64" => "int".into(),
        "f64" => "float".into(),
        "array" => "list".into(),
        "Fn" => "closure".into(),
        "ImmutableString" | "&str" | "&str | ImmutableString | String" => "string".into(),
        // A type of this crate, or of a crate above it: the last part of its path, without the prefix `Script` of the Rust name.
        other => {
            let name = other.rsplit("::").next().unwrap_or(other);
            name.strip_prefix("Script").unwrap_or(name).into()
        }
    }
}

/// Prepends the indefinite article ("a" or "an") to a noun.
pub(super) fn with_article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

/// Describes a value for messages: "-1 (int)", "a list", "an Array of shape [3, 2]".
pub fn describe(value: &Dynamic) -> String {
    if let Some(array) = value.read_lock::<ScriptArray>() {
        return format!("an Array of shape {:?}", array.shape());
    }
    if let Some(text) = to_text(value) {
        let short: String = text.chars().take(40).collect();
        let dots = if short.len() < text.len() { "…" } else { "" };
        return format!("\"{short}{dots}\" (string)");
    }
    if let Some(list) = value.read_lock::<List>() {
        return format!("a list of {}", list.len());
    }
    match value.type_name() {
        "()" => "()".into(),
        "i64" | "f64" | "bool" | "char" => format!("{value} ({})", type_name(value)),
        _ => with_article(&type_name(value)),
    }
}

/// Converts a value to that of an option; what no option takes, such as a closure, keeps its description only.
pub(super) fn to_option_value(value: &Dynamic) -> Value {
    value_within(value, 0)
}

fn value_within(value: &Dynamic, depth: usize) -> Value {
    if value.is_unit() {
        return Value::Unit;
    }
    if let Ok(flag) = value.as_bool() {
        return Value::Bool(flag);
    }
    if let Ok(n) = value.as_int() {
        return Value::Int(n);
    }
    if let Ok(x) = value.as_float() {
        return Value::Float(x);
    }
    if let Some(text) = to_text(value) {
        return Value::Text(text);
    }
    if let Some(array) = value.read_lock::<ScriptArray>() {
        return array_value(array.data().view());
    }
    if depth < MAX_RANK {
        if let Some(list) = value.read_lock::<List>() {
            return Value::List(list.iter().map(|x| value_within(x, depth + 1)).collect());
        }
        if let Some(map) = value.read_lock::<Map>() {
            let entry = |(key, x): (&rhai::Identifier, &Dynamic)| {
                (key.to_string(), value_within(x, depth + 1))
            };
            return Value::Map(map.iter().map(entry).collect());
        }
    }
    Value::Other(describe(value))
}

fn array_value(array: ArrayViewD<'_, f64>) -> Value {
    match array.ndim() {
        0 => Value::Float(array.first().copied().unwrap_or(f64::NAN)),
        _ => Value::List(array.outer_iter().map(array_value).collect()),
    }
}

/// Describes a shape given by a script as the script wrote it.
pub(super) fn describe_shape(shape: &Dynamic) -> String {
    match shape.read_lock::<List>() {
        Some(list) if list.len() <= 2 * MAX_RANK => format!("{:?}", &*list),
        _ => match shape.as_int() {
            Ok(n) => format!("[{n}]"),
            Err(_) => describe(shape),
        },
    }
}

/// Converts a number (rank 0), a list of numbers, a list of lists (of `Array`s) or an `Array` to an array. `what` names the
/// argument in messages.
///
/// # Errors
/// [`Error::Invalid`] for a ragged list or an item that is no number, with its index, and for more than there is memory for.
pub fn to_array(value: &Dynamic, what: &str) -> Result<ArrayD<f64>> {
    if let Some(array) = value.read_lock::<ScriptArray>() {
        check_floats(what, array.data().len())?;
        return Ok(array.data().clone());
    }
    let n = count(value, 0);
    check_floats(what, n)?;
    let mut shape = Vec::new();
    let mut data = Vec::with_capacity(n);
    flatten(value, what, &mut Vec::new(), &mut shape, &mut data)?;
    ArrayD::from_shape_vec(IxDyn(&shape), data)
        .map_err(|_| Error::invalid(format!("{what} is not an array of shape {shape:?}")))
}

/// Returns how many numbers there are in a value, `depth` lists below the outermost.
fn count(value: &Dynamic, depth: usize) -> usize {
    if let Some(array) = value.read_lock::<ScriptArray>() {
        return array.data().len();
    }
    match value.read_lock::<List>() {
        Some(list) if depth < MAX_RANK => list.iter().map(|item| count(item, depth + 1)).sum(),
        Some(_) => 0,
        None => 1,
    }
}

/// Appends the numbers in `value`, the item at `index`, to the flat data. The first item at each level fixes the shape.
fn flatten(
    value: &Dynamic,
    what: &str,
    index: &mut Vec<usize>,
    shape: &mut Vec<usize>,
    data: &mut Vec<f64>,
) -> Result<()> {
    let depth = index.len();
    let first = index.iter().all(|i| *i == 0);
    let mut meet = |found: &[usize]| {
        if first && shape.len() == depth {
            shape.extend(found);
        }
        let expected = shape.get(depth..).unwrap_or_default();
        if expected == found || (expected.starts_with(found) && found.len() == 1) {
            return Ok(());
        }
        let position = match &index[..] {
            [i] => i.to_string(),
            index => format!("{index:?}"),
        };
        let describe_item = |shape: &[usize]| match shape {
            [] => "a number".to_string(),
            [length] => format!("a list of {length}"),
            shape => format!("of shape {shape:?}"),
        };
        Err(Error::invalid(match (found, expected) {
            ([n], [before, ..]) => format!(
                "{what}: the rows have different lengths: row {position} has {}, those before it {before}",
                count_of(*n, "entry")
            ),
            (found, expected) => format!(
                "{what}: the items are not alike: item {position} is {}, those before it are each {}",
                describe_item(found),
                describe_item(expected)
            ),
        }))
    };
    if let Some(x) = to_number(value) {
        meet(&[])?;
        data.push(x);
        return Ok(());
    }
    let too_deep = || Error::invalid(format!("{what} has more than {MAX_RANK} dimensions"));
    if let Some(array) = value.read_lock::<ScriptArray>() {
        if depth + array.shape().len() > MAX_RANK {
            return Err(too_deep());
        }
        meet(array.shape())?;
        data.extend(array.data().iter());
        return Ok(());
    }
    let Some(list) = value.read_lock::<List>() else {
        return Err(Error::invalid(if index.is_empty() {
            format!(
                "{what} should be an Array, a list of numbers or a number, not {}",
                describe(value)
            )
        } else {
            format!(
                "{what}: item {index:?} should be a number, not {}",
                describe(value)
            )
        }));
    };
    if depth == MAX_RANK {
        return Err(too_deep());
    }
    meet(&[list.len()])?;
    for (i, item) in list.iter().enumerate() {
        index.push(i);
        flatten(item, what, index, shape, data)?;
        index.pop();
    }
    Ok(())
}

/// Converts a list of numbers or an `Array` of rank 1 to a vector.
///
/// # Errors
/// See [`to_array`]; [`Error::Invalid`] for another rank.
pub fn to_vector(value: &Dynamic, what: &str) -> Result<Vec<f64>> {
    let array = to_array(value, what)?;
    match array.ndim() {
        1 => Ok(elements(array)),
        _ => array_to_vector(&array, what),
    }
}

/// Converts an array of rank 1 to a vector.
///
/// # Errors
/// [`Error::Invalid`] for another rank.
pub fn array_to_vector(array: &ArrayD<f64>, what: &str) -> Result<Vec<f64>> {
    if array.ndim() != 1 {
        return Err(Error::invalid(format!(
            "{what} should be a vector, not {}",
            match array.ndim() {
                0 => "a number (write [x] for one)".to_string(),
                _ => format!("of shape {:?}", array.shape()),
            }
        )));
    }
    Ok(array.iter().copied().collect())
}

/// Converts a list of whole numbers, or one whole number, to a shape.
///
/// # Errors
/// [`Error::Invalid`] for a negative or fractional number, or for too many dimensions.
pub fn to_shape(value: &Dynamic, what: &str) -> Result<Vec<usize>> {
    let wrong = || {
        Error::invalid(format!(
            "{what} should be a list of at most {MAX_RANK} sizes such as [3, 2], not {}",
            match value.is_array() {
                true => describe_shape(value),
                false => describe(value),
            }
        ))
    };
    let size = |item: &Dynamic| item.as_int().ok().and_then(|n| usize::try_from(n).ok());
    if let Some(n) = size(value) {
        return Ok(vec![n]);
    }
    let list = value.read_lock::<List>().ok_or_else(wrong)?;
    if list.is_empty() || list.len() > MAX_RANK {
        return Err(wrong());
    }
    list.iter()
        .map(|item| size(item).ok_or_else(wrong))
        .collect()
}

/// Resolves a script's index into an axis of the given length; a negative index counts from the end, as in lists.
///
/// # Errors
/// [`Error::Invalid`] that names the length.
pub fn to_index(index: i64, length: usize, what: &str) -> Result<usize> {
    let found = if index < 0 {
        usize::try_from(index.unsigned_abs())
            .ok()
            .and_then(|back| length.checked_sub(back))
    } else {
        usize::try_from(index).ok().filter(|i| *i < length)
    };
    found.ok_or_else(|| {
        Error::invalid(match length {
            0 => format!("index {index} is out of range: {what} is empty"),
            1 => format!(
                "index {index} is out of range: {what} has length 1 (0, or -1 from the end)"
            ),
            _ => format!(
                "index {index} is out of range: {what} has length {length} (0 to {}, or -1 to -{length} from the end)",
                length - 1
            ),
        })
    })
}
