//! The torch engine, an implementation of [`Engine`] on libtorch.

use tch::{Device, Tensor};

use super::batch_integrator::BatchIntegrator;
use super::bound_field::BoundField;
use super::device::{by_name, download, upload};
use super::outputs::TorchSolution;
use super::replay::replay;
use super::threads::ThreadLimit;
use crate::error::{self, TensorError};
use crate::{Error, Result};
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::stepping::{EVENTS_UNSUPPORTED, check_batch, check_is_smooth};
use odesync_ode::odesolve::{
    Engine, Problem, RecordedSteps, SolveGradient, SolveOptions, Stats, Tableau, Trajectory,
};

/// The engine on libtorch, in float64: batches on the CPU or on a CUDA GPU, gradients by autograd.
///
/// On the same steps it agrees with the native engine to rounding. Large networks and batches are computed by as many threads
/// as libtorch was set to when it was first used here (`OMP_NUM_THREADS`, or all processors), small ones by one.
#[derive(Debug)]
pub struct TorchEngine {
    device: Device,
    saved: Option<SavedForBackward>,
}

/// The recorded solution and the tensors that a backward pass needs.
#[derive(Debug)]
struct SavedForBackward {
    solution: TorchSolution,
    values: Tensor,
    u0: Tensor,
    dof: usize,
    /// Length of the solution of each problem.
    lens: Vec<usize>,
    field: VectorField,
}

impl TorchEngine {
    /// Creates an engine on a device: `cpu`, `cuda` (the first GPU) or `cuda:N`.
    ///
    /// ```
    /// assert!(odesync_torch::TorchEngine::new("cpu").is_ok());
    /// assert!(odesync_torch::TorchEngine::new("gpu").is_err());
    /// ```
    ///
    /// # Errors
    /// A name that is not one of these, or a GPU that is not there; the message says what is missing.
    pub fn new(device: &str) -> Result<Self> {
        Ok(TorchEngine {
            device: by_name(device)?,
            saved: None,
        })
    }

    /// Solves every problem on its recorded steps, and records what a gradient needs if `keep`.
    fn solve_with_recorded(
        &mut self,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
        recorded: &[RecordedSteps],
        keep: bool,
    ) -> error::TensorResult<(Vec<Stats>, Vec<Vec<f64>>)> {
        let dof = field.dof();
        let bound = BoundField::new(field, self.device, keep)?;
        let all: Vec<f64> = problems.iter().flat_map(|p| p.u0).copied().collect();
        let u0 = upload(&all, &[problems.len(), dof], self.device)?.f_set_requires_grad(keep)?;
        let (stats, outputs) = replay(&bound, explicit_tableau(options)?, problems, recorded, &u0)?;
        let solution = outputs.finish()?;
        let u = solution.trajectories(problems, dof)?;
        if keep {
            self.saved = Some(SavedForBackward {
                solution,
                values: bound.values,
                u0,
                dof,
                lens: u.iter().map(Vec::len).collect(),
                field: field.clone(),
            });
        }
        Ok((stats, u))
    }
}

/// Returns the tableau of the solver.
///
/// # Errors
/// A solver that is not an explicit Runge-Kutta method.
pub(super) fn explicit_tableau(options: &SolveOptions) -> Result<&'static Tableau> {
    options.solver.tableau().ok_or_else(|| {
        Error::invalid(format!(
            "the torch engine has explicit Runge-Kutta methods only, and \"{}\" is none; use engine \"native\" or a method \
             like \"dopri5\"",
            options.solver.name
        ))
    })
}

impl Engine for TorchEngine {
    fn forward(
        &mut self,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
        recorded: Option<&[RecordedSteps]>,
        keep: bool,
    ) -> Result<Vec<Trajectory>> {
        check_is_smooth(field, options, "solves by the torch engine")?;
        if !options.events.is_empty() {
            return Err(Error::invalid(EVENTS_UNSUPPORTED));
        }
        check_batch(field, problems, options, recorded)?;
        explicit_tableau(options)?;
        if keep {
            options.adjoint.check_torch()?;
            field.check_fixed_switches("gradients of the torch engine")?;
        }
        self.saved = None;
        let _threads = ThreadLimit::for_workload(field, problems.len());
        let (recorded, stats, u) = match recorded {
            Some(recorded) => {
                let (stats, u) = tch::with_grad(|| {
                    self.solve_with_recorded(field, problems, options, recorded, keep)
                })?;
                (recorded.to_vec(), stats, u)
            }
            None => {
                let bound = BoundField::new(field, self.device, false)?;
                let (recorded, stats, outputs) = BatchIntegrator::solve(&bound, problems, options)?;
                let u = if keep {
                    tch::with_grad(|| {
                        self.solve_with_recorded(field, problems, options, &recorded, true)
                    })?
                    .1
                } else {
                    outputs.finish()?.trajectories(problems, field.dof())?
                };
                (recorded, stats, u)
            }
        };
        Ok(u.into_iter()
            .zip(recorded)
            .zip(stats)
            .map(|((u, recorded), stats)| Trajectory {
                u,
                recorded,
                stats,
                ..Trajectory::default()
            })
            .collect())
    }

    fn backward(&mut self, bars: &[Vec<f64>]) -> Result<SolveGradient> {
        let Some(saved) = &self.saved else {
            return Err(Error::invalid(
                "a gradient needs a solve that was kept for it",
            ));
        };
        if !bars.iter().map(Vec::len).eq(saved.lens.iter().copied()) {
            return Err(Error::invalid(
                "the weights of a gradient must have the shape of the solution",
            ));
        }
        let _threads = ThreadLimit::for_workload(&saved.field, saved.lens.len());
        let product = saved.solution.inner_product(bars, saved.dof, self.device)?;
        let inputs = [&saved.values, &saved.u0];
        // The autograd graph is retained, so that a second gradient of the same solve is possible.
        let gradients =
            Tensor::f_run_backward(&[product], &inputs, true, false).map_err(TensorError::from)?;
        let gradient = |i: usize| match gradients.get(i).filter(|g| g.defined()) {
            Some(g) => download(g),
            // The solution does not depend on this input.
            None => Ok(vec![0.0; inputs[i].numel()]),
        };
        Ok(SolveGradient {
            values: gradient(0)?,
            u0: gradient(1)?
                .chunks_exact(saved.dof)
                .map(<[f64]>::to_vec)
                .collect(),
        })
    }

    fn name(&self) -> &'static str {
        "torch"
    }
}
