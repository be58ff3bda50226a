//! How far to trust a model: standard deviations of its states, of known constants, and of what it predicts.
//!
//! Linear and Gaussian, from the matrices of the last step: the covariance of the states is P + Φ C Φᵀ, with P their covariance for
//! given parameters, Φ their derivatives, and C = (α I + XᵀX)⁻¹ the covariance of the parameters. It knows nothing of other minima,
//! so it is too narrow where the dynamics are chaotic, and far from the data.

use ndarray::{Array2, Array3};

use odesync_ode::field::VectorField;
use odesync_ode::odesolve::SolveOptions;

use super::flow::Flow;
use super::gauss_newton::{Linearized, linearized};
use super::kalman::Weights;
use super::nodes::{MAX_NODES, Nodes, Start, times_between};
use super::parameter_prior::RidgePrior;
use super::settings::WeakConstraint;
use super::state::WeakConstraintState;
use crate::{Error, Result};

/// States at given times, with their standard deviations. Rows of a sample before its own initial time are NaN.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// Estimated states, `[sample, time, dof]`.
    pub u: Array3<f64>,
    /// Standard deviations of the states themselves, without the noise of a measurement, `[sample, time, dof]`.
    pub sd: Array3<f64>,
}

/// Estimates of trained constants of known equations.
#[derive(Debug, Clone)]
pub struct ConstantEstimates {
    /// Name of each value; those of a block of several have an index.
    pub names: Vec<String>,
    /// Values.
    pub values: Vec<f64>,
    /// Standard errors.
    pub errors: Vec<f64>,
    /// Correlations of the estimates, `[value, value]`.
    pub correlations: Array2<f64>,
}

/// The nodes of a fit with other times among them.
struct ExtendedNodes {
    nodes: Nodes,
    /// States, `[node, dof]`.
    s: Vec<f64>,
    /// For each sample and requested time its node; `None` before the sample's first.
    wanted: Vec<Vec<Option<usize>>>,
}

impl WeakConstraintState {
    /// Returns the estimated states at the times `t` (increasing) and their standard deviations. Inside the data of a lifted fit these are
    /// the states that were estimated; beyond them, and everywhere where the model is free, its solution.
    ///
    /// # Errors
    /// Times before every sample's first, or a solve that fails.
    pub(crate) fn predict(
        &self,
        model: &VectorField,
        settings: &WeakConstraint,
        options: &SolveOptions,
        t: &[f64],
    ) -> Result<Prediction> {
        self.predict_with(&mut self.flow(model, settings, options)?, t)
    }

    /// Returns the estimated states at the times `t` and their standard deviations, with the flow of the trained model.
    ///
    /// # Errors
    /// Those of [`Self::predict`].
    pub(super) fn predict_with(&self, flow: &mut Flow, t: &[f64]) -> Result<Prediction> {
        let dof = self.nodes.dof;
        let ExtendedNodes { nodes, s, wanted } = self.with_times(flow, t)?;
        let sd = self.deviations(flow, &nodes, &s)?;
        let samples = wanted.len();
        let mut prediction = Prediction {
            u: Array3::from_elem((samples, t.len(), dof), f64::NAN),
            sd: Array3::from_elem((samples, t.len(), dof), f64::NAN),
        };
        for (sample, places) in wanted.iter().enumerate() {
            for (i, place) in places.iter().enumerate() {
                let Some(k) = *place else { continue };
                for j in 0..dof {
                    prediction.u[[sample, i, j]] = self.scaling.to_user(j, s[k * dof + j]);
                    prediction.sd[[sample, i, j]] = self.scaling.sd[j] * sd[k * dof + j];
                }
            }
        }
        Ok(prediction)
    }

