//! `plot(&x)`: the right picture of a value.

use crate::Result;
use crate::datasets::Dataset;
use crate::landscape::{Density, Hessian, Landscape, Pca};
use crate::odesolve::Solution;
use crate::plotting::{HeatMap, Panel, trajectory};
use crate::smoothing::SmoothingSpline;
use crate::training::{Ensemble, Run};
use odesync_script::recipes;

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
        Ok(recipes::data(self)?.into())
    }
}

/// Training loss, mse and λ by epoch.
impl Plot for Run {
    fn plot(&self) -> Result<Panel> {
        Ok(recipes::losses(self)?.into())
    }
}

/// The mse of the members by epoch: the median and the band between the quartiles.
impl Plot for Ensemble {
    fn plot(&self) -> Result<Panel> {
        Ok(recipes::ensemble_losses(self)?.into())
    }
}

/// The spline and its derivative, of the first sample.
impl Plot for SmoothingSpline {
    fn plot(&self) -> Result<Panel> {
        Ok(recipes::spline(self, None)?.into())
    }
}

/// The loss along a line, or as a map with the path of the run over it.
impl Plot for Landscape {
    fn plot(&self) -> Result<Panel> {
        Ok(recipes::landscape(self, &recipes::PlaneStyle::Map(HeatMap::new()))?.into())
    }
}

/// The density with its eigenvalues below it.
impl Plot for Density {
    fn plot(&self) -> Result<Panel> {
        Ok(recipes::density(self)?.into())
    }
}

/// All its eigenvalues by rank.
impl Plot for Hessian {
    fn plot(&self) -> Result<Panel> {
        Ok(recipes::spectrum(self)?.into())
    }
}

/// The way of a run on its first two components.
impl Plot for Pca {
    fn plot(&self) -> Result<Panel> {
        Ok(recipes::pca_path(self)?.into())
    }
}
