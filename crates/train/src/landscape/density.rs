//! Spectral density of a Hessian: the distribution of its eigenvalues.

use super::hessian::Hessian;
use super::lanczos::{Krylov, normalise};
use super::spectrum::DENSE_LIMIT;
use crate::{Error, Result};
use odesync_base::memory::check_memory;
use odesync_base::option_set;
use odesync_base::options::{Count, Maybe, NumberList, Positive, Seed};
use odesync_base::random::Generator;

/// Maximum number of points of the default grid.
const MAX_POINTS: usize = 20_001;
/// Minimum number of points of the default grid.
const MIN_POINTS: usize = 401;

option_set! {
    /// Options of a spectral density.
    #[derive(Debug, Clone, PartialEq)]
    pub struct DensityOptions {
        /// Width σ of the Gaussian around each node.
        pub sigma: Option<f64> as Maybe<Positive> = None, "1/100 of the distance between the outermost nodes";
        /// Points at which the density is evaluated.
        ///
        /// By default in steps of σ/4 or finer, wider where that would be more than 20001 points.
        pub grid: Option<Vec<f64>> as Maybe<NumberList> = None, "to 5 σ beyond the outermost nodes";
        /// Number of random vectors of an estimate.
        pub probes: usize as Count = 10;
        /// Number of Lanczos steps, and so of nodes, for each random vector; at most the number of parameters.
        pub steps: usize as Count = 80;
        /// Seed of the random vectors.
        pub seed: u64 as Seed = 0;
    }
}

/// Spectral density of a Hessian, φ(x) = Σᵢ wᵢ N(x; θᵢ, σ²), with integral 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Density {
    /// Grid points x, increasing, `[point]`.
    pub grid: Vec<f64>,
    /// Density φ at the grid points, `[point]`.
    pub density: Vec<f64>,
    /// Eigenvalues, or the nodes θ of the quadrature that represent them, increasing, `[node]`.
    pub nodes: Vec<f64>,
    /// Fraction w of all eigenvalues that each node represents, with sum 1, `[node]`.
    pub weights: Vec<f64>,
    /// Width σ of the Gaussians.
    pub sigma: f64,
    /// Whether the nodes are the eigenvalues themselves.
    pub exact: bool,
}

impl Density {
    /// Computes the density from nodes and weights.
    fn new(mut nodes: Vec<(f64, f64)>, options: &DensityOptions, exact: bool) -> Result<Self> {
        nodes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (nodes, weights): (Vec<f64>, Vec<f64>) = nodes.into_iter().unzip();
        let (low, high) = min_max(&nodes);
        let sigma = options.sigma.unwrap_or_else(|| default_sigma(low, high));
        let grid = match &options.grid {
            Some(grid) => grid.clone(),
            None => default_grid(low, high, sigma),
        };
        let bare = Density {
            grid: vec![],
            density: vec![],
            nodes,
            weights,
            sigma,
            exact,
        };
        bare.resample(grid, sigma)
    }

    /// Returns the density of the same spectrum on another grid, with another width σ.
    ///
    /// # Errors
    /// A σ that is not positive, or a grid that does not increase.
    pub fn resample(&self, grid: Vec<f64>, sigma: f64) -> Result<Self> {
        if !(sigma > 0.0 && sigma.is_finite()) {
            return Err(Error::invalid(format!(
                "sigma, the width of an eigenvalue, must be a positive number, not {sigma}"
            )));
        }
        if grid.is_empty()
            || !grid.iter().all(|x| x.is_finite())
            || grid.windows(2).any(|pair| pair[1] <= pair[0])
        {
            return Err(Error::invalid(
                "the grid of a density must be finite numbers that increase",
            ));
        }
        let scale = 1.0 / (sigma * (2.0 * std::f64::consts::PI).sqrt());
        let mut density = vec![0.0; grid.len()];
        for (node, weight) in self.nodes.iter().zip(&self.weights) {
            // Beyond 9 σ a Gaussian is below 1e-17 of its height.
            let from = grid.partition_point(|x| *x < node - 9.0 * sigma);
            for (x, density) in grid[from..].iter().zip(&mut density[from..]) {
                let z = (x - node) / sigma;
                if z > 9.0 {
                    break;
                }
                *density += weight * scale * (-0.5 * z * z).exp();
            }
        }
        Ok(Density {
            grid,
            density,
            sigma,
            ..self.clone()
        })
    }

