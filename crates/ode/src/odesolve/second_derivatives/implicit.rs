//! Second derivatives of a solve by a stiffly accurate implicit Runge-Kutta method: its last stage is the end of the step.
//!
//! With `Z_i = h Σ_j a_ij f(t + c_j h, u + Z_j)` the tangents of the stages' states `Y_i = u + Z_i` solve the linear system
//! `Ẏ_i − h Σ_j a_ij J_j Ẏ_j = u̇ + h Σ_j a_ij ∂f/∂θ θ̇`. The stages' adjoints solve its transpose, `λ_j − J_jᵀ k̄_j = Z̄_j`,
//! `k̄_j = h Σ_i a_ij λ_i`, and so do their tangents, `λ̇_j − J_jᵀ k̄˙_j = Z̄˙_j + J̇_jᵀ k̄_j`. In each sweep one
//! factorization per step serves all directions; it is not stored for the other sweep.

use super::super::adjoint::reverse_sweep;
use super::super::output_steps;
use super::super::plan::{SaveLocation, Step};
use super::super::solver::SolverFamily;
use super::super::solvers::radau;
use super::super::stage_system::{RkMatrix, StageSystem};
use super::super::vector_ops::add;
use super::super::workspace::Workspace;
use super::{DualVec, LinearizedSolve, OutputCotangents, SolveTangents};
use crate::field::native::{Evaluator, ParamGradientTangents, TangentLanes};

/// Tableau of an implicit Runge-Kutta method: nodes, `[stages]`, coefficients, `[stages, stages]`, and the number of stages,
/// 0 or 1, that a step shares with the end of the previous step.
#[derive(Debug)]
pub(super) struct ImplicitRkTableau {
    c: Vec<f64>,
    a: Vec<f64>,
    n_shared: usize,
}

impl ImplicitRkTableau {
    /// Returns the tableau of an implicit Runge-Kutta method; `None` for other families.
    pub fn of(family: &SolverFamily) -> Option<Self> {
        match family {
            SolverFamily::Esdirk(method) => {
                let s = method.stages();
                let mut a = vec![0.0; s * s];
                for (i, row) in method.a.iter().enumerate() {
                    a[i * s..i * s + row.len()].copy_from_slice(row);
                    a[i * s + i] = if i > 0 { method.gamma } else { 0.0 };
                }
                Some(Self {
                    c: method.c.to_vec(),
                    a,
                    n_shared: 1,
                })
            }
            SolverFamily::Radau => Some(Self {
                c: radau::C.to_vec(),
                a: radau::A.as_flattened().to_vec(),
                n_shared: 0,
            }),
            _ => None,
        }
    }

    /// Returns the number of stages.
    pub fn stages(&self) -> usize {
        self.c.len()
    }
}

/// A solve of one problem by an implicit Runge-Kutta method on its plan, with the slots of all stages.
#[derive(Debug)]
pub(super) struct LinearizedImplicitRk {
    pub tableau: ImplicitRkTableau,
    pub sample: usize,
    pub work: Workspace,
}

/// Location of the slots of a step of the solve, or of an output step inside one.
#[derive(Clone, Copy)]
struct StepSlots {
    step: Step,
    /// Index of the step, or of the enclosing step.
    step_index: usize,
    /// Index of the output step; `None` for a step of the solve.
    output_step_index: Option<usize>,
}

impl LinearizedImplicitRk {
    /// Returns the number of steps, including output steps.
    fn n_steps(&self) -> usize {
        self.work.plan.steps.len() + self.work.n_output_steps
    }

