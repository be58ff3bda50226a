//! The flow of the model from each node to the next, in standardised units, with its derivatives.

use odesync_ode::field::VectorField;
use odesync_ode::odesolve::{Engine, NativeEngine, Problem, SolveOptions};

use super::kalman::Linearization;
use super::nodes::Nodes;
use super::parameter_map::ParameterMap;
use super::standardization::Standardization;
use crate::synchronization::with_lambda;
use crate::{Error, Result};

/// The model and the steps with which it is solved.
pub(super) struct Flow {
    pub field: VectorField,
    pub map: ParameterMap,
    pub scaling: Standardization,
    options: SolveOptions,
    engine: NativeEngine,
    /// The field coupled to the splines of the data, for a homotopy.
    pub coupled: Option<VectorField>,
    /// Homotopy parameter λ; 0 for the field alone.
    pub lambda: f64,
    /// Number of evaluations of the field so far.
    pub n_evaluations: usize,
}

impl Flow {
    /// Creates the flow of a field whose parameters are `map`'s, solved with these options.
    pub fn new(
        field: VectorField,
        map: ParameterMap,
        scaling: Standardization,
        options: SolveOptions,
    ) -> Self {
        Flow {
            field,
            map,
            scaling,
            options,
            engine: NativeEngine::default(),
            coupled: None,
            lambda: 0.0,
            n_evaluations: 0,
        }
    }

    /// Returns the flow of another field, with the scaling and the options of this one.
    pub fn with_field(&self, field: VectorField, map: ParameterMap) -> Self {
        Flow::new(field, map, self.scaling.clone(), self.options.clone())
    }

    /// Returns the options of the intervals' solves.
    pub fn options(&self) -> &SolveOptions {
        &self.options
    }

