//! The linearised problem as a Kalman model: a filter forwards over the nodes.
//!
//! Given a change δ of the parameters, the changes ds_k of the states obey ds_{k+1} = A_k ds_k + B_k δ − e_k + q ε, and the data
//! say y_k − s_k = ds_k + σ ε. The filter carries the mean of ds_k as an affine function of δ and takes one scalar datum at a time,
//! so that a missing one is left out. It gives whitened innovations ν − X δ, from which a ridge problem finds δ; the
//! [smoother](super::smoother) then gives ds_k. The closed loop A − g H A is stable where A is not, so q = 0 and chaotic dynamics are
//! no trouble.
//!
//! Source: G. J. Bierman, *Factorization Methods for Discrete Sequential Estimation* (1977), chapter II.

use std::ops::Range;

use rayon::prelude::*;

use super::nodes::Nodes;
use super::residual_loss::ResidualLoss;
use super::ridge::Ridge;

/// Standard deviation of the prior of an initial state that is not given, in standardised units.
pub(super) const INITIAL_SD: f64 = 10.0;

/// Derivatives of the flow from each node to the next, in standardised units.
#[derive(Debug, Clone)]
pub(super) struct Linearization {
    /// ∂F_k/∂s_k, `[dof, dof]` row by row, for each node but the last; empty where a trajectory ends.
    pub a: Vec<Vec<f64>>,
    /// ∂F_k/∂w, `[dof, P]` row by row; empty where a trajectory ends.
    pub b: Vec<Vec<f64>>,
}

/// The weights of a cost: model error, noise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights<'a> {
    /// Standard deviation q of the model's error in an interval.
    pub q: f64,
    /// Standard deviation σ of the noise of each state variable, `[dof]`.
    pub sigma: &'a [f64],
    /// Whether a datum counts with what it tells on average, for standard deviations and evidence, or with its weight in the next
    /// step. These differ for Student's t.
    pub by_information: bool,
}

impl Weights<'_> {
    /// Returns the variance of a datum of component j with the residual r in units of σ: σ² over its weight in least squares.
    fn variance(&self, nodes: &Nodes, j: usize, r: f64) -> f64 {
        let variance = self.sigma[j] * self.sigma[j];
        if nodes.loss == ResidualLoss::Gaussian {
            return variance;
        }
        let weight = nodes.loss.weight(r);
        match self.by_information {
            true => variance / (weight * nodes.loss.information()),
            false => variance / weight,
        }
    }
}

/// The filter's results that the smoother needs.
pub(super) struct Filtered {
    pub n_params: usize,
    /// Mean before the data of a node at δ = 0, `[node, dof]`.
    pub mean: Vec<f64>,
    /// Derivative ∂mean/∂δ before the data of a node.
    pub slopes: Vec<SlopePanel>,
    /// Covariance before the data of a node, `[node, dof, dof]`.
    pub covariance: Vec<f64>,
    /// Variance S of each innovation, in the order of the data.
    pub innovation_variance: Vec<f64>,
    /// Gain g of each datum, `[datum, dof]`.
    pub gain: Vec<f64>,
    /// Log density of the data at these states by their loss, over that by normal distributions of the variances here, but for half
    /// their difference in cost.
    pub log_density_ratio: f64,
    /// The ridge problem in δ.
    pub ridge: Ridge,
}

/// Number of parameters whose columns of the filter are computed together: all they need then lies in the fastest memory.
const PANEL: usize = 128;

/// Derivatives of the filter's means with respect to some of the parameters.
pub(super) struct SlopePanel {
    /// The parameters.
    pub params: Range<usize>,
    /// Derivative before the data of a node, `[node, dof, len]` for the `len` parameters.
    pub slopes: Vec<f64>,
}

/// Runs the filter at the states `s`, `[node, dof]`, with the defects `e`, `[node, dof]` (that of the interval from node k is at
/// k + 1).
pub(super) fn filter(
    nodes: &Nodes,
    linearization: &Linearization,
    (s, e): (&[f64], &[f64]),
    weights: Weights,
    n_params: usize,
) -> Filtered {
    let (dof, n) = (nodes.dof, nodes.n_data());
    let mut mean = vec![0.0; nodes.len() * dof];
    let mut covariance = Vec::with_capacity(nodes.len() * dof * dof);
    let mut nu = Vec::with_capacity(n);
    let mut innovation_variance = Vec::with_capacity(n);
    let mut gain = Vec::with_capacity(n * dof);
    let mut log_density_ratio = 0.0;
    // Mean and covariance after the data of the node before.
    let mut m = vec![0.0; dof];
    let mut p = vec![0.0; dof * dof];
    let mut scratch = vec![0.0; dof * dof];
    for k in 0..nodes.len() {
        let here = &mut mean[k * dof..(k + 1) * dof];
        if nodes.first[k] {
            p.fill(0.0);
            if !nodes.fixed[k] {
                for j in 0..dof {
                    here[j] = -s[k * dof + j];
                    p[j * dof + j] = INITIAL_SD * INITIAL_SD;
                }
            }
        } else {
            let a = &linearization.a[k - 1];
            for i in 0..dof {
                here[i] = -e[k * dof + i];
                for j in 0..dof {
                    here[i] += a[i * dof + j] * m[j];
                }
            }
            propagate(a, &mut p, &mut scratch, dof);
            for j in 0..dof {
                p[j * dof + j] += weights.q * weights.q;
            }
        }
        covariance.extend_from_slice(&p);
        m.copy_from_slice(here);
        for j in 0..dof {
            let y = nodes.y[k * dof + j];
            if y.is_nan() {
                continue;
            }
            let r = (y - s[k * dof + j]) / weights.sigma[j];
            let variance = weights.variance(nodes, j, r);
            if nodes.loss != ResidualLoss::Gaussian {
                let sd = weights.sigma[j];
                log_density_ratio += nodes.loss.log_height() + 0.5 * (variance / (sd * sd)).ln();
            }
            let s_j = p[j * dof + j] + variance;
            let innovation = y - s[k * dof + j] - m[j];
            let g: Vec<f64> = (0..dof).map(|i| p[i * dof + j] / s_j).collect();
            add_scaled(innovation, &g, &mut m);
            update_covariance(&mut p, &g, j, variance);
            nu.push(innovation / s_j.sqrt());
            innovation_variance.push(s_j);
            gain.extend(g);
        }
    }
    let gains = (&gain[..], &innovation_variance[..]);
    let starts: Vec<usize> = (0..n_params).step_by(PANEL).collect();
    let (slopes, x): (Vec<SlopePanel>, Vec<Vec<f64>>) = starts
        .into_par_iter()
        .map(|start| {
            let params = start..(start + PANEL).min(n_params);
            filter_panel(nodes, linearization, gains, params)
        })
        .unzip();
    let x = side_by_side(x, n, n_params);
    Filtered {
        n_params,
        mean,
        slopes,
        covariance,
        innovation_variance,
        gain,
        log_density_ratio,
        ridge: Ridge::new(x, nu),
    }
}

