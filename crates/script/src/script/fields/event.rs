//! The tracing of an event's closure, which works as that of a system's closure.

use rhai::{FnPtr, NativeCallContext};

use super::super::error::RhaiResult;
use super::trace::EquationClosure;
use odesync_ode::field::{FieldBuilder, InputSignal, VectorField};
use odesync_ode::odesolve::Event;

/// Traces the closure |t, u, p| of an event, which occurs where its value is zero; t is the field's time, u its state, and p
/// holds the field's scalar constants and its external inputs by name.
///
/// # Errors
/// A closure that does not return one number, or that branches on its symbols.
pub(crate) fn event(
    context: &NativeCallContext,
    field: &VectorField,
    closure: FnPtr,
) -> RhaiResult<Event> {
    let numbers = field.blocks().iter().filter(|b| b.len() == 1);
    let constants: Vec<(String, f64)> = numbers
        .map(|b| (b.name.clone(), field.values()[b.range()][0]))
        .collect();
    let inputs: Vec<(String, InputSignal)> = field
        .inputs()
        .map(|(name, input)| (name.to_string(), input.clone()))
        .collect();
    let equations =
        EquationClosure::new(context, closure, &constants, &inputs, field.dof()).for_event();
    let b = FieldBuilder::new(field.dof());
    let g = equations.trace(&b, None)?;
    let event = Event::build(&b, g.at(0))?;
    equations.check(0)?;
    Ok(event)
}