    /// Checks that the user has not stopped the training.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check_interrupt(&self) -> Result<()> {
        match self.options.is_interrupted() {
            true => Err(Error::Interrupted),
            false => Ok(()),
        }
    }

    /// Returns the model with the parameters w.
    pub fn model(&self, w: &[f64]) -> Result<VectorField> {
        self.field.with_params(&self.map.theta(w))
    }

    /// Returns the field that is solved at the parameters w: the model, coupled to the splines where λ is not 0.
    fn solved_field(&self, w: &[f64]) -> Result<VectorField> {
        match &self.coupled {
            Some(coupled) if self.lambda != 0.0 => {
                with_lambda(&coupled.with_params(&self.map.theta(w))?, self.lambda)
            }
            _ => self.model(w),
        }
    }

    /// Returns the ends of the flow from each node, `[node, dof]` (that from node k is at k + 1; zero where a trajectory begins).
    /// `None` where a solve fails.
    pub fn ends(&mut self, nodes: &Nodes, w: &[f64], s: &[f64]) -> Result<Option<Vec<f64>>> {
        self.solve_intervals(nodes, w, s, false)
    }

    fn solve_intervals(
        &mut self,
        nodes: &Nodes,
        w: &[f64],
        s: &[f64],
        keep: bool,
    ) -> Result<Option<Vec<f64>>> {
        let (dof, model) = (nodes.dof, self.solved_field(w)?);
        let u = self.scaling.all_to_user(s);
        let problems: Vec<Problem> = nodes
            .intervals()
            .map(|k| Problem {
                u0: &u[k * dof..(k + 1) * dof],
                t: &nodes.t[k..k + 2],
                sample: nodes.sample[k],
            })
            .collect();
        let solved = self
            .engine
            .forward(&model, &problems, &self.options, None, keep);
        let Some(trajectories) = finite(solved)? else {
            return Ok(None);
        };
        let mut ends = vec![0.0; nodes.len() * dof];
        for (k, trajectory) in nodes.intervals().zip(&trajectories) {
            self.n_evaluations += trajectory.stats.evaluations;
            let end = self.scaling.all_to_standard(&trajectory.u[dof..2 * dof]);
            ends[(k + 1) * dof..(k + 2) * dof].copy_from_slice(&end);
        }
        Ok(ends.iter().all(|x| x.is_finite()).then_some(ends))
    }

    /// Returns the ends of the flow as [`Flow::ends`] does, and its derivatives there. `None` where a solve fails.
    pub fn linearize(
        &mut self,
        nodes: &Nodes,
        w: &[f64],
        s: &[f64],
    ) -> Result<Option<(Vec<f64>, Linearization)>> {
        let Some(ends) = self.solve_intervals(nodes, w, s, true)? else {
            return Ok(None);
        };
        let (dof, n_params) = (nodes.dof, self.map.len());
        let sd = &self.scaling.sd;
        let standardize = |_, jacobian: odesync_ode::odesolve::FinalStateJacobian| {
            let mut a = jacobian.du_du0;
            let mut b = vec![0.0; dof * n_params];
            for i in 0..dof {
                for j in 0..dof {
                    a[i * dof + j] *= sd[j] / sd[i];
                }
                let row = i * n_params..(i + 1) * n_params;
                let to = &mut b[row.clone()];
                self.map.pull_back(w, &jacobian.du_dparams[row], to);
                to.iter_mut().for_each(|b| *b /= sd[i]);
            }
            (a, b)
        };
        let Some(jacobians) = finite(self.engine.final_state_jacobians(standardize))? else {
            return Ok(None);
        };
        let mut linearization = Linearization {
            a: vec![vec![]; nodes.len()],
            b: vec![vec![]; nodes.len()],
        };
        for (k, (a, b)) in nodes.intervals().zip(jacobians) {
            (linearization.a[k], linearization.b[k]) = (a, b);
        }
        Ok(Some((ends, linearization)))
    }

    /// Returns the free solution of every trajectory from its first state in `s`, at the nodes, `[node, dof]`. `None` where a solve
    /// fails.
    pub fn rollout(&mut self, nodes: &Nodes, w: &[f64], s: &[f64]) -> Result<Option<Vec<f64>>> {
        let (dof, model) = (nodes.dof, self.solved_field(w)?);
        let u = self.scaling.all_to_user(s);
        let problems: Vec<Problem> = nodes
            .trajectories()
            .map(|own| Problem {
                u0: &u[own.start * dof..(own.start + 1) * dof],
                t: &nodes.t[own.clone()],
                sample: nodes.sample[own.start],
            })
            .collect();
        let solved = self
            .engine
            .forward(&model, &problems, &self.options, None, false);
        let Some(trajectories) = finite(solved)? else {
            return Ok(None);
        };
        let mut states = vec![];
        for trajectory in trajectories {
            self.n_evaluations += trajectory.stats.evaluations;
            states.extend(trajectory.u);
        }
        let states = self.scaling.all_to_standard(&states);
        Ok(states.iter().all(|x| x.is_finite()).then_some(states))
    }

    /// Fills in the states of nodes that have no `origin`: the flow from the node before. `None` where a solve fails.
    pub fn continue_from(
        &mut self,
        nodes: &Nodes,
        w: &[f64],
        s: &mut [f64],
        origin: &[Option<usize>],
    ) -> Result<Option<()>> {
        let (dof, model) = (nodes.dof, self.solved_field(w)?);
        for k in 1..nodes.len() {
            if origin[k].is_some() {
                continue;
            }
            let u0 = self.scaling.all_to_user(&s[(k - 1) * dof..k * dof]);
            let problem = Problem {
                u0: &u0,
                t: &nodes.t[k - 1..k + 1],
                sample: nodes.sample[k],
            };
            let solved = self
                .engine
                .forward(&model, &[problem], &self.options, None, false);
            let Some(trajectories) = finite(solved)? else {
                return Ok(None);
            };
            let end = self
                .scaling
                .all_to_standard(&trajectories[0].u[dof..2 * dof]);
            s[k * dof..(k + 1) * dof].copy_from_slice(&end);
        }
        Ok(Some(()))
    }
}

/// Returns `None` for a solve that failed, and every other error.
fn finite<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Solve(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
