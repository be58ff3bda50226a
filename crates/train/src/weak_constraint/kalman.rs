//! The linearised problem as a Kalman model: a filter forwards and a smoother backwards over the nodes.
//!
//! Given a change δ of the parameters, the changes ds_k of the states obey ds_{k+1} = A_k ds_k + B_k δ − e_k + q ε, and the data
//! say y_k − s_k = ds_k + σ ε. The filter carries the mean of ds_k as an affine function of δ, columns [mean | ∂mean/∂δ], and takes
//! one scalar datum at a time, so that a missing one is left out. It gives whitened innovations ν − X δ, from which a ridge problem
//! finds δ; the smoother, in the form of Bryson and Frazier, then gives ds_k. It divides by scalars only and inverts no matrix, so
//! q = 0 and chaotic dynamics are no trouble: the closed loop A − g H A is stable where A is not.
//!
//! Source: G. J. Bierman, *Factorization Methods for Discrete Sequential Estimation* (1977), chapters II and X; A. E. Bryson, M.
//! Frazier, *Smoothing for linear and nonlinear dynamic systems* (1963).

use super::nodes::Nodes;
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
}

/// The filter's results that the smoother needs.
pub(super) struct Filtered {
    n_columns: usize,
    /// Columns [mean | ∂mean/∂δ] before the data of a node, `[node, dof, 1 + P]`.
    columns: Vec<f64>,
    /// Covariance before the data of a node, `[node, dof, dof]`.
    covariance: Vec<f64>,
    /// Variance S of each innovation, in the order of the data.
    pub innovation_variance: Vec<f64>,
    /// Gain g of each datum, `[datum, dof]`.
    gain: Vec<f64>,
    /// The ridge problem in δ.
    pub ridge: Ridge,
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
    let (dof, n_columns, n) = (nodes.dof, 1 + n_params, nodes.n_data());
    let width = dof * n_columns;
    let mut columns = vec![0.0; nodes.len() * width];
    let mut covariance = Vec::with_capacity(nodes.len() * dof * dof);
    let (mut x, mut nu) = (Vec::with_capacity(n * n_params), Vec::with_capacity(n));
    let mut innovation_variance = Vec::with_capacity(n);
    let mut gain = Vec::with_capacity(n * dof);
    // Columns and covariance after the data of the node before.
    let mut m = vec![0.0; width];
    let mut p = vec![0.0; dof * dof];
    let mut scratch = vec![0.0; dof * dof];
    let mut innovation = vec![0.0; n_columns];
    for k in 0..nodes.len() {
        let here = &mut columns[k * width..(k + 1) * width];
        if nodes.first[k] {
            p.fill(0.0);
            if !nodes.fixed[k] {
                for j in 0..dof {
                    here[j * n_columns] = -s[k * dof + j];
                    p[j * dof + j] = INITIAL_SD * INITIAL_SD;
                }
            }
        } else {
            let (a, b) = (&linearization.a[k - 1], &linearization.b[k - 1]);
            for i in 0..dof {
                let row = &mut here[i * n_columns..(i + 1) * n_columns];
                row[0] = -e[k * dof + i];
                row[1..].copy_from_slice(&b[i * n_params..(i + 1) * n_params]);
                for j in 0..dof {
                    add_scaled(a[i * dof + j], &m[j * n_columns..(j + 1) * n_columns], row);
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
            let variance = weights.sigma[j] * weights.sigma[j];
            let s_j = p[j * dof + j] + variance;
            for (v, m) in innovation.iter_mut().zip(&m[j * n_columns..]) {
                *v = -m;
            }
            innovation[0] += y - s[k * dof + j];
            let g: Vec<f64> = (0..dof).map(|i| p[i * dof + j] / s_j).collect();
            for (i, g) in g.iter().enumerate() {
                add_scaled(*g, &innovation, &mut m[i * n_columns..(i + 1) * n_columns]);
            }
            update_covariance(&mut p, &g, j, variance);
            let by_sd = 1.0 / s_j.sqrt();
            nu.push(innovation[0] * by_sd);
            x.extend(innovation[1..].iter().map(|v| -v * by_sd));
            innovation_variance.push(s_j);
            gain.extend(g);
        }
    }
    Filtered {
        n_columns,
        columns,
        covariance,
        innovation_variance,
        gain,
        ridge: Ridge::new(x, nu),
    }
}

impl Filtered {
    /// Returns the changes of the states for a change δ of the parameters, `[node, dof]`.
    pub fn smooth(&self, nodes: &Nodes, a: &[Vec<f64>], delta: &[f64]) -> Vec<f64> {
        let dof = nodes.dof;
        let residual = self.ridge.residual(delta);
        let mut datum = residual.len();
        let mut change = vec![0.0; nodes.len() * dof];
        let mut lambda = vec![0.0; dof];
        for k in (0..nodes.len()).rev() {
            for j in (0..dof).rev() {
                if nodes.y[k * dof + j].is_nan() {
                    continue;
                }
                datum -= 1;
                let g = &self.gain[datum * dof..(datum + 1) * dof];
                let along: f64 = g.iter().zip(&lambda).map(|(g, l)| g * l).sum();
                lambda[j] += residual[datum] / self.innovation_variance[datum].sqrt() - along;
            }
            let p = &self.covariance[k * dof * dof..(k + 1) * dof * dof];
            for i in 0..dof {
                let at = (k * dof + i) * self.n_columns;
                let column = &self.columns[at..at + self.n_columns];
                let mean: f64 = column[1..].iter().zip(delta).map(|(m, d)| m * d).sum();
                let by_data: f64 = (0..dof).map(|j| p[i * dof + j] * lambda[j]).sum();
                change[k * dof + i] = column[0] + mean + by_data;
            }
            lambda = match nodes.first[k] {
                true => vec![0.0; dof],
                false => transpose_times(&a[k - 1], &lambda),
            };
        }
        change
    }

    /// Returns the derivatives of the smoothed states with respect to δ, `[node, dof, P]`, and their covariance for given
    /// parameters, `[node, dof, dof]`.
    pub fn posterior(&self, nodes: &Nodes, a: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
        let (dof, n_params) = (nodes.dof, self.n_columns - 1);
        let mut slopes = vec![0.0; nodes.len() * dof * n_params];
        let mut covariance = vec![0.0; nodes.len() * dof * dof];
        let mut lambda = vec![0.0; dof * n_params];
        let mut information = vec![0.0; dof * dof];
        let mut scratch = vec![0.0; dof * dof];
        let mut datum = self.innovation_variance.len();
        for k in (0..nodes.len()).rev() {
            for j in (0..dof).rev() {
                if nodes.y[k * dof + j].is_nan() {
                    continue;
                }
                datum -= 1;
                let g = &self.gain[datum * dof..(datum + 1) * dof];
                let s = self.innovation_variance[datum];
                let mut along = vec![0.0; n_params];
                for (i, g) in g.iter().enumerate() {
                    add_scaled(*g, &lambda[i * n_params..(i + 1) * n_params], &mut along);
                }
                let row = &mut lambda[j * n_params..(j + 1) * n_params];
                let x = self.ridge.row(datum);
                for ((l, x), along) in row.iter_mut().zip(x).zip(&along) {
                    *l -= x / s.sqrt() + along;
                }
                // (I − g e_jᵀ)ᵀ Λ (I − g e_jᵀ) + e_j e_jᵀ/S.
                let lambda_g: Vec<f64> = (0..dof)
                    .map(|i| (0..dof).map(|l| information[i * dof + l] * g[l]).sum())
                    .collect();
                let both: f64 = g.iter().zip(&lambda_g).map(|(g, l)| g * l).sum();
                for i in 0..dof {
                    information[i * dof + j] -= lambda_g[i];
                    information[j * dof + i] -= lambda_g[i];
                }
                information[j * dof + j] += both + 1.0 / s;
            }
            let p = &self.covariance[k * dof * dof..(k + 1) * dof * dof];
            for i in 0..dof {
                let at = (k * dof + i) * self.n_columns;
                let to = &mut slopes[(k * dof + i) * n_params..(k * dof + i + 1) * n_params];
                to.copy_from_slice(&self.columns[at + 1..at + self.n_columns]);
                for j in 0..dof {
                    let by = p[i * dof + j];
                    add_scaled(by, &lambda[j * n_params..(j + 1) * n_params], to);
                }
            }
            let here = &mut covariance[k * dof * dof..(k + 1) * dof * dof];
            here.copy_from_slice(&information);
            propagate(p, here, &mut scratch, dof);
            for (to, p) in here.iter_mut().zip(p) {
                *to = p - *to;
            }
            if nodes.first[k] {
                lambda.fill(0.0);
                information.fill(0.0);
            } else {
                let a = &a[k - 1];
                let mut before = vec![0.0; dof * n_params];
                let mut transposed = vec![0.0; dof * dof];
                for i in 0..dof {
                    for j in 0..dof {
                        let row = &mut before[j * n_params..(j + 1) * n_params];
                        add_scaled(
                            a[i * dof + j],
                            &lambda[i * n_params..(i + 1) * n_params],
                            row,
                        );
                        transposed[j * dof + i] = a[i * dof + j];
                    }
                }
                lambda = before;
                propagate(&transposed, &mut information, &mut scratch, dof);
            }
        }
        (slopes, covariance)
    }
}

/// Adds `by` × `from` to `to`.
fn add_scaled(by: f64, from: &[f64], to: &mut [f64]) {
    if by != 0.0 {
        for (to, from) in to.iter_mut().zip(from) {
            *to += by * from;
        }
    }
}

/// Replaces P by A P Aᵀ.
fn propagate(a: &[f64], p: &mut [f64], scratch: &mut [f64], dof: usize) {
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

/// Returns Aᵀ v.
fn transpose_times(a: &[f64], v: &[f64]) -> Vec<f64> {
    let dof = v.len();
    (0..dof)
        .map(|j| (0..dof).map(|i| a[i * dof + j] * v[i]).sum())
        .collect()
}
