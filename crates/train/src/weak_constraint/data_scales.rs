//! The scales of data: mean and spread of each state variable, and the curves through the data.

use ndarray::Array2;

use odesync_ode::field::VectorField;
use odesync_ode::field::native::Evaluator;

use super::nodes::SampleData;
use super::residual_loss::ResidualLoss;
use super::robust_smoothing::{drawn_to_curves, fit_robustly};
use super::standardization::Standardization;
use super::state_curve::StateCurve;
use crate::datasets::Dataset;
use crate::observation::Observation;
use crate::smoothing::ComponentSpline;
use crate::{Error, Result};

/// Smallest standard deviation of the noise, in units of the data's spread.
pub(super) const MIN_SIGMA: f64 = 1e-4;

/// Scales of data, and the curves of the state through them.
pub(super) struct DataScales {
    /// The data of each sample in the model's state variables.
    pub samples: Vec<SampleData>,
    /// State variables of the data's columns.
    pub columns: Vec<usize>,
    /// Mean and spread of each state variable.
    pub scaling: Standardization,
    /// Curves of the standardised state.
    pub curve: StateCurve,
    /// Standard deviation of the noise that the curves leave, `[dof]`; 1 for a state variable without data.
    pub sigma: Vec<f64>,
    /// Degrees of freedom of the curves, `[dof]`.
    pub freedom: Vec<f64>,
    /// Whether the curve of each state variable is known: measured, or the derivative of one that is.
    pub has_guess: bool,
}

impl DataScales {
    /// Finds the scales of data; outliers do not count where the loss bears them.
    ///
    /// # Errors
    /// Data that do not fit the model, or too few of a state variable.
    pub fn new(
        model: &VectorField,
        data: &Dataset,
        observation: &Observation,
        loss: ResidualLoss,
    ) -> Result<Self> {
        let dof = model.dof();
        let columns = observation.resolve_columns(dof, data)?;
        let samples = sample_data(dof, &columns, data, observation)?;
        let observed: Vec<bool> = (0..dof).map(|j| columns.contains(&j)).collect();

        let mut scaling = match loss {
            ResidualLoss::Gaussian => scale_of_data(&samples, &observed)?,
            loss => scale_of_data(&drawn_to_curves(&samples, dof, &columns, loss)?, &observed)?,
        };
        let mut sigma = vec![1.0; dof];
        let mut freedom = vec![0.0; dof];
        let mut curves: Vec<Option<ComponentSpline>> = vec![None; dof];
        for &j in &columns {
            let standard = samples.iter().map(|s| {
                let values = s.y.iter().skip(j).step_by(dof);
                let z = values.map(|y| scaling.to_standard(j, *y));
                (s.t.clone(), z.collect())
            });
            let (curve, found) = fit_robustly(&standard.collect(), loss)?;
            sigma[j] = found.variance.sqrt().max(MIN_SIGMA);
            freedom[j] = found.degrees_of_freedom;
            curves[j] = Some(curve);
        }
        let mut has_guess = true;
        for (j, guess) in guesses(model, &observed, observation, &samples) {
            has_guess &= matches!(guess, Guess::DerivativeOf(_));
            if let Guess::DerivativeOf(i) = guess {
                freedom[j] = freedom[i];
            }
            let curve = guessed_curve(guess, j, &samples, &curves, &mut scaling)?;
            curves[j] = Some(curve);
        }
        let curve = StateCurve {
            components: curves.into_iter().flatten().collect(),
        };
        Ok(DataScales {
            samples,
            columns,
            scaling,
            curve,
            sigma,
            freedom,
            has_guess,
        })
    }
}

/// How the curve of a state variable without data is guessed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Guess {
    /// It is the derivative of this other state variable.
    DerivativeOf(usize),
    /// It is constant.
    Constant(f64),
}

/// Returns the data of each sample in the model's state variables. An initial state that is the data's first row is unknown, as are
/// those that are trained; another one is known.
fn sample_data(
    dof: usize,
    columns: &[usize],
    data: &Dataset,
    observation: &Observation,
) -> Result<Vec<SampleData>> {
    let mut samples = vec![];
    let given = observation.given_states(dof, data.samples())?;
    for (sample, ((t, u), given)) in data.trajectories().zip(given.outer_iter()).enumerate() {
        let first = data.u0().row(sample).to_owned();
        let mut y = vec![f64::NAN; t.len() * dof];
        for (row, values) in u.outer_iter().enumerate() {
            for (value, column) in values.iter().zip(columns) {
                y[row * dof + column] = *value;
            }
        }
        let mut u0 = given.to_vec();
        let measured_is_first_row = (first.iter().zip(u.row(0))).all(|(a, b)| a == b);
        for (value, column) in first.iter().zip(columns) {
            if u0[*column].is_nan() && !measured_is_first_row {
                u0[*column] = *value;
            }
        }
        let known = !observation.train_u0 && u0.iter().all(|x| x.is_finite());
        samples.push(SampleData {
            t: t.to_vec(),
            y,
            u0: known.then_some(u0),
        });
    }
    Ok(samples)
}

/// Returns mean and standard deviation of the data of each measured state variable; 0 and 1 of the others.
fn scale_of_data(samples: &[SampleData], observed: &[bool]) -> Result<Standardization> {
    let dof = observed.len();
    let mut scaling = Standardization::identity(dof);
    for j in (0..dof).filter(|j| observed[*j]) {
        let values: Vec<f64> = (samples.iter())
            .flat_map(|s| s.y.iter().skip(j).step_by(dof))
            .copied()
            .filter(|y| !y.is_nan())
            .collect();
        if values.len() < 3 {
            return Err(Error::invalid(format!(
                "state variable {j} has {} values: at least three are needed",
                values.len()
            )));
        }
        scaling.mean[j] = values.iter().sum::<f64>() / values.len() as f64;
        scaling.sd[j] = spread(values.iter());
    }
    Ok(scaling)
}

