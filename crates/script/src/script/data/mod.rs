//! The bindings of datasets: simulation, conversion from arrays, noise. Reading and writing of files is in `files`, arithmetic and names
//! in `scaled`.

mod files;
mod scaled;

use std::sync::Arc;

use ndarray::{Array1, Axis, s};
use rhai::{Array as List, Dynamic, ImmutableString, NativeCallContext};

use super::array::ScriptArray;
use super::convert;
use super::error::RhaiResult;
use super::event_options::{EVENTS_AND_DOSES, read_events_and_doses};
use super::fields::ScriptField;
use super::host::Host;
use super::keys::Keys;
use super::options::Options;
use super::registry::{Registry, ScriptType, check_unchanged};
use super::solving::{
    SOLVER, check_solution_memory, note_moved_start, note_stiffness, note_unresolved, solver,
};
use crate::{Error, Result};
use odesync_base::random::{Generator, with_default_generator};
use odesync_base::tables::format_number;
use odesync_ode::odesolve::SolveOptions;
use odesync_train::datasets::arrays::{initial_states, trajectories};
use odesync_train::datasets::{Dataset, NoiseOptions};

/// The script type of a dataset, `Dataset`.
#[derive(Clone)]
pub struct ScriptDataset(pub Arc<Dataset>);

fn wrap(dataset: Dataset) -> ScriptDataset {
    ScriptDataset(Arc::new(dataset))
}

/// Converts an array to its shape in scripts: `[time, dof]` for one sample, else `[sample, time, dof]`.
pub(super) fn squeeze<D: ndarray::Dimension>(x: ndarray::ArrayView<'_, f64, D>) -> ScriptArray {
    let x = x.into_dyn();
    match x.shape().first() {
        Some(1) => ScriptArray::new(x.index_axis(Axis(0), 0).to_owned()),
        _ => ScriptArray::new(x.to_owned()),
    }
}

fn from_arrays(t: &Dynamic, u: &Dynamic, u0: Option<&Dynamic>) -> Result<ScriptDataset> {
    let t = Array1::from(convert::to_vector(t, "dataset: t")?);
    let u = trajectories("u", convert::to_array(u, "dataset: u")?)?;
    let u0 = u0
        .map(|u0| initial_states(convert::to_array(u0, "dataset: u0")?))
        .transpose()?;
    Ok(wrap(Dataset::new(t, u, u0)?))
}

