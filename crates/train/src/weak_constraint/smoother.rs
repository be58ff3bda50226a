//! The smoother: backwards over the nodes, after the [filter](super::kalman).
//!
//! In the form of Bryson and Frazier it divides by scalars only and inverts no matrix, so q = 0 is no trouble.
//!
//! Source: A. E. Bryson, M. Frazier, *Smoothing for linear and nonlinear dynamic systems* (1963); G. J. Bierman, *Factorization
//! Methods for Discrete Sequential Estimation* (1977), chapter X.

use faer::MatRef;

use super::kalman::{Filtered, add_scaled, propagate};
use super::nodes::Nodes;
use super::ridge::product;

impl Filtered {
    /// Returns the changes of the states for a change δ of the parameters, `[node, dof]`.
    pub fn smooth(&self, nodes: &Nodes, a: &[Vec<f64>], delta: &[f64]) -> Vec<f64> {
        let dof = nodes.dof;
        let residual = self.ridge.residual(delta);
        let mut datum = residual.len();
        let slopes = MatRef::from_row_major_slice(&self.slopes, self.mean.len(), self.n_params);
        let mut change = product(slopes, delta);
        add_scaled(1.0, &self.mean, &mut change);
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
        let (dof, n_params) = (nodes.dof, self.n_params);
        let mut slopes = self.slopes.clone();
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
                let to = &mut slopes[(k * dof + i) * n_params..(k * dof + i + 1) * n_params];
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

/// Returns Aᵀ v.
fn transpose_times(a: &[f64], v: &[f64]) -> Vec<f64> {
    let dof = v.len();
    (0..dof)
        .map(|j| (0..dof).map(|i| a[i * dof + j] * v[i]).sum())
        .collect()
}
