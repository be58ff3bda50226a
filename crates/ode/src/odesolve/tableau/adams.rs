//! Adams methods as data.

/// `u⁺ = u + h Σ_j β_j f_{n−j}`, where f_n is the slope at the state.
#[derive(Debug)]
pub struct AdamsTableau {
    /// β of the explicit formula.
    pub predictor: &'static [f64],
    /// β of the implicit formula, whose first slope is the one at the prediction.
    pub corrector: Option<&'static [f64]>,
}
