//! The state of a weak-constraint training: what it needs to go on, and to say how far to trust its result.

use ndarray::Array2;

use odesync_ode::field::VectorField;
use odesync_ode::odesolve::SolveOptions;

use super::fit::{Assessment, Fit, FitStep};
use super::flow::Flow;
use super::nodes::Nodes;
use super::parameter_map::ParameterMap;
use super::residual_loss::ResidualLoss;
use super::settings::WeakConstraint;
use super::setup::{Setup, prepare};
use super::standardization::Standardization;
use crate::Result;
use crate::datasets::Dataset;
use crate::observation::Observation;

/// Growth of an initial error within the data below which a model is not called unstable.
const STABLE_GROWTH: f64 = 100.0;

/// State of a weak-constraint training.
#[derive(Debug, Clone)]
pub struct WeakConstraintState {
    pub(super) nodes: Nodes,
    pub(super) map: ParameterMap,
    pub(super) scaling: Standardization,
    /// Noise that the splines left, standardised, `[dof]`.
    pub(super) sigma_of_splines: Vec<f64>,
    pub(super) fit: Fit,
    pub(super) assessment: Option<Assessment>,
}

/// What a step of a training shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepReport {
    /// Homotopy parameter λ; NaN where there is no coupling.
    pub lambda: f64,
    /// Model error q, in units of the data's spread; 0 where the model is free.
    pub q: f64,
    /// Cost over the number of data.
    pub loss: f64,
    /// Σ ((state − datum)/σ)² over the number of data.
    pub chi2: f64,
    pub log_evidence: f64,
}

/// What a training begins with.
pub(crate) struct TrainingStart<'a> {
    pub model: &'a VectorField,
    pub data: &'a Dataset,
    pub settings: &'a WeakConstraint,
    /// Whether the model is coupled to the splines of the data, in place of a model error.
    pub is_homotopy: bool,
    pub observation: &'a Observation,
    pub options: &'a SolveOptions,
}

impl TrainingStart<'_> {
    fn setup(&self) -> Result<Setup> {
        let options = self.settings.solve_options(self.options)?;
        let mut setup = prepare(
            self.model,
            self.data,
            self.observation,
            self.settings,
            &options,
        )?;
        if self.is_homotopy {
            setup.couple()?;
        }
        Ok(setup)
    }
}

/// A training between two steps.
pub(crate) struct WeakConstraintTraining {
    pub state: WeakConstraintState,
    pub(super) flow: Flow,
}

impl WeakConstraintTraining {
    /// Begins a training.
    pub fn start(start: &TrainingStart) -> Result<Self> {
        let mut setup = start.setup()?;
        let fit = Fit::start(&mut setup)?;
        let Setup {
            nodes,
            flow,
            sigma_of_splines,
            ..
        } = setup;
        let state = WeakConstraintState {
            nodes,
            map: flow.map.clone(),
            scaling: flow.scaling.clone(),
            sigma_of_splines,
            fit,
            assessment: None,
        };
        Ok(WeakConstraintTraining { state, flow })
    }

    /// Goes on with a training that was saved.
    pub fn resume(start: &TrainingStart, mut state: WeakConstraintState) -> Result<Self> {
        // That of a training which ended after some epochs does not hold for its continuation.
        state.assessment = None;
        let flow = match start.is_homotopy {
            // The splines that the model is coupled to are not saved.
            true => start.setup()?.flow,
            false => state.flow(start.model, start.settings, start.options)?,
        };
        Ok(WeakConstraintTraining { state, flow })
    }

    /// Makes the next step, and what is to be done after it; `None` where the training is done. After an error of either the
    /// training is as it was before.
    pub fn advance_and<T>(
        &mut self,
        then: impl FnOnce(&Self) -> Result<T>,
    ) -> Result<Option<(StepReport, T)>> {
        let before = self.state.fit.clone();
        let made = match self.advance() {
            Ok(Some(report)) => then(self).map(|done| Some((report, done))),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        match made {
            Err(_) => self.state.fit = before,
            // What was assessed is the state before this step.
            Ok(Some(_)) => self.state.assessment = None,
            Ok(None) => {}
        }
        made
    }

    fn advance(&mut self) -> Result<Option<StepReport>> {
        let WeakConstraintState {
            nodes,
            fit,
            sigma_of_splines,
            ..
        } = &mut self.state;
        let is_homotopy = self.flow.coupled.is_some();
        let step = fit.advance(&mut self.flow, nodes, sigma_of_splines)?;
        let n = nodes.n_data() as f64;
        Ok(step.map(
            |FitStep {
                 lambda,
                 q,
                 cost,
                 log_evidence,
             }| StepReport {
                lambda: if is_homotopy { lambda } else { f64::NAN },
                q,
                loss: cost.total() / n,
                chi2: cost.chi2 / n,
                log_evidence,
            },
        ))
    }

    /// Assesses a training that is done, at a state of one of its steps; at the last one where there is none.
    pub fn assess_at(&mut self, state: Option<&mut WeakConstraintState>) -> Result<()> {
        let WeakConstraintState {
            nodes,
            fit,
            sigma_of_splines,
            assessment,
            ..
        } = state.unwrap_or(&mut self.state);
        *assessment = Some(fit.assess(&mut self.flow, nodes, sigma_of_splines)?);
        Ok(())
    }

    /// Returns the model as it is now.
    pub fn model(&self) -> Result<VectorField> {
        self.flow.model(&self.state.fit.estimate.w)
    }

    /// Returns the number of evaluations of the field so far.
    pub fn n_evaluations(&self) -> usize {
        self.flow.n_evaluations
    }
}

impl WeakConstraintState {
    /// Returns the flow of a model with this state's parameters and scales.
    pub(super) fn flow(
        &self,
        model: &VectorField,
        settings: &WeakConstraint,
        options: &SolveOptions,
    ) -> Result<Flow> {
        let options = settings.solve_options(options)?;
        let options = self.nodes.interval_options(settings.substeps, &options);
        let (map, scaling) = (self.map.clone(), self.scaling.clone());
        Ok(Flow::new(model.clone(), map, scaling, options))
    }

