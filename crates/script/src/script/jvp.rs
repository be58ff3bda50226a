//! The binding `jvp`: derivatives of a solution along a direction.

use rhai::Dynamic;

use super::array::ScriptArray;
use super::convert;
use super::fields::ScriptField;
use super::host::Host;
use super::keys::Keys;
use super::options::Options;
use super::registry::Registry;
use super::solving::{SOLVER, check_solution_memory, solver};
use crate::{Error, Result};
use odesync_ode::odesolve::{SolveOptions, Tangent, jvp};

const JVP: Keys = &[Tangent::OPTIONS, SOLVER];

fn jvp_of(
    host: &Host,
    field: &ScriptField,
    u0: &Dynamic,
    t: &Dynamic,
    mut options: Options,
) -> Result<ScriptArray> {
    let solver = SolveOptions {
        interrupt: Some(host.interrupt_flag()),
        ..solver(&mut options)?
    };
    let mut tangent = Tangent::default();
    options.read_set(&mut tangent)?;
    options.finish()?;
    if tangent == Tangent::default() {
        return Err(Error::invalid(
            "jvp: nothing moves; give the direction of the parameters (params), of the initial state (u0), or both",
        ));
    }
    let (u0, t) = (
        convert::to_vector(u0, "jvp: u0")?,
        convert::to_vector(t, "jvp: t")?,
    );
    check_solution_memory(host, "the tangent", t.len(), field.0.dof(), 2)?;
    let (_, tangents) = jvp(&field.0, &u0, &t, &solver, &[tangent])?;
    let one = tangents.into_iter().next().unwrap_or_default();
    Ok(ScriptArray::new(one.into_dyn()))
}

pub(super) fn register(reg: &mut Registry) {
    let host = reg.host();
    reg.function(
        "jvp(field, u0, t, #{ params: v, u0: w }) -> Array",
        "The derivative of the solution in a direction, ∂u/∂θ v + ∂u/∂u₀ w, [time, dof]: what moves when the trainable parameters \
         (in the order of field.params) move along v and the initial state along w; the one that is left out stands still. Exact \
         on the steps of the solve, by tangents that are solved for beside it. Runge-Kutta methods, explicit ones and radau and \
         kvaerno5; the solver's options are those of solve.",
        "jvp(lotka_volterra().trainable([\"a\"]), [1, 1], [0, 1, 2], #{ params: [1.0] })",
    )
    .options(JVP)
    .body(
        move |field: ScriptField, u0: Dynamic, t: Dynamic, options: Options| {
            jvp_of(&host, &field, &u0, &t, options)
        },
    );
}
