//! The solves that a loss is made of: one for each sample, or with multiple shooting several, each with a free initial state.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};

use super::task::{Against, Compared};
use crate::Result;
use crate::datasets::Dataset;
use crate::smoothing::SmoothingSpline;
use odesync_ode::odesolve::Problem;

/// The segments of every sample, sample after sample; without multiple shooting each has one, its whole span.
///
/// The first one starts at the sample's initial state, which may be trainable. A later one starts at the data's value there plus
/// a trainable correction; a state variable that was not measured starts at its initial one, corrected likewise. Each predicts
/// up to and including the first point of the next.
///
/// The trainable numbers are laid out as the corrections, `[sample][segment − 1][dof]`, then the initial states, `[sample][dof]`.
#[derive(Debug, Clone)]
pub(super) struct Segments {
    all: Vec<Segment>,
    /// The state variable of each column of the data.
    columns: Vec<usize>,
    weight: f64,
    dof: usize,
    n_corrections: usize,
    n_own: usize,
    /// Number of values of the data that are there.
    count: f64,
}

#[derive(Debug, Clone)]
struct Segment {
    sample: usize,
    /// Its times, the first of the next segment included.
    t: Vec<f64>,
    /// The data at its own times, `[time, column]`.
    data: Array2<f64>,
    /// Where it starts, but for what is trained.
    start: Vec<f64>,
    trained: Trained,
}

/// What of a segment's start is trained, and where it lies among the trainable numbers.
#[derive(Debug, Clone)]
enum Trained {
    Nothing,
    /// A correction of the start.
    Correction(Range<usize>),
    /// The start itself.
    Whole(Range<usize>),
}

/// How samples are divided.
#[derive(Debug, Clone, Copy)]
pub(super) struct Division {
    /// Segments of each sample.
    pub segments: usize,
    /// Weight of the mean squared gap between them.
    pub weight: f64,
    /// Whether the initial states are trained.
    pub train_u0: bool,
}

