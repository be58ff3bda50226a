//! The cells of a sheet of an Excel workbook.

use std::collections::BTreeMap;
use std::path::Path;

use quick_xml::events::Event;

use super::options::TableOptions;
use super::serial_dates::{NumberStyle, moment};
use super::workbook::{Workbook, attribute, push_text, visit_events};
use super::{check_size, damaged, format::TableFormat};
use crate::datasets::csv::{CellGrid, GridCell};
use crate::datasets::{Column, data_error};
use odesync_base::error::{Error, Result, unknown};
use odesync_base::text::count_of;

/// The cells that are not empty, by row and column from 0.
type SheetCells = BTreeMap<usize, Vec<(usize, GridCell)>>;

/// Most rows and columns of a sheet.
const MAX_ROWS: usize = 1 << 20;
const MAX_COLUMNS: usize = 1 << 14;

/// Reads a sheet: the one that the options name, else the first.
pub(super) fn read_sheet(path: &Path, bytes: &[u8], options: &TableOptions) -> Result<CellGrid> {
    let mut book = Workbook::new(path, bytes)?;
    let mut notes = vec![];
    let index = choose_sheet(path, &book.sheets, options.sheet.as_ref(), &mut notes)?;
    let Some((name, part)) = book.sheets.get(index).cloned() else {
        return Err(data_error(
            path,
            None,
            None,
            "the workbook has no sheet with cells",
        ));
    };
    let xml = book
        .part(&part)?
        .ok_or_else(|| damaged(path, TableFormat::Excel, &format!("there is no {part}")))?;
    let reader = SheetReader {
        path,
        strings: book.shared_strings()?,
        styles: book.number_styles()?,
        is_1904: book.is_1904,
    };
    let mut cells = reader.read_cells(&xml)?;
    drop((xml, reader));
    cells.retain(|row, cells| *row >= options.csv.skip && !cells.is_empty());
    leave_out_titles(&mut cells, &mut notes);
    if cells.is_empty() {
        return Err(data_error(
            path,
            None,
            None,
            format!("the sheet \"{name}\" is empty: it needs a row for each time"),
        ));
    }
    let mut grid = dense(path, cells)?;
    grid.notes = notes;
    Ok(grid)
}

/// Returns the index of the sheet to read.
fn choose_sheet(
    path: &Path,
    sheets: &[(String, String)],
    wanted: Option<&Column>,
    notes: &mut Vec<String>,
) -> Result<usize> {
    let names = || sheets.iter().map(|(name, _)| name.as_str());
    let at = |e: Error| data_error(path, None, None, e.to_string());
    match wanted {
        Some(Column::Name(name)) => names()
            .position(|own| own == name)
            // On a command line a number is text.
            .or_else(|| name.parse().ok().filter(|index| *index < sheets.len()))
            .ok_or_else(|| at(unknown("sheet", name, names()))),
        Some(Column::Index(index)) if *index >= sheets.len() => Err(data_error(
            path,
            None,
            None,
            format!(
                "there is no sheet {index}, counted from 0: the workbook has {}",
                quoted(names())
            ),
        )),
        Some(Column::Index(index)) => Ok(*index),
        None => {
            if let [(first, _), others @ ..] = sheets
                && !others.is_empty()
            {
                let others = others.iter().map(|(name, _)| name.as_str());
                notes.push(format!(
                    "the sheet is \"{first}\"; {} can be chosen by sheet",
                    quoted(others)
                ));
            }
            Ok(0)
        }
    }
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    names.join(", ")
}

/// Leaves out rows above the table that hold a single cell: titles and remarks.
fn leave_out_titles(cells: &mut SheetCells, notes: &mut Vec<String>) {
    if cells.values().all(|row| row.len() < 2) {
        return;
    }
    let mut count = 0;
    while let Some(row) = cells.first_entry().filter(|row| row.get().len() < 2) {
        row.remove();
        count += 1;
    }
    if count > 0 {
        notes.push(format!(
            "left out: {} with a single cell above the table",
            count_of(count, "row")
        ));
    }
}

/// Returns the rows with all cells between the first and the last column.
fn dense(path: &Path, cells: SheetCells) -> Result<CellGrid> {
    let columns = || cells.values().flatten().map(|(column, _)| *column);
    let first = columns().min().unwrap_or_default();
    let width = columns().max().unwrap_or_default() + 1 - first;
    check_size(path, cells.len(), width)?;
    let mut rows = Vec::with_capacity(cells.len());
    for (number, row) in cells {
        let mut all = vec![GridCell::Missing; width];
        for (column, cell) in row {
            if let Some(place) = all.get_mut(column - first) {
                *place = cell;
            }
        }
        rows.push((number + 1, all));
    }
    Ok(CellGrid {
        rows,
        ..CellGrid::default()
    })
}

