//! The linear least-squares problem of a step of Levenberg and Marquardt whose segments meet.
//!
//! Unknowns of multiple shooting are the parameters θ and the initial states s_i of the segments; where one segment ends the next
//! begins, s_{i+1} = F_i(s_i, θ). Linearised, with the gap g_{i+1} = s_{i+1} − F_i, this says
//! Δs_{i+1} = A_i Δs_i + B_i Δθ − g_{i+1}, so that every Δs_i = c_i + E_i Δz follows from the free unknowns z: the parameters and the
//! initial states of the samples, if these are trained. What is left is a problem in z, r + C + J Δz → 0 with C the change of the
//! residuals by the c_i alone (H. G. Bock, *Recent advances in parameter identification techniques for O.D.E.*, 1983). Vanilla
//! training is the case of one segment.

use std::ops::Range;

use super::linear_residuals::{LinearResiduals, dot};
use super::segment_residuals::{MeasuredValue, SegmentStart};
use super::shooting::Segments;
use odesync_ode::odesolve::SolutionJacobian;

/// The segments' states eliminated: a linear least-squares problem in the free unknowns, in the optimiser's units.
pub(super) struct Condensed {
    /// Residuals r, whose squares sum up to the data part of the loss, `[n]`.
    pub residuals: Vec<f64>,
    /// Change C of the residuals if all gaps were closed, `[n]`.
    pub closing: Vec<f64>,
    /// J, `[n, n_free]` row by row.
    pub jacobian: Vec<f64>,
    /// Number of free unknowns: the model's parameters, then the trained initial states.
    pub n_free: usize,
    n_model: usize,
    /// The segments that begin where another ends.
    starts: Vec<Start>,
}

/// How the initial state of a segment follows the free unknowns.
struct Start {
    /// Its range among the corrections.
    range: Range<usize>,
    /// ∂s/∂s of the segment before, `[dof, dof]`; `None` where that begins at the sample's initial state.
    by_start: Option<Vec<f64>>,
    /// c, `[dof]`.
    closing: Vec<f64>,
    /// E, `[dof, n_model + dof]`: by the model's parameters, then by the sample's initial state.
    by_free: Vec<f64>,
    /// Where the sample's initial state is among the free unknowns.
    u0: Option<usize>,
}

impl Condensed {
    /// Eliminates the states of segments. `jacobians` have the rows of the measured values of each segment, with the model's
    /// parameters in the optimiser's units, then where the segment is continued those of its end; `errors` are the differences of
    /// solution and data in the same order, `units` the sizes by which the optimiser's initial states are smaller than the user's.
    pub fn new(
        segments: &Segments,
        (jacobians, errors): (&[SolutionJacobian], &[Vec<f64>]),
        gaps: &[f64],
        units: &[f64],
        (n_model, n_free): (usize, usize),
    ) -> Self {
        let (dof, width) = (segments.dof, n_model + segments.dof);
        let mut all = Condensed {
            residuals: vec![],
            closing: vec![],
            jacobian: vec![],
            n_free,
            n_model,
            starts: vec![],
        };
        // Of the segment at hand: c, E, the sample's place among the free unknowns, and A of the segment before.
        let (mut c, mut e) = (vec![0.0; dof], vec![0.0; dof * width]);
        let (mut u0, mut before) = (None, None);
        for (i, (jacobian, errors)) in jacobians.iter().zip(errors).enumerate() {
            match segments.start_of(i) {
                SegmentStart::Continued(range) => {
                    c.iter_mut()
                        .zip(&gaps[range.clone()])
                        .for_each(|(c, gap)| *c -= gap);
                    all.starts.push(Start {
                        range,
                        by_start: before.take(),
                        closing: c.clone(),
                        by_free: e.clone(),
                        u0,
                    });
                }
                start => {
                    c.fill(0.0);
                    e.fill(0.0);
                    u0 = None;
                    if let SegmentStart::Trained(range) = start {
                        u0 = Some(n_model + range.start - segments.n_corrections);
                        for (j, unit) in units.iter().enumerate() {
                            e[j * width + n_model + j] = *unit;
                        }
                    }
                }
            }
            let measured = segments.measured(i);
            for (row, (value, error)) in measured.iter().zip(errors).enumerate() {
                all.push_row(
                    (value, *error),
                    row_of(jacobian, row, dof, n_model),
                    (&c, &e),
                    u0,
                );
            }
            if segments.is_continued(i) {
                let is_first = !matches!(segments.start_of(i), SegmentStart::Continued(_));
                let rows = (0..dof).map(|j| row_of(jacobian, measured.len() + j, dof, n_model));
                let ends: Vec<_> = rows.map(|row| change_along(row, &c, &e, n_model)).collect();
                let a = jacobian.du_du0[measured.len() * dof..].to_vec();
                before = (!is_first).then_some(a);
                (c, e) = (vec![], vec![]);
                for (of_c, of_e) in ends {
                    c.push(of_c);
                    e.extend(of_e);
                }
            }
        }
        all
    }

