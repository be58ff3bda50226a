//! The mass matrix M of `M du/dt = f(t, u)`, a constant that may be singular, and the option that holds it.
//!
//! Where M is singular the equations are differential-algebraic, of index 1 where every algebraic variable follows from the
//! others (Hairer, Wanner, *Solving Ordinary Differential Equations II*, VI.1). With the orthogonal projector P onto the
//! complement of the range of M, `P f(t, u) = 0` are the algebraic equations; where rows of M are zero they are these rows.

mod kernel;

use std::sync::Arc;

use crate::{Error, Result};
use odesync_base::options::{Mismatch, OptionKind, Value};
use odesync_base::text::count_of;

use kernel::kernel_projector;

/// A constant mass matrix M, `[dof, dof]`, of the equations `M du/dt = f(t, u)`.
///
/// ```
/// use odesync_ode::odesolve::{MassMatrix, SolveOptions, solve};
/// // du/dt = −v with 0 = u − v, that is du/dt = −u.
/// let field = odesync_ode::field::system(2, &[], |_, u, _| vec![-u.at(1), u.at(0) - u.at(1)])?;
/// let options = SolveOptions::default().solver("radau")?.mass_matrix(&[[1.0, 0.0], [0.0, 0.0]])?;
/// let solution = solve(&field, &[1.0, 1.0], &[0.0, 1.0], &options)?;
/// assert!((solution.u[[1, 1]] - (-1.0_f64).exp()).abs() < 1e-7);
/// assert!(MassMatrix::diagonal(&[1.0, 0.0])?.is_singular());
/// # Ok::<(), odesync_ode::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MassMatrix(Arc<Parts>);

#[derive(Debug, PartialEq)]
struct Parts {
    dof: usize,
    /// M row by row.
    m: Vec<f64>,
    /// Projectors onto the complement of the range of M and onto its kernel; empty where M is regular.
    algebraic: Vec<f64>,
    kernel: Vec<f64>,
}

impl MassMatrix {
    /// Creates the matrix with these rows.
    ///
    /// # Errors
    /// Rows that do not make a square matrix, or a number that is not finite.
    pub fn new<R: AsRef<[f64]>>(rows: &[R]) -> Result<Self> {
        let dof = rows.len();
        let mut m = Vec::with_capacity(dof * dof);
        for (i, row) in rows.iter().enumerate() {
            let row = row.as_ref();
            if row.len() != dof {
                return Err(Error::invalid(format!(
                    "mass_matrix has {} and row {i} has {}: it is square, a row and a column for each state variable",
                    count_of(dof, "row"),
                    count_of(row.len(), "number"),
                )));
            }
            if let Some(j) = row.iter().position(|x| !x.is_finite()) {
                return Err(Error::invalid(format!(
                    "mass_matrix[{i}][{j}] is {}: every number of it must be finite",
                    row[j]
                )));
            }
            m.extend_from_slice(row);
        }
        if m.iter().all(|x| *x == 0.0) {
            return Err(Error::invalid(
                "mass_matrix is zero, so no state variable has a derivative: these are equations to be solved, not a system in time; \
                 give at least one row that is not zero",
            ));
        }
        let transposed = transpose(&m, dof);
        Ok(MassMatrix(Arc::new(Parts {
            dof,
            algebraic: kernel_projector(&transposed, dof),
            kernel: kernel_projector(&m, dof),
            m,
        })))
    }

    /// Creates the matrix with this diagonal and zeros elsewhere.
    ///
    /// # Errors
    /// A number that is not finite, or zeros alone.
    pub fn diagonal(diagonal: &[f64]) -> Result<Self> {
        let row = |(i, x): (usize, &f64)| {
            let mut row = vec![0.0; diagonal.len()];
            row[i] = *x;
            row
        };
        let rows: Vec<Vec<f64>> = diagonal.iter().enumerate().map(row).collect();
        MassMatrix::new(&rows)
    }

    /// Returns the number of rows, which is that of the state variables.
    pub fn dof(&self) -> usize {
        self.0.dof
    }

    /// Returns M row by row, `[dof, dof]`.
    pub fn values(&self) -> &[f64] {
        &self.0.m
    }

    /// Whether M is singular, so that some equations are algebraic.
    pub fn is_singular(&self) -> bool {
        !self.0.algebraic.is_empty()
    }

    /// Returns Mᵀ.
    pub(crate) fn transposed(&self) -> Self {
        let Parts {
            dof,
            m,
            algebraic,
            kernel,
        } = &*self.0;
        MassMatrix(Arc::new(Parts {
            dof: *dof,
            m: transpose(m, *dof),
            algebraic: kernel.clone(),
            kernel: algebraic.clone(),
        }))
    }

    #[inline]
    pub(crate) fn at(&self, row: usize, column: usize) -> f64 {
        self.0.m[row * self.0.dof + column]
    }

