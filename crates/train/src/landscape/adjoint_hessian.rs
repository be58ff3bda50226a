//! Exact second derivatives of a training loss, with the steps of its solves held fixed.

use std::sync::Arc;

use rayon::prelude::*;

use super::hessian_operator::HessianOperator;
use crate::Result;
use crate::training::{LossTarget, TrainingProblem};
use odesync_ode::field::VectorField;
use odesync_ode::field::native::{
    Evaluator, MAX_LANES, ParamGradientTangents, TangentLanes, interleave,
};
use odesync_ode::odesolve::RecordedSteps;
use odesync_ode::odesolve::second_derivatives::{self, LinearizedSolve, OutputCotangents};
use odesync_ode::odesolve::stepping::check_is_smooth;

/// Hessian of a training loss at θ: every solve replayed on its steps, with its tape.
pub(super) struct AdjointHessian {
    problem: Arc<TrainingProblem>,
    field: VectorField,
    evaluator: Evaluator,
    solves: Vec<LinearizedSolve>,
    /// Number of solves in a group.
    group_size: usize,
    /// Gradients of the loss with respect to each solution, `[time, dof]`.
    state_grads: Vec<Vec<f64>>,
    zero_grads: Vec<Vec<f64>>,
    loss: f64,
    n: usize,
}

/// Workspace of a group of solves for one block of directions.
struct GroupWorkspace {
    lanes: TangentLanes,
    /// Stage tangents of each solve.
    stage_tangents: Vec<Vec<f64>>,
}

/// Maximum number of groups of solves, each with its own gradient sums. It is fixed, so that the bits do not depend on the
/// threads.
const MAX_GROUPS: usize = 64;

impl AdjointHessian {
    /// Replays the solves at θ on the recorded steps and stores what the Hessian-vector products need.
    ///
    /// # Errors
    /// A solve that failed or would take too much memory, or a solver that is not a Runge-Kutta method.
    pub fn new(
        problem: Arc<TrainingProblem>,
        params: &[f64],
        lambda: f64,
        recorded: &[RecordedSteps],
    ) -> Result<Self> {
        let field = problem.field(params, lambda)?;
        check_is_smooth(&field, problem.solver(), "second derivatives")?;
        field.check_fixed_switches("second derivatives")?;
        let evaluator = Evaluator::new(&field);
        let initial_states = problem.initial_states(params);
        let problems = problem.problems(&initial_states);
        // Every problem has its own tape, and every thread its own tangent lanes.
        let limit = odesync_base::memory::limit() / size_of::<f64>() / problems.len().max(1);
        let n_lanes = MAX_LANES * rayon::current_num_threads();
        let solves = problems
            .par_iter()
            .zip(recorded)
            .map(|(solve, recorded)| {
                second_derivatives::replay(
                    &evaluator,
                    problem.solver(),
                    solve,
                    recorded,
                    (limit, n_lanes),
                )
            })
            .collect::<Result<Vec<_>>>()?;
        let states: Vec<&[f64]> = solves.iter().map(|s| s.u()).collect();
        let parts = problem.loss_from_states(&states, &initial_states, LossTarget::Data);
        let state_grads =
            |(i, u): (usize, &&[f64])| problem.state_grads(i, u, &initial_states, LossTarget::Data);
        Ok(AdjointHessian {
            zero_grads: states.iter().map(|u| vec![0.0; u.len()]).collect(),
            state_grads: states.iter().enumerate().map(state_grads).collect(),
            loss: parts.loss,
            n: params.len(),
            group_size: solves.len().div_ceil(MAX_GROUPS).max(1),
            problem,
            field,
            evaluator,
            solves,
        })
    }

