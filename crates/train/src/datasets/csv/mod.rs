//! Tables of text: one row for each time (and sample), columns for the time and the state.
//!
//! | file | content |
//! |---|---|
//! | `reader.rs` | [`read_csv`]: rows to trajectories |
//! | `options.rs` | [`CsvOptions`] |
//! | `lines.rs` | the lines of a text, without comments |
//! | `detect.rs` | the delimiter, and whether there is a header |
//! | `table.rs` | lines to cells: header, units, rows |
//! | `grid.rs` | the cells of a table that have types |
//! | `columns.rs` | which column is the time, the sample, the state |
//! | `column_search.rs` | columns whose roles are not given |
//! | `long_form.rs` | tables with a row for each value |
//! | `cells.rs` | numbers, missing values, words |
//! | `number_format.rs` | decimal mark and thousands separators |
//! | `instants.rs` | dates and times of day |
//! | `writer.rs` | [`write_csv`] |

mod cells;
mod column_search;
mod columns;
mod detect;
mod grid;
mod instants;
mod lines;
mod long_form;
mod number_format;
mod options;
mod reader;
mod table;
mod writer;

pub(super) use column_search::names_time;
pub(super) use grid::{BYTES_OF_CELL, CellGrid, GridCell};
pub use options::{Column, CsvOptions};
pub use reader::{CsvReading, read_csv, read_csv_with_notes};
pub(super) use reader::{read_grid, read_table_text};
pub use writer::write_csv;
