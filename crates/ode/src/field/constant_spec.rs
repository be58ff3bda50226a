//! What is known of a constant before it is trained.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Flag, Maybe, Number, NumberPair};

option_set! {
    /// What is known of a constant before it is trained: bounds, a normal prior, and whether its logarithm is trained.
    ///
    /// Methods that set themselves honour it: within bounds they train a smooth transform of the constant, a logarithm of the
    /// distance from one bound or the logit between two; the prior is one more datum, ((k − mean)/sd)². Levenberg-Marquardt steps
    /// honour the bounds, and take no prior.
    ///
    /// ```
    /// use odesync_ode::dynamics::lotka_volterra;
    /// use odesync_ode::field::ConstantSpec;
    ///
    /// let known = ConstantSpec::default().min(0.0).max(5.0).prior(1.0, 0.5);
    /// let field = lotka_volterra()?.trainable_with("a", known)?;
    /// assert_eq!(field.n_params(), 1);
    /// let crossed = ConstantSpec::default().min(5.0).max(0.0);
    /// assert!(lotka_volterra()?.trainable_with("a", crossed).is_err());
    /// # Ok::<(), odesync_ode::Error>(())
    /// ```
    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct ConstantSpec {
        /// Lower bound, which training never crosses.
        pub min: Option<f64> as Maybe<Number> = None;
        /// Upper bound, which training never crosses.
        pub max: Option<f64> as Maybe<Number> = None;
        /// Mean and standard deviation of a normal prior, in the units of the constant.
        pub prior: Option<(f64, f64)> as Maybe<NumberPair> = None;
        /// Train the logarithm of the constant, which stays above 0.
        pub log: bool as Flag = false;
    }
}

impl ConstantSpec {
    /// Sets the lower bound.
    #[must_use]
    pub fn min(mut self, bound: f64) -> Self {
        self.min = Some(bound);
        self
    }

    /// Sets the upper bound.
    #[must_use]
    pub fn max(mut self, bound: f64) -> Self {
        self.max = Some(bound);
        self
    }

    /// Sets mean and standard deviation of the normal prior, in the units of the constant.
    #[must_use]
    pub fn prior(mut self, mean: f64, sd: f64) -> Self {
        self.prior = Some((mean, sd));
        self
    }

    /// Trains the logarithm of the constant, which stays above 0.
    #[must_use]
    pub fn log(mut self) -> Self {
        self.log = true;
        self
    }

    /// Returns the bounds: a logarithm has 0 as the lower one where none is given.
    pub fn bounds(&self) -> (Option<f64>, Option<f64>) {
        let min = match self.log {
            true => Some(self.min.unwrap_or(0.0)),
            false => self.min,
        };
        (min, self.max)
    }

    /// Checks what is known of the constant `name`, which begins at `start`.
    ///
    /// # Errors
    /// Bounds that are not numbers or exclude each other, a prior without width or outside of the bounds, a logarithm of what may
    /// be negative, and a start that is not between the bounds.
    pub fn check(&self, name: &str, start: f64) -> Result<()> {
        let error = |what: String| Err(Error::invalid(format!("constant \"{name}\": {what}")));
        let given = [self.min, self.max].into_iter().flatten();
        if let Some(bound) = given.into_iter().find(|x| !x.is_finite()) {
            return error(format!(
                "{bound} is no bound; leave it out where there is none"
            ));
        }
        let (min, max) = self.bounds();
        if let Some(min) = min.filter(|min| self.log && *min < 0.0) {
            return error(format!(
                "it has a logarithm only above 0, and min is {min}; leave out min or log"
            ));
        }
        if let (Some(min), Some(max)) = (min, max)
            && min >= max
        {
            return error(format!(
                "nothing lies between min, {min}, and max, {max}; give a min below max"
            ));
        }
        if let Some((mean, sd)) = self.prior {
            if !(mean.is_finite() && sd > 0.0 && sd.is_finite()) {
                return error(format!(
                    "prior: [{mean}, {sd}] should be a mean and a standard deviation above 0"
                ));
            }
            if min.is_some_and(|min| mean < min) || max.is_some_and(|max| mean > max) {
                return error(format!(
                    "the prior's mean, {mean}, is not {}; move the bound or the mean",
                    between(min, max)
                ));
            }
        }
        let is_inside = min.is_none_or(|min| start > min) && max.is_none_or(|max| start < max);
        match is_inside && start.is_finite() {
            true => Ok(()),
            false => error(format!(
                "training begins at {start}, which is not {}; give it another start first, for example \
                 with_param(\"{name}\", {})",
                between(min, max),
                inside(min, max)
            )),
        }
    }
}

/// Returns bounds in words.
fn between(min: Option<f64>, max: Option<f64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("between {min} and {max}"),
        (Some(min), None) => format!("above {min}"),
        (None, Some(max)) => format!("below {max}"),
        (None, None) => "a finite number".into(),
    }
}

/// Returns a number inside of bounds.
fn inside(min: Option<f64>, max: Option<f64>) -> f64 {
    match (min, max) {
        (Some(min), Some(max)) => min + (max - min) / 2.0,
        (Some(min), None) => min + min.abs().max(1.0),
        (None, Some(max)) => max - max.abs().max(1.0),
        (None, None) => 1.0,
    }
}

/// Writes what is known, as in "between 0 and 5, prior 1 ± 0.5".
impl std::fmt::Display for ConstantSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = vec![];
        match (self.min, self.max) {
            (None, None) => {}
            (min, max) => parts.push(between(min, max)),
        }
        if self.log {
            parts.push("by its logarithm".into());
        }
        if let Some((mean, sd)) = self.prior {
            parts.push(format!("prior {mean} ± {sd}"));
        }
        f.write_str(&parts.join(", "))
    }
}
