//! Data from files of several named arrays: the names of the times, the values and the initial states.

use std::path::Path;

use ndarray::{Array1, Array2, Array3, ArrayD, Axis, Ix2, Ix3};

use super::data_error;
use super::dataset::Dataset;
use odesync_base::error::{Error, Result, nearest};
use odesync_base::memory::{default_limit, format_bytes};
use odesync_base::option_set;
use odesync_base::options::{Maybe, Text};

/// Default names of the times.
const TIME_NAMES: [&str; 3] = ["t", "time", "times"];

/// Maximum number of arrays listed in a message.
const MAX_LISTED: usize = 12;

option_set! {
    /// Names of the data's arrays in a file, for [`read_npz`](super::read_npz) and [`read_safetensors`](super::read_safetensors).
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ArrayNames {
        /// Name of the times, `[time]`.
        pub t: Option<String> as Maybe<Text> = None, "`t`, `time` or `times`";
        /// Name of the values, `[sample, time, dof]`, `[time, dof]` or `[time]`.
        pub u: Option<String> as Maybe<Text> = None, "`u`";
        /// Name of the initial states, `[sample, dof]` or `[dof]`.
        pub u0: Option<String> as Maybe<Text> = None, "`u0`, or the first row of the values where there is no such array";
    }
    others {
        /// Maximum memory of an array while it is read, in bytes. Default: a quarter of the machine's memory. An archive of a few
        /// kilobytes can unpack to terabytes.
        pub memory: Option<usize> = None;
    }
}

impl ArrayNames {
    /// Creates the default names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name of the times.
    pub fn t(mut self, name: impl Into<String>) -> Self {
        self.t = Some(name.into());
        self
    }

    /// Sets the name of the values.
    pub fn u(mut self, name: impl Into<String>) -> Self {
        self.u = Some(name.into());
        self
    }

    /// Sets the name of the initial states.
    pub fn u0(mut self, name: impl Into<String>) -> Self {
        self.u0 = Some(name.into());
        self
    }

    /// Checks that there is memory for an array that is `stored` bytes in the file and has `count` numbers.
    pub(super) fn check_memory(
        &self,
        stored: usize,
        count: usize,
    ) -> std::result::Result<(), String> {
        let limit = self.memory.unwrap_or_else(default_limit);
        // The stored bytes are in memory together with the numbers decoded from them, and those are copied once more into the
        // dataset.
        let needed = count.saturating_mul(16).saturating_add(stored);
        if needed <= limit {
            return Ok(());
        }
        Err(format!(
            "it takes {} to read and there are {}: keep a part of it, or allow more memory",
            format_bytes(needed),
            format_bytes(limit)
        ))
    }
}

/// File of named arrays. Messages don't name the file.
pub(super) trait ArrayFile {
    /// Returns the names of the arrays, in the order of the file.
    fn names(&self) -> Vec<String>;

    /// Returns shape and type of an array, such as `[61, 2] float64`.
    fn describe(&mut self, name: &str) -> String;

    /// Reads an array as float64. An array that does not fit into memory is an error before it is unpacked.
    fn read(&mut self, name: &str) -> std::result::Result<ArrayD<f64>, String>;

    /// Returns the names of the state variables, if the file has them.
    fn component_names(&mut self) -> Option<Vec<String>>;
}

/// Reads the dataset of a file.
pub(super) fn read_dataset(
    path: &Path,
    file: &mut dyn ArrayFile,
    names: &ArrayNames,
) -> Result<Dataset> {
    let refuse = |message: String| data_error(path, None, None, message);
    let known = file.names();
    if known.is_empty() {
        return Err(refuse("there are no arrays in this file".into()));
    }
    let t_name = find_times(file, names, &known).map_err(refuse)?;
    let u_name = find_array(file, "u", "the values", names.u.as_deref(), &known).map_err(refuse)?;
    let u0_name = match &names.u0 {
        None => known.iter().find(|name| *name == "u0").cloned(),
        requested => Some(
            find_array(
                file,
                "u0",
                "the initial states",
                requested.as_deref(),
                &known,
            )
            .map_err(refuse)?,
        ),
    };
    let mut read = |name: &str| {
        file.read(name)
            .map_err(|e| refuse(format!("array \"{name}\": {e}")))
    };
    let t = read(&t_name)?;
    let u = read(&u_name)?;
    let u0 = u0_name.as_deref().map(&mut read).transpose()?;
    let data = assemble(&t_name, t, &u_name, u, u0).map_err(|e| refuse(e.to_string()))?;
    Ok(match file.component_names() {
        // The array of that name may be something else.
        Some(names) => data.clone().with_names(names).unwrap_or(data),
        None => data,
    })
}

