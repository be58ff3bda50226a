//! The whole training: q from 0.5 to 0, then the free model where it is stable.

use super::flow::Flow;
use super::gauss_newton::{
    Estimate, Observer, Stage, cost, defects, iterate, log_evidence, log_misfit,
};
use super::gradient_matching::match_gradients;
use super::kalman::{Weights, filter};
use super::nodes::Nodes;
use super::setup::Setup;
use crate::Result;

/// First model error q, in units of the data's spread, the factor from stage to stage, and the last.
const Q: (f64, f64, f64) = (0.5, 0.4, 1e-4);
/// Steps of a stage.
const STAGE_ITERATIONS: usize = 8;
/// Steps of the last stage.
const LAST_ITERATIONS: usize = 60;
/// Growth of an initial error within the data above which the free model is not trained.
const MAX_GROWTH: f64 = 1e4;
/// Largest damping with which a stage begins.
const MAX_FIRST_MU: f64 = 1e2;
/// Rise of the mean log residual above which the free model is not kept.
const MAX_MISFIT_RISE: f64 = 0.15;

/// The outcome of a training.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub estimate: Estimate,
    /// Model error q of the estimate; 0 where the states are the free solution.
    pub q: f64,
    pub log_evidence: f64,
    /// Whether the states are the free solution of the model.
    pub is_free: bool,
    /// Largest factor by which an initial error grows within a trajectory.
    pub growth: f64,
    /// Noise over that of the splines: geometric mean over the data.
    pub noise_ratio: f64,
    /// Whether not a single step could be made.
    pub failed: bool,
}

/// Trains from a setup.
pub(super) fn fit(setup: &mut Setup, observer: &mut Observer) -> Result<Outcome> {
    let Setup {
        nodes,
        flow,
        s,
        w,
        sigma: sigma_of_splines,
        targets,
        observed,
    } = setup;
    let (w, alpha) = match targets {
        Some(targets) => {
            let matched = match_gradients(flow, targets, w.clone())?;
            (matched.w, matched.alpha)
        }
        None => (w.clone(), 1.0),
    };
    let mut estimate = Estimate {
        w,
        s: s.clone(),
        alpha,
        sigma: sigma_of_splines.clone(),
        mu: 1.0,
        gamma: 0.0,
    };
    let n = nodes.n_data() as f64;
    let smallest = |sigma: &[f64]| {
        let measured = sigma.iter().zip(&*observed).filter(|(_, o)| **o);
        measured.fold(f64::INFINITY, |m: f64, (s, _)| m.min(*s))
    };
    let mut q = Q.0;
    let free_is_finite = loop {
        estimate.mu = estimate.mu.min(MAX_FIRST_MU);
        let stage = Stage {
            q,
            lifted: true,
            max_iterations: STAGE_ITERATIONS,
            tolerance: 1e-2,
            updates_sigma: q < 0.1 * smallest(&estimate.sigma),
        };
        let accepted = iterate(flow, nodes, &mut estimate, sigma_of_splines, stage, observer)?;
        if q == Q.0 && accepted == 0 {
            return Ok(Outcome {
                estimate,
                q,
                log_evidence: f64::NEG_INFINITY,
                is_free: false,
                growth: f64::INFINITY,
                noise_ratio: f64::INFINITY,
                failed: true,
            });
        }
        let chi2 = cost(nodes, &estimate, &[], 0.0).chi2;
        let free = flow.rollout(nodes, &estimate.w, &estimate.s)?.map(|s| {
            let free = Estimate {
                s,
                ..estimate.clone()
            };
            cost(nodes, &free, &[], 0.0).chi2
        });
        let follows = free.is_some_and(|free| free < 1.3 * chi2 + 0.1 * n);
        if follows || q <= Q.2 {
            break free.is_some();
        }
        q = (q * Q.1).max(Q.2);
    };
    let mut is_free = false;
    if free_is_finite && growth(flow, nodes, &estimate)? < MAX_GROWTH {
        let mut free = estimate.clone();
        free.mu = free.mu.clamp(1e-3, MAX_FIRST_MU);
        let stage = Stage {
            q: 0.0,
            lifted: false,
            max_iterations: LAST_ITERATIONS,
            tolerance: 1e-4,
            updates_sigma: true,
        };
        iterate(flow, nodes, &mut free, sigma_of_splines, stage, observer)?;
        is_free = log_misfit(nodes, &free.s) < log_misfit(nodes, &estimate.s) + MAX_MISFIT_RISE;
        if is_free {
            estimate = free;
        }
    }
    if !is_free {
        // A long chaotic trajectory: its states stay unknowns, with the smallest model error.
        estimate.mu = estimate.mu.min(MAX_FIRST_MU);
        let stage = Stage {
            q: Q.2,
            lifted: true,
            max_iterations: LAST_ITERATIONS,
            tolerance: 1e-4,
            updates_sigma: true,
        };
        iterate(flow, nodes, &mut estimate, sigma_of_splines, stage, observer)?;
    }
    let q = if is_free { 0.0 } else { Q.2 };
    let counts = nodes.n_data_by_component();
    let ratio: f64 = (0..nodes.dof)
        .map(|j| counts[j] as f64 * (estimate.sigma[j] / sigma_of_splines[j]).ln())
        .sum();
    Ok(Outcome {
        log_evidence: final_evidence(flow, nodes, &mut estimate, q)?,
        growth: growth(flow, nodes, &estimate)?,
        noise_ratio: (ratio / n).exp(),
        estimate,
        q,
        is_free,
        failed: false,
    })
}

/// Returns the log evidence at an estimate, −∞ where it cannot be had, and sets its γ.
fn final_evidence(
    flow: &mut Flow,
    nodes: &Nodes,
    estimate: &mut Estimate,
    q: f64,
) -> Result<f64> {
    let e = match q > 0.0 {
        true => defects(flow, nodes, &estimate.w, &estimate.s)?,
        false => Some(vec![0.0; nodes.len() * nodes.dof]),
    };
    let linear = flow.linearize(nodes, &estimate.w, &estimate.s)?;
    let (Some(e), Some((_, linear))) = (e, linear) else {
        return Ok(f64::NEG_INFINITY);
    };
    let weights = Weights {
        q,
        sigma: &estimate.sigma,
    };
    let filtered = filter(nodes, &linear, (&estimate.s, &e), weights, flow.map.len());
    let Some((gamma, log_det)) = filtered.ridge.evidence_terms(estimate.alpha) else {
        return Ok(f64::NEG_INFINITY);
    };
    estimate.gamma = gamma;
    Ok(log_evidence(cost(nodes, estimate, &e, q), log_det, &filtered))
}

/// Returns the largest factor by which the model magnifies an initial error within a trajectory: max_k |A_k … A_0|, in the spectral
/// norm.
fn growth(flow: &mut Flow, nodes: &Nodes, estimate: &Estimate) -> Result<f64> {
    let Some((_, linear)) = flow.linearize(nodes, &estimate.w, &estimate.s)? else {
        return Ok(f64::INFINITY);
    };
    let dof = nodes.dof;
    let identity = || nalgebra::DMatrix::<f64>::identity(dof, dof);
    let (mut product, mut largest) = (identity(), 1.0_f64);
    for k in 1..nodes.len() {
        product = match nodes.first[k] {
            true => identity(),
            false => nalgebra::DMatrix::from_row_slice(dof, dof, &linear.a[k - 1]) * product,
        };
        let norm = product.singular_values().max();
        largest = largest.max(if norm.is_nan() { f64::INFINITY } else { norm });
    }
    Ok(largest)
}
