//! Options of the reader of tables in any format.

use super::format::TableFormat;
use crate::datasets::{Column, CsvOptions};
use odesync_base::error::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Maybe, Mismatch, OptionKind, Text, Value};

/// A sheet of a workbook, by its name or its number from 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct SheetOption;

impl OptionKind for SheetOption {
    type Field = Column;
    const EXPECTED: &'static str = "the name of a sheet, or its number from 0";

    fn read(value: &Value) -> std::result::Result<Column, Mismatch> {
        Column::from_value(value)
    }

    fn write(field: &Column) -> Value {
        field.to_value()
    }
}

option_set! {
    /// Options of [`read_table`](super::read_table): those of [`read_csv`](crate::datasets::read_csv), and which part of the file
    /// holds the table.
    #[derive(Debug, Clone)]
    pub struct TableOptions {
        /// Sheet of an Excel workbook that holds the table, by its name or its number from 0.
        pub sheet: Option<Column> as Maybe<SheetOption> = None, "the first";
        /// Group of an HDF5 file or structure of a MATLAB file whose arrays are the columns, or an array that is the whole table.
        pub group: Option<String> as Maybe<Text> = None, "the one that holds arrays";
    }
    sets {
        /// The options of tables of text.
        pub csv: CsvOptions;
    }
}

impl TableOptions {
    /// Refuses options that a file of this format has no use for.
    pub(super) fn check(&self, format: Option<TableFormat>) -> Result<()> {
        use TableFormat::{Excel, Hdf5, Matlab};
        let is_excel = format == Some(Excel);
        let has_groups = matches!(format, Some(Hdf5 | Matlab));
        let what = format.map_or("text", TableFormat::describe);
        let given = [
            ("sheet", self.sheet.is_some(), is_excel),
            ("group", self.group.is_some(), has_groups),
            ("delimiter", self.csv.delimiter.is_some(), format.is_none()),
            (
                "header",
                self.csv.header.is_some(),
                format.is_none() || is_excel,
            ),
            ("skip", self.csv.skip > 0, format.is_none() || is_excel),
        ];
        match given
            .into_iter()
            .find(|(_, is_given, fits)| *is_given && !fits)
        {
            Some((name, ..)) => Err(Error::invalid(format!(
                "the option {name} has no meaning here, because the file is {what}; leave it out"
            ))),
            None => Ok(()),
        }
    }
}

impl From<CsvOptions> for TableOptions {
    fn from(csv: CsvOptions) -> Self {
        TableOptions {
            csv,
            ..TableOptions::default()
        }
    }
}
