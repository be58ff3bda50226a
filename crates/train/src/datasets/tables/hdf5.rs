//! The arrays of an HDF5 file: MATLAB's since version 7.3 and NetCDF-4 among them.

use std::path::Path;

use hdf5_pure::{AttrValue, DType, Dataset, Error as HdfError, File, Group, VlenStringReadOptions};

use super::arrays::{ArrayElements, ArrayEntry, ArraysOfFile, ElementKind, grid_of_arrays};
use super::damaged;
use super::format::TableFormat;
use super::options::TableOptions;
use crate::datasets::CsvOptions;
use crate::datasets::csv::CellGrid;
use odesync_base::error::{Error, Result};
use odesync_base::interrupt::check;
use odesync_base::memory::limit;

/// Groups within groups; a damaged file may hold itself.
const MAX_DEPTH: usize = 16;

/// More arrays than a table has.
const MAX_ARRAYS: usize = 10_000;

/// Reads the arrays with a value for each time as the columns of a table.
pub(super) fn read_arrays(
    path: &Path,
    bytes: Vec<u8>,
    options: &TableOptions,
) -> Result<(CellGrid, CsvOptions)> {
    let is_matlab = bytes.starts_with(b"MATLAB");
    let file = File::from_bytes(bytes).map_err(|e| failed(path, &e))?;
    let mut arrays = HdfArrays {
        path,
        file,
        is_matlab,
        entries: vec![],
    };
    let root = arrays.file.root();
    arrays.add_group(&root, "", 0)?;
    grid_of_arrays(path, &mut arrays, options)
}

fn failed(path: &Path, error: &HdfError) -> Error {
    damaged(path, TableFormat::Hdf5, &error.to_string())
}

struct HdfArrays<'a> {
    path: &'a Path,
    file: File,
    /// Whether MATLAB has written the file: it writes the dimensions in reverse order.
    is_matlab: bool,
    entries: Vec<ArrayEntry>,
}

impl ArraysOfFile for HdfArrays<'_> {
    fn entries(&self) -> &[ArrayEntry] {
        &self.entries
    }

    fn is_column_major(&self) -> bool {
        self.is_matlab
    }

    fn read(&mut self, index: usize) -> Result<ArrayElements> {
        let Some(entry) = self.entries.get(index) else {
            return Ok(ArrayElements::Numbers(vec![]));
        };
        let read = || -> std::result::Result<ArrayElements, HdfError> {
            let dataset = self.file.dataset(&entry.name)?;
            if entry.kind == ElementKind::Texts {
                return read_texts(&dataset).map(ArrayElements::Texts);
            }
            let mut values = read_numbers(&dataset)?;
            // What NetCDF writes for a missing value.
            for name in ["_FillValue", "missing_value"] {
                if let Some(fill) = dataset.attrs()?.get(name).and_then(number_of) {
                    values
                        .iter_mut()
                        .filter(|x| **x == fill)
                        .for_each(|x| *x = f64::NAN);
                }
            }
            Ok(ArrayElements::Numbers(values))
        };
        read().map_err(|e| failed(self.path, &e))
    }
}

