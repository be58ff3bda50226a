//! `plot(&x)`: the default figure of a value.

use crate::Result;
use crate::datasets::Dataset;
use crate::landscape::{Density, Hessian, Landscape, Pca};
use crate::odesolve::Solution;
use crate::plotting::{HeatMap, Panel, trajectory};
use crate::smoothing::SmoothingSpline;
use crate::training::{Ensemble, Run};
use odesync_script::recipes;

/// A value that has a default figure.
pub trait Plot {
    /// Returns the default figure of the value.
    ///
    /// # Errors
    /// Nothing to draw.
    fn plot(&self) -> Result<Panel>;
}

/// Draws the components over time.
impl Plot for Solution {
    fn plot(&self) -> Result<Panel> {
        Ok(trajectory(&self.t.to_vec(), &self.u, &[])?.into())
    }
}

/// Draws the data as points, or several samples as lines.
impl Plot for Dataset {
    fn plot(&self) -> Result<Panel> {
        recipes::data(self)
    }
}

/// Draws the training loss, the mse and λ by epoch.
impl Plot for Run {
    fn plot(&self) -> Result<Panel> {
        Ok(recipes::losses(self)?.into())
    }
}

/// Draws the mse of the members by epoch: the median and the band between the quartiles.
impl Plot for Ensemble {
    fn plot(&self) -> Result<Panel> {
        Ok(recipes::ensemble_losses(self)?.into())
    }
}

/// Draws the spline and its derivative, of the first sample.
impl Plot for SmoothingSpline {
    fn plot(&self) -> Result<Panel> {
        Ok(recipes::spline(self, None)?.into())
    }
}

/// Draws the loss along a line, or as a heat map with the path of the run over it.
impl Plot for Landscape {
    fn plot(&self) -> Result<Panel> {
        Ok(recipes::landscape(self, &recipes::LandscapeStyle::Map(HeatMap::new()))?.into())
    }
}

/// Draws the spectral density with its eigenvalues below it.
impl Plot for Density {
    fn plot(&self) -> Result<Panel> {
        Ok(recipes::density(self)?.into())
    }
}

/// Draws all eigenvalues by rank.
impl Plot for Hessian {
    fn plot(&self) -> Result<Panel> {
        Ok(recipes::spectrum(self)?.into())
    }
}

/// Draws the path of a run in its first two principal components.
impl Plot for Pca {
    fn plot(&self) -> Result<Panel> {
        Ok(recipes::pca_path(self)?.into())
    }
}
