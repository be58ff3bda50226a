//! The binding `solve` and its options.

use std::sync::Arc;

use ndarray::ArrayView1;
use rhai::{Array as List, Dynamic, Map, NativeCallContext};

use super::array::ScriptArray;
use super::batch_solving;
use super::convert;
use super::error::RhaiResult;
use super::event_options::{EVENTS_AND_DOSES, read_events_and_doses};
use super::fields::ScriptField;
use super::host::Host;
use super::keys::{Key, Keys};
use super::options::Options;
use super::registry::{Registry, ScriptType};
use crate::{Error, Result};
use odesync_base::options::split;
use odesync_base::tables::format_number;
use odesync_ode::devices::Device;
use odesync_ode::engines::engine;
use odesync_ode::odesolve::{AbsoluteTolerance, Solution, SolveOptions, Stats, solve_on};
use odesync_train::training::TrainOptions;

/// The script type of a solution, `Solution`.
#[derive(Clone)]
pub struct ScriptSolution(pub Arc<Solution>);

const PARTS: (&[Key], &[Key]) = split(SolveOptions::OPTIONS, "adjoint");

/// The option keys of a solver.
pub(super) const SOLVER: &[Key] = PARTS.0;

/// The option keys that choose how gradients are computed.
pub(super) const ADJOINT: &[Key] = PARTS.1;

/// The option keys of the engine and the device.
pub(super) const ENGINE: &[Key] = split(TrainOptions::OPTIONS, "engine").1;

const SOLVE: Keys = &[SOLVER, EVENTS_AND_DOSES, batch_solving::KEYS, ENGINE];

/// Reads the options of a solve, and how gradients are computed where the call has such options.
///
/// # Errors
/// A value of the wrong type or out of its range; the key `method`, where a call has no training method.
pub fn solver(options: &mut Options) -> Result<SolveOptions> {
    let mut solver = SolveOptions::default();
    options.refuse(
        "method",
        "the ODE solver is given as solver, for example #{ solver: \"rk4\" }",
    )?;
    options.read_set(&mut solver)?;
    solver.check()?;
    reject_unused_options(&solver)?;
    Ok(solver)
}

/// Returns an error for an option that has no effect with this solver and these steps.
fn reject_unused_options(solver: &SolveOptions) -> Result<()> {
    let unused = match (solver.controller, solver.first_step) {
        _ if !solver.is_fixed_step() => return Ok(()),
        (Some(_), _) => "controller",
        (None, Some(_)) => "first_step",
        (None, None) => return Ok(()),
    };
    Err(Error::invalid(format!(
        "{unused} has no effect: the steps are of a fixed size; leave it out"
    )))
}

/// Reads the names of the engine and the device under the keys `engine` and `device`. The device defaults to that of the session,
/// and to the CPU for the native engine; the engine defaults to the one that the device needs.
///
/// # Errors
/// An unknown name of an engine or a device.
pub fn engine_and_device(host: &Host, options: &mut Options) -> Result<(String, String)> {
    let engine = options.opt_choice("engine")?;
    let device = match options.opt_string("device")? {
        Some(name) => name.parse()?,
        None if engine == Some("native") => Device::Cpu,
        None => host.device(),
    };
    let engine = engine.unwrap_or_else(|| device.engine());
    Ok((engine.into(), device.to_string()))
}

/// Writes a note if `auto` switched to a stiff solver in the solves of this call.
pub(super) fn note_stiffness(host: &Host, call: &str, stats: &Stats, solves: usize) {
    let Some(t) = stats.stiff_from else {
        return;
    };
    let more = match stats.switches {
        // Of several solves, only the first switch is described.
        n if n > 1 && solves == 1 => format!(" ({n} changes in all, there and back)"),
        _ => String::new(),
    };
    host.note(&format!(
        "{call}: the problem is stiff from t = {t:.6} on; changed to a stiff method there{more}"
    ));
}

/// Writes a note if a state variable never leaves the absolute tolerance in these states, because its error is then not controlled.
pub(super) fn note_unresolved<'a>(
    host: &Host,
    call: &str,
    atol: &AbsoluteTolerance,
    rows: impl Iterator<Item = ArrayView1<'a, f64>>,
) {
    let unresolved = atol.unresolved(rows);
    let Some(&first) = unresolved.first() else {
        return;
    };
    let names: Vec<String> = unresolved
        .iter()
        .take(4)
        .map(|i| format!("u[{i}]"))
        .collect();
    let (more, stay) = match unresolved.len() {
        1 => ("", "stays"),
        2..=4 => ("", "stay"),
        _ => (" and others", "stay"),
    };
    host.note(&format!(
        "{call}: {}{more} {stay} below atol ({}) all along, where errors are not controlled; give a smaller atol, or a list with one for \
         each state variable",
        names.join(", "),
        format_number(atol.at(first), 4)
    ));
}

