//! Initial value problems of a loss: one for each sample, or with multiple shooting several, each with a trainable initial state.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};

use super::problem::{LossParts, LossTarget};
use crate::Result;
use crate::datasets::Dataset;
use crate::smoothing::SmoothingSpline;
use odesync_ode::odesolve::Problem;

/// Segments of all samples, sample after sample; without multiple shooting a sample has one segment, its whole time span.
///
/// The first segment of a sample starts at the sample's initial state, which may be trainable. A later one starts at the data's
/// value there plus a trainable correction; a state variable that was not measured starts at its initial value plus a correction.
/// Each segment is solved up to and including the first point of the next.
///
/// The auxiliary parameters are the corrections, `[sample][segment − 1][dof]`, then the initial states, `[sample][dof]`.
#[derive(Debug, Clone)]
pub(super) struct Segments {
    pub segments: Vec<Segment>,
    /// State variable of each column of the data.
    pub columns: Vec<usize>,
    continuity_weight: f64,
    /// Number of state variables.
    pub dof: usize,
    /// Number of all corrections, counted by state variables.
    pub n_corrections: usize,
    n_aux_params: usize,
    /// Number of values of the data that are not missing, times `share`.
    pub n_measured: f64,
    /// Share of all samples that the segments are of.
    share: f64,
    /// One over the square of the size of each state variable, where the loss is relative to it, `[dof]`.
    inverse_squares: Option<Vec<f64>>,
}

/// A part of a sample that is solved on its own.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    sample: usize,
    /// Times of the segment, including the first of the next segment.
    t: Vec<f64>,
    /// Data of the segment, without the first time of the next segment, `[time, column]`.
    pub data: Array2<f64>,
    /// Initial state without the correction.
    start: Vec<f64>,
    /// What is trained of its initial state.
    pub trainable: TrainableStart,
}

/// Trainable part of a segment's initial state, and its range among the auxiliary parameters.
#[derive(Debug, Clone)]
pub(super) enum TrainableStart {
    Fixed,
    /// A correction of the initial state.
    Correction(Range<usize>),
    /// The initial state itself.
    Full(Range<usize>),
}

/// Division of samples into segments.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShootingConfig {
    /// Number of segments of each sample.
    pub segments: usize,
    /// Weight of the mean squared gap between segments.
    pub continuity_weight: f64,
    /// Whether the initial states are trained.
    pub train_u0: bool,
}

impl Segments {
    /// Divides samples into `k` segments as numpy's `array_split`: the first `n % k` have one more time. `columns` are the state
    /// variables of the data's columns, `u0` the initial states `[sample, dof]`.
    pub fn new(
        data: &Dataset,
        columns: &[usize],
        u0: ArrayView2<f64>,
        config: ShootingConfig,
    ) -> Result<Self> {
        let (k, dof) = (config.segments, u0.ncols());
        let n_corrections = data.samples() * (k - 1) * dof;
        let mut corrections = 0..n_corrections;
        let next_range = |range: &mut Range<usize>| {
            range.start += dof;
            range.start - dof..range.start
        };
        let mut trained = n_corrections..n_corrections + data.samples() * dof;
        let mut all_segments = vec![];
        for (sample, ((t, u), u0)) in data.trajectories().zip(u0.outer_iter()).enumerate() {
            // A missing value at the start of a segment is interpolated by a spline through the values that are not missing.
            let spline = match k > 1 && u.iter().any(|x| x.is_nan()) {
                true => Some(SmoothingSpline::single(&t.to_vec(), u, 0.0)?),
                false => None,
            };
            let n = t.len();
            let mut from = 0;
            for segment in 0..k {
                let to = from + n / k + usize::from(segment < n % k);
                let mut start = u0.to_vec();
                if segment > 0 {
                    let mut measured = u.row(from).to_vec();
                    if let (Some(spline), true) = (&spline, measured.iter().any(|x| x.is_nan())) {
                        let mut filled = vec![0.0; measured.len()];
                        spline.value_into(0, t[from], &mut filled);
                        for (u, filled) in measured.iter_mut().zip(filled) {
                            if u.is_nan() {
                                *u = filled;
                            }
                        }
                    }
                    for (variable, measured) in columns.iter().zip(measured) {
                        start[*variable] = measured;
                    }
                }
                all_segments.push(Segment {
                    sample,
                    t: t.slice(s![from..(to + 1).min(n)]).to_vec(),
                    data: u.slice(s![from..to, ..]).to_owned(),
                    start,
                    trainable: match (segment, config.train_u0) {
                        (0, true) => TrainableStart::Full(next_range(&mut trained)),
                        (0, false) => TrainableStart::Fixed,
                        _ => TrainableStart::Correction(next_range(&mut corrections)),
                    },
                });
                from = to;
            }
        }
        let values = all_segments.iter().flat_map(|s: &Segment| &s.data);
        let count = values.filter(|x| !x.is_nan()).count().max(1) as f64;
        Ok(Segments {
            segments: all_segments,
            columns: columns.to_vec(),
            continuity_weight: config.continuity_weight,
            dof,
            n_corrections,
            n_aux_params: if config.train_u0 {
                trained.end
            } else {
                n_corrections
            },
            n_measured: count,
            share: 1.0,
            inverse_squares: None,
        })
    }

