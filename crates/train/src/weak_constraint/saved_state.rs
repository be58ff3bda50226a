//! The state of a training in a checkpoint: tensors for numbers, so that every bit is kept, and a few words beside them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use odesync_ode::field::VectorField;

use super::fit::{Assessment, Fit, Phase};
use super::gauss_newton::Estimate;
use super::nodes::{Nodes, Start};
use super::parameter_map::ParameterMap;
use super::second_start::SecondStart;
use super::settings::WeakConstraint;
use super::standardization::Standardization;
use super::state::WeakConstraintState;

/// Prefix of the names of the tensors.
pub(crate) const PREFIX: &str = "weak_constraint.";

/// What is not a tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedState {
    phase: Phase,
    iteration: usize,
    updates_sigma: bool,
    failed: bool,
    substeps: usize,
    has_lifted: bool,
    #[serde(default, skip_serializing_if = "SavedSecondStart::is_none")]
    second_start: SavedSecondStart,
}

/// A [`SecondStart`] without its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedSecondStart {
    #[default]
    None,
    Possible,
    Begun,
}

impl SavedSecondStart {
    fn is_none(&self) -> bool {
        *self == SavedSecondStart::None
    }
}

/// Tensors by name, each with its shape.
pub(crate) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

/// Columns of the nodes before their data: time, whether they are first and fixed, sample.
const NODE_COLUMNS: usize = 4;

impl WeakConstraintState {
    /// Returns what a checkpoint stores.
    pub(crate) fn save(&self) -> (SavedState, Tensors) {
        let (nodes, fit) = (&self.nodes, &self.fit);
        let mut tensors = Tensors::new();
        let mut add = |name: &str, width: usize, values: Vec<f64>| {
            let shape = vec![values.len() / width.max(1), width];
            tensors.insert(format!("{PREFIX}{name}"), (shape, values));
        };
        let mut rows = vec![];
        for k in 0..nodes.len() {
            let flag = |x: bool| f64::from(u8::from(x));
            let sample = nodes.sample[k] as f64;
            rows.extend([
                nodes.t[k],
                flag(nodes.first[k]),
                flag(nodes.fixed[k]),
                sample,
            ]);
            rows.extend_from_slice(&nodes.y[k * nodes.dof..(k + 1) * nodes.dof]);
        }
        add("nodes", NODE_COLUMNS + nodes.dof, rows);
        let scales = [
            &self.scaling.mean[..],
            &self.scaling.sd,
            &self.sigma_of_splines,
        ];
        add("scales", nodes.dof, scales.concat());
        add("map", 5, self.map.to_table());
        let mut add_estimate = |name: &str, estimate: &Estimate| {
            add(&format!("{name}.w"), 1, estimate.w.clone());
            add(&format!("{name}.states"), nodes.dof, estimate.s.clone());
            let scalars = [estimate.alpha, estimate.mu, estimate.gamma];
            let weights = [&scalars[..], &estimate.sigma].concat();
            add(&format!("{name}.weights"), 1, weights);
        };
        add_estimate("estimate", &fit.estimate);
        if let Some(lifted) = &fit.lifted {
            add_estimate("lifted", lifted);
        }
        let second_start = match &fit.second_start {
            SecondStart::None => SavedSecondStart::None,
            SecondStart::Possible(start) => {
                add_estimate("start", start);
                SavedSecondStart::Possible
            }
            SecondStart::Begun { first, .. } => {
                add_estimate("first", &first.estimate);
                SavedSecondStart::Begun
            }
        };
        if let SecondStart::Begun {
            first,
            log_evidence,
        } = &fit.second_start
        {
            let failed = f64::from(u8::from(first.failed));
            let place = [first.q, first.lambda, first.accepted_lambda];
            let rest = [first.smallest_lambda, failed, *log_evidence];
            add("first.end", 1, [place, rest].concat());
        }
        add("q", 1, vec![fit.q]);
        let lambdas = [fit.lambda, fit.accepted_lambda, fit.smallest_lambda];
        add("lambda", 1, lambdas.to_vec());
        if let Some(a) = self.assessment {
            add(
                "assessment",
                4,
                vec![a.log_evidence, a.gamma, a.growth, a.noise_ratio],
            );
        }
        let saved = SavedState {
            phase: fit.phase,
            iteration: fit.iteration,
            updates_sigma: fit.updates_sigma,
            failed: fit.failed,
            substeps: nodes.substeps,
            has_lifted: fit.lifted.is_some(),
            second_start,
        };
        (saved, tensors)
    }

