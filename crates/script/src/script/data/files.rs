//! The bindings that read data from files and write them to files.

use rhai::{Array as List, Dynamic, ImmutableString, Map};

use super::{ScriptDataset, wrap};
use crate::script::array::ScriptArray;
use crate::script::convert;
use crate::script::error::RhaiResult;
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

fn csv(path: &str, options: Map) -> RhaiResult<ScriptDataset> {
    let mut options = Options::new("read_csv", CSV, options);
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
                    ))
                    .into());
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
    call: &str,
    read: ReadArrays,
    path: &str,
    options: Map,
) -> RhaiResult<ScriptDataset> {
    let mut options = Options::new(call, ARRAYS, options);
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

/// Registers a reader of files with named arrays, and the writer of their format.
fn named_arrays(
    reg: &mut Registry,
    (read_name, read): (&'static str, ReadArrays),
    (write_name, write): (&'static str, WriteData),
) {
    let host = reg.host();
    reg.register_fn(read_name, move |path: ImmutableString| {
        arrays(&host, read_name, read, &path, Map::new())
    });
    let host = reg.host();
    reg.register_fn(read_name, move |path: ImmutableString, options: Map| {
        arrays(&host, read_name, read, &path, options)
    });
    writer(reg, write_name, write);
}

/// Registers the method `data.name(path)`, which writes a file.
fn writer(reg: &mut Registry, name: &'static str, write: WriteData) {
    let host = reg.host();
    reg.register_fn(
        name,
        move |d: &mut ScriptDataset, path: ImmutableString| -> RhaiResult<()> {
            write(&path, &d.0)?;
            host.note(&format!("wrote {path}"));
            Ok(())
        },
    );
}

pub(super) fn register(reg: &mut Registry) {
    reg.register_fn("read_csv", |path: ImmutableString| csv(&path, Map::new()));
    reg.register_fn("read_csv", |path: ImmutableString, options: Map| {
        csv(&path, options)
    });
    reg.describe(
        "read_csv",
        "read_csv(path, #{ time: \"t\", state: [\"x\", \"v\"] }) -> Dataset",
        "Data from a text table; delimiter and header are found. More options: sample, delimiter, header, missing, u0.",
        "read_csv(\"measured.csv\", #{ time: \"t\", state: [\"x\"] })",
    )
    .option_keys(CSV);
    reg.register_fn(
        "read_json",
        |path: ImmutableString| -> RhaiResult<ScriptDataset> {
            Ok(wrap(read_json(path.as_str())?))
        },
    );
    reg.describe(
        "read_json",
        "read_json(path) -> Dataset",
        "Data from JSON: { \"t\": [...], \"u\": [[...], ...] }, null a missing value; \"u0\" and \"names\" may stand beside them.",
        "read_json(\"measured.json\")",
    );
    reg.register_fn(
        "read_npy",
        |path: ImmutableString| -> RhaiResult<ScriptArray> {
            Ok(ScriptArray::new(read_npy(path.as_str())?))
        },
    );
    reg.describe(
        "read_npy",
        "read_npy(path) -> Array",
        "An array from numpy's file format.",
        "read_npy(\"measured.npy\")",
    );
    reg.register_fn(
        "read_schmidt_lipson",
        |path: ImmutableString| -> RhaiResult<ScriptDataset> {
            Ok(wrap(read_schmidt_lipson(path.as_str(), 0)?))
        },
    );
    reg.register_fn(
        "read_schmidt_lipson",
        |path: ImmutableString, options: Map| -> RhaiResult<ScriptDataset> {
            let mut options = Options::new("read_schmidt_lipson", TRIAL, options);
            let trial = options.usize("trial", 0)?;
            options.finish()?;
            Ok(wrap(read_schmidt_lipson(path.as_str(), trial)?))
        },
    );
    reg.describe(
        "read_schmidt_lipson",
        "read_schmidt_lipson(path, #{ trial: 0 }) -> Dataset",
        "A trial of the motion-captured pendulums of Schmidt and Lipson (Science 324, 2009); its time begins at 0.",
        "read_schmidt_lipson(\"pendulum.txt\")",
    )
    .option_keys(TRIAL);
    named_arrays(
        reg,
        ("read_npz", |path, names| read_npz(path, names)),
        ("write_npz", |path, d| write_npz(path, d)),
    );
    reg.describe(
        "read_npz",
        "read_npz(path, #{ t: \"t\", u: \"u\", u0: \"u0\" }) -> Dataset",
        "Data from the arrays of numpy.savez: t is [time], u [time, dof] or [sample, time, dof]. The options name them; the times may \
         also be called time or times, and without u0 the first row is the initial state.",
        "read_npz(\"measured.npz\", #{ u: \"x\" })",
    )
    .option_keys(ARRAYS);
    reg.describe(
        "write_npz",
        "data.write_npz(path)",
        "Writes the data as arrays t, u, u0 and names, for numpy.load and read_npz.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).write_npz(\"mine.npz\"); read_npz(\"mine.npz\")",
    );
    named_arrays(
        reg,
        ("read_safetensors", |path, names| {
            read_safetensors(path, names)
        }),
        ("write_safetensors", |path, d| write_safetensors(path, d)),
    );
    reg.describe(
        "read_safetensors",
        "read_safetensors(path, #{ t: \"t\", u: \"u\", u0: \"u0\" }) -> Dataset",
        "Data from the tensors of a safetensors file, with the options of read_npz.",
        "read_safetensors(\"measured.safetensors\", #{ t: \"t\" })",
    )
    .option_keys(ARRAYS);
    reg.describe(
        "write_safetensors",
        "data.write_safetensors(path)",
        "Writes the data as tensors t, u and u0.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).write_safetensors(\"mine.safetensors\")",
    );
    writer(reg, "write_csv", |path, d| write_csv(path, d));
    reg.describe(
        "write_csv",
        "data.write_csv(path)",
        "Writes the data as a text table.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).write_csv(\"mine.csv\")",
    );
}
