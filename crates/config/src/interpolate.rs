//! The resolution of references: `${a.b}` in a text is the value of the key `a.b`.

use serde_yaml::{Mapping, Value};

use crate::{Error, Result};
use odesync_base::error;

use super::origin::Origins;
use super::renamed;
use super::tree;
use super::write;

/// Largest number of references, values and bytes that the resolution may produce, which stops references that double at every
/// step.
const MAX_WORK: usize = 1_000_000;
/// Largest depth of nested maps, lists and references.
const MAX_NESTED: usize = 3 * tree::MAX_DEPTH;

/// Returns a tree with every reference replaced by the value it refers to.
///
/// # Errors
/// References to keys that do not exist, with the nearest name; circular references; a list or map within a text; references
/// that are not closed or have an unknown form.
pub(super) fn resolve(root: &Value, origins: &Origins) -> Result<Value> {
    let mut resolver = Resolver {
        root,
        origins,
        in_progress: Vec::new(),
        work: 0,
        depth: 0,
    };
    resolver.value(root, "")
}

/// Returns the text that resolves to `text`, with `${` escaped.
pub(super) fn escape(text: &str) -> String {
    // Backslashes are escapes only before `${`; there each of them, and the `$`, needs another backslash.
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, after) = rest.split_at(start);
        out.push_str(before);
        out.extend(std::iter::repeat_n('\\', backslashes(before) + 1));
        out.push_str("${");
        rest = &after[2..];
    }
    out + rest
}

/// Returns whether a text contains a reference.
pub(super) fn is_reference(text: &str) -> bool {
    parse(text).is_ok_and(|pieces| pieces.iter().any(|piece| matches!(piece, Piece::Key(_))))
}

fn backslashes(text: &str) -> usize {
    text.len() - text.trim_end_matches('\\').len()
}

enum Piece<'a> {
    Text(String),
    Key(&'a str),
}

fn parse(text: &str) -> std::result::Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, after) = rest.split_at(start);
        let count = backslashes(before);
        literal.push_str(&before[..before.len() - count]);
        literal.extend(std::iter::repeat_n('\\', count / 2));
        rest = &after[2..];
        if count % 2 == 1 {
            literal.push_str("${");
            continue;
        }
        let Some(end) = rest.find('}') else {
            return Err(format!(
                "`{after}` has no closing brace; a plain ${{ is written \\${{"
            ));
        };
        let key = rest[..end].trim();
        rest = &rest[end + 1..];
        let good = |segment: &str| {
            !segment.is_empty()
                && segment
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        };
        if !key.split('.').all(good) {
            return Err(format!(
                "`${{{key}}}` is not a reference: it should be the full path of a key as ${{training.lr}}; a plain ${{ is written \\${{"
            ));
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Key(key));
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

struct Resolver<'a> {
    root: &'a Value,
    origins: &'a Origins,
    /// Keys of the references that are being resolved.
    in_progress: Vec<String>,
    work: usize,
    depth: usize,
}

impl<'a> Resolver<'a> {
    fn error(&self, path: &str, message: impl std::fmt::Display) -> Error {
        Error::invalid(format!("{path}: {message} (in {})", self.origins.of(path)))
    }

    fn charge(&mut self, work: usize, path: &str) -> Result<()> {
        self.work += work;
        if self.work > MAX_WORK {
            return Err(self.error(path, "the references ${…} grow without bounds"));
        }
        Ok(())
    }

    /// Returns `value`, which is at `path`, with all references resolved.
    fn value(&mut self, value: &Value, path: &str) -> Result<Value> {
        self.charge(1, path)?;
        if self.depth >= MAX_NESTED {
            return Err(self.error(path, "references ${…} are nested too deeply"));
        }
        self.depth += 1;
        let resolved = match value {
            Value::String(text) => self.text(text, path)?,
            Value::Sequence(list) => {
                let mut resolved = Vec::with_capacity(list.len());
                for (index, element) in list.iter().enumerate() {
                    resolved.push(self.value(element, &tree::join(path, &index.to_string()))?);
                }
                Value::Sequence(resolved)
            }
            Value::Mapping(map) => {
                let mut resolved = Mapping::with_capacity(map.len());
                for (key, value) in map {
                    let path = tree::join(path, key.as_str().unwrap_or_default());
                    resolved.insert(key.clone(), self.value(value, &path)?);
                }
                Value::Mapping(resolved)
            }
            other => other.clone(),
        };
        self.depth -= 1;
        Ok(resolved)
    }

    fn text(&mut self, text: &str, path: &str) -> Result<Value> {
        self.charge(text.len(), path)?;
        let pieces = parse(text).map_err(|message| self.error(path, message))?;
        if let [Piece::Key(key)] = pieces[..] {
            return self.follow(key, path);
        }
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(&text),
                Piece::Key(key) => {
                    let value = match self.follow(key, path)? {
                        Value::String(text) => text,
                        list_or_map @ (Value::Sequence(_) | Value::Mapping(_)) => {
                            let message = format!(
                                "${{{key}}} is {}, which cannot stand within a text",
                                tree::kind(&list_or_map)
                            );
                            return Err(self.error(path, message));
                        }
                        other => write::to_flow(&other),
                    };
                    self.charge(value.len(), path)?;
                    out.push_str(&value);
                }
            }
        }
        Ok(Value::String(out))
    }

    /// Returns the resolved value of the key `key`, which the value at `path` refers to.
    fn follow(&mut self, key: &str, path: &str) -> Result<Value> {
        if self.in_progress.iter().any(|followed| followed == key) {
            let circle = self.in_progress.join(" → ");
            return Err(self.error(path, format!("references go in a circle: {circle} → {key}")));
        }
        self.in_progress.push(key.to_string());
        let value = self.lookup(key, path)?;
        self.in_progress.pop();
        Ok(value)
    }

    fn lookup(&mut self, key: &str, path: &str) -> Result<Value> {
        let key = renamed::current(key).unwrap_or(key);
        let root = self.root;
        let mut found = root;
        let mut at = String::new();
        let mut rest = Some(key);
        while let Some(path_on) = rest {
            if let Value::String(text) = found {
                // The path continues below a reference: look it up in the resolved value of that.
                let target = self.text(text, &at)?;
                return match tree::get(&target, path_on) {
                    Some(value) => Ok(value.clone()),
                    None => Err(self.missing(&target, path_on, key, path)),
                };
            }
            let (segment, after) = match path_on.split_once('.') {
                Some((segment, after)) => (segment, Some(after)),
                None => (path_on, None),
            };
            found = match tree::child(found, segment) {
                Some(next) => next,
                None => return Err(self.missing(root, key, key, path)),
            };
            at = tree::join(&at, segment);
            rest = after;
        }
        self.value(found, &at)
    }

    /// Returns the error for a reference to `key` at `path`, where the path `rest` does not exist in `value`.
    fn missing(&self, value: &Value, rest: &str, key: &str, path: &str) -> Error {
        let mut found = value;
        let mut missing = rest;
        for segment in rest.split('.') {
            missing = segment;
            match tree::child(found, segment) {
                Some(next) => found = next,
                None => break,
            }
        }
        let known: Vec<&str> = match found {
            Value::Mapping(map) => tree::keys(map).collect(),
            _ => Vec::new(),
        };
        let error = error::unknown("key", missing, known.iter().copied());
        self.error(path, format!("${{{key}}} leads nowhere: {error}"))
    }
}
