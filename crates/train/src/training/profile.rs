//! Profile likelihoods of constants.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::run::Run;
use crate::weak_constraint::ProfileGrid;
use crate::{Error, Result};
use odesync_base::error::unknown;
use odesync_base::option_set;
use odesync_base::options::{Count, Positive};
use odesync_ode::odesolve::SolveOptions;

option_set! {
    /// Options of a profile.
    #[derive(Debug, Clone)]
    pub struct ProfileOptions {
        /// Number of values of the constant.
        pub points: usize as Count = 21;
        /// How far the values reach to both sides of the estimate, in standard errors.
        pub width: f64 as Positive = 3.0;
    }
    others {
        /// Flag that stops the profile.
        pub interrupt: Arc<AtomicBool> = Arc::default();
    }
}

/// Fewest values of a profile.
const MIN_POINTS: usize = 5;
/// Rises of χ² of one constant that hold 68.27 and 95 % of its values: S. S. Wilks, *The large-sample distribution of the likelihood
/// ratio for testing composite hypotheses*, Ann. Math. Stat. 9 (1938).
const RISES: [f64; 2] = [1.0, 3.841_458_820_694];
/// How near to a bound the values reach, over the distance of the estimate from it.
const NEAR_BOUND: f64 = 1e-3;

/// The profile of a constant: what the data say of it with everything else fitted again at each of its values.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Name of the constant.
    pub name: String,
    /// Values of the constant, increasing.
    pub values: Vec<f64>,
    /// Rise of χ² over its minimum, −2 log of the ratio of likelihoods, at each value; NaN where the model cannot be solved.
    pub chi2: Vec<f64>,
    /// The constant at the minimum.
    pub estimate: f64,
    /// Standard error by the curvature there.
    pub error: f64,
    /// Interval of 68 %; `None` is an open end.
    pub interval_68: [Option<f64>; 2],
    /// Interval of 95 %; `None` is an open end.
    pub interval_95: [Option<f64>; 2],
    /// What a user should know of it, in sentences.
    pub notes: Vec<String>,
}

impl Run {
    /// Computes the profile likelihood of a constant of a run of weak-constraint training or of the homotopy that sets itself. The
    /// constant is held at values around its estimate; all other parameters and states are fitted again by the same Gauss-Newton
    /// steps, each from the fit at the neighbouring value. The noise stays as it was estimated, known priors are part of it.
    ///
    /// # Errors
    /// A run of another method or one that was interrupted, a name that no trained constant has, too few values, a constant without
    /// a standard error, or an interrupt.
    pub fn profile(&self, name: &str, options: &ProfileOptions) -> Result<Profile> {
        options.check_ranges()?;
        if options.points < MIN_POINTS {
            return Err(Error::invalid(format!(
                "a profile of {} values shows no curve; give points: {MIN_POINTS} or more",
                options.points
            )));
        }
        let (state, settings) = self.weak_constraint_state()?;
        let constants = self.trust()?.constants;
        let Some(i) = constants.names.iter().position(|known| known == name) else {
            let known = constants.names.iter().map(String::as_str);
            return Err(unknown("trained constant", name, known));
        };
        let (estimate, error) = (constants.values[i], constants.errors[i]);
        if !(error > 0.0 && error.is_finite()) {
            return Err(Error::invalid(format!(
                "\"{name}\" has the standard error {error}, which says not how far to look; train it with data that depend on it, or \
                 give it a prior"
            )));
        }
        let bounds = self.bounds_of(name);
        let reach = options.width * error;
        let values = grid(estimate, reach, bounds, options.points);
        let solver = SolveOptions {
            interrupt: Some(options.interrupt.clone()),
            ..self.solver.clone()
        };
        let place = state.constant_places()[i];
        let grid = state.profile(&self.model, settings, &solver, place, &values)?;
        Ok(Profile::new(name, error, bounds, reach, grid))
    }

