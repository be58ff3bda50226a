//! The arrays of a MATLAB file up to version 7.

use std::path::Path;

use super::arrays::{ArrayElements, ArrayEntry, ArraysOfFile, ElementKind, grid_of_arrays};
use super::format::TableFormat;
use super::mat_elements::{COMPRESSED, MATRIX, MatElement, MatElements};
use super::options::TableOptions;
use super::{check_size, damaged};
use crate::datasets::CsvOptions;
use crate::datasets::csv::CellGrid;
use odesync_base::error::Result;
use odesync_base::interrupt::check;
use odesync_base::memory::limit;

/// Bytes before the first array: a text, the version and the order of the bytes.
const HEADER: usize = 128;

/// Structures within structures.
const MAX_DEPTH: usize = 16;

/// Numbers take eight bytes in memory, and some only one in the file.
const MEMORY_OF_BYTE: usize = 16;

/// Reads the arrays with a value for each time as the columns of a table.
pub(super) fn read_arrays(
    path: &Path,
    bytes: &[u8],
    options: &TableOptions,
) -> Result<(CellGrid, CsvOptions)> {
    let mut file = MatFile::new(path, bytes)?;
    grid_of_arrays(path, &mut file, options)
}

/// The arrays of a file, and their elements.
struct MatFile {
    entries: Vec<ArrayEntry>,
    elements: Vec<Option<ArrayElements>>,
    is_big_endian: bool,
}

impl ArraysOfFile for MatFile {
    fn entries(&self) -> &[ArrayEntry] {
        &self.entries
    }

    fn is_column_major(&self) -> bool {
        true
    }

    fn read(&mut self, index: usize) -> Result<ArrayElements> {
        let elements = self.elements.get_mut(index).and_then(Option::take);
        Ok(elements.unwrap_or(ArrayElements::Numbers(vec![])))
    }
}

impl MatFile {
    fn new(path: &Path, bytes: &[u8]) -> Result<Self> {
        let mut file = MatFile {
            entries: vec![],
            elements: vec![],
            is_big_endian: bytes.get(126) == Some(&b'M'),
        };
        let body = bytes.get(HEADER..).unwrap_or_default();
        let cut = || damaged(path, TableFormat::Matlab, "");
        let mut elements = MatElements::new(body, file.is_big_endian);
        while !elements.is_at_end() {
            check()?;
            let element = elements.take_element().ok_or_else(cut)?;
            // Others belong to objects, and have no name.
            match element.kind {
                MATRIX => file.add_matrix(element.bytes, 0).ok_or_else(cut)?,
                COMPRESSED => {
                    let most = limit() / MEMORY_OF_BYTE;
                    check_size(path, element.bytes.len() / MEMORY_OF_BYTE, 1)?;
                    let unpacked = element.unpack(most).ok_or_else(cut)?;
                    let mut inner = MatElements::new(&unpacked, file.is_big_endian);
                    let matrix = inner.take_element().ok_or_else(cut)?;
                    if matrix.kind == MATRIX {
                        file.add_matrix(matrix.bytes, 0).ok_or_else(cut)?;
                    }
                }
                _ => {}
            }
            let held: usize = file.elements.iter().flatten().map(ArrayElements::len).sum();
            check_size(path, held / MEMORY_OF_BYTE, 1)?;
        }
        Ok(file)
    }