    /// Returns the moment Σᵢ wᵢ θᵢᵏ: 1 for k = 0, the mean of the eigenvalues for k = 1, the mean of their squares for k = 2.
    pub fn moment(&self, k: i32) -> f64 {
        let terms = self.nodes.iter().zip(&self.weights);
        terms.map(|(x, w)| w * x.powi(k)).sum()
    }

    /// Returns the distance between the outermost nodes.
    pub fn spectral_range(&self) -> f64 {
        let (low, high) = min_max(&self.nodes);
        high - low
    }
}

/// Resamples several spectra with a common grid and σ, by default those of the widest spectrum, so that they can be drawn
/// together.
///
/// # Errors
/// Those of [`Density::resample`].
pub fn on_common_grid(
    all: &[Density],
    grid: Option<Vec<f64>>,
    sigma: Option<f64>,
) -> Result<Vec<Density>> {
    let nodes: Vec<f64> = all.iter().flat_map(|d| d.nodes.iter().copied()).collect();
    let (low, high) = min_max(&nodes);
    let sigma = sigma.unwrap_or_else(|| default_sigma(low, high));
    let grid = grid.unwrap_or_else(|| default_grid(low, high, sigma));
    all.iter()
        .map(|d| d.resample(grid.clone(), sigma))
        .collect()
}

fn min_max(nodes: &[f64]) -> (f64, f64) {
    let low = nodes.iter().copied().fold(f64::INFINITY, f64::min);
    let high = nodes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match low <= high {
        true => (low, high),
        false => (0.0, 0.0),
    }
}

/// Returns the default width σ for a spectrum between `low` and `high`.
fn default_sigma(low: f64, high: f64) -> f64 {
    match high - low {
        distance if distance > 1e-9 * high.abs().max(low.abs()) => 0.01 * distance,
        // A single eigenvalue, up to rounding.
        _ => 0.01 * high.abs().max(1.0),
    }
}

fn default_grid(low: f64, high: f64, sigma: f64) -> Vec<f64> {
    let (low, high) = (low - 5.0 * sigma, high + 5.0 * sigma);
    let points = (4.0 * (high - low) / sigma).ceil();
    let points = match points.is_finite() {
        true => (points as usize + 1).clamp(MIN_POINTS, MAX_POINTS),
        false => MIN_POINTS,
    };
    ndarray::Array1::linspace(low, high, points).to_vec()
}

impl Hessian {
    /// Computes the spectral density: from all eigenvalues up to [`DENSE_LIMIT`] parameters, above that by
    /// [`Hessian::density_estimate`].
    ///
    /// ```
    /// use ndarray::array;
    /// use odesync_train::landscape::{DerivativeKind, Hessian};
    /// let h = Hessian::from_matrix(&array![[2.0, 0.0], [0.0, 6.0]], 0.0, DerivativeKind::Exact)?;
    /// let d = h.density(&Default::default())?;
    /// assert_eq!((d.nodes.clone(), d.weights.clone()), (vec![2.0, 6.0], vec![0.5, 0.5]));
    /// let integral: f64 = d.grid.windows(2).zip(&d.density).map(|(x, y)| (x[1] - x[0]) * y).sum();
    /// assert!((integral - 1.0).abs() < 1e-6);
    /// # Ok::<(), odesync_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// Options that do not fit, a Hessian that is not finite, or an interrupt.
    pub fn density(&self, options: &DensityOptions) -> Result<Density> {
        if self.n() > DENSE_LIMIT {
            return self.density_estimate(options);
        }
        let values = self.spectrum()?;
        let weight = 1.0 / values.len() as f64;
        let nodes = values.into_iter().map(|x| (x, weight)).collect();
        Density::new(nodes, options, true)
    }