    /// Returns the state that a checkpoint of this model stores, trained with these settings; `take` removes a tensor by its name. `None` where something is missing or does not
    /// fit.
    pub(crate) fn load(
        saved: &SavedState,
        model: &VectorField,
        settings: &WeakConstraint,
        mut take: impl FnMut(&str) -> Option<Vec<f64>>,
    ) -> Option<Self> {
        let (dof, n_params) = (model.dof(), model.n_params());
        let mut tensor = |name: &str| take(&format!("{PREFIX}{name}"));
        let mut nodes = Nodes::empty(dof, saved.substeps).with_noise(&settings.noise);
        let rows = tensor("nodes")?;
        for row in rows.chunks(NODE_COLUMNS + dof) {
            let ([t, first, fixed, sample], y) = row.split_first_chunk()?;
            let start = match (*first != 0.0, *fixed != 0.0) {
                (false, _) => Start::None,
                (true, false) => Start::Free,
                (true, true) => Start::Given,
            };
            (y.len() == dof).then(|| nodes.push(*t, y, *sample as usize, start))?;
        }
        let scales = tensor("scales")?;
        let [mean, sd, sigma_of_splines] = [0, 1, 2].map(|i| {
            let part = scales.get(i * dof..(i + 1) * dof);
            part.map(<[f64]>::to_vec).unwrap_or_default()
        });
        let map = ParameterMap::from_table(&tensor("map")?, model)?;
        let n_states = nodes.len() * dof;
        let mut estimate = |name: &str| {
            let w = tensor(&format!("{name}.w"))?;
            let s = tensor(&format!("{name}.states"))?;
            let weights = tensor(&format!("{name}.weights"))?;
            let ([alpha, mu, gamma], sigma) = weights.split_first_chunk()?;
            let fits = w.len() == n_params && s.len() == n_states && sigma.len() == dof;
            fits.then(|| Estimate {
                w,
                s,
                alpha: *alpha,
                sigma: sigma.to_vec(),
                mu: *mu,
                gamma: *gamma,
            })
        };
        let now = estimate("estimate")?;
        let lifted = match saved.has_lifted {
            true => Some(estimate("lifted")?),
            false => None,
        };
        let second_start = match saved.second_start {
            SavedSecondStart::None => SecondStart::None,
            SavedSecondStart::Possible => SecondStart::Possible(Box::new(estimate("start")?)),
            SavedSecondStart::Begun => {
                let first = estimate("first")?;
                let &[
                    q,
                    lambda,
                    accepted_lambda,
                    smallest_lambda,
                    failed,
                    log_evidence,
                ] = tensor("first.end")?.first_chunk()?;
                SecondStart::Begun {
                    first: Box::new(Fit {
                        phase: Phase::Done,
                        q,
                        iteration: 0,
                        updates_sigma: false,
                        estimate: first,
                        lifted: None,
                        lambda,
                        accepted_lambda,
                        smallest_lambda,
                        failed: failed != 0.0,
                        second_start: SecondStart::None,
                    }),
                    log_evidence,
                }
            }
        };
        let q = *tensor("q")?.first()?;
        let (lambda, accepted_lambda, smallest_lambda) = match tensor("lambda")?[..] {
            [now, accepted, smallest] => (now, accepted, smallest),
            _ => return None,
        };
        // A training that `epochs` ended is assessed before it is done.
        let assessment = match tensor("assessment").as_deref() {
            Some([log_evidence, gamma, growth, noise_ratio]) => Some(Assessment {
                log_evidence: *log_evidence,
                gamma: *gamma,
                growth: *growth,
                noise_ratio: *noise_ratio,
            }),
            _ => None,
        };
        let fits = sigma_of_splines.len() == dof && map.len() == n_params;
        (fits && nodes.first.first() == Some(&true)).then_some(WeakConstraintState {
            nodes,
            map,
            scaling: Standardization { mean, sd },
            sigma_of_splines,
            fit: Fit {
                phase: saved.phase,
                q,
                iteration: saved.iteration,
                updates_sigma: saved.updates_sigma,
                estimate: now,
                lifted,
                lambda,
                accepted_lambda,
                smallest_lambda,
                failed: saved.failed,
                second_start,
            },
            assessment,
        })
    }
}