    /// Returns the trained constants with their standard errors: parameters that belong to no network.
    ///
    /// # Errors
    /// A solve that fails.
    pub(crate) fn constants(
        &self,
        model: &VectorField,
        settings: &WeakConstraint,
        options: &SolveOptions,
    ) -> Result<ConstantEstimates> {
        let mut flow = self.flow(model, settings, options)?;
        let w = &self.fit.estimate.w;
        let places = self.map.constant_places();
        let theta = self.map.theta(w);
        let n_params = self.map.len();
        let mut phi = vec![0.0; places.len() * n_params];
        for (row, i) in places.iter().enumerate() {
            let mut d_theta = vec![0.0; n_params];
            d_theta[*i] = 1.0;
            self.map
                .pull_back(w, &d_theta, &mut phi[row * n_params..(row + 1) * n_params]);
        }
        // Variances of single rows and of sums of two give the covariances.
        let mut rows = phi.clone();
        for a in 0..places.len() {
            for b in 0..a {
                let sum = (0..n_params).map(|i| phi[a * n_params + i] + phi[b * n_params + i]);
                rows.extend(sum);
            }
        }
        let linear = self.linearized(&mut flow, &self.nodes, &self.fit.estimate.s)?;
        let variances = self.variances(&linear, &rows)?;
        let errors: Vec<f64> = variances[..places.len()]
            .iter()
            .map(|v| v.max(0.0).sqrt())
            .collect();
        let mut correlations = Array2::eye(places.len());
        let mut next = places.len();
        for a in 0..places.len() {
            for b in 0..a {
                let covariance = (variances[next] - variances[a] - variances[b]) / 2.0;
                let correlation = covariance / (errors[a] * errors[b]);
                correlations[[a, b]] = correlation;
                correlations[[b, a]] = correlation;
                next += 1;
            }
        }
        Ok(ConstantEstimates {
            names: places.iter().map(|i| parameter_name(model, *i)).collect(),
            values: places.iter().map(|i| theta[*i]).collect(),
            errors,
            correlations,
        })
    }

    /// Linearises the problem at these states.
    fn linearized(&self, flow: &mut Flow, nodes: &Nodes, s: &[f64]) -> Result<Linearized> {
        let estimate = &self.fit.estimate;
        let weights = Weights {
            q: self.fit.q,
            sigma: &estimate.sigma,
            by_information: true,
        };
        let linear = linearized(flow, nodes, (&estimate.w, s), weights)?;
        linear.ok_or_else(|| {
            Error::Training(
                "the model cannot be solved between all of these times, so that there are no standard deviations".into(),
            )
        })
    }

    /// Returns the variances of combinations of the parameters, `[m, P]` row by row.
    fn variances(&self, linear: &Linearized, phi: &[f64]) -> Result<Vec<f64>> {
        let own = self.map.own_priors(&self.fit.estimate.w);
        let prior = RidgePrior {
            alpha: self.fit.estimate.alpha,
            own: &own,
        };
        let variances = linear.filtered.ridge.variances(prior, phi);
        variances.ok_or_else(|| {
            Error::Training("the covariance of the parameters is not positive".into())
        })
    }

    /// Returns the standard deviations of the states, `[node, dof]`, standardised.
    fn deviations(&self, flow: &mut Flow, nodes: &Nodes, s: &[f64]) -> Result<Vec<f64>> {
        let dof = nodes.dof;
        let linear = self.linearized(flow, nodes, s)?;
        let (slopes, covariance) = linear.filtered.posterior(nodes, &linear.a);
        let by_parameters = self.variances(&linear, &slopes)?;
        let sd = by_parameters.iter().enumerate().map(|(i, by_parameters)| {
            let given = covariance[i * dof + i % dof];
            (given + by_parameters).max(0.0).sqrt()
        });
        Ok(sd.collect())
    }

