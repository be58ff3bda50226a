//! The data of an experiment: the training data, the data after them, and the truth where it is known.

use std::path::Path;

use ndarray::{Array1, Array2, Array3, ArrayD, Axis, Ix2, s};

use super::settings::{
    DataFormat, DatasetSettings, FileDataSettings, NoiseSettings, SimulatedDataSettings, required,
};
use crate::{Error, Result};
use odesync_base::options::{Named, find};
use odesync_base::text::count_of;
use odesync_ode::odesolve::SolveOptions;
use odesync_ode::{dynamics, odesolve};
use odesync_train::datasets::{self, ArrayNames, Column, CsvOptions, Dataset, TableOptions};

/// Relative and absolute tolerance of the truth: far below any noise, and below the accuracy asked of a model.
const TRUTH_TOLERANCES: (f64, f64) = (1e-11, 1e-13);

/// Largest number of values to simulate: more than anyone trains on, so a larger number is a mistake and would only fill the
/// memory.
const MAX_VALUES: usize = 100_000_000;

/// The training data of an experiment, and the data over all times.
#[derive(Debug, Clone)]
pub struct ExperimentData {
    /// The training data.
    pub train: Dataset,
    /// Data over all times, which begin with those of the training data: the truth without noise where it is known, else the
    /// measurements.
    pub truth: Dataset,
}

impl ExperimentData {
    /// Reads or simulates the data.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown system, or numbers of times that do not fit.
    pub fn new(settings: &DatasetSettings) -> Result<Self> {
        match settings {
            DatasetSettings::Simulated(simulated) => simulate(simulated),
            DatasetSettings::File(file) => read(file),
        }
    }

    /// Returns the number of times of the training data.
    pub fn train_len(&self) -> usize {
        self.train.len()
    }
}

fn add_noise(data: Dataset, noise: Option<&NoiseSettings>) -> Result<Dataset> {
    match noise {
        Some(NoiseSettings { amplitude, options }) => {
            let seed = options.seed.unwrap_or_default();
            data.add_noise_seeded(*amplitude, options.relative_to, seed)
        }
        None => Ok(data),
    }
}

fn simulate(settings: &SimulatedDataSettings) -> Result<ExperimentData> {
    let mut field = dynamics::by_name(&settings.system)?;
    for (name, value) in &settings.params {
        field = field.with_param(name, &[*value])?;
    }
    if !(settings.dt > 0.0 && settings.dt.is_finite()) {
        return Err(Error::invalid(format!(
            "dataset.dt must be a positive time, not {}",
            settings.dt
        )));
    }
    let n = settings.train.saturating_add(settings.extrapolate);
    if n.saturating_mul(field.dof()) > MAX_VALUES {
        return Err(Error::invalid(format!(
            "dataset.train and dataset.extrapolate ask for {n} times; the most is {}",
            MAX_VALUES / field.dof()
        )));
    }
    let t: Vec<f64> = (0..n).map(|i| i as f64 * settings.dt).collect();
    let solver = SolveOptions::default().tolerances(TRUTH_TOLERANCES.0, TRUTH_TOLERANCES.1);
    let u = odesolve::solve(&field, &settings.u0, &t, &solver)?.u;
    let truth = Dataset::single(Array1::from(t), u, Some(Array1::from(settings.u0.clone())))?;
    let train = add_noise(
        head(&truth, "dataset.train", settings.train)?,
        settings.noise.as_ref(),
    )?;
    Ok(ExperimentData { train, truth })
}

fn head(data: &Dataset, key: &str, n: usize) -> Result<Dataset> {
    data.head(n)
        .map_err(|e| Error::invalid(format!("{key}: {e}")))
}

fn read(settings: &FileDataSettings) -> Result<ExperimentData> {
    let path = required(
        settings.path.as_deref().map(Path::new),
        "dataset.path",
        "it is the file that holds the data; give it as dataset.path=FILE",
    )?;
    let all = select_rows(read_file(path, settings)?, settings)?;
    let n = settings.train.unwrap_or(all.len());
    let measured = match settings.extrapolate {
        Some(more) if n.saturating_add(more) > all.len() => {
            return Err(Error::invalid(format!(
                "dataset.train ({n}) and dataset.extrapolate ({more}) are together more than the {} in the data",
                count_of(all.len(), "time")
            )));
        }
        Some(more) => all.head(n.saturating_add(more))?,
        None => all,
    };
    let train = add_noise(
        head(&measured, "dataset.train", n)?,
        settings.noise.as_ref(),
    )?;
    Ok(ExperimentData {
        train,
        truth: measured,
    })
}

/// Returns the format that the settings give, else the one that the file's extension implies.
fn file_format(path: &Path, given: Option<DataFormat>) -> Result<DataFormat> {
    // A table may be packed.
    let unpacked = match path.extension().is_some_and(|e| e == "gz") {
        true => path.with_extension(""),
        false => path.to_path_buf(),
    };
    let implied = || match unpacked.extension().and_then(|e| e.to_str()).unwrap_or("") {
        "txt" | "tsv" | "dat" => Some(DataFormat::Csv),
        "xlsx" | "xlsm" | "parquet" | "mat" | "h5" | "hdf5" | "nc" => Some(DataFormat::Table),
        ending => DataFormat::from_name(ending).ok(),
    };
    given.or_else(implied).ok_or_else(|| {
        Error::invalid(format!(
            "what kind of file {} is can't be seen from its name; say it as dataset.format={}",
            path.display(),
            DataFormat::NAMES.join("|")
        ))
    })
}