/// Writes a note if a solve with a mass matrix moved the initial state, so that it satisfies the algebraic equations; `starts` has the
/// given state and the solution at the first time of each solve.
pub(super) fn note_moved_start<'a>(
    host: &Host,
    call: &str,
    options: &SolveOptions,
    mut starts: impl Iterator<Item = (ArrayView1<'a, f64>, ArrayView1<'a, f64>)>,
) {
    let moved = starts.find_map(|(u0, start)| {
        let moved = options.initial_state_corrections(&u0.to_vec(), &start.to_vec());
        (!moved.is_empty()).then_some((moved, u0, start))
    });
    let Some((moved, u0, start)) = moved else {
        return;
    };
    let change = |i: &usize| {
        let [from, to] = [u0[*i], start[*i]].map(|x| format_number(x, 6));
        format!("u[{i}] from {from} to {to}")
    };
    let changes: Vec<String> = moved.iter().take(4).map(change).collect();
    host.note(&format!(
        "{call}: the initial state did not satisfy the algebraic equations of the mass_matrix; changed {}{}",
        changes.join(", "),
        if moved.len() > 4 { " and others" } else { "" },
    ));
}

/// Converts the statistics of a solve to a map.
pub fn stats(stats: Stats) -> Map {
    let counts = [
        ("steps", stats.steps),
        ("rejected", stats.rejected),
        ("evaluations", stats.evaluations),
        ("jacobians", stats.jacobians),
        ("factorizations", stats.factorizations),
        ("switches", stats.switches),
    ];
    let counts = counts.map(|(name, count)| (name.into(), Dynamic::from(count as i64)));
    let mut map = Map::from(counts);
    let stiff_from = stats.stiff_from.map_or(Dynamic::UNIT, Dynamic::from);
    map.insert("stiff_from".into(), stiff_from);
    map
}

/// Checks that a solution (values, outputs and steps, a few times over) fits into the memory that a script may use.
///
/// # Errors
/// [`Error::Invalid`] if it does not.
pub fn check_solution_memory(
    host: &Host,
    what: &str,
    times: usize,
    dof: usize,
    samples: usize,
) -> Result<()> {
    let elements = times.saturating_mul(4 * dof + 8).saturating_mul(samples);
    host.check_memory(what, elements)
}

fn solve(
    context: &NativeCallContext,
    host: &Host,
    field: &ScriptField,
    u0: &Dynamic,
    t: &Dynamic,
    mut options: Options,
) -> RhaiResult<Dynamic> {
    let mut solver = SolveOptions {
        interrupt: Some(host.interrupt_flag()),
        ..solver(&mut options)?
    };
    read_events_and_doses(context, field, &mut options, &mut solver)?;
    let params = batch_solving::params(&mut options)?;
    let keep_failed = options.bool("keep_failed", false)?;
    let (name, device) = engine_and_device(host, &mut options)?;
    options.finish()?;
    let u0 = convert::to_array(u0, "solve: u0")?;
    let t = convert::to_vector(t, "solve: t")?;
    let mut engine = engine(&name, &device)?;
    if u0.ndim() == 2 || !params.is_empty() {
        let batch = batch_solving::BatchInputs {
            field: &field.0,
            u0,
            params,
            keep_failed,
        };
        return batch_solving::solve(host, engine.as_mut(), batch, &t, &solver);
    }
    if keep_failed {
        return Err(Error::invalid(
            "solve: keep_failed belongs to several solves: give a list of initial states, or params",
        )
        .into());
    }
    let u0 = convert::array_to_vector(&u0, "solve: u0")?;
    check_solution_memory(host, "the solution", t.len(), field.0.dof(), 1)?;
    let solution = solve_on(engine.as_mut(), &field.0, &u0, &t, &solver)?;
    let u0 = ArrayView1::from(&u0[..]);
    note_stiffness(host, "solve", &solution.stats, 1);
    let starts = std::iter::once((u0.view(), solution.u.row(0)));
    note_moved_start(host, "solve", &solver, starts);
    let rows = solution.u.outer_iter();
    note_unresolved(host, "solve", &solver.atol, rows);
    Ok(Dynamic::from(ScriptSolution(Arc::new(solution))))
}

impl ScriptType for ScriptSolution {
    const NAME: &'static str = "Solution";

    fn show(&self) -> String {
        let (t, stats) = (&self.0.t, &self.0.stats);
        format!(
            "Solution: {} times from {} to {}, {} state variables; {} steps, {} rejected, {} evaluations",
            t.len(),
            format_number(t.first().copied().unwrap_or(f64::NAN), 6),
            format_number(t.last().copied().unwrap_or(f64::NAN), 6),
            self.0.u.ncols(),
            stats.steps,
            stats.rejected,
            stats.evaluations
        )
    }
}

