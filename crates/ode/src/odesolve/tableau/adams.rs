//! Coefficients of Adams methods.

/// Coefficients of an Adams method: `u⁺ = u + h Σ_j β_j f_{n−j}`, where f_n is the slope at the state.
#[derive(Debug)]
pub struct AdamsTableau {
    /// Coefficients β of the explicit formula.
    pub predictor: &'static [f64],
    /// Coefficients β of the implicit formula, whose first slope is the one at the predicted state. `None`: the explicit
    /// formula alone.
    pub corrector: Option<&'static [f64]>,
}