fn concat(list: &List) -> Result<ScriptDataset> {
    let parts = list
        .iter()
        .map(|part| match part.read_lock::<ScriptDataset>() {
            Some(part) => Ok(Dataset::clone(&part.0)),
            None => Err(Error::invalid(format!(
                "dataset: a list of datasets is joined, and it holds {}; data from arrays are dataset(t, u)",
                convert::describe(part)
            ))),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(wrap(Dataset::join(&parts)?))
}

const SIMULATE: Keys = &[SOLVER, EVENTS_AND_DOSES];

const NOISE: Keys = &[NoiseOptions::OPTIONS];

fn simulate(
    context: &NativeCallContext,
    host: &Host,
    field: &ScriptField,
    u0: &Dynamic,
    t: &Dynamic,
    mut options: Options,
) -> RhaiResult<ScriptDataset> {
    let mut solver = SolveOptions {
        interrupt: Some(host.interrupt_flag()),
        ..solver(&mut options)?
    };
    read_events_and_doses(context, field, &mut options, &mut solver)?;
    options.finish()?;
    let t = convert::to_vector(t, "dataset: t")?;
    let u0 = initial_states(convert::to_array(u0, "dataset: u0")?)?;
    check_solution_memory(host, "the data", t.len(), field.0.dof(), u0.nrows())?;
    let (simulated, stats) = Dataset::simulated_with_stats(&field.0, &u0, &t, &solver)?;
    note_stiffness(host, "dataset", &stats, u0.nrows());
    let u = simulated.u();
    note_moved_start(
        host,
        "dataset",
        &solver,
        u0.outer_iter()
            .zip(u.outer_iter().map(|u| u.slice_move(s![0, ..]))),
    );
    note_unresolved(host, "dataset", &solver.atol, u.rows().into_iter());
    Ok(wrap(simulated))
}

fn add_noise(
    d: &ScriptDataset,
    amplitude: &Dynamic,
    mut options: Options,
) -> Result<ScriptDataset> {
    let mut noise = NoiseOptions::default();
    options.read_set(&mut noise)?;
    options.finish()?;
    let relative = noise.relative_to;
    let amplitude = convert::number(amplitude, "add_noise: the amplitude")?;
    Ok(wrap(match noise.seed {
        Some(seed) => {
            d.0.add_noise(amplitude, relative, &mut Generator::manual_seed(seed))?
        }
        None => with_default_generator(|g| d.0.add_noise(amplitude, relative, g))?,
    }))
}

fn head(data: &Dataset, n: i64) -> Result<Dataset> {
    let refused = |reason: &dyn std::fmt::Display| Error::invalid(format!("head: {reason}"));
    match usize::try_from(n) {
        Ok(n) => data.head(n).map_err(|e| refused(&e)),
        Err(_) => {
            let shortest = shortest(data);
            Err(refused(&format_args!(
                "take 2 to {shortest} times, not {n}"
            )))
        }
    }
}

fn slice(data: &Dataset, from: i64, to: i64) -> Result<Dataset> {
    let refused = |reason: &dyn std::fmt::Display| Error::invalid(format!("slice: {reason}"));
    match (usize::try_from(from), usize::try_from(to)) {
        (Ok(from), Ok(to)) => data.slice(from, to).map_err(|e| refused(&e)),
        _ => {
            let shortest = shortest(data);
            Err(refused(&format_args!(
                "from {from} to {to}: take at least two times between 0 and {shortest}"
            )))
        }
    }
}

/// Returns the number of times of the sample with the fewest.
fn shortest(data: &Dataset) -> usize {
    let counts = data.trajectories().map(|(t, _)| t.len());
    counts.min().unwrap_or_default()
}

impl ScriptType for ScriptDataset {
    const NAME: &'static str = "Dataset";

    fn show(&self) -> String {
        let d = &self.0;
        let counts = || d.trajectories().map(|(t, _)| t.len());
        let all = || d.trajectories().flat_map(|(t, _)| t.to_vec());
        let (fewest, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
        format!(
            "Dataset: {} sample{}, {} times from {} to {}, state variables {}{}",
            d.samples(),
            if d.samples() == 1 { "" } else { "s" },
            match (d.is_uniform(), fewest == most) {
                (true, _) => format!("{most}"),
                (_, true) => format!("{most} own"),
                _ => format!("{fewest} to {most} own"),
            },
            format_number(all().fold(f64::INFINITY, f64::min), 6),
            format_number(all().fold(f64::NEG_INFINITY, f64::max), 6),
            d.names().join(", "),
            if d.has_missing() {
                ", with missing values"
            } else {
                ""
            }
        )
    }
}

pub(super) fn register(reg: &mut Registry) {
    reg.script_type::<ScriptDataset>();
    let host = reg.host();
    reg.function(
        "dataset(field, u0, t) or dataset(t, u) or dataset(t, u, u0) or dataset([data, …]) -> Dataset",
        "Simulated data; data from arrays: u is [time, dof] or [sample, time, dof], NaN a missing value, u0 the first row unless \
         given; or the samples of several datasets, which may have different times. Then data.t are the times of all samples, \
         data.u is NaN where a sample has none, and data.sample(i) is one of them.",
        "dataset([dataset(lotka_volterra(), [1, 1], arange(0, 3, 0.5)), dataset([0.0, 0.7, 0.9], [[1, 2], [2, 2], [2, 1]])])",
    )
    .options(SIMULATE)
    .body(
        move |context: NativeCallContext,
              f: ScriptField,
              u0: Dynamic,
              t: Dynamic,
              options: Options| { simulate(&context, &host, &f, &u0, &t, options) },
    )
    .body(|t: Dynamic, u: Dynamic, u0: Option<Dynamic>| from_arrays(&t, &u, u0.as_ref()))
    .body(|list: List| concat(&list));
    reg.function(
        "data.sample(i) -> Dataset",
        "One sample, with its own times; samples count from 0, data.samples is their number.",
        "dataset(lotka_volterra(), [[1, 1], [2, 1]], arange(0, 3, 0.5)).sample(1).u0",
    )
    .body(|d: &mut ScriptDataset, i: i64| -> Result<ScriptDataset> {
        let i = convert::to_index(i, d.0.samples(), "the list of samples")?;
        Ok(wrap(d.0.single_sample(i)?))
    });
    reg.property(
        "data.samples -> int",
        "The number of samples.",
        "dataset(lotka_volterra(), [[1, 1], [2, 1]], arange(0, 3, 0.5)).samples",
    )
    .get(|d: &mut ScriptDataset| d.0.samples() as i64);
    files::register(reg);
    scaled::register(reg);
    reg.function(
        "data.add_noise(amplitude, #{ relative_to: \"mean\", seed: 10 }) -> Dataset",
        "Adds normal noise; its scale is the unit of the data, or each component's mean or std over time.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).add_noise(0.05, #{ relative_to: \"mean\", seed: 10 })",
    )
    .options(NOISE)
    .body(|d: &mut ScriptDataset, amplitude: Dynamic, options: Options| {
        add_noise(d, &amplitude, options)
    });
    reg.function(
        "data.head(n) -> Dataset",
        "The first n times of each sample.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).head(2)",
    )
    .body(|d: &mut ScriptDataset, n: i64| head(&d.0, n).map(wrap));
    reg.function(
        "data.up_to(t_end) -> Dataset",
        "The times of each sample up to t_end, included.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).up_to(1.0)",
    )
    .body(
        |d: &mut ScriptDataset, t: Dynamic| -> Result<ScriptDataset> {
            Ok(wrap(d.0.up_to(convert::number(&t, "up_to: the time")?)?))
        },
    );
    reg.function(
        "data.slice(from, to) -> Dataset",
        "The times from index `from` up to but without `to`.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).slice(1, 3)",
    )
    .body(|d: &mut ScriptDataset, from: i64, to: i64| slice(&d.0, from, to).map(wrap));
    properties(reg);
}

fn properties(reg: &mut Registry) {
    reg.function(
        "data.len() -> int",
        "The number of times.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).len()",
    )
    .body(|d: &mut ScriptDataset| d.0.len() as i64);
    reg.property(
        "data.t -> Array",
        "The times, [time].",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).t",
    )
    .get(|d: &mut ScriptDataset| ScriptArray::new(d.0.t().to_owned().into_dyn()));
    let host = reg.host();
    reg.property(
        "data.u -> Array",
        "The values, [time, dof]; [sample, time, dof] of several samples.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).u",
    )
    .get(move |d: &mut ScriptDataset| -> Result<ScriptArray> {
        if !d.0.is_uniform() {
            let times: usize = d.0.trajectories().map(|(t, _)| t.len()).sum();
            host.check_memory_for_shape(
                "the data on the times of all samples",
                &[d.0.samples(), times, d.0.dof()],
            )?;
        }
        Ok(squeeze(d.0.u()))
    });
    reg.property(
        "data.u0 -> Array",
        "The initial states, [dof]; [sample, dof] of several samples.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).u0",
    )
    .get(|d: &mut ScriptDataset| squeeze(d.0.u0()));
    reg.property(
        "data.dof -> int",
        "The number of state variables.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).dof",
    )
    .get(|d: &mut ScriptDataset| d.0.dof() as i64);
    reg.property(
        "data.names -> list",
        "The names of the state variables; data[\"x\"] is the column of that name, [time], or [sample, time] of several samples.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).names",
    )
    .get(|d: &mut ScriptDataset| {
        let names = d.0.names().iter().map(|n| Dynamic::from(n.clone()));
        names.collect::<List>()
    });
    let column = |d: &mut ScriptDataset, name: &str| -> RhaiResult<ScriptArray> {
        let j = d.0.component_index(name)?;
        Ok(squeeze(d.0.u().index_axis(Axis(2), j)))
    };
    reg.engine()
        .register_indexer_get(move |d: &mut ScriptDataset, name: ImmutableString| column(d, &name))
        .register_indexer_set(
            move |d: &mut ScriptDataset, name: ImmutableString, given: Dynamic| {
                let label = format!("the column {name:?} of the data");
                check_unchanged(&label, &format!("[{name:?}]"), &column(d, &name)?, &given)
            },
        );
}
