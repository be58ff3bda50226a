//! What is seen in data before a model is trained.

use crate::Result;
use crate::datasets::Dataset;
use crate::smoothing::ComponentSpline;

/// Limits of the slope of a component against the derivative of another, and their least correlation, for it to be that derivative.
const DERIVATIVE_SLOPE: (f64, f64) = (0.7, 1.4);
const DERIVATIVE_CORRELATION: f64 = 0.85;

/// One component of the data.
#[derive(Debug, Clone)]
pub struct ComponentSummary {
    /// Name of the component.
    pub name: String,
    /// Smallest and largest value.
    pub range: (f64, f64),
    /// Standard deviation of the values.
    pub spread: f64,
    /// Standard deviation of the noise, by a smoothing spline.
    pub noise: f64,
    /// Number of missing values.
    pub missing: usize,
}

/// What is seen in data.
#[derive(Debug, Clone)]
pub struct DataSummary {
    /// Number of trajectories.
    pub samples: usize,
    /// Number of times of all trajectories.
    pub times: usize,
    /// First and last time.
    pub span: (f64, f64),
    /// Smallest, median and largest time between two data of a trajectory.
    pub steps: (f64, f64, f64),
    /// Each component.
    pub components: Vec<ComponentSummary>,
    /// For each component the one that looks like its time derivative, if any; such pairs do not overlap.
    pub derivative_of: Vec<Option<usize>>,
}

impl DataSummary {
    /// Looks at data.
    ///
    /// # Errors
    /// Values that no spline can be fitted to.
    pub fn new(data: &Dataset) -> Result<Self> {
        let mut steps: Vec<f64> = data
            .trajectories()
            .flat_map(|(t, _)| {
                t.to_vec()
                    .windows(2)
                    .map(|w| w[1] - w[0])
                    .collect::<Vec<_>>()
            })
            .collect();
        steps.sort_by(f64::total_cmp);
        let middle = steps.get(steps.len() / 2).copied().unwrap_or(0.0);
        let ends = (
            steps.first().copied().unwrap_or(0.0),
            steps.last().copied().unwrap_or(0.0),
        );
        let mut components = vec![];
        let mut slopes = vec![];
        for (j, name) in data.names().iter().enumerate() {
            let (summary, slope) = look_at(data, j, name)?;
            components.push(summary);
            slopes.push(slope);
        }
        let span = data
            .trajectories()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), (t, _)| {
                (a.min(t[0]), b.max(t[t.len() - 1]))
            });
        Ok(DataSummary {
            samples: data.samples(),
            times: data.trajectories().map(|(t, _)| t.len()).sum(),
            span,
            steps: (ends.0, middle, ends.1),
            derivative_of: derivative_pairs(data, &slopes),
            components,
        })
    }
}

/// Returns the summary of a component, and the derivative of its spline at the data's times, trajectory by trajectory.
fn look_at(data: &Dataset, j: usize, name: &str) -> Result<(ComponentSummary, Vec<f64>)> {
    let columns: Vec<(Vec<f64>, Vec<f64>)> = data
        .trajectories()
        .map(|(t, u)| (t.to_vec(), u.column(j).to_vec()))
        .collect();
    let all = || columns.iter().flat_map(|(_, y)| y);
    let values: Vec<f64> = all().copied().filter(|y| !y.is_nan()).collect();
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let spread = (values.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n).sqrt();
    let (curve, found) = ComponentSpline::fit(&columns, f64::NAN)?;
    let mut slopes = vec![];
    for (sample, (t, y)) in columns.iter().enumerate() {
        // Two values have no slope that says anything.
        let has_slope = y.iter().filter(|y| !y.is_nan()).count() > 2;
        let slope = |t: &f64| match has_slope {
            true => curve.derivative(sample, *t),
            false => f64::NAN,
        };
        slopes.extend(t.iter().map(slope));
    }
    let summary = ComponentSummary {
        name: name.into(),
        range: values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), y| {
                (a.min(*y), b.max(*y))
            }),
        spread,
        noise: found.variance.sqrt(),
        missing: all().count() - values.len(),
    };
    Ok((summary, slopes))
}

/// Returns for each component the one that looks like its derivative.
fn derivative_pairs(data: &Dataset, slopes: &[Vec<f64>]) -> Vec<Option<usize>> {
    let dof = slopes.len();
    let column = |j: usize| -> Vec<f64> {
        let columns = data.trajectories();
        columns.flat_map(|(_, u)| u.column(j).to_vec()).collect()
    };
    let mut found: Vec<Option<usize>> = vec![None; dof];
    for i in 0..dof {
        for j in 0..dof {
            let is_taken =
                found.contains(&Some(j)) || found.contains(&Some(i)) || found[j].is_some();
            if i == j || found[i].is_some() || is_taken {
                continue;
            }
            let (slope, correlation) = regression(&slopes[i], &column(j));
            let (low, high) = DERIVATIVE_SLOPE;
            if correlation > DERIVATIVE_CORRELATION && slope > low && slope < high {
                found[i] = Some(j);
            }
        }
    }
    found
}

/// Returns the slope of y against x through the origin, and their correlation; missing values are left out.
fn regression(x: &[f64], y: &[f64]) -> (f64, f64) {
    let pairs = || {
        x.iter()
            .zip(y)
            .filter(|(x, y)| x.is_finite() && y.is_finite())
    };
    let sum = |f: fn(f64, f64) -> f64| pairs().map(|(x, y)| f(*x, *y)).sum::<f64>();
    let (xx, yy, xy) = (sum(|x, _| x * x), sum(|_, y| y * y), sum(|x, y| x * y));
    (xy / xx, xy / (xx * yy).sqrt())
}
