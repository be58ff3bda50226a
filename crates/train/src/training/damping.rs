//! The settings of the method of Levenberg and Marquardt, and its damping between two steps.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{NonNegative, Positive};

option_set! {
    /// Settings of the method of Levenberg and Marquardt, `optimizer: "lm"`.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct LevenbergMarquardt {
        /// First damping μ of `lm`, in units of the squares of the Jacobian's columns.
        pub damping: f64 as Positive = 1e-2;
        /// Factor of the damping of `lm` after a step that was rejected, or brought less than a quarter of what it promised.
        pub damping_increase: f64 as Positive = 4.0;
        /// Divisor of the damping of `lm` after a step that brought more than three quarters of what it promised.
        pub damping_decrease: f64 as Positive = 4.0;
        /// `lm` ends where a step lowers, and promises to lower, the loss by a smaller share than this.
        pub tolerance: f64 as NonNegative = 1e-10;
        /// Weight decay λ: λ/2 times the sum of the squares of the weights is added to the loss.
        pub weight_decay: f64 as NonNegative = 0.0;
    }
}

/// Weight of gaps from which on they are closed.
const LARGEST_WEIGHT: f64 = 1e6;
/// Damping below which and above which nothing changes any more.
const RANGE: (f64, f64) = (1e-12, 1e12);

impl LevenbergMarquardt {
    /// Checks the settings.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn check(&self) -> Result<()> {
        self.check_ranges()?;
        for (name, factor) in [
            ("damping_increase", self.damping_increase),
            ("damping_decrease", self.damping_decrease),
        ] {
            if factor <= 1.0 {
                return Err(Error::invalid(format!(
                    "{name} should be a number above 1, not {factor}"
                )));
            }
        }
        Ok(())
    }
}

/// The state of the method of Levenberg and Marquardt between two steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Damping {
    /// Damping μ.
    pub mu: f64,
    /// Weight of the squares of gaps between segments (multiple shooting), in units of that of the data; 0 where segments meet.
    pub gap_weight: f64,
    /// Number of steps that were tried with this weight.
    pub steps_at_weight: usize,
    /// Weight of the gaps that are left in what a step is judged by, where segments meet.
    pub penalty: f64,
    /// Number of steps that were made.
    pub accepted: usize,
    /// Whether the last step was rejected.
    pub is_rejected: bool,
    /// Whether nothing is left to do.
    pub is_converged: bool,
}

impl Damping {
    /// Returns the state before the first step, of a training with gaps or without.
    pub(super) fn new(settings: &LevenbergMarquardt, has_gaps: bool) -> Self {
        Damping {
            mu: settings.damping,
            gap_weight: f64::from(u8::from(has_gaps)),
            steps_at_weight: 0,
            penalty: 0.0,
            accepted: 0,
            is_rejected: false,
            is_converged: false,
        }
    }

    /// Returns the state after a step that brought this share of what it promised; `None` for one that was rejected.
    #[must_use]
    pub(super) fn after(&self, gain: Option<f64>, settings: &LevenbergMarquardt) -> Self {
        let mu = match gain {
            Some(gain) if gain > 0.75 => self.mu / settings.damping_decrease,
            Some(gain) if gain >= 0.25 => self.mu,
            _ => self.mu * settings.damping_increase,
        };
        Damping {
            mu: mu.clamp(RANGE.0, RANGE.1),
            accepted: self.accepted + usize::from(gain.is_some()),
            is_rejected: gain.is_none(),
            // A step as short as that has been tried.
            is_converged: gain.is_none() && mu > RANGE.1,
            steps_at_weight: self.steps_at_weight + 1,
            ..self.clone()
        }
    }

    /// Returns the state with a larger weight of the gaps, where this one has done what it can: a step lowered the loss by less than
    /// a twentieth, `share` being what it did, or there were eight. Gaps that are small, or have a large weight, are closed from then on.
    pub(super) fn with_next_weight(&self, share: f64, are_small: bool) -> Option<Self> {
        let is_done = (share < 0.05 && !self.is_rejected) || self.steps_at_weight >= 8;
        if self.gap_weight == 0.0 || !(is_done || are_small) {
            return None;
        }
        let is_last = are_small || self.gap_weight >= LARGEST_WEIGHT;
        Some(Damping {
            mu: self.mu.min(1e-2),
            gap_weight: if is_last { 0.0 } else { 10.0 * self.gap_weight },
            steps_at_weight: 0,
            ..self.clone()
        })
    }
}
