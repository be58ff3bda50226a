//! The columns of a Parquet file.

use std::path::Path;

use bytes::Bytes;
use parquet::basic::{Compression, LogicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::format::TableFormat;
use super::parquet_values::{IntegerMeaning, decimal, of_big_endian, of_int96};
use super::{check_size, damaged};
use crate::datasets::csv::{CellGrid, GridCell};
use crate::datasets::data_error;
use odesync_base::error::{Error, Result};
use odesync_base::interrupt::check;

/// Most rows that are read at a time.
const BATCH: usize = 1 << 14;

/// Beginning of the name that pandas gives an index without one.
const PANDAS_INDEX: &str = "__index_level_";

/// Reads all columns of values; a note names the others.
pub(super) fn read_columns(path: &Path, bytes: Vec<u8>) -> Result<CellGrid> {
    let failed = |e: ParquetError| failed(path, &e);
    let file = SerializedFileReader::new(Bytes::from(bytes)).map_err(failed)?;
    let metadata = file.metadata();
    let (mut columns, mut left_out) = (vec![], vec![]);
    for (index, column) in metadata
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .enumerate()
    {
        match column.max_rep_level() {
            0 => columns.push((index, column.clone())),
            _ => left_out.push(format!("\"{}\"", column.path().string())),
        }
    }
    let counts = metadata
        .row_groups()
        .iter()
        .map(|group| usize::try_from(group.num_rows()).ok());
    let n_rows = counts.sum::<Option<usize>>();
    let n_rows = n_rows.ok_or_else(|| damaged(path, TableFormat::Parquet, ""))?;
    check_size(path, n_rows, columns.len())?;
    check_compression(path, &file)?;
    if columns.is_empty() || n_rows == 0 {
        return Err(data_error(
            path,
            None,
            None,
            "the file holds no rows of values: it needs a row for each time",
        ));
    }
    // A file may state more rows than it has: what is read grows with what is there.
    let mut rows: Vec<(usize, Vec<GridCell>)> = vec![];
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group).map_err(failed)?;
        let first = rows.len();
        for (place, (index, column)) in columns.iter().enumerate() {
            let reader = group.get_column_reader(*index).map_err(failed)?;
            let cells = read_cells(reader, column).map_err(failed)?;
            if place == 0 {
                rows.extend(
                    cells
                        .into_iter()
                        .enumerate()
                        .map(|(i, cell)| (first + i + 1, vec![cell])),
                );
            } else if cells.len() == rows.len() - first {
                let new = rows.iter_mut().skip(first);
                new.zip(cells).for_each(|((_, row), cell)| row.push(cell));
            } else {
                return Err(damaged(
                    path,
                    TableFormat::Parquet,
                    "its columns differ in length",
                ));
            }
        }
    }
    let name = |column: &ColumnDescriptor| match column.path().string() {
        index if index.starts_with(PANDAS_INDEX) => String::new(),
        name => name,
    };
    let mut notes = vec![];
    if !left_out.is_empty() {
        notes.push(format!(
            "left out, because of lists: {}",
            left_out.join(", ")
        ));
    }
    Ok(CellGrid {
        header: Some(columns.iter().map(|(_, column)| name(column)).collect()),
        units: vec![],
        rows,
        notes,
    })
}

fn failed(path: &Path, error: &ParquetError) -> Error {
    damaged(path, TableFormat::Parquet, &error.to_string())
}

/// Refuses a file whose columns are packed in a way that is not read.
fn check_compression(path: &Path, file: &SerializedFileReader<Bytes>) -> Result<()> {
    let groups = file.metadata().row_groups().iter();
    for column in groups.flat_map(|group| group.columns()) {
        match column.compression() {
            Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) => {}
            other => {
                let name = other.to_string().to_lowercase();
                let name = name.split('(').next().unwrap_or_default().to_string();
                return Err(data_error(
                    path,
                    None,
                    None,
                    format!(
                        "its columns are packed by {name}, and snappy and gzip are read: write it with compression=\"snappy\""
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// Reads a column of one group of rows.
fn read_cells(
    reader: ColumnReader,
    column: &ColumnDescriptor,
) -> std::result::Result<Vec<GridCell>, ParquetError> {
    let meaning = IntegerMeaning::of_column(column);
    let decimals = match meaning {
        IntegerMeaning::Decimal(decimals) => Some(decimals as usize),
        _ => None,
    };
    let is_half = matches!(column.logical_type_ref(), Some(LogicalType::Float16));
    let of_bytes = |bytes: &[u8]| -> GridCell {
        match decimals {
            Some(decimals) => of_big_endian(bytes).map(|value| decimal(value, decimals)),
            None if is_half => None,
            None => Some(GridCell::Text(String::from_utf8_lossy(bytes).into_owned())),
        }
        .unwrap_or_default()
    };
    let integer = |value: i64| meaning.cell(value).unwrap_or_default();
    let of_bool = |value: &bool| GridCell::Text(if *value { "True" } else { "False" }.into());
    match reader {
        ColumnReader::BoolColumnReader(reader) => read_with(reader, column, of_bool),
        ColumnReader::Int32ColumnReader(reader) => {
            read_with(reader, column, |x: &i32| integer(i64::from(*x)))
        }
        ColumnReader::Int64ColumnReader(reader) => read_with(reader, column, |x: &i64| integer(*x)),
        ColumnReader::Int96ColumnReader(reader) => {
            read_with(reader, column, |x| of_int96(x).unwrap_or_default())
        }
        ColumnReader::FloatColumnReader(reader) => {
            read_with(reader, column, |x: &f32| GridCell::Number(f64::from(*x)))
        }
        ColumnReader::DoubleColumnReader(reader) => {
            read_with(reader, column, |x: &f64| GridCell::Number(*x))
        }
        ColumnReader::ByteArrayColumnReader(reader) => {
            read_with(reader, column, |x: &ByteArray| of_bytes(x.data()))
        }
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            read_with(reader, column, |x| of_bytes(x.data()))
        }
    }
}

fn read_with<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    column: &ColumnDescriptor,
    cell: impl Fn(&T::T) -> GridCell,
) -> std::result::Result<Vec<GridCell>, ParquetError> {
    let defined = column.max_def_level();
    let mut cells = vec![];
    loop {
        check().map_err(|e| ParquetError::General(e.to_string()))?;
        let (mut values, mut levels) = (vec![], vec![]);
        let (records, ..) = reader.read_records(BATCH, Some(&mut levels), None, &mut values)?;
        if records == 0 {
            return Ok(cells);
        }
        let mut values = values.iter();
        match defined {
            0 => cells.extend(values.map(&cell)),
            _ => cells.extend(levels.iter().map(|level| {
                let value = (*level == defined).then(|| values.next()).flatten();
                value.map_or(GridCell::Missing, &cell)
            })),
        }
    }
}
