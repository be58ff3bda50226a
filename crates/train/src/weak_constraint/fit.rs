//! The whole training as a sequence of steps: q from 0.5 to 0, then the free model where it is stable.

use super::flow::Flow;
use super::gauss_newton::{
    Cost, Estimate, Iteration, Linearized, Stage, chi2, cost, iterate, linearized, log_evidence,
    log_misfit,
};
use super::gradient_matching::{Matched, match_gradients};
use super::kalman::Weights;
use super::nodes::Nodes;
use super::noise_level::geometric_mean;
use super::parameter_prior::RidgePrior;
use super::second_start::SecondStart;
use super::setup::Setup;
use crate::Result;

/// First model error q, in units of the data's spread, the factor from stage to stage, and the last.
const Q: (f64, f64, f64) = (0.5, 0.4, 1e-4);
/// Most steps of a stage with a q, and of the last stages.
const MAX_ITERATIONS: (usize, usize) = (8, 60);
/// Relative decrease of the cost at which such stages end.
const TOLERANCE: (f64, f64) = (1e-2, 1e-4);
/// Growth of an initial error within the data above which the free model is not trained.
const MAX_GROWTH: f64 = 1e4;
/// Largest damping with which a stage begins, and smallest of the free one.
const MU_RANGE: (f64, f64) = (1e-3, 1e2);
/// Rise of the mean log residual above which the free model is not kept.
const MAX_MISFIT_RISE: f64 = 0.15;

/// Factor by which λ falls from one stage of a homotopy to the next, and the value below which it is 0.
const LAMBDA: (f64, f64) = (0.5, 0.02);
/// The λ below which a homotopy ends where the free model does not follow the data.
const MIN_SMALLEST_LAMBDA: f64 = 1e-4;
/// Smallest relative decrease of λ that is tried before the homotopy ends.
const MIN_LAMBDA_STEP: f64 = 0.05;

/// Part of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// States at the nodes are unknowns; q falls from stage to stage.
    Lifted,
    /// States are the solution of the model coupled to the splines of the data; λ falls from stage to stage.
    Coupled,
    /// States are the free solution of the model.
    Free,
    /// States stay unknowns, at the smallest q: a long chaotic trajectory.
    LastLifted,
    /// Nothing is left to do.
    Done,
}

/// The state of a training between two steps.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    pub phase: Phase,
    /// Model error q of the stage.
    pub q: f64,
    /// Steps of the stage so far.
    pub iteration: usize,
    /// Whether the stage estimates the noise.
    pub updates_sigma: bool,
    pub estimate: Estimate,
    /// The estimate before the free phase, while that lasts; in the coupled phase the one at the λ before.
    pub lifted: Option<Estimate>,
    /// Homotopy parameter λ of the stage.
    pub lambda: f64,
    /// The last λ at which the model followed the data.
    pub accepted_lambda: f64,
    /// The λ below which the free model is tried.
    pub smallest_lambda: f64,
    /// Whether not a single step could be made.
    pub failed: bool,
    /// Whether, and from what, the training begins once more.
    pub second_start: SecondStart,
}

/// What is known of a training that is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Assessment {
    pub log_evidence: f64,
    /// Effective number of parameters γ.
    pub gamma: f64,
    /// Largest factor by which an initial error grows within a trajectory.
    pub growth: f64,
    /// Noise over that of the splines: geometric mean over the data.
    pub noise_ratio: f64,
}

/// A step that was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct FitStep {
    /// Homotopy parameter λ of the stage.
    pub lambda: f64,
    /// Model error q of the stage.
    pub q: f64,
    pub cost: Cost,
    pub log_evidence: f64,
}

impl Fit {
    /// Begins a training: gradient matching, where there are targets for it; then a homotopy, where the model is coupled, else states
    /// that are unknowns.
    pub fn start(setup: &mut Setup) -> Result<Self> {
        let Matched { w, alpha } = match &setup.targets {
            Some(targets) => match_gradients(&setup.flow, targets, setup.w.clone())?,
            None => Matched {
                w: setup.w.clone(),
                alpha: 1.0,
            },
        };
        let estimate = Estimate {
            w,
            s: setup.s.clone(),
            alpha,
            sigma: setup.sigma.clone(),
            mu: 1.0,
            gamma: 0.0,
        };
        let second_start = SecondStart::Possible(Box::new(estimate.clone()));
        let fit = match setup.flow.coupled.is_some() {
            true => Fit::coupled(&mut setup.flow, &setup.nodes, estimate)?,
            false => Fit::lifted(&setup.nodes, estimate),
        };
        Ok(Fit {
            second_start,
            ..fit
        })
    }

