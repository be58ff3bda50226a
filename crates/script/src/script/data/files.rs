//! The bindings that read data from files and write them to files.

use rhai::{Array as List, Dynamic, ImmutableString};

use super::{ScriptDataset, wrap};
use crate::script::array::ScriptArray;
use crate::script::convert;
use crate::script::host::Host;
use crate::script::keys::{Key, Keys};
use crate::script::memory;
use crate::script::options::Options;
use crate::script::registry::Registry;
use crate::{Error, Result};
use odesync_train::datasets::{
    ArrayNames, Column, CsvOptions, Dataset, read_csv, read_json, read_npy, read_npz,
    read_safetensors, read_schmidt_lipson, write_csv, write_npz, write_safetensors,
};

/// Reads a column's name, or its number counted from 0.
fn column(value: &Dynamic) -> Result<Column> {
    if let Some(name) = convert::to_text(value) {
        return Ok(Column::Name(name));
    }
    match value.as_int().ok().and_then(|n| usize::try_from(n).ok()) {
        Some(n) => Ok(Column::Index(n)),
        None => Err(Error::invalid(format!(
            "read_csv: a column is named, or numbered from 0; {} is neither",
            convert::describe(value)
        ))),
    }
}

const CSV: Keys = &[&[
    Key::new("state"),
    Key::new("delimiter"),
    Key::flag("header"),
    Key::new("time"),
    Key::new("sample"),
    Key::new("missing"),
    Key::new("u0"),
]];

const ARRAYS: Keys = &[&[Key::new("t"), Key::new("u"), Key::new("u0")]];

const TRIAL: Keys = &[&[Key::new("trial")]];

fn csv(path: &str, mut options: Options) -> Result<ScriptDataset> {
    let one = |value: Option<Dynamic>| value.map(|v| column(&v)).transpose();
    let state = match options.take("state") {
        None => None,
        Some(value) => match value.read_lock::<List>() {
            Some(list) => Some(list.iter().map(column).collect::<Result<Vec<_>>>()?),
            None => Some(vec![column(&value)?]),
        },
    };
    let delimiter = match options.opt_string("delimiter")? {
        None => None,
        Some(text) => {
            let mut letters = text.chars();
            match (letters.next(), letters.next()) {
                (Some(c), None) => Some(c),
                _ => {
                    return Err(Error::invalid(format!(
                        "read_csv: option \"delimiter\" should be one character, such as \";\" or \"\\t\", not \"{text}\""
                    )));
                }
            }
        }
    };
    let header = match options.take("header") {
        None => None,
        Some(value) => Some(
            value
                .as_bool()
                .map_err(|_| options.invalid_value("header", "true or false", &value))?,
        ),
    };
    let read = CsvOptions {
        time: one(options.take("time"))?,
        state,
        sample: one(options.take("sample"))?,
        delimiter,
        header,
        missing: options.opt_strings("missing")?,
        u0: options
            .opt_array("u0")?
            .map(|u0| u0.iter().copied().collect()),
    };
    options.finish()?;
    Ok(wrap(read_csv(path, &read)?))
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
    let names = ArrayNames {
        t: options.opt_string("t")?,
        u: options.opt_string("u")?,
        u0: options.opt_string("u0")?,
        memory: Some(host.memory_limit().saturating_sub(used)),
    };
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
    reg.function(
        "read_csv(path, #{ time: \"t\", state: [\"x\", \"v\"] }) -> Dataset",
        "Data from a text table; delimiter and header are found. More options: sample, delimiter, header, missing, u0.",
        "read_csv(\"measured.csv\", #{ time: \"t\", state: [\"x\"] })",
    )
    .options(CSV)
    .body(|path: ImmutableString, options: Options| csv(&path, options));
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
        let trial = options.usize("trial", 0)?;
        options.finish()?;
        Ok(wrap(read_schmidt_lipson(path.as_str(), trial)?))
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
