//! Coefficients of diagonally implicit Runge-Kutta methods with an explicit first stage (ESDIRK).

/// Tableau of an ESDIRK method: `k_1 = f(t, u)`, `k_i = f(t + c_i h, u + h Σ_{j<i} a_ij k_j + h γ k_i)`, and with a
/// mass matrix M the left-hand sides are M k_i. The method is
/// stiffly accurate: its last stage is u⁺, and is the first stage of the next step.
#[derive(Debug)]
pub struct EsdirkTableau {
    /// Diagonal coefficient γ.
    pub gamma: f64,
    /// Nodes c_i, `[stages]`.
    pub c: &'static [f64],
    /// Coefficients a_ij left of the diagonal, row i of length i.
    pub a: &'static [&'static [f64]],
    /// Weights of the embedded method, `[stages]`.
    pub embedded: &'static [f64],
    /// Weights of the previous stages in the initial guess of `k_i`, row i of length i.
    pub guess: &'static [&'static [f64]],
    /// Coefficients of the polynomial inside a step: `u(t + θ h) = u + h Σ_i k_i Σ_j dense[i][j] θ^(j+1)`.
    pub dense: &'static [&'static [f64]],
}

impl EsdirkTableau {
    /// Returns the number of stages.
    pub fn stages(&self) -> usize {
        self.c.len()
    }

    /// Returns the weight of `k_i` in u⁺.
    pub fn b(&self, i: usize) -> f64 {
        let last = self.a.last().copied().unwrap_or(&[]);
        last.get(i).copied().unwrap_or(self.gamma)
    }

    /// Returns the weight of `k_i` in the polynomial at θ.
    pub fn dense_weight(&self, i: usize, theta: f64) -> f64 {
        let row = self.dense[i];
        row.iter().rev().fold(0.0, |sum, p| (sum + p) * theta)
    }

    /// Returns the derivative with respect to θ of the weight of `k_i` in the polynomial.
    pub(crate) fn dense_slope(&self, i: usize, theta: f64) -> f64 {
        let row = self.dense[i].iter().enumerate();
        row.rev()
            .fold(0.0, |sum, (j, p)| sum * theta + (j as f64 + 1.0) * p)
    }

    /// Returns the index on the tape of the slot of a stage; the last stage of a step and the first of the next share a slot.
    pub(crate) fn slot_index(&self, step: usize, stage: usize) -> usize {
        step * (self.stages() - 1) + stage
    }
}
