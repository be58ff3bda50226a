//! Solves of a batch whose problems have parameter values of their own, and failures of their own.

use rayon::prelude::*;

use super::driver::Problem;
use super::engine::{Engine, NativeEngine, check_batch};
use super::options::SolveOptions;
use super::recorded_steps::RecordedSteps;
use super::sample_lanes::{self, LaneBatch, LaneResults, OwnField};
use super::smooth_piece::is_in_pieces;
use super::trajectory::Trajectory;
use crate::field::VectorField;
use crate::field::native::Evaluator;
use crate::{Error, Result};
use odesync_base::text::count_of;

/// Largest number of weights of affine layers with which solves whose weights differ go side by side: those of eight lanes fill half
/// a core's second-level cache.
const MAX_OWN_WEIGHTS: usize = 1 << 13;

impl NativeEngine {
    /// Solves every problem on its field, to the bit as [`Engine::forward`] does alone, and returns the result of each. `fields` has one
    /// field for all problems, or one for each, of the same equations with other parameter values. By an explicit Runge-Kutta method
    /// they go side by side, one in each lane of a register, unless the fields have many weights that differ. `on_done` is called
    /// after each solve, from any thread. The steps are not recorded, since those of many solves are longer than their results.
    ///
    /// # Errors
    /// Inconsistent options or shapes; fields that are neither one nor one for each problem, or of different equations.
    pub fn forward_each(
        &self,
        fields: &[VectorField],
        problems: &[Problem],
        options: &SolveOptions,
        on_done: &(dyn Fn() + Sync),
    ) -> Result<Vec<Result<Trajectory>>> {
        let Some(first) = fields.first() else {
            return Err(Error::invalid("there is no field to solve"));
        };
        if fields.len() != 1 && fields.len() != problems.len() {
            return Err(Error::invalid(format!(
                "{} for {}: give one for all, or one for each",
                count_of(fields.len(), "field"),
                count_of(problems.len(), "problem")
            )));
        }
        if !fields.iter().all(|field| field.has_equations_of(first)) {
            return Err(Error::invalid(
                "the fields of a batch are the same equations with other values of their parameters",
            ));
        }
        check_batch(first, problems, options, None)?;
        let mut solved = self.solve_in_lanes((first, fields), problems, options, on_done);
        let alone = |engine: &mut NativeEngine, i: &usize| {
            let field = fields.get(*i).unwrap_or(first);
            let solved = engine.forward(field, &problems[*i..=*i], options, None, false);
            on_done();
            let first = solved.map(|solved| solved.into_iter().next().unwrap_or_default());
            (*i, first)
        };
        let alone = (solved.abandoned.par_iter()).map_init(NativeEngine::default, alone);
        let mut all: Vec<(usize, Result<Trajectory>)> = alone.collect();
        let in_lanes = solved.solved.drain(..);
        all.extend(in_lanes.map(|(i, result)| (i, result.map(|s| s.0).map_err(Error::from))));
        all.sort_unstable_by_key(|(i, _)| *i);
        let without_steps = |mut solved: Trajectory| {
            solved.recorded = RecordedSteps::default();
            solved
        };
        Ok((all.into_iter())
            .map(|(_, result)| result.map(without_steps))
            .collect())
    }

    /// Solves the problems side by side where the method and the fields allow it; else all are left to be solved alone.
    fn solve_in_lanes(
        &self,
        (first, fields): (&VectorField, &[VectorField]),
        problems: &[Problem],
        options: &SolveOptions,
        on_done: &(dyn Fn() + Sync),
    ) -> LaneResults {
        let none = LaneResults {
            abandoned: (0..problems.len()).collect(),
            ..LaneResults::default()
        };
        let tableau = sample_lanes::tableau(options, problems.len());
        let Some(tableau) = tableau.filter(|_| !is_in_pieces(first, options)) else {
            return none;
        };
        let evaluator = Evaluator::new(first);
        let own: Vec<OwnField> = match fields {
            [_] => vec![],
            _ => fields
                .iter()
                .map(|field| OwnField {
                    field: field.clone(),
                    evaluator: Evaluator::new(field),
                })
                .collect(),
        };
        let has_shared = |own: &OwnField| own.evaluator.has_weights_of(&evaluator);
        let own_weights = !own.iter().all(has_shared);
        if own_weights && evaluator.n_weights() > MAX_OWN_WEIGHTS {
            return none;
        }
        let batch = (first, problems);
        let lanes = LaneBatch::new(&evaluator, batch, options, tableau);
        let lanes = lanes.with_own_fields(&own, own_weights);
        lanes.without_steps().on_done(on_done).run(None)
    }
}
