//! Data as JSON: `{"t": [...], "u": [[...], ...]}`.

use std::path::Path;

use ndarray::{Array1, Array2, Array3};
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

use super::{Dataset, data_error, read_text};
use odesync_base::error::Result;
use odesync_base::text::count_of;

/// Content of the file.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonDataset {
    t: Nested,
    u: Nested,
    u0: Option<Nested>,
    names: Option<Vec<String>>,
}

/// Reads a dataset from an object with
///
/// - `t`: the times, `[time]`, or `[sample][time]` where each sample has its own;
/// - `u`: the values, `[time][dof]` or, for several samples, `[sample][time][dof]`; for one component `[time]` will do; `null`
///   is a missing value;
/// - `u0`, optional: the initial state, `[dof]` or `[sample][dof]`;
/// - `names`, optional: the components' names.
///
/// # Errors
/// A file that cannot be read; text that is not JSON, or not of this form, with line and column; lists of different lengths, with
/// the index at fault; invalid data as for [`Dataset::new`].
pub fn read_json(path: impl AsRef<Path>) -> Result<Dataset> {
    let path = path.as_ref();
    let text = read_text(path)?;
    if text.trim().is_empty() {
        return Err(data_error(path, None, None, "the file is empty"));
    }
    let file: JsonDataset = serde_json::from_str(&text).map_err(|e| {
        // serde_json ends its message with line and column, which the error reports itself.
        let message = e.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message);
        if let Some(fault) = not_json(&e, &text) {
            return data_error(path, fault.0, fault.1, fault.2);
        }
        let message = describe_error(&e, message);
        let hint = match is_nan_literal(&text, e.line(), e.column()) {
            true => ": JSON knows neither NaN nor infinity, write null for a missing value",
            false => "",
        };
        let (line, column) = (Some(e.line()), Some(e.column()));
        data_error(
            path,
            line.filter(|l| *l > 0),
            column,
            format!("{message}{hint}"),
        )
    })?;
    to_dataset(file).map_err(|message| data_error(path, None, None, message))
}

/// Returns line, column and message of a file that does not begin as it should; such a file is likely a table.
fn not_json(error: &serde_json::Error, text: &str) -> Option<(usize, usize, String)> {
    let start = text.trim_start();
    if start.starts_with('{') || (start.starts_with('[') && !error.is_data()) {
        return None;
    }
    let before = &text[..text.len() - start.len()];
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
    let first = start.lines().next().unwrap_or_default();
    let met: String = first.chars().take(20).collect();
    let dots = if met.len() < first.len() { "…" } else { "" };
    let form = "{ \"t\": [...], \"u\": [[...], ...] }";
    Some((
        line,
        column,
        match error.is_data() {
            true => format!("{met:?}{dots} stands where {form} should begin"),
            false => format!(
                "this is not JSON: {met:?}{dots} stands where {form} should begin; a table is read with read_csv"
            ),
        },
    ))
}

/// Returns the message of any other error in everyday words.
fn describe_error(error: &serde_json::Error, message: &str) -> String {
    match error.classify() {
        serde_json::error::Category::Eof => format!("the JSON is cut short ({message})"),
        serde_json::error::Category::Syntax => format!("the JSON is broken: {message}"),
        _ => message.replace('`', "\""),
    }
}

/// Whether there is a `NaN` or `Infinity`, as Python writes them, at the position of a syntax error.
fn is_nan_literal(text: &str, line: usize, column: usize) -> bool {
    let Some(line) = line.checked_sub(1).and_then(|l| text.lines().nth(l)) else {
        return false;
    };
    // The parser stops at the first letter, or a few characters later.
    let near = line.as_bytes();
    let near = &near[column.saturating_sub(10).min(near.len())..(column + 10).min(near.len())];
    let near = String::from_utf8_lossy(near);
    near.contains("NaN") || near.contains("Infinity")
}

fn to_dataset(file: JsonDataset) -> std::result::Result<Dataset, String> {
    let mut data = match (&file.t, &file.u) {
        (Nested::List(times), Nested::List(values))
            if matches!(times[..], [Nested::List(_), ..]) =>
        {
            ragged(times, values, file.u0)?
        }
        _ => uniform(&file)?,
    };
    if let Some(names) = file.names {
        data = data.with_names(names).map_err(|e| e.to_string())?;
    }
    Ok(data)
}

