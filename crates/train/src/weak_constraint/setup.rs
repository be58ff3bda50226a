//! What weak-constraint training begins with: scales, splines of the data, nodes, and first guesses.

use std::sync::Arc;

use ndarray::{Array1, Array2};

use odesync_ode::field::VectorField;
use odesync_ode::field::native::Evaluator;
use odesync_ode::odesolve::SolveOptions;

use super::affine_layers::affine_layers;
use super::flow::Flow;
use super::network_scales;
use super::nodes::{Nodes, SampleData};
use super::noise_level::known_ratios;
use super::parameter_map::{ParameterMap, check_constants};
use super::residual_loss::ResidualLoss;
use super::robust_smoothing::{drawn_to_curves, fit_robustly};
use super::settings::WeakConstraint;
use super::standardization::Standardization;
use super::state_curve::StateCurve;
use crate::datasets::Dataset;
use crate::observation::{Observation, check_data};
use crate::smoothing::{ComponentSpline, SmoothingSpline};
use crate::synchronization::{Coupling, synchronize_observed};
use crate::{Error, Result};

/// Smallest standard deviation of the noise, in units of the data's spread.
pub(super) const MIN_SIGMA: f64 = 1e-4;

/// Coupling K of a homotopy over the rate of change of the data.
const COUPLING_OVER_RATE: f64 = 2.0;

/// The problem of one training, before its first iteration.
pub(super) struct Setup {
    pub nodes: Nodes,
    pub flow: Flow,
    /// First guess of the states at the nodes, `[node, dof]`.
    pub s: Vec<f64>,
    /// First guess of the parameters.
    pub w: Vec<f64>,
    /// First standard deviation of the noise, `[dof]`; 1 for a state variable without data.
    pub sigma: Vec<f64>,
    /// Standard deviation of the noise that the splines left, `[dof]`; 1 for a state variable without data.
    pub sigma_of_splines: Vec<f64>,
    /// The measured state variables.
    pub observed: Vec<usize>,
    /// The splines of the measured state variables, in the user's units.
    pub spline: Arc<SmoothingSpline>,
    /// Rate of change of the standardised data.
    pub rate: f64,
    /// Targets of gradient matching; `None` where a state variable without data has no guess of its curve.
    pub targets: Option<Targets>,
}

impl Setup {
    /// Couples the model to the splines: K is twice the rate of change of the data, so that the coupling is faster than they are.
    pub fn couple(&mut self) -> Result<()> {
        let k = Coupling::Scalar(COUPLING_OVER_RATE * self.rate);
        let (spline, observed) = (self.spline.clone(), self.observed.clone());
        let coupled = synchronize_observed(&self.flow.field, spline, &k, &observed)?;
        self.flow.coupled = Some(coupled);
        Ok(())
    }
}

/// The spline's states and derivatives that gradient matching fits the field to.
pub(super) struct Targets {
    /// Sample, time and state in the user's units of each point.
    pub points: Vec<(usize, f64, Vec<f64>)>,
    /// Derivatives of the standardised state at the points, `[point, dof]`.
    pub dz: Array2<f64>,
    /// Equations that are fitted: those that depend on the parameters.
    pub rows: Vec<usize>,
    /// Scale of the misfit of each of them.
    pub row_scales: Vec<f64>,
    /// Share of the points that count as independent: the degrees of freedom of the splines over the number of points.
    pub independent: f64,
}

/// How the curve of a state variable without data is guessed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Guess {
    /// It is the derivative of this other state variable.
    DerivativeOf(usize),
    /// It is constant.
    Constant(f64),
}

