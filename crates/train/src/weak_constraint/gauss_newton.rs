//! The Gauss-Newton iteration at one q, with Levenberg-Marquardt damping and evidence.

use super::flow::Flow;
use super::kalman::{Filtered, INITIAL_SD, Weights, filter};
use super::nodes::Nodes;
use super::noise_level::update_sigma;
use super::parameter_map::ParameterMap;
use super::parameter_prior::RidgePrior;
use super::residual_loss::ResidualLoss;
use super::ridge::EvidenceTerms;
use crate::Result;

/// Attempts of one iteration; from the fourth on the step is halved too.
const ATTEMPTS: usize = 8;
const FULL_STEPS: usize = 4;
/// Damping above which an iteration gives up.
const MAX_MU: f64 = 1e6;

/// The unknowns of a training and the weights that follow the evidence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Estimate {
    /// Standardised parameters, `[P]`.
    pub w: Vec<f64>,
    /// States at the nodes, standardised, `[node, dof]`.
    pub s: Vec<f64>,
    /// Precision α of the parameters' prior.
    pub alpha: f64,
    /// Standard deviation of the noise of each state variable, standardised, `[dof]`.
    pub sigma: Vec<f64>,
    /// Damping μ, in units of α.
    pub mu: f64,
    /// Effective number of parameters γ at the last accepted step.
    pub gamma: f64,
}

/// What one call of the iteration does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage {
    /// Model error q. Above 0 the states at the nodes are unknowns; at 0 they are the solution from the first of each trajectory.
    pub q: f64,
    /// Relative decrease of the cost at which it ends.
    pub tolerance: f64,
    /// Whether the prior precision α follows the evidence. Where it does not, the noise does not either.
    pub follows_evidence: bool,
    /// Whether the noise is estimated too.
    pub updates_sigma: bool,
}

/// The parts of the cost at an estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cost {
    /// Σ ρ((s − y)/σ) with the loss ρ of a residual, its square by default.
    pub chi2: f64,
    /// Σ |e|²/q².
    pub defects: f64,
    /// α |w|², and the residuals of constants' own priors.
    pub prior: f64,
    /// Σ |s_0|² over free initial states, in units of their prior.
    pub initial: f64,
}

impl Cost {
    pub fn total(self) -> f64 {
        self.chi2 + self.defects + self.prior + self.initial
    }
}

/// The outcome of one iteration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Iteration {
    /// No step lowered the cost.
    Stalled,
    /// A step was made.
    Accepted {
        /// Cost after the step.
        cost: Cost,
        /// Log evidence, with the linearisation before the step.
        log_evidence: f64,
        /// Whether the stage has converged.
        converged: bool,
    },
}

/// The problem linearised at parameters and states.
pub(super) struct Linearized {
    /// Defects s_{k+1} − F_k(s_k), `[node, dof]`; zero where the states are a solution.
    pub e: Vec<f64>,
    /// ∂F_k/∂s_k for each node, as in [`Linearization`](super::kalman::Linearization).
    pub a: Vec<Vec<f64>>,
    /// The filter's results.
    pub filtered: Filtered,
}

/// Linearises the problem at w and s and runs the filter; `None` where a solve fails.
pub(super) fn linearized(
    flow: &mut Flow,
    nodes: &Nodes,
    (w, s): (&[f64], &[f64]),
    weights: Weights,
) -> Result<Option<Linearized>> {
    let Some((ends, linear)) = flow.linearize(nodes, w, s)? else {
        return Ok(None);
    };
    let e = match weights.q > 0.0 {
        true => differences(nodes, s, &ends),
        false => vec![0.0; s.len()],
    };
    let filtered = filter(nodes, &linear, (s, &e), weights, flow.map.len());
    Ok(Some(Linearized {
        e,
        a: linear.a,
        filtered,
    }))
}

