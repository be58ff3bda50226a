//! The smoother: backwards over the nodes, after the [filter](super::kalman).
//!
//! In the form of Bryson and Frazier it divides by scalars only and inverts no matrix, so q = 0 is no trouble.
//!
//! Source: A. E. Bryson, M. Frazier, *Smoothing for linear and nonlinear dynamic systems* (1963); G. J. Bierman, *Factorization
//! Methods for Discrete Sequential Estimation* (1977), chapter X.

use faer::MatRef;
use rayon::prelude::*;

use super::kalman::{Filtered, SlopePanel, add_scaled, propagate, side_by_side};
use super::nodes::Nodes;
use super::ridge::product;

impl Filtered {
    /// Returns the changes of the states for a change δ of the parameters, `[node, dof]`.
    pub fn smooth(&self, nodes: &Nodes, a: &[Vec<f64>], delta: &[f64]) -> Vec<f64> {
        let dof = nodes.dof;
        let residual = self.ridge.residual(delta);
        let mut datum = residual.len();
        let mut change = self.mean.clone();
        for SlopePanel { params, slopes } in &self.slopes {
            let slopes = MatRef::from_row_major_slice(slopes, change.len(), params.len());
            let by_params = product(slopes, &delta[params.clone()]);
            add_scaled(1.0, &by_params, &mut change);
        }
        let mut lambda = vec![0.0; dof];
        for k in (0..nodes.len()).rev() {
            for j in nodes.observed_at(k).rev() {
                datum -= 1;
                let g = &self.gain[datum * dof..(datum + 1) * dof];
                let along: f64 = g.iter().zip(&lambda).map(|(g, l)| g * l).sum();
                lambda[j] += residual[datum] / self.innovation_variance[datum].sqrt() - along;
            }
            let p = &self.covariance[k * dof * dof..(k + 1) * dof * dof];
            for i in 0..dof {
                let by_data: f64 = (0..dof).map(|j| p[i * dof + j] * lambda[j]).sum();
                change[k * dof + i] += by_data;
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
        let smoothed = self.slopes.par_iter();
        let parts = smoothed.map(|panel| self.smooth_panel(nodes, a, panel));
        let slopes = side_by_side(parts.collect(), self.mean.len(), self.n_params);
        (slopes, self.smooth_covariance(nodes, a))
    }

    /// Returns the derivatives of the smoothed states with respect to the parameters of a panel, `[node, dof, len]`.
    fn smooth_panel(&self, nodes: &Nodes, a: &[Vec<f64>], panel: &SlopePanel) -> Vec<f64> {
        let (dof, width) = (nodes.dof, panel.params.len());
        let mut slopes = panel.slopes.clone();
        let mut lambda = vec![0.0; dof * width];
        let mut before = vec![0.0; dof * width];
        let mut along = vec![0.0; width];
        let mut datum = self.innovation_variance.len();
        for k in (0..nodes.len()).rev() {
            for j in nodes.observed_at(k).rev() {
                datum -= 1;
                let g = &self.gain[datum * dof..(datum + 1) * dof];
                along.fill(0.0);
                for (g, row) in g.iter().zip(lambda.chunks_exact(width)) {
                    add_scaled(*g, row, &mut along);
                }
                let row = &mut lambda[j * width..(j + 1) * width];
                let x = &self.ridge.row(datum)[panel.params.clone()];
                let sd = self.innovation_variance[datum].sqrt();
                for ((l, x), along) in row.iter_mut().zip(x).zip(&along) {
                    *l -= x / sd + along;
                }
            }
            let p = &self.covariance[k * dof * dof..(k + 1) * dof * dof];
            let here = &mut slopes[k * dof * width..(k + 1) * dof * width];
            for (i, to) in here.chunks_exact_mut(width).enumerate() {
                for (by, row) in p[i * dof..].iter().zip(lambda.chunks_exact(width)) {
                    add_scaled(*by, row, to);
                }
            }
            before.fill(0.0);
            if !nodes.first[k] {
                for (i, row) in lambda.chunks_exact(width).enumerate() {
                    let a = &a[k - 1][i * dof..(i + 1) * dof];
                    for (a, to) in a.iter().zip(before.chunks_exact_mut(width)) {
                        add_scaled(*a, row, to);
                    }
                }
            }
            std::mem::swap(&mut lambda, &mut before);
        }
        slopes
    }

    /// Returns the covariance of the smoothed states for given parameters, `[node, dof, dof]`.
    fn smooth_covariance(&self, nodes: &Nodes, a: &[Vec<f64>]) -> Vec<f64> {
        let dof = nodes.dof;
        let mut covariance = vec![0.0; nodes.len() * dof * dof];
        let mut information = vec![0.0; dof * dof];
        let mut scratch = vec![0.0; dof * dof];
        let mut transposed = vec![0.0; dof * dof];
        let mut datum = self.innovation_variance.len();
        for k in (0..nodes.len()).rev() {
            for j in nodes.observed_at(k).rev() {
                datum -= 1;
                let g = &self.gain[datum * dof..(datum + 1) * dof];
                // (I − g e_jᵀ)ᵀ Λ (I − g e_jᵀ) + e_j e_jᵀ/S.
                let lambda_g: Vec<f64> = (0..dof)
                    .map(|i| (0..dof).map(|l| information[i * dof + l] * g[l]).sum())
                    .collect();
                let both: f64 = g.iter().zip(&lambda_g).map(|(g, l)| g * l).sum();
                for i in 0..dof {
                    information[i * dof + j] -= lambda_g[i];
                    information[j * dof + i] -= lambda_g[i];
                }
                information[j * dof + j] += both + 1.0 / self.innovation_variance[datum];
            }
            let p = &self.covariance[k * dof * dof..(k + 1) * dof * dof];
            let here = &mut covariance[k * dof * dof..(k + 1) * dof * dof];
            here.copy_from_slice(&information);
            propagate(p, here, &mut scratch, dof);
            for (to, p) in here.iter_mut().zip(p) {
                *to = p - *to;
            }
            if nodes.first[k] {
                information.fill(0.0);
            } else {
                for i in 0..dof {
                    for j in 0..dof {
                        transposed[j * dof + i] = a[k - 1][i * dof + j];
                    }
                }
                propagate(&transposed, &mut information, &mut scratch, dof);
            }
        }
        covariance
    }
}

/// Returns Aᵀ v.
fn transpose_times(a: &[f64], v: &[f64]) -> Vec<f64> {
    let dof = v.len();
    (0..dof)
        .map(|j| (0..dof).map(|i| a[i * dof + j] * v[i]).sum())
        .collect()
}
