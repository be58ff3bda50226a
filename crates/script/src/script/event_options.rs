//! The options of events and doses, which change the state during a solve.

use rhai::{Array as List, FnPtr, Map, NativeCallContext};

use super::convert;
use super::error::RhaiResult;
use super::fields::{ScriptField, event, jump};
use super::keys::Key;
use super::options::Options;
use odesync_base::option_set;
use odesync_base::options::{Count, Flag, Maybe, Mismatch, OneOf, OptionKind, Value, join};
use odesync_ode::odesolve::{Direction, Dose, Event, SolveOptions};

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

/// The option keys of one event, of several, and of doses.
pub(super) const EVENTS_AND_DOSES: &[Key] = &join::<6>(&[
    EVENT,
    &[
        Key::new("events")
            .doc("Several events: closures, or maps with event, direction, terminal, jump.")
            .nested(&[EVENT]),
        Key::new("doses")
            .doc("Jumps of the state at given times: a map `#{ at: [0, 6], jump: |t, u, p| [u[0] + 1.0] }`, or a list of such maps.")
            .nested(&[DOSE]),
    ],
]);

/// Reads the events and doses of a call into the options of its solves.
///
/// # Errors
/// A value of the wrong type, an event without its function, or a closure that is none of symbols.
pub(super) fn read_events_and_doses(
    context: &NativeCallContext,
    field: &ScriptField,
    options: &mut Options,
    solver: &mut SolveOptions,
) -> RhaiResult<()> {
    solver.events = events(context, field, options)?;
    solver.doses = doses(context, field, options)?;
    Ok(())
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
        let mut event_options = options.within("events", &[EVENT], map);
        let Some(event) = one_event(context, field, &mut event_options)? else {
            return Err(options
                .error("an event needs its function, for example #{ event: |t, u, p| u[0], terminal: true }")
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
            return Err(options
                .error("direction, terminal and jump belong to an event, and there is none; give event: |t, u, p| …")
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
        let mut dose = options.within("doses", &[DOSE], map);
        let (Some(at), Some(closure)) = (dose.take("at"), dose.opt_closure("jump")?) else {
            return Err(options
                .error(&format!("a dose needs its times and its jump: {DOSES}"))
                .into());
        };
        dose.finish()?;
        let times = match convert::to_number(&at) {
            Some(t) => vec![t],
            None => convert::to_vector(&at, "the times of a dose")?.to_vec(),
        };
        all.push(Dose::new(&times, jump(context, &field.0, closure)?)?);
    }
    Ok(all)
}
