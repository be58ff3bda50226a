//! Parameters along a training run.

use ndarray::Array2;

use super::run::Run;
use crate::{Error, Result};
use odesync_base::memory::check_memory;
use odesync_ode::field::VectorField;

/// Parameters of the model along a training run.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterTrajectory {
    /// Number of epochs done at each point, increasing, `[point]`.
    pub epochs: Vec<usize>,
    /// Trainable parameters of the model at each point, `[point, n]`.
    pub params: Array2<f64>,
}

/// Returns an error if a path would take too much memory.
pub(super) fn check_path_memory(epochs: usize, every: Option<usize>, n: usize) -> Result<()> {
    let Some(every) = every else {
        return Ok(());
    };
    let numbers = epochs.div_ceil(every.max(1)).saturating_mul(n);
    check_memory(
        numbers.saturating_mul(2 * size_of::<f64>()),
        format_args!("the parameters of every {every} epochs"),
        "make trajectory_every larger",
    )
}

impl Run {
    /// Returns the model's parameters before every `n`-th epoch, as stored with [`super::TrainOptions::trajectory_every`],
    /// followed by those after the last update.
    ///
    /// # Errors
    /// A run that stored none.
    pub fn path(&self) -> Result<ParameterTrajectory> {
        let Some(every) = self.settings.options.trajectory_every else {
            return Err(Error::invalid(
                "the run kept no parameters on its way; train with trajectory_every: 10 for those of every 10th epoch",
            ));
        };
        let n = self.last.n_params();
        let mut epochs: Vec<usize> = (0..self.parameter_path.len()).map(|i| i * every).collect();
        let mut flat: Vec<f64> = vec![];
        for point in &self.parameter_path {
            flat.extend(point.iter().take(n));
        }
        epochs.push(self.history.len());
        flat.extend(self.last.params());
        let params = Array2::from_shape_vec((epochs.len(), n), flat)
            .map_err(|e| Error::invalid(e.to_string()))?;
        Ok(ParameterTrajectory { epochs, params })
    }

    /// Returns the model after this many epochs, which must be a point of [`Run::path`].
    ///
    /// # Errors
    /// An epoch whose parameters were not stored.
    pub fn model_at(&self, epoch: usize) -> Result<VectorField> {
        let path = self.path()?;
        match path.epochs.iter().position(|e| *e == epoch) {
            Some(i) => self.last.with_params(&path.params.row(i).to_vec()),
            None => Err(Error::invalid(format!(
                "the parameters after {epoch} epochs were not kept; there are those of every {} epochs, and after all {}",
                self.settings.options.trajectory_every.unwrap_or_default(),
                self.history.len()
            ))),
        }
    }
}
