//! Whether there is room for a copy of a list, map, string or blob: rhai copies them where a variable is used, and asks nobody.

use rhai::{Array as List, Blob, Dynamic, ImmutableString, Map};

use super::memory::{allocated, format_bytes};

/// Copies of a text that one step makes: of the sum of two, and where its letters take four bytes each.
const COPIES_OF_TEXT: usize = 4;
/// Bytes of a list, map or other value that are not in it, with the allocator's own.
const HEADER: usize = 48;
/// Bytes of an entry of a map beside what lies in it.
const ENTRY: usize = 64;
/// Items of a list or map that are looked at; the others are taken to be as large as these.
const SAMPLE: usize = 16;
/// Lists in lists that are looked at.
const DEPTH: usize = 3;

/// Returns why the value is too large to be used, if it is: with a copy of it, more than `limit` bytes would be in use. Runs at every
/// access to a variable: as long as little is in use it costs nothing.
pub fn too_large(value: &Dynamic, limit: usize) -> Option<String> {
    let used = allocated()?;
    // What is in use holds the value.
    if used <= limit / (COPIES_OF_TEXT + 1) {
        return None;
    }
    let (what, size) = described(value)?;
    (used.saturating_add(size) > limit).then(|| {
        format!(
            "{what}, whose use may copy it and would take {}: a script may use {}; {} are in use",
            format_bytes(size),
            format_bytes(limit),
            format_bytes(used)
        )
    })
}

/// Returns what a value that may be large is, and how much memory its use may take.
fn described(value: &Dynamic) -> Option<(String, usize)> {
    if value.is_array() {
        let length = value.read_lock::<List>()?.len();
        return Some((format!("a list of {length} items"), beside(value, DEPTH)));
    }
    if value.is_map() {
        let length = value.read_lock::<Map>()?.len();
        return Some((format!("a map of {length} entries"), beside(value, DEPTH)));
    }
    let bytes = if value.is_string() {
        value.read_lock::<ImmutableString>()?.len()
    } else if value.is_blob() {
        value.read_lock::<Blob>()?.len()
    } else {
        return None;
    };
    let kind = if value.is_string() { "string" } else { "blob" };
    let size = bytes.saturating_mul(COPIES_OF_TEXT);
    Some((format!("a {kind} of {}", format_bytes(bytes)), size))
}

/// Returns an estimate of the bytes that a copy of the value takes beside its own few.
fn beside(value: &Dynamic, depth: usize) -> usize {
    if value.is_array() {
        let list = value.read_lock::<List>();
        return list.map_or(0, |list| {
            let items = list.len().saturating_mul(size_of::<Dynamic>());
            HEADER + items + of_sample(list.len(), list.iter(), depth)
        });
    }
    if value.is_map() {
        let map = value.read_lock::<Map>();
        return map.map_or(0, |map| {
            HEADER + map.len().saturating_mul(ENTRY) + of_sample(map.len(), map.values(), depth)
        });
    }
    if value.is_blob() {
        return HEADER + value.read_lock::<Blob>().map_or(0, |blob| blob.len());
    }
    // Copies of strings share their letters.
    let is_small = value.is_int()
        || value.is_float()
        || value.is_bool()
        || value.is_char()
        || value.is_unit()
        || value.is_string();
    if is_small { 0 } else { HEADER }
}

fn of_sample<'a>(length: usize, items: impl Iterator<Item = &'a Dynamic>, depth: usize) -> usize {
    if depth == 0 || length == 0 {
        return 0;
    }
    let sample = length.min(SAMPLE);
    let sum: usize = items
        .step_by(length / sample)
        .take(sample)
        .map(|item| beside(item, depth - 1))
        .fold(0, usize::saturating_add);
    (sum / sample).saturating_mul(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_lists_counts() {
        let numbers: List = vec![Dynamic::from(1.5); 1000];
        assert_eq!(beside(&numbers.clone().into(), DEPTH), HEADER + 16_000);
        let rows: List = vec![numbers.into(); 100];
        let (what, size) = described(&rows.into()).unwrap();
        assert_eq!(what, "a list of 100 items");
        assert_eq!(size, HEADER + 1600 + 100 * (HEADER + 16_000));
        let text = Dynamic::from("ab".repeat(100));
        assert_eq!(described(&text).unwrap().1, 800);
        assert!(described(&Dynamic::from(1)).is_none());
    }
}
