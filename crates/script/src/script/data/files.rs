//! The bindings that read data from files and write them to files.

use rhai::ImmutableString;

use super::{ScriptDataset, wrap};
use crate::Result;
use crate::script::array::ScriptArray;
use crate::script::host::Host;
use crate::script::keys::Keys;
use crate::script::memory;
use crate::script::options::Options;
use crate::script::registry::Registry;
use odesync_base::option_set;
use odesync_base::options::Whole;
use odesync_train::datasets::{
    ArrayNames, CsvOptions, CsvReading, Dataset, TableOptions, read_csv_with_notes, read_json,
    read_npy, read_npz, read_safetensors, read_schmidt_lipson, read_table_with_notes, write_csv,
    write_npz, write_safetensors,
};

const CSV: Keys = &[CsvOptions::OPTIONS];

const TABLE: Keys = &[TableOptions::OPTIONS, CsvOptions::OPTIONS];

const ARRAYS: Keys = &[ArrayNames::OPTIONS];

option_set! {
    /// Options of `read_schmidt_lipson`.
    #[derive(Debug)]
    struct TrialOptions {
        /// Number of the trial, as in the file.
        trial: usize as Whole = 0;
    }
}

const TRIAL: Keys = &[TrialOptions::OPTIONS];

/// Notes what was guessed while a table was read, and returns its data.
fn noted(host: &Host, function: &str, path: &str, reading: CsvReading) -> ScriptDataset {
    if !reading.notes.is_empty() {
        host.note_once(&format!("{function}: {path}: {}", reading.notes.join("; ")));
    }
    wrap(reading.data)
}

fn csv(host: &Host, path: &str, mut options: Options) -> Result<ScriptDataset> {
    let mut read = CsvOptions::default();
    options.read_set(&mut read)?;
    options.finish()?;
    let reading = read_csv_with_notes(path, &read)?;
    Ok(noted(host, "read_csv", path, reading))
}

fn table(host: &Host, path: &str, mut options: Options) -> Result<ScriptDataset> {
    let mut read = TableOptions::default();
    options.read_set(&mut read)?;
    options.finish()?;
    let reading = read_table_with_notes(path, &read)?;
    Ok(noted(host, "read_table", path, reading))
}

/// A function that reads a dataset from a file with named arrays.
type ReadArrays = fn(&str, &ArrayNames) -> Result<Dataset>;

/// A function that writes a dataset to a file.
type WriteData = fn(&str, &Dataset) -> Result<()>;

fn arrays(
    host: &Host,
    read: ReadArrays,
    path: &str,
    mut options: Options,
) -> Result<ScriptDataset> {
    let used = memory::allocated().unwrap_or(0);
    let mut names = ArrayNames {
        memory: Some(host.memory_limit().saturating_sub(used)),
        ..ArrayNames::default()
    };
    options.read_set(&mut names)?;
    options.finish()?;
    Ok(wrap(read(path, &names)?))
}

/// Returns the body of a method that writes the data to a file.
fn writer(
    host: Host,
    write: WriteData,
) -> impl Fn(&mut ScriptDataset, ImmutableString) -> Result<()> {
    move |data, path| {
        write(&path, &data.0)?;
        host.note(&format!("wrote {path}"));
        Ok(())
    }
}

pub(super) fn register(reg: &mut Registry) {
    let host = reg.host();
    reg.function(
        "read_csv(path, #{ time: \"t\", state: [\"x\", \"v\"] }) -> Dataset",
        "Data from a text table, as pandas, R, MATLAB, numpy and spreadsheets write them, packed by gzip or not. What is not given is found, \
         and said in a note: delimiter, decimal mark, header, units below it, the columns of the time, the sample and the state; dates \
         become seconds since the first.",
        "read_csv(\"measured.csv\", #{ time: \"t\", state: [\"x\"] })",
    )
    .options(CSV)
    .body(move |path: ImmutableString, options: Options| csv(&host, &path, options));
    let host = reg.host();
    reg.function(
        "read_table(path, #{ sheet: \"run 1\", time: \"t\", state: [\"x\", \"v\"] }) -> Dataset",
        "Data from a table in any format: text as read_csv, an Excel workbook (.xlsx), a MATLAB file (.mat); with the feature tables also \
         Parquet and HDF5 (.h5, .mat since version 7.3, NetCDF-4). The options are those of read_csv, and sheet or group, the part of the \
         file that holds the table.",
        "read_table(\"measured.xlsx\", #{ time: \"t\", state: [\"x\"] })",
    )
    .options(TABLE)
    .body(move |path: ImmutableString, options: Options| table(&host, &path, options));
    reg.function(
        "read_json(path) -> Dataset",
        "Data from JSON: { \"t\": [...], \"u\": [[...], ...] }, null a missing value; \"u0\" and \"names\" may stand beside them.",
        "read_json(\"measured.json\")",
    )
    .body(|path: ImmutableString| read_json(path.as_str()).map(wrap));
    reg.function(
        "read_npy(path) -> Array",
        "An array from numpy's file format.",
        "read_npy(\"measured.npy\")",
    )
    .body(|path: ImmutableString| read_npy(path.as_str()).map(ScriptArray::new));
    reg.function(
        "read_schmidt_lipson(path, #{ trial: 0 }) -> Dataset",
        "A trial of the motion-captured pendulums of Schmidt and Lipson (Science 324, 2009); its time begins at 0.",
        "read_schmidt_lipson(\"pendulum.txt\")",
    )
    .options(TRIAL)
    .body(|path: ImmutableString, mut options: Options| -> Result<ScriptDataset> {
        let mut read = TrialOptions::default();
        options.read_set(&mut read)?;
        options.finish()?;
        Ok(wrap(read_schmidt_lipson(path.as_str(), read.trial)?))
    });
    let host = reg.host();
    reg.function(
        "read_npz(path, #{ t: \"t\", u: \"u\", u0: \"u0\" }) -> Dataset",
        "Data from the arrays of numpy.savez: t is [time], u [time, dof] or [sample, time, dof]. The options name them; the times may \
         also be called time or times, and without u0 the first row is the initial state.",
        "read_npz(\"measured.npz\", #{ u: \"x\" })",
    )
    .options(ARRAYS)
    .body(move |path: ImmutableString, options: Options| {
        arrays(&host, |path, names| read_npz(path, names), &path, options)
    });
    let host = reg.host();
    reg.function(
        "data.write_npz(path)",
        "Writes the data as arrays t, u, u0 and names, for numpy.load and read_npz.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).write_npz(\"mine.npz\"); read_npz(\"mine.npz\")",
    )
    .body(writer(host, |path, d| write_npz(path, d)));
    let host = reg.host();
    reg.function(
        "read_safetensors(path, #{ t: \"t\", u: \"u\", u0: \"u0\" }) -> Dataset",
        "Data from the tensors of a safetensors file, with the options of read_npz.",
        "read_safetensors(\"measured.safetensors\", #{ t: \"t\" })",
    )
    .options(ARRAYS)
    .body(move |path: ImmutableString, options: Options| {
        arrays(
            &host,
            |path, names| read_safetensors(path, names),
            &path,
            options,
        )
    });
    let host = reg.host();
    reg.function(
        "data.write_safetensors(path)",
        "Writes the data as tensors t, u and u0.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).write_safetensors(\"mine.safetensors\")",
    )
    .body(writer(host, |path, d| write_safetensors(path, d)));
    let host = reg.host();
    reg.function(
        "data.write_csv(path)",
        "Writes the data as a text table.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).write_csv(\"mine.csv\")",
    )
    .body(writer(host, |path, d| write_csv(path, d)));
}
