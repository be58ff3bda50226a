//! Solves of one field from many initial states and with many values of its parameters, in one call.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::{Array1, Array3, ArrayView2, Axis};

use super::driver::Problem;
use super::engine::{Engine, NativeEngine};
use super::engine_choice::torch_is_faster;
use super::options::SolveOptions;
use super::recorded_steps::Stats;
use super::trajectory::Trajectory;
use crate::field::VectorField;
use crate::{Error, Result};
use odesync_base::failure::SolveFailure;
use odesync_base::text::count_of;

/// Number of solves that an engine is given at once: enough for all lanes of all threads, few enough that the steps recorded
/// beside the solutions take little memory.
const CHUNK: usize = 256;

/// Solves du/dt = f(t, u; θᵢ), u(t\[0\]) = u₀ᵢ for many i, side by side: in parallel, and by explicit Runge-Kutta methods on the
/// native engine one in each lane of a register. A solution has the bits that its solve has alone.
///
/// ```
/// use ndarray::{array, Axis};
/// use odesync_ode::dynamics::lorenz;
/// use odesync_ode::odesolve::{BatchSolve, SolveOptions};
/// let u0 = array![[1.0, 1.0, 1.0]];
/// let rho = [10.0, 20.0, 28.0];
/// let solved = BatchSolve::new(&lorenz()?, u0.view())?
///     .with_param("rho", &rho)?
///     .solve(&[0.0, 50.0], &SolveOptions::default())?;
/// assert_eq!(solved.u.shape(), [3, 2, 3]);
/// // Below ρ ≈ 24.7 the motion ends at rest, where w = ρ - 1.
/// assert!((solved.u[[0, 1, 2]] - 9.0).abs() < 1e-3);
/// # Ok::<(), odesync_ode::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct BatchSolve<'a> {
    field: &'a VectorField,
    u0: ArrayView2<'a, f64>,
    /// The field with the parameters of each solve; empty where all have those of `field`.
    fields: Vec<VectorField>,
    keep_failed: bool,
}

/// The solutions of a [`BatchSolve`].
#[derive(Debug, Clone)]
pub struct BatchSolution {
    /// Output times, `[time]`.
    pub t: Array1<f64>,
    /// Solutions at these times, `[solve, time, dof]`; NaN where a solve failed.
    pub u: Array3<f64>,
    /// Cost of all solves together.
    pub stats: Stats,
    /// Failures with the index of their solves as [`SolveFailure::sample`]; none unless [`BatchSolve::keep_failed`] was asked for.
    pub failures: Vec<SolveFailure>,
}

impl<'a> BatchSolve<'a> {
    /// Creates the solves of a field from these initial states, `[solve, dof]`; a single row is that of every solve.
    ///
    /// # Errors
    /// No initial state, or states of another length than the field's.
    pub fn new(field: &'a VectorField, u0: ArrayView2<'a, f64>) -> Result<Self> {
        if u0.nrows() == 0 {
            return Err(Error::invalid("the list of initial states is empty"));
        }
        if u0.ncols() != field.dof() {
            return Err(Error::invalid(format!(
                "the field has {}, each of the initial states has {}",
                count_of(field.dof(), "state variable"),
                u0.ncols()
            )));
        }
        Ok(BatchSolve {
            field,
            u0,
            fields: vec![],
            keep_failed: false,
        })
    }

    /// Gives solve i the value `values[i]` of a parameter that is a single number.
    ///
    /// # Errors
    /// A name that no parameter has, a parameter of several numbers, or a number of values that is neither that of the initial states nor
    /// that of another parameter's values.
    pub fn with_param(mut self, name: &str, values: &[f64]) -> Result<Self> {
        let n = match (self.fields.len(), self.u0.nrows()) {
            (0, 1) => values.len(),
            (0, n) | (n, _) => n,
        };
        if values.len() != n || n == 0 {
            return Err(Error::invalid(format!(
                "parameter \"{name}\" has {}, and there are {}",
                count_of(values.len(), "value"),
                count_of(n, "solve")
            )));
        }
        if self.fields.is_empty() {
            self.fields = vec![self.field.clone(); n];
        }
        for (field, value) in self.fields.iter_mut().zip(values) {
            *field = field.with_param(name, &[*value])?;
        }
        Ok(self)
    }

    /// Makes a solve that fails no error: its states are NaN, and [`BatchSolution::failures`] says why.
    #[must_use]
    pub fn keep_failed(mut self) -> Self {
        self.keep_failed = true;
        self
    }

