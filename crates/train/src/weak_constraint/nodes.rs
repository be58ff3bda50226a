//! The nodes of weak-constraint training: the data's times, and more where these are far apart.

use odesync_ode::odesolve::SolveOptions;

use super::noise_model::NoiseModel;
use super::residual_loss::ResidualLoss;
use super::standardization::Standardization;
use crate::{Error, Result};

/// Largest product of the rate of change of the standardised state and a substep of an interval.
const STEP_CHANGE: f64 = 0.2;
/// Limits of the number of substeps of an interval of median length.
const SUBSTEPS: (usize, usize) = (2, 12);

/// Largest number of nodes.
pub(super) const MAX_NODES: usize = 100_000;

/// Whether a trajectory begins at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// None does.
    None,
    /// One begins, at a state that is not known.
    Free,
    /// One begins, at a state that is given.
    Given,
}

/// One trajectory of the data.
#[derive(Debug, Clone)]
pub(super) struct SampleData {
    /// Times, `[time]`.
    pub t: Vec<f64>,
    /// Values of all state variables in the user's units, `[time, dof]`; NaN where missing or not measured.
    pub y: Vec<f64>,
    /// The initial state where it is known, in the user's units.
    pub u0: Option<Vec<f64>>,
}

/// The nodes of all trajectories, one after the other. All values are standardised.
#[derive(Debug, Clone)]
pub(super) struct Nodes {
    pub dof: usize,
    /// Times, `[node]`.
    pub t: Vec<f64>,
    /// Data, `[node, dof]`; NaN where there are none.
    pub y: Vec<f64>,
    /// Whether a trajectory begins at the node, `[node]`.
    pub first: Vec<bool>,
    /// Whether the state at the node is given, `[node]`.
    pub fixed: Vec<bool>,
    /// Sample of the node, `[node]`.
    pub sample: Vec<usize>,
    /// Steps of the method in an interval.
    pub substeps: usize,
    /// Loss of a residual.
    pub loss: ResidualLoss,
    /// Whether the ratios of the noise of components are known.
    pub has_known_ratios: bool,
}

impl Nodes {
    /// Places the nodes. `rate` is the rate of change of the standardised state; `substeps` the steps of an interval where these
    /// are given.
    pub fn new(
        samples: &[SampleData],
        scaling: &Standardization,
        rate: f64,
        substeps: Option<usize>,
    ) -> Result<Self> {
        let dof = scaling.mean.len();
        let median = median_gap(samples);
        let wanted = median * rate / STEP_CHANGE;
        let n = substeps.unwrap_or_else(|| (wanted.ceil() as usize).clamp(SUBSTEPS.0, SUBSTEPS.1));
        let longest = match wanted <= n as f64 || substeps.is_some() {
            true => 1.5 * median,
            false => n as f64 * STEP_CHANGE / rate,
        };
        let mut nodes = Nodes::empty(dof, n);
        for (sample, data) in samples.iter().enumerate() {
            for (k, t) in data.t.iter().enumerate() {
                if k > 0 {
                    let between = times_between(data.t[k - 1], *t, longest);
                    if nodes.len() + between.len() > MAX_NODES {
                        return Err(Error::invalid(format!(
                            "t = {} and {t} lie so far apart that more than {MAX_NODES} steps of the length of the others would be \
                             needed between them; make two samples of the data before and after",
                            data.t[k - 1]
                        )));
                    }
                    for t in between {
                        nodes.push(t, &vec![f64::NAN; dof], sample, Start::None);
                    }
                }
                let z = scaling.all_to_standard(&data.y[k * dof..(k + 1) * dof]);
                let start = match (k, &data.u0) {
                    (0, Some(_)) => Start::Given,
                    (0, None) => Start::Free,
                    _ => Start::None,
                };
                nodes.push(*t, &z, sample, start);
            }
        }
        Ok(nodes)
    }

    /// Returns no nodes, of so many state variables, with so many steps in an interval.
    pub fn empty(dof: usize, substeps: usize) -> Self {
        Nodes {
            dof,
            t: vec![],
            y: vec![],
            first: vec![],
            fixed: vec![],
            sample: vec![],
            substeps,
            loss: ResidualLoss::Gaussian,
            has_known_ratios: false,
        }
    }

