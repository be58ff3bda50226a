//! The search for the set of terms with the largest evidence.
//!
//! The whole library is trained by the weak-constraint method, from the states of the network model. Then coefficients below four
//! standard errors are dropped, the smallest first and at most a quarter of the set in a round, and the rest is trained again,
//! until none is left. From the best round the search goes on in the data's linearised problem, in which the evidence of any set
//! takes microseconds: its local optima, and single coefficients that are added, dropped or exchanged, are proposals, and those
//! are trained until none is better.
//!
//! Before the data, each of the T coefficients is in the equations with probability 1/T, so a set of k coefficients has the score
//! log evidence − k log T. A coefficient has to be larger than about four standard errors to pay for itself.

use std::rc::Rc;

use odesync_base::interrupt;
use odesync_ode::field::VectorField;

use super::candidates::{Candidates, TrainableField};
use super::linear_evidence::{LinearEvidence, Move};
use crate::Result;
use crate::weak_constraint::LiftedModel;

/// Coefficient over standard error below which a coefficient is dropped.
pub(super) const THRESHOLD: f64 = 4.0;
/// First model error q of a round: the states are nearly those of the dynamics.
const FIRST_Q: f64 = 0.03;
/// Largest part of a set that is dropped in a round.
const LARGEST_PART: f64 = 0.25;
/// Most proposals that are trained before the search ends.
const MAX_PROPOSALS: usize = 8;

/// A set of coefficients that was trained.
pub(super) struct Round {
    /// Searched coefficients of the set, in increasing order.
    pub active: Vec<usize>,
    /// The coefficients, in units of their scales.
    pub coefficients: Vec<f64>,
    /// Standard errors of the coefficients, in units of their scales.
    pub errors: Vec<f64>,
    /// The trained equations, with their states at the nodes.
    pub lifted: LiftedModel,
    /// Log evidence less log T for each coefficient.
    pub score: f64,
    /// The linearised problem in the coefficients of the set; `None` where a solve failed.
    linear: Option<LinearEvidence>,
}

/// What the search found.
pub(super) struct Found {
    pub best: Rc<Round>,
    /// Moves from the best set, with the gains of their scores in the linearised problem, the largest first.
    pub moves: Vec<Move>,
}

/// Called after each step of a training with the number of coefficients; may end the search with an error.
pub(super) type AfterStep<'a> = dyn FnMut(usize) -> Result<()> + 'a;

/// Searches from the network model.
pub(super) fn search(
    candidates: &Candidates,
    network: &LiftedModel,
    after_step: &mut AfterStep,
) -> Result<Found> {
    let all: Vec<usize> = (0..candidates.searched.len()).collect();
    let guess = &candidates.first_guess;
    let mut round = Rc::new(train(candidates, network, all.clone(), guess, after_step)?);
    let mut best = round.clone();
    while let Some(active) = round.without_the_smallest() {
        interrupt::check()?;
        let w = round.all_coefficients(candidates);
        round = Rc::new(train(candidates, &round.lifted, active, &w, after_step)?);
        if round.score > best.score {
            best = round.clone();
        }
    }
    let mut tried = vec![best.active.clone()];
    let mut linear = whole_library(candidates, &best)?;
    while let Some(proposed) = linear.as_ref().map(|l| proposals(candidates, l, &best)) {
        interrupt::check()?;
        let w = best.all_coefficients(candidates);
        let mut better = None;
        for active in proposed.into_iter().take(MAX_PROPOSALS) {
            if tried.contains(&active) {
                continue;
            }
            tried.push(active.clone());
            let trained = train(candidates, &best.lifted, active, &w, after_step)?;
            if trained.score > best.score {
                better = Some(Rc::new(trained));
                break;
            }
        }
        let Some(better) = better else {
            break;
        };
        best = better;
        linear = whole_library(candidates, &best)?;
    }
    let moves = linear.map(|l| all_moves(candidates, &l, &best.active));
    interrupt::check()?;
    Ok(Found {
        best,
        moves: moves.unwrap_or_default(),
    })
}

/// Returns the sets that promise a better score than a round, by its linearised problem: local optima, then single moves.
fn proposals(candidates: &Candidates, linear: &LinearEvidence, round: &Round) -> Vec<Vec<usize>> {
    let output = |i: usize| candidates.searched[i].output;
    let mut sets = linear.optima(&round.active, output, cost(candidates));
    let moves = all_moves(candidates, linear, &round.active).into_iter();
    let promising = moves.filter(|m| m.gain > 0.0);
    sets.extend(promising.map(|m| m.apply(&round.active)));
    sets
}

