//! Times, values, initial states and names of a set of trajectories.

use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, ArrayView3, Axis, s};

use super::samples::Samples;
use super::units::DataUnits;
use crate::smoothing::check_times;
use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

/// Trajectories of one system, all sampled at the same times or each at its own ([`Dataset::ragged`], [`Dataset::join`]).
///
/// A missing value is NaN. The initial states are stored separately from the first row: after noise is added, the rows are noisy,
/// the initial states are not.
///
/// ```
/// use ndarray::array;
/// use odesync_train::datasets::Dataset;
///
/// let data = Dataset::single(array![0.0, 0.1, 0.2], array![[1.0, 0.0], [0.9, -0.1], [0.8, -0.2]], None)?;
/// assert_eq!((data.samples(), data.len(), data.dof()), (1, 3, 2));
/// # Ok::<(), odesync_train::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Dataset {
    pub(super) samples: Samples,
    pub(super) u0: Array2<f64>,
    pub(super) names: Vec<String>,
    pub(super) units: DataUnits,
}

impl Dataset {
    /// Creates a dataset from times `t` `[time]`, values `u` `[sample, time, dof]` and initial states `u0` `[sample, dof]`, by
    /// default the first row of each sample. The components are named `u[0]`, `u[1]`, …
    ///
    /// # Errors
    /// Fewer than two times; times not finite or not strictly increasing; shapes that do not fit; an infinite value; an
    /// initial state that is not finite or, without `u0`, missing.
    pub fn new(t: Array1<f64>, u: Array3<f64>, u0: Option<Array2<f64>>) -> Result<Self> {
        let (samples, times, dof) = u.dim();
        if t.len() != times {
            return Err(Error::invalid(format!(
                "{} but u has {}: u must be [time, dof] or [sample, time, dof] with one row for each time",
                count_of(t.len(), "time"),
                count_of(times, "row")
            )));
        }
        if t.len() < 2 {
            return Err(Error::invalid(format!(
                "{}: a trajectory needs at least two",
                count_of(t.len(), "time")
            )));
        }
        if samples == 0 || dof == 0 {
            return Err(Error::invalid(format!(
                "u is empty, of shape [{samples}, {times}, {dof}]: data needs at least one sample and one component"
            )));
        }
        check_times(&t.to_vec())?;
        if let Some(((sample, time, component), value)) =
            u.indexed_iter().find(|(_, value)| value.is_infinite())
        {
            return Err(Error::invalid(format!(
                "u[{sample}, {time}, {component}] is {value}: values must be finite; NaN stands for a missing value"
            )));
        }
        let u0 = match u0 {
            Some(u0) => check_u0(u0, samples, dof)?,
            None => first_row(&u)?,
        };
        let names = default_names(dof);
        let samples = Samples::Uniform { t, u };
        Ok(Self {
            samples,
            u0,
            names,
            units: DataUnits::default(),
        })
    }

    /// Creates a dataset from a single trajectory `u` `[time, dof]` and its initial state `u0` `[dof]`.
    ///
    /// # Errors
    /// Those of [`Dataset::new`].
    pub fn single(t: Array1<f64>, u: Array2<f64>, u0: Option<Array1<f64>>) -> Result<Self> {
        let u0 = u0.map(|u0| u0.insert_axis(Axis(0)));
        Self::new(t, u.insert_axis(Axis(0)), u0)
    }