    /// Returns an entry of the projector P onto the complement of the range of M.
    #[inline]
    pub(crate) fn algebraic_at(&self, row: usize, column: usize) -> f64 {
        let Parts { dof, algebraic, .. } = &*self.0;
        algebraic.get(row * dof + column).copied().unwrap_or(0.0)
    }

    /// Computes `to = M x`; both may be several vectors, one after another.
    pub(crate) fn product(&self, x: &[f64], to: &mut [f64]) {
        to.fill(0.0);
        self.add_product(1.0, x, to);
    }

    /// Computes `to += scale M x`.
    pub(crate) fn add_product(&self, scale: f64, x: &[f64], to: &mut [f64]) {
        add_product(self.0.dof, scale, |r, c| self.at(r, c), x, to);
    }

    /// Computes `to += scale Mᵀ x`.
    pub(crate) fn add_transposed_product(&self, scale: f64, x: &[f64], to: &mut [f64]) {
        add_product(self.0.dof, scale, |r, c| self.at(c, r), x, to);
    }

    /// Computes P x in place of x and returns the rest, x − P x.
    pub(crate) fn split_algebraic(&self, x: &mut [f64]) -> Vec<f64> {
        let mut of_algebraic = vec![0.0; x.len()];
        let p = |r, c| self.algebraic_at(r, c);
        if self.is_singular() {
            add_product(self.0.dof, 1.0, p, x, &mut of_algebraic);
        }
        let rest = x.iter().zip(&of_algebraic).map(|(x, p)| x - p).collect();
        x.copy_from_slice(&of_algebraic);
        rest
    }

    /// Checks that the matrix is one for `dof` state variables.
    ///
    /// # Errors
    /// Another number of rows.
    pub fn check(&self, dof: usize) -> Result<()> {
        match self.0.dof == dof {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "mass_matrix is {0} by {0}, and there {1}: give a matrix with a row and a column for each",
                self.0.dof,
                match dof {
                    1 => "is 1 state variable".into(),
                    n => format!("are {n} state variables"),
                }
            ))),
        }
    }
}

/// Computes `to += scale A x` for square A, for each of the vectors of x.
fn add_product(dof: usize, scale: f64, a: impl Fn(usize, usize) -> f64, x: &[f64], to: &mut [f64]) {
    for (x, to) in x.chunks_exact(dof).zip(to.chunks_exact_mut(dof)) {
        for (r, to) in to.iter_mut().enumerate() {
            let sum: f64 = x.iter().enumerate().map(|(c, x)| a(r, c) * x).sum();
            *to += scale * sum;
        }
    }
}

fn transpose(m: &[f64], dof: usize) -> Vec<f64> {
    let entry = |i: usize| m[(i % dof) * dof + i / dof];
    (0..dof * dof).map(entry).collect()
}

/// A square matrix as the list of its rows, each a list of numbers.
#[derive(Debug, Clone, Copy)]
pub struct SquareMatrix;

impl OptionKind for SquareMatrix {
    type Field = MassMatrix;
    const EXPECTED: &'static str =
        "a list of rows, each a list with a number for each state variable";

    fn read(value: &Value) -> std::result::Result<MassMatrix, Mismatch> {
        let Value::List(rows) = value else {
            return Err(Mismatch::Value);
        };
        let rows: Option<Vec<Vec<f64>>> = rows.iter().map(Value::numbers).collect();
        let rows = rows.filter(|rows| !rows.is_empty());
        Ok(MassMatrix::new(&rows.ok_or(Mismatch::Value)?)?)
    }

    fn write(field: &MassMatrix) -> Value {
        let rows = field.values().chunks_exact(field.dof());
        Value::List(rows.map(Value::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projectors_are_those_of_kernel_and_range() {
        // Rank 2: the third row is the sum of the others, the kernel is along (1, −2, 1).
        let m = MassMatrix::new(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [5.0, 7.0, 9.0]]).unwrap();
        assert!(m.is_singular());
        let (left, right) = ([1.0, 1.0, -1.0], [1.0, -2.0, 1.0]);
        for r in 0..3 {
            for c in 0..3 {
                assert!((m.algebraic_at(r, c) - left[r] * left[c] / 3.0).abs() < 1e-14);
                let kernel = m.transposed().algebraic_at(r, c);
                assert!((kernel - right[r] * right[c] / 6.0).abs() < 1e-14);
            }
        }
        let diagonal = MassMatrix::diagonal(&[2.0, 0.0, 3.0]).unwrap();
        let p: Vec<f64> = (0..9)
            .map(|i| diagonal.algebraic_at(i / 3, i % 3))
            .collect();
        assert_eq!(p, [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert!(!MassMatrix::diagonal(&[1.0, 1e-12]).unwrap().is_singular());
    }
}