fn differences(nodes: &Nodes, s: &[f64], ends: &[f64]) -> Vec<f64> {
    let difference = |i: usize| match nodes.first[i / nodes.dof] {
        true => 0.0,
        false => s[i] - ends[i],
    };
    (0..s.len()).map(difference).collect()
}

/// Returns χ² at an estimate, Σ ρ((s − y)/σ).
pub(super) fn chi2(nodes: &Nodes, Estimate { s, sigma, .. }: &Estimate) -> f64 {
    let losses = nodes
        .data()
        .map(|(i, j, y)| nodes.loss.value((s[i] - y) / sigma[j]));
    losses.sum()
}

/// Returns the cost at an estimate with these defects.
pub(super) fn cost(
    nodes: &Nodes,
    map: &ParameterMap,
    estimate: &Estimate,
    e: &[f64],
    q: f64,
) -> Cost {
    let Estimate { w, s, alpha, .. } = estimate;
    let free = (0..nodes.len()).filter(|k| nodes.first[*k] && !nodes.fixed[*k]);
    let initial: f64 = free
        .flat_map(|k| &s[k * nodes.dof..(k + 1) * nodes.dof])
        .map(|s| s * s)
        .sum();
    Cost {
        chi2: chi2(nodes, estimate),
        defects: match q > 0.0 {
            true => e.iter().map(|e| e * e).sum::<f64>() / (q * q),
            false => 0.0,
        },
        prior: map.prior_cost(w, *alpha),
        initial: initial / (INITIAL_SD * INITIAL_SD),
    }
}

/// Returns the whole cost at an estimate, whose states are a solution where q is 0; `None` where a solve fails.
pub(super) fn whole_cost(
    flow: &mut Flow,
    nodes: &Nodes,
    estimate: &Estimate,
    q: f64,
) -> Result<Option<f64>> {
    let e = match q > 0.0 {
        true => match flow.ends(nodes, &estimate.w, &estimate.s)? {
            Some(ends) => differences(nodes, &estimate.s, &ends),
            None => return Ok(None),
        },
        false => vec![],
    };
    Ok(Some(cost(nodes, &flow.map, estimate, &e, q).total()))
}

/// Returns the mean over the data of the logarithm of the rms residual, a misfit without σ in it but for what an outlier is.
pub(super) fn log_misfit(nodes: &Nodes, estimate: &Estimate) -> f64 {
    let (s, sigma) = (&estimate.s, &estimate.sigma);
    let mut squares = vec![0.0; nodes.dof];
    for (i, j, y) in nodes.data() {
        squares[j] += match nodes.loss {
            ResidualLoss::Gaussian => (s[i] - y).powi(2),
            loss => loss.scale_square((s[i] - y) / sigma[j]) * sigma[j] * sigma[j],
        };
    }
    let counts = nodes.n_data_by_component();
    let mut sum = 0.0;
    for (square, n) in squares.iter().zip(&counts) {
        let mean = square / (*n).max(1) as f64;
        sum += *n as f64 * 0.5 * mean.max(1e-12).ln();
    }
    let mean = sum / counts.iter().sum::<usize>() as f64;
    if mean.is_finite() {
        mean
    } else {
        f64::INFINITY
    }
}

/// Returns log p(data) up to a constant of the prior of the states: −½ [cost + log det(I + XXᵀ/α) + Σ log S + n log 2π], less the
/// logarithm of what normal priors of constants have between their bounds. Of a loss that is no square the normal distributions are
/// those that touch it at its minimum, Laplace's approximation.
pub(super) fn log_evidence(
    cost: Cost,
    terms: EvidenceTerms,
    filtered: &Filtered,
    log_prior_mass: f64,
) -> f64 {
    let n = filtered.innovation_variance.len() as f64;
    let variances: f64 = filtered.innovation_variance.iter().map(|s| s.ln()).sum();
    let tau = 2.0 * std::f64::consts::PI;
    -0.5 * (cost.total() + terms.log_det + variances + n * tau.ln()) + filtered.log_density_ratio
        - log_prior_mass
}

