//! The level of the noise and the ratios of its components, first and as the residuals say.

use super::data_scales::MIN_SIGMA;
use super::gauss_newton::{Cost, Estimate};
use super::nodes::Nodes;

/// Largest factor by which the ratios of the noise of components may leave those of the splines.
const SIGMA_RATIO: f64 = 3.0;

/// Returns standard deviations of the noise, standardised, whose ratios are those of known precisions of the data's columns, and
/// whose level is that of `sigma`, a geometric mean over the data.
pub(super) fn known_ratios(
    nodes: &Nodes,
    sigma: &[f64],
    scales: &[f64],
    columns: &[usize],
    weights: &[f64],
) -> Vec<f64> {
    let counts = nodes.n_data_by_component();
    let unit = |column: usize| 1.0 / (weights[column].sqrt() * scales[columns[column]]);
    let n: f64 = columns.iter().map(|j| counts[*j] as f64).sum();
    let logs = columns.iter().enumerate();
    let log_level: f64 = logs
        .map(|(column, j)| counts[*j] as f64 * (sigma[*j] / unit(column)).ln())
        .sum();
    let level = (log_level / n.max(1.0)).exp();
    let mut all = sigma.to_vec();
    for (column, j) in columns.iter().enumerate() {
        all[*j] = level * unit(column);
    }
    all
}

/// Returns the geometric mean over the data of a quantity of each state variable.
pub(super) fn geometric_mean(nodes: &Nodes, quantity: impl Fn(usize) -> f64) -> f64 {
    let counts = nodes.n_data_by_component();
    let logs = counts.iter().enumerate().filter(|(_, n)| **n > 0);
    let sum: f64 = logs.map(|(j, n)| *n as f64 * quantity(j).ln()).sum();
    (sum / nodes.n_data() as f64).exp()
}

/// Updates the noise: its level by (χ² + defects)/(n − γ − n0), and the ratios of components within a factor of those of the splines.
/// Returns the factor of the variance.
pub(super) fn update_sigma(
    nodes: &Nodes,
    estimate: &mut Estimate,
    cost: Cost,
    sigma_of_splines: &[f64],
) -> f64 {
    let scale_square = |estimate: &Estimate, i: usize, j: usize, y: f64| {
        nodes
            .loss
            .scale_square((estimate.s[i] - y) / estimate.sigma[j])
    };
    let n = nodes.n_data() as f64;
    let free = (n - estimate.gamma - nodes.n_free_initial() as f64).max(0.05 * n);
    let counts = nodes.n_data_by_component();
    let observed = |j: usize| counts[j] > 0;
    let smallest = (0..nodes.dof)
        .filter(|j| observed(*j))
        .fold(f64::INFINITY, |m, j| m.min(estimate.sigma[j]));
    let chi2: f64 = nodes
        .data()
        .map(|(i, j, y)| scale_square(estimate, i, j, y))
        .sum();
    let factor = ((chi2 + cost.defects) / free)
        .clamp(0.25, 4.0)
        .max((MIN_SIGMA / smallest).powi(2));
    estimate.sigma.iter_mut().for_each(|s| *s *= factor.sqrt());
    let n_observed = (0..nodes.dof).filter(|j| observed(*j)).count();
    if nodes.has_known_ratios || n - estimate.gamma <= 10.0 * n_observed as f64 {
        return factor;
    }
    let mut squares = vec![0.0; nodes.dof];
    for (i, j, y) in nodes.data() {
        squares[j] += scale_square(estimate, i, j, y);
    }
    let total: f64 = counts.iter().map(|n| *n as f64).sum();
    // Weighted geometric means, so that the ratios do not change the level.
    let geometric = |values: &[f64]| {
        let logs = values.iter().zip(&counts);
        (logs.map(|(v, n)| *n as f64 * v.max(1e-9).ln()).sum::<f64>() / total).exp()
    };
    let means: Vec<f64> = (squares.iter().zip(&counts))
        .map(|(s, n)| s / (*n).max(1) as f64)
        .collect();
    let mean = geometric(&means);
    let sigma = &estimate.sigma;
    let relative: Vec<f64> = (0..nodes.dof)
        .map(|j| {
            let ratio = if counts[j] > 5 { means[j] / mean } else { 1.0 };
            let wanted = (sigma[j] * ratio.sqrt()).clamp(sigma[j] / 1.3, sigma[j] * 1.3);
            wanted / sigma_of_splines[j]
        })
        .collect();
    let center = geometric(&relative);
    for j in (0..nodes.dof).filter(|j| observed(*j)) {
        let ratio = (relative[j] / center).clamp(1.0 / SIGMA_RATIO, SIGMA_RATIO);
        estimate.sigma[j] = ratio * sigma_of_splines[j] * center;
    }
    factor
}
