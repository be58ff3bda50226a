//! The binding `solve` and its options.

use std::sync::Arc;

use ndarray::ArrayView1;
use rhai::{Array as List, Dynamic, FnPtr, Map, NativeCallContext};

use super::array::ScriptArray;
use super::batch_solving;
use super::convert;
use super::error::RhaiResult;
use super::fields::{ScriptField, event, jump};
use super::host::Host;
use super::keys::{Key, Keys};
use super::options::Options;
use super::registry::{Registry, ScriptType};
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Count, Flag, Maybe, Mismatch, OneOf, OptionKind, Value, join, split};
use odesync_base::tables::format_number;
use odesync_ode::devices::Device;
use odesync_ode::engines::engine;
use odesync_ode::odesolve::{
    AbsoluteTolerance, Direction, Dose, Event, Solution, SolveOptions, Stats, solve_on,
};
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

/// The number of the hit of an event that ends the solve: `true` is the first, `false` none.
#[derive(Debug)]
struct TerminalHit;

impl OptionKind for TerminalHit {
    type Field = Option<usize>;
    const EXPECTED: &'static str = "true, false or the number of the hit, counted from 1";
    const LITERALS: &'static [&'static str] = Flag::LITERALS;

    fn read(value: &Value) -> std::result::Result<Option<usize>, Mismatch> {
        match value {
            Value::Bool(first) => Ok(first.then_some(1)),
            value => Count::read(value).map(Some),
        }
    }

    fn write(field: &Option<usize>) -> Value {
        field.map_or(Value::Bool(false), Value::from)
    }
}

option_set! {
    /// Options of an event beside its closures.
    #[derive(Debug)]
    struct EventOptions {
        /// Count `"up"` or `"down"` crossings of the event only.
        direction: Option<Direction> as Maybe<OneOf<Direction>> = None, "`\"both\"`";
        /// End the solution at the event, or with a number at that hit of it, counted from 1; `sol.ended_by` says which event it was.
        terminal: Option<usize> as TerminalHit = None;
    }
}

/// The option keys of an event.
const EVENT: &[Key] = &join::<4>(&[
    &[Key::new("event").doc(
        "A closure `|t, u, p| …` whose zeros are found; `p` holds the field's single constants and its external inputs. `sol.events[i]` \
         has their times and states.",
    )],
    EventOptions::OPTIONS,
    &[JUMP],
]);

const JUMP: Key = Key::new("jump").doc(
    "A closure `|t, u, p| [ … ]` that returns the state after the event or the dose; `sol.events[i].u` is the one before it, an output \
     at exactly that time the one after it.",
);

/// The option keys of a dose.
const DOSE: &[Key] = &[
    Key::new("at")
        .doc("The times of the jump.")
        .expected("a list of times"),
    JUMP,
];

const SOLVE: Keys = &[
    SOLVER,
    EVENT,
    &[Key::new("events")
        .doc("Several events: closures, or maps with event, direction, terminal, jump.")
        .nested(&[EVENT])],
    &[Key::new("doses")
        .doc("Jumps of the state at given times: a map `#{ at: [0, 6], jump: |t, u, p| [u[0] + 1.0] }`, or a list of such maps.")
        .nested(&[DOSE])],
    batch_solving::KEYS,
    ENGINE,
];

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
        let moved = options.moved_at_start(&u0.to_vec(), &start.to_vec());
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

const EVENTS: &str = "a list of closures |t, u, p| … or maps #{ event: |t, u, p| … }";

/// Reads the events of a solve: either `event` with `direction` and `terminal`, or `events`, a list of closures or maps.
fn events(
    context: &NativeCallContext,
    field: &ScriptField,
    options: &mut Options,
) -> RhaiResult<Vec<Event>> {
    let mut all = vec![];
    let listed = options.take("events");
    let one = one_event(context, field, options)?;
    all.extend(one);
    let Some(value) = listed else {
        return Ok(all);
    };
    let Some(list) = value.clone().try_cast::<List>() else {
        return Err(options.invalid_value("events", EVENTS, &value).into());
    };
    for item in list {
        let map = match item.clone().try_cast::<FnPtr>() {
            Some(closure) => Map::from([("event".into(), closure.into())]),
            None => item.clone().try_cast::<Map>().ok_or_else(|| {
                options.invalid_item(
                    "events",
                    "closures |t, u, p| … or maps #{ event: |t, u, p| … }",
                    &item,
                )
            })?,
        };
        let mut event_options = Options::new("solve: events", &[EVENT], map);
        let Some(event) = one_event(context, field, &mut event_options)? else {
            return Err(Error::invalid(
                "solve: an event needs its function, for example #{ event: |t, u, p| u[0], terminal: true }",
            )
            .into());
        };
        event_options.finish()?;
        all.push(event);
    }
    Ok(all)
}

fn one_event(
    context: &NativeCallContext,
    field: &ScriptField,
    options: &mut Options,
) -> RhaiResult<Option<Event>> {
    let closure = options.opt_closure("event")?;
    let mut given = EventOptions::default();
    options.read_set(&mut given)?;
    let EventOptions {
        direction,
        terminal,
    } = given;
    let after = options.opt_closure("jump")?;
    let Some(closure) = closure else {
        if direction.is_some() || terminal.is_some() || after.is_some() {
            return Err(Error::invalid(
                "solve: direction, terminal and jump belong to an event, and there is none; give event: |t, u, p| …",
            )
            .into());
        }
        return Ok(None);
    };
    let mut event = event(context, &field.0, closure)?;
    if let Some(direction) = direction {
        event = event.direction(direction);
    }
    if let Some(closure) = after {
        event = event.jump(jump(context, &field.0, closure)?)?;
    }
    Ok(Some(match terminal {
        Some(n) => event.terminal_at_hit(n)?,
        None => event,
    }))
}

const DOSES: &str = "a map #{ at: [0, 6], jump: |t, u, p| [ … ] }, or a list of such maps";

/// Reads the jumps of the state at given times: a map, or a list of maps.
fn doses(
    context: &NativeCallContext,
    field: &ScriptField,
    options: &mut Options,
) -> RhaiResult<Vec<Dose>> {
    let Some(value) = options.take("doses") else {
        return Ok(vec![]);
    };
    let list = match value.clone().try_cast::<List>() {
        Some(list) => list,
        None if value.is_map() => vec![value],
        None => return Err(options.invalid_value("doses", DOSES, &value).into()),
    };
    let mut all = vec![];
    for item in list {
        let Some(map) = item.clone().try_cast::<Map>() else {
            return Err(options.invalid_item("doses", DOSES, &item).into());
        };
        let mut dose = Options::new("solve: doses", &[DOSE], map);
        let (Some(at), Some(closure)) = (dose.take("at"), dose.opt_closure("jump")?) else {
            return Err(Error::invalid(format!(
                "solve: a dose needs its times and its jump: {DOSES}"
            ))
            .into());
        };
        dose.finish()?;
        let times = match convert::to_number(&at) {
            Some(t) => vec![t],
            None => convert::to_vector(&at, "solve: the times of a dose")?.to_vec(),
        };
        all.push(Dose::new(&times, jump(context, &field.0, closure)?)?);
    }
    Ok(all)
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
    solver.events = events(context, field, &mut options)?;
    solver.doses = doses(context, field, &mut options)?;
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
