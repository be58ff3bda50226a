//! Diagonally implicit Runge-Kutta methods with an explicit first stage (ESDIRK) as data.

/// `k_1 = f(t, u)`, `k_i = f(t + c_i h, u + h Σ_{j<i} a_ij k_j + h γ k_i)`. The method is stiffly accurate: its last stage is
/// u⁺, and the first of the next step.
#[derive(Debug)]
pub struct EsdirkTableau {
    /// The diagonal.
    pub gamma: f64,
    /// Nodes, `[stages]`.
    pub c: &'static [f64],
    /// Coefficients left of the diagonal, row i of length i.
    pub a: &'static [&'static [f64]],
    /// Weights of the embedded method, `[stages]`.
    pub embedded: &'static [f64],
    /// First guess of `k_i` as weights of the stages before it, row i of length i.
    pub guess: &'static [&'static [f64]],
    /// The polynomial inside a step: `u(t + θ h) = u + h Σ_i k_i Σ_j dense[i][j] θ^(j+1)`.
    pub dense: &'static [&'static [f64]],
}

impl EsdirkTableau {
    /// Number of stages.
    pub fn stages(&self) -> usize {
        self.c.len()
    }

    /// Weight of `k_i` in u⁺.
    pub fn b(&self, i: usize) -> f64 {
        let last = self.a.last().copied().unwrap_or(&[]);
        last.get(i).copied().unwrap_or(self.gamma)
    }

    /// Weight of `k_i` in the polynomial at θ.
    pub fn dense_weight(&self, i: usize, theta: f64) -> f64 {
        let row = self.dense[i];
        row.iter().rev().fold(0.0, |sum, p| (sum + p) * theta)
    }

    /// Its derivative by θ.
    pub(crate) fn dense_slope(&self, i: usize, theta: f64) -> f64 {
        let row = self.dense[i].iter().enumerate();
        row.rev()
            .fold(0.0, |sum, (j, p)| sum * theta + (j as f64 + 1.0) * p)
    }

    /// Index of the slot of a stage.
    pub(crate) fn slot_index(&self, step: usize, stage: usize) -> usize {
        step * (self.stages() - 1) + stage
    }
}
