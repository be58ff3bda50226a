//! Coefficients of methods: explicit Runge-Kutta methods here, the other families in submodules.

mod adams;
mod esdirk;
mod rosenbrock;

pub use adams::AdamsTableau;
pub use esdirk::EsdirkTableau;
pub use rosenbrock::RosenbrockTableau;

/// Tableau of an explicit Runge-Kutta method: `k_i = f(t + c_i h, u + h Σ_j a_ij k_j)`, `u⁺ = u + h Σ_i b_i k_i`.
#[derive(Debug)]
pub struct Tableau {
    /// Nodes c_i, `[stages]`.
    pub c: &'static [f64],
    /// Coefficients a_ij, row i of length i.
    pub a: &'static [&'static [f64]],
    /// Weights b_i, `[stages]`.
    pub b: &'static [f64],
    /// Error weights e = b − b̂ of the embedded method, `[stages]`: `h Σ_i e_i k_i` estimates the error of a step. `None`:
    /// fixed steps only.
    pub error: Option<&'static [f64]>,
    /// Weights of a second error estimate e₃ of lower order, `[stages]`; the error of a step is then
    /// `e₅² / √(e₅² + 0.01 e₃²)`, where e₅ is the norm of the first estimate (Hairer's DOP853).
    pub second_error: Option<&'static [f64]>,
    /// Coefficients of the dense output: `u(t + θ h) = u + h Σ_i k_i Σ_j dense[i][j] θ^(j+1)`,
    /// `[stages and extra stages][degree]`.
    pub dense: Option<&'static [&'static [f64]]>,
    /// Additional stages of the dense output, evaluated only for steps with an output inside.
    pub extra_stages: &'static [ExtraStage],
    /// Whether the last stage is the first of the next step (first same as last).
    pub fsal: bool,
}

/// An additional stage that only the dense output needs.
#[derive(Debug)]
pub struct ExtraStage {
    /// Node c.
    pub c: f64,
    /// Coefficients of all previous stages.
    pub a: &'static [f64],
}

impl Tableau {
    /// Returns the number of stages of a step.
    pub fn stages(&self) -> usize {
        self.b.len()
    }

    /// Returns the number of stages including the additional ones of the dense output.
    pub fn all_stages(&self) -> usize {
        self.b.len() + self.extra_stages.len()
    }

    /// Returns the node and the coefficients of a stage; the additional ones of the dense output come after those of a step.
    pub fn stage_row(&self, i: usize) -> (f64, &'static [f64]) {
        match self.extra_stages.get(i.wrapping_sub(self.stages())) {
            Some(extra) => (extra.c, extra.a),
            None => (self.c[i], self.a[i]),
        }
    }

    /// Returns the index on the tape of the slot of a stage; where the last stage is the first of the next step, they share it.
    pub(crate) fn slot_index(&self, step: usize, stage: usize) -> usize {
        step * (self.stages() - usize::from(self.fsal)) + stage
    }

    /// Returns the number of slots on the tape of this many steps.
    pub(crate) fn n_slots(&self, steps: usize) -> usize {
        self.slot_index(steps, 0) + usize::from(self.fsal)
    }

    /// Computes the weights b_i(θ) of the dense output into `weights`, `[stages and extra stages]`.
    pub fn dense_weights(&self, theta: f64, weights: &mut [f64]) {
        match self.dense {
            Some(rows) => {
                for (w, row) in weights.iter_mut().zip(rows) {
                    *w = row.iter().rev().fold(0.0, |sum, p| (sum + p) * theta);
                }
            }
            // The steps of methods without dense output end at every output time, where θ = 1.
            None => weights.copy_from_slice(self.b),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
