//! A trained model with its states at the nodes, and other fields that begin at these states.

use odesync_ode::field::VectorField;
use odesync_ode::odesolve::SolveOptions;

use super::fit::{Assessment, Fit};
use super::flow::Flow;
use super::gauss_newton::{Linearized, linearized};
use super::kalman::Weights;
use super::parameter_map::ParameterMap;
use super::posterior::Prediction;
use super::settings::WeakConstraint;
use super::state::{TrainingStart, WeakConstraintState, WeakConstraintTraining};
use crate::datasets::Dataset;
use crate::observation::Observation;
use crate::{Error, Result};

/// A model whose weak-constraint training is done, with its states at the nodes.
pub(crate) struct LiftedModel {
    state: WeakConstraintState,
    flow: Flow,
    /// What is known of the training.
    pub assessment: Assessment,
}

/// What is known of the states and the parameters of a trained model: it predicts, with standard deviations.
#[derive(Debug, Clone)]
pub(crate) struct Posterior {
    state: WeakConstraintState,
    model: VectorField,
    options: SolveOptions,
}

impl Posterior {
    /// Returns the estimated states at the times `t`, in increasing order, and their standard deviations.
    ///
    /// # Errors
    /// Times before every sample's first, or a solve that fails.
    pub fn predict(&self, t: &[f64]) -> Result<Prediction> {
        let (map, scaling) = (self.state.map.clone(), self.state.scaling.clone());
        let mut flow = Flow::new(self.model.clone(), map, scaling, self.options.clone());
        self.state.predict_with(&mut flow, t)
    }
}

/// Least-squares problem h ≈ X w with unit noise: the data's whitened innovations, linearised in the parameters.
pub(crate) struct WhitenedProblem {
    /// X, `[n, P]` row by row.
    pub x: Vec<f64>,
    /// h, `[n]`.
    pub h: Vec<f64>,
}

impl LiftedModel {
    /// Trains a model. `after_step` is called after each step and may end the training with an error.
    pub fn train(
        model: &VectorField,
        data: &Dataset,
        settings: &WeakConstraint,
        observation: &Observation,
        after_step: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Self> {
        let training = WeakConstraintTraining::start(&TrainingStart {
            model,
            data,
            settings,
            is_homotopy: false,
            observation,
            options: &SolveOptions::default(),
        })?;
        let WeakConstraintTraining { state, flow } = training;
        Self::finish(state, flow, after_step)
    }

    /// Takes a training that is done, with the model that it trained.
    pub fn of_state(
        model: &VectorField,
        settings: &WeakConstraint,
        options: &SolveOptions,
        state: &WeakConstraintState,
    ) -> Result<Self> {
        let flow = state.flow(model, settings, options)?;
        Self::finish(state.clone(), flow, &mut || Ok(()))
    }

    /// Trains another field without networks, from the parameters `w`, the states and the noise of this one, with a first model
    /// error q.
    pub fn refit(
        &self,
        field: VectorField,
        w: Vec<f64>,
        q: f64,
        after_step: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Self> {
        let map = ParameterMap::new(&field, &[], &[], &[]);
        let nodes = self.state.nodes.clone();
        let estimate = &self.state.fit.estimate;
        let state = WeakConstraintState {
            map: map.clone(),
            scaling: self.state.scaling.clone(),
            sigma_of_splines: self.state.sigma_of_splines.clone(),
            fit: Fit::start_at(&nodes, w, estimate, q),
            assessment: None,
            nodes,
        };
        Self::finish(state, self.flow.with_field(field, map), after_step)
    }

    fn finish(
        mut state: WeakConstraintState,
        mut flow: Flow,
        after_step: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Self> {
        let (nodes, sigma) = (&state.nodes, &state.sigma_of_splines);
        while state.fit.advance(&mut flow, nodes, sigma)?.is_some() {
            after_step()?;
        }
        let assessment = state.fit.assess(&mut flow, nodes, sigma)?;
        if state.fit.failed {
            return Err(Error::invalid(
                "the model could not be trained on these data, so there are no states from which equations could begin",
            ));
        }
        Ok(LiftedModel {
            state,
            flow,
            assessment,
        })
    }

    /// Returns the trained model.
    pub fn model(&self) -> Result<VectorField> {
        self.flow.model(self.w())
    }

    /// Returns the standardised parameters, `[P]`.
    pub fn w(&self) -> &[f64] {
        &self.state.fit.estimate.w
    }

    /// Returns the precision α of the parameters' prior.
    pub fn alpha(&self) -> f64 {
        self.state.fit.estimate.alpha
    }

    /// Returns sample, time and state in the user's units of each node.
    pub fn points(&self) -> Vec<(usize, f64, Vec<f64>)> {
        let nodes = &self.state.nodes;
        let u = self.flow.scaling.all_to_user(&self.state.fit.estimate.s);
        let places = nodes.sample.iter().zip(&nodes.t);
        places
            .zip(u.chunks_exact(nodes.dof))
            .map(|((sample, t), u)| (*sample, *t, u.to_vec()))
            .collect()
    }

    /// Returns what is known of the states and the parameters.
    pub fn posterior(&self) -> Result<Posterior> {
        Ok(Posterior {
            state: self.state.clone(),
            model: self.model()?,
            options: self.flow.options().clone(),
        })
    }

    /// Returns the initial state of each sample in the user's units, `[sample, dof]`.
    pub fn u0(&self) -> ndarray::Array2<f64> {
        self.state.u0()
    }

    /// Returns the data's whitened problem in the parameters of another field without networks, at its parameters `w` and the
    /// states of this model; `None` where a solve fails.
    pub fn whitened(&self, field: VectorField, w: &[f64]) -> Result<Option<WhitenedProblem>> {
        let map = ParameterMap::new(&field, &[], &[], &[]);
        let mut flow = self.flow.with_field(field, map);
        let (nodes, fit) = (&self.state.nodes, &self.state.fit);
        let weights = Weights {
            q: fit.q,
            sigma: &fit.estimate.sigma,
            by_information: true,
        };
        let linear = linearized(&mut flow, nodes, (w, &fit.estimate.s), weights)?;
        let Some(Linearized { filtered, .. }) = linear else {
            return Ok(None);
        };
        let back: Vec<f64> = w.iter().map(|w| -w).collect();
        let h = filtered.ridge.residual(&back);
        let x = (0..h.len())
            .flat_map(|i| filtered.ridge.row(i).to_vec())
            .collect();
        Ok(Some(WhitenedProblem { x, h }))
    }
}
