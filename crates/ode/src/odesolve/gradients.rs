//! Methods of computing the gradient of a solve.

use super::solver::Solver;
use super::solvers;
use crate::{Error, Result};
use odesync_base::impl_named;
use odesync_base::options::Named;

/// Method of computing the gradient of a solve, named as in Ko et al. (NeurIPS 2023). `docs/src/guides/gradients.md` has
/// measured figures.
///
/// N is the number of accepted steps, s the number of stages of a step, d the number of state variables, L the memory of one
/// taped evaluation of the field, M the number of solves (samples, segments) and p the number of threads. Cost is counted in
/// evaluations of the field: the solve itself takes N s (not counting rejected steps), a vector-Jacobian product about one or
/// two. The memory for output times and parameters is the same for every method and is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Adjoint {
    /// `backprop`: the discrete adjoint, the transpose of the steps that were taken, with every stage stored. Exact for the
    /// discrete solution. Cost N s and N s vector-Jacobian products, the least of all; memory M N s L. For every solver.
    #[default]
    Backprop,
    /// `adjoint`: the continuous adjoint (Chen et al., NeurIPS 2018), solved backwards by the solver of the forward solve, from
    /// output time to output time, where the adjoint jumps. With an explicit Runge-Kutta method the state is solved backwards
    /// with it, and reset to the stored solution at each output time: memory does not grow with N, but a strongly damped field
    /// cannot be integrated backwards. With every other method each interval is solved forwards once more, and the adjoint follows
    /// that solution: memory is that of the states of one interval. The integral of the parameters' gradient is a quadrature of
    /// the dense output. The tolerances are `adjoint_rtol` and `adjoint_atol`. Not exact: the error is that of the tolerances of
    /// both solves. Cost N s and, for Ñ backward steps, Ñ (s + 3) and Ñ (s + 3) products. For every solver.
    Continuous,
    /// `single_ckpt`: exact; only the initial state is stored, and the solve is recomputed with every stage stored (ANODE:
    /// Gholami, Keutzer, Biros, IJCAI 2019). Cost 2 N s and N s products; memory p N s L, less than `backprop` where there
    /// are more solves than threads. For every solver.
    SingleCheckpoint,
    /// `adaptive_ckpt`: exact; the steps between checkpoints are recomputed with their stages stored (ACA: Zhuang et al.,
    /// ICML 2020). The published method stores a checkpoint at every step, with memory M N d + p s L; here checkpoints are
    /// thinned out during the solve, so that memory is O(√(N d s L)) for each solve, and nothing of size N is stored. Cost 2
    /// N s and N s products; rejected steps are recomputed too. For every solver; with `auto` each switch between methods is
    /// an additional checkpoint.
    AdaptiveCheckpoint,
    /// `symplectic`: exact; the adjoint equation is solved by the method that forms a symplectic pair with the forward method
    /// and so preserves λᵀ δ (Matsubara, Miyatake, NeurIPS 2021). The state is stored at every step, and additionally the
    /// stages of one step and one taped evaluation at a time. Cost 3 N s and N s products; memory M N d + p (s d + L). For
    /// explicit Runge-Kutta methods.
    Symplectic,
}

impl Adjoint {
    /// All methods, the default first.
    pub const ALL: [Adjoint; 5] = [
        Adjoint::Backprop,
        Adjoint::Continuous,
        Adjoint::SingleCheckpoint,
        Adjoint::AdaptiveCheckpoint,
        Adjoint::Symplectic,
    ];

    /// Whether the method gives the gradient of the discrete solution itself, exact to rounding.
    pub fn is_exact(self) -> bool {
        self != Adjoint::Continuous
    }

    /// Checks that the torch engine supports this method: its gradients come from autograd, which corresponds to `backprop`
    /// only.
    pub fn check_torch(self) -> Result<()> {
        match self {
            Adjoint::Backprop => Ok(()),
            _ => Err(Error::invalid(format!(
                "the torch engine has adjoint \"backprop\" only, not \"{}\"; leave adjoint out, or use engine \"native\"",
                self.to_name()
            ))),
        }
    }

    /// Checks that this gradient method supports the given solver.
    pub(crate) fn check(self, method: &Solver) -> Result<()> {
        if self != Adjoint::Symplectic || method.tableau().is_some() {
            return Ok(());
        }
        let known: Vec<&str> = solvers::ALL
            .iter()
            .filter(|m| m.tableau().is_some())
            .map(|m| m.name)
            .collect();
        Err(Error::invalid(format!(
            "adjoint \"symplectic\" is there for explicit Runge-Kutta methods ({}), and \"{}\" is none; choose one of them, or \
             adjoint \"adaptive_ckpt\", which is as exact, with any method",
            known.join(", "),
            method.name
        )))
    }
}

impl_named!(
    Adjoint,
    "adjoint",
    Backprop = "backprop",
    Continuous = "adjoint",
    SingleCheckpoint = "single_ckpt",
    AdaptiveCheckpoint = "adaptive_ckpt",
    Symplectic = "symplectic",
);