impl Round {
    /// Returns all searched coefficients, in units of their scales; zero for those that are not in the set.
    fn all_coefficients(&self, candidates: &Candidates) -> Vec<f64> {
        let mut all = vec![0.0; candidates.searched.len()];
        (self.active.iter().zip(&self.coefficients)).for_each(|(i, w)| all[*i] = *w);
        all
    }

    /// Returns the set without the coefficients below the threshold, at most a part of it; `None` where there are none.
    fn without_the_smallest(&self) -> Option<Vec<usize>> {
        let most = (LARGEST_PART * self.active.len() as f64).ceil() as usize;
        let mut kept: Vec<usize> = (0..self.active.len()).collect();
        while self.active.len() - kept.len() < most {
            let ratios = match &self.linear {
                Some(linear) => linear.ratios(&kept),
                None => vec![0.0; kept.len()],
            };
            let smallest = (0..kept.len()).min_by(|i, j| ratios[*i].total_cmp(&ratios[*j]));
            match smallest.filter(|i| ratios[*i] < THRESHOLD || ratios[*i].is_nan()) {
                Some(i) => kept.remove(i),
                None => break,
            };
        }
        (kept.len() < self.active.len()).then(|| kept.iter().map(|i| self.active[*i]).collect())
    }
}

/// Trains a set of coefficients from the states of a trained model. `w` has all searched coefficients.
fn train(
    candidates: &Candidates,
    from: &LiftedModel,
    active: Vec<usize>,
    w: &[f64],
    after_step: &mut AfterStep,
) -> Result<Round> {
    let TrainableField { field, columns } = candidates.trainable_field(&active)?;
    let first = at_columns(&field, &columns, active.iter().map(|i| w[*i]));
    let n = active.len();
    interrupt::check()?;
    let lifted = from.refit(field.clone(), first, FIRST_Q, &mut || after_step(n))?;
    let problem = lifted.whitened(field, lifted.w())?;
    let linear = problem.map(|p| LinearEvidence::new(&p, lifted.alpha(), &columns));
    let every: Vec<usize> = (0..n).collect();
    let errors = match &linear {
        Some(linear) => linear.standard_errors(&every),
        None => vec![f64::INFINITY; n],
    };
    let coefficients = columns.iter().map(|c| c.map_or(0.0, |c| lifted.w()[c]));
    Ok(Round {
        active,
        coefficients: coefficients.collect(),
        errors,
        score: lifted.assessment.log_evidence - n as f64 * cost(candidates),
        lifted,
        linear,
    })
}

/// Returns log T, what a coefficient costs.
fn cost(candidates: &Candidates) -> f64 {
    (candidates.searched.len() as f64).ln()
}

/// Returns the linearised problem in all coefficients, at those of a round.
fn whole_library(candidates: &Candidates, round: &Round) -> Result<Option<LinearEvidence>> {
    let every: Vec<usize> = (0..candidates.searched.len()).collect();
    let TrainableField { field, columns } = candidates.trainable_field(&every)?;
    let w = round.all_coefficients(candidates);
    let w = at_columns(&field, &columns, w.into_iter());
    let problem = round.lifted.whitened(field, &w)?;
    let alpha = round.lifted.alpha();
    Ok(problem.map(|problem| LinearEvidence::new(&problem, alpha, &columns)))
}

/// Returns the moves from a set, with the gains of their scores, the largest first.
fn all_moves(candidates: &Candidates, linear: &LinearEvidence, active: &[usize]) -> Vec<Move> {
    let output = |i: usize| candidates.searched[i].output;
    linear.moves(active, output, cost(candidates))
}

/// Returns the trainable parameters of a field with these coefficients at their columns; the others begin at their values.
fn at_columns(
    field: &VectorField,
    columns: &[Option<usize>],
    coefficients: impl Iterator<Item = f64>,
) -> Vec<f64> {
    let mut w = vec![0.0; field.n_params()];
    for (column, value) in columns.iter().zip(coefficients) {
        if let Some(column) = column {
            w[*column] = value;
        }
    }
    w
}
