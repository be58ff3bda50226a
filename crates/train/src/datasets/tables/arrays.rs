//! Named arrays to the columns of a table.

use std::path::Path;

use super::array_choice::{choose_group, choose_parts, find_rows, refused};
use super::check_size;
use super::options::TableOptions;
use crate::datasets::csv::{CellGrid, GridCell};
use crate::datasets::{Column, CsvOptions, data_error};
use odesync_base::error::Result;

/// What the elements of an array are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ElementKind {
    Numbers,
    Texts,
    /// Something that is no column, in words.
    Other(String),
}

/// An array of a file, without its elements.
#[derive(Debug, Clone)]
pub(super) struct ArrayEntry {
    /// Name of the array, after those of its groups and `/`.
    pub name: String,
    pub shape: Vec<usize>,
    pub kind: ElementKind,
    pub units: String,
}

/// The elements of an array, in the order of the file.
#[derive(Debug, Clone)]
pub(super) enum ArrayElements {
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

/// A file of named arrays.
pub(super) trait ArraysOfFile {
    /// The arrays that there are.
    fn entries(&self) -> &[ArrayEntry];
    /// Whether the first index is the fastest, as in MATLAB.
    fn is_column_major(&self) -> bool;
    /// Reads the array with this index.
    fn read(&mut self, index: usize) -> Result<ArrayElements>;
}

impl ArrayElements {
    pub fn len(&self) -> usize {
        match self {
            ArrayElements::Numbers(values) => values.len(),
            ArrayElements::Texts(texts) => texts.len(),
        }
    }
}

impl ArrayEntry {
    /// Names the array with its shape, and with what it holds where that are no numbers.
    pub fn describe(&self) -> String {
        let kind = match &self.kind {
            ElementKind::Numbers => String::new(),
            ElementKind::Texts => " of text".into(),
            ElementKind::Other(what) => format!(" of {what}"),
        };
        format!("{} {:?}{kind}", self.name, self.shape)
    }

    /// Returns rows and columns; a vector has one column. `None` where it has no more than one element, or more dimensions.
    pub fn table_shape(&self) -> Option<(usize, usize)> {
        if matches!(self.kind, ElementKind::Other(_)) {
            return None;
        }
        match self.shape[..] {
            [n] | [1, n] | [n, 1] if n > 1 => Some((n, 1)),
            [n, k] if n > 1 && k > 1 => Some((n, k)),
            _ => None,
        }
    }

    pub fn is_vector(&self) -> bool {
        self.table_shape().is_some_and(|(_, columns)| columns == 1)
    }

    /// Returns the name of the group that holds the array.
    pub fn parent(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(parent, _)| parent)
    }
}

/// An array that is a part of the table.
pub(super) struct TablePart {
    pub index: usize,
    /// Name in the header.
    pub name: String,
    pub n_columns: usize,
    /// Whether a row of the table is a column of the array.
    pub is_transposed: bool,
}

/// Returns the table that the arrays of a file are, and the options that are left for its columns: an array that `state` names
/// stands for all its columns.
pub(super) fn grid_of_arrays(
    path: &Path,
    file: &mut dyn ArraysOfFile,
    options: &TableOptions,
) -> Result<(CellGrid, CsvOptions)> {
    let mut notes = vec![];
    let entries = file.entries().to_vec();
    let chosen = choose_group(path, &entries, options.group.as_deref(), &mut notes)?;
    let n_rows = find_rows(&entries, &chosen, &options.csv).ok_or_else(|| {
        refused(
            path,
            &entries,
            "no array has a value for each of several times",
        )
    })?;
    let parts = choose_parts(&entries, &chosen, n_rows, &mut notes);
    let width: usize = parts.iter().map(|part| part.n_columns).sum();
    check_size(path, n_rows, width)?;
    let mut rows: Vec<(usize, Vec<GridCell>)> = (1..=n_rows)
        .map(|number| (number, Vec::with_capacity(width)))
        .collect();
    let (mut header, mut units) = (vec![], vec![]);
    for part in &parts {
        push_columns(path, file, part, &mut rows)?;
        header.extend(column_names(part));
        let unit = entries.get(part.index).map(|entry| entry.units.clone());
        units.extend(std::iter::repeat_n(
            unit.unwrap_or_default(),
            part.n_columns,
        ));
    }
    // A single matrix has no names: its first column may be the time.
    let is_matrix = parts.len() == 1 && width > 1;
    if units.iter().all(String::is_empty) {
        units.clear();
    }
    let grid = CellGrid {
        header: (!is_matrix).then_some(header),
        units,
        rows,
        notes,
    };
    let mut csv = options.csv.clone();
    if is_matrix {
        // Numbers alone: the first row is no header.
        csv.header = Some(false);
    } else {
        csv.state = csv.state.map(|state| expand(state, &parts));
    }
    Ok((grid, csv))
}

/// Adds the columns of an array to the rows.
fn push_columns(
    path: &Path,
    file: &mut dyn ArraysOfFile,
    part: &TablePart,
    rows: &mut [(usize, Vec<GridCell>)],
) -> Result<()> {
    let elements = file.read(part.index)?;
    let (n, k) = (rows.len(), part.n_columns);
    // The index of the row is the faster one where the array is in the order of its columns, or lies on its side.
    let is_row_fastest = file.is_column_major() != part.is_transposed;
    let place = |i: usize, j: usize| match is_row_fastest {
        true => i + j * n,
        false => i * k + j,
    };
    let length = elements.len();
    if length != n * k {
        let why = format!(
            "\"{}\" has {length} elements and needs {}",
            part.name,
            n * k
        );
        return Err(data_error(path, None, None, why));
    }
    for (i, (_, row)) in rows.iter_mut().enumerate() {
        for j in 0..k {
            let cell = match &elements {
                ArrayElements::Numbers(values) => {
                    values.get(place(i, j)).copied().map(GridCell::Number)
                }
                ArrayElements::Texts(texts) => texts.get(place(i, j)).cloned().map(GridCell::Text),
            };
            row.push(cell.unwrap_or_default());
        }
    }
    Ok(())
}

/// Returns the names of an array's columns: `x`, or `x[1]`, `x[2]`, ….
fn column_names(part: &TablePart) -> Vec<String> {
    match part.n_columns {
        1 => vec![part.name.clone()],
        n => (1..=n).map(|j| format!("{}[{j}]", part.name)).collect(),
    }
}

/// Returns columns in which the name of an array stands for all its columns.
fn expand(columns: Vec<Column>, parts: &[TablePart]) -> Vec<Column> {
    let of_column = |column: Column| match &column {
        Column::Name(name) => match parts.iter().find(|part| part.name == *name) {
            Some(part) => column_names(part).into_iter().map(Column::Name).collect(),
            None => vec![column],
        },
        Column::Index(_) => vec![column],
    };
    columns.into_iter().flat_map(of_column).collect()
}