impl Segments {
    /// Segments as numpy's `array_split` makes them: the first `n % k` have one time more. `columns` are the state variables of
    /// the data's columns, `u0` the initial states `[sample, dof]`.
    pub fn new(
        data: &Dataset,
        columns: &[usize],
        u0: ArrayView2<f64>,
        division: Division,
    ) -> Result<Self> {
        let (k, dof) = (division.segments, u0.ncols());
        let n_corrections = data.samples() * (k - 1) * dof;
        let mut own = 0..n_corrections;
        let place = |range: &mut Range<usize>| {
            range.start += dof;
            range.start - dof..range.start
        };
        let mut trained = n_corrections..n_corrections + data.samples() * dof;
        let mut all = vec![];
        for (sample, ((t, u), u0)) in data.trajectories().zip(u0.outer_iter()).enumerate() {
            // A missing value at a cut is read from the interpolating spline of those that are there.
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
                all.push(Segment {
                    sample,
                    t: t.slice(s![from..(to + 1).min(n)]).to_vec(),
                    data: u.slice(s![from..to, ..]).to_owned(),
                    start,
                    trained: match (segment, division.train_u0) {
                        (0, true) => Trained::Whole(place(&mut trained)),
                        (0, false) => Trained::Nothing,
                        _ => Trained::Correction(place(&mut own)),
                    },
                });
                from = to;
            }
        }
        let values = all.iter().flat_map(|s: &Segment| &s.data);
        let count = values.filter(|x| !x.is_nan()).count().max(1) as f64;
        Ok(Segments {
            all,
            columns: columns.to_vec(),
            weight: division.weight,
            dof,
            n_corrections,
            n_own: if division.train_u0 {
                trained.end
            } else {
                n_corrections
            },
            count,
        })
    }

    /// Number of trainable numbers.
    pub fn n_own(&self) -> usize {
        self.n_own
    }

    /// Where the initial states lie among them.
    pub fn trained_u0(&self) -> Range<usize> {
        self.n_corrections..self.n_own
    }

    /// The trainable numbers before the first update.
    pub fn initial(&self) -> Vec<f64> {
        let mut own = vec![0.0; self.n_own];
        for segment in &self.all {
            if let Trained::Whole(place) = &segment.trained {
                own[place.clone()].copy_from_slice(&segment.start);
            }
        }
        own
    }

    /// The initial state of every problem.
    pub fn starts(&self, own: &[f64]) -> Vec<Vec<f64>> {
        let start = |segment: &Segment| match &segment.trained {
            Trained::Nothing => segment.start.clone(),
            Trained::Correction(place) => {
                let mut start = segment.start.clone();
                add(&own[place.clone()], &mut start);
                start
            }
            Trained::Whole(place) => own[place.clone()].to_vec(),
        };
        self.all.iter().map(start).collect()
    }

    /// The tangents of [`Segments::starts`] along a direction of the trainable numbers.
    pub fn start_tangents(&self, direction: &[f64]) -> Vec<Vec<f64>> {
        let tangent = |segment: &Segment| match &segment.trained {
            Trained::Nothing => vec![0.0; self.dof],
            Trained::Correction(place) | Trained::Whole(place) => direction[place.clone()].to_vec(),
        };
        self.all.iter().map(tangent).collect()
    }

    /// Adds gradients by the initial states to that by the trainable numbers.
    pub fn add_starts(&self, u0: &[Vec<f64>], own: &mut [f64]) {
        for (segment, u0) in self.all.iter().zip(u0) {
            if let Trained::Correction(place) | Trained::Whole(place) = &segment.trained {
                add(u0, &mut own[place.clone()]);
            }
        }
    }

    /// What there is to solve: the segments of each sample in order.
    pub fn problems<'a>(&'a self, starts: &'a [Vec<f64>]) -> Vec<Problem<'a>> {
        let problem = |(segment, u0): (&'a Segment, &'a Vec<f64>)| Problem {
            u0,
            t: &segment.t,
            sample: segment.sample,
        };
        self.all.iter().zip(starts).map(problem).collect()
    }

    /// The loss of solved states, `[time, dof]` for each problem, and its derivatives.
    pub fn compare(&self, solved: &[&[f64]], starts: &[Vec<f64>], against: Against) -> Compared {
        let (data, mut bars) = self.mean_squared_error(solved, against);
        let gaps = self.gaps(starts, solved);
        let n_gaps = gaps.len().max(1) as f64;
        let continuity = gaps.iter().fold(0.0, |sum, g| sum + g * g) / n_gaps;
        let gap_scale = 2.0 * self.weight / n_gaps;
        for (i, segment) in self.all.iter().enumerate() {
            if let Trained::Correction(place) = &segment.trained {
                let before = &mut bars[i - 1];
                let end = before.len() - self.dof;
                for (bar, gap) in before[end..].iter_mut().zip(&gaps[place.clone()]) {
                    *bar -= gap_scale * gap;
                }
            }
        }
        let mut own: Vec<f64> = gaps.iter().map(|gap| gap_scale * gap).collect();
        own.resize(self.n_own, 0.0);
        Compared {
            loss: data + self.weight * continuity,
            data,
            continuity,
            bars,
            own,
        }
    }

    /// Mean squared error over the values of the data that are there, and its derivatives by the solved states.
    fn mean_squared_error(&self, solved: &[&[f64]], against: Against) -> (f64, Vec<Vec<f64>>) {
        let mut bars: Vec<Vec<f64>> = solved.iter().map(|u| vec![0.0; u.len()]).collect();
        let mut sum = 0.0;
        let scale = 2.0 / self.count;
        for ((segment, u), bar) in self.all.iter().zip(solved).zip(&mut bars) {
            for (time, row) in segment.data.outer_iter().enumerate() {
                for (variable, data) in self.columns.iter().zip(row) {
                    let at = time * self.dof + variable;
                    // A prediction that is NaN where there is data must show.
                    let difference = match against {
                        _ if data.is_nan() => 0.0,
                        Against::Data => u[at] - data,
                        Against::Zero => u[at],
                    };
                    sum += difference * difference;
                    bar[at] = difference * scale;
                }
            }
        }
        (sum / self.count, bars)
    }

    /// Start of each segment that is not a sample's first minus the end of the one before, laid out as the corrections.
    fn gaps(&self, starts: &[Vec<f64>], solved: &[&[f64]]) -> Vec<f64> {
        let mut gaps = vec![0.0; self.n_corrections];
        for (i, segment) in self.all.iter().enumerate() {
            if let Trained::Correction(place) = &segment.trained {
                let end = &solved[i - 1][solved[i - 1].len() - self.dof..];
                for ((gap, start), end) in gaps[place.clone()].iter_mut().zip(&starts[i]).zip(end) {
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