/// Prepares a training.
pub(super) fn prepare(
    model: &VectorField,
    data: &Dataset,
    observation: &Observation,
    settings: &WeakConstraint,
    options: &SolveOptions,
) -> Result<Setup> {
    check_data(model, data)?;
    check_constants(model)?;
    let dof = model.dof();
    let columns = observation.resolve_columns(dof, data)?;
    let samples = sample_data(dof, &columns, data, observation)?;
    let observed: Vec<bool> = (0..dof).map(|j| columns.contains(&j)).collect();

    let loss = settings.noise.residual_loss().at_high_leverage();
    let substeps = settings.substeps;
    let weights = settings.noise.weights_of(data.names())?;
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

    let rate = rate_of_change(&samples, &curve, &observed);
    let nodes = Nodes::new(&samples, &scaling, rate, substeps)?.with_noise(&settings.noise);
    let spline = spline_of_measured(&samples, &curve, &scaling, &columns)?;
    let mut s = vec![];
    for (k, t) in nodes.t.iter().enumerate() {
        let known = samples[nodes.sample[k]]
            .u0
            .as_ref()
            .filter(|_| nodes.fixed[k]);
        match known {
            Some(u0) => s.extend(scaling.all_to_standard(u0)),
            None => s.extend(curve.values(nodes.sample[k], &[*t]).iter()),
        }
    }

    let points = matching_points(&samples, &curve, &scaling);
    let layers = affine_layers(model);
    let (inputs, outputs, residual) =
        network_scales::network_scales(model, &layers, &points.0, &points.1, &scaling)?;
    let map = ParameterMap::new(model, &layers, &inputs, &outputs);
    let w = map.initial(model, &layers);
    let options = nodes.interval_options(substeps, options);
    let scales = scaling.sd.clone();
    let flow = Flow::new(model.clone(), map, scaling, options);
    let rows = equations_with_parameters(&flow, &w, &points.0)?;
    let rows: Vec<usize> = match layers.is_empty() {
        // Known equations: those whose derivatives were measured.
        true => rows.into_iter().filter(|j| observed[*j]).collect(),
        false => rows,
    };
    let row_scales = rows
        .iter()
        .map(|j| spread(residual.column(*j).iter()))
        .collect();
    let n_targets = (rows.len() * points.0.len()) as f64;
    let independent = rows.iter().map(|j| freedom[*j]).sum::<f64>() / n_targets;
    let targets = (has_guess && !rows.is_empty()).then(|| Targets {
        points: points.0,
        dz: points.1,
        rows,
        row_scales,
        independent: independent.min(1.0),
    });
    let first_sigma = match weights {
        Some(weights) => known_ratios(&nodes, &sigma, &scales, &columns, &weights),
        None => sigma.clone(),
    };
    Ok(Setup {
        nodes,
        flow,
        s,
        w,
        sigma: first_sigma,
        sigma_of_splines: sigma,
        observed: columns,
        spline: Arc::new(spline),
        rate,
        targets,
    })
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

/// Returns the splines of the measured state variables as one, in the user's units. A smoothing spline is the natural spline through
/// its own values.
fn spline_of_measured(
    samples: &[SampleData],
    curve: &StateCurve,
    scaling: &Standardization,
    columns: &[usize],
) -> Result<SmoothingSpline> {
    let values: Vec<(Array1<f64>, Array2<f64>)> = (samples.iter().enumerate())
        .map(|(sample, data)| {
            let u = Array2::from_shape_fn((data.t.len(), columns.len()), |(i, c)| {
                let j = columns[c];
                scaling.to_user(j, curve.components[j].value(sample, data.t[i]))
            });
            (Array1::from(data.t.clone()), u)
        })
        .collect();
    let views = values.iter().map(|(t, u)| (t.view(), u.view()));
    SmoothingSpline::ragged(views, 0.0)
}

/// Returns `n` equally spaced times over the span of a sample.
fn equally_spaced(t: &[f64], n: usize) -> Vec<f64> {
    let (first, last) = (t[0], t[t.len() - 1]);
    let at = |i: usize| first + (last - first) * i as f64 / (n - 1) as f64;
    (0..n).map(at).collect()
}

/// Returns the rate of change of the standardised, measured states: the larger of twice its rms and 0.4 of its largest value.
fn rate_of_change(samples: &[SampleData], curve: &StateCurve, observed: &[bool]) -> f64 {
    let dof = observed.len();
    let (mut squares, mut count, mut largest) = (vec![0.0; dof], 0, 0.0_f64);
    for (sample, data) in samples.iter().enumerate() {
        let slopes = curve.derivatives(sample, &equally_spaced(&data.t, 4 * data.t.len() - 3));
        count += slopes.nrows();
        for row in slopes.outer_iter() {
            for j in (0..dof).filter(|j| observed[*j]) {
                squares[j] += row[j] * row[j];
                largest = largest.max(row[j].abs());
            }
        }
    }
    let rms = squares
        .iter()
        .fold(0.0, |m: f64, s| m.max((s / count as f64).sqrt()));
    (2.0 * rms).max(0.4 * largest)
}

type MatchingPoints = (Vec<(usize, f64, Vec<f64>)>, Array2<f64>);

/// Returns the points of gradient matching, twice as many as data, and dz/dt of the splines there.
fn matching_points(
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

/// Returns the equations that depend on a trained parameter at one of the points.
fn equations_with_parameters(
    flow: &Flow,
    w: &[f64],
    points: &[(usize, f64, Vec<f64>)],
) -> Result<Vec<usize>> {
    let model = flow.model(w)?;
    let evaluator = Evaluator::new(&model);
    let dof = model.dof();
    let (mut slot, mut out) = (vec![0.0; evaluator.slot_len()], vec![0.0; dof]);
    let stride = (points.len() / 8).max(1);
    let mut rows = vec![];
    for row in 0..dof {
        let mut bar = vec![0.0; dof];
        bar[row] = 1.0;
        let depends = points.iter().step_by(stride).any(|(sample, t, u)| {
            evaluator.eval_taped(*sample, *t, u, &mut slot, &mut out);
            let mut gradient = evaluator.zero_gradient();
            let place = (*sample, *t);
            evaluator.vjp(place, &slot, &bar, &mut vec![0.0; dof], None, &mut gradient);
            let values = evaluator.parameter_gradient(gradient);
            model.gather(&values).iter().any(|g| *g != 0.0)
        });
        if depends {
            rows.push(row);
        }
    }
    Ok(rows)
}
