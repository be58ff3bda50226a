//! Jacobians of the solutions of a batch at the output times.

use rayon::prelude::*;

use super::backward_context::BackwardContext;
use super::engine::NativeEngine;
use super::forward_sweeps::ForwardSweeps;
use super::gradient_accumulator::GradientAccumulator;
use super::vector_ops::all_finite;
use crate::{Error, Result};

/// Derivatives of values of the solution of one problem, a row for each, exact for the steps that were taken.
#[derive(Debug, Clone, PartialEq)]
pub struct SolutionJacobian {
    /// Derivative with respect to the initial state, `[row, dof]`.
    pub du_du0: Vec<f64>,
    /// Derivative with respect to the trainable parameters, in the order of [`VectorField::params`], `[row, n_params]`.
    ///
    /// [`VectorField::params`]: crate::field::VectorField::params
    pub du_dparams: Vec<f64>,
}

impl NativeEngine {
    /// Returns, for each problem of the last `forward` with `keep`, what `map` makes of its index and the derivatives of values of
    /// its solution: those at the indices `rows[problem]` of the solution, `[time, dof]` row by row. They come from one reverse
    /// sweep for each row, or by tangents where that is less work; the results do not depend on the number of threads.
    ///
    /// ```
    /// use odesync_ode::odesolve::{Engine, NativeEngine, Problem, SolveOptions};
    /// // du/dt = −k u: u(t) = e⁻ᵏᵗ u0, so ∂u/∂k = −t e⁻ᵏᵗ u0.
    /// let decay = odesync_ode::field::system(1, &[("k", 2.0)], |_, u, p| vec![-p.get("k") * u.at(0)])?.trainable(&["k"])?;
    /// let (u0, t) = ([3.0], [0.0, 0.5, 1.0]);
    /// let problem = Problem { u0: &u0, t: &t, sample: 0 };
    /// let mut engine = NativeEngine::default();
    /// engine.forward(&decay, &[problem], &SolveOptions::default(), None, true)?;
    /// let jacobians = engine.solution_jacobians(&[vec![1, 2]], |_, jacobian| jacobian)?;
    /// assert!((jacobians[0].du_dparams[0] + 1.5 * (-1.0_f64).exp()).abs() < 1e-6);
    /// assert!((jacobians[0].du_du0[1] - (-2.0_f64).exp()).abs() < 1e-6);
    /// # Ok::<(), odesync_ode::Error>(())
    /// ```
    ///
    /// # Errors
    /// No solve was kept, rows that the solutions do not have, or a derivative that is not finite
    /// ([`FailureReason::GradientNotFinite`]).
    ///
    /// [`FailureReason::GradientNotFinite`]: super::FailureReason::GradientNotFinite
    pub fn solution_jacobians<T: Send>(
        &self,
        rows: &[Vec<usize>],
        map: impl Fn(usize, SolutionJacobian) -> T + Sync,
    ) -> Result<Vec<T>> {
        let Some(context) = &self.backward_context else {
            return Err(Error::invalid(
                "derivatives of a solution need a solve that was kept for them",
            ));
        };
        let fits = |(rows, work): (&Vec<usize>, &super::workspace::Workspace)| {
            rows.iter().all(|row| *row < work.u.len())
        };
        let work = &self.workspaces[..context.n_problems()];
        if rows.len() != work.len() || !rows.iter().zip(work).all(fits) {
            return Err(Error::invalid(
                "the rows of a Jacobian must be values of the solution of each problem",
            ));
        }
        let most = rows.iter().map(Vec::len).max().unwrap_or_default();
        self.jacobians_of_rows((context, most), |i| rows[i].clone(), map)
    }

    /// Computes [`NativeEngine::solution_jacobians`] of rows that exist; no problem has more than `most` of them.
    pub(super) fn jacobians_of_rows<T: Send>(
        &self,
        (context, most): (&BackwardContext, usize),
        rows: impl Fn(usize) -> Vec<usize> + Sync,
        map: impl Fn(usize, SolutionJacobian) -> T + Sync,
    ) -> Result<Vec<T>> {
        let side_by_side = context.n_problems() < rayon::current_num_threads();
        let jacobian = |(forward, reverse): &mut (Option<ForwardSweeps>, ReverseSweep),
                        i: usize| {
            let (rows, work) = (rows(i), &self.workspaces[i]);
            let jacobian = match (forward, side_by_side) {
                (Some(sweeps), _) => sweeps.jacobian(context, i, work, &rows),
                (None, true) => {
                    let reverse = || ReverseSweep::new(context);
                    let sweeps = rows
                        .par_iter()
                        .map_init(reverse, |reverse, row| reverse.row(self, context, i, *row));
                    joined(sweeps.collect::<Result<_>>()?)
                }
                (None, false) => {
                    let sweeps = rows.iter().map(|row| reverse.row(self, context, i, *row));
                    joined(sweeps.collect::<Result<_>>()?)
                }
            };
            match all_finite(&jacobian.du_du0) && all_finite(&jacobian.du_dparams) {
                true => Ok(map(i, jacobian)),
                false => Err(context.gradient_failure(i).into()),
            }
        };
        let sweeps = || {
            let forward = ForwardSweeps::if_cheaper(context, most);
            (forward, ReverseSweep::new(context))
        };
        let problems = (0..context.n_problems()).into_par_iter();
        problems.map_init(sweeps, jacobian).collect()
    }
}

/// Puts rows of derivatives with respect to the initial state and the parameters one below the other.
fn joined(rows: Vec<(Vec<f64>, Vec<f64>)>) -> SolutionJacobian {
    let (du_du0, du_dparams): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    SolutionJacobian {
        du_du0: du_du0.concat(),
        du_dparams: du_dparams.concat(),
    }
}

/// The storage of the reverse sweeps of one thread.
struct ReverseSweep {
    accumulator: GradientAccumulator,
    /// Cotangent of the solution.
    bars: Vec<f64>,
    /// Derivative with respect to the values of all parameter blocks.
    values: Vec<f64>,
}

impl ReverseSweep {
    fn new(context: &BackwardContext) -> Self {
        ReverseSweep {
            accumulator: GradientAccumulator::new(&context.evaluator),
            bars: vec![],
            values: vec![0.0; context.evaluator.n_values()],
        }
    }

    /// Computes the derivatives of one value of the solution of problem `i`.
    fn row(
        &mut self,
        engine: &NativeEngine,
        context: &BackwardContext,
        i: usize,
        row: usize,
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let work = &engine.workspaces[i];
        let (accumulator, values) = (&mut self.accumulator, &mut self.values);
        self.bars.clear();
        self.bars.resize(work.u.len(), 0.0);
        self.bars[row] = 1.0;
        let u0 = context.backward(i, work, &self.bars, &engine.pool, accumulator)?;
        accumulator.take(&context.evaluator, values);
        if !context.is_in_pieces() {
            context.add_switch_terms(i, &self.bars, values)?;
        }
        let mut params = Vec::with_capacity(context.n_params());
        for range in &context.trainable {
            params.extend_from_slice(&values[range.clone()]);
        }
        Ok((u0, params))
    }
}