    /// Returns a model with the parameters of this state.
    ///
    /// # Errors
    /// Another model than the one that was trained.
    pub(crate) fn model(&self, model: &VectorField) -> Result<VectorField> {
        model.with_params(&self.map.theta(&self.fit.estimate.w))
    }

    /// Returns the estimated initial states, `[sample, dof]`, in the user's units.
    pub(crate) fn u0(&self) -> Array2<f64> {
        let dof = self.nodes.dof;
        let starts: Vec<usize> = self.nodes.trajectories().map(|own| own.start).collect();
        Array2::from_shape_fn((starts.len(), dof), |(i, j)| {
            let z = self.fit.estimate.s[starts[i] * dof + j];
            self.scaling.to_user(j, z)
        })
    }

    /// Returns the log evidence of the model, natural logarithm; `None` before the training is done.
    pub fn log_evidence(&self) -> Option<f64> {
        self.assessment.map(|a| a.log_evidence)
    }

    /// Returns the noise that the model leaves over the noise that smoothing splines of the data leave; `None` before the training is
    /// done.
    pub fn noise_ratio(&self) -> Option<f64> {
        self.assessment.map(|a| a.noise_ratio)
    }

    /// Returns the effective number of parameters γ that the data determine.
    pub fn effective_parameters(&self) -> f64 {
        self.fit.estimate.gamma
    }

    /// Returns the estimated standard deviation of the noise of each state variable in the user's units, `[dof]`; NaN for one that
    /// was not measured.
    pub fn noise(&self) -> Vec<f64> {
        let counts = self.nodes.n_data_by_component();
        let sigma = self.fit.estimate.sigma.iter().zip(&self.scaling.sd);
        (sigma.zip(counts))
            .map(|((sigma, sd), n)| if n > 0 { sigma * sd } else { f64::NAN })
            .collect()
    }

    /// Whether the estimated states are the free solution of the model; otherwise they follow the data with a small model error,
    /// since the model's own solution is chaotic or unstable over the data.
    pub fn is_free(&self) -> bool {
        self.fit.is_free()
    }

    /// Returns the largest factor by which an error of the initial state grows within a trajectory; `None` before the training is
    /// done.
    pub fn growth(&self) -> Option<f64> {
        self.assessment.map(|a| a.growth)
    }

    /// Returns the residuals (datum − state)/σ, outliers with the root of their weight, of each state variable, trajectory by trajectory, in the order of time.
    pub(crate) fn residuals(&self) -> Vec<Vec<f64>> {
        let mut all = vec![vec![]; self.nodes.dof];
        for (i, j, y) in self.nodes.data() {
            let estimate = &self.fit.estimate;
            let r = (y - estimate.s[i]) / estimate.sigma[j];
            all[j].push(match self.nodes.loss {
                ResidualLoss::Gaussian => r,
                loss => loss.weight(r).sqrt() * r,
            });
        }
        all
    }

    /// Returns the places of constants among the trainable parameters, in the order of their estimates.
    pub(crate) fn constant_places(&self) -> Vec<usize> {
        self.map.constant_places()
    }

    /// Returns the last time of the data.
    pub(crate) fn last_time(&self) -> f64 {
        self.nodes
            .t
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max)
    }

    /// Returns the standard deviation of the data of each state variable, `[dof]`, in the user's units.
    pub(crate) fn spread(&self) -> &[f64] {
        &self.scaling.sd
    }

    /// Returns the estimated states at the data's times in the user's units, `[node, dof]`.
    pub(crate) fn states(&self) -> Array2<f64> {
        let dof = self.nodes.dof;
        Array2::from_shape_fn((self.nodes.len(), dof), |(k, j)| {
            self.scaling.to_user(j, self.fit.estimate.s[k * dof + j])
        })
    }

    /// Returns what a user should know before the result is trusted; empty where nothing was found.
    pub fn warnings(&self) -> Vec<String> {
        let mut all = vec![];
        if self.fit.failed {
            all.push("not a single step lowered the cost: the model cannot follow the data".into());
            return all;
        }
        let Some(assessment) = self.assessment else {
            return all;
        };
        if assessment.noise_ratio > 2.0 {
            all.push(format!(
                "the noise was not reached: the residuals are {:.1} times those of a smoothing spline, so the model cannot follow the \
                 data; try a wider network, another form of the model, or look for an input that is missing",
                assessment.noise_ratio
            ));
        }
        if !self.is_free() {
            let growth = assessment.growth;
            let why = match growth < STABLE_GROWTH {
                true => format!(
                    ", though an error of the initial state grows at most {growth:.0} times over them: small errors of the model add up, \
                     or a state that is not measured has more than one explanation; compare other seeds, and look at the residuals"
                ),
                false => format!(
                    ": an error of the initial state grows {growth:.0e} times over them, so the dynamics are chaotic or the model is unstable"
                ),
            };
            all.push(format!(
                "the free solution of the model does not stay with the data{why}; the fit holds from node to node, a prediction for a \
                 short time"
            ));
        }
        all
    }
}
