//! A linearised problem with made-up numbers, and the same problem as one dense least-squares problem.

use nalgebra::{DMatrix, DVector};

use super::super::kalman::{Filtered, INITIAL_SD, Linearization, Weights, filter};
use super::super::nodes::Nodes;
use odesync_base::random::Generator;

/// The linearisation of a problem of several trajectories at a state and parameters that are no solution of it.
pub struct LinearProblem {
    pub nodes: Nodes,
    pub linearization: Linearization,
    pub s: Vec<f64>,
    pub e: Vec<f64>,
    pub w: Vec<f64>,
    pub sigma: Vec<f64>,
    pub q: f64,
}

impl LinearProblem {
    /// Makes a problem of trajectories of these lengths, of which each is given with whether its initial state is. Every fourth
    /// value is missing.
    pub fn new(dof: usize, n_params: usize, lengths: &[(usize, bool)], q: f64) -> Self {
        let mut generator = Generator::manual_seed(7);
        let mut draw = |n: usize, size: f64| generator.uniform_f64(-size, size, n);
        let mut nodes = Nodes::empty(dof, 1);
        for (sample, (n, is_given)) in lengths.iter().enumerate() {
            for k in 0..*n {
                nodes.t.push(k as f64);
                nodes.first.push(k == 0);
                nodes.fixed.push(k == 0 && *is_given);
                nodes.sample.push(sample);
            }
        }
        let n = nodes.t.len();
        nodes.y = draw(n * dof, 1.0);
        nodes
            .y
            .iter_mut()
            .skip(2)
            .step_by(4)
            .for_each(|y| *y = f64::NAN);
        let (mut a, mut b) = (vec![vec![]; n], vec![vec![]; n]);
        let mut e = vec![0.0; n * dof];
        for k in 1..n {
            if !nodes.first[k] {
                (a[k - 1], b[k - 1]) = (draw(dof * dof, 0.9), draw(dof * n_params, 1.0));
                e[k * dof..(k + 1) * dof].copy_from_slice(&draw(dof, 0.3));
            }
        }
        LinearProblem {
            linearization: Linearization { a, b },
            s: draw(n * dof, 1.0),
            e: if q > 0.0 { e } else { vec![0.0; n * dof] },
            w: draw(n_params, 1.0),
            sigma: (0..dof).map(|j| 0.2 + 0.1 * j as f64).collect(),
            q,
            nodes,
        }
    }

    /// Runs the filter.
    pub fn filtered(&self) -> Filtered {
        let weights = Weights {
            q: self.q,
            sigma: &self.sigma,
            by_information: false,
        };
        let at = (&self.s[..], &self.e[..]);
        filter(&self.nodes, &self.linearization, at, weights, self.w.len())
    }

    /// Returns the changes of the states as an affine function of z = (δ, free initial states, model errors in units of q): the
    /// matrix and the constant.
    fn states(&self) -> (DMatrix<f64>, DVector<f64>) {
        let (dof, p, n) = (self.nodes.dof, self.w.len(), self.nodes.len());
        let mut matrix = DMatrix::zeros(n * dof, p + n * dof);
        let mut constant = DVector::zeros(n * dof);
        for k in 0..n {
            for i in 0..dof {
                let at = k * dof + i;
                if self.nodes.first[k] {
                    if !self.nodes.fixed[k] {
                        matrix[(at, p + at)] = INITIAL_SD;
                        constant[at] = -self.s[at];
                    }
                    continue;
                }
                let (a, b) = (&self.linearization.a[k - 1], &self.linearization.b[k - 1]);
                let mut row = matrix.row(at).clone_owned();
                let mut value = -self.e[at];
                for j in 0..dof {
                    row += matrix.row((k - 1) * dof + j) * a[i * dof + j];
                    value += constant[(k - 1) * dof + j] * a[i * dof + j];
                }
                for j in 0..p {
                    row[j] += b[i * p + j];
                }
                row[p + at] = self.q;
                matrix.set_row(at, &row);
                constant[at] = value;
            }
        }
        (matrix, constant)
    }

