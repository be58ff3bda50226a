//! A linear least-squares problem with damping, and its solution.

use crate::weak_constraint::ridge_solution;

/// Residuals r and their derivatives J in some unknowns.
pub(super) struct LinearResiduals<'a> {
    /// r, `[rows]`.
    pub residuals: Vec<f64>,
    /// J, `[rows, n]` row by row.
    pub jacobian: &'a [f64],
    /// Number of unknowns.
    pub n: usize,
}

/// A step of the unknowns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DampedStep {
    /// Change of the unknowns, `[n]`.
    pub change: Vec<f64>,
    /// Sum of the squares of the residuals, and of the decayed unknowns, that the linear problem promises.
    pub promised: f64,
}

impl LinearResiduals<'_> {
    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.jacobian.chunks_exact(self.n.max(1))
    }

    /// Returns the norms of the columns of J, `[n]`.
    pub fn column_norms(&self) -> Vec<f64> {
        let mut squares = vec![0.0; self.n];
        for row in self.rows() {
            squares
                .iter_mut()
                .zip(row)
                .for_each(|(sum, x)| *sum += x * x);
        }
        squares.into_iter().map(f64::sqrt).collect()
    }

    /// Returns Jᵀ r, `[n]`.
    pub fn gradient(&self) -> Vec<f64> {
        let mut gradient = vec![0.0; self.n];
        for (row, r) in self.rows().zip(&self.residuals) {
            gradient
                .iter_mut()
                .zip(row)
                .for_each(|(sum, x)| *sum += x * r);
        }
        gradient
    }

    /// Returns r + J Δ.
    fn moved(&self, change: &[f64]) -> Vec<f64> {
        let residuals = self.residuals.iter().zip(self.rows());
        residuals.map(|(r, row)| r + dot(row, change)).collect()
    }

    /// Returns the Δ that minimises |r + J Δ|² + Σ decay (z + Δ)² + Σ damping Δ²; `None` where it is not finite. `decay` and `damping`
    /// have a factor for each unknown; no sum of both is 0.
    pub fn step(&self, z: &[f64], (decay, damping): (&[f64], &[f64])) -> Option<DampedStep> {
        // Λ = decay + damping; Δ = Λ^(−1/2) δ − decay z/Λ makes it a ridge problem in δ.
        let precision: Vec<f64> = decay.iter().zip(damping).map(|(a, b)| a + b).collect();
        let shift: Vec<f64> = (z.iter().zip(decay).zip(&precision))
            .map(|((z, decay), precision)| -decay * z / precision)
            .collect();
        let scales: Vec<f64> = precision.iter().map(|x| 1.0 / x.sqrt()).collect();
        let scaled = self
            .rows()
            .flat_map(|row| row.iter().zip(&scales).map(|(x, scale)| x * scale));
        let right = self.moved(&shift).into_iter().map(|x| -x).collect();
        let delta = ridge_solution(scaled.collect(), right)?;
        let change: Vec<f64> = (delta.iter().zip(&scales).zip(&shift))
            .map(|((delta, scale), shift)| delta * scale + shift)
            .collect();
        let squares = self.moved(&change).iter().map(|r| r * r).sum::<f64>();
        let decayed = z.iter().zip(&change).zip(decay);
        let decayed = decayed.map(|((z, d), decay)| decay * (z + d) * (z + d));
        let promised = squares + decayed.sum::<f64>();
        let is_finite = promised.is_finite() && change.iter().all(|x| x.is_finite());
        is_finite.then_some(DampedStep { change, promised })
    }
}

/// Returns the scalar product of a vector with as many entries of another.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