    /// Returns the segments of these samples, which are in ascending order, with the auxiliary parameters of all. Their loss is the part
    /// of the full loss that they contribute, over their share of the samples.
    pub fn of_samples(&self, samples: &[usize], share: f64) -> Segments {
        let is_of = |segment: &&Segment| samples.binary_search(&segment.sample).is_ok();
        Segments {
            segments: self.segments.iter().filter(is_of).cloned().collect(),
            columns: self.columns.clone(),
            inverse_squares: self.inverse_squares.clone(),
            n_measured: self.n_measured * share,
            share: self.share * share,
            ..*self
        }
    }

    /// Makes errors and gaps in the loss relative to the size of each state variable, `[dof]`.
    pub fn set_sizes(&mut self, sizes: &[f64]) {
        self.inverse_squares = Some(sizes.iter().map(|x| 1.0 / (x * x)).collect());
    }

    /// Returns the weight of the square of an error of a state variable.
    pub fn weight(&self, variable: usize) -> f64 {
        self.inverse_squares
            .as_ref()
            .map_or(1.0, |all| all[variable])
    }

    /// Returns the number of auxiliary parameters.
    pub fn n_aux_params(&self) -> usize {
        self.n_aux_params
    }

    /// Returns the range of the initial states among the auxiliary parameters.
    pub fn u0_range(&self) -> Range<usize> {
        self.n_corrections..self.n_aux_params
    }

    /// Returns the auxiliary parameters before the first update.
    pub fn initial_aux_params(&self) -> Vec<f64> {
        let mut aux_params = vec![0.0; self.n_aux_params];
        for segment in &self.segments {
            if let TrainableStart::Full(range) = &segment.trainable {
                aux_params[range.clone()].copy_from_slice(&segment.start);
            }
        }
        aux_params
    }

    /// Returns the initial state of every problem.
    pub fn initial_states(&self, aux_params: &[f64]) -> Vec<Vec<f64>> {
        let start = |segment: &Segment| match &segment.trainable {
            TrainableStart::Fixed => segment.start.clone(),
            TrainableStart::Correction(range) => {
                let mut start = segment.start.clone();
                add(&aux_params[range.clone()], &mut start);
                start
            }
            TrainableStart::Full(range) => aux_params[range.clone()].to_vec(),
        };
        self.segments.iter().map(start).collect()
    }

    /// Returns the tangents of [`Segments::initial_states`] along a direction of the auxiliary parameters.
    pub fn initial_state_tangents(&self, direction: &[f64]) -> Vec<Vec<f64>> {
        let tangent = |segment: &Segment| match &segment.trainable {
            TrainableStart::Fixed => vec![0.0; self.dof],
            TrainableStart::Correction(range) | TrainableStart::Full(range) => {
                direction[range.clone()].to_vec()
            }
        };
        self.segments.iter().map(tangent).collect()
    }

    /// Adds the gradients with respect to the initial states to that with respect to the auxiliary parameters.
    pub fn add_initial_state_grads(&self, u0: &[Vec<f64>], aux_grads: &mut [f64]) {
        for (segment, u0) in self.segments.iter().zip(u0) {
            if let TrainableStart::Correction(range) | TrainableStart::Full(range) =
                &segment.trainable
            {
                add(u0, &mut aux_grads[range.clone()]);
            }
        }
    }

    /// Returns the initial value problems: the segments of each sample in order.
    pub fn problems<'a>(&'a self, initial_states: &'a [Vec<f64>]) -> Vec<Problem<'a>> {
        let problem = |(segment, u0): (&'a Segment, &'a Vec<f64>)| Problem {
            u0,
            t: &segment.t,
            sample: segment.sample,
        };
        self.segments
            .iter()
            .zip(initial_states)
            .map(problem)
            .collect()
    }

