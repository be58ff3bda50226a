//! `plot(&x)`: the right picture of a value.

use ndarray::{Array2, Axis};

use crate::datasets::Dataset;
use crate::landscape::Density;
use crate::odesolve::Solution;
use crate::plotting::builders::density;
use crate::plotting::{Figure, Panel, fit, of, trajectory};
use crate::training::Run;
use crate::{Error, Result};

/// What has a picture.
pub trait Plot {
    /// The picture.
    ///
    /// # Errors
    /// Nothing to draw.
    fn plot(&self) -> Result<Panel>;
}

/// The components over time.
impl Plot for Solution {
    fn plot(&self) -> Result<Panel> {
        Ok(trajectory(&self.t.to_vec(), &self.u, &[])?.into())
    }
}

/// Points; several samples as lines.
impl Plot for Dataset {
    fn plot(&self) -> Result<Panel> {
        Ok(of::data(self)?.into())
    }
}

/// Training loss, mse and λ by epoch.
impl Plot for Run {
    fn plot(&self) -> Result<Panel> {
        Ok(of::losses(self)?.into())
    }
}

/// The density with its eigenvalues below it.
impl Plot for Density {
    fn plot(&self) -> Result<Panel> {
        Ok(density(&self.grid, &self.density, &self.nodes)?.into())
    }
}

/// Data as points, and the run's best model from the same initial state until `t_end`; the first sample of several.
pub(crate) fn plot_fit(data: &Dataset, run: &Run, t_end: f64) -> Result<Figure> {
    let none = || Error::invalid("there are no data to draw");
    let (t, u) = data.trajectories().next().ok_or_else(none)?;
    let t = t.to_vec();
    let (first, last) = t.first().zip(t.last()).ok_or_else(none)?;
    let span = if t_end > *last { t_end } else { *last };
    let times = crate::prelude::linspace(*first, span, 600);
    let model: Array2<f64> = run.predict(&times)?.index_axis_move(Axis(0), 0);
    let names: Vec<&str> = data.names().iter().map(String::as_str).collect();
    let mark = (t_end > *last).then_some(*last);
    fit(&t, &u, &times, &model, mark, &names)
}
