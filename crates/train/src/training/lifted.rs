//! The linear least-squares problem of a step of Levenberg and Marquardt whose segments need not meet: their initial states are unknowns
//! beside the parameters, and the gaps are residuals with a weight. No derivative goes over more than one segment, so that chaos does
//! no harm.

use super::condensed::row_of;
use super::linear_residuals::LinearResiduals;
use super::segment_residuals::SegmentStart;
use super::shooting::Segments;
use odesync_ode::odesolve::SolutionJacobian;

/// Residuals of data and gaps, in all parameters of the training.
pub(super) struct Lifted {
    residuals: Vec<f64>,
    jacobian: Vec<f64>,
    n: usize,
}

impl Lifted {
    /// Collects the residuals of segments, with the arguments of [`Condensed::new`](super::condensed::Condensed::new) and the weight of
    /// the gaps.
    pub fn new(
        segments: &Segments,
        (jacobians, errors): (&[SolutionJacobian], &[Vec<f64>]),
        gaps: &[f64],
        units: &[f64],
        (n_model, gap_weight): (usize, f64),
    ) -> Self {
        let dof = segments.dof;
        let mut all = Lifted {
            residuals: vec![],
            jacobian: vec![],
            n: n_model + segments.n_aux_params(),
        };
        let place = |i: usize| match segments.start_of(i) {
            SegmentStart::Given => None,
            SegmentStart::Trained(range) | SegmentStart::Continued(range) => {
                Some(n_model + range.start)
            }
        };
        for (i, (jacobian, errors)) in jacobians.iter().zip(errors).enumerate() {
            let measured = segments.measured(i);
            for (row, (value, error)) in measured.iter().zip(errors).enumerate() {
                let row = row_of(jacobian, row, dof, n_model);
                all.push(value.weight * error, value.weight, row, (units, place(i)));
            }
            if !segments.is_continued(i) {
                continue;
            }
            let Some(next) = place(i + 1) else { continue };
            for j in 0..dof {
                let weight = segments.gap_weight(j, gap_weight);
                let row = row_of(jacobian, measured.len() + j, dof, n_model);
                let gap = gaps[next - n_model + j];
                all.push(weight * gap, -weight, row, (units, place(i)));
                let from = all.jacobian.len() - all.n;
                all.jacobian[from + next + j] = weight * units[j];
            }
        }
        all
    }

    /// Adds a residual that depends on a value of a segment with this factor.
    fn push(
        &mut self,
        residual: f64,
        factor: f64,
        (by_start, by_params): (&[f64], &[f64]),
        (units, start): (&[f64], Option<usize>),
    ) {
        let from = self.jacobian.len();
        self.residuals.push(residual);
        self.jacobian.extend(by_params.iter().map(|x| factor * x));
        self.jacobian.resize(from + self.n, 0.0);
        if let Some(start) = start {
            let own = self.jacobian[from + start..].iter_mut();
            let by_start = by_start.iter().zip(units);
            own.zip(by_start)
                .for_each(|(to, (x, unit))| *to = factor * x * unit);
        }
    }

    /// Returns the linear problem in all parameters.
    pub fn problem(&self) -> LinearResiduals<'_> {
        LinearResiduals {
            residuals: self.residuals.clone(),
            jacobian: &self.jacobian,
            n: self.n,
        }
    }
}
