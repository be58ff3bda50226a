//! A solution between its steps: the piecewise cubic polynomial through states and slopes at the ends of the steps.

/// States and slopes at increasing or decreasing times, and the cubic Hermite polynomials between them.
#[derive(Debug, Default)]
pub(super) struct HermitePath {
    dof: usize,
    t: Vec<f64>,
    u: Vec<f64>,
    f: Vec<f64>,
}

impl HermitePath {
    /// Creates a path without points, for `dof` state variables.
    pub fn new(dof: usize) -> Self {
        HermitePath {
            dof,
            ..HermitePath::default()
        }
    }

    /// Appends a point: the time, the state and the slope there, `[dof]` each.
    pub fn push(&mut self, t: f64, u: &[f64], f: &[f64]) {
        self.t.push(t);
        self.u.extend(u);
        self.f.extend(f);
    }

    /// Returns the index of the piece in which t lies, the size of the piece and the place θ of t in it.
    fn locate(&self, t: f64) -> (usize, f64, f64) {
        let last = self.t.len() - 1;
        let forwards = self.t[last] >= self.t[0];
        let behind = self.t.partition_point(|x| (*x < t) == forwards && *x != t);
        let piece = behind.saturating_sub(1).min(last.saturating_sub(1));
        let h = self.t[piece + 1] - self.t[piece];
        (piece, h, (t - self.t[piece]) / h)
    }

    fn ends(&self, piece: usize, i: usize) -> [f64; 4] {
        let (a, b) = (piece * self.dof + i, (piece + 1) * self.dof + i);
        [self.u[a], self.u[b], self.f[a], self.f[b]]
    }

    /// Computes the state at t, `[dof]`.
    pub fn state(&self, t: f64, out: &mut [f64]) {
        let (piece, h, s) = self.locate(t);
        let r = 1.0 - s;
        for (i, out) in out.iter_mut().enumerate() {
            let [u0, u1, f0, f1] = self.ends(piece, i);
            *out = r * r * (1.0 + 2.0 * s) * u0
                + s * s * (3.0 - 2.0 * s) * u1
                + h * s * r * (r * f0 - s * f1);
        }
    }

    /// Computes the derivative of the state with respect to t, `[dof]`.
    pub fn slope(&self, t: f64, out: &mut [f64]) {
        let (piece, h, s) = self.locate(t);
        for (i, out) in out.iter_mut().enumerate() {
            let [u0, u1, f0, f1] = self.ends(piece, i);
            *out = 6.0 * s * (1.0 - s) * (u1 - u0) / h
                + (1.0 - s) * (1.0 - 3.0 * s) * f0
                + s * (3.0 * s - 2.0) * f1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cubic_is_its_own_path() {
        let u = |t: f64| vec![t * t * t - 2.0 * t, 1.0 + t];
        let f = |t: f64| vec![3.0 * t * t - 2.0, 1.0];
        for times in [[0.0, 0.5, 2.0], [2.0, 0.5, 0.0]] {
            let mut path = HermitePath::new(2);
            for t in times {
                path.push(t, &u(t), &f(t));
            }
            for t in [0.0, 0.2, 0.5, 0.500001, 1.7, 2.0] {
                let (mut state, mut slope) = ([0.0; 2], [0.0; 2]);
                path.state(t, &mut state);
                path.slope(t, &mut slope);
                for (got, want) in state.iter().chain(&slope).zip(u(t).iter().chain(&f(t))) {
                    assert!((got - want).abs() < 1e-14, "{t}: {got} {want}");
                }
            }
        }
    }
}
