//! The choices of how the gradient of a solve is computed.

use super::solver::Solver;
use super::solvers;
use crate::{Error, Result};

/// How the gradient of a solve is computed, by the names of Ko et al. (NeurIPS 2023). `docs/src/guides/gradients.md` has measured figures.
///
/// N is the number of accepted steps, s that of a step's stages, d that of state variables, L what one taped evaluation of
/// the field takes up, M the number of solves (samples, segments) and p that of threads. Cost is counted in evaluations of the field:
/// the solve itself takes N s (rejected steps apart), a vector-Jacobian product about one or two. Requested times and
/// parameters take up what they take up with every choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Adjoint {
    /// `backprop`: the transpose of the steps that were taken, every stage stored. Exact for the discrete solution. Cost N s
    /// and as many products, the least; memory M N s L. Every method.
    #[default]
    Backprop,
    /// `adjoint`: the continuous adjoint (Chen et al., NeurIPS 2018). State, adjoint and the integral of the parameters' gradient are
    /// solved backwards from requested time to requested time, where the adjoint jumps and the state is set to the solution's;
    /// the tolerances are `adjoint_rtol` and `adjoint_atol`, of which the errors of state and adjoint take account. Not exact: off by
    /// the tolerances of both solves, and by more where the state can't be followed backwards (strongly damped or stiff fields,
    /// where it fails). Cost N s and, for Ñ steps backwards, Ñ s and as many products; memory does not grow with N. After
    /// any method; the solve backwards takes the same explicit Runge-Kutta method, dopri5 after a method of another kind.
    Continuous,
    /// `single_ckpt`: exact; only the initial state is kept, and the solve is taken again with every stage stored (ANODE: Gholami,
    /// Keutzer, Biros, IJCAI 2019). Cost 2 N s and N s products; memory p N s L, less than `backprop` where solves are more than
    /// threads. Every method.
    SingleCheckpoint,
    /// `adaptive_ckpt`: exact; the steps between checkpoints are taken again with their stages stored (ACA: Zhuang et al., ICML
    /// 2020). As published a checkpoint is kept at every step, memory M N d + p s L; here checkpoints are thinned out as the solve
    /// goes on, so that it is O(√(N d s L)) for each solve, with nothing of size N. Cost 2 N s and N s products, rejected steps
    /// once more. Every method; with `auto` each change between methods is a checkpoint of its own.
    AdaptiveCheckpoint,
    /// `symplectic`: exact; the partner of the method that keeps λᵀ δ (Matsubara, Miyatake, NeurIPS 2021): states are kept at every
    /// step, the stages of one step and one taped evaluation at a time beside them. Cost 3 N s and N s products; memory
    /// M N d + p (s d + L). Explicit Runge-Kutta methods.
    Symplectic,
}

impl Adjoint {
    /// All of them, the default first.
    pub const ALL: [Adjoint; 5] = [
        Adjoint::Backprop,
        Adjoint::Continuous,
        Adjoint::SingleCheckpoint,
        Adjoint::AdaptiveCheckpoint,
        Adjoint::Symplectic,
    ];

    /// Their names.
    pub const NAMES: [&str; 5] = [
        "backprop",
        "adjoint",
        "single_ckpt",
        "adaptive_ckpt",
        "symplectic",
    ];

    /// The choice of this name.
    ///
    /// ```
    /// use odesync_ode::odesolve::Adjoint;
    /// assert_eq!(Adjoint::by_name("symplectic")?, Adjoint::Symplectic);
    /// assert!(Adjoint::by_name("symplectik").is_err());
    /// # Ok::<(), odesync_ode::Error>(())
    /// ```
    ///
    /// # Errors
    /// A name that no choice has.
    pub fn by_name(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|choice| choice.name() == name);
        found.ok_or_else(|| odesync_base::error::unknown("adjoint", name, Self::NAMES))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// Whether it is the gradient of the discrete solution itself, to rounding.
    pub fn is_exact(self) -> bool {
        self != Adjoint::Continuous
    }

    /// The error for the torch engine, whose gradients are those of autograd.
    pub fn check_torch(self) -> Result<()> {
        match self {
            Adjoint::Backprop => Ok(()),
            _ => Err(Error::invalid(format!(
                "the torch engine has adjoint \"backprop\" only, not \"{}\"; leave adjoint out, or use engine \"native\"",
                self.name()
            ))),
        }
    }

    /// The error for a method that it can't do.
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
