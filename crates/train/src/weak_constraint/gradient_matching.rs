//! The start: the field fitted to the derivatives of the data's splines, by Levenberg-Marquardt with evidence.
//!
//! Minimises ρ Σ |f(û(t)) − dû/dt|²/σ² + α |w|² over w (constants with a prior of their own have that in place of α's), with the misfit in units of what the networks have to explain. The points are
//! not independent, so they count with ρ, the degrees of freedom of the splines over their number. α and σ² follow the evidence (D.
//! J. C. MacKay, *Bayesian interpolation*, Neural Computation 4, 1992). Source of gradient matching: J. M. Varah, *A spline least
//! squares method for numerical parameter estimation in differential equations*, SIAM J. Sci. Stat. Comput. 3 (1982).

use rayon::prelude::*;

use odesync_ode::field::native::Evaluator;

use super::flow::Flow;
use super::parameter_prior::RidgePrior;
use super::ridge::Ridge;
use super::setup::Targets;
use crate::Result;

const ITERATIONS: usize = 30;
/// Attempts of one iteration, with a damping four times larger each.
const ATTEMPTS: usize = 8;

/// Parameters found by gradient matching, and their prior precision α.
pub(super) struct Matched {
    pub w: Vec<f64>,
    pub alpha: f64,
}

/// Fits the field to the targets from the parameters `w`.
pub(super) fn match_gradients(flow: &Flow, targets: &Targets, w: Vec<f64>) -> Result<Matched> {
    let rho = targets.independent;
    let n = (targets.points.len() * targets.rows.len()) as f64;
    let (mut w, mut alpha, mut variance, mut mu) = (w, 1.0, 0.01, 1.0);
    let mut residual = misfit(flow, targets, &w)?;
    let sum = |r: &[f64]| r.iter().map(|r| r * r).sum::<f64>();
    let map = &flow.map;
    let mut cost = rho * sum(&residual) / variance + map.prior_cost(&w, alpha);
    for iteration in 0..ITERATIONS {
        flow.check_interrupt()?;
        let weight = (rho / variance).sqrt();
        let mut x = jacobian(flow, targets, &w)?;
        x.iter_mut().for_each(|x| *x *= weight);
        let ridge = Ridge::new(x, residual.iter().map(|r| -r * weight).collect());
        let own = map.own_priors(&w);
        let prior = RidgePrior { alpha, own: &own };
        let mut accepted = None;
        for _ in 0..ATTEMPTS {
            if let Some(step) = ridge.step(&w, prior, mu) {
                let next: Vec<f64> = w.iter().zip(&step).map(|(w, d)| w + d).collect();
                let next_residual = misfit(flow, targets, &next)?;
                let next_cost = rho * sum(&next_residual) / variance + map.prior_cost(&next, alpha);
                if next_cost.is_finite() && (next_cost < cost || cost.is_nan()) {
                    accepted = Some((next, next_residual, next_cost));
                    break;
                }
            }
            mu *= 4.0;
        }
        let Some((next, next_residual, next_cost)) = accepted else {
            break;
        };
        let gain = (cost - next_cost) / cost;
        (w, residual) = (next, next_residual);
        mu = (mu / 4.0).max(1e-4);
        if let Some(terms) = ridge.evidence_terms(prior) {
            let (norm, n_shrunk) = map.shrunk(&w);
            if n_shrunk > 0 {
                let wanted = terms.of_alpha / norm.max(1e-12);
                alpha = wanted.clamp(alpha / 3.0, alpha * 3.0).clamp(1e-4, 1e4);
            }
            let free = (rho * n - terms.gamma).max(0.05 * rho * n);
            let wanted = rho * sum(&residual) / free;
            variance = wanted.clamp((variance / 3.0).max(1e-5), variance * 3.0);
        }
        cost = rho * sum(&residual) / variance + map.prior_cost(&w, alpha);
        if gain < 1e-3 && iteration > 5 {
            break;
        }
    }
    Ok(Matched { w, alpha })
}

/// Returns the misfit of the targets, `[point, row]`.
fn misfit(flow: &Flow, targets: &Targets, w: &[f64]) -> Result<Vec<f64>> {
    let model = flow.model(w)?;
    let evaluator = Evaluator::new(&model);
    let dof = model.dof();
    let (mut slot, mut out) = (vec![0.0; evaluator.slot_len()], vec![0.0; dof]);
    let mut all = Vec::with_capacity(targets.points.len() * targets.rows.len());
    for ((sample, t, u), dz) in targets.points.iter().zip(targets.dz.outer_iter()) {
        evaluator.eval(*sample, *t, u, &mut slot, &mut out);
        for (row, scale) in targets.rows.iter().zip(&targets.row_scales) {
            all.push((out[*row] / flow.scaling.sd[*row] - dz[*row]) / scale);
        }
    }
    Ok(all)
}

/// Returns the derivative of the misfit with respect to w, `[point and row, P]`.
fn jacobian(flow: &Flow, targets: &Targets, w: &[f64]) -> Result<Vec<f64>> {
    let model = flow.model(w)?;
    let evaluator = Evaluator::new(&model);
    let (dof, n_params) = (model.dof(), flow.map.len());
    let storage = || {
        let values = vec![0.0; evaluator.n_values()];
        (
            evaluator.zero_gradient(),
            vec![0.0; evaluator.slot_len()],
            values,
        )
    };
    let rows: Vec<Vec<f64>> = targets
        .points
        .par_iter()
        .map_init(storage, |(gradient, slot, values), (sample, t, u)| {
            evaluator.eval_taped(*sample, *t, u, slot, &mut vec![0.0; dof]);
            let mut all = vec![0.0; targets.rows.len() * n_params];
            let by_row = targets.rows.iter().zip(&targets.row_scales);
            for ((row, scale), to) in by_row.zip(all.chunks_exact_mut(n_params.max(1))) {
                let mut bar = vec![0.0; dof];
                bar[*row] = 1.0 / (flow.scaling.sd[*row] * scale);
                let place = (*sample, *t);
                evaluator.vjp(place, slot, &bar, &mut vec![0.0; dof], None, gradient);
                evaluator.take_parameter_gradient(gradient, values);
                flow.map.pull_back(w, &model.gather(values), to);
            }
            all
        })
        .collect();
    Ok(rows.concat())
}
