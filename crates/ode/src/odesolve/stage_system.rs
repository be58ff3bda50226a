//! The linear system of all stages of an implicit Runge-Kutta step, or of one stage, with the Jacobian of each stage. It is used
//! by full Newton iteration, the exact adjoint and the tangents of a step.

use super::jacobian::Jacobian;
use super::lu::Lu;
use super::mass_matrix::MassMatrix;
use super::recorded_steps::Step;
use super::rhs::{DifferenceScales, Rhs};
use super::vector_ops::add_scaled;

/// Matrix of a Runge-Kutta method: nodes, `[stages]`, and coefficients, `[stages, stages]` row by row:
/// `M Z_i = h Σ_j a_ij f(t + c_j h, u + Z_j)`, with the mass matrix M.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RkMatrix<'a> {
    pub c: &'a [f64],
    pub a: &'a [f64],
}

impl RkMatrix<'_> {
    /// Returns the number of stages.
    pub fn stages(&self) -> usize {
        self.c.len()
    }

    /// Whether the first stage is explicit: the state at the start of the step.
    pub fn has_explicit_first_stage(&self) -> bool {
        self.a[..self.stages()].iter().all(|a| *a == 0.0)
    }

    /// Returns the coefficient a_ij.
    pub fn a(&self, i: usize, j: usize) -> f64 {
        self.a[i * self.c.len() + j]
    }

    /// Adds `h Σ_j a_ij x_j` to `to_i`, both `[stages, n]`.
    pub fn add_product(&self, h: f64, x: &[f64], to: &mut [f64]) {
        self.add_product_with(h, x, to, |i, j| self.a(i, j));
    }

    /// Adds `h Σ_i a_ij x_i` to `to_j`, both `[stages, n]`.
    pub fn add_transposed_product(&self, h: f64, x: &[f64], to: &mut [f64]) {
        self.add_product_with(h, x, to, |i, j| self.a(j, i));
    }

    fn add_product_with(&self, h: f64, x: &[f64], to: &mut [f64], a: impl Fn(usize, usize) -> f64) {
        let n = x.len() / self.c.len();
        for (i, to) in to.chunks_exact_mut(n).enumerate() {
            for (j, x) in x.chunks_exact(n).enumerate() {
                let a = a(i, j);
                if a != 0.0 {
                    add_scaled(h * a, x, to);
                }
            }
        }
    }
}

/// Linear system of all stages of a step, with the Jacobian of every stage.
#[derive(Debug, Clone, Default)]
pub(crate) struct StageSystem {
    jacobians: Vec<Jacobian>,
    pub lu: Lu<f64>,
}

impl StageSystem {
    /// Allocates the storage for this many stages of this field.
    pub fn bind<R: Rhs + ?Sized>(&mut self, rhs: &R, stages: usize, mass: Option<&MassMatrix>) {
        self.jacobians.resize_with(stages, Jacobian::default);
        for jacobian in &mut self.jacobians {
            jacobian.bind(rhs, mass);
        }
    }

    /// Gives the sizes of differences; see [`Jacobian::set_scales`].
    pub fn set_scales(&mut self, scales: &DifferenceScales) {
        for jacobian in &mut self.jacobians {
            jacobian.set_scales(scales);
        }
    }

    /// Factors the matrix with the blocks δ_ij M − h a_ij J_j, where `slots[j]` is the slot of the jth stage; returns false
    /// where it is singular. The block of an explicit first stage is I: it is the state.
    pub fn factor<R: Rhs + ?Sized>(
        &mut self,
        rhs: &R,
        (sample, step): (usize, Step),
        matrix: RkMatrix,
        slots: &[&[f64]],
    ) -> bool {
        let dof = rhs.dof();
        for ((jacobian, c), slot) in self.jacobians.iter_mut().zip(matrix.c).zip(slots) {
            jacobian.fill(rhs, (sample, step.time_at(*c)), slot);
        }
        let (h, jacobians) = (step.h(), &self.jacobians);
        let n_explicit = usize::from(matrix.has_explicit_first_stage());
        self.lu.factor(matrix.c.len() * dof, |r, c| {
            let (i, j) = (r / dof, c / dof);
            let diagonal = match i == j && i >= n_explicit {
                true => jacobians[j].mass_at(r % dof, c % dof),
                false => f64::from(r == c),
            };
            diagonal - h * matrix.a(i, j) * jacobians[j].at(r % dof, c % dof)
        })
    }

    /// Factors M − c J for one stage, with the Jacobian of its taped slot; returns false where it is singular.
    pub fn factor_stage<R: Rhs + ?Sized>(
        &mut self,
        rhs: &R,
        place: (usize, f64),
        slot: &[f64],
        c: f64,
    ) -> bool {
        let StageSystem { jacobians, lu } = self;
        let Some(jacobian) = jacobians.first_mut() else {
            return false;
        };
        jacobian.fill(rhs, place, slot);
        jacobian.factor_newton_matrix(c, lu)
    }
}
