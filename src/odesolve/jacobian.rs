//! The Jacobian ∂f/∂u, and ∂f/∂t beside it, from the tangents of the field's program: one plane for each direction.

use crate::field::native::Evaluator;

/// A Jacobian, and the unit directions it is made with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jacobian {
    dof: usize,
    u_dot: Vec<f64>,
    t_dot: Vec<f64>,
    /// Column by column; ∂f/∂t is the last.
    columns: Vec<f64>,
}

impl Jacobian {
    /// Makes room for `dof` state variables.
    pub fn resize(&mut self, dof: usize) {
        if self.dof == dof {
            return;
        }
        self.dof = dof;
        self.u_dot = vec![0.0; (dof + 1) * dof];
        for i in 0..dof {
            self.u_dot[i * dof + i] = 1.0;
        }
        self.t_dot = vec![0.0; dof + 1];
        self.t_dot[dof] = 1.0;
        self.columns = vec![0.0; (dof + 1) * dof];
    }

    /// Where a taped evaluation left `slot`.
    pub fn fill(&mut self, evaluator: &Evaluator, place: (usize, f64), slot: &[f64]) {
        let found = evaluator.jvp(place, slot, &self.u_dot, &self.t_dot, &[]);
        self.columns.copy_from_slice(&found);
    }

    /// ∂f_row/∂u_column.
    #[inline]
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.columns[column * self.dof + row]
    }

    /// ∂f/∂t, `[dof]`.
    pub fn t(&self) -> &[f64] {
        &self.columns[self.dof * self.dof..]
    }

    /// Whether every entry is a number.
    pub fn finite(&self) -> bool {
        super::driver::finite(&self.columns)
    }

    /// The largest row sum of absolute values, a bound on every eigenvalue.
    pub fn norm(&self) -> f64 {
        (0..self.dof)
            .map(|r| (0..self.dof).map(|c| self.at(r, c).abs()).sum::<f64>())
            .fold(0.0, f64::max)
    }
}