    /// Returns the number of solves.
    #[allow(clippy::len_without_is_empty)] // There is at least one.
    pub fn len(&self) -> usize {
        self.u0.nrows().max(self.fields.len())
    }

    /// Solves on the native engine, with the solutions at the output times `t`.
    ///
    /// # Errors
    /// The errors of [`BatchSolve::solve_on`].
    pub fn solve(&self, t: &[f64], options: &SolveOptions) -> Result<BatchSolution> {
        self.solve_on(&mut NativeEngine::default(), t, options)
    }

    /// Solves on the given engine, with the solutions at the output times `t`.
    ///
    /// # Errors
    /// The errors of [`super::solve`], a failed solve only without [`BatchSolve::keep_failed`]; options with events that are found,
    /// of which each solve would have its own.
    pub fn solve_on(
        &self,
        engine: &mut dyn Engine,
        t: &[f64],
        options: &SolveOptions,
    ) -> Result<BatchSolution> {
        self.solve_with_progress(engine, t, options, &|_| {})
    }

    /// Solves as [`BatchSolve::solve_on`], and calls `progress` with the number of solves that are done after each, from any thread
    /// and not always in order.
    ///
    /// # Errors
    /// The errors of [`BatchSolve::solve_on`].
    pub fn solve_with_progress(
        &self,
        engine: &mut dyn Engine,
        t: &[f64],
        options: &SolveOptions,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<BatchSolution> {
        if !options.events.is_empty() {
            return Err(Error::invalid(
                "events are found by a solve from one initial state, and there are several: solve one after the other, or give jumps at \
                 known times as doses",
            ));
        }
        let u0: Vec<Vec<f64>> = self.u0.outer_iter().map(|row| row.to_vec()).collect();
        let n = self.len();
        let problems = |indices: Range<usize>| -> Vec<Problem> {
            let problem = |i: usize| Problem {
                u0: &u0[i.min(u0.len() - 1)],
                t,
                sample: i,
            };
            indices.map(problem).collect()
        };
        let mut solution = BatchSolution {
            t: Array1::from(t.to_vec()),
            u: Array3::from_elem((n, t.len(), self.field.dof()), f64::NAN),
            stats: Stats::default(),
            failures: vec![],
        };
        let done = AtomicUsize::new(0);
        let on_done = || progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        for start in (0..n).step_by(CHUNK) {
            let problems = problems(start..n.min(start + CHUNK));
            let results = self.solve_chunk(engine, &problems, options, &on_done)?;
            for (i, result) in (start..n).zip(results) {
                match result {
                    Ok(solved) => {
                        solution.stats += solved.stats;
                        let mut states = solution.u.index_axis_mut(Axis(0), i);
                        states.iter_mut().zip(solved.u).for_each(|(to, u)| *to = u);
                    }
                    Err(Error::Solve(failure)) if self.keep_failed => {
                        solution.failures.push(failure);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(solution)
    }

    /// Solves these problems, whose samples are the indices of the solves, and returns the result of each.
    fn solve_chunk(
        &self,
        engine: &mut dyn Engine,
        problems: &[Problem],
        options: &SolveOptions,
        on_done: &(dyn Fn() + Sync),
    ) -> Result<Vec<Result<Trajectory>>> {
        let own = |problem: &Problem| self.fields.get(problem.sample).unwrap_or(self.field);
        let is_native = match engine.name() {
            "auto" => !torch_is_faster(self.field, problems.len()),
            name => name == "native",
        };
        if is_native {
            let shared = std::slice::from_ref(self.field);
            let fields = match problems {
                [first, .., last] => self.fields.get(first.sample..=last.sample),
                [one] => self.fields.get(one.sample..=one.sample),
                [] => None,
            };
            let native = NativeEngine::default();
            return native.forward_each(fields.unwrap_or(shared), problems, options, on_done);
        }
        if self.fields.is_empty() {
            match engine.forward(self.field, problems, options, None, false) {
                Ok(solved) => return Ok(solved.into_iter().map(Ok).collect()),
                // Which of them fail shows when each is solved alone.
                Err(Error::Solve(_)) if self.keep_failed => {}
                Err(error) => return Err(error),
            }
        }
        let alone = |problem: &Problem| {
            let solved = engine.forward(own(problem), &[*problem], options, None, false);
            on_done();
            Ok(solved?.into_iter().next().unwrap_or_default())
        };
        Ok(problems.iter().map(alone).collect())
    }
}
