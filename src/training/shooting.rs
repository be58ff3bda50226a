//! Multiple shooting: the time span in segments, each with a free initial state.

use ndarray::Array3;

use super::method::MultipleShooting;
use super::objective::{Loss, Objective, mean_squared_error};
use crate::Result;
use crate::datasets::Dataset;
use crate::field::VectorField;
use crate::odesolve::{Problem, StepPlan};
use crate::smoothing::SmoothingSpline;

/// The segments of every sample. Segment 0 starts at the data's initial state, segment s > 0 at the data's value there
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

    pub fn evaluate(
        &self,
        model: &VectorField,
        corrections: &[f64],
        objective: &mut Objective,
        with_gradient: bool,
        plans: Option<&[StepPlan]>,
    ) -> Result<Loss> {
        let (samples, k, dof) = (self.starts.len(), self.count(), self.dof);
        let mut starts = vec![];
        for sample in 0..samples {
            for segment in 0..k {
                let mut u0 = self.starts[sample][segment].clone();
                if segment > 0 {
                    for (u, c) in u0.iter_mut().zip(&corrections[self.place(sample, segment)]) {
                        *u += c;
                    }
                }
                starts.push(u0);
            }
        }
        let problems: Vec<Problem> = starts
            .iter()
            .enumerate()
            .map(|(i, u0)| Problem {
                u0,
                t: &self.t[i % k],
                sample: i / k,
            })
            .collect();
        let solver = objective.solver().clone();
        let solved = objective
            .engine()
            .forward(model, &problems, &solver, plans, with_gradient)?;

        let mut loss = Loss::default();
        let mut predicted = Array3::zeros(objective.data().u().raw_dim());
        for (i, solved) in solved.iter().enumerate() {
            let (sample, segment) = (i / k, i % k);
            for (m, time) in (self.cuts[segment]..self.cuts[segment + 1]).enumerate() {
                for d in 0..dof {
                    predicted[[sample, time, d]] = solved.u[m * dof + d];
                }
            }
            loss.stats += solved.stats;
        }
        let (data, data_bars) = mean_squared_error(&predicted, objective.data().u());
        let gaps = self.gaps(
            &starts,
            &solved.iter().map(|s| &s.u[..]).collect::<Vec<_>>(),
        );
        let n_gaps = gaps.len().max(1) as f64;
        loss.continuity = gaps.iter().map(|g| g * g).sum::<f64>() / n_gaps;
        loss.data = data;
        loss.loss = data + self.weight * loss.continuity;
        if with_gradient {
            let gap_scale = 2.0 * self.weight / n_gaps;
            let mut bars = vec![];
            for (i, solved) in solved.iter().enumerate() {
                let (sample, segment) = (i / k, i % k);
                let mut bar = vec![0.0; solved.u.len()];
                for (m, time) in (self.cuts[segment]..self.cuts[segment + 1]).enumerate() {
                    for d in 0..dof {
                        bar[m * dof + d] = data_bars[[sample, time, d]];
                    }
                }
                if segment + 1 < k {
                    let end = bar.len() - dof;
                    for (bar, gap) in bar[end..]
                        .iter_mut()
                        .zip(&gaps[self.place(sample, segment + 1)])
                    {
                        *bar -= gap_scale * gap;
                    }
                }
                bars.push(bar);
            }
            let back = objective.engine().backward(&bars)?;
            loss.gradient = model.gather(&back.values);
            let own = loss.gradient.len();
            loss.gradient.resize(own + self.n_corrections(), 0.0);
            for (i, u0) in back.u0.iter().enumerate() {
                let (sample, segment) = (i / k, i % k);
                if segment > 0 {
                    let place = self.place(sample, segment);
                    let to = &mut loss.gradient[own + place.start..own + place.end];
                    for ((to, u0), gap) in to.iter_mut().zip(u0).zip(&gaps[place]) {
                        *to = u0 + gap_scale * gap;
                    }
                }
            }
        }
        loss.plans = solved.into_iter().map(|s| s.plan).collect();
        Ok(loss)
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
