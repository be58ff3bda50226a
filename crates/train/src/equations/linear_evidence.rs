//! The evidence of sets of coefficients, from the data's problem linearised at one of them.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use crate::weak_constraint::WhitenedProblem;

/// Most coefficients of a set from which an optimum is sought, and most moves to it.
const MAX_START: usize = 24;
const MAX_CLIMB: usize = 40;

/// The linear problem h ≈ X w in all searched coefficients, with the prior w ~ N(0, 1/α).
pub(super) struct LinearEvidence {
    gram: DMatrix<f64>,
    right: DVector<f64>,
    alpha: f64,
    /// Column of X of each coefficient.
    columns: Vec<Option<usize>>,
    /// Columns of other parameters, which are in every set.
    always: Vec<usize>,
}

/// A change of a set of coefficients by one that is added, one that is dropped, or both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Move {
    /// Coefficient that is added.
    pub added: Option<usize>,
    /// Coefficient that is dropped.
    pub dropped: Option<usize>,
    /// Change of the log evidence in the linear problem, less the cost of the coefficients.
    pub gain: f64,
}

impl Move {
    /// Returns the set after the move, in increasing order.
    pub fn apply(&self, active: &[usize]) -> Vec<usize> {
        let kept = active.iter().copied().filter(|i| Some(*i) != self.dropped);
        let mut next: Vec<usize> = kept.chain(self.added).collect();
        next.sort_unstable();
        next
    }
}

impl LinearEvidence {
    /// Forms the problem; `columns` has the column of X of each coefficient, if it has one.
    pub fn new(problem: &WhitenedProblem, alpha: f64, columns: &[Option<usize>]) -> Self {
        let n = problem.h.len();
        let x = DMatrix::from_row_slice(n, problem.x.len() / n.max(1), &problem.x);
        let h = DVector::from_column_slice(&problem.h);
        LinearEvidence {
            gram: x.tr_mul(&x),
            right: x.tr_mul(&h),
            alpha,
            columns: columns.to_vec(),
            always: (0..x.ncols())
                .filter(|i| !columns.contains(&Some(*i)))
                .collect(),
        }
    }

    /// Returns the columns of X of a set, those that are in every set last.
    fn columns_of(&self, active: &[usize]) -> Vec<usize> {
        let columns = active.iter().filter_map(|i| self.columns[*i]);
        columns.chain(self.always.iter().copied()).collect()
    }

    /// Returns the factor of α I + G of these columns; `None` where it is not positive definite, and where the thread was asked to stop: all
    /// that takes long here comes of many factors, and who calls it then checks for the stop.
    fn factorize(&self, columns: &[usize]) -> Option<Cholesky<f64, Dyn>> {
        if odesync_base::interrupt::is_requested() {
            return None;
        }
        let prior = |i, j| if i == j { self.alpha } else { 0.0 };
        let n = columns.len();
        let matrix = DMatrix::from_fn(n, n, |i, j| {
            self.gram[(columns[i], columns[j])] + prior(i, j)
        });
        Cholesky::new(matrix)
    }

    /// Returns the log evidence of a set of coefficients, up to a constant: ½ [bᵀ (α I + G)⁻¹ b − log det(I + G/α)]; −∞ where the
    /// matrix is not positive definite.
    pub fn log_evidence(&self, active: &[usize]) -> f64 {
        let columns = self.columns_of(active);
        let Some(factor) = self.factorize(&columns) else {
            return f64::NEG_INFINITY;
        };
        let b = DVector::from_fn(columns.len(), |i, _| self.right[columns[i]]);
        let log_det = 2.0 * factor.l_dirty().diagonal().map(f64::ln).sum();
        let log_det = log_det - columns.len() as f64 * self.alpha.ln();
        0.5 * (b.dot(&factor.solve(&b)) - log_det)
    }

