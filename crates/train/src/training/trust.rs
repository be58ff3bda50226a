//! How far to trust a run of weak-constraint training.

use ndarray::{Array2, ArrayView2};
use odesync_ode::field::VectorField;

use super::run::Run;
use crate::weak_constraint::{ConstantEstimates, Prediction, WeakConstraint, WeakConstraintState};
use crate::{Error, Result};

/// Error of a prediction, in units of the data's spread, up to which it holds.
const HORIZON_ERROR: f64 = 0.1;
/// Times of a prediction that is looked at, over twice the span of the data.
const HORIZON_TIMES: usize = 201;

/// What is known of the quality of a run.
#[derive(Debug, Clone)]
pub struct TrustReport {
    /// Standard deviation of the noise of each state variable in the user's units; NaN for one that was not measured.
    pub noise: Vec<f64>,
    /// Log evidence of the model.
    pub log_evidence: f64,
    /// Effective number of parameters.
    pub effective_parameters: f64,
    /// Trained constants of known equations, with standard errors.
    pub constants: ConstantEstimates,
    /// Time beyond the data up to which the prediction of each sample is within a tenth of the data's spread, by its standard
    /// deviation; `None` where it holds up to twice the span of the data, and further was not looked at.
    pub horizon: Vec<Option<f64>>,
    /// Time at which the prediction of each sample leaves the states that the data cover; `None` where it does not within twice the
    /// span.
    pub leaves_data: Vec<Option<f64>>,
    /// What a user should know before the result is trusted, in sentences.
    pub warnings: Vec<String>,
}

impl Run {
    /// Returns the estimated states at the times `t` with their standard deviations, from the matrices of weak-constraint training.
    ///
    /// # Errors
    /// A run of another method, times that do not increase or lie before the data's first, or a solve that fails.
    pub fn predict_with_bands(&self, t: &[f64]) -> Result<Prediction> {
        let (state, settings) = self.weak_constraint_state()?;
        state.predict(&self.model, settings, &self.solver, t)
    }

    /// Returns how far to trust the run; it is computed once.
    ///
    /// # Errors
    /// A run of another method, one that was interrupted, or a solve that fails.
    pub fn trust(&self) -> Result<TrustReport> {
        self.trust.get_or_init(|| self.assess_trust()).clone()
    }

    fn assess_trust(&self) -> Result<TrustReport> {
        let (state, settings) = self.weak_constraint_state()?;
        let Some(log_evidence) = state.log_evidence() else {
            return Err(Error::invalid(
                "the run was interrupted; go on with resume: true first",
            ));
        };
        let constants = state.constants(&self.model, settings, &self.solver)?;
        let ahead = self.look_ahead(state);
        let samples = self.t0.len();
        let (horizon, leaves_data) = match &ahead {
            Some((t, prediction)) => {
                let covered = state.states();
                let of = |sample: usize| {
                    let u = prediction.u.index_axis(ndarray::Axis(0), sample);
                    let sd = prediction.sd.index_axis(ndarray::Axis(0), sample);
                    let leaves = leaves_states(t, u, &covered, state.spread());
                    (horizon(t, sd, state.spread(), state.last_time()), leaves)
                };
                (0..samples).map(of).unzip()
            }
            None => (vec![None; samples], vec![None; samples]),
        };
        let mut warnings = state.warnings();
        warnings.extend(whiteness(state));
        warnings.extend(near_bounds(&self.model, &constants));
        if ahead.is_none() {
            warnings.push("the model cannot be solved to twice the span of the data".into());
        }
        Ok(TrustReport {
            noise: state.noise(),
            log_evidence,
            effective_parameters: state.effective_parameters(),
            constants,
            horizon,
            leaves_data,
            warnings,
        })
    }

    pub(super) fn weak_constraint_state(&self) -> Result<(&WeakConstraintState, &WeakConstraint)> {
        match (&self.weak_constraint, self.settings.method.self_setting()) {
            (Some(state), Some(settings)) => Ok((state, settings)),
            (None, Some(_)) => Err(Error::invalid(
                "the run was stopped before its first step, so that nothing is known yet",
            )),
            _ => Err(Error::invalid(format!(
                "standard deviations come from weak_constraint() or homotopy() without a coupling, and this run is of {}(); an ensemble of several seeds has bands too",
                self.method
            ))),
        }
    }

    /// Predicts twice the span of the data; `None` where the model cannot be solved so far.
    fn look_ahead(&self, state: &WeakConstraintState) -> Option<(Vec<f64>, Prediction)> {
        let first = self.t0.iter().copied().fold(f64::INFINITY, f64::min);
        let end = first + 2.0 * (state.last_time() - first);
        let step = (end - first) / (HORIZON_TIMES - 1) as f64;
        let t: Vec<f64> = (0..HORIZON_TIMES)
            .map(|i| first + step * i as f64)
            .collect();
        let prediction = self.predict_with_bands(&t).ok()?;
        Some((t, prediction))
    }
}