    /// Begins with states that are unknowns, at the first q.
    pub(super) fn lifted(nodes: &Nodes, estimate: Estimate) -> Self {
        Fit::at(nodes, estimate, Q.0)
    }

    /// Begins a homotopy with the coupled model at λ = 1.
    pub(super) fn coupled(flow: &mut Flow, nodes: &Nodes, estimate: Estimate) -> Result<Self> {
        let mut fit = Fit::lifted(nodes, estimate);
        fit.q = 0.0;
        fit.accepted_lambda = 1.0;
        fit.begin_lambda(flow, nodes, 1.0)?;
        Ok(fit)
    }

    /// Begins a training near the dynamics: at the states and the noise of another estimate, with a first model error q.
    pub fn start_at(nodes: &Nodes, w: Vec<f64>, near: &Estimate, q: f64) -> Self {
        let estimate = Estimate {
            w,
            alpha: 1.0,
            mu: 1.0,
            gamma: 0.0,
            ..near.clone()
        };
        Fit::at(nodes, estimate, q)
    }

    fn at(nodes: &Nodes, estimate: Estimate, q: f64) -> Self {
        Fit {
            phase: Phase::Lifted,
            q,
            iteration: 0,
            updates_sigma: q < 0.1 * smallest_sigma(nodes, &estimate.sigma),
            estimate,
            lifted: None,
            lambda: 0.0,
            accepted_lambda: 0.0,
            smallest_lambda: LAMBDA.1,
            failed: false,
            second_start: SecondStart::None,
        }
    }

    /// Makes the next step; `None` where nothing is left to do. After an error the training may be anywhere within the step.
    pub fn advance(
        &mut self,
        flow: &mut Flow,
        nodes: &Nodes,
        sigma_of_splines: &[f64],
    ) -> Result<Option<FitStep>> {
        loop {
            let step = self.advance_once(flow, nodes, sigma_of_splines)?;
            if step.is_some() || !self.begin_again(flow, nodes, sigma_of_splines)? {
                return Ok(step);
            }
        }
    }

    /// Makes the next step of the training from one start.
    fn advance_once(
        &mut self,
        flow: &mut Flow,
        nodes: &Nodes,
        sigma_of_splines: &[f64],
    ) -> Result<Option<FitStep>> {
        while self.phase != Phase::Done {
            let leveraged;
            let loss = nodes.loss.at_high_leverage();
            let nodes = match self.phase {
                Phase::Lifted if loss != nodes.loss => {
                    leveraged = Nodes {
                        loss,
                        ..nodes.clone()
                    };
                    &leveraged
                }
                _ => nodes,
            };
            let is_last = matches!(self.phase, Phase::Free | Phase::LastLifted);
            let (most, tolerance) = match is_last {
                false => (MAX_ITERATIONS.0, TOLERANCE.0),
                true => (MAX_ITERATIONS.1, TOLERANCE.1),
            };
            if self.iteration < most {
                flow.lambda = self.lambda;
                let stage = Stage {
                    q: self.q,
                    tolerance,
                    follows_evidence: true,
                    updates_sigma: self.updates_sigma,
                };
                let made = iterate(flow, nodes, &mut self.estimate, sigma_of_splines, stage)?;
                if let Iteration::Accepted {
                    cost,
                    log_evidence,
                    converged,
                } = made
                {
                    let (q, lambda) = (self.q, self.lambda);
                    self.iteration += 1;
                    if converged {
                        self.end_stage(flow, nodes)?;
                    }
                    return Ok(Some(FitStep {
                        lambda,
                        q,
                        cost,
                        log_evidence,
                    }));
                }
            }
            self.end_stage(flow, nodes)?;
        }
        Ok(None)
    }

    /// Ends the stage and begins the next.
    fn end_stage(&mut self, flow: &mut Flow, nodes: &Nodes) -> Result<()> {
        match self.phase {
            Phase::Lifted => self.end_lifted_stage(flow, nodes)?,
            Phase::Free => self.end_free_stage(flow, nodes)?,
            Phase::Coupled => self.end_coupled_stage(flow, nodes)?,
            Phase::LastLifted | Phase::Done => self.phase = Phase::Done,
        }
        Ok(())
    }