    fn rk_matrix(&self) -> RkMatrix<'_> {
        RkMatrix {
            c: &self.tableau.c,
            a: &self.tableau.a,
        }
    }

    /// Returns the slots of the stages of a step.
    fn slots(&self, place: StepSlots, len: usize) -> Vec<&[f64]> {
        let stages_per_step = self.tableau.stages() - self.tableau.n_shared;
        let slot = |stage: usize| match place.output_step_index {
            Some(m) if stage >= self.tableau.n_shared => {
                (&self.work.output_tape, m * stages_per_step + stage)
            }
            _ => (&self.work.tape, place.step_index * stages_per_step + stage),
        };
        let all = (0..self.tableau.stages()).map(slot);
        all.map(|(tape, at)| &tape[at * len..(at + 1) * len])
            .collect()
    }

    /// Returns the range of the tangents of a step's stages, `[stages, dof, w]`.
    fn tangent_range(&self, place: StepSlots, width: usize) -> std::ops::Range<usize> {
        let at = match place.output_step_index {
            Some(m) => self.work.plan.steps.len() + m,
            None => place.step_index,
        };
        let len = self.tableau.stages() * width;
        at * len..(at + 1) * len
    }
}

/// Solves for each lane of `x`, `[stages, dof, w]`, separately.
fn solve_each_lane(x: &mut [f64], w: usize, one: &mut Vec<f64>, solve: impl Fn(&mut [f64])) {
    for p in 0..w {
        one.clear();
        one.extend(x.iter().skip(p).step_by(w));
        solve(one);
        for (x, one) in x.iter_mut().skip(p).step_by(w).zip(one.iter()) {
            *x = *one;
        }
    }
}

impl LinearizedSolve for LinearizedImplicitRk {
    fn u(&self) -> &[f64] {
        &self.work.u
    }

    fn forward(
        &self,
        evaluator: &Evaluator,
        u0_dot: &[f64],
        lanes: &mut TangentLanes,
    ) -> SolveTangents {
        let (s, width, w) = (self.tableau.stages(), u0_dot.len(), lanes.width());
        let len = evaluator.slot_len();
        let mut stage_system = StageSystem::default();
        stage_system.bind(evaluator, s);
        let mut u = u0_dot.to_vec();
        let mut stages = vec![0.0; self.n_steps() * s * width];
        let (zero_dot, mut param_tangents, mut one) =
            (vec![0.0; width], vec![0.0; s * width], vec![]);
        let mut state_dot = u0_dot.to_vec();
        let plan = &self.work.plan;
        let (mut output, mut output_step) = (1, 0);
        let mut step_to = |place: StepSlots, state_dot: &[f64], to: &mut [f64]| {
            let (step, slots) = (place.step, self.slots(place, len));
            for (j, param_tangent) in param_tangents.chunks_exact_mut(width).enumerate() {
                let at = (self.sample, step.time_at(self.tableau.c[j]));
                evaluator.jvp_lanes(at, slots[j], &zero_dot, &[], lanes, param_tangent);
            }
            let stages = &mut stages[self.tangent_range(place, width)];
            for stage in stages.chunks_exact_mut(width) {
                stage.copy_from_slice(state_dot);
            }
            self.rk_matrix()
                .add_product(step.h(), &param_tangents, stages);
            stage_system.factor(evaluator, (self.sample, step), self.rk_matrix(), &slots);
            solve_each_lane(stages, w, &mut one, |x| stage_system.lu.solve(x));
            to.copy_from_slice(&stages[(s - 1) * width..]);
        };
        let mut next = vec![0.0; width];
        for (n, &step) in plan.steps.iter().enumerate() {
            let solve_step = StepSlots {
                step,
                step_index: n,
                output_step_index: None,
            };
            while let Some(&SaveLocation::Inside(m, theta)) = plan.outputs.get(output)
                && m == n
            {
                let inner_step = StepSlots {
                    step: output_steps::substep(step, theta),
                    step_index: n,
                    output_step_index: Some(output_step),
                };
                step_to(inner_step, &state_dot, &mut next);
                u.extend_from_slice(&next);
                (output, output_step) = (output + 1, output_step + 1);
            }
            step_to(solve_step, &state_dot, &mut next);
            std::mem::swap(&mut state_dot, &mut next);
            while plan.outputs.get(output) == Some(&SaveLocation::End(n)) {
                u.extend_from_slice(&state_dot);
                output += 1;
            }
        }
        SolveTangents { u, stages }
    }