    /// Returns the nodes with these times among them, the states there, and for each sample where its times are.
    fn with_times(&self, flow: &mut Flow, t: &[f64]) -> Result<ExtendedNodes> {
        let dof = self.nodes.dof;
        let estimate = &self.fit.estimate;
        let first = self
            .nodes
            .trajectories()
            .map(|own| self.nodes.t[own.start])
            .fold(f64::INFINITY, f64::min);
        if let Some(early) = t.iter().find(|t| **t < first) {
            return Err(Error::invalid(format!(
                "the data begin at t = {first}; a prediction for t = {early} is not possible"
            )));
        }
        if let Some(i) = (1..t.len()).find(|i| t[*i] <= t[i - 1]) {
            return Err(Error::invalid(format!(
                "times must increase, and t[{i}] does not"
            )));
        }
        let mut all = Nodes {
            loss: self.nodes.loss,
            has_known_ratios: self.nodes.has_known_ratios,
            ..Nodes::empty(dof, self.nodes.substeps)
        };
        // For each node the node of the fit that it is.
        let mut origin: Vec<Option<usize>> = vec![];
        let mut wanted = vec![];
        for own in self.nodes.trajectories() {
            let sample = self.nodes.sample[own.start];
            let last = self.nodes.t[own.end - 1];
            let longest = self.nodes.longest_interval(own.clone());
            let begin = self.nodes.t[own.start];
            let mut times: Vec<(f64, Option<usize>)> =
                own.map(|k| (self.nodes.t[k], Some(k))).collect();
            for t in t.iter().filter(|t| **t >= begin) {
                if times.binary_search_by(|(x, _)| x.total_cmp(t)).is_err() {
                    let at = times.partition_point(|(x, _)| x < t);
                    times.insert(at, (*t, None));
                }
            }
            // Long steps beyond the data are divided as those between them.
            let beyond: Vec<f64> = times
                .iter()
                .map(|(t, _)| *t)
                .filter(|t| *t >= last)
                .collect();
            for pair in beyond.windows(2) {
                let between = times_between(pair[0], pair[1], longest);
                let at = times.partition_point(|(x, _)| *x <= pair[0]);
                times.splice(at..at, between.into_iter().map(|t| (t, None)));
            }
            if all.len() + times.len() > MAX_NODES {
                return Err(Error::invalid(format!(
                    "a prediction up to t = {} with standard deviations needs more than {MAX_NODES} steps of the length of the \
                     data's; ask for an earlier time",
                    t.last().copied().unwrap_or(f64::NAN)
                )));
            }
            let base = all.len();
            for (time, k) in &times {
                match k {
                    Some(k) => {
                        let y = &self.nodes.y[k * dof..(k + 1) * dof];
                        all.push(*time, y, sample, self.nodes.start(*k));
                    }
                    None => all.push(*time, &vec![f64::NAN; dof], sample, Start::None),
                }
                origin.push(*k);
            }
            let place = |t: &f64| {
                let found = times.binary_search_by(|(x, _)| x.total_cmp(t)).ok();
                found.map(|i| base + i)
            };
            wanted.push(t.iter().map(place).collect());
        }
        // States: those of the fit at its nodes, the flow from the node before elsewhere; where the model is free, its solution.
        let mut s = vec![0.0; all.len() * dof];
        for (k, origin) in origin.iter().enumerate() {
            if let Some(from) = origin {
                s[k * dof..(k + 1) * dof]
                    .copy_from_slice(&estimate.s[from * dof..(from + 1) * dof]);
            }
        }
        let failed =
            || Error::Training("the model cannot be solved up to all of these times".into());
        if self.is_free() {
            s = flow.rollout(&all, &estimate.w, &s)?.ok_or_else(failed)?;
        } else {
            flow.continue_from(&all, &estimate.w, &mut s, &origin)?
                .ok_or_else(failed)?;
        }
        Ok(ExtendedNodes {
            nodes: all,
            s,
            wanted,
        })
    }
}

/// Returns the name of a trainable parameter, with an index where its block has several.
fn parameter_name(model: &VectorField, index: usize) -> String {
    let mut at = index;
    for block in model.blocks().iter().filter(|b| b.trainable) {
        if at < block.len() {
            return match block.len() {
                1 => block.name.clone(),
                _ => format!("{}[{at}]", block.name),
            };
        }
        at -= block.len();
    }
    String::new()
}
