//! The Jacobian ∂f/∂u and the derivative ∂f/∂t, as a right-hand side computes them.

use nalgebra::ComplexField;

use super::lu::Lu;
use super::mass_matrix::MassMatrix;
use super::rhs::{DifferenceScales, JacobianScratch, Rhs};

/// Jacobian ∂f/∂u and derivative ∂f/∂t, with the storage for their tangents.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jacobian {
    scratch: JacobianScratch,
    dof: usize,
    /// ∂f/∂u, `[dof, dof]`, row by row.
    df_du: Vec<f64>,
    df_dt: Vec<f64>,
    /// Mass matrix M; the identity where `None`.
    mass: Option<MassMatrix>,
}

impl Jacobian {
    /// Allocates the storage for the Jacobians of this field; it cannot be used for another field or mass matrix.
    pub fn bind<R: Rhs + ?Sized>(&mut self, rhs: &R, mass: Option<&MassMatrix>) {
        let dof = rhs.dof();
        self.mass = mass.cloned();
        self.scratch = JacobianScratch::default();
        self.dof = dof;
        self.df_du.resize(dof * dof, 0.0);
        self.df_dt.resize(dof, 0.0);
    }

    /// Gives the sizes of differences, for a right-hand side whose Jacobian is computed by them.
    pub fn set_scales(&mut self, scales: &DifferenceScales) {
        self.scratch.scales = Some(scales.clone());
    }

    /// Computes the Jacobian at a taped evaluation, which wrote `slot`.
    pub fn fill<R: Rhs + ?Sized>(&mut self, rhs: &R, place: (usize, f64), slot: &[f64]) {
        rhs.jacobian(
            place,
            slot,
            &mut self.scratch,
            &mut self.df_du,
            &mut self.df_dt,
        );
    }

    /// Returns ∂f_row/∂u_column.
    #[inline]
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.df_du[row * self.dof + column]
    }

    /// Returns ∂f/∂u, `[dof, dof]`, row by row.
    pub fn df_du(&self) -> &[f64] {
        &self.df_du
    }

    /// Returns ∂f/∂u for writing, `[dof, dof]`, row by row.
    pub fn df_du_mut(&mut self) -> &mut [f64] {
        &mut self.df_du
    }

    /// Returns ∂f/∂t, `[dof]`.
    pub fn df_dt(&self) -> &[f64] {
        &self.df_dt
    }

    /// Factors `shift M − ∂f/∂u`; returns false where it is singular.
    pub fn factor_shifted<T: ComplexField<RealField = f64> + Copy>(
        &self,
        shift: T,
        lu: &mut Lu<T>,
    ) -> bool {
        if let Some(mass) = &self.mass {
            return lu.factor(self.dof, |row, column| {
                shift * T::from_real(mass.at(row, column)) - T::from_real(self.at(row, column))
            });
        }
        lu.factor(self.dof, |row, column| {
            let diagonal = if row == column { shift } else { T::zero() };
            diagonal - T::from_real(self.at(row, column))
        })
    }

    /// Factors `M − c ∂f/∂u`; returns false where it is singular.
    pub fn factor_newton_matrix(&self, c: f64, lu: &mut Lu<f64>) -> bool {
        lu.factor(self.dof, |row, column| {
            self.mass_at(row, column) - c * self.at(row, column)
        })
    }

    /// Returns an entry of the mass matrix M, which is the identity where none is given.
    #[inline]
    pub fn mass_at(&self, row: usize, column: usize) -> f64 {
        match &self.mass {
            None => f64::from(row == column),
            Some(mass) => mass.at(row, column),
        }
    }

    /// Whether every entry of ∂f/∂u and ∂f/∂t is finite.
    pub fn is_finite(&self) -> bool {
        super::vector_ops::all_finite(&self.df_du) && super::vector_ops::all_finite(&self.df_dt)
    }

    /// Returns the maximum norm of ∂f/∂u, the largest row sum of absolute values, which bounds every eigenvalue.
    pub fn norm(&self) -> f64 {
        self.df_du
            .chunks_exact(self.dof)
            .map(|row| row.iter().map(|x| x.abs()).sum::<f64>())
            .fold(0.0, f64::max)
    }
}
