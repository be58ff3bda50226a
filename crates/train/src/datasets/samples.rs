//! Storage of times and values: common times for all samples, or different times for each.

use std::sync::OnceLock;

use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, ArrayView3, Axis, s};

use super::Dataset;
use super::dataset::default_names;
use crate::smoothing::merge_times;
use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

/// Times and values of all samples.
#[derive(Debug, Clone)]
pub(super) enum Samples {
    /// Common times `[time]` of all samples, values `[sample, time, dof]`.
    Uniform { t: Array1<f64>, u: Array3<f64> },
    /// Times `[time]` and values `[time, dof]` of each sample.
    Ragged {
        trajectories: Vec<(Array1<f64>, Array2<f64>)>,
        /// Times of all samples, increasing.
        times: OnceLock<Array1<f64>>,
        /// Values at the times of all samples. There can be far more of them than data, so they are computed on first use.
        values: OnceLock<Array3<f64>>,
    },
}

impl Samples {
    /// Creates samples with different times; they are uniform if all times are equal.
    fn new(trajectories: Vec<(Array1<f64>, Array2<f64>)>) -> Self {
        if trajectories.windows(2).all(|pair| pair[0].0 == pair[1].0) {
            let views: Vec<ArrayView2<f64>> = trajectories.iter().map(|(_, u)| u.view()).collect();
            if let (Some((t, _)), Ok(u)) = (trajectories.first(), ndarray::stack(Axis(0), &views)) {
                return Samples::Uniform { t: t.clone(), u };
            }
        }
        Samples::Ragged {
            trajectories,
            times: OnceLock::new(),
            values: OnceLock::new(),
        }
    }

    /// Returns times and values of one sample.
    pub fn get(&self, sample: usize) -> Option<(ArrayView1<'_, f64>, ArrayView2<'_, f64>)> {
        match self {
            Samples::Uniform { t, u } => {
                (sample < u.len_of(Axis(0))).then(|| (t.view(), u.index_axis(Axis(0), sample)))
            }
            Samples::Ragged { trajectories, .. } => {
                trajectories.get(sample).map(|(t, u)| (t.view(), u.view()))
            }
        }
    }

    /// Returns the times of all samples, increasing.
    pub fn times(&self) -> ArrayView1<'_, f64> {
        match self {
            Samples::Uniform { t, .. } => t.view(),
            Samples::Ragged {
                trajectories,
                times,
                ..
            } => {
                let all = || Array1::from(merge_times(trajectories.iter().map(|(t, _)| t.view())));
                times.get_or_init(all).view()
            }
        }
    }

    /// Returns the values of all samples at the times of all samples, NaN where a sample does not have that time.
    pub fn values(&self) -> ArrayView3<'_, f64> {
        match self {
            Samples::Uniform { u, .. } => u.view(),
            Samples::Ragged {
                trajectories,
                values,
                ..
            } => {
                let all = || align_to_times(trajectories, self.times());
                values.get_or_init(all).view()
            }
        }
    }

    /// Returns the smallest number of times of a sample.
    pub fn shortest(&self) -> usize {
        match self {
            Samples::Uniform { t, .. } => t.len(),
            Samples::Ragged { trajectories, .. } => {
                trajectories.iter().map(|(t, _)| t.len()).min().unwrap_or(0)
            }
        }
    }

    /// Returns the times from index `from` up to, not including, `to` of each sample; they must exist.
    pub fn slice(&self, from: usize, to: usize) -> Self {
        match self {
            Samples::Uniform { t, u } => Samples::Uniform {
                t: t.slice(s![from..to]).to_owned(),
                u: u.slice(s![.., from..to, ..]).to_owned(),
            },
            Samples::Ragged { trajectories, .. } => {
                let part = |(t, u): &(Array1<f64>, Array2<f64>)| {
                    (
                        t.slice(s![from..to]).to_owned(),
                        u.slice(s![from..to, ..]).to_owned(),
                    )
                };
                Samples::new(trajectories.iter().map(part).collect())
            }
        }
    }

    /// Returns samples with the same times and other values of the same shapes.
    pub fn with_values(&self, values: Vec<Array2<f64>>) -> Self {
        let times = (0..).map_while(|sample| self.get(sample));
        let trajectories = times.zip(values).map(|((t, _), u)| (t.to_owned(), u));
        Samples::new(trajectories.collect())
    }
}