/// Computes ∂mean/∂δ and X, `[datum, len]`, for some of the parameters.
fn filter_panel(
    nodes: &Nodes,
    linearization: &Linearization,
    (gain, innovation_variance): (&[f64], &[f64]),
    params: Range<usize>,
) -> (SlopePanel, Vec<f64>) {
    let (dof, width) = (nodes.dof, params.len());
    let mut slopes = Vec::with_capacity(nodes.len() * dof * width);
    let mut x = Vec::with_capacity(innovation_variance.len() * width);
    // Columns after the data of the node before, and those of this node.
    let (mut before, mut m) = (vec![0.0; dof * width], vec![0.0; dof * width]);
    let mut row_j = vec![0.0; width];
    let mut data = gain.chunks_exact(dof).zip(innovation_variance);
    for k in 0..nodes.len() {
        std::mem::swap(&mut before, &mut m);
        if nodes.first[k] {
            m.fill(0.0);
        } else {
            let (a, b) = (&linearization.a[k - 1], &linearization.b[k - 1]);
            let rows = b.chunks_exact(b.len() / dof);
            for ((i, row), b) in m.chunks_exact_mut(width).enumerate().zip(rows) {
                row.copy_from_slice(&b[params.clone()]);
                for (a, before) in a[i * dof..].iter().zip(before.chunks_exact(width)) {
                    add_scaled(*a, before, row);
                }
            }
        }
        slopes.extend_from_slice(&m);
        let measured = (0..dof).filter(|j| !nodes.y[k * dof + j].is_nan());
        for (j, (g, variance)) in measured.zip(&mut data) {
            row_j.copy_from_slice(&m[j * width..(j + 1) * width]);
            for (g, row) in g.iter().zip(m.chunks_exact_mut(width)) {
                add_scaled(-g, &row_j, row);
            }
            let by_sd = 1.0 / variance.sqrt();
            x.extend(row_j.iter().map(|m| m * by_sd));
        }
    }
    (SlopePanel { params, slopes }, x)
}

/// Returns matrices of `n` rows, side by side, as one of `n_columns` columns, row by row.
pub(super) fn side_by_side(mut parts: Vec<Vec<f64>>, n: usize, n_columns: usize) -> Vec<f64> {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let mut all = vec![0.0; n * n_columns];
    let rows = all.par_chunks_mut(n_columns.max(1)).enumerate();
    rows.for_each(|(i, row)| {
        let mut row = row;
        for part in &parts {
            let width = part.len() / n;
            let (to, rest) = row.split_at_mut(width);
            to.copy_from_slice(&part[i * width..(i + 1) * width]);
            row = rest;
        }
    });
    all
}

/// Adds `by` × `from` to `to`.
pub(super) fn add_scaled(by: f64, from: &[f64], to: &mut [f64]) {
    if by != 0.0 {
        for (to, from) in to.iter_mut().zip(from) {
            *to += by * from;
        }
    }
}

/// Replaces P by A P Aᵀ.
pub(super) fn propagate(a: &[f64], p: &mut [f64], scratch: &mut [f64], dof: usize) {
    for i in 0..dof {
        for j in 0..dof {
            scratch[i * dof + j] = (0..dof).map(|l| a[i * dof + l] * p[l * dof + j]).sum();
        }
    }
    for i in 0..dof {
        for j in 0..dof {
            p[i * dof + j] = (0..dof)
                .map(|l| scratch[i * dof + l] * a[j * dof + l])
                .sum();
        }
    }
}

/// Replaces P by (I − g e_jᵀ) P (I − g e_jᵀ)ᵀ + σ² g gᵀ, which stays symmetric and positive.
fn update_covariance(p: &mut [f64], g: &[f64], j: usize, variance: f64) {
    let dof = g.len();
    let column: Vec<f64> = (0..dof).map(|i| p[i * dof + j]).collect();
    let row: Vec<f64> = p[j * dof..(j + 1) * dof].to_vec();
    let spread = row[j] + variance;
    for i in 0..dof {
        for l in 0..dof {
            p[i * dof + l] += g[i] * g[l] * spread - g[i] * row[l] - column[i] * g[l];
        }
    }
}
