//! Simulated data from a known system.

use ndarray::{Array1, Array2, Array3, Axis};

use super::Dataset;
use odesync_base::error::{Error, Result};
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::{Engine, NativeEngine, Problem, SolveOptions, Stats};

impl Dataset {
    /// Simulates data: solves `field` from initial states `[sample, dof]` at the times `t`. Sample i uses sample i of the field's
    /// external signals, if these have several.
    ///
    /// # Errors
    /// Shapes, times or options that do not fit, or a failed solve.
    pub fn simulated(
        field: &VectorField,
        u0: &Array2<f64>,
        t: &[f64],
        options: &SolveOptions,
    ) -> Result<Self> {
        Self::simulated_with_stats(field, u0, t, options).map(|(data, _)| data)
    }

    /// Simulates data as [`Dataset::simulated`], and returns the total cost of the solves too.
    pub fn simulated_with_stats(
        field: &VectorField,
        u0: &Array2<f64>,
        t: &[f64],
        options: &SolveOptions,
    ) -> Result<(Self, Stats)> {
        if options.events.iter().any(|e| e.terminal_hit().is_some()) {
            return Err(Error::invalid(
                "a data set has a state at each of its times, and a terminal event ends a solve before: leave terminal out, or take t and u \
                 from a solve",
            ));
        }
        let starts: Vec<Vec<f64>> = u0.outer_iter().map(|row| row.to_vec()).collect();
        let problem = |(sample, u0)| Problem { u0, t, sample };
        let starts = starts.iter().map(Vec::as_slice);
        let problems: Vec<Problem> = starts.enumerate().map(problem).collect();
        let mut engine = NativeEngine::default();
        let solved = engine.forward(field, &problems, options, None, false)?;
        let mut stats = Stats::default();
        solved.iter().for_each(|solved| stats += solved.stats);
        let all = solved.into_iter().flat_map(|solved| solved.u).collect();
        let u = Array3::from_shape_vec((u0.nrows(), t.len(), field.dof()), all)
            .map_err(|e| Error::invalid(e.to_string()))?;
        // With a mass matrix the solves begin at a consistent state, which need not be the given one.
        let starts = match options.mass_matrix {
            Some(_) => u.index_axis(Axis(1), 0).to_owned(),
            None => u0.clone(),
        };
        let data = Self::new(Array1::from(t.to_vec()), u, Some(starts))?;
        Ok((data, stats))
    }
}