    /// Computes products with at most [`MAX_LANES`](odesync_ode::field::native::MAX_LANES) vectors of length `n`. `state_grads`
    /// are the gradients of the loss with respect to the solutions, zero for the Gauss-Newton part; if `parallel`, the solves run
    /// in parallel.
    fn hvp_block(
        &self,
        vectors: &[Vec<f64>],
        state_grads: &[Vec<f64>],
        parallel: bool,
    ) -> Result<Vec<Vec<f64>>> {
        self.problem.check_interrupt()?;
        let (evaluator, dof) = (&self.evaluator, self.evaluator.dof());
        let mut lanes = evaluator.tangent_lanes(vectors.len());
        let w = lanes.width();
        let n_model = self.problem.n_model_params();
        let mut directions = vec![];
        let mut initial_state_tangents = vec![];
        for v in vectors {
            directions.extend(self.field.scatter(&v[..n_model])?);
            initial_state_tangents.push(self.problem.initial_state_tangents(v));
        }
        let n_values = self.field.values().len();
        evaluator.set_param_tangents(&interleave(&directions, n_values, w), &mut lanes);

        // Forward pass: the tangents of every solution.
        let forward = |(g, solves): (usize, &[LinearizedSolve])| {
            let mut group = GroupWorkspace {
                lanes: lanes.clone(),
                stage_tangents: vec![],
            };
            let mut tangents = vec![];
            for (i, solve) in solves.iter().enumerate() {
                let i = g * self.group_size + i;
                let u0_tangents: Vec<f64> = initial_state_tangents
                    .iter()
                    .flat_map(|s| s[i].clone())
                    .collect();
                let u0_dot = interleave(&u0_tangents, dof, w);
                let tangent = solve.forward(evaluator, &u0_dot, &mut group.lanes);
                tangents.push(tangent.u);
                group.stage_tangents.push(tangent.stages);
            }
            (group, tangents)
        };
        let groups: Vec<(usize, &[LinearizedSolve])> =
            self.solves.chunks(self.group_size).enumerate().collect();
        let (mut groups, tangents): (Vec<GroupWorkspace>, Vec<Vec<Vec<f64>>>) = match parallel {
            true => groups.into_par_iter().map(forward).unzip(),
            false => groups.into_iter().map(forward).unzip(),
        };
        let tangents = tangents.concat();

        // The loss is quadratic in the solutions: the tangents of its derivatives are the same map without the data.
        let mut aux_grads = vec![];
        let mut state_grad_tangents: Vec<Vec<f64>> =
            tangents.iter().map(|t| vec![0.0; t.len()]).collect();
        for (p, u0_tangent) in initial_state_tangents.iter().enumerate() {
            let solution_tangents: Vec<Vec<f64>> = tangents.iter().map(|t| lane(t, w, p)).collect();
            let states: Vec<&[f64]> = solution_tangents.iter().map(Vec::as_slice).collect();
            let parts = self
                .problem
                .loss_from_states(&states, u0_tangent, LossTarget::Zero);
            for (i, all) in state_grad_tangents.iter_mut().enumerate() {
                let part = self
                    .problem
                    .state_grads(i, states[i], u0_tangent, LossTarget::Zero);
                for (to, from) in all.chunks_exact_mut(w).zip(&part) {
                    to[p] = *from;
                }
            }
            aux_grads.push(parts.aux_grads);
        }

        // Backward pass: each group has its own sums, which are added in order, so that the bits do not depend on the threads.
        let backward = |(g, group): (usize, &mut GroupWorkspace)| {
            let mut sums = evaluator.zero_gradient_tangents(&group.lanes);
            let mut u0 = vec![];
            for (i, stages) in group.stage_tangents.iter().enumerate() {
                let i = g * self.group_size + i;
                let bars = OutputCotangents {
                    value: &state_grads[i],
                    tangents: &state_grad_tangents[i],
                };
                let solve = &self.solves[i];
                let lanes = &mut group.lanes;
                u0.push(solve.backward(evaluator, stages, &bars, lanes, &mut sums));
            }
            (sums, u0)
        };
        let parts: Vec<(ParamGradientTangents, Vec<Vec<f64>>)> = match parallel {
            true => groups.par_iter_mut().enumerate().map(backward).collect(),
            false => groups.iter_mut().enumerate().map(backward).collect(),
        };
        let mut sums = evaluator.zero_gradient_tangents(&lanes);
        for (part, _) in &parts {
            sums.add(part);
        }
        let all = evaluator.parameter_gradient_tangents(&mut lanes, &mut sums);
        Ok((0..vectors.len())
            .map(|p| {
                let u0 = parts.iter().flat_map(|(_, u0)| u0);
                let u0: Vec<Vec<f64>> = u0.map(|u0| lane(u0, w, p)).collect();
                self.problem
                    .gather_gradient(&self.field, &lane(&all, w, p), &u0, &aux_grads[p])
            })
            .collect())
    }
}

impl HessianOperator for AdjointHessian {
    fn n(&self) -> usize {
        self.n
    }

    fn loss(&self) -> f64 {
        self.loss
    }

    fn hvp(&self, vectors: &[Vec<f64>], parallel: bool) -> Result<Vec<Vec<f64>>> {
        self.hvp_block(vectors, &self.state_grads, parallel)
    }

    fn gauss_newton_vp(&self, vectors: &[Vec<f64>], parallel: bool) -> Result<Vec<Vec<f64>>> {
        self.hvp_block(vectors, &self.zero_grads, parallel)
    }
}

/// Returns lane `p` of a vector with `w` interleaved lanes.
fn lane(all: &[f64], w: usize, p: usize) -> Vec<f64> {
    all.chunks_exact(w).map(|lanes| lanes[p]).collect()
}
