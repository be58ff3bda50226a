//! How well a free model fits data: the mean squared error, and the same in units of the data's variance.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use crate::datasets::{Dataset, mean_variance};
use crate::{Error, Result};
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::{Engine, NativeEngine, Problem, SolveOptions};

/// The states of a free model beside data, `[row, component]`: all samples, one after the other.
pub(super) struct FreeFit {
    x: Array2<f64>,
    y: Array2<f64>,
}

/// Returns the mean squared error of each component over its variance, averaged over the components:
/// `nmse = meanⱼ ( meanᵢ (xᵢⱼ − yᵢⱼ)² / var(yⱼ) )`, for predictions `x` and data `y`, both `[row, component]`.
///
/// It is 0 for a perfect prediction and 1 for the mean of the data, whatever the units of the components are. Where `y` is NaN
/// (missing) the element is left out. A component that is constant, or has no data, has no variance to compare its error with and is
/// left out of the mean.
///
/// # Errors
/// Other shapes, or data without a component that varies.
pub fn nmse(x: ArrayView2<f64>, y: ArrayView2<f64>) -> Result<f64> {
    if x.dim() != y.dim() {
        return Err(Error::invalid(format!(
            "nmse: shapes {:?} and {:?} differ",
            x.shape(),
            y.shape()
        )));
    }
    mean_over_components(x, y).ok_or_else(|| {
        Error::invalid(
            "nmse: no component of the data varies, so there is no variance to compare the error with; take mse",
        )
    })
}

/// Returns the variance of a component without missing values; 0 for one that is constant or missing.
fn variance(y: ArrayView1<f64>) -> f64 {
    let mut there = y.iter().filter(|y| !y.is_nan());
    let first = there.next();
    // Rounding of the mean would give a constant a variance of its own.
    match there.all(|y| Some(y) == first) {
        true => 0.0,
        false => mean_variance(y).1,
    }
}

/// Returns the mean over the components of the mean squared error over the variance; `None` where no component has one.
fn mean_over_components(x: ArrayView2<f64>, y: ArrayView2<f64>) -> Option<f64> {
    let columns = x.axis_iter(Axis(1)).zip(y.axis_iter(Axis(1)));
    let errors = columns.filter_map(|(x, y)| {
        let variance = variance(y);
        let pairs = || x.into_iter().zip(y).filter(|(_, y)| !y.is_nan());
        let n = pairs().count();
        let sum: f64 = pairs().map(|(x, y)| (x - y).powi(2)).sum();
        (variance > 0.0).then(|| sum / n as f64 / variance)
    });
    let errors: Vec<f64> = errors.collect();
    (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / errors.len() as f64)
}

/// Returns the values of all samples, one after the other, `[row, component]`.
fn rows(data: &Dataset) -> Array2<f64> {
    let mut rows = Array2::zeros((0, data.dof()));
    for (_, u) in data.trajectories() {
        // The number of columns is that of the data.
        let _ = rows.append(Axis(0), u);
    }
    rows
}

impl FreeFit {
    /// Solves a free model from its initial states `u0` `[sample, dof]` at the times of data, whose columns are the state variables
    /// `columns`.
    ///
    /// # Errors
    /// A solve that fails, or an interrupt.
    pub fn solve(
        model: &VectorField,
        u0: &Array2<f64>,
        data: &Dataset,
        columns: &[usize],
        solver: &SolveOptions,
    ) -> Result<Self> {
        let starts: Vec<Vec<f64>> = u0.outer_iter().map(|u0| u0.to_vec()).collect();
        let times: Vec<Vec<f64>> = data.trajectories().map(|(t, _)| t.to_vec()).collect();
        let problems = starts.iter().zip(&times).enumerate();
        let problems = problems.map(|(sample, (u0, t))| Problem { u0, t, sample });
        let problems: Vec<Problem> = problems.collect();
        let solved = NativeEngine::default().forward(model, &problems, solver, None, false)?;
        let y = rows(data);
        let states = solved.iter().flat_map(|s| s.u.chunks(model.dof()));
        let mut x = Array2::zeros(y.raw_dim());
        for (mut row, state) in x.outer_iter_mut().zip(states) {
            for (x, variable) in row.iter_mut().zip(columns) {
                *x = state[*variable];
            }
        }
        Ok(FreeFit { x, y })
    }

    /// Returns the mean squared error of a free model, solved as by [`FreeFit::solve`]; NaN where it cannot be solved.
    ///
    /// # Errors
    /// An interrupt.
    pub fn mse_of(
        model: &VectorField,
        u0: &Array2<f64>,
        data: &Dataset,
        columns: &[usize],
        solver: &SolveOptions,
    ) -> Result<f64> {
        match Self::solve(model, u0, data, columns, solver) {
            Ok(fit) => Ok(fit.mse()),
            Err(Error::Solve(_)) => Ok(f64::NAN),
            Err(error) => Err(error),
        }
    }

    /// Returns the mean squared error over all values that are not missing.
    pub fn mse(&self) -> f64 {
        // In the order of the loss of a training, so that it has the same bits.
        let (mut sum, mut n) = (0.0, 0usize);
        for (x, y) in self.x.iter().zip(&self.y).filter(|(_, y)| !y.is_nan()) {
            let difference = x - y;
            sum += difference * difference;
            n += 1;
        }
        sum / n.max(1) as f64
    }

    /// Returns the normalised mean squared error ([`nmse`]); `None` where it is not defined.
    pub fn nmse(&self) -> Option<f64> {
        mean_over_components(self.x.view(), self.y.view()).filter(|x| x.is_finite())
    }
}
