mod evidence;
mod libraries;
mod notations;
mod systems;

use ndarray::{Array1, Array2, s};

use super::{EquationSearch, Equations, Library};
use crate::datasets::{Dataset, RelativeTo};
use odesync_base::random::Generator;
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::{SolveOptions, solve};

/// Noisy data of a system, and its solution to twice their span.
struct Measured {
    data: Dataset,
    t: Vec<f64>,
    truth: Array2<f64>,
}

/// Measures a system at `n` times, `dt` apart.
fn measured(
    system: &VectorField,
    u0: &[f64],
    (dt, n): (f64, usize),
    (noise, relative_to, seed): (f64, RelativeTo, u64),
) -> Measured {
    let t: Vec<f64> = (0..2 * n - 1).map(|i| i as f64 * dt).collect();
    let options = SolveOptions::default().solver("dopri8").unwrap();
    let options = options.tolerances(1e-12, 1e-12);
    let truth = solve(system, u0, &t, &options).unwrap().u;
    let times = Array1::from(t[..n].to_vec());
    let clean = Dataset::single(times.clone(), truth.slice(s![..n, ..]).to_owned(), None).unwrap();
    let noisy = clean.add_noise_seeded(noise, relative_to, seed).unwrap();
    let values = noisy.sample(0).unwrap().to_owned();
    let data = Dataset::single(times, values, Some(Array1::from(u0.to_vec()))).unwrap();
    Measured { data, t, truth }
}

impl Measured {
    /// Returns the rms error of a field beyond the data, to twice their span; infinite where the solve fails.
    fn extrapolation_error(&self, field: &VectorField) -> f64 {
        let u0 = self.truth.row(0).to_vec();
        let Ok(solution) = solve(field, &u0, &self.t, &SolveOptions::default()) else {
            return f64::INFINITY;
        };
        let beyond = |u: &Array2<f64>| u.slice(s![self.data.len().., ..]).to_owned();
        let error = beyond(&solution.u) - beyond(&self.truth);
        error.mapv(|x| x * x).mean().unwrap().sqrt()
    }

    /// Returns the time after the data up to which a field's solution, from the true state at their end, stays within 0.4 standard
    /// deviations of the truth.
    fn prediction_time(&self, field: &VectorField) -> f64 {
        let end = self.data.len() - 1;
        let options = SolveOptions::default().tolerances(1e-10, 1e-12);
        let u0 = self.truth.row(end).to_vec();
        let Ok(solution) = solve(field, &u0, &self.t[end..], &options) else {
            return 0.0;
        };
        let sd = self.truth.std_axis(ndarray::Axis(0), 0.0);
        let far = (end..self.t.len()).find(|k| {
            let error = (&solution.u.row(*k - end) - &self.truth.row(*k)) / &sd;
            error.mapv(|x| x * x).mean().unwrap().sqrt() > 0.4
        });
        far.map_or(f64::INFINITY, |k| self.t[k] - self.t[end])
    }

    fn equations(&self, library: Library, model: &VectorField) -> Equations {
        let search = EquationSearch::new(library);
        search
            .search_model(model, &self.data, &mut |_| Ok(()))
            .unwrap()
    }
}

fn generator(seed: u64) -> Generator {
    Generator::manual_seed(seed)
}

/// Asserts that the equations have exactly these terms, with coefficients within a relative error.
fn assert_terms(equations: &Equations, expected: &[(usize, &str, f64)], error: f64) {
    let text = equations.text();
    assert_eq!(equations.terms(), expected.len(), "{text}");
    for (output, term, value) in expected {
        let found = (equations.coefficients.iter())
            .find(|c| c.output == *output && c.term == *term)
            .unwrap_or_else(|| panic!("{term} is missing in\n{text}"));
        let relative = (found.value - value).abs() / value.abs();
        assert!(relative < error, "{term} is {} in\n{text}", found.value);
    }
}
