//! Exact second derivatives of a training loss, on the steps of its solves.

use std::sync::Arc;

use rayon::prelude::*;

use super::curvature::Curvature;
use crate::Result;
use crate::training::{Against, Task};
use odesync_ode::field::VectorField;
use odesync_ode::field::native::{Evaluator, MAX_WIDTH, Planes, SecondGradient, interleave};
use odesync_ode::odesolve::StepPlan;
use odesync_ode::odesolve::second_order::{self, OutputBars, Taped};

/// The second derivatives of a training loss at θ: every solve replayed on its steps, with its tape.
pub(super) struct SolvedCurvature {
    task: Arc<Task>,
    field: VectorField,
    evaluator: Evaluator,
    solves: Vec<Box<dyn Taped>>,
    /// Solves in a group.
    group: usize,
    /// Derivatives of the loss with respect to each solution, `[time, dof]`.
    bars: Vec<Vec<f64>>,
    zeros: Vec<Vec<f64>>,
    loss: f64,
    n: usize,
}

/// The work space of several solves for one block of directions.
struct Group {
    planes: Planes,
    /// Tangents of the stages of each.
    stages: Vec<Vec<f64>>,
}

/// The most groups of solves, each with sums of its own. A fixed number, so that the bits do not depend on the threads.
const MAX_GROUPS: usize = 64;

impl SolvedCurvature {
    /// Replays the solves at θ on their plans and keeps what the products need.
    ///
    /// # Errors
    /// A solve that failed or would take too much memory, or a solver that is not a Runge-Kutta method.
    pub fn new(task: Arc<Task>, params: &[f64], lambda: f64, plans: &[StepPlan]) -> Result<Self> {
        let field = task.field(params, lambda)?;
        let evaluator = Evaluator::new(&field);
        let starts = task.starts(params);
        let problems = task.problems(&starts);
        // Every problem has its own tape, and every thread tangents of its own.
        let limit =
            odesync_base::memory::default_limit() / size_of::<f64>() / problems.len().max(1);
        let planes = MAX_WIDTH * rayon::current_num_threads();
        let solves = problems
            .par_iter()
            .zip(plans)
            .map(|(problem, plan)| {
                second_order::replay(&evaluator, task.solver(), problem, plan, (limit, planes))
            })
            .collect::<Result<Vec<_>>>()?;
        let states: Vec<&[f64]> = solves.iter().map(|s| s.u()).collect();
        let compared = task.compare(&states, &starts, Against::Data);
        Ok(SolvedCurvature {
            zeros: compared.bars.iter().map(|b| vec![0.0; b.len()]).collect(),
            bars: compared.bars,
            loss: compared.loss,
            n: params.len(),
            group: solves.len().div_ceil(MAX_GROUPS).max(1),
            task,
            field,
            evaluator,
            solves,
        })
    }