fn read_file(path: &Path, settings: &FileDataSettings) -> Result<Dataset> {
    let format = file_format(path, settings.format)?;
    check_table_options(settings, format)?;
    let table = &settings.table.csv;
    let of_rows = || CsvOptions {
        dt: table.dt.map(|dt| dt / settings.every.max(1) as f64),
        ..table.clone()
    };
    match format {
        DataFormat::Csv => datasets::read_csv(path, &of_rows()),
        DataFormat::Table => {
            let options = TableOptions {
                csv: of_rows(),
                ..settings.table.clone()
            };
            datasets::read_table(path, &options)
        }
        DataFormat::Json => datasets::read_json(path),
        DataFormat::Npz => datasets::read_npz(path, &array_names(table)?),
        DataFormat::Safetensors => datasets::read_safetensors(path, &array_names(table)?),
        DataFormat::SchmidtLipson => datasets::read_schmidt_lipson(path, settings.trial),
        DataFormat::Npy => {
            let dt = required(
                table.dt,
                "dataset.dt",
                "an .npy file holds no times; give the time between two rows as dataset.dt=1.0",
            )?;
            from_untimed_array(datasets::read_npy(path)?, dt, settings.every)
        }
    }
}

/// Refuses options of tables where the file is none, and an initial state that is not that of the first row.
fn check_table_options(settings: &FileDataSettings, format: DataFormat) -> Result<()> {
    let of_tables = |name: &&&str| {
        let elsewhere = ["time", "state", "dt"].contains(*name);
        !elsewhere && find(&[CsvOptions::OPTIONS, TableOptions::OPTIONS], name).is_some()
    };
    let is_table = matches!(format, DataFormat::Csv | DataFormat::Table);
    let of_part = |name: &&str| find(&[TableOptions::OPTIONS], name).is_some();
    match settings.given.iter().find(of_tables) {
        Some(name) if !is_table => Err(Error::invalid(format!(
            "dataset.{name} belongs to tables, and the file is {}; leave it out",
            format.to_name()
        ))),
        _ if format == DataFormat::Csv && settings.given.iter().any(of_part) => {
            Err(Error::invalid(
                "dataset.sheet and dataset.group belong to workbooks and files of arrays, and the file is text; leave them out",
            ))
        }
        Some(_) if settings.table.csv.u0.is_some() && settings.from > 0 => Err(Error::invalid(
            "dataset.u0 is the state of the file's first row, and dataset.from begins after it; leave one of them out",
        )),
        _ => Ok(()),
    }
}

/// Returns the names of the arrays in a file that holds several.
fn array_names(table: &CsvOptions) -> Result<ArrayNames> {
    let name = |key: &str, column: &Column| match column {
        Column::Name(name) => Ok(name.clone()),
        Column::Index(index) => Err(Error::invalid(format!(
            "dataset.{key} names an array of such a file, and {index} is a number"
        ))),
    };
    let u = match table.state.as_deref() {
        None => None,
        Some([one]) => Some(name("state", one)?),
        Some(_) => {
            return Err(Error::invalid(
                "dataset.state names one array of such a file, not several",
            ));
        }
    };
    let t = table.time.as_ref().map(|time| name("time", time));
    Ok(ArrayNames {
        t: t.transpose()?,
        u,
        ..ArrayNames::default()
    })
}

/// Makes a dataset from an array `[time, dof]` without times; after `every`th rows are taken, the times are `dt` apart.
fn from_untimed_array(u: ArrayD<f64>, dt: f64, every: usize) -> Result<Dataset> {
    let shape = u.shape().to_vec();
    let u: Array3<f64> = match u.into_dimensionality::<Ix2>() {
        Ok(u) => u.insert_axis(Axis(0)),
        Err(_) => {
            return Err(Error::invalid(format!(
                "the array should be [time, dof], and its shape is {shape:?}"
            )));
        }
    };
    let every = every.max(1) as f64;
    let t = Array1::from_shape_fn(u.len_of(Axis(1)), |i| i as f64 / every * dt);
    Dataset::new(t, u, None)
}

/// Selects the rows of the settings and scales them; the times then begin at 0.
fn select_rows(data: Dataset, settings: &FileDataSettings) -> Result<Dataset> {
    let n = data.len();
    let (from, every) = (settings.from, settings.every);
    let rows = settings.rows.unwrap_or(n.saturating_sub(from));
    let to = from.saturating_add(rows);
    if to > n || rows < 2 {
        return Err(Error::invalid(format!(
            "from row {from} (dataset.from) {} (dataset.rows): take at least two of the {} of the file",
            count_of(rows, "row"),
            count_of(n, "row")
        )));
    }
    if !(settings.scale.is_finite() && settings.scale != 0.0) {
        return Err(Error::invalid(format!(
            "dataset.scale must be a number other than 0, not {}",
            settings.scale
        )));
    }
    let part = s![from..to; every];
    let t = data.t().slice(part).to_owned();
    let t = &t - t[0];
    let u = data.u().slice(s![.., from..to; every, ..]).to_owned() * settings.scale;
    let u0: Option<Array2<f64>> = (from == 0).then(|| &data.u0() * settings.scale);
    Dataset::new(t, u, u0)?.with_names(data.names().to_vec())
}
