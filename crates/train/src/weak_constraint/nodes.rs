//! The nodes of weak-constraint training: the data's times, and more where these are far apart.

use odesync_ode::odesolve::SolveOptions;

use super::parameter_map::Standardization;

/// Largest product of the rate of change of the standardised state and a substep of an interval.
const STEP_CHANGE: f64 = 0.2;
/// Limits of the number of substeps of an interval of median length.
const SUBSTEPS: (usize, usize) = (2, 12);

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
    /// Row of the sample's data, `[node]`; `None` for a node between them.
    pub row: Vec<Option<usize>>,
    /// Steps of the method in an interval.
    pub substeps: usize,
}

impl Nodes {
    /// Places the nodes. `rate` is the rate of change of the standardised state; `substeps` the steps of an interval where these
    /// are given.
    pub fn new(
        samples: &[SampleData],
        scaling: &Standardization,
        rate: f64,
        substeps: Option<usize>,
    ) -> Self {
        let dof = scaling.mean.len();
        let median = median_gap(samples);
        let wanted = median * rate / STEP_CHANGE;
        let n = substeps.unwrap_or_else(|| (wanted.ceil() as usize).clamp(SUBSTEPS.0, SUBSTEPS.1));
        let longest = match wanted <= n as f64 || substeps.is_some() {
            true => 1.5 * median,
            false => n as f64 * STEP_CHANGE / rate,
        };
        let mut nodes = Nodes {
            dof,
            t: vec![],
            y: vec![],
            first: vec![],
            fixed: vec![],
            sample: vec![],
            row: vec![],
            substeps: n,
        };
        for (sample, data) in samples.iter().enumerate() {
            for (k, t) in data.t.iter().enumerate() {
                if k > 0 {
                    let before = data.t[k - 1];
                    let gap = t - before;
                    let parts = match gap > longest {
                        true => (gap / longest - 1e-9).ceil() as usize,
                        false => 1,
                    };
                    for part in 1..parts {
                        let between = before + gap * part as f64 / parts as f64;
                        nodes.push(between, &vec![f64::NAN; dof], sample, None);
                    }
                }
                let y = &data.y[k * dof..(k + 1) * dof];
                let z: Vec<f64> = (0..dof)
                    .map(|j| (y[j] - scaling.mean[j]) / scaling.sd[j])
                    .collect();
                nodes.push(*t, &z, sample, Some(k));
                if let (0, Some(last)) = (k, nodes.fixed.last_mut()) {
                    *last = data.u0.is_some();
                }
            }
        }
        nodes
    }

    /// Returns no nodes, with the same number of state variables and substeps.
    pub fn empty(&self) -> Self {
        Nodes {
            dof: self.dof,
            substeps: self.substeps,
            t: vec![],
            y: vec![],
            first: vec![],
            fixed: vec![],
            sample: vec![],
            row: vec![],
        }
    }

    /// Returns the longest interval between these nodes, which are of one trajectory.
    pub fn longest_interval(&self, nodes: std::ops::Range<usize>) -> f64 {
        let gaps = self.t[nodes].windows(2).map(|pair| pair[1] - pair[0]);
        gaps.fold(0.0, f64::max)
    }

    /// Adds a node: the first of a trajectory where `row` is 0.
    pub fn push(&mut self, t: f64, y: &[f64], sample: usize, row: Option<usize>) {
        self.t.push(t);
        self.y.extend_from_slice(y);
        self.first.push(row == Some(0));
        self.fixed.push(false);
        self.sample.push(sample);
        self.row.push(row);
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
