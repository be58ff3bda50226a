//! The Jacobian ∂f/∂u, and ∂f/∂t beside it, from the tangents of the field's program: one plane for each direction.

use crate::field::native::{Evaluator, Planes};

/// A Jacobian, and the work space for its tangents.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jacobian {
    planes: Option<Planes>,
    room: Vec<f64>,
    dof: usize,
    /// `[dof, dof]`, row by row.
    by_state: Vec<f64>,
    by_time: Vec<f64>,
}

impl Jacobian {
    /// Makes room for the Jacobians of this field. The storage belongs to it alone.
    pub fn bind(&mut self, evaluator: &Evaluator) {
        let dof = evaluator.dof();
        self.planes = Some(evaluator.planes(dof + 1));
        self.dof = dof;
        self.by_state.resize(dof * dof, 0.0);
        self.by_time.resize(dof, 0.0);
    }

    /// Where a taped evaluation left `slot`.
    pub fn fill(&mut self, evaluator: &Evaluator, place: (usize, f64), slot: &[f64]) {
        let Jacobian {
            planes,
            room,
            dof,
            by_state,
            by_time,
        } = self;
        let planes = planes.get_or_insert_with(|| evaluator.planes(*dof + 1));
        evaluator.jacobian(place, slot, planes, room, by_state, by_time);
    }

    /// ∂f_row/∂u_column.
    #[inline]
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.by_state[row * self.dof + column]
    }

    /// ∂f/∂u, `[dof, dof]`, row by row.
    pub fn by_state(&self) -> &[f64] {
        &self.by_state
    }

    /// ∂f/∂u, to be written to.
    pub fn by_state_mut(&mut self) -> &mut [f64] {
        &mut self.by_state
    }

    /// ∂f/∂t, `[dof]`.
    pub fn t(&self) -> &[f64] {
        &self.by_time
    }

    /// Whether every entry is a number.
    pub fn finite(&self) -> bool {
        super::sums::finite(&self.by_state) && super::sums::finite(&self.by_time)
    }

    /// The largest row sum of absolute values, a bound on every eigenvalue.
    pub fn norm(&self) -> f64 {
        self.by_state
            .chunks_exact(self.dof)
            .map(|row| row.iter().map(|x| x.abs()).sum::<f64>())
            .fold(0.0, f64::max)
    }
}