fn assemble(
    t_name: &str,
    t: ArrayD<f64>,
    u_name: &str,
    u: ArrayD<f64>,
    u0: Option<ArrayD<f64>>,
) -> Result<Dataset> {
    // A matrix of one column or one row is accepted as a vector: some programs write no other vectors.
    if t.shape().iter().filter(|n| **n != 1).count() > 1 {
        return Err(Error::invalid(format!(
            "the times {t_name} have shape {:?}: they must be one vector, the same for all samples",
            t.shape()
        )));
    }
    let t: Array1<f64> = t.iter().copied().collect();
    let u = trajectories(u_name, u)?;
    Dataset::new(t, u, u0.map(initial_states).transpose()?)
}

fn find_times(
    file: &mut dyn ArrayFile,
    names: &ArrayNames,
    known: &[String],
) -> std::result::Result<String, String> {
    if names.t.is_some() {
        return find_array(file, "t", "the times", names.t.as_deref(), known);
    }
    let there: Vec<&str> = TIME_NAMES
        .into_iter()
        .filter(|name| known.iter().any(|k| k == name))
        .collect();
    match there[..] {
        [one] => Ok(one.to_string()),
        [] => Err(format!(
            "there are no times: they should be called {}, or be named as t: \"…\"; there are {}",
            TIME_NAMES.join(", "),
            list_arrays(file, known)
        )),
        _ => Err(format!(
            "{} may all be the times: say which by t: \"…\"; there are {}",
            there.join(" and "),
            list_arrays(file, known)
        )),
    }
}

/// Returns the name of the array that is `requested`, by default that of its option.
fn find_array(
    file: &mut dyn ArrayFile,
    option: &str,
    what: &str,
    requested: Option<&str>,
    known: &[String],
) -> std::result::Result<String, String> {
    let name = requested.unwrap_or(option);
    if known.iter().any(|k| k == name) {
        return Ok(name.to_string());
    }
    let there = list_arrays(file, known);
    Err(match requested {
        None => format!(
            "there is no array \"{option}\" with {what}: name it as {option}: \"…\"; there are {there}"
        ),
        Some(_) => {
            let near = nearest(name, known.iter().map(String::as_str));
            let hint = near.map_or_else(String::new, |n| format!(" (did you mean \"{n}\"?)"));
            format!("there is no array \"{name}\"{hint}; there are {there}")
        }
    })
}

/// Lists all arrays with their shapes, for messages.
fn list_arrays(file: &mut dyn ArrayFile, known: &[String]) -> String {
    let mut shown: Vec<String> = known
        .iter()
        .take(MAX_LISTED)
        .map(|name| {
            let short: String = name.chars().take(40).collect();
            format!("{short} {}", file.describe(name))
        })
        .collect();
    if known.len() > MAX_LISTED {
        shown.push(format!("{} more", known.len() - MAX_LISTED));
    }
    shown.join(", ")
}

/// Checks that one array of times and one of values can hold the data.
pub(super) fn check_uniform(data: &Dataset) -> Result<()> {
    if data.is_uniform() {
        return Ok(());
    }
    Err(Error::invalid(
        "the samples have times of their own, which arrays t and u cannot hold: write_csv keeps them, or write each sample \
         into a file, in a script data.sample(i)",
    ))
}

/// Converts an array of rank 3, 2 (one sample) or 1 (one sample, one component) to values `[sample, time, dof]`.
pub fn trajectories(name: &str, u: ArrayD<f64>) -> Result<Array3<f64>> {
    let shape = u.shape().to_vec();
    let wrong = || {
        Error::invalid(format!(
            "{name} should have shape [time, dof] or [sample, time, dof], not {shape:?}"
        ))
    };
    match shape.len() {
        1 => u
            .into_shape_with_order((1, shape[0], 1))
            .map_err(|_| wrong()),
        2 => Ok(u
            .insert_axis(Axis(0))
            .into_dimensionality::<Ix3>()
            .map_err(|_| wrong())?),
        _ => u.into_dimensionality::<Ix3>().map_err(|_| wrong()),
    }
}

/// Converts an array of rank 2 or 1 (one sample) to initial states `[sample, dof]`.
pub fn initial_states(u0: ArrayD<f64>) -> Result<Array2<f64>> {
    let u0 = if u0.ndim() == 1 {
        u0.insert_axis(Axis(0))
    } else {
        u0
    };
    let shape = u0.shape().to_vec();
    u0.into_dimensionality::<Ix2>().map_err(|_| {
        Error::invalid(format!(
            "u0 should have shape [dof] or [sample, dof], not {shape:?}"
        ))
    })
}
