//! Coefficients of Rosenbrock methods.

/// Coefficients of a Rosenbrock method. With W = M/(h γ) − ∂f/∂u at (t, u), where M is the mass matrix (the identity where there is
/// none): `W K_i = f(t + c_i h, u + Σ_{j<i} a_ij K_j) + h d_i ∂f/∂t + M Σ_{j<i} C_ij K_j / h`, `u⁺ = u + Σ_i b_i K_i`. The first
/// stage is at (t, u).
#[derive(Debug)]
pub struct RosenbrockTableau {
    /// Diagonal coefficient γ.
    pub gamma: f64,
    /// Nodes c_i, `[stages]`.
    pub c: &'static [f64],
    /// Row sums d_i of the coefficients γ_ij, `[stages]`.
    pub d: &'static [f64],
    /// Coefficients a_ij, row i of length i.
    pub a: &'static [&'static [f64]],
    /// Coefficients C_ij of the previous stages, row i of length i.
    pub coupling: &'static [&'static [f64]],
    /// Weights b_i, `[stages]`.
    pub b: &'static [f64],
    /// Error weights e_i, `[stages]`: `Σ_i e_i K_i` estimates the error of a step.
    pub error: &'static [f64],
    /// Coefficients h_mi of the polynomial inside a step: `u(t + θ h) = (1 − θ) u + θ (u⁺ + (1 − θ) Σ_m θ^m Σ_i h_mi K_i)`.
    pub dense: &'static [&'static [f64]],
}

impl RosenbrockTableau {
    /// Returns the number of stages.
    pub fn stages(&self) -> usize {
        self.c.len()
    }

    /// Returns the weight of `K_i` in the polynomial at θ.
    pub fn dense_weight(&self, i: usize, theta: f64) -> f64 {
        let rows = self.dense.iter().rev();
        let inner = rows.fold(0.0, |sum, row| sum * theta + row[i]);
        theta * (self.b[i] + (1.0 - theta) * inner)
    }
}
