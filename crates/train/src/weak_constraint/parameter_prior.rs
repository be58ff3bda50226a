//! The prior of the parameters in a linearised problem: N(0, 1/α) of w, but for constants that have one of their own.

/// The own prior of a constant, linearised: (residual + slope δ)².
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LinearPrior {
    /// Place of the constant among the parameters.
    pub place: usize,
    /// Residual at w.
    pub residual: f64,
    /// Derivative of the residual with respect to w; 0 where nothing is known.
    pub slope: f64,
}

/// The prior of a ridge problem: α |w + δ|² over most parameters, and own priors of some.
#[derive(Debug, Clone, Copy)]
pub(super) struct RidgePrior<'a> {
    pub alpha: f64,
    /// Own priors, which take the place of α's.
    pub own: &'a [LinearPrior],
}

/// Smallest precision of an own prior in units of α, so that the evidence of a constant at a bound, where the prior no longer moves
/// with w, stays a number.
const MIN_PRECISION: f64 = 1e-12;

impl RidgePrior<'_> {
    /// The same prior for all parameters.
    #[cfg(test)]
    pub fn uniform(alpha: f64) -> Self {
        RidgePrior { alpha, own: &[] }
    }

    /// Returns factors of the parameters in which every prior has the precision α, `[P]`.
    pub fn scales(&self, n_params: usize) -> Vec<f64> {
        let mut scales = vec![1.0; n_params];
        for own in self.own {
            let precision = (own.slope * own.slope).max(MIN_PRECISION * self.alpha);
            scales[own.place] = (self.alpha / precision).sqrt();
        }
        scales
    }

    /// Returns factors of the parameters in which prior and damping μ together have the precision α (1 + μ), and w in them, such that
    /// the step of a ridge problem with a uniform prior is the step with own priors, `[P]` both. The damping of a constant is that of
    /// its own prior, or of α where that is the stronger one.
    pub fn damped(&self, w: &[f64], mu: f64) -> (Vec<f64>, Vec<f64>) {
        let mut scales = vec![1.0; w.len()];
        let mut scaled = w.to_vec();
        for own in self.own {
            let precision = own.slope * own.slope;
            let total = (precision + mu * precision.max(self.alpha)).max(f64::MIN_POSITIVE);
            let scale = (self.alpha * (1.0 + mu) / total).sqrt();
            scales[own.place] = scale;
            scaled[own.place] = (1.0 + mu) * own.slope * own.residual / (total * scale);
        }
        (scales, scaled)
    }
}