    /// Products with at most [`MAX_WIDTH`](odesync_ode::field::native::MAX_WIDTH) vectors of the right length. `values` are the
    /// derivatives of the loss by the solutions, zero for the Gauss-Newton part; `inside`: the solves run in parallel.
    fn block(
        &self,
        vectors: &[Vec<f64>],
        values: &[Vec<f64>],
        inside: bool,
    ) -> Result<Vec<Vec<f64>>> {
        self.task.check_interrupt()?;
        let (evaluator, dof) = (&self.evaluator, self.evaluator.dof());
        let mut planes = evaluator.planes(vectors.len());
        let w = planes.width();
        let n_model = self.task.n_model();
        let mut directions = vec![];
        let mut start_tangents = vec![];
        for v in vectors {
            directions.extend(self.field.scatter(&v[..n_model])?);
            start_tangents.push(self.task.start_tangents(v));
        }
        let n_values = self.field.values().len();
        evaluator.move_parameters(&interleave(&directions, n_values, w), &mut planes);

        // Forward: the tangents of every solution.
        let forward = |(g, solves): (usize, &[Box<dyn Taped>])| {
            let mut group = Group {
                planes: planes.clone(),
                stages: vec![],
            };
            let mut tangents = vec![];
            for (i, solve) in solves.iter().enumerate() {
                let i = g * self.group + i;
                let own: Vec<f64> = start_tangents.iter().flat_map(|s| s[i].clone()).collect();
                let u0_dot = interleave(&own, dof, w);
                let moved = solve.forward(evaluator, &u0_dot, &mut group.planes);
                tangents.push(moved.u);
                group.stages.push(moved.stages);
            }
            (group, tangents)
        };
        let groups: Vec<(usize, &[Box<dyn Taped>])> =
            self.solves.chunks(self.group).enumerate().collect();
        let (mut groups, tangents): (Vec<Group>, Vec<Vec<Vec<f64>>>) = match inside {
            true => groups.into_par_iter().map(forward).unzip(),
            false => groups.into_iter().map(forward).unzip(),
        };
        let tangents = tangents.concat();

        // The loss is quadratic in the solutions: the tangents of its derivatives are the same map without the data.
        let mut own = vec![];
        let mut bars: Vec<Vec<f64>> = tangents.iter().map(|t| vec![0.0; t.len()]).collect();
        for (p, starts) in start_tangents.iter().enumerate() {
            let moved: Vec<Vec<f64>> = tangents.iter().map(|t| plane(t, w, p)).collect();
            let moved: Vec<&[f64]> = moved.iter().map(Vec::as_slice).collect();
            let compared = self.task.compare(&moved, starts, Against::Zero);
            for (all, part) in bars.iter_mut().zip(&compared.bars) {
                for (to, from) in all.chunks_exact_mut(w).zip(part) {
                    to[p] = *from;
                }
            }
            own.push(compared.own);
        }

        // Back, each solve with sums of its own, added in order so that the bits do not depend on the threads.
        let back = |(g, group): (usize, &mut Group)| {
            let mut sums = evaluator.second_gradient(&group.planes);
            let mut u0 = vec![];
            for (i, stages) in group.stages.iter().enumerate() {
                let i = g * self.group + i;
                let bars = OutputBars {
                    value: &values[i],
                    tangents: &bars[i],
                };
                let solve = &self.solves[i];
                let planes = &mut group.planes;
                u0.push(solve.backward(evaluator, stages, &bars, planes, &mut sums));
            }
            (sums, u0)
        };
        let parts: Vec<(SecondGradient, Vec<Vec<f64>>)> = match inside {
            true => groups.par_iter_mut().enumerate().map(back).collect(),
            false => groups.iter_mut().enumerate().map(back).collect(),
        };
        let mut sums = evaluator.second_gradient(&planes);
        for (part, _) in &parts {
            sums.add(part);
        }
        let all = evaluator.parameter_tangents(&mut planes, &mut sums);
        Ok((0..vectors.len())
            .map(|p| {
                let u0 = parts.iter().flat_map(|(_, u0)| u0);
                let u0: Vec<Vec<f64>> = u0.map(|u0| plane(u0, w, p)).collect();
                self.task
                    .gather(&self.field, &plane(&all, w, p), &u0, &own[p])
            })
            .collect())
    }
}

impl Curvature for SolvedCurvature {
    fn n(&self) -> usize {
        self.n
    }

    fn loss(&self) -> f64 {
        self.loss
    }

    fn products(&self, vectors: &[Vec<f64>], alone: bool) -> Result<Vec<Vec<f64>>> {
        self.block(vectors, &self.bars, alone)
    }

    fn gauss_newton(&self, vectors: &[Vec<f64>], alone: bool) -> Result<Vec<Vec<f64>>> {
        self.block(vectors, &self.zeros, alone)
    }
}

/// One plane of a vector with `w` of them.
fn plane(all: &[f64], w: usize, p: usize) -> Vec<f64> {
    all.chunks_exact(w).map(|lanes| lanes[p]).collect()
}
