//! The loss ρ(r) of a residual in units of the noise, minimised by iteratively reweighted least squares.
//!
//! At a residual r the quadratic ω r² with ω = ρ′(r)/(2 r) lies above ρ but for a constant and touches it: its minimum lowers ρ.
//! Sources: A. E. Beaton, J. W. Tukey, *The fitting of power series*, Technometrics 16 (1974); P. J. Huber, E. M. Ronchetti, *Robust
//! Statistics* (2009), chapter 7; K. L. Lange, R. J. A. Little, J. M. G. Taylor, *Robust statistical modeling using the t
//! distribution*, J. Am. Stat. Assoc. 84 (1989).

use std::f64::consts::{PI, SQRT_2};

/// Degrees of freedom of Student's t where none are given: K. L. Lange, R. J. A. Little, J. M. G. Taylor, *Robust statistical modeling
/// using the t distribution*, J. Am. Stat. Assoc. 84 (1989).
pub(super) const DEGREES_OF_FREEDOM: f64 = 4.0;

/// A loss with its constants.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) enum ResidualLoss {
    /// ρ = r².
    #[default]
    Gaussian,
    /// ρ = r² up to the threshold k, 2 k |r| − k² beyond.
    Huber { threshold: f64 },
    /// ρ = (ν + 1) log(1 + r²/ν).
    StudentT { freedom: f64 },
}

impl ResidualLoss {
    /// Returns ρ(r).
    pub fn value(self, r: f64) -> f64 {
        match self {
            ResidualLoss::Huber { threshold } if r.abs() > threshold => {
                threshold * (2.0 * r.abs() - threshold)
            }
            ResidualLoss::Gaussian | ResidualLoss::Huber { .. } => r.powi(2),
            ResidualLoss::StudentT { freedom } => (freedom + 1.0) * (r * r / freedom).ln_1p(),
        }
    }

    /// Returns the loss of stages in which a state can follow its datum, however wrong that is, and of splines. There Huber's, whose
    /// outliers pull as hard as they ever do, bears none; Student's t takes its place until the states are a solution.
    pub fn at_high_leverage(self) -> Self {
        match self {
            ResidualLoss::Huber { .. } => ResidualLoss::StudentT {
                freedom: DEGREES_OF_FREEDOM,
            },
            other => other,
        }
    }

    /// Returns ω(r), the weight of a datum in least squares.
    pub fn weight(self, r: f64) -> f64 {
        match self {
            ResidualLoss::Gaussian => 1.0,
            ResidualLoss::Huber { threshold } => (threshold / r.abs()).min(1.0),
            ResidualLoss::StudentT { freedom } => (freedom + 1.0) / (freedom + r * r),
        }
    }

    /// Returns what has the mean 1 over data whose residuals are in units of the right noise: r², ω r² of Student's t (the condition of
    /// its likelihood), and (ω r)² over its mean for normal noise (Huber's proposal 2).
    pub fn scale_square(self, r: f64) -> f64 {
        match self {
            ResidualLoss::Gaussian => r.powi(2),
            ResidualLoss::Huber { threshold: k } => {
                let beyond = 0.5 * libm::erfc(k / SQRT_2);
                let density = (-0.5 * k * k).exp() / (2.0 * PI).sqrt();
                let mean = 1.0 - 2.0 * beyond - 2.0 * k * density + 2.0 * k * k * beyond;
                r.abs().min(k).powi(2) / mean
            }
            ResidualLoss::StudentT { .. } => self.weight(r) * r * r,
        }
    }

    /// Returns what a datum tells over the weight that least squares gives it, on average: the Fisher information of Student's t is
    /// (ν + 1)/(ν + 3) where the mean of ω is 1.
    pub fn information(self) -> f64 {
        match self {
            ResidualLoss::Gaussian | ResidualLoss::Huber { .. } => 1.0,
            ResidualLoss::StudentT { freedom } => (freedom + 1.0) / (freedom + 3.0),
        }
    }

    /// Returns the logarithm of the density at r = 0 over that of the normal distribution: exp(−ρ/2) is no density yet.
    pub fn log_height(self) -> f64 {
        match self {
            ResidualLoss::Gaussian => 0.0,
            ResidualLoss::Huber { threshold: k } => {
                let within = (2.0 * PI).sqrt() * libm::erf(k / SQRT_2);
                let beyond = 2.0 / k * (-0.5 * k * k).exp();
                0.5 * (2.0 * PI).ln() - (within + beyond).ln()
            }
            ResidualLoss::StudentT { freedom } => {
                libm::lgamma((freedom + 1.0) / 2.0) - libm::lgamma(freedom / 2.0)
                    + 0.5 * (2.0 / freedom).ln()
            }
        }
    }
}