    fn end_lifted_stage(&mut self, flow: &mut Flow, nodes: &Nodes) -> Result<()> {
        if self.q == Q.0 && self.iteration == 0 {
            self.failed = true;
            self.phase = Phase::Done;
            return Ok(());
        }
        let free = flow.rollout(nodes, &self.estimate.w, &self.estimate.s)?;
        let free = free.map(|s| Estimate {
            s,
            ..self.estimate.clone()
        });
        let follows = free
            .as_ref()
            .is_some_and(|free| follows(nodes, &self.estimate, free));
        if !follows && self.q > Q.2 {
            self.q = (self.q * Q.1).max(Q.2);
            self.begin(Phase::Lifted, nodes);
            return Ok(());
        }
        let stable = match free {
            Some(free) => {
                let linear = flow.linearize(nodes, &self.estimate.w, &self.estimate.s)?;
                let growth = linear.map_or(f64::INFINITY, |(_, linear)| growth(nodes, &linear.a));
                (growth < MAX_GROWTH).then_some(free)
            }
            None => None,
        };
        match stable {
            Some(free) => {
                self.lifted = Some(std::mem::replace(&mut self.estimate, free));
                self.begin(Phase::Free, nodes);
            }
            None => self.begin(Phase::LastLifted, nodes),
        }
        Ok(())
    }

    /// Ends a stage of a homotopy: λ falls where the model still follows the data, and less far where it does not.
    fn end_coupled_stage(&mut self, flow: &mut Flow, nodes: &Nodes) -> Result<()> {
        let follows = match &self.lifted {
            // The first stage.
            None => true,
            Some(before) => follows(nodes, before, &self.estimate),
        };
        if !follows {
            return self.take_smaller_lambda_step(flow, nodes);
        }
        self.lifted = Some(self.estimate.clone());
        self.accepted_lambda = self.lambda;
        let next = self.lambda * LAMBDA.0;
        let next = if next < self.smallest_lambda {
            0.0
        } else {
            next
        };
        self.begin_lambda(flow, nodes, next)
    }

    /// Goes back to the last λ that was accepted, and tries one nearer to it; ends the training where there is none.
    fn take_smaller_lambda_step(&mut self, flow: &mut Flow, nodes: &Nodes) -> Result<()> {
        self.go_back();
        let next = (self.lambda + self.accepted_lambda) / 2.0;
        if self.accepted_lambda - next < MIN_LAMBDA_STEP * self.accepted_lambda {
            self.lambda = self.accepted_lambda;
            self.failed = self.lifted.is_none();
            self.phase = Phase::Done;
            return Ok(());
        }
        self.begin_lambda(flow, nodes, next)
    }

    /// Begins the stage of a homotopy at a λ: the states are the solution there.
    fn begin_lambda(&mut self, flow: &mut Flow, nodes: &Nodes, lambda: f64) -> Result<()> {
        self.lambda = lambda;
        flow.lambda = lambda;
        let solved = flow.rollout(nodes, &self.estimate.w, &self.estimate.s)?;
        let Some(s) = solved else {
            return self.take_smaller_lambda_step(flow, nodes);
        };
        self.estimate.s = s;
        let phase = if lambda == 0.0 {
            Phase::Free
        } else {
            Phase::Coupled
        };
        self.begin(phase, nodes);
        Ok(())
    }

    /// Ends the free phase: done where the model still follows the data. Else its states stay unknowns, or, in a homotopy, λ falls
    /// further first.
    fn end_free_stage(&mut self, flow: &mut Flow, nodes: &Nodes) -> Result<()> {
        let rise = self.lifted.as_ref().map_or(0.0, |before| {
            log_misfit(nodes, &self.estimate) - log_misfit(nodes, before)
        });
        if rise < MAX_MISFIT_RISE {
            self.lifted = None;
            self.phase = Phase::Done;
            return Ok(());
        }
        if self.accepted_lambda == 0.0 {
            self.go_back();
            self.lifted = None;
            self.begin(Phase::LastLifted, nodes);
            return Ok(());
        }
        self.smallest_lambda /= 4.0;
        if self.smallest_lambda < MIN_SMALLEST_LAMBDA {
            self.go_back();
            self.lambda = self.accepted_lambda;
            self.phase = Phase::Done;
            return Ok(());
        }
        self.take_smaller_lambda_step(flow, nodes)
    }

