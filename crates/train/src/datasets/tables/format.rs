//! What a file is, by its first bytes.

/// Format of a table that is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// A workbook of Excel, `.xlsx`.
    Excel,
    /// Columns, `.parquet`.
    Parquet,
    /// A file of MATLAB up to version 7, `.mat`.
    Matlab,
    /// A file of arrays in groups: `.h5`, MATLAB's `.mat` since version 7.3, NetCDF-4.
    Hdf5,
}

/// First bytes of an HDF5 file, or of what follows a block of 512, 1024, … bytes.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// The largest block before an HDF5 file that is looked for.
const LARGEST_BLOCK: usize = 1 << 16;

impl TableFormat {
    /// Returns the format of a file with these bytes; `None` where it may be text.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let mut blocks = std::iter::successors(Some(512), |n| Some(n * 2));
        let is_hdf5_at = |at: usize| bytes.get(at..).is_some_and(|rest| rest.starts_with(HDF5));
        let end_mark = bytes.get(124..128).unwrap_or_default();
        if bytes.starts_with(b"PK\x03\x04") && holds(bytes, b"xl/") {
            Some(TableFormat::Excel)
        } else if bytes.starts_with(b"PAR1") {
            Some(TableFormat::Parquet)
        } else if is_hdf5_at(0)
            || bytes.starts_with(b"MATLAB 7.3")
            || (bytes.contains(&0)
                && blocks.find(|n| *n > LARGEST_BLOCK || is_hdf5_at(*n)) <= Some(LARGEST_BLOCK))
        {
            Some(TableFormat::Hdf5)
        } else if end_mark == [0, 1, b'I', b'M'] || end_mark == [1, 0, b'M', b'I'] {
            Some(TableFormat::Matlab)
        } else {
            None
        }
    }

    /// Names the format in a message.
    pub fn describe(self) -> &'static str {
        match self {
            TableFormat::Excel => "an Excel workbook",
            TableFormat::Parquet => "a Parquet file",
            TableFormat::Matlab => "a MATLAB file",
            TableFormat::Hdf5 => "an HDF5 file",
        }
    }
}

/// Whether these bytes hold the others.
fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