struct SheetReader<'a> {
    path: &'a Path,
    strings: Vec<String>,
    styles: Vec<NumberStyle>,
    is_1904: bool,
}

impl SheetReader<'_> {
    fn read_cells(&self, xml: &str) -> Result<SheetCells> {
        let mut cells = SheetCells::new();
        let (mut row, mut column) = (0, 0);
        let (mut kind, mut style) = (String::new(), NumberStyle::Number);
        let (mut text, mut is_value, mut phonetic) = (String::new(), false, false);
        let mut count = 0;
        visit_events(self.path, xml, |event| {
            match &event {
                Event::Start(element) => match element.local_name().as_ref() {
                    "row" => {
                        if let Some(number) = attribute(element, "r") {
                            row = self.row_of(&number)?;
                        }
                        column = 0;
                    }
                    "c" => {
                        if let Some(place) = attribute(element, "r") {
                            (row, column) = self.place_of(&place)?;
                        }
                        kind = attribute(element, "t").unwrap_or_default();
                        let index = attribute(element, "s").and_then(|s| s.parse::<usize>().ok());
                        let of_cell = index.and_then(|index| self.styles.get(index));
                        style = of_cell.copied().unwrap_or_default();
                        text.clear();
                    }
                    "v" => is_value = true,
                    "t" => is_value = !phonetic,
                    "rPh" => phonetic = true,
                    _ => {}
                },
                Event::End(element) => match element.local_name().as_ref() {
                    "v" | "t" => is_value = false,
                    "rPh" => phonetic = false,
                    "c" => {
                        let cell = self.cell(&kind, style, &text)?;
                        if cell != GridCell::Missing {
                            count += 1;
                            check_size(self.path, count, 1)?;
                            cells.entry(row).or_default().push((column, cell));
                        }
                        column += 1;
                    }
                    "row" => row += 1,
                    _ => {}
                },
                _ if is_value => push_text(&event, &mut text),
                _ => {}
            }
            Ok(())
        })?;
        Ok(cells)
    }

    /// Returns the content of a cell, of the type that the sheet gives it.
    fn cell(&self, kind: &str, style: NumberStyle, text: &str) -> Result<GridCell> {
        let as_text = |text: &str| match text.trim().is_empty() {
            true => GridCell::Missing,
            false => GridCell::Text(text.to_string()),
        };
        Ok(match kind {
            "s" => {
                let shared = text.trim().parse::<usize>().ok();
                let shared = shared.and_then(|index| self.strings.get(index));
                as_text(shared.ok_or_else(|| self.damaged("a shared text that is not there"))?)
            }
            "b" => GridCell::Text(if text.trim() == "1" { "True" } else { "False" }.into()),
            "str" | "inlineStr" | "e" | "d" => as_text(text),
            _ if text.trim().is_empty() => GridCell::Missing,
            _ => {
                let number = text.trim().parse::<f64>();
                let number = number.map_err(|_| self.damaged("a number that is none"))?;
                let written = match style {
                    NumberStyle::Number => None,
                    style => moment(number, style, self.is_1904),
                };
                written.map_or(GridCell::Number(number), GridCell::Text)
            }
        })
    }

    fn damaged(&self, why: &str) -> Error {
        damaged(self.path, TableFormat::Excel, why)
    }

    /// Returns the index of the row with this number.
    fn row_of(&self, number: &str) -> Result<usize> {
        let index = number
            .parse::<usize>()
            .ok()
            .filter(|n| (1..=MAX_ROWS).contains(n));
        Ok(index.ok_or_else(|| self.damaged("a row without a number"))? - 1)
    }

    /// Returns row and column of a place such as `B3`.
    fn place_of(&self, place: &str) -> Result<(usize, usize)> {
        let letters = place.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = place.get(letters.len()..).unwrap_or_default();
        let column = letters.bytes().try_fold(0_usize, |column, letter| {
            let digit = letter
                .is_ascii_uppercase()
                .then(|| usize::from(letter - b'A') + 1)?;
            Some(column * 26 + digit).filter(|column| *column <= MAX_COLUMNS)
        });
        match column.filter(|column| *column > 0) {
            Some(column) => Ok((self.row_of(number)?, column - 1)),
            None => Err(self.damaged("a cell without a place")),
        }
    }
}