    /// Computes the loss of solved states, `[time, dof]` for each problem, and its derivatives by the auxiliary parameters.
    pub fn loss_from_states(
        &self,
        states: &[&[f64]],
        initial_states: &[Vec<f64>],
        target: LossTarget,
    ) -> LossParts {
        let (data, relative) = self.mean_squared_errors(states, target);
        let gaps = self.gaps(initial_states, states);
        let n_gaps = gaps.len().max(1) as f64 * self.share;
        let continuity = gaps.iter().fold(0.0, |sum, g| sum + g * g) / n_gaps;
        let weights = || (0..self.dof).cycle().map(|variable| self.weight(variable));
        let squares = gaps.iter().zip(weights());
        let relative_gaps = squares.fold(0.0, |sum, (g, weight)| sum + weight * (g * g)) / n_gaps;
        let gap_scale = self.gap_scale();
        let aux_grads = gaps.iter().zip(weights());
        let mut aux_grads: Vec<f64> = aux_grads
            .map(|(gap, weight)| gap_scale * gap * weight)
            .collect();
        aux_grads.resize(self.n_aux_params, 0.0);
        LossParts {
            loss: relative + self.continuity_weight * relative_gaps,
            data_loss: data,
            continuity,
            aux_grads,
        }
    }

    /// Returns the derivatives of the loss by the solved states `u` of problem `i`, `[time, dof]`. They depend on no other
    /// problem's states: a segment ends where another begins, and begins at parameters.
    pub fn state_grads(
        &self,
        i: usize,
        u: &[f64],
        initial_states: &[Vec<f64>],
        target: LossTarget,
    ) -> Vec<f64> {
        let mut bars = vec![0.0; u.len()];
        let scale = 2.0 / self.n_measured;
        self.for_each_error(&self.segments[i], u, target, |at, variable, difference| {
            bars[at] = difference * scale * self.weight(variable);
        });
        let next = self.segments.get(i + 1).zip(initial_states.get(i + 1));
        if let Some((Segment { trainable, .. }, start)) = next
            && let TrainableStart::Correction(_) = trainable
        {
            let (end, gap_scale) = (u.len() - self.dof, self.gap_scale());
            let ends = bars[end..].iter_mut().zip(start).zip(&u[end..]);
            for (variable, ((bar, start), end)) in ends.enumerate() {
                *bar -= gap_scale * (start - end) * self.weight(variable);
            }
        }
        bars
    }

    /// Returns the factor of a gap, times its weight, in the derivatives of the loss.
    fn gap_scale(&self) -> f64 {
        2.0 * self.continuity_weight / (self.n_corrections.max(1) as f64 * self.share)
    }

    /// Calls `f` for each value of a segment's data with its index in the solved states `u`, its state variable, and the
    /// difference of solution and target, which is 0 where the value is missing.
    fn for_each_error(
        &self,
        segment: &Segment,
        u: &[f64],
        target: LossTarget,
        mut f: impl FnMut(usize, usize, f64),
    ) {
        for (time, row) in segment.data.outer_iter().enumerate() {
            for (variable, data) in self.columns.iter().zip(row) {
                let at = time * self.dof + variable;
                // A NaN prediction must make the error NaN where there is data.
                let difference = match target {
                    _ if data.is_nan() => 0.0,
                    LossTarget::Data => u[at] - data,
                    LossTarget::Zero => u[at],
                };
                f(at, *variable, difference);
            }
        }
    }

    /// Returns the mean squared errors over the values that are not missing: in the data's units, and relative to the size of
    /// each state variable, where these are known.
    fn mean_squared_errors(&self, states: &[&[f64]], target: LossTarget) -> (f64, f64) {
        let (mut sum, mut relative) = (0.0, 0.0);
        for (segment, u) in self.segments.iter().zip(states) {
            self.for_each_error(segment, u, target, |_, variable, difference| {
                sum += difference * difference;
                relative += self.weight(variable) * (difference * difference);
            });
        }
        (sum / self.n_measured, relative / self.n_measured)
    }

    /// Returns the gaps, laid out as the corrections: the start of each segment minus the end of the one before, for all but a
    /// sample's first.
    pub fn gaps(&self, initial_states: &[Vec<f64>], states: &[&[f64]]) -> Vec<f64> {
        let mut gaps = vec![0.0; self.n_corrections];
        for (i, segment) in self.segments.iter().enumerate() {
            if let TrainableStart::Correction(range) = &segment.trainable {
                let end = &states[i - 1][states[i - 1].len() - self.dof..];
                for ((gap, start), end) in gaps[range.clone()]
                    .iter_mut()
                    .zip(&initial_states[i])
                    .zip(end)
                {
                    *gap = start - end;
                }
            }
        }
        gaps
    }
}

fn add(from: &[f64], to: &mut [f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}