    /// Estimates the spectral density by stochastic Lanczos quadrature (Ghorbani, Krishnan, Xiao, *An Investigation into Neural
    /// Net Optimization via Hessian Eigenvalue Density*, ICML 2019). For each random vector v of length 1, the eigenvalues of the
    /// Lanczos tridiagonal matrix are the nodes, and the squared first components of its eigenvectors are their weights. This is
    /// a Gauss quadrature that is exact for vᵀ p(H) v, p a polynomial of degree up to 2 `steps` − 1. The mean over the vectors
    /// estimates the density of the eigenvalues. Every new Lanczos vector is orthogonalised against the whole basis.
    ///
    /// # Errors
    /// Options that do not fit, a Hessian that is not finite, or an interrupt.
    pub fn density_estimate(&self, options: &DensityOptions) -> Result<Density> {
        self.density_estimate_with_progress(options, &|_, _| {})
    }

    /// Estimates the density as [`Hessian::density_estimate`]; `progress(done, steps)` is called after every step.
    ///
    /// # Errors
    /// Those of [`Hessian::density_estimate`].
    pub fn density_estimate_with_progress(
        &self,
        options: &DensityOptions,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Density> {
        let n = self.n();
        let (probes, steps) = (options.probes, options.steps.min(n));
        if probes == 0 || steps == 0 {
            return Err(Error::invalid(format!(
                "a density needs at least 1 probe and 1 step, not {probes} and {}",
                options.steps
            )));
        }
        // For each probe: the Lanczos basis, the vectors and products of a step, and their containers.
        let each = steps
            .saturating_add(4)
            .saturating_mul(n)
            .saturating_mul(size_of::<f64>())
            .saturating_add(512);
        check_memory(
            probes.saturating_mul(each),
            format_args!("{probes} probes of {steps} steps of {n} parameters"),
            "ask for fewer",
        )?;
        let mut all: Vec<Krylov> = (0..probes).map(|_| Krylov::default()).collect();
        // All probes take their steps together, so that their products share sweeps over the solves.
        let mut active: Vec<(usize, Vec<f64>)> = (0..probes)
            .map(|i| (i, random_probe(n, options.seed.wrapping_add(i as u64))))
            .collect();
        for step in 0..steps {
            let vectors: Vec<Vec<f64>> = active.iter().map(|(_, v)| v.clone()).collect();
            let products = self.apply_many(&vectors)?;
            let before = std::mem::take(&mut active);
            for ((i, vector), product) in before.into_iter().zip(products) {
                let (next, beta) = all[i].extend(vector, product)?;
                // Otherwise the Krylov space is invariant under the operator, and the quadrature is complete.
                if beta > all[i].breakdown_tolerance() {
                    all[i].off_diagonal.push(beta);
                    active.push((i, next));
                }
            }
            progress(step + 1, steps);
            if active.is_empty() {
                break;
            }
        }
        let mut nodes = vec![];
        for krylov in &all {
            let ritz = krylov.ritz();
            for (value, vector) in ritz.values.iter().zip(ritz.vectors.outer_iter()) {
                nodes.push((*value, vector[0] * vector[0] / probes as f64));
            }
        }
        Density::new(nodes, options, false)
    }
}

/// Returns a random vector of length 1, uniformly distributed over all directions.
fn random_probe(n: usize, seed: u64) -> Vec<f64> {
    let mut generator = Generator::manual_seed(seed);
    let draws = generator.normal(0.0, 1.0, n);
    let mut v: Vec<f64> = draws.into_iter().map(f64::from).collect();
    normalise(&mut v);
    v
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::landscape::DerivativeKind;

    /// Returns Q diag(values) Q with Q = 1 − 2 q qᵀ.
    fn matrix(values: &[f64]) -> Array2<f64> {
        let n = values.len();
        let mut q: Vec<f64> = (0..n).map(|i| (1.3 * i as f64 + 0.2).sin()).collect();
        normalise(&mut q);
        let reflect = |i: usize, j: usize| f64::from(u8::from(i == j)) - 2.0 * q[i] * q[j];
        let q = Array2::from_shape_fn((n, n), |(i, j)| reflect(i, j));
        q.dot(&Array2::from_diag(&ndarray::arr1(values))).dot(&q)
    }

    fn values(n: usize) -> Vec<f64> {
        (0..n)
            .map(|i| (2.1 * i as f64).sin() + if i == 3 { 5.0 } else { 0.0 })
            .collect()
    }

    /// Compares the moments with vᵀ Hᵏ v, computed by products, for the probe's own vector v.
    #[test]
    fn moments_are_exact_up_to_twice_the_steps() {
        let sines: Vec<f64> = (0..60).map(|i| (2.1 * f64::from(i)).sin()).collect();
        let m = matrix(&sines);
        let h = Hessian::from_matrix(&m, 0.0, DerivativeKind::Exact).unwrap();
        let options = DensityOptions {
            probes: 1,
            steps: 6,
            seed: 4,
            ..DensityOptions::default()
        };
        let d = h.density_estimate(&options).unwrap();
        assert_eq!(d.nodes.len(), 6);
        let v = ndarray::Array1::from(random_probe(60, 4));
        let mut power = v.clone();
        for k in 0..12 {
            let want = v.dot(&power);
            let terms = d.nodes.iter().zip(&d.weights);
            let scale: f64 = terms.map(|(x, w)| w * x.abs().powi(k)).sum();
            assert!(
                (d.moment(k) - want).abs() < 1e-12 * scale,
                "{k}: {} {want}",
                d.moment(k)
            );
            power = m.dot(&power);
        }
        // One degree more is no longer exact.
        assert!((d.moment(12) / v.dot(&power) - 1.0).abs() > 1e-6);
    }

    #[test]
    fn the_estimate_comes_near_the_known_density() {
        let known = values(100);
        let h = Hessian::from_matrix(&matrix(&known), 0.0, DerivativeKind::Exact).unwrap();
        let grid: Vec<f64> = (0..400).map(|i| -2.0 + 0.02 * f64::from(i)).collect();
        let at = |probes: usize| {
            let options = DensityOptions {
                sigma: Some(0.2),
                grid: Some(grid.clone()),
                probes,
                steps: 40,
                ..DensityOptions::default()
            };
            (
                h.density(&options).unwrap(),
                h.density_estimate(&options).unwrap(),
            )
        };
        let gap = |(a, b): &(Density, Density)| {
            let gaps = a
                .density
                .iter()
                .zip(&b.density)
                .map(|(a, b)| (a - b).abs() * 0.02);
            gaps.sum::<f64>()
        };
        let (few, many) = (at(2), at(40));
        assert!(few.0.exact && !few.1.exact);
        // The exact density is the sum of Gaussians at the known eigenvalues.
        for (x, got) in grid.iter().zip(&few.0.density) {
            let gaussian = |l: &f64| (-0.5 * ((x - l) / 0.2).powi(2)).exp();
            let want = known.iter().map(gaussian).sum::<f64>()
                / (100.0 * 0.2 * (2.0 * std::f64::consts::PI).sqrt());
            assert!((got - want).abs() < 1e-12);
        }
        // Two densities differ by at most 2; the error of the estimate falls as 1/√probes.
        assert!(gap(&many) < 0.05, "{}", gap(&many));
        assert!(gap(&many) < 0.5 * gap(&few), "{} {}", gap(&many), gap(&few));
        assert!((many.1.moment(0) - 1.0).abs() < 1e-12);
        let mean = known.iter().sum::<f64>() / 100.0;
        assert!((many.0.moment(1) - mean).abs() < 1e-12);
        assert!((many.1.moment(1) - mean).abs() < 0.05);
    }

    #[test]
    fn a_closed_space_ends_early_and_one_eigenvalue_has_a_width() {
        let h = Hessian::from_matrix(&matrix(&[3.0; 8]), 0.0, DerivativeKind::Exact).unwrap();
        for d in [
            h.density(&DensityOptions::default()).unwrap(),
            h.density_estimate(&DensityOptions::default()).unwrap(),
        ] {
            assert!(d.nodes.iter().all(|x| (x - 3.0).abs() < 1e-12));
            let spacing = d.grid[1] - d.grid[0];
            assert!((d.density.iter().sum::<f64>() * spacing - 1.0).abs() < 1e-5);
        }
        let other = h.density(&DensityOptions::default()).unwrap();
        assert!(
            other.resample(vec![0.0, 0.0], 0.1).is_err() && other.resample(vec![0.0], 0.0).is_err()
        );
        let none = DensityOptions {
            probes: 0,
            ..DensityOptions::default()
        };
        assert!(h.density_estimate(&none).is_err());
    }
}
