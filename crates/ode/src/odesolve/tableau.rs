//! Methods as data: explicit Runge-Kutta methods here, the other families beside it.

mod adams;
mod esdirk;
mod rosenbrock;

pub use adams::AdamsTableau;
pub use esdirk::EsdirkTableau;
pub use rosenbrock::RosenbrockTableau;

/// An explicit Runge-Kutta method: `k_i = f(t + c_i h, u + h Σ_j a_ij k_j)`, `u⁺ = u + h Σ_i b_i k_i`.
#[derive(Debug)]
pub struct Tableau {
    /// Nodes, `[stages]`.
    pub c: &'static [f64],
    /// Coefficients, row i of length i.
    pub a: &'static [&'static [f64]],
    /// Weights, `[stages]`.
    pub b: &'static [f64],
    /// b − b̂ of the embedded method, `[stages]`: `h Σ_i e_i k_i` estimates the error of a step. None: fixed steps only.
    pub error: Option<&'static [f64]>,
    /// A second estimate e₃ of lower order, `[stages]`; the error of a step is then `e₅² / √(e₅² + 0.01 e₃²)`, e₅ being the
    /// first one's norm (Hairer's DOP853).
    pub second_error: Option<&'static [f64]>,
    /// Dense output: `u(t + θ h) = u + h Σ_i k_i Σ_j dense[i][j] θ^(j+1)`, `[stages and extra stages][degree]`.
    pub dense: Option<&'static [&'static [f64]]>,
    /// Stages that the dense output needs beside those of the step, evaluated for steps with an output inside only.
    pub extra_stages: &'static [ExtraStage],
    /// Whether the last stage is the first of the next step (first same as last).
    pub fsal: bool,
}

/// A stage for the dense output alone.
#[derive(Debug)]
pub struct ExtraStage {
    /// Node.
    pub c: f64,
    /// Coefficients of all stages before it.
    pub a: &'static [f64],
}

impl Tableau {
    /// Number of stages of a step.
    pub fn stages(&self) -> usize {
        self.b.len()
    }

    /// Number of stages with those of the dense output.
    pub fn all_stages(&self) -> usize {
        self.b.len() + self.extra_stages.len()
    }

    /// The weights b_i(θ) of the dense output into `weights` (`[stages and extra stages]`).
    pub fn dense_weights(&self, theta: f64, weights: &mut [f64]) {
        match self.dense {
            Some(rows) => {
                for (w, row) in weights.iter_mut().zip(rows) {
                    *w = row.iter().rev().fold(0.0, |sum, p| (sum + p) * theta);
                }
            }
            // Methods without dense output step onto every requested time.
            None => weights.copy_from_slice(self.b),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