    /// Adds the arrays of an element; `None` where it is damaged.
    fn add_matrix(&mut self, bytes: &[u8], depth: usize) -> Option<()> {
        let mut parts = MatElements::new(bytes, self.is_big_endian);
        // Within structures an empty array may have no content at all.
        if parts.is_at_end() && depth > 0 {
            return Some(());
        }
        let flags = *parts.take_integers()?.first()?;
        let (class, is_complex) = (flags & 0xff, flags & 0x800 != 0);
        // Objects have other parts.
        if class == 17 {
            self.push(
                "(an object)".into(),
                vec![],
                "objects, such as tables and datetimes",
            );
            return Some(());
        }
        let shape = parts.take_integers()?;
        let shape: Option<Vec<usize>> =
            shape.into_iter().map(|n| usize::try_from(n).ok()).collect();
        let shape = shape?;
        let name = parts.take_text()?;
        let length = shape.iter().try_fold(1_usize, |n, k| n.checked_mul(*k))?;
        match class {
            6..=15 if is_complex => self.push(name, shape, "complex numbers"),
            6..=15 => {
                let values = parts.take_element()?.numbers(self.is_big_endian)?;
                if values.len() != length {
                    return None;
                }
                self.push(name, shape, "");
                *self.elements.last_mut()? = Some(ArrayElements::Numbers(values));
            }
            2 if length == 1 => self.add_fields(&mut parts, &name, depth)?,
            1 => self.add_cells(&mut parts, name, shape, length)?,
            2 => self.push(name, shape, "structures"),
            3 => self.push(name, shape, "objects"),
            4 => self.push(name, shape, "characters"),
            5 => self.push(name, shape, "sparse numbers"),
            _ => self.push(name, shape, "functions"),
        }
        Some(())
    }

    /// Adds an array without elements, of numbers where `what` is empty.
    fn push(&mut self, name: String, shape: Vec<usize>, what: &str) {
        let kind = match what {
            "" => ElementKind::Numbers,
            what => ElementKind::Other(what.into()),
        };
        self.entries.push(ArrayEntry {
            name,
            shape,
            kind,
            units: String::new(),
        });
        self.elements.push(None);
    }

    /// Adds the fields of a structure.
    fn add_fields(&mut self, parts: &mut MatElements<'_>, name: &str, depth: usize) -> Option<()> {
        if depth >= MAX_DEPTH {
            return None;
        }
        let width = usize::try_from(*parts.take_integers()?.first()?).ok()?;
        let names = parts.take_element()?.bytes;
        for field in names.chunks(width.max(1)) {
            let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
            let field = String::from_utf8_lossy(field.get(..end)?).into_owned();
            let value = parts.take_element()?;
            let first = self.entries.len();
            self.add_matrix(value.bytes, depth + 1)?;
            // The arrays of a structure have no names of their own: that of the field is before what is within them.
            for entry in self.entries.get_mut(first..)? {
                entry.name = match entry.name.trim_start_matches('/') {
                    "" => format!("{name}/{field}"),
                    inner => format!("{name}/{field}/{inner}"),
                };
            }
        }
        Some(())
    }

    /// Adds an array of cells, where each of them is a text.
    fn add_cells(
        &mut self,
        parts: &mut MatElements<'_>,
        name: String,
        shape: Vec<usize>,
        length: usize,
    ) -> Option<()> {
        let mut texts = vec![];
        for _ in 0..length {
            match cell_text(parts.take_element()?, self.is_big_endian) {
                Some(text) => texts.push(text),
                None => {
                    self.push(name, shape, "cells");
                    return Some(());
                }
            }
        }
        self.push(name, shape, "cells");
        if let (Some(entry), Some(elements)) = (self.entries.last_mut(), self.elements.last_mut()) {
            entry.kind = ElementKind::Texts;
            *elements = Some(ArrayElements::Texts(texts));
        }
        Some(())
    }
}

/// Returns the text of a cell; `None` where it is something else.
fn cell_text(cell: MatElement<'_>, is_big_endian: bool) -> Option<String> {
    let mut parts = MatElements::new(cell.bytes, is_big_endian);
    let is_text = parts.take_integers()?.first()? & 0xff == 4;
    let shape = parts.take_integers()?;
    parts.take_text()?;
    match is_text && shape.first().is_some_and(|rows| *rows <= 1) {
        true if shape.contains(&0) => Some(String::new()),
        true => parts.take_element()?.text(is_big_endian),
        false => None,
    }
}