pub(super) fn register(reg: &mut Registry) {
    reg.script_type::<ScriptSolution>();
    let host = reg.host();
    reg.function(
        "solve(field, u0, t, #{ solver: \"dopri5\", rtol: 1e-7, atol: 1e-9 }) -> Solution",
        "Solves du/dt = f(t, u), u(t[0]) = u0, forwards or backwards in time. Methods of fixed steps: euler, midpoint, heun, heun2, \
         heun3, rk4, rk4_38; of chosen steps: fehlberg2, adaptive_heun, bosh3, dopri5, tsit5, vern7, dopri8; for stiff fields radau, \
         kvaerno5, rodas5p, bdf; adams2, adams3, adams4, implicit_adams (fixed steps, those after a change of the step size by rk4); auto (changes to a stiff method where the \
         field is stiff). With a mass_matrix M, which may be singular, the stiff ones but auto solve M du/dt = f(t, u). The times and states of events are in sol.events; events and doses may change the state (jump). A list of \
         initial states, [solve, dof], or values of constants (params) are many solves in one call, side by side, with the result BatchSolution (t, u [solve, time, dof], stats, failures).",
        "solve(lotka_volterra(), [1, 1], linspace(0, 5, 20), #{ solver: \"tsit5\" }).stats",
    )
    .options(SOLVE)
    .body(
        move |c: NativeCallContext, f: ScriptField, u0: Dynamic, t: Dynamic, options: Options| {
            solve(&c, &host, &f, &u0, &t, options)
        },
    );
    reg.property(
        "solution.t -> Array",
        "The times, [time].",
        "solve(lotka_volterra(), [1, 1], [0, 1, 2]).t",
    )
    .get(|s: &mut ScriptSolution| ScriptArray::new(s.0.t.clone().into_dyn()));
    reg.property(
        "solution.u -> Array",
        "The states at these times, [time, dof].",
        "solve(lotka_volterra(), [1, 1], [0, 1, 2]).u",
    )
    .get(|s: &mut ScriptSolution| ScriptArray::new(s.0.u.clone().into_dyn()));
    reg.property(
        "solution.events -> list",
        "For each event a map of its times t and the states u there.",
        "solve(lotka_volterra(), [1, 1], [0, 5], #{ event: |t, u, p| u[0] - 1.0 }).events[0].t",
    )
    .get(|s: &mut ScriptSolution| {
        let events = s.0.events.iter().map(|e| {
            let t = ScriptArray::new(e.t.clone().into_dyn()).into_dynamic();
            let u = ScriptArray::new(e.u.clone().into_dyn()).into_dynamic();
            Dynamic::from(Map::from([("t".into(), t), ("u".into(), u)]))
        });
        events.collect::<List>()
    });
    reg.property(
        "solution.ended_by -> int",
        "The place of the terminal event that ended it in the list of events; () where none did.",
        "solve(lotka_volterra(), [1, 1], [0, 5], #{ event: |t, u, p| u[0] - 2.0, terminal: true }).ended_by",
    )
    .get(|s: &mut ScriptSolution| {
        let event = s.0.terminated_by;
        event.map_or(Dynamic::UNIT, |i| Dynamic::from(i as i64))
    });
    reg.property(
        "solution.stats -> map",
        "What it cost: steps, rejected, evaluations.",
        "solve(lotka_volterra(), [1, 1], [0, 1, 2]).stats.steps",
    )
    .get(|s: &mut ScriptSolution| stats(s.0.stats));
    batch_solving::register(reg);
    super::jvp::register(reg);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::SessionOptions;

    /// Returns the engine and device that these options select in a session on this device: "engine device".
    fn chosen(device: Device, pairs: &[(&str, &str)]) -> Result<String> {
        let host = Host::new(SessionOptions {
            device,
            ..SessionOptions::default()
        });
        let map = pairs
            .iter()
            .map(|(key, value)| ((*key).into(), Dynamic::from(value.to_string())))
            .collect();
        let (engine, device) = engine_and_device(&host, &mut Options::new("solve", SOLVE, map))?;
        Ok(format!("{engine} {device}"))
    }

    #[test]
    fn the_sessions_device_is_a_default_that_a_scripts_options_overrule() {
        let gpu = Device::Cuda(1);
        for (session, pairs, want) in [
            (Device::Cpu, &[][..], "native cpu"),
            (gpu, &[], "torch cuda:1"),
            (gpu, &[("engine", "native")], "native cpu"),
            (gpu, &[("engine", "torch")], "torch cuda:1"),
            (gpu, &[("device", "cpu")], "native cpu"),
            (gpu, &[("engine", "torch"), ("device", "cpu")], "torch cpu"),
            (Device::Cpu, &[("engine", "torch")], "torch cpu"),
            (Device::Cpu, &[("device", "cuda")], "torch cuda"),
        ] {
            assert_eq!(chosen(session, pairs).unwrap(), want, "{session} {pairs:?}");
        }
        let error = chosen(gpu, &[("device", "gpu")]).unwrap_err().to_string();
        assert!(error.contains("unknown device \"gpu\""), "{error}");
    }
}