fn align_to_times(
    trajectories: &[(Array1<f64>, Array2<f64>)],
    t: ArrayView1<'_, f64>,
) -> Array3<f64> {
    let t = t.to_vec();
    let dof = trajectories.first().map_or(0, |(_, u)| u.ncols());
    let mut all = Array3::from_elem((trajectories.len(), t.len(), dof), f64::NAN);
    for ((times, u), mut all) in trajectories.iter().zip(all.outer_iter_mut()) {
        for (time, row) in times.iter().zip(u.outer_iter()) {
            let at = t.partition_point(|other| other < time);
            all.row_mut(at).assign(&row);
        }
    }
    all
}

impl Dataset {
    /// Creates a dataset of samples with different times: `t` `[time]` and `u` `[time, dof]` of each, and initial states `u0`
    /// `[sample, dof]`, by default the first row of each sample.
    ///
    /// ```
    /// use ndarray::array;
    /// use odesync_train::datasets::Dataset;
    ///
    /// let data = Dataset::ragged(
    ///     vec![(array![0.0, 1.0, 2.0], array![[1.0], [2.0], [3.0]]), (array![0.5, 1.0], array![[7.0], [8.0]])],
    ///     None,
    /// )?;
    /// assert_eq!((data.samples(), data.len()), (2, 4));
    /// assert_eq!(data.times(1).unwrap(), array![0.5, 1.0]);
    /// # Ok::<(), odesync_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// No samples, samples of different dof, or those of [`Dataset::new`].
    pub fn ragged(
        samples: Vec<(Array1<f64>, Array2<f64>)>,
        u0: Option<Array2<f64>>,
    ) -> Result<Self> {
        let n = samples.len();
        if let Some(u0) = u0.as_ref().filter(|u0| u0.nrows() != n) {
            return Err(Error::invalid(format!(
                "u0 has {} for {}: give one initial state for each",
                count_of(u0.nrows(), "row"),
                count_of(n, "sample")
            )));
        }
        let parts = samples
            .into_iter()
            .enumerate()
            .map(|(i, (t, u))| {
                let u0 = u0.as_ref().map(|u0| u0.row(i).to_owned());
                Dataset::single(t, u, u0).map_err(|e| Error::invalid(format!("sample {i}: {e}")))
            })
            .collect::<Result<Vec<_>>>()?;
        Self::join(&parts)
    }

    /// Joins the samples of several datasets, in order. They may have different times, including initial times. The names are
    /// those of the first dataset that has any.
    ///
    /// # Errors
    /// No datasets, or datasets of different dof or with different names.
    pub fn join(parts: &[Dataset]) -> Result<Self> {
        let Some(first) = parts.first() else {
            return Err(Error::invalid(
                "the list of datasets to join is empty: give at least one",
            ));
        };
        let unnamed = default_names(first.dof());
        let mut names = &unnamed;
        for (i, part) in parts.iter().enumerate() {
            if part.dof() != first.dof() {
                return Err(Error::invalid(format!(
                    "the data to join must have the same components, and part 0 has {}, part {i} {}",
                    first.dof(),
                    part.dof()
                )));
            }
            if *names == unnamed {
                names = &part.names;
            } else if part.names != unnamed && part.names != *names {
                return Err(Error::invalid(format!(
                    "the components of part {i} are named {}, those before {}: join columns of the same meaning, in the same \
                     order",
                    part.names.join(", "),
                    names.join(", ")
                )));
            }
        }
        let trajectories = parts
            .iter()
            .flat_map(Dataset::trajectories)
            .map(|(t, u)| (t.to_owned(), u.to_owned()))
            .collect();
        let u0: Vec<ArrayView2<f64>> = parts.iter().map(Dataset::u0).collect();
        Ok(Self {
            samples: Samples::new(trajectories),
            u0: ndarray::concatenate(Axis(0), &u0).map_err(|e| Error::invalid(e.to_string()))?,
            names: names.clone(),
            units: first.units.clone(),
        })
    }

    /// Returns a dataset of one sample only.
    ///
    /// # Errors
    /// A sample that does not exist.
    pub fn single_sample(&self, sample: usize) -> Result<Self> {
        let Some((t, u)) = self.samples.get(sample) else {
            return Err(Error::invalid(format!(
                "there is no sample {sample}: the data have {}, counted from 0",
                self.samples()
            )));
        };
        let u0 = self.u0.row(sample).to_owned();
        let one = Dataset::single(t.to_owned(), u.to_owned(), Some(u0))?;
        Ok(one.labelled_as(self))
    }
}
