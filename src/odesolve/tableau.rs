//! Explicit Runge-Kutta methods as data.

/// An explicit Runge-Kutta method: `k_i = f(t + c_i h, u + h Σ_j a_ij k_j)`, `u⁺ = u + h Σ_i b_i k_i`.
#[derive(Debug)]
pub struct Tableau {
    /// Nodes, `[stages]`.
    pub c: &'static [f64],
    /// Coefficients, row i of length i.
    pub a: &'static [&'static [f64]],
    /// Weights, `[stages]`.
    pub b: &'static [f64],
    /// b − b̂ of the embedded method, `[stages]`: `h Σ_i e_i k_i` estimates the error of a step. None: fixed steps only.
    pub error: Option<&'static [f64]>,
    /// Dense output: `u(t + θ h) = u + h Σ_i k_i Σ_j dense[i][j] θ^(j+1)`, `[stages][degree]`.
    pub dense: Option<&'static [&'static [f64]]>,
    /// Whether the last stage is the first of the next step (first same as last).
    pub fsal: bool,
}

impl Tableau {
    /// Number of stages.
    pub fn stages(&self) -> usize {
        self.b.len()
    }

    /// The weights b_i(θ) of the dense output into `weights` (`[stages]`).
    pub fn dense_weights(&self, theta: f64, weights: &mut [f64]) {
        match self.dense {
            Some(rows) => {
                for (w, row) in weights.iter_mut().zip(rows) {
                    *w = row.iter().rev().fold(0.0, |sum, p| (sum + p) * theta);
                }
            }
            // Methods without dense output step onto every requested time.
            None => weights.copy_from_slice(self.b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::methods::ALL;

    /// Rooted trees up to order 5 as (order, density γ, weight of the stages), for the order conditions
    /// Σ_i b_i φ_i = 1/γ (Hairer, Nørsett, Wanner, *Solving Ordinary Differential Equations I*, II.2).
    fn conditions(c: &[f64], a: impl Fn(usize, usize) -> f64) -> Vec<(usize, f64, Vec<f64>)> {
        let s = c.len();
        let up = |v: &[f64]| -> Vec<f64> {
            (0..s)
                .map(|i| (0..s).map(|j| a(i, j) * v[j]).sum())
                .collect()
        };
        let times =
            |x: &[f64], y: &[f64]| -> Vec<f64> { x.iter().zip(y).map(|(x, y)| x * y).collect() };
        let one = vec![1.0; s];
        let c1 = c.to_vec();
        let c2 = times(&c1, &c1);
        let c3 = times(&c2, &c1);
        let (ac, ac2) = (up(&c1), up(&c2));
        vec![
            (1, 1.0, one),
            (2, 2.0, c1.clone()),
            (3, 3.0, c2.clone()),
            (3, 6.0, ac.clone()),
            (4, 4.0, c3.clone()),
            (4, 8.0, times(&c1, &ac)),
            (4, 12.0, ac2.clone()),
            (4, 24.0, up(&ac)),
            (5, 5.0, times(&c3, &c1)),
            (5, 10.0, times(&c2, &ac)),
            (5, 15.0, times(&c1, &ac2)),
            (5, 30.0, times(&c1, &up(&ac))),
            (5, 20.0, times(&ac, &ac)),
            (5, 20.0, up(&c3)),
            (5, 40.0, up(&times(&c1, &ac))),
            (5, 60.0, up(&ac2)),
            (5, 120.0, up(&up(&ac))),
        ]
    }

    #[test]
    fn order_conditions_of_solution_estimate_and_dense_output() {
        for (method, m) in ALL.iter().filter_map(|m| Some((m, m.tableau()?))) {
            let s = m.stages();
            let a = |i: usize, j: usize| m.a[i].get(j).copied().unwrap_or(0.0);
            for i in 0..s {
                let sum: f64 = m.a[i].iter().sum();
                assert!((sum - m.c[i]).abs() < 1e-13, "{}: row {i}", method.name);
            }
            let residual = |w: &[f64], order: usize, at: f64| -> f64 {
                conditions(m.c, a)
                    .iter()
                    .filter(|t| t.0 <= order)
                    .map(|(q, g, phi)| {
                        let sum: f64 = w.iter().zip(phi).map(|(w, p)| w * p).sum();
                        (sum - at.powi(*q as i32) / g).abs()
                    })
                    .fold(0.0, f64::max)
            };
            assert!(residual(m.b, method.order, 1.0) < 1e-13, "{}", method.name);
            if method.order < 5 {
                assert!(
                    residual(m.b, method.order + 1, 1.0) > 1e-4,
                    "{}",
                    method.name
                );
            }
            if let Some(e) = m.error {
                let embedded: Vec<f64> = m.b.iter().zip(e).map(|(b, e)| b - e).collect();
                assert!(
                    residual(&embedded, method.order - 1, 1.0) < 1e-13,
                    "{}",
                    method.name
                );
                assert!(
                    residual(&embedded, method.order, 1.0) > 1e-6,
                    "{}",
                    method.name
                );
            }
            if m.dense.is_some() {
                let mut w = vec![0.0; s];
                let dense_order = method.order.min(4);
                for theta in [0.1, 0.35, 0.5, 0.8, 1.0] {
                    m.dense_weights(theta, &mut w);
                    assert!(
                        residual(&w, dense_order, theta) < 1e-12,
                        "{} at {theta}",
                        method.name
                    );
                }
                for (w, b) in w.iter().zip(m.b) {
                    assert!(
                        (w - b).abs() < 1e-13,
                        "{}: dense output ends at the step",
                        method.name
                    );
                }
            }
            if m.fsal {
                assert!(
                    m.c[s - 1] == 1.0
                        && m.a[s - 1]
                            .iter()
                            .zip(m.b)
                            .all(|(a, b)| (a - b).abs() < 1e-15)
                );
            }
        }
    }
}
