//! Rosenbrock methods as data.

/// With W = I/(h γ) − ∂f/∂u at (t, u): `W K_i = f(t + c_i h, u + Σ_{j<i} a_ij K_j) + h d_i ∂f/∂t + Σ_{j<i} C_ij K_j / h`,
/// `u⁺ = u + Σ_i b_i K_i`. The first stage is at (t, u).
#[derive(Debug)]
pub struct RosenbrockTableau {
    /// The diagonal.
    pub gamma: f64,
    /// Nodes, `[stages]`.
    pub c: &'static [f64],
    /// Sums of the rows of γ, `[stages]`.
    pub d: &'static [f64],
    /// Coefficients, row i of length i.
    pub a: &'static [&'static [f64]],
    /// Coefficients C of the stages before, row i of length i.
    pub coupling: &'static [&'static [f64]],
    /// Weights, `[stages]`.
    pub b: &'static [f64],
    /// `Σ_i e_i K_i` estimates the error of a step, `[stages]`.
    pub error: &'static [f64],
    /// The polynomial inside a step: `u(t + θ h) = (1 − θ) u + θ (u⁺ + (1 − θ) Σ_m θ^m Σ_i h_mi K_i)`.
    pub dense: &'static [&'static [f64]],
}

impl RosenbrockTableau {
    /// Number of stages.
    pub fn stages(&self) -> usize {
        self.c.len()
    }

    /// Weight of `K_i` in the polynomial at θ.
    pub fn dense_weight(&self, i: usize, theta: f64) -> f64 {
        let rows = self.dense.iter().rev();
        let inner = rows.fold(0.0, |sum, row| sum * theta + row[i]);
        theta * (self.b[i] + (1.0 - theta) * inner)
    }
}