/// Creates a dataset of samples at the same times.
fn uniform(file: &JsonDataset) -> std::result::Result<Dataset, String> {
    let (shape, t) = file.t.flatten("t")?;
    if shape.len() != 1 {
        return Err("t must be the list of the times".into());
    }
    let (mut shape, values) = file.u.flatten("u")?;
    match shape.len() {
        1 => shape = vec![1, shape[0], 1],
        2 => shape.insert(0, 1),
        3 => {}
        rank => {
            return Err(format!(
                "u is nested {rank} deep: it must be [time][dof] or [sample][time][dof]"
            ));
        }
    }
    let (samples, dof) = (shape[0], shape[2]);
    let u = Array3::from_shape_vec((shape[0], shape[1], shape[2]), values)
        .map_err(|e| e.to_string())?;
    let u0 = file.u0.as_ref();
    let u0 = u0.map(|u0| parse_u0(u0, samples, dof)).transpose()?;
    Dataset::new(Array1::from(t), u, u0).map_err(|e| e.to_string())
}

/// Creates a dataset of samples with different times.
fn ragged(
    times: &[Nested],
    values: &[Nested],
    u0: Option<Nested>,
) -> std::result::Result<Dataset, String> {
    if times.len() != values.len() {
        return Err(format!(
            "t has the times of {} and u the values of {}",
            count_of(times.len(), "sample"),
            values.len()
        ));
    }
    let mut samples = vec![];
    for (i, (t, u)) in times.iter().zip(values).enumerate() {
        let (shape, t) = t.flatten(&format!("t[{i}]"))?;
        let (mut shape_u, u) = u.flatten(&format!("u[{i}]"))?;
        if shape_u.len() == 1 {
            shape_u.push(1);
        }
        let ([_], [times, dof]) = (&shape[..], &shape_u[..]) else {
            return Err(format!(
                "sample {i}: t[{i}] must be a list of times and u[{i}] a list of rows, [time][dof]"
            ));
        };
        let u = Array2::from_shape_vec((*times, *dof), u).map_err(|e| e.to_string())?;
        samples.push((Array1::from(t), u));
    }
    let dof = samples.first().map_or(0, |(_, u)| u.ncols());
    let u0 = u0.map(|u0| parse_u0(&u0, samples.len(), dof)).transpose()?;
    Dataset::ragged(samples, u0).map_err(|e| e.to_string())
}

fn parse_u0(u0: &Nested, samples: usize, dof: usize) -> std::result::Result<Array2<f64>, String> {
    let (shape, values) = u0.flatten("u0")?;
    let expected = [samples, dof];
    if shape != expected && !(samples == 1 && shape == expected[1..]) {
        return Err(format!(
            "u0 has shape {shape:?}: it must be [{samples}][{dof}] as u has {} of {}",
            count_of(samples, "sample"),
            count_of(dof, "component")
        ));
    }
    Array2::from_shape_vec((samples, dof), values).map_err(|e| e.to_string())
}

/// Nested lists of numbers, of any depth.
enum Nested {
    Value(f64),
    List(Vec<Nested>),
}

impl Nested {
    /// Returns shape and values in row-major order; `name` is the name of the list in messages.
    fn flatten(&self, name: &str) -> std::result::Result<(Vec<usize>, Vec<f64>), String> {
        let mut shape = Vec::new();
        let mut level = self;
        while let Self::List(list) = level {
            shape.push(list.len());
            match list.first() {
                Some(first) => level = first,
                None => break,
            }
        }
        let mut values = Vec::new();
        self.collect(name, &shape, &mut values)?;
        Ok((shape, values))
    }

    fn collect(
        &self,
        name: &str,
        shape: &[usize],
        values: &mut Vec<f64>,
    ) -> std::result::Result<(), String> {
        match (self, shape) {
            (Self::Value(value), []) => values.push(*value),
            (Self::List(list), [length, inner @ ..]) => {
                if list.len() != *length {
                    return Err(format!(
                        "the rows have different lengths: {name} has {}, those before it {length}",
                        count_of(list.len(), "entry")
                    ));
                }
                for (i, entry) in list.iter().enumerate() {
                    entry.collect(&format!("{name}[{i}]"), inner, values)?;
                }
            }
            (Self::Value(_), _) => {
                return Err(format!(
                    "the items are not alike: {name} is a number, those before it are each a list"
                ));
            }
            (Self::List(_), []) => {
                return Err(format!(
                    "the items are not alike: {name} is a list, those before it are each a number"
                ));
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Nested {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(NestedVisitor)
    }
}

struct NestedVisitor;

impl<'de> Visitor<'de> for NestedVisitor {
    type Value = Nested;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number, null for a missing value, or a list of them")
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Nested, E> {
        Ok(Nested::Value(value))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Nested, E> {
        Ok(Nested::Value(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Nested, E> {
        Ok(Nested::Value(value as f64))
    }

    fn visit_unit<E>(self) -> std::result::Result<Nested, E> {
        Ok(Nested::Value(f64::NAN))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Nested, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            entries.push(entry);
        }
        Ok(Nested::List(entries))
    }
}
