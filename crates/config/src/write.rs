//! The writer of a tree as YAML text: maps in lines, lists in one line, and every value so that it reads back as the same bits.
//!
//! The serialiser of the YAML crate writes each list element on a separate line, and floats as `1e-9`, which readers of YAML 1.1
//! (PyYAML) take for text. An override needs values in one line, too.

use std::fmt::Write;

use serde_yaml::{Mapping, Number, Value};

use super::{flow_yaml, interpolate};

/// Returns a tree as the text of a file. `${` in texts is escaped, so that it is not taken for a reference.
pub(super) fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Mapping(map) if !map.is_empty() => block(map, 0, &mut out),
        other => {
            line(other, true, &mut out);
            out.push('\n');
        }
    }
    out
}

/// Returns a value in one line, as in overrides. `${` is not escaped.
pub(super) fn to_flow(value: &Value) -> String {
    let mut out = String::new();
    line(value, false, &mut out);
    out
}

fn block(map: &Mapping, indent: usize, out: &mut String) {
    for (key, value) in map {
        out.extend(std::iter::repeat_n(' ', indent));
        line(key, false, out);
        out.push(':');
        match value {
            Value::Mapping(map) if !map.is_empty() => {
                out.push('\n');
                block(map, indent + 2, out);
            }
            other => {
                out.push(' ');
                line(other, true, out);
                out.push('\n');
            }
        }
    }
}

fn line(value: &Value, escape: bool, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => out.push_str(&number(value)),
        Value::String(value) if escape => push_text(&interpolate::escape(value), out),
        Value::String(value) => push_text(value, out),
        Value::Sequence(list) => {
            out.push('[');
            for (i, element) in list.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                line(element, escape, out);
            }
            out.push(']');
        }
        Value::Mapping(map) => {
            out.push('{');
            for (i, (key, value)) in map.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                line(key, false, out);
                out.push_str(": ");
                line(value, escape, out);
            }
            out.push('}');
        }
        // No checked tree has tags; in a message the value without its tag is enough.
        Value::Tagged(tagged) => line(&tagged.value, escape, out),
    }
}

/// Returns a number as text; a float with a point, and with a sign in its exponent, as YAML 1.1 requires.
pub(super) fn number(number: &Number) -> String {
    let value = match number.as_f64() {
        Some(value) if number.is_f64() && value.is_finite() => value,
        _ => return number.to_string(),
    };
    let shortest = format!("{value:?}");
    match shortest.split_once('e') {
        None => shortest,
        Some((digits, exponent)) => {
            let point = if digits.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{digits}{point}e{sign}{exponent}")
        }
    }
}

/// Appends a text, in quotes unless every YAML reader takes it for text without them.
fn push_text(text: &str, out: &mut String) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            // Writing to a String cannot fail.
            c if c as u32 <= 0xffff => drop(write!(out, "\\u{:04x}", c as u32)),
            c => drop(write!(out, "\\U{:08x}", c as u32)),
        }
    }
    out.push('"');
}

fn is_plain(text: &str) -> bool {
    // YAML 1.1 takes these for true and false.
    const WORDS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '/')
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "_-./".contains(c))
        && !WORDS.contains(&text.to_lowercase().as_str())
        && matches!(flow_yaml::scalar(text), Ok(Value::String(_)))
}
