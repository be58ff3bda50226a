//! The tracing of the closures of events and jumps, which works as that of a system's closure.

use rhai::{FnPtr, NativeCallContext};

use super::super::error::RhaiResult;
use super::trace::{ClosureKind, EquationClosure};
use odesync_ode::field::{Expr, FieldBuilder, InputSignal, VectorField};
use odesync_ode::odesolve::{Event, Jump};

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
    let (b, g) = trace(context, field, closure, ClosureKind::Event)?;
    Ok(Event::build(&b, g.at(0))?.with_field_parameters())
}

/// Traces the closure |t, u, p| of a jump, which returns the state after it; the arguments are those of [`event`].
///
/// # Errors
/// A closure that does not return as many numbers as the state has, or that branches on its symbols.
pub(crate) fn jump(
    context: &NativeCallContext,
    field: &VectorField,
    closure: FnPtr,
) -> RhaiResult<Jump> {
    let (b, after) = trace(context, field, closure, ClosureKind::Jump)?;
    Ok(Jump::build(&b, after)?.with_field_parameters())
}

fn trace(
    context: &NativeCallContext,
    field: &VectorField,
    closure: FnPtr,
    kind: ClosureKind,
) -> RhaiResult<(FieldBuilder, Expr)> {
    let numbers = field.blocks().iter().filter(|b| b.len() == 1);
    let constants: Vec<(String, f64)> = numbers
        .map(|b| (b.name.clone(), field.values()[b.range()][0]))
        .collect();
    let inputs: Vec<(String, InputSignal)> = field
        .inputs()
        .map(|(name, input)| (name.to_string(), input.clone()))
        .collect();
    let equations = EquationClosure::new(context, closure, &constants, &inputs, field.dof());
    let equations = equations.of_kind(kind);
    let b = FieldBuilder::new(field.dof());
    let traced = equations.trace(&b, None)?;
    equations.check(0)?;
    Ok((b, traced))
}
