//! Tables in the files of other programs: whatever holds them, they become data in one way, that of tables of text.
//!
//! | file | content |
//! |---|---|
//! | `format.rs` | [`TableFormat`]: what a file is, by its first bytes |
//! | `options.rs` | [`TableOptions`] |
//! | `workbook.rs` | the parts of an Excel workbook: sheets, strings, styles |
//! | `sheet.rs` | the cells of a sheet |
//! | `serial_dates.rs` | dates as Excel counts them |
//! | `parquet.rs`, `parquet_values.rs` | the columns of a Parquet file, and their values |
//! | `arrays.rs`, `array_choice.rs` | named arrays to columns, and which of them are |
//! | `mat.rs`, `mat_elements.rs` | the arrays of a MATLAB file up to version 7, and the elements that it consists of |
//! | `hdf5.rs` | the arrays of an HDF5 file: MATLAB's since version 7.3 and NetCDF-4 among them |

mod array_choice;
mod arrays;
mod format;
#[cfg(feature = "tables")]
mod hdf5;
mod mat;
mod mat_elements;
mod options;
#[cfg(feature = "tables")]
mod parquet;
#[cfg(feature = "tables")]
mod parquet_values;
mod serial_dates;
mod sheet;
mod workbook;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

pub use format::TableFormat;
pub use options::TableOptions;

use super::csv::{BYTES_OF_CELL, CellGrid, CsvOptions, CsvReading, read_grid, read_table_text};
use super::dataset::Dataset;
use super::{data_error, read_unpacked, text_of};
use odesync_base::error::{Error, Result};
use odesync_base::memory::{format_bytes, limit};

/// Reads a table: one row for each time, and for each sample where there are several, from text, an Excel workbook, a Parquet file, a
/// MATLAB file or an HDF5 file (NetCDF-4 and MATLAB's since version 7.3 are). What the file is, is seen from its content. Parquet and
/// HDF5 need the feature `tables`.
///
/// All of them have the options of [`read_csv`](super::read_csv), except `delimiter`, and but for spreadsheets `header` and `skip`.
/// What they leave open is found as in a table of text. Of a file of arrays every array with a value for each time is a column, and
/// one of shape `[time, n]` is `n` of them.
///
/// # Errors
/// A file that cannot be read or is damaged; a sheet, group or array that is not there, with those that are; the errors of
/// [`read_csv`](super::read_csv).
pub fn read_table(path: impl AsRef<Path>, options: &TableOptions) -> Result<Dataset> {
    read_table_with_notes(path, options).map(|reading| reading.data)
}

/// Reads a table as [`read_table`] does, and says what was guessed.
///
/// # Errors
/// Those of [`read_table`].
pub fn read_table_with_notes(path: impl AsRef<Path>, options: &TableOptions) -> Result<CsvReading> {
    let path = path.as_ref();
    options.csv.check_ranges()?;
    let bytes = read_unpacked(path)?;
    let format = TableFormat::of_bytes(&bytes);
    options.check(format)?;
    let Some(format) = format else {
        return read_table_text(path, &text_of(path, bytes)?, &options.csv);
    };
    let (grid, csv) = guarded(path, format, || grid_of(path, format, bytes, options))?;
    read_grid(path, grid, &csv)
}

/// Returns the cells of a table, and the options that are left for them.
fn grid_of(
    path: &Path,
    format: TableFormat,
    bytes: Vec<u8>,
    options: &TableOptions,
) -> Result<(CellGrid, CsvOptions)> {
    match format {
        TableFormat::Excel => {
            let grid = sheet::read_sheet(path, &bytes, options)?;
            Ok((grid, options.csv.clone()))
        }
        #[cfg(feature = "tables")]
        TableFormat::Parquet => Ok((parquet::read_columns(path, bytes)?, options.csv.clone())),
        TableFormat::Matlab => mat::read_arrays(path, &bytes, options),
        #[cfg(feature = "tables")]
        TableFormat::Hdf5 => hdf5::read_arrays(path, bytes, options),
        #[cfg(not(feature = "tables"))]
        TableFormat::Parquet | TableFormat::Hdf5 => Err(not_built(path, format)),
    }
}

/// Returns the error of a program without the readers that take long to build.
#[cfg(not(feature = "tables"))]
fn not_built(path: &Path, format: TableFormat) -> Error {
    data_error(
        path,
        None,
        None,
        format!(
            "this is {}, and this program was built without its reader: build it with `--features tables`, or save the data as CSV or .xlsx",
            format.describe()
        ),
    )
}

/// Calls `read`. The readers of other crates may panic at a damaged file; that is an error here.
fn guarded<T>(path: &Path, format: TableFormat, read: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(damaged(path, format, "")))
}

/// Returns the error of a file whose content is not that of its format.
fn damaged(path: &Path, format: TableFormat, why: &str) -> Error {
    let colon = if why.is_empty() { "" } else { ": " };
    let what = format.describe();
    data_error(
        path,
        None,
        None,
        format!("this begins as {what}, and is damaged or cut short{colon}{why}"),
    )
}

/// Checks that a table of this size fits into the memory.
fn check_size(path: &Path, rows: usize, columns: usize) -> Result<()> {
    let bytes = rows.saturating_mul(columns).saturating_mul(BYTES_OF_CELL);
    match bytes <= limit() {
        true => Ok(()),
        false => Err(data_error(
            path,
            None,
            None,
            format!(
                "its {rows} rows of {columns} columns would take {}, and at most {} are read into memory: keep a part of it",
                format_bytes(bytes),
                format_bytes(limit())
            ),
        )),
    }
}
