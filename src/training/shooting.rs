//! Multiple shooting: the time span in segments, each with a free initial state.

use ndarray::{Array3, ArrayView3};

use super::method::MultipleShooting;
use super::task::{Against, Compared, mean_squared_error};
use crate::Result;
use crate::datasets::Dataset;
use crate::odesolve::Problem;
use crate::smoothing::SmoothingSpline;

/// The segments of every sample; without multiple shooting one, the whole span. Segment 0 starts at the data's initial state, segment s > 0 at the data's value there
/// plus a trainable correction. Each predicts up to and including the first point of the next.
#[derive(Debug, Clone)]
pub(super) struct Segments {
    /// Index of the first time of each segment, and the number of times.
    cuts: Vec<usize>,
    /// Times of each segment, the first of the next included.
    t: Vec<Vec<f64>>,
    /// Uncorrected initial states, `[sample][segment]`, each `[dof]`.
    starts: Vec<Vec<Vec<f64>>>,
    weight: f64,
    dof: usize,
}

impl Segments {
    /// Segments as numpy's `array_split` makes them: the first `n % k` have one time more.
    pub fn new(data: &Dataset, method: &MultipleShooting) -> Result<Self> {
        let (n, k, dof) = (data.len(), method.segments, data.dof());
        let times = data.t().to_vec();
        let mut cuts = vec![0];
        for i in 0..k {
            cuts.push(cuts[i] + n / k + usize::from(i < n % k));
        }
        let t = (0..k)
            .map(|i| times[cuts[i]..(cuts[i + 1] + 1).min(n)].to_vec())
            .collect();
        // A missing value at a cut is read from the interpolating spline of those that are there.
        let spline = match data.has_missing() {
            true => Some(SmoothingSpline::new(&times, data.u(), 0.0)?),
            false => None,
        };
        let starts = (0..data.samples())
            .map(|sample| {
                (0..k)
                    .map(|i| {
                        if i == 0 {
                            return data.u0().row(sample).to_vec();
                        }
                        let mut u: Vec<f64> =
                            (0..dof).map(|d| data.u()[[sample, cuts[i], d]]).collect();
                        if let (Some(spline), true) = (&spline, u.iter().any(|x| x.is_nan())) {
                            let mut filled = vec![0.0; dof];
                            spline.value_into(sample, times[cuts[i]], &mut filled);
                            for (u, filled) in u.iter_mut().zip(filled) {
                                if u.is_nan() {
                                    *u = filled;
                                }
                            }
                        }
                        u
                    })
                    .collect()
            })
            .collect();
        Ok(Segments {
            cuts,
            t,
            starts,
            weight: method.continuity_weight,
            dof,
        })
    }

    /// One segment over the whole span.
    pub fn whole(data: &Dataset) -> Self {
        Segments {
            cuts: vec![0, data.len()],
            t: vec![data.t().to_vec()],
            starts: data.u0().outer_iter().map(|u0| vec![u0.to_vec()]).collect(),
            weight: 0.0,
            dof: data.dof(),
        }
    }

    fn count(&self) -> usize {
        self.t.len()
    }

    /// Number of trainable corrections, `[sample][segment − 1][dof]`.
    pub fn n_corrections(&self) -> usize {
        self.starts.len() * (self.count() - 1) * self.dof
    }

    /// Where the correction of a segment (> 0) lies.
    fn place(&self, sample: usize, segment: usize) -> std::ops::Range<usize> {
        let at = (sample * (self.count() - 1) + segment - 1) * self.dof;
        at..at + self.dof
    }

    /// Initial state of the `i`th problem without its correction, and the place of the correction.
    fn start(&self, i: usize) -> (&[f64], Option<std::ops::Range<usize>>) {
        let (sample, segment) = (i / self.count(), i % self.count());
        let place = (segment > 0).then(|| self.place(sample, segment));
        (&self.starts[sample][segment], place)
    }

    fn n_problems(&self) -> usize {
        self.starts.len() * self.count()
    }