    fn push_row(
        &mut self,
        (value, error): (&MeasuredValue, f64),
        row: (&[f64], &[f64]),
        (c, e): (&[f64], &[f64]),
        u0: Option<usize>,
    ) {
        let (closing, by_free) = change_along(row, c, e, self.n_model);
        self.residuals.push(value.weight * error);
        self.closing.push(value.weight * closing);
        let (by_model, by_u0) = by_free.split_at(self.n_model);
        let from = self.jacobian.len();
        self.jacobian
            .extend(by_model.iter().map(|x| value.weight * x));
        self.jacobian.resize(from + self.n_free, 0.0);
        if let Some(u0) = u0 {
            let own = self.jacobian[from + u0..].iter_mut().zip(by_u0);
            own.for_each(|(to, x)| *to = value.weight * x);
        }
    }

    /// Returns the linear problem in the free unknowns, a share of the gaps being closed.
    pub fn problem(&self, closed: f64) -> LinearResiduals<'_> {
        let closing = self.residuals.iter().zip(&self.closing);
        LinearResiduals {
            residuals: closing.map(|(r, c)| r + closed * c).collect(),
            jacobian: &self.jacobian,
            n: self.n_free,
        }
    }

    /// Returns the changes of the segments' initial states, in the order of the corrections, for a step of the free unknowns and a
    /// share of the gaps that is closed.
    pub fn start_changes(&self, change: &[f64], closed: f64) -> Vec<f64> {
        let width = |start: &Start| start.by_free.len() / start.closing.len().max(1);
        let mut all = vec![];
        for start in &self.starts {
            let rows = start.by_free.chunks_exact(width(start).max(1));
            for (c, row) in start.closing.iter().zip(rows) {
                let (by_model, by_u0) = row.split_at(self.n_model);
                let by_u0 = start.u0.map_or(0.0, |at| dot(by_u0, &change[at..]));
                all.push(closed * c + dot(by_model, change) + by_u0);
            }
        }
        all
    }

    /// Returns the changes of the segments' initial states, in the order of the corrections, that close these gaps to first order
    /// while the free unknowns stay.
    pub fn closing_changes(&self, gaps: &[f64]) -> Vec<f64> {
        let (mut all, mut c): (Vec<f64>, Vec<f64>) = (vec![], vec![]);
        for start in &self.starts {
            let gaps = &gaps[start.range.clone()];
            c = match &start.by_start {
                None => gaps.iter().map(|gap| -gap).collect(),
                Some(a) => {
                    let rows = a.chunks_exact(gaps.len().max(1));
                    rows.zip(gaps)
                        .map(|(row, gap)| dot(row, &c) - gap)
                        .collect()
                }
            };
            all.extend_from_slice(&c);
        }
        all
    }
}

/// Returns a row of both parts of a Jacobian.
pub(super) fn row_of(
    jacobian: &SolutionJacobian,
    row: usize,
    dof: usize,
    n: usize,
) -> (&[f64], &[f64]) {
    (
        &jacobian.du_du0[row * dof..(row + 1) * dof],
        &jacobian.du_dparams[row * n..(row + 1) * n],
    )
}

/// Returns the changes of a value by the segment's own c, and by the free unknowns: ∂u/∂s c and ∂u/∂s E + [∂u/∂θ, 0].
fn change_along(
    (by_start, by_params): (&[f64], &[f64]),
    c: &[f64],
    e: &[f64],
    n_model: usize,
) -> (f64, Vec<f64>) {
    let mut by_free = by_params.to_vec();
    by_free.resize(n_model + by_start.len(), 0.0);
    for (x, row) in by_start.iter().zip(e.chunks_exact(by_free.len().max(1))) {
        by_free.iter_mut().zip(row).for_each(|(to, e)| *to += x * e);
    }
    (dot(by_start, c), by_free)
}