    fn backward(
        &self,
        evaluator: &Evaluator,
        stages: &[f64],
        bars: &OutputCotangents,
        lanes: &mut TangentLanes,
        sums: &mut ParamGradientTangents,
    ) -> Vec<f64> {
        let (s, dof, w) = (self.tableau.stages(), evaluator.dof(), lanes.width());
        let (width, len) = (dof * w, evaluator.slot_len());
        let mut stage_system = StageSystem::default();
        stage_system.bind(evaluator, s);
        let mut lambda = DualVec::zero(s * dof, s * width);
        let mut k_bar = DualVec::zero(s * dof, s * width);
        let mut stage_bar = DualVec::zero(dof, width);
        let (zero, mut scratch, mut one) = (DualVec::zero(dof, width), vec![0.0; width], vec![]);
        // The reverse sweep treats values and tangents as one vector.
        let both: Vec<f64> = (0..self.work.plan.outputs.len())
            .flat_map(|m| {
                let (value, tangents) = bars.at_output(m, (dof, width));
                value.iter().chain(tangents).copied()
            })
            .collect();
        let mut n = self.work.plan.steps.len();
        let mut mu = reverse_sweep(&self.work, &both, dof + width, |pulled, mu| {
            let place = StepSlots {
                step: pulled.step,
                // The output steps inside a step are processed before it.
                step_index: n - 1,
                output_step_index: pulled.is_output_step.then_some(pulled.index),
            };
            if !pulled.is_output_step {
                n -= 1;
            }
            let (step, slots) = (pulled.step, self.slots(place, len));
            let stages = &stages[self.tangent_range(place, width)];
            let (bar, bar_dot) = pulled.end_bar.split_at(dof);
            lambda.clear();
            k_bar.clear();
            lambda.value[(s - 1) * dof..].copy_from_slice(bar);
            lambda.tangents[(s - 1) * width..].copy_from_slice(bar_dot);
            stage_system.factor(evaluator, (self.sample, step), self.rk_matrix(), &slots);
            stage_system.lu.solve_transposed(&mut lambda.value);
            self.rk_matrix()
                .add_transposed_product(step.h(), &lambda.value, &mut k_bar.value);
            // `vjp_with_tangents` is linear in the adjoint and its tangents together. So it is applied first to the adjoint,
            // then to the tangents, whose equations need the result of the first.
            let mut pull = |j: usize, k_bar: (&[f64], &[f64]), stage_bar: &mut DualVec| {
                let at = (self.sample, step.time_at(self.tableau.c[j]));
                let stage_dot = &stages[j * width..(j + 1) * width];
                evaluator.jvp_lanes(at, slots[j], stage_dot, &[], lanes, &mut scratch);
                stage_bar.clear();
                evaluator.vjp_with_tangents(
                    at,
                    slots[j],
                    lanes,
                    k_bar,
                    stage_bar.as_dual_cotangent(),
                    None,
                    sums,
                );
                let (value, tangents) = mu.split_at_mut(dof);
                add(&stage_bar.value, value);
                add(&stage_bar.tangents, tangents);
            };
            for j in 0..s {
                let value = &k_bar.value[j * dof..(j + 1) * dof];
                pull(j, (value, &zero.tangents), &mut stage_bar);
                let lambda = &mut lambda.tangents[j * width..(j + 1) * width];
                add(&stage_bar.tangents, lambda);
            }
            solve_each_lane(&mut lambda.tangents, w, &mut one, |x| {
                stage_system.lu.solve_transposed(x)
            });
            self.rk_matrix().add_transposed_product(
                step.h(),
                &lambda.tangents,
                &mut k_bar.tangents,
            );
            for j in 0..s {
                let tangents = &k_bar.tangents[j * width..(j + 1) * width];
                pull(j, (&zero.value, tangents), &mut stage_bar);
            }
        });
        mu.split_off(dof)
    }
}
