//! Many solves by one call of `solve`: from several initial states, and with several values of the field's constants.

use std::sync::Arc;

use ndarray::{ArrayD, Axis, Ix2, s};
use rhai::{Dynamic, Map};

use super::array::ScriptArray;
use super::convert;
use super::error::RhaiResult;
use super::host::Host;
use super::keys::Key;
use super::options::Options;
use super::registry::{Registry, ScriptType};
use super::solving::{check_solution_memory, note_moved_start, note_stiffness, stats};
use crate::{Error, Result};
use odesync_base::tables::format_number;
use odesync_base::text::count_of;
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::{BatchSolution, BatchSolve, Engine, SolveOptions};

/// The script type of the solutions of several solves, `BatchSolution`.
#[derive(Clone)]
pub struct ScriptBatchSolution(pub Arc<BatchSolution>);

/// The option keys of several solves.
pub(super) const KEYS: &[Key] = &[
    Key::new("params")
        .doc("Values of the field's constants, one for each of several solves, for example `#{ rho: linspace(0, 30, 100) }`.")
        .expected(PARAMS),
    Key::flag("keep_failed")
        .doc("Of several solves, go on where one fails: its states are NaN, and `sol.failures` says why.")
        .default(|| false.into(), ""),
];

const PARAMS: &str =
    "a map from names of constants to lists of values, such as #{ rho: [10.0, 28.0] }";

/// What is solved: the field, from these initial states, `[solve, dof]` or `[dof]`, with these values of its constants.
pub(super) struct BatchInputs<'a> {
    pub field: &'a VectorField,
    pub u0: ArrayD<f64>,
    pub params: Vec<(String, Vec<f64>)>,
    pub keep_failed: bool,
}

/// Reads the values of constants, by name.
pub(super) fn params(options: &mut Options) -> Result<Vec<(String, Vec<f64>)>> {
    let Some(value) = options.take("params") else {
        return Ok(vec![]);
    };
    let Some(map) = value.clone().try_cast::<Map>() else {
        return Err(options.invalid_value("params", PARAMS, &value));
    };
    let values = map.into_iter().map(|(name, values)| {
        let values = convert::to_vector(&values, &format!("solve: params: {name}"))?;
        Ok((name.to_string(), values))
    });
    values.collect()
}

/// Solves all of them.
pub(super) fn solve(
    host: &Host,
    engine: &mut dyn Engine,
    batch: BatchInputs,
    t: &[f64],
    options: &SolveOptions,
) -> RhaiResult<Dynamic> {
    let rows = match batch.u0.ndim() {
        1 => batch.u0.view().insert_axis(Axis(0)),
        _ => batch.u0.view(),
    };
    let shape = rows.shape().to_vec();
    let rows = rows.into_dimensionality::<Ix2>().map_err(|_| {
        Error::invalid(format!(
            "solve: u0 should be one initial state or a list of them, [solve, dof], not of shape {shape:?}"
        ))
    })?;
    let mut solves = BatchSolve::new(batch.field, rows)?;
    for (name, values) in &batch.params {
        solves = solves.with_param(name, values)?;
    }
    if batch.keep_failed {
        solves = solves.keep_failed();
    }
    check_solution_memory(
        host,
        "the solutions",
        t.len(),
        batch.field.dof(),
        solves.len(),
    )?;
    let (all, progress) = (solves.len(), host.progress_bar("solve", "solves"));
    let update = |done: usize| progress.update(done, all);
    let solution = solves.solve_with_progress(engine, t, options, &update)?;
    drop(progress);
    note_stiffness(host, "solve", &solution.stats, solves.len());
    let starts = solution.u.outer_iter().enumerate().map(|(i, u)| {
        let given = rows.row(i.min(rows.nrows().saturating_sub(1)));
        (given, u.slice_move(s![0, ..]))
    });
    note_moved_start(host, "solve", options, starts);
    if let Some(first) = solution.failures.first() {
        host.note(&format!(
            "solve: {} of {} failed, and their states are NaN; the first, number {}: {first}",
            solution.failures.len(),
            count_of(solves.len(), "solve"),
            first.sample
        ));
    }
    Ok(Dynamic::from(ScriptBatchSolution(Arc::new(solution))))
}

impl ScriptType for ScriptBatchSolution {
    const NAME: &'static str = "BatchSolution";

    fn show(&self) -> String {
        let (solved, t) = (&self.0, &self.0.t);
        let failed = match solved.failures.len() {
            0 => String::new(),
            n => format!(", {n} failed"),
        };
        format!(
            "BatchSolution: {}, {} times from {} to {}, {} state variables; {} steps, {} rejected, {} evaluations{failed}",
            count_of(solved.u.len_of(Axis(0)), "solve"),
            t.len(),
            format_number(t.first().copied().unwrap_or(f64::NAN), 6),
            format_number(t.last().copied().unwrap_or(f64::NAN), 6),
            solved.u.len_of(Axis(2)),
            solved.stats.steps,
            solved.stats.rejected,
            solved.stats.evaluations
        )
    }
}

pub(super) fn register(reg: &mut Registry) {
    reg.script_type::<ScriptBatchSolution>();
    reg.property(
        "solutions.t -> Array",
        "The times of the solutions of several solves.",
        "solve(lotka_volterra(), [[1, 1], [2, 1]], [0, 1, 2]).t",
    )
    .get(|s: &mut ScriptBatchSolution| ScriptArray::new(s.0.t.clone().into_dyn()));
    reg.property(
        "solutions.u -> Array",
        "The states at these times, [solve, time, dof]; NaN where a solve failed.",
        "solve(lotka_volterra(), [[1, 1], [2, 1]], [0, 1, 2]).u.shape",
    )
    .get(|s: &mut ScriptBatchSolution| ScriptArray::new(s.0.u.clone().into_dyn()));
    reg.property(
        "solutions.stats -> map",
        "The cost of all solves together.",
        "solve(lorenz(), [1, 1, 1], [0, 1], #{ params: #{ rho: [10, 20, 28] } }).stats.steps",
    )
    .get(|s: &mut ScriptBatchSolution| stats(s.0.stats));
    reg.property(
        "solutions.failures -> list",
        "For each solve that failed, with keep_failed: true, a map of its index and the message.",
        "solve(system(1, |t, u| [u[0] * u[0]]), [[0.1], [9.0]], [0, 1], #{ keep_failed: true }).failures",
    )
    .get(|s: &mut ScriptBatchSolution| {
        let failures = s.0.failures.iter().map(|failure| {
            Dynamic::from(Map::from([
                ("index".into(), Dynamic::from(failure.sample as i64)),
                ("message".into(), failure.to_string().into()),
            ]))
        });
        failures.collect::<rhai::Array>()
    });
}
