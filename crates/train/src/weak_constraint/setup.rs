//! What weak-constraint training begins with: scales, splines of the data, nodes, and first guesses.

use std::sync::Arc;

use ndarray::{Array1, Array2};

use odesync_ode::field::VectorField;
use odesync_ode::field::native::Evaluator;
use odesync_ode::odesolve::SolveOptions;

use super::affine_layers::affine_layers;
use super::data_scales::{DataScales, equally_spaced, matching_points, spread};
use super::flow::Flow;
use super::network_scales::network_scales;
use super::nodes::{Nodes, SampleData};
use super::noise_level::known_ratios;
use super::parameter_map::{ParameterMap, check_constants};
use super::settings::WeakConstraint;
use super::standardization::Standardization;
use super::state_curve::StateCurve;
use crate::Result;
use crate::datasets::Dataset;
use crate::observation::{Observation, check_data};
use crate::smoothing::SmoothingSpline;
use crate::synchronization::{Coupling, synchronize_observed};

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
    let loss = settings.noise.residual_loss().at_high_leverage();
    let substeps = settings.substeps;
    let weights = settings.noise.weights_of(data.names())?;
    let DataScales {
        samples,
        columns,
        scaling,
        curve,
        sigma,
        freedom,
        has_guess,
    } = DataScales::new(model, data, observation, loss)?;
    let dof = model.dof();
    let observed: Vec<bool> = (0..dof).map(|j| columns.contains(&j)).collect();

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
        network_scales(model, &layers, (&points.0, &points.1), &scaling, None)?;
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
