//! Parts of data: samples, the beginning of each sample, rows.

use ndarray::{Axis, s};

use super::Dataset;
use crate::{Error, Result};

impl Dataset {
    /// Returns the data of these samples, in this order.
    ///
    /// # Errors
    /// No samples, or one that does not exist.
    pub fn select_samples(&self, samples: &[usize]) -> Result<Self> {
        let parts = samples.iter().map(|i| {
            let Some((t, u)) = self.samples.get(*i) else {
                return Err(Error::invalid(format!(
                    "there is no sample {i}: the data have {}, counted from 0",
                    self.samples()
                )));
            };
            Ok((t.to_owned(), u.to_owned()))
        });
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let u0 = self.u0.select(Axis(0), samples);
        Ok(Dataset::ragged(parts, Some(u0))?.labelled_as(self))
    }

    /// Returns the first times of each sample, `counts[i]` of sample i, which must have at least so many.
    pub(crate) fn heads(&self, counts: &[usize]) -> Result<Self> {
        let parts = self.trajectories().zip(counts).map(|((t, u), n)| {
            let (t, u) = (t.slice(s![..*n]), u.slice(s![..*n, ..]));
            (t.to_owned(), u.to_owned())
        });
        let part = Dataset::ragged(parts.collect(), Some(self.u0.clone()))?;
        Ok(part.labelled_as(self))
    }

    /// Returns the data in which the values of all rows but those that are kept are missing. Times and initial states stay.
    pub(crate) fn keep_rows(&self, keep: impl Fn(usize, usize) -> bool) -> Self {
        let values = self.trajectories().enumerate().map(|(sample, (_, u))| {
            let mut u = u.to_owned();
            for (row, mut values) in u.outer_iter_mut().enumerate() {
                if !keep(sample, row) {
                    values.fill(f64::NAN);
                }
            }
            u
        });
        Dataset {
            samples: self.samples.with_values(values.collect()),
            u0: self.u0.clone(),
            names: self.names.clone(),
            units: self.units.clone(),
        }
    }
}