    /// Takes the last estimate at which the model followed the data.
    fn go_back(&mut self) {
        if let Some(before) = &self.lifted {
            self.estimate = before.clone();
        }
    }

    fn begin(&mut self, phase: Phase, nodes: &Nodes) {
        self.phase = phase;
        self.iteration = 0;
        let least = match phase {
            Phase::Free => MU_RANGE.0,
            _ => 0.0,
        };
        self.estimate.mu = self.estimate.mu.clamp(least, MU_RANGE.1);
        match phase {
            Phase::Free => self.q = 0.0,
            Phase::LastLifted => self.q = Q.2,
            Phase::Coupled | Phase::Lifted | Phase::Done => {}
        }
        self.updates_sigma = matches!(phase, Phase::Free | Phase::LastLifted)
            || phase == Phase::Lifted && self.q < 0.1 * smallest_sigma(nodes, &self.estimate.sigma);
    }

    /// Whether the states are the free solution of the model.
    pub fn is_free(&self) -> bool {
        self.q == 0.0 && self.lambda == 0.0
    }

    /// Assesses a training that is done.
    pub fn assess(
        &mut self,
        flow: &mut Flow,
        nodes: &Nodes,
        sigma_of_splines: &[f64],
    ) -> Result<Assessment> {
        flow.lambda = self.lambda;
        let sigma = &self.estimate.sigma;
        let noise_ratio = geometric_mean(nodes, |j| sigma[j] / sigma_of_splines[j]);
        let at = (&self.estimate.w[..], &self.estimate.s[..]);
        let weights = Weights {
            q: self.q,
            sigma: &self.estimate.sigma,
            by_information: true,
        };
        let linear = match self.failed {
            true => None,
            false => linearized(flow, nodes, at, weights)?,
        };
        let (mut evidence, mut growth_of_errors) = (f64::NEG_INFINITY, f64::INFINITY);
        if let Some(Linearized { e, a, filtered }) = linear {
            growth_of_errors = growth(nodes, &a);
            let own = flow.map.own_priors(&self.estimate.w);
            let prior = RidgePrior {
                alpha: self.estimate.alpha,
                own: &own,
            };
            if let Some(terms) = filtered.ridge.evidence_terms(prior) {
                self.estimate.gamma = terms.gamma;
                let cost = cost(nodes, &flow.map, &self.estimate, &e, self.q);
                evidence = log_evidence(cost, terms, &filtered, flow.map.log_prior_mass());
            }
        }
        Ok(Assessment {
            log_evidence: evidence,
            gamma: self.estimate.gamma,
            growth: growth_of_errors,
            noise_ratio,
        })
    }
}

/// Whether an estimate follows the data as one before did.
fn follows(nodes: &Nodes, before: &Estimate, now: &Estimate) -> bool {
    chi2(nodes, now) < 1.3 * chi2(nodes, before) + 0.1 * nodes.n_data() as f64
}

/// Returns the smallest noise of the measured state variables.
fn smallest_sigma(nodes: &Nodes, sigma: &[f64]) -> f64 {
    let counts = nodes.n_data_by_component();
    let measured = sigma.iter().zip(counts).filter(|(_, n)| *n > 0);
    measured.fold(f64::INFINITY, |m, (s, _)| m.min(*s))
}

/// Returns the largest factor by which the model magnifies an initial error within a trajectory: max_k |A_k … A_0|, in the spectral
/// norm.
fn growth(nodes: &Nodes, a: &[Vec<f64>]) -> f64 {
    let dof = nodes.dof;
    let identity = || nalgebra::DMatrix::<f64>::identity(dof, dof);
    let (mut product, mut largest) = (identity(), 1.0_f64);
    for k in 1..nodes.len() {
        product = match nodes.first[k] {
            true => identity(),
            false => nalgebra::DMatrix::from_row_slice(dof, dof, &a[k - 1]) * product,
        };
        let norm = product.singular_values().max();
        largest = largest.max(if norm.is_nan() { f64::INFINITY } else { norm });
    }
    largest
}