    fn bounds_of(&self, name: &str) -> [Option<f64>; 2] {
        let spec = self.model.specs().find(|(known, ..)| *known == name);
        spec.map_or([None; 2], |(_, _, spec)| spec.bounds().into())
    }
}

/// Returns equally spaced values around an estimate, between bounds.
fn grid(estimate: f64, reach: f64, [min, max]: [Option<f64>; 2], points: usize) -> Vec<f64> {
    let inside = |bound: f64| bound + NEAR_BOUND * (estimate - bound);
    let first = min.map_or(estimate - reach, |min| (estimate - reach).max(inside(min)));
    let last = max.map_or(estimate + reach, |max| (estimate + reach).min(inside(max)));
    let step = (last - first) / (points - 1) as f64;
    (0..points).map(|i| first + step * i as f64).collect()
}

impl Profile {
    fn new(
        name: &str,
        error: f64,
        bounds: [Option<f64>; 2],
        reach: f64,
        grid: ProfileGrid,
    ) -> Self {
        let least = grid.costs.iter().copied().fold(grid.least_cost, f64::min);
        let chi2: Vec<f64> = grid.costs.iter().map(|cost| cost - least).collect();
        // Where a value of the grid lies lower than the fit of all, the minimum is there.
        let lowest = (grid.values.iter().zip(&grid.costs)).find(|(_, cost)| **cost == least);
        let estimate = match grid.least_cost <= least {
            true => grid.best,
            false => lowest.map_or(grid.best, |(value, _)| *value),
        };
        let pairs = || grid.values.iter().copied().zip(chi2.iter().copied());
        let below: Vec<(f64, f64)> = pairs()
            .rev()
            .filter(|(value, _)| *value < estimate)
            .collect();
        let above: Vec<(f64, f64)> = pairs().filter(|(value, _)| *value > estimate).collect();
        let interval = |rise: f64| {
            [
                crossing(estimate, &below, rise),
                crossing(estimate, &above, rise),
            ]
        };
        let [mut interval_68, mut interval_95] = RISES.map(interval);
        let mut notes = vec![];
        for (side, (points, word)) in [(&below, "below"), (&above, "above")]
            .into_iter()
            .enumerate()
        {
            if interval_95[side].is_some() {
                continue;
            }
            let is_at_bound = bounds[side].is_some_and(|bound| (estimate - bound).abs() <= reach);
            let failed = points.iter().any(|(_, rise)| rise.is_nan());
            if is_at_bound && !failed {
                let bound = bounds[side];
                interval_68[side] = interval_68[side].or(bound);
                interval_95[side] = bound;
                notes.push(format!(
                    "the data allow {name} up to its bound {}",
                    bound.unwrap_or(f64::NAN)
                ));
                continue;
            }
            let highest = points.iter().map(|(_, rise)| *rise).fold(0.0, f64::max);
            notes.push(match failed {
                true => format!(
                    "the interval of {name} is open {word}: the model cannot be solved at values further out"
                ),
                false => format!(
                    "the interval of {name} is open {word}: within {reach:.3} of {estimate:.4} χ² rises by {highest:.2} only, not by \
                     3.84, so the data do not bound it there; a larger width shows whether they do further out"
                ),
            });
        }
        Profile {
            name: name.into(),
            values: grid.values,
            chi2,
            estimate,
            error,
            interval_68,
            interval_95,
            notes,
        }
    }
}

/// Returns where χ² has risen so far, on a side of the estimate whose points are given outwards; the root of the rise is interpolated,
/// which for a parabola is a straight line. `None` where it has not, or the model cannot be solved before.
fn crossing(estimate: f64, points: &[(f64, f64)], rise: f64) -> Option<f64> {
    let (mut value, mut root) = (estimate, 0.0);
    for (next, chi2) in points {
        if chi2.is_nan() {
            return None;
        }
        let next_root = chi2.max(0.0).sqrt();
        if *chi2 >= rise {
            let share = (rise.sqrt() - root) / (next_root - root);
            return Some(value + share * (next - value));
        }
        (value, root) = (*next, next_root);
    }
    None
}