    /// Sets the names of the components.
    ///
    /// # Errors
    /// A number of names other than dof, an empty name, or a name used twice.
    pub fn with_names<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() != self.dof() {
            return Err(Error::invalid(format!(
                "{} for {}: give one name for each",
                count_of(names.len(), "name"),
                count_of(self.dof(), "component")
            )));
        }
        for (j, name) in names.iter().enumerate() {
            if name.trim().is_empty() {
                return Err(Error::invalid(format!(
                    "the name of component {j} is empty"
                )));
            }
            if names[..j].contains(name) {
                return Err(Error::invalid(format!(
                    "two components are named \"{name}\": names must differ"
                )));
            }
        }
        self.names = names;
        Ok(self)
    }

    /// Returns the data with the names and units of other data with the same components.
    pub(super) fn labelled_as(mut self, other: &Dataset) -> Self {
        self.names.clone_from(&other.names);
        self.units.clone_from(&other.units);
        self
    }

    /// Returns the times, `[time]`. Where samples have different times, these are the times of all samples, increasing;
    /// [`Dataset::times`] returns those of one sample, [`Dataset::trajectories`] iterates over the samples.
    pub fn t(&self) -> ArrayView1<'_, f64> {
        self.samples.times()
    }

    /// Returns the values at the times [`Dataset::t`], `[sample, time, dof]`; NaN is a missing value, or a time that the sample
    /// does not have. For many samples with different times, this array is far larger than the data.
    pub fn u(&self) -> ArrayView3<'_, f64> {
        self.samples.values()
    }

    /// Whether all samples have the same times.
    pub fn is_uniform(&self) -> bool {
        matches!(self.samples, Samples::Uniform { .. })
    }

    /// Iterates over the samples: the times `[time]` of each and its values there, `[time, dof]`.
    pub fn trajectories(&self) -> impl Iterator<Item = (ArrayView1<'_, f64>, ArrayView2<'_, f64>)> {
        (0..self.samples()).filter_map(|sample| self.samples.get(sample))
    }

    /// Returns the times of one sample, `[time]`; `None` if there is no such sample.
    pub fn times(&self, sample: usize) -> Option<ArrayView1<'_, f64>> {
        self.samples.get(sample).map(|(t, _)| t)
    }

    /// Returns the values of one sample at its times, `[time, dof]`; `None` if there is no such sample.
    pub fn sample(&self, sample: usize) -> Option<ArrayView2<'_, f64>> {
        self.samples.get(sample).map(|(_, u)| u)
    }

    /// Returns the initial times, `[sample]`.
    pub fn t0(&self) -> Vec<f64> {
        self.trajectories().map(|(t, _)| t[0]).collect()
    }

    /// Returns the initial states, `[sample, dof]`.
    pub fn u0(&self) -> ArrayView2<'_, f64> {
        self.u0.view()
    }

    /// Returns the names of the components, `[dof]`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the number of samples.
    pub fn samples(&self) -> usize {
        self.u0.nrows()
    }

    /// Returns the number of times [`Dataset::t`], at least two.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.t().len()
    }

    /// Returns the number of components.
    pub fn dof(&self) -> usize {
        self.u0.ncols()
    }

    /// Whether any value is missing.
    pub fn has_missing(&self) -> bool {
        self.trajectories()
            .any(|(_, u)| u.iter().any(|v| v.is_nan()))
    }

    /// Returns the first `n` times of each sample.
    ///
    /// # Errors
    /// `n` below 2 or above the number of times.
    pub fn head(&self, n: usize) -> Result<Self> {
        let shortest = self.samples.shortest();
        if !(2..=shortest).contains(&n) {
            return Err(Error::invalid(format!(
                "take 2 to {shortest} times{}, not {n}",
                self.where_samples_differ()
            )));
        }
        self.slice(0, n)
    }

    /// Returns a note for messages on whose number of times they give, empty if all samples have the same times.
    fn where_samples_differ(&self) -> String {
        match self.is_uniform() {
            true => String::new(),
            false => format!(" (the shortest sample has {})", self.samples.shortest()),
        }
    }

    /// Returns the times of each sample up to and including `t_end`; a time that equals `t_end` up to rounding is included.
    ///
    /// ```
    /// # use odesync_train::datasets::Dataset;
    /// # use ndarray::{Array1, Array2};
    /// let t: Array1<f64> = (0..81).map(|i| 0.1 * f64::from(i)).collect();
    /// let data = Dataset::single(t, Array2::zeros((81, 2)), None)?;
    /// assert_eq!(data.up_to(7.1)?.len(), 72); // 0.1 · 71 is a little above 7.1
    /// # Ok::<(), odesync_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// A sample with fewer than two times up to `t_end`.
    pub fn up_to(&self, t_end: f64) -> Result<Self> {
        let count = |t: ArrayView1<f64>| {
            let span = t.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            t.iter().filter(|x| **x <= t_end + 1e-9 * span).count()
        };
        let counts: Vec<usize> = self.trajectories().map(|(t, _)| count(t)).collect();
        if let Some(sample) = counts.iter().position(|n| *n < 2) {
            return Err(Error::invalid(format!(
                "sample {sample} has {} up to {t_end}; data need at least two",
                count_of(counts[sample], "time")
            )));
        }
        if self.is_uniform() {
            return self.head(counts[0]);
        }
        self.heads(&counts)
    }

    /// Returns the times of each sample from index `from` up to, not including, `to`. Times are not shifted. If `from` is not 0,
    /// the initial state is the first row.
    ///
    /// # Errors
    /// A range outside of the data or shorter than two times; a missing value in its first row, unless `from` is 0.
    pub fn slice(&self, from: usize, to: usize) -> Result<Self> {
        let shortest = self.samples.shortest();
        if to > shortest || from >= to || to - from < 2 {
            return Err(Error::invalid(format!(
                "from {from} to {to}: take at least two times between 0 and {shortest}{}",
                self.where_samples_differ()
            )));
        }
        let samples = self.samples.slice(from, to);
        let u0 = if from == 0 {
            self.u0.clone()
        } else {
            first_rows(&samples)?
        };
        Ok(Self {
            samples,
            u0,
            ..self.clone()
        })
    }

    /// Returns the mean over time of each sample's components, `[sample, dof]`. Missing values are left out; NaN where there is
    /// no value.
    pub fn mean(&self) -> Array2<f64> {
        self.reduce_over_time(|column| mean_std(column).0)
    }

    /// Returns the standard deviation over time of each sample's components, `[sample, dof]`, as numpy's `std`: the root of the
    /// mean squared deviation. Missing values are left out; NaN where there is no value.
    pub fn std(&self) -> Array2<f64> {
        self.reduce_over_time(|column| mean_std(column).1)
    }

    fn reduce_over_time(&self, f: impl Fn(ArrayView1<'_, f64>) -> f64) -> Array2<f64> {
        let mut all = Array2::zeros(self.u0.raw_dim());
        for ((_, u), mut row) in self.trajectories().zip(all.outer_iter_mut()) {
            row.assign(&u.map_axis(Axis(0), &f));
        }
        all
    }
}

