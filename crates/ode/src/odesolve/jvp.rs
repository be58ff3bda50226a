//! Jacobian-vector products of a whole solve.

use ndarray::Array2;

use super::driver::Problem;
use super::options::SolveOptions;
use super::smooth_piece::check_is_smooth;
use super::{Solution, into_rows, second_derivatives, solve};
use crate::field::VectorField;
use crate::field::native::{Evaluator, MAX_LANES, interleave};
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::NumberList;
use odesync_base::text::count_of;

option_set! {
    /// A direction in the space of initial states and parameters, along which a solve is differentiated.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Tangent {
        /// Direction of the trainable parameters, in the order of `field.params`.
        ///
        /// Empty for zero; the order is that of [`VectorField::params`].
        pub params: Vec<f64> as NumberList = vec![], "they stand still";
        /// Direction of the initial state, `[dof]`.
        ///
        /// Empty for zero.
        pub u0: Vec<f64> as NumberList = vec![], "it stands still";
    }
}

/// Solves an initial value problem as [`solve`] does, and returns the derivative of the solution along each tangent,
/// `[time, dof]`: `∂u/∂u₀ u̇₀ + ∂u/∂θ θ̇`, exact for the discrete solution on the steps that the solve took. The tangents of
/// the stages are computed step by step, several directions in one sweep.
///
/// ```
/// use odesync_ode::odesolve::{SolveOptions, Tangent, jvp};
/// let decay = odesync_ode::field::system(1, &[("k", 2.0)], |_, u, p| vec![-p.get("k") * u.at(0)])?.trainable(&["k"])?;
/// let by_k = Tangent { params: vec![1.0], ..Tangent::default() };
/// let (_, tangents) = jvp(&decay, &[3.0], &[0.0, 0.5], &SolveOptions::default(), &[by_k])?;
/// assert!((tangents[0][[1, 0]] - -0.5 * 3.0 * (-1.0_f64).exp()).abs() < 1e-6); // −t u0 exp(−k t)
/// # Ok::<(), odesync_ode::Error>(())
/// ```
///
/// # Errors
/// The errors of [`solve`]; a tangent of the wrong length or not finite; events; a method that is not a Runge-Kutta method;
/// steps that would take too much memory.
pub fn jvp(
    field: &VectorField,
    u0: &[f64],
    t: &[f64],
    options: &SolveOptions,
    tangents: &[Tangent],
) -> Result<(Solution, Vec<Array2<f64>>)> {
    second_derivatives::check_supported(options.solver)?;
    if !options.events.is_empty() {
        return Err(Error::invalid(
            "a solve with events has no tangents; leave the events out",
        ));
    }
    check_is_smooth(field, options, "tangents of a solve")?;
    field.check_fixed_switches("tangents of a solve")?;
    let (dof, n) = (field.dof(), field.n_params());
    let mut expanded = vec![];
    for tangent in tangents {
        expanded.push(Tangent {
            u0: expand_tangent("u0", &tangent.u0, dof)?,
            params: field.scatter(&expand_tangent("params", &tangent.params, n)?)?,
        });
    }
    let solution = solve(field, u0, t, options)?;
    let evaluator = Evaluator::new(field);
    let problem = Problem { u0, t, sample: 0 };
    let limit = odesync_base::memory::limit() / size_of::<f64>();
    let limit = (limit, MAX_LANES);
    let linearized =
        second_derivatives::replay(&evaluator, options, &problem, &solution.recorded, limit)?;
    let mut all = vec![];
    for block in expanded.chunks(MAX_LANES) {
        let mut tangent_lanes = evaluator.tangent_lanes(block.len());
        let w = tangent_lanes.width();
        let lanes = |pick: fn(&Tangent) -> &[f64], n: usize| {
            let all: Vec<f64> = block.iter().flat_map(|b| pick(b).iter().copied()).collect();
            interleave(&all, n, w)
        };
        evaluator.set_param_tangents(
            &lanes(|b| &b.params, field.values().len()),
            &mut tangent_lanes,
        );
        let solve_tangents =
            linearized.forward(&evaluator, &lanes(|b| &b.u0, dof), &mut tangent_lanes);
        for p in 0..block.len() {
            all.push(into_rows(
                dof,
                solve_tangents
                    .u
                    .iter()
                    .skip(p)
                    .step_by(w)
                    .copied()
                    .collect(),
            )?);
        }
    }
    match all.iter().flatten().all(|x| x.is_finite()) {
        true => Ok((solution, all)),
        false => Err(Error::invalid(
            "the tangents of this solve are not finite: the field's derivatives are not, somewhere along it",
        )),
    }
}

/// Returns one part of a tangent, with zeros where it is empty.
fn expand_tangent(what: &str, part: &[f64], n: usize) -> Result<Vec<f64>> {
    if part.is_empty() {
        return Ok(vec![0.0; n]);
    }
    if n == 0 {
        return Err(Error::invalid(
            "none of the field's parameters is trainable, so they can't move; see `trainable`",
        ));
    }
    if part.len() != n {
        return Err(Error::invalid(format!(
            "the direction {what} has {}, and {n} {} needed",
            count_of(part.len(), "number"),
            if n == 1 { "is" } else { "are" }
        )));
    }
    match part.iter().position(|x| !x.is_finite()) {
        Some(i) => Err(Error::invalid(format!(
            "number {i} of the direction {what} is {}: it must be finite",
            part[i]
        ))),
        None => Ok(part.to_vec()),
    }
}