impl HdfArrays<'_> {
    /// Adds the arrays of a group and of those within it.
    fn add_group(&mut self, group: &Group, prefix: &str, depth: usize) -> Result<()> {
        let path = self.path;
        check()?;
        for name in group.datasets().map_err(|e| failed(path, &e))? {
            if self.entries.len() >= MAX_ARRAYS {
                return Err(damaged(path, TableFormat::Hdf5, "it has too many arrays"));
            }
            let full = format!("{prefix}{name}");
            let entry = self.entry(&full).map_err(|e| failed(path, &e))?;
            // The product of a damaged shape may be too large for a number.
            let is_empty = entry.shape.contains(&0);
            if entry.kind != ElementKind::Other(String::new()) && !is_empty {
                self.entries.push(entry);
            }
        }
        for name in group.groups().map_err(|e| failed(path, &e))? {
            // Where MATLAB keeps what cells and objects refer to.
            let is_internal = self.is_matlab && name.starts_with('#');
            if is_internal || depth >= MAX_DEPTH {
                continue;
            }
            let inner = group.group(&name).map_err(|e| failed(path, &e))?;
            self.add_group(&inner, &format!("{prefix}{name}/"), depth + 1)?;
        }
        Ok(())
    }

    fn entry(&self, name: &str) -> std::result::Result<ArrayEntry, HdfError> {
        let dataset = self.file.dataset(name)?;
        let shape = dataset.shape()?;
        let mut shape: Vec<usize> = shape
            .into_iter()
            .map(|n| usize::try_from(n).unwrap_or(usize::MAX))
            .collect();
        let attributes = dataset.attrs().unwrap_or_default();
        let text = |name: &str| match attributes.get(name) {
            Some(
                AttrValue::String(text)
                | AttrValue::AsciiString(text)
                | AttrValue::VarLenString(text)
                | AttrValue::VarLenAsciiString(text),
            ) => text.clone(),
            Some(
                AttrValue::StringSized { value, .. } | AttrValue::AsciiStringSized { value, .. },
            ) => value.clone(),
            _ => String::new(),
        };
        let mut kind = kind_of(&dataset.dtype()?);
        if self.is_matlab {
            shape.reverse();
            let class = text("MATLAB_class");
            if ["char", "cell", "string", "table", "datetime"].contains(&class.as_str()) {
                kind = ElementKind::Other(class);
            }
        }
        // A file may state any size.
        let numbers = shape.iter().try_fold(1_usize, |n, k| n.checked_mul(*k));
        let size = usize::try_from(dataset.element_size()?).unwrap_or(usize::MAX);
        let bytes = numbers.and_then(|n| n.checked_mul(size.max(8)));
        if bytes.is_none_or(|bytes| bytes > limit()) {
            kind = ElementKind::Other("more than the memory holds".into());
        }
        Ok(ArrayEntry {
            name: name.to_string(),
            shape,
            kind,
            units: text("units"),
        })
    }
}

fn kind_of(kind: &DType) -> ElementKind {
    match kind {
        DType::F32
        | DType::F64
        | DType::I8
        | DType::I16
        | DType::I32
        | DType::I64
        | DType::U8
        | DType::U16
        | DType::U32
        | DType::U64 => ElementKind::Numbers,
        DType::String | DType::VariableLengthString => ElementKind::Texts,
        DType::Compound(_) => ElementKind::Other("records".into()),
        other => ElementKind::Other(other.to_string()),
    }
}

fn read_numbers(dataset: &Dataset) -> std::result::Result<Vec<f64>, HdfError> {
    macro_rules! widened {
        ($values:expr) => {
            Ok($values?.into_iter().map(|x| x as f64).collect())
        };
    }
    match dataset.dtype()? {
        DType::F64 => dataset.read_f64(),
        DType::F32 => widened!(dataset.read_f32()),
        DType::I8 => widened!(dataset.read_i8()),
        DType::I16 => widened!(dataset.read_i16()),
        DType::I32 => widened!(dataset.read_i32()),
        DType::I64 => widened!(dataset.read_i64()),
        DType::U8 => widened!(dataset.read_u8()),
        DType::U16 => widened!(dataset.read_u16()),
        DType::U32 => widened!(dataset.read_u32()),
        _ => widened!(dataset.read_u64()),
    }
}

fn read_texts(dataset: &Dataset) -> std::result::Result<Vec<String>, HdfError> {
    match dataset.dtype()? {
        DType::VariableLengthString => {
            let most = VlenStringReadOptions::new().with_max_payload_bytes(limit() / 4);
            dataset.read_vlen_strings(most)
        }
        _ => dataset.read_string(),
    }
}

/// Returns the number of an attribute; `None` where it is none.
fn number_of(value: &AttrValue) -> Option<f64> {
    let one = |values: &[f64]| {
        (values.len() == 1)
            .then(|| values.first().copied())
            .flatten()
    };
    match value {
        AttrValue::F64(x) => Some(*x),
        AttrValue::F32(x) => Some(f64::from(*x)),
        AttrValue::F64Array(x) => one(x),
        AttrValue::F32Array(x) => one(&x.iter().map(|x| f64::from(*x)).collect::<Vec<_>>()),
        AttrValue::I32(x) => Some(f64::from(*x)),
        AttrValue::I64(x) => Some(*x as f64),
        AttrValue::I32Array(x) => one(&x.iter().map(|x| f64::from(*x)).collect::<Vec<_>>()),
        AttrValue::I64Array(x) => one(&x.iter().map(|x| *x as f64).collect::<Vec<_>>()),
        _ => None,
    }
}