/// Returns the first time, from the end of the data on, at which the rms standard deviation, in units of the data's spread, exceeds
/// the bound.
fn horizon(t: &[f64], sd: ArrayView2<f64>, spread: &[f64], end: f64) -> Option<f64> {
    let relative = |row: ndarray::ArrayView1<f64>| {
        let squares = row
            .iter()
            .zip(spread)
            .map(|(sd, spread)| (sd / spread).powi(2));
        (squares.sum::<f64>() / spread.len() as f64).sqrt()
    };
    let rows = t.iter().zip(sd.outer_iter());
    rows.filter(|(t, row)| **t >= end && !row.iter().any(|x| x.is_nan()))
        .find(|(_, row)| relative(row.view()) > HORIZON_ERROR)
        .map(|(t, _)| *t)
}

/// Returns the first time at which the nearest state of the data is further away than data are from each other: twice the largest
/// distance between neighbours in time, and at least half of the spread.
fn leaves_states(
    t: &[f64],
    u: ArrayView2<f64>,
    covered: &Array2<f64>,
    spread: &[f64],
) -> Option<f64> {
    let distance = |a: ndarray::ArrayView1<f64>, b: ndarray::ArrayView1<f64>| {
        let parts = a
            .iter()
            .zip(b)
            .zip(spread)
            .map(|((a, b), s)| ((a - b) / s).powi(2));
        parts.sum::<f64>().sqrt()
    };
    let mut gaps: Vec<f64> = (1..covered.nrows())
        .map(|k| distance(covered.row(k), covered.row(k - 1)))
        .collect();
    gaps.sort_by(f64::total_cmp);
    // Where one trajectory ends and the next begins the distance says nothing; there are few such pairs.
    let typical = gaps.get(gaps.len() * 9 / 10).copied().unwrap_or(0.0);
    let bound = (2.0 * typical).max(0.5);
    t.iter()
        .zip(u.outer_iter())
        .filter(|(_, row)| !row.iter().any(|x| x.is_nan()))
        .find(|(_, row)| {
            covered
                .outer_iter()
                .all(|state| distance(row.view(), state) > bound)
        })
        .map(|(t, _)| *t)
}

/// Standard errors within which a constant is near its bound.
const NEAR_BOUND: f64 = 2.0;

/// Returns a warning for constants that lie near one of their bounds, where an estimate is not normally distributed.
fn near_bounds(model: &VectorField, constants: &ConstantEstimates) -> Option<String> {
    let mut near = vec![];
    for (name, value, spec) in model.specs() {
        let Some(i) = constants.names.iter().position(|n| n == name) else {
            continue;
        };
        let (min, max) = spec.bounds();
        let bounds = [min, max].into_iter().flatten();
        let error = constants.errors[i];
        near.extend(
            bounds
                .filter(|bound| (value - bound).abs() < NEAR_BOUND * error)
                .map(|bound| format!("{name} = {value:.4} near {bound}")),
        );
    }
    (!near.is_empty()).then(|| {
        format!(
            "constants lie within two standard errors of their bounds ({}): standard errors say little there; profile shows what the \
             data say, and whether the bound is right is for you to say",
            near.join(", ")
        )
    })
}

/// Returns a warning for state variables whose residuals are not white noise: Ljung and Box's statistic of up to ten lags beyond its
/// 99.9 % quantile (G. M. Ljung, G. E. P. Box, Biometrika 65, 1978).
fn whiteness(state: &WeakConstraintState) -> Option<String> {
    let mut correlated = vec![];
    for (j, residuals) in state.residuals().iter().enumerate() {
        let n = residuals.len();
        let lags = (n / 5).min(10);
        if lags < 2 {
            continue;
        }
        let mean = residuals.iter().sum::<f64>() / n as f64;
        let centred: Vec<f64> = residuals.iter().map(|r| r - mean).collect();
        let variance: f64 = centred.iter().map(|r| r * r).sum();
        let statistic: f64 = (1..=lags)
            .map(|lag| {
                let product = centred.iter().zip(&centred[lag..]).map(|(a, b)| a * b);
                let r = product.sum::<f64>() / variance;
                r * r / (n - lag) as f64
            })
            .sum();
        let statistic = statistic * n as f64 * (n as f64 + 2.0);
        // The quantile of χ² by Wilson and Hilferty's cube; 3.09 is that of the normal distribution.
        let k = lags as f64;
        let quantile = k * (1.0 - 2.0 / (9.0 * k) + 3.09 * (2.0 / (9.0 * k)).sqrt()).powi(3);
        if statistic > quantile {
            correlated.push(format!("u[{j}]"));
        }
    }
    (!correlated.is_empty()).then(|| {
        format!(
            "the residuals of {} are not white noise: what the model leaves has a pattern, so something is missing in it, or the noise \
             itself is correlated; standard deviations are too small then",
            correlated.join(", ")
        )
    })
}