/// Makes one step from an estimate.
pub(super) fn iterate(
    flow: &mut Flow,
    nodes: &Nodes,
    estimate: &mut Estimate,
    sigma_of_splines: &[f64],
    stage: Stage,
) -> Result<Iteration> {
    let weights = Weights {
        q: stage.q,
        sigma: &estimate.sigma,
        by_information: false,
    };
    let at = (&estimate.w[..], &estimate.s[..]);
    let Some(Linearized { e, a, filtered }) = linearized(flow, nodes, at, weights)? else {
        return Ok(Iteration::Stalled);
    };
    let own = flow.map.own_priors(&estimate.w);
    let prior = RidgePrior {
        alpha: estimate.alpha,
        own: &own,
    };
    let before = cost(nodes, &flow.map, estimate, &e, stage.q).total();
    if !before.is_finite() {
        return Ok(Iteration::Stalled);
    }
    let lifted = stage.q > 0.0;
    let mut found = None;
    for attempt in 0..ATTEMPTS {
        flow.check_interrupt()?;
        let h = 0.5_f64
            .powi(attempt as i32 - FULL_STEPS as i32 + 1)
            .min(1.0);
        if let Some(delta) = filtered.ridge.step(&estimate.w, prior, estimate.mu) {
            let change = filtered.smooth(nodes, &a, &delta);
            let w: Vec<f64> = estimate
                .w
                .iter()
                .zip(&delta)
                .map(|(w, d)| w + h * d)
                .collect();
            let mut s = estimate.s.clone();
            for (i, (s, change)) in s.iter_mut().zip(&change).enumerate() {
                if lifted || nodes.first[i / nodes.dof] {
                    *s += h * change;
                }
            }
            let next = match lifted {
                true => {
                    let ends = flow.ends(nodes, &w, &s)?;
                    ends.map(|ends| (differences(nodes, &s, &ends), s))
                }
                // The defects of a solution are zero, and cost nothing.
                false => flow.rollout(nodes, &w, &s)?.map(|s| (vec![], s)),
            };
            if let Some((e, s)) = next {
                let next = Estimate {
                    w,
                    s,
                    ..estimate.clone()
                };
                let after = cost(nodes, &flow.map, &next, &e, stage.q);
                if after.total() < before {
                    found = Some((next, after));
                    break;
                }
            }
        }
        estimate.mu = (estimate.mu * 4.0).max(1e-3);
    }
    let Some((next, after)) = found.filter(|_| estimate.mu <= MAX_MU) else {
        return Ok(Iteration::Stalled);
    };
    let gain = (before - after.total()) / before;
    let mu = (estimate.mu / 4.0).max(1e-6);
    *estimate = Estimate { mu, ..next };
    if !stage.follows_evidence {
        return Ok(Iteration::Accepted {
            cost: after,
            log_evidence: f64::NAN,
            converged: gain < stage.tolerance,
        });
    }
    let Some(terms) = filtered.ridge.evidence_terms(prior) else {
        return Ok(Iteration::Accepted {
            cost: after,
            log_evidence: f64::NAN,
            converged: true,
        });
    };
    estimate.gamma = terms.gamma;
    let log_evidence = log_evidence(after, terms, &filtered, flow.map.log_prior_mass());
    let (norm, n_shrunk) = flow.map.shrunk(&estimate.w);
    let (mut alpha, old) = (terms.of_alpha / norm.max(1e-12), estimate.alpha);
    if n_shrunk == 0 {
        alpha = old;
    }
    estimate.alpha = alpha.clamp(old / 2.0, old * 2.0).clamp(1e-4, 1e4);
    let mut change = (estimate.alpha / old).ln().abs();
    if stage.updates_sigma {
        let factor = update_sigma(nodes, estimate, after, sigma_of_splines);
        change = change.max(factor.ln().abs());
    }
    Ok(Iteration::Accepted {
        cost: after,
        log_evidence,
        converged: gain < stage.tolerance && (!stage.updates_sigma || change < 0.03),
    })
}
