//! The scales of the inputs and outputs of the networks in a field.

use nalgebra::{DMatrix, DVector};
use ndarray::Array2;

use odesync_ode::field::native::Evaluator;
use odesync_ode::field::{Op, VectorField};

use super::affine_layers::NetworkLayer;
use super::data_scales::spread;
use super::standardization::Standardization;
use crate::Result;

/// Point of the data: sample, time, state in the user's units.
type Point = (usize, f64, Vec<f64>);

/// Returns the standardisation of the input of each first layer and of the output of each last layer (identity for others), and
/// the part of the derivatives that the networks have to explain, `[point, dof]`, in standardised units.
///
/// The output nn of the networks is taken from du/dt = f(t, u, 0) + ∂f/∂nn nn at the splines' points, by least squares; for a network
/// alone this is du/dt itself, for a gray box what its known part leaves. Where `time` is given, the outputs are those that change
/// the standardised state by 1 in this time.
pub(super) fn network_scales(
    model: &VectorField,
    layers: &[NetworkLayer],
    (points, dz): (&[Point], &Array2<f64>),
    scaling: &Standardization,
    time: Option<f64>,
) -> Result<(Vec<Standardization>, Vec<Standardization>, Array2<f64>)> {
    let inputs = layers
        .iter()
        .map(|layer| input_scale(model, layer, points, scaling))
        .collect();
    let mut outputs: Vec<Standardization> = layers
        .iter()
        .map(|layer| Standardization::identity(layer.widths(model).1))
        .collect();
    let last: Vec<usize> = (0..layers.len()).filter(|i| layers[*i].is_last).collect();
    if last.is_empty() {
        return Ok((inputs, outputs, dz.clone()));
    }
    let dof = model.dof();
    // The field with all last layers at zero, and with one bias of one of them at 1.
    let mut silent = model.values().to_vec();
    for i in &last {
        let (weight, bias) = layers[*i].blocks(model);
        silent[weight.range()].fill(0.0);
        if let Some(bias) = bias {
            silent[bias.range()].fill(0.0);
        }
    }
    let mut biases = vec![];
    for i in &last {
        if let (_, Some(bias)) = layers[*i].blocks(model) {
            biases.extend(bias.range().enumerate().map(|(o, at)| (*i, o, at)));
        }
    }
    let mut evaluator = Evaluator::new(model);
    let (mut slot, mut out) = (vec![0.0; evaluator.slot_len()], vec![0.0; dof]);
    let mut values_of = |values: &[f64]| {
        evaluator.bind(values);
        let mut all = Array2::zeros((points.len(), dof));
        for ((sample, t, u), mut row) in points.iter().zip(all.outer_iter_mut()) {
            evaluator.eval(*sample, *t, u, &mut slot, &mut out);
            for j in 0..dof {
                row[j] = out[j] / scaling.sd[j];
            }
        }
        all
    };
    let known = values_of(&silent);
    let residual = dz - &known;
    let slopes: Vec<Array2<f64>> = biases
        .iter()
        .map(|(_, _, at)| {
            let mut values = silent.clone();
            values[*at] = 1.0;
            values_of(&values) - &known
        })
        .collect();
    if let Some(time) = time {
        for (slope, (layer, o, _)) in slopes.iter().zip(&biases) {
            let largest = |column: ndarray::ArrayView1<f64>| {
                let squares: f64 = column.iter().map(|x| x * x).sum();
                (squares / column.len().max(1) as f64).sqrt()
            };
            let slope = slope.columns().into_iter().map(largest).fold(0.0, f64::max);
            if slope > 0.0 && slope.is_finite() {
                outputs[*layer].sd[*o] = 1.0 / (time * slope);
            }
        }
        return Ok((inputs, outputs, residual));
    }
    let mut wanted = Array2::zeros((points.len(), biases.len()));
    for p in 0..points.len() {
        let matrix = DMatrix::from_fn(dof, biases.len(), |j, o| slopes[o][[p, j]]);
        let right = DVector::from_fn(dof, |j, _| residual[[p, j]]);
        let largest = matrix.amax();
        let solved = matrix.svd(true, true).solve(&right, 1e-9 * largest);
        if let Ok(solved) = solved {
            for o in 0..biases.len() {
                wanted[[p, o]] = solved[o];
            }
        }
    }
    for (column, (layer, o, _)) in biases.iter().enumerate() {
        let values = wanted.column(column);
        // An output that the derivatives do not depend on to first order keeps the scale 1.
        if values.iter().all(|x| x.is_finite()) && values.iter().any(|x| *x != 0.0) {
            outputs[*layer].mean[*o] = values.sum() / values.len() as f64;
            outputs[*layer].sd[*o] = spread(values.iter());
        }
    }
    Ok((inputs, outputs, residual))
}

fn input_scale(
    model: &VectorField,
    layer: &NetworkLayer,
    points: &[Point],
    scaling: &Standardization,
) -> Standardization {
    let n = layer.widths(model).0;
    if !layer.is_first {
        return Standardization::identity(n);
    }
    if matches!(model.nodes()[layer.input.index()], Op::State) {
        return scaling.clone();
    }
    let evaluator = Evaluator::of_node(model, layer.input);
    let (mut slot, mut out) = (vec![0.0; evaluator.slot_len()], vec![0.0; n]);
    let mut columns = vec![Vec::with_capacity(points.len()); n];
    for (sample, t, u) in points {
        evaluator.eval(*sample, *t, u, &mut slot, &mut out);
        for (column, x) in columns.iter_mut().zip(&out) {
            column.push(*x);
        }
    }
    Standardization {
        mean: columns
            .iter()
            .map(|c| c.iter().sum::<f64>() / c.len().max(1) as f64)
            .collect(),
        sd: columns.iter().map(|c| spread(c.iter())).collect(),
    }
}
