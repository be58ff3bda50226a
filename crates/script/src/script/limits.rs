//! The limits on scripts. They are the same in debug and release builds; rhai's defaults are not.
//!
//! The stack size was determined by experiment: one level of a script's function calls takes about 10 kB, and one level of an
//! expression inside a function up to 3.5 kB (optimised rhai; about four times as much without optimisation), so `MAX_CALL_LEVELS
//! × MAX_FUNCTION_EXPR_DEPTH` levels need about 200 MB. The memory is reserved, and not used until a script goes that deep.

use rhai::{Array as List, Dynamic, Engine, ImmutableString, Map};

/// Stack sizes of a session's thread in bytes; the smaller ones are tried if the system refuses the larger.
pub const STACK_SIZES: [usize; 3] = [1 << 30, 512 << 20, 256 << 20];
/// Largest depth of function calls.
pub const MAX_CALL_LEVELS: usize = 256;
/// Largest depth of an expression or of blocks outside functions. A sum of n terms has depth n.
pub const MAX_EXPR_DEPTH: usize = 500;
/// Largest depth of an expression or of blocks in a function or closure.
pub const MAX_FUNCTION_EXPR_DEPTH: usize = 200;
/// Largest nesting depth of lists and maps. Copying and dropping them is recursive.
pub const MAX_NESTING: usize = 256;
/// Largest length of a string in bytes. One step of a script can add at most the length of a string it reads.
pub const MAX_STRING_SIZE: usize = 256 << 20;
/// Largest number of elements of a list or map, and of bytes of a string, where no counting allocator is installed.
const SIZE_WITHOUT_GAUGE: usize = 10_000_000;

/// Sets the limits that rhai checks.
///
/// Sizes are bounded by the counted memory. rhai's own limits on sizes are set only where that is unknown: with them every `push`
/// iterates over the whole list.
pub fn apply(engine: &mut Engine) {
    engine.set_max_call_levels(MAX_CALL_LEVELS);
    engine.set_max_expr_depths(MAX_EXPR_DEPTH, MAX_FUNCTION_EXPR_DEPTH);
    engine.set_max_operations(0);
    engine.set_max_variables(100_000);
    engine.set_max_functions(100_000);
    engine.set_max_modules(10_000);
    if super::memory::allocated().is_none() {
        engine.set_max_array_size(SIZE_WITHOUT_GAUGE);
        engine.set_max_map_size(SIZE_WITHOUT_GAUGE);
        engine.set_max_string_size(SIZE_WITHOUT_GAUGE);
    }
}

/// Returns the message about a value that is larger than allowed. `what` is rhai's name of the size or the reason given by
/// [`too_large`].
pub fn too_large_message(what: &str) -> String {
    let most = SIZE_WITHOUT_GAUGE;
    match what {
        "Size of array/BLOB" | "Size of BLOB" => format!(
            "too large: a list of more than {most} items; for numbers use an Array, for example zeros(n)"
        ),
        "Size of object map" => format!("too large: a map of more than {most} entries"),
        "Length of string" => format!("too large: a string of more than {most} bytes"),
        what => format!("too large: {what}"),
    }
}

/// Returns the reason for which a value is too large to go on with, if it is. Runs at every access to a variable, so it is cheap
/// and not exhaustive: see [`nested_deeper_than`].
pub fn too_large(value: &Dynamic) -> Option<String> {
    if value.is_array() || value.is_map() {
        return nested_deeper_than(value, MAX_NESTING)
            .then(|| format!("lists in lists more than {MAX_NESTING} deep"));
    }
    if !value.is_string() {
        return None;
    }
    let length = value.read_lock::<ImmutableString>()?.len();
    (length > MAX_STRING_SIZE).then(|| {
        format!(
            "a string of more than {}",
            super::memory::format_bytes(MAX_STRING_SIZE)
        )
    })
}

/// Returns whether lists and maps are nested in `value` more than `levels` deep.
///
/// Only both ends of a list or map are checked, and `MAX_CHECKED_CONTAINERS` lists and maps in all. The large stack holds values
/// that are built to evade this check.
pub fn nested_deeper_than(value: &Dynamic, levels: usize) -> bool {
    let mut left = MAX_CHECKED_CONTAINERS;
    exceeds_depth(value, levels, &mut left)
}

/// Number of items checked at each end of a list.
const CHECKED_PER_END: usize = 8;
/// Largest number of lists and maps checked in one value.
const MAX_CHECKED_CONTAINERS: usize = 1024;

fn exceeds_depth(value: &Dynamic, levels: usize, left: &mut usize) -> bool {
    let list = value.is_array();
    if !list && !value.is_map() {
        return false;
    }
    if levels == 0 {
        return true;
    }
    if *left == 0 {
        return false;
    }
    *left -= 1;
    if list {
        let Some(list) = value.read_lock::<List>() else {
            return false;
        };
        let back = list
            .len()
            .saturating_sub(CHECKED_PER_END)
            .max(CHECKED_PER_END);
        return list
            .iter()
            .take(CHECKED_PER_END)
            .chain(list.iter().skip(back))
            .any(|item| exceeds_depth(item, levels - 1, left));
    }
    value.read_lock::<Map>().is_some_and(|map| {
        let back = map
            .len()
            .saturating_sub(CHECKED_PER_END)
            .min(CHECKED_PER_END);
        map.values()
            .take(CHECKED_PER_END)
            .chain(map.values().rev().take(back))
            .any(|item| exceeds_depth(item, levels - 1, left))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_counted_through_lists_and_maps() {
        let mut value = Dynamic::from(1.0);
        for level in 0..10 {
            value = if level % 2 == 0 {
                Dynamic::from_array(vec![value])
            } else {
                Dynamic::from_map([("a".into(), value)].into_iter().collect())
            };
        }
        assert!(nested_deeper_than(&value, 9));
        assert!(!nested_deeper_than(&value, 10));
    }

    #[test]
    fn siblings_do_not_hide_the_depth() {
        let mut value = Dynamic::from(1.0);
        let empty = || Dynamic::from_array(List::new());
        for _ in 0..300 {
            value = Dynamic::from_array(vec![empty(), value, empty()]);
        }
        assert!(too_large(&value).is_some());
        let matrix: List = (0..100)
            .map(|_| vec![Dynamic::from(1.0); 100].into())
            .collect();
        assert!(too_large(&matrix.into()).is_none());
    }
}