/// Returns the standard deviation of values; a constant has its own size, and zero has 1, so that nothing is divided by zero.
pub(super) fn spread<'a>(values: impl Iterator<Item = &'a f64> + Clone) -> f64 {
    let n = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let sd = variance.sqrt();
    if sd > 1e-12 * mean.abs() {
        sd
    } else if mean != 0.0 {
        mean.abs()
    } else {
        1.0
    }
}

/// Returns the guess of each state variable without data, those that others need first.
fn guesses(
    model: &VectorField,
    observed: &[bool],
    observation: &Observation,
    samples: &[SampleData],
) -> Vec<(usize, Guess)> {
    let dof = observed.len();
    let mut known = observed.to_vec();
    let mut found = vec![];
    // A chain of derivatives, x, x′, x″, is found link by link.
    for _ in 0..dof {
        for j in 0..dof {
            if known[j] {
                continue;
            }
            let Some(i) = (0..dof).find(|i| known[*i] && is_derivative(model, *i, j, samples))
            else {
                continue;
            };
            known[j] = true;
            found.push((j, Guess::DerivativeOf(i)));
        }
    }
    for j in (0..dof).filter(|j| !known[*j]) {
        let given = observation.u0.as_ref().map(|u0| u0[[0, j]]);
        let value = given.filter(|x| x.is_finite()).unwrap_or(0.0);
        found.push((j, Guess::Constant(value)));
    }
    found
}

/// Whether equation i is du_i/dt = u_j, by its values at a few states.
fn is_derivative(model: &VectorField, i: usize, j: usize, samples: &[SampleData]) -> bool {
    let evaluator = Evaluator::new(model);
    let dof = model.dof();
    let (mut slot, mut out) = (vec![0.0; evaluator.slot_len()], vec![0.0; dof]);
    let t = samples
        .first()
        .and_then(|s| s.t.first())
        .copied()
        .unwrap_or(0.0);
    (0..4).all(|trial| {
        let u: Vec<f64> = (0..dof)
            .map(|k| ((trial * 7 + k * 3 + 1) as f64 * 0.7).sin() + 0.3 * k as f64)
            .collect();
        evaluator.eval(0, t, &u, &mut slot, &mut out);
        out[i] == u[j]
    })
}

/// Makes the curve of a state variable without data, and sets its scale.
fn guessed_curve(
    guess: Guess,
    j: usize,
    samples: &[SampleData],
    curves: &[Option<ComponentSpline>],
    scaling: &mut Standardization,
) -> Result<ComponentSpline> {
    match guess {
        Guess::Constant(value) => {
            let others = scaling.sd.clone();
            let largest = others.iter().copied().fold(0.0, f64::max);
            scaling.mean[j] = value;
            scaling.sd[j] = if value != 0.0 { value.abs() } else { largest };
            let empty: Vec<_> = samples.iter().map(|_| (vec![], vec![])).collect();
            ComponentSpline::with_smoothing(&empty, 0.0, 0.0)
        }
        Guess::DerivativeOf(i) => {
            let Some(curve) = &curves[i] else {
                return Err(Error::invalid(
                    "a guess depends on one that is not made yet",
                ));
            };
            let values: Vec<Vec<f64>> = (samples.iter().enumerate())
                .map(|(sample, s)| {
                    let slope = |t: &f64| curve.derivative(sample, *t) * scaling.sd[i];
                    s.t.iter().map(slope).collect()
                })
                .collect();
            let all: Vec<f64> = values.iter().flatten().copied().collect();
            scaling.mean[j] = all.iter().sum::<f64>() / all.len() as f64;
            scaling.sd[j] = spread(all.iter());
            let standard: Vec<_> = (samples.iter().zip(values))
                .map(|(s, v)| {
                    let z = v.iter().map(|v| scaling.to_standard(j, *v));
                    (s.t.clone(), z.collect())
                })
                .collect();
            ComponentSpline::with_smoothing(&standard, 0.0, 0.0)
        }
    }
}

/// Returns `n` equally spaced times over the span of a sample.
pub(super) fn equally_spaced(t: &[f64], n: usize) -> Vec<f64> {
    let (first, last) = (t[0], t[t.len() - 1]);
    let at = |i: usize| first + (last - first) * i as f64 / (n - 1) as f64;
    (0..n).map(at).collect()
}

pub(super) type MatchingPoints = (Vec<(usize, f64, Vec<f64>)>, Array2<f64>);

/// Returns the points of gradient matching, twice as many as data, and dz/dt of the splines there.
pub(super) fn matching_points(
    samples: &[SampleData],
    curve: &StateCurve,
    scaling: &Standardization,
) -> MatchingPoints {
    let dof = scaling.mean.len();
    let (mut points, mut dz) = (vec![], vec![]);
    for (sample, data) in samples.iter().enumerate() {
        let times = equally_spaced(&data.t, 2 * data.t.len() - 1);
        let (values, slopes) = (
            curve.values(sample, &times),
            curve.derivatives(sample, &times),
        );
        for (t, z) in times.iter().zip(values.outer_iter()) {
            points.push((sample, *t, scaling.all_to_user(&z.to_vec())));
        }
        dz.extend(slopes.iter().copied());
    }
    let n = points.len();
    let dz = Array2::from_shape_vec((n, dof), dz).unwrap_or_else(|_| Array2::zeros((n, dof)));
    (points, dz)
}
