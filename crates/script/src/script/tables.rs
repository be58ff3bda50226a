//! The binding `table(rows)`: a list of maps as aligned text.

use rhai::{Array as List, Dynamic, Map};

use super::array::ScriptArray;
use super::convert;
use super::keys::Keys;
use super::options::Options;
use super::registry::Registry;
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Count, Maybe, TextList};
use odesync_base::tables::{AlignedTable, TableCell, format_number};

/// Largest nesting depth to which lists are shown.
const MAX_DEPTH: usize = 3;

/// Largest number of characters of a cell.
const MAX_CELL_WIDTH: usize = 200;

/// Converts a value to the cell that shows it.
pub(super) fn cell(value: &Dynamic) -> TableCell {
    if let Ok(n) = value.as_int() {
        return TableCell::Count(n);
    }
    match value.as_float() {
        Ok(x) => TableCell::Number(x),
        Err(_) if value.is_unit() => TableCell::Empty,
        Err(_) => TableCell::Text(
            text(value, MAX_DEPTH)
                .chars()
                .take(MAX_CELL_WIDTH)
                .collect(),
        ),
    }
}

fn text(value: &Dynamic, depth: usize) -> String {
    if let Some(text) = convert::to_text(value) {
        return text;
    }
    if let Ok(x) = value.as_float() {
        return format_number(x, 6);
    }
    if let Some(array) = value.read_lock::<ScriptArray>() {
        return array.to_string();
    }
    if let Some(list) = value.read_lock::<List>() {
        if depth == 0 {
            return "[…]".into();
        }
        let items: Vec<String> = list
            .iter()
            .take(MAX_CELL_WIDTH)
            .map(|x| text(x, depth - 1))
            .collect();
        return format!("[{}]", items.join(", "));
    }
    match value.type_name() {
        "bool" | "char" | "i64" => value.to_string(),
        _ => convert::describe(value),
    }
}

option_set! {
    /// Options of a table.
    #[derive(Debug)]
    struct TableOptions {
        /// Names of the columns, in their order.
        columns: Option<Vec<String>> as Maybe<TextList> = None, "all, by name";
        /// Number of significant digits, at most 17.
        digits: usize as Count = 4;
    }
}

const TABLE: Keys = &[TableOptions::OPTIONS];

fn table(rows: &List, mut options: Options) -> Result<String> {
    let mut read = TableOptions::default();
    options.read_set(&mut read)?;
    options.finish()?;
    let TableOptions { columns, digits } = read;
    if digits > 17 {
        return Err(Error::invalid(format!(
            "table: a float has at most 17 digits, not {digits}"
        )));
    }
    let rows: Vec<Map> = rows
        .iter()
        .enumerate()
        .map(|(i, row)| {
            row.clone().try_cast::<Map>().ok_or_else(|| {
                Error::invalid(format!(
                    "table: row {i} should be a map such as #{{ method: \"vanilla\", mse: 0.1 }}, not {}",
                    convert::describe(row)
                ))
            })
        })
        .collect::<Result<_>>()?;
    let mut known: Vec<String> = rows
        .iter()
        .flat_map(Map::keys)
        .map(|k| k.to_string())
        .collect();
    known.sort();
    known.dedup();
    let columns = columns.unwrap_or_else(|| known.clone());
    if let Some(column) = columns.iter().find(|c| !known.contains(c))
        && !rows.is_empty()
    {
        let known = known.iter().map(String::as_str);
        let unknown = odesync_base::error::unknown("column", column, known);
        return Err(Error::invalid(format!("table: {unknown}")));
    }
    let mut table = AlignedTable::new(columns.clone());
    for row in &rows {
        let cells = columns.iter().map(|c| row.get(c.as_str()));
        table.push(cells.map(|value| value.map_or(TableCell::Empty, cell)));
    }
    Ok(table.to_text(digits))
}

pub(super) fn register(reg: &mut Registry) {
    reg.function(
        "table([#{ name: value, … }, …], #{ columns: [\"name\", …], digits: 4 }) -> string",
        "A list of maps as aligned text, a row each. A map has no order, so the columns are sorted by name unless given. Numbers \
         have 4 significant digits and stand at the right.",
        "print(table([#{ method: \"vanilla\", mse: 0.0456 }, #{ method: \"homotopy\", mse: 0.008 }], #{ columns: [\"method\", \"mse\"] }))",
    )
    .options(TABLE)
    .body(|rows: List, options: Options| table(&rows, options));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(code: &str) -> List {
        rhai::Engine::new().eval::<List>(code).unwrap()
    }

    fn options(code: &str) -> Options {
        let map = rhai::Engine::new().eval::<Map>(code).unwrap();
        Options::new("table", TABLE, map)
    }

    #[test]
    fn columns_are_sorted_unless_given() {
        let rows = rows(r#"[#{ b: 1, a: "x" }, #{ a: (), b: 12.34567, c: [1, [2.5]] }]"#);
        assert_eq!(
            table(&rows, options("#{}")).unwrap(),
            "a      b  c\n────────────────────\nx      1\n   12.35  [1, [2.5]]"
        );
        assert_eq!(
            table(&rows, options(r#"#{ columns: ["b", "a"], digits: 2 }"#)).unwrap(),
            " b  a\n─────\n 1  x\n12"
        );
        assert_eq!(table(&List::new(), options("#{}")).unwrap(), "");
    }
}