/// Returns the default names of components.
pub(super) fn default_names(dof: usize) -> Vec<String> {
    (0..dof).map(|j| format!("u[{j}]")).collect()
}

fn mean_std(column: ArrayView1<'_, f64>) -> (f64, f64) {
    let (mean, variance) = mean_variance(column);
    (mean, variance.sqrt())
}

/// Returns mean and variance of the values that are not missing.
pub(crate) fn mean_variance(column: ArrayView1<'_, f64>) -> (f64, f64) {
    let there = || column.iter().copied().filter(|v| !v.is_nan());
    let n = there().count() as f64;
    let mean = there().sum::<f64>() / n;
    let variance = there().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
    (mean, variance)
}

fn check_u0(u0: Array2<f64>, samples: usize, dof: usize) -> Result<Array2<f64>> {
    if u0.dim() != (samples, dof) {
        return Err(Error::invalid(format!(
            "u0 has shape {:?} but u has {samples} sample(s) of {dof} component(s): u0 must be [{samples}, {dof}]",
            u0.shape()
        )));
    }
    if let Some(((sample, component), value)) = u0.indexed_iter().find(|(_, v)| !v.is_finite()) {
        return Err(Error::invalid(format!(
            "u0[{sample}, {component}] is {value}: initial states must be finite"
        )));
    }
    Ok(u0)
}

fn first_row(u: &Array3<f64>) -> Result<Array2<f64>> {
    let first = u.index_axis(Axis(1), 0).to_owned();
    check_first_row(first)
}

/// Returns the first row of each sample.
fn first_rows(samples: &Samples) -> Result<Array2<f64>> {
    let rows: Vec<ArrayView1<'_, f64>> = (0..)
        .map_while(|sample| samples.get(sample))
        .map(|(_, u)| u.slice_move(s![0, ..]))
        .collect();
    check_first_row(ndarray::stack(Axis(0), &rows).map_err(|e| Error::invalid(e.to_string()))?)
}

fn check_first_row(first: Array2<f64>) -> Result<Array2<f64>> {
    match first.indexed_iter().find(|(_, v)| v.is_nan()) {
        Some(((sample, component), _)) => {
            let of = match first.nrows() {
                1 => String::new(),
                _ => format!(" of sample {sample}"),
            };
            Err(Error::invalid(format!(
                "component {component}{of} is missing (NaN) at the first time, so the initial state is not known: give u0 (a guess \
                 will do where train_u0: true trains it), or begin the data at a time where every component was measured"
            )))
        }
        None => Ok(first),
    }
}
