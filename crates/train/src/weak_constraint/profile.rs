//! The profile of a constant: the smallest cost where it is held at a value and everything else is fitted again.
//!
//! Source: D. M. Bates, D. G. Watts, *Nonlinear Regression Analysis and Its Applications* (1988), chapter 6; A. Raue et al.,
//! *Structural and practical identifiability analysis of partially observed dynamical models by exploiting the profile likelihood*,
//! Bioinformatics 25 (2009).

use odesync_ode::field::VectorField;
use odesync_ode::odesolve::SolveOptions;

use super::flow::Flow;
use super::gauss_newton::{Estimate, Iteration, Stage, iterate, whole_cost};
use super::nodes::Nodes;
use super::settings::WeakConstraint;
use super::state::WeakConstraintState;
use crate::{Error, Result};

/// Most steps of a fit, and the relative decrease of the cost at which it ends.
const ITERATIONS: usize = 60;
const TOLERANCE: f64 = 1e-8;
/// Damping with which a fit begins: it begins near its minimum.
const FIRST_MU: f64 = 1e-3;

/// The profile of a constant on a grid.
#[derive(Debug, Clone)]
pub(crate) struct ProfileGrid {
    /// Smallest cost with the constant free.
    pub least_cost: f64,
    /// The constant there.
    pub best: f64,
    /// Values of the constant, increasing.
    pub values: Vec<f64>,
    /// Smallest cost at each of them; NaN where the model cannot be solved.
    pub costs: Vec<f64>,
}

/// The fit of everything but one constant.
struct HeldFit<'a> {
    flow: Flow,
    nodes: &'a Nodes,
    sigma_of_splines: &'a [f64],
    q: f64,
}

impl WeakConstraintState {
    /// Computes the profile of the constant at `place` among the trainable parameters, on these increasing values of it. Noise, α and
    /// what is known of constants stay as they are; constants of which nothing is known have no prior, so that what is seen is what
    /// the data say.
    ///
    /// # Errors
    /// A model that is still coupled to the data, or an interrupt.
    pub(crate) fn profile(
        &self,
        model: &VectorField,
        settings: &WeakConstraint,
        options: &SolveOptions,
        place: usize,
        values: &[f64],
    ) -> Result<ProfileGrid> {
        if self.fit.lambda != 0.0 {
            return Err(Error::invalid(
                "the homotopy ended with the model still coupled to the data, whose constants have no likelihood of their own; train \
                 with weak_constraint()",
            ));
        }
        let mut flow = self.flow(model, settings, options)?;
        flow.map = self.map.clone().without_shrinkage();
        let mut fit = HeldFit {
            flow,
            nodes: &self.nodes,
            sigma_of_splines: &self.sigma_of_splines,
            q: self.fit.q,
        };
        let start = self.fit.estimate.clone();
        let (at_best, least_cost) = fit.refit(start.clone())?.unwrap_or((start, f64::NAN));
        let best = self.map.theta(&at_best.w)[place];
        fit.flow.map = fit.flow.map.clone().holding(place);
        let mut costs = vec![f64::NAN; values.len()];
        // From the estimate outwards, each fit from that of its neighbour.
        let middle = values.partition_point(|value| *value < best);
        let sides: [Vec<usize>; 2] = [
            (middle..values.len()).collect(),
            (0..middle).rev().collect(),
        ];
        for side in sides {
            let mut neighbour = at_best.clone();
            for i in side {
                let Some(w) = self.map.inverse(place, values[i]) else {
                    break;
                };
                let mut moved = neighbour.clone();
                moved.w[place] = w;
                let Some((fitted, cost)) = fit.refit(moved)? else {
                    break;
                };
                costs[i] = cost;
                neighbour = fitted;
            }
        }
        Ok(ProfileGrid {
            least_cost,
            best,
            values: values.to_vec(),
            costs,
        })
    }
}

impl HeldFit<'_> {
    /// Fits everything that is not held; `None` where the model cannot be solved.
    fn refit(&mut self, mut estimate: Estimate) -> Result<Option<(Estimate, f64)>> {
        estimate.mu = FIRST_MU;
        if self.q == 0.0 {
            match self.flow.rollout(self.nodes, &estimate.w, &estimate.s)? {
                Some(s) => estimate.s = s,
                None => return Ok(None),
            }
        }
        let stage = Stage {
            q: self.q,
            tolerance: TOLERANCE,
            follows_evidence: false,
            updates_sigma: false,
        };
        for _ in 0..ITERATIONS {
            let sigma = self.sigma_of_splines;
            match iterate(&mut self.flow, self.nodes, &mut estimate, sigma, stage)? {
                Iteration::Accepted {
                    converged: false, ..
                } => {}
                Iteration::Accepted { .. } | Iteration::Stalled => break,
            }
        }
        let cost = whole_cost(&mut self.flow, self.nodes, &estimate, self.q)?;
        Ok(cost.map(|cost| (estimate, cost)))
    }
}