    /// Returns the standard error of each coefficient of a set; infinite where it cannot be had.
    pub fn standard_errors(&self, active: &[usize]) -> Vec<f64> {
        let columns = self.columns_of(active);
        let inverse = self.factorize(&columns).map(|factor| factor.inverse());
        let error = |i: &usize| {
            let at = columns.iter().position(|c| Some(*c) == self.columns[*i])?;
            Some(inverse.as_ref()?[(at, at)].sqrt())
        };
        (active.iter())
            .map(|i| error(i).unwrap_or(f64::INFINITY))
            .collect()
    }

    /// Returns the size of each coefficient of a set, fitted with the others of that set, over its standard error.
    pub fn ratios(&self, active: &[usize]) -> Vec<f64> {
        let columns = self.columns_of(active);
        let Some(factor) = self.factorize(&columns) else {
            return vec![0.0; active.len()];
        };
        let w = factor.solve(&DVector::from_fn(columns.len(), |i, _| {
            self.right[columns[i]]
        }));
        let place = |i: &usize| columns.iter().position(|c| Some(*c) == self.columns[*i]);
        (active.iter().zip(self.standard_errors(active)))
            .map(|(i, error)| place(i).map_or(0.0, |at| w[at].abs() / error))
            .collect()
    }

    /// Returns all moves from a set, the largest gain first; each coefficient costs `cost`. A coefficient is exchanged for one of
    /// the same unknown function only; `output` tells it.
    pub fn moves(&self, active: &[usize], output: impl Fn(usize) -> usize, cost: f64) -> Vec<Move> {
        let now = self.log_evidence(active);
        let others: Vec<usize> = (0..self.columns.len())
            .filter(|i| self.columns[*i].is_some() && !active.contains(i))
            .collect();
        let mut moves = vec![];
        let mut consider = |added, dropped| {
            let mut change = Move {
                added,
                dropped,
                gain: 0.0,
            };
            let next = change.apply(active);
            let more = next.len() as f64 - active.len() as f64;
            change.gain = self.log_evidence(&next) - now - more * cost;
            moves.push(change);
        };
        for dropped in active {
            consider(None, Some(*dropped));
        }
        for added in &others {
            consider(Some(*added), None);
            for dropped in active.iter().filter(|i| output(**i) == output(*added)) {
                consider(Some(*added), Some(*dropped));
            }
        }
        moves.retain(|m| m.gain.is_finite());
        moves.sort_by(|a, b| b.gain.total_cmp(&a.gain));
        moves
    }

    /// Returns local optima of the linear problem, sets that no move improves, the best first: those uphill from `active`, and from
    /// the sets that are left as the least of all coefficients are dropped one after the other.
    pub fn optima(
        &self,
        active: &[usize],
        output: impl Fn(usize) -> usize + Copy,
        cost: f64,
    ) -> Vec<Vec<usize>> {
        let mut found: Vec<(f64, Vec<usize>)> = vec![];
        for mut set in std::iter::once(active.to_vec()).chain(self.falling_sets()) {
            for _ in 0..MAX_CLIMB {
                match self.moves(&set, output, cost).first() {
                    Some(best) if best.gain > 0.0 => set = best.apply(&set),
                    _ => break,
                }
            }
            if found.iter().all(|(_, other)| *other != set) {
                let score = self.log_evidence(&set) - set.len() as f64 * cost;
                found.push((score, set));
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.into_iter().map(|(_, set)| set).collect()
    }

    /// Returns the sets that are left as the least coefficients are dropped one after the other, down to the empty one.
    fn falling_sets(&self) -> Vec<Vec<usize>> {
        let with_column = |i: &usize| self.columns[*i].is_some();
        let mut set: Vec<usize> = (0..self.columns.len()).filter(with_column).collect();
        let mut sets = vec![];
        while !set.is_empty() {
            let ratios = self.ratios(&set);
            let smallest = (0..set.len()).min_by(|i, j| ratios[*i].total_cmp(&ratios[*j]));
            set.remove(smallest.unwrap_or(0));
            if set.len() <= MAX_START {
                sets.push(set.clone());
            }
        }
        sets
    }
}
