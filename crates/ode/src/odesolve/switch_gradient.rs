//! The derivative of a solve by the times at which its field jumps.
//!
//! The steps of a solve end at such a time τ, and their gradient holds it fixed. Where τ moves by dτ, the field of before acts for
//! dτ longer, which changes the state there by (f⁻ − f⁺) dτ; so `dL/dτ = ⟨λ(τ), f⁻ − f⁺⟩` with the adjoint λ(τ) = ∂L/∂u(τ). The
//! adjoint is that of a solve of its own from τ on, by the method and the kind of gradient that the options name.

use super::driver::Problem;
use super::engine::{Engine, NativeEngine};
use super::options::SolveOptions;
use crate::field::{Switch, VectorField};
use crate::{Error, Result};

/// Adds the derivative of `⟨bars, u⟩` by the times of the switches that parameters move to `values`, over all parameter values.
/// `bars` are those of the output times of the problem, `[time, dof]`.
pub(crate) fn add_switch_terms(
    field: &VectorField,
    problem: &Problem,
    options: &SolveOptions,
    bars: &[f64],
    values: &mut [f64],
) -> Result<()> {
    for switch in field.switches_within(problem.sample, problem.t) {
        let by_parameters = time_gradient(field, &switch, problem.sample)?;
        if by_parameters.iter().all(|x| *x == 0.0) {
            continue;
        }
        let by_time = derivative_by_time(field, problem, options, bars, &switch)?;
        for (to, by) in values.iter_mut().zip(&by_parameters) {
            *to += by_time * by;
        }
    }
    Ok(())
}

/// Returns the derivative of the time of a switch with respect to all parameter values.
fn time_gradient(field: &VectorField, switch: &Switch, sample: usize) -> Result<Vec<f64>> {
    let mut all = field.switch_time_gradients(switch, sample).into_iter();
    let first = all.next().unwrap_or_default();
    let differs = |other: Vec<f64>| {
        let far = |(a, b): (&f64, &f64)| (a - b).abs() > 1e-9 * a.abs().max(b.abs());
        first.iter().zip(&other).any(far)
    };
    match all.any(differs) {
        false => Ok(first),
        true => Err(Error::invalid(format!(
            "at t = {} the equations switch for two reasons that parameters move apart, and a derivative by them does not exist there; \
             move one of the parameters",
            switch.before
        ))),
    }
}

/// Returns the derivative of `⟨bars, u⟩` with respect to the time of a switch.
fn derivative_by_time(
    field: &VectorField,
    problem: &Problem,
    options: &SolveOptions,
    bars: &[f64],
    switch: &Switch,
) -> Result<f64> {
    let Problem { u0, t, sample } = *problem;
    let dof = field.dof();
    let (Some(first), Some(last)) = (t.first(), t.last()) else {
        return Ok(0.0);
    };
    let forward = last >= first;
    let (enter, leave) = match forward {
        true => (switch.before, switch.after),
        false => (switch.after, switch.before),
    };
    let is_after = |x: f64, y: f64| if forward { x > y } else { x < y };
    let Some(output) = t.iter().position(|t| is_after(*t, leave)) else {
        return Ok(0.0);
    };
    if !is_after(enter, *first) {
        return Ok(0.0);
    }
    let options = SolveOptions {
        first_step: None,
        ..options.clone()
    };
    let mut engine = NativeEngine::default();
    let until = Problem {
        u0,
        t: &[*first, leave],
        sample,
    };
    let before = engine.forward(field, &[until], &options, None, false)?;
    let state = before.first().map_or(&[][..], |solved| &solved.u[dof..]);
    let slope = |t: f64| field.derivative_of_sample(sample, t, state);
    let (slope_before, slope_after) = (slope(enter)?, slope(leave)?);
    let mut later = vec![leave];
    later.extend(&t[output..]);
    let rest = Problem {
        u0: state,
        t: &later,
        sample,
    };
    engine.forward(field, &[rest], &options, None, true)?;
    let mut later_bars = vec![0.0; dof];
    later_bars.extend(&bars[output * dof..]);
    let gradient = engine.backward(&[later_bars])?;
    let adjoint = gradient.u0.first().map_or(&[][..], |u0| u0);
    let terms = adjoint.iter().zip(slope_before.iter().zip(&slope_after));
    Ok(terms
        .map(|(lambda, (before, after))| lambda * (before - after))
        .sum())
}