    /// The initial state of every problem.
    pub fn starts(&self, corrections: &[f64]) -> Vec<Vec<f64>> {
        let corrected = |i| {
            let (uncorrected, place) = self.start(i);
            let mut u0 = uncorrected.to_vec();
            if let Some(place) = place {
                add(&corrections[place], &mut u0);
            }
            u0
        };
        (0..self.n_problems()).map(corrected).collect()
    }

    /// The tangents of [`Segments::starts`] along a direction of the corrections.
    pub fn start_tangents(&self, direction: &[f64]) -> Vec<Vec<f64>> {
        let tangent = |i| match self.start(i).1 {
            Some(place) => direction[place].to_vec(),
            None => vec![0.0; self.dof],
        };
        (0..self.n_problems()).map(tangent).collect()
    }

    /// Adds gradients by the initial states to that by the corrections.
    pub fn add_starts(&self, u0: &[Vec<f64>], corrections: &mut [f64]) {
        for (i, u0) in u0.iter().enumerate() {
            if let Some(place) = self.start(i).1 {
                add(u0, &mut corrections[place]);
            }
        }
    }

    /// What there is to solve: the segments of each sample in order.
    pub fn problems<'a>(&'a self, starts: &'a [Vec<f64>]) -> Vec<Problem<'a>> {
        let k = self.count();
        let problem = |(i, u0): (usize, &'a Vec<f64>)| Problem {
            u0,
            t: &self.t[i % k],
            sample: i / k,
        };
        starts.iter().enumerate().map(problem).collect()
    }

    /// The loss of solved states, `[time, dof]` for each problem, and its derivatives.
    pub fn compare(
        &self,
        solved: &[&[f64]],
        starts: &[Vec<f64>],
        data: ArrayView3<f64>,
        against: Against,
    ) -> Compared {
        let (k, dof) = (self.count(), self.dof);
        let mut predicted = Array3::zeros(data.raw_dim());
        for (i, solved) in solved.iter().enumerate() {
            let (sample, segment) = (i / k, i % k);
            for (m, time) in (self.cuts[segment]..self.cuts[segment + 1]).enumerate() {
                for d in 0..dof {
                    predicted[[sample, time, d]] = solved[m * dof + d];
                }
            }
        }
        let (data, data_bars) = mean_squared_error(&predicted, data, against);
        let gaps = self.gaps(starts, solved);
        let n_gaps = gaps.len().max(1) as f64;
        let continuity = gaps.iter().map(|g| g * g).sum::<f64>() / n_gaps;
        let gap_scale = 2.0 * self.weight / n_gaps;
        let mut bars = vec![];
        for (i, solved) in solved.iter().enumerate() {
            let (sample, segment) = (i / k, i % k);
            let mut bar = vec![0.0; solved.len()];
            for (m, time) in (self.cuts[segment]..self.cuts[segment + 1]).enumerate() {
                for d in 0..dof {
                    bar[m * dof + d] = data_bars[[sample, time, d]];
                }
            }
            if segment + 1 < k {
                let end = bar.len() - dof;
                let gaps = &gaps[self.place(sample, segment + 1)];
                for (bar, gap) in bar[end..].iter_mut().zip(gaps) {
                    *bar -= gap_scale * gap;
                }
            }
            bars.push(bar);
        }
        Compared {
            loss: data + self.weight * continuity,
            data,
            continuity,
            bars,
            own: gaps.iter().map(|gap| gap_scale * gap).collect(),
        }
    }

    /// Start of each segment > 0 minus the end of the one before, laid out as the corrections.
    fn gaps(&self, starts: &[Vec<f64>], solved: &[&[f64]]) -> Vec<f64> {
        let (k, dof) = (self.count(), self.dof);
        let mut gaps = vec![0.0; self.n_corrections()];
        for sample in 0..self.starts.len() {
            for segment in 1..k {
                let i = sample * k + segment;
                let end = &solved[i - 1][solved[i - 1].len() - dof..];
                for ((gap, start), end) in gaps[self.place(sample, segment)]
                    .iter_mut()
                    .zip(&starts[i])
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