    /// Returns the least-squares problem |M z − r|² over z: the data, the priors of everything in z, and the damping.
    fn least_squares(&self, alpha: f64, mu: f64) -> (DMatrix<f64>, DVector<f64>) {
        let (states, constant) = self.states();
        let (p, n_z) = (self.w.len(), states.ncols());
        let mut rows: Vec<DMatrix<f64>> = vec![];
        let mut right = vec![];
        for (i, j, y) in self.nodes.data() {
            rows.push(states.rows(i, 1) / self.sigma[j]);
            right.push((y - self.s[i] - constant[i]) / self.sigma[j]);
        }
        let mut unit = |at: usize, size: f64, value: f64| {
            let mut row = DMatrix::zeros(1, n_z);
            row[at] = size;
            rows.push(row);
            right.push(value);
        };
        for (j, w) in self.w.iter().enumerate() {
            unit(j, alpha.sqrt(), -alpha.sqrt() * w);
            unit(j, (alpha * mu).sqrt(), 0.0);
        }
        for at in p..n_z {
            unit(at, 1.0, 0.0);
        }
        let matrix = DMatrix::from_fn(rows.len(), n_z, |i, j| rows[i][j]);
        (matrix, DVector::from_vec(right))
    }

    /// Returns the step of the parameters and the changes of the states, by a QR decomposition.
    pub fn dense_step(&self, alpha: f64, mu: f64) -> (Vec<f64>, Vec<f64>) {
        let (matrix, right) = self.least_squares(alpha, mu);
        let qr = matrix.qr();
        let z = qr
            .r()
            .solve_upper_triangular(&(qr.q().transpose() * right))
            .unwrap();
        let (states, constant) = self.states();
        let delta = z.rows(0, self.w.len()).iter().copied().collect();
        (delta, (states * z + constant).iter().copied().collect())
    }

    /// Returns the posterior covariance of (δ, changes of the states).
    pub fn dense_covariance(&self, alpha: f64) -> DMatrix<f64> {
        let (matrix, _) = self.least_squares(alpha, 0.0);
        let covariance = (matrix.transpose() * &matrix).try_inverse().unwrap();
        let (states, _) = self.states();
        let (p, n_z) = (self.w.len(), states.ncols());
        let mut all = DMatrix::zeros(p + states.nrows(), n_z);
        all.view_mut((0, 0), (p, p)).fill_with_identity();
        all.view_mut((p, 0), (states.nrows(), n_z))
            .copy_from(&states);
        &all * covariance * all.transpose()
    }

    /// Returns the logarithm of the probability density of the data: a normal distribution, whose covariance follows from the priors
    /// of parameters, initial states and model errors, and the noise.
    pub fn dense_log_density(&self, alpha: f64) -> f64 {
        let (states, constant) = self.states();
        let p = self.w.len();
        let data: Vec<_> = self.nodes.data().collect();
        let n = data.len();
        let slopes = DMatrix::from_fn(n, states.ncols(), |i, j| {
            let prior = if j < p { 1.0 / alpha.sqrt() } else { 1.0 };
            states[(data[i].0, j)] * prior
        });
        let mut covariance = &slopes * slopes.transpose();
        // At w + δ = 0, the mean of the prior.
        let delta = DVector::from_iterator(states.ncols(), {
            let rest = std::iter::repeat_n(0.0, states.ncols() - p);
            self.w.iter().map(|w| -w).chain(rest)
        });
        let mean = states * delta + constant;
        let mut residual = DVector::zeros(n);
        for (row, (i, j, y)) in data.iter().enumerate() {
            covariance[(row, row)] += self.sigma[*j] * self.sigma[*j];
            residual[row] = y - self.s[*i] - mean[*i];
        }
        let eigen = covariance.symmetric_eigen();
        let coordinates = eigen.eigenvectors.transpose() * residual;
        let terms = coordinates.iter().zip(eigen.eigenvalues.iter());
        let sum: f64 = terms
            .map(|(c, v)| c * c / v + v.ln() + (2.0 * std::f64::consts::PI).ln())
            .sum();
        -0.5 * sum
    }
}