    /// Sets what the settings know of the noise.
    #[must_use]
    pub fn with_noise(mut self, noise: &NoiseModel) -> Self {
        self.loss = noise.residual_loss();
        self.has_known_ratios = noise.weights.is_some();
        self
    }

    /// Returns the longest interval between these nodes, which are of one trajectory.
    pub fn longest_interval(&self, nodes: std::ops::Range<usize>) -> f64 {
        let gaps = self.t[nodes].windows(2).map(|pair| pair[1] - pair[0]);
        gaps.fold(0.0, f64::max)
    }

    /// Adds a node after all others.
    pub fn push(&mut self, t: f64, y: &[f64], sample: usize, start: Start) {
        self.t.push(t);
        self.y.extend_from_slice(y);
        self.first.push(start != Start::None);
        self.fixed.push(start == Start::Given);
        self.sample.push(sample);
    }

    /// Returns whether a trajectory begins at a node, and how.
    pub fn start(&self, k: usize) -> Start {
        match (self.first[k], self.fixed[k]) {
            (false, _) => Start::None,
            (true, false) => Start::Free,
            (true, true) => Start::Given,
        }
    }

    /// Returns the nodes of each trajectory.
    pub fn trajectories(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let starts = (0..self.len()).filter(|k| self.first[*k]);
        starts.map(|start| {
            let next = (start + 1..self.len()).find(|k| self.first[*k]);
            start..next.unwrap_or(self.len())
        })
    }

    /// Returns the state variables with a datum at a node.
    pub fn observed_at(&self, k: usize) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.dof).filter(move |j| !self.y[k * self.dof + j].is_nan())
    }

    /// Returns the options of a solve of an interval: a method that does not choose its steps makes [`Nodes::substeps`].
    pub fn interval_options(&self, given: Option<usize>, options: &SolveOptions) -> SolveOptions {
        let is_fixed = given.is_some() || !options.solver.is_adaptive();
        SolveOptions {
            substeps: is_fixed.then_some(self.substeps),
            ..options.clone()
        }
    }

    /// Returns the number of nodes.
    pub fn len(&self) -> usize {
        self.t.len()
    }

    /// Returns the first nodes of all intervals: each leads to the node after it, of the same trajectory.
    pub fn intervals(&self) -> impl Iterator<Item = usize> {
        (1..self.len()).filter(|k| !self.first[*k]).map(|k| k - 1)
    }

    /// Returns the number of data.
    pub fn n_data(&self) -> usize {
        self.y.iter().filter(|y| !y.is_nan()).count()
    }

    /// Returns the number of data of each state variable, `[dof]`.
    pub fn n_data_by_component(&self) -> Vec<usize> {
        (0..self.dof)
            .map(|j| {
                let column = self.y.iter().skip(j).step_by(self.dof);
                column.filter(|y| !y.is_nan()).count()
            })
            .collect()
    }

    /// Returns the number of initial values that are not given.
    pub fn n_free_initial(&self) -> usize {
        let free = self.first.iter().zip(&self.fixed);
        free.filter(|(first, fixed)| **first && !**fixed).count() * self.dof
    }

    /// Iterates over the data: index in `[node, dof]`, component and value.
    pub fn data(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        let values = self.y.iter().enumerate().filter(|(_, y)| !y.is_nan());
        values.map(|(i, y)| (i, i % self.dof, *y))
    }
}

/// Returns the times that divide the gap between two times into equal parts no longer than `longest`, more than [`MAX_NODES`] of them
/// where it takes so many.
pub(super) fn times_between(before: f64, after: f64, longest: f64) -> Vec<f64> {
    let gap = after - before;
    let parts = (gap / longest - 1e-9)
        .ceil()
        .clamp(1.0, MAX_NODES as f64 + 2.0) as usize;
    (1..parts)
        .map(|part| before + gap * part as f64 / parts as f64)
        .collect()
}

/// Returns the median time between two data.
fn median_gap(samples: &[SampleData]) -> f64 {
    let windows = samples.iter().flat_map(|s| s.t.windows(2));
    let mut gaps: Vec<f64> = windows.map(|w| w[1] - w[0]).collect();
    gaps.sort_by(f64::total_cmp);
    let n = gaps.len();
    match n {
        0 => 1.0,
        _ if n % 2 == 1 => gaps[n / 2],
        _ => (gaps[n / 2 - 1] + gaps[n / 2]) / 2.0,
    }
}
