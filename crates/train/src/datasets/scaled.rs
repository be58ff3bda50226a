//! Data in other units: components and times divided, multiplied and shifted. The names stay.

use super::Dataset;
use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

impl Dataset {
    /// Returns the data divided by a scale, one for all components or one for each, so that their numbers are around 1; the initial
    /// states too. The names stay; the units of the components are no longer known.
    ///
    /// ```
    /// use ndarray::array;
    /// use odesync_train::datasets::Dataset;
    ///
    /// let data = Dataset::single(array![0.0, 1.0], array![[30.0, 4.0], [60.0, 8.0]], None)?.with_names(["hare", "lynx"])?;
    /// let scaled = data.scaled(&[30.0, 4.0])?;
    /// assert_eq!(scaled.names(), ["hare", "lynx"]);
    /// assert_eq!(scaled.u0(), array![[1.0, 1.0]]);
    /// # Ok::<(), odesync_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another number of scales; a scale that is 0 or not finite.
    pub fn scaled(&self, scale: &[f64]) -> Result<Self> {
        self.changed(scale, "scale", true, |x, scale| x / scale)
    }

    /// Returns the data times a factor, one for all components or one for each, as [`Dataset::scaled`] divides them.
    ///
    /// # Errors
    /// Those of [`Dataset::scaled`].
    pub fn multiplied(&self, factor: &[f64]) -> Result<Self> {
        self.changed(factor, "factor", true, |x, factor| x * factor)
    }

    /// Returns the data plus a number, one for all components or one for each; the initial states too. Names and units stay.
    ///
    /// # Errors
    /// Another number of summands; one that is not finite.
    pub fn shifted(&self, summand: &[f64]) -> Result<Self> {
        self.changed(summand, "summand", false, |x, summand| x + summand)
    }

    /// Returns the data at the times (t − `start`) / `unit`. Names stay; the unit of the times is no longer known unless `unit` is 1.
    ///
    /// # Errors
    /// A start that is not finite, or a unit that is not a finite number above 0.
    pub fn with_time_scale(&self, start: f64, unit: f64) -> Result<Self> {
        if !(start.is_finite() && unit > 0.0 && unit.is_finite()) {
            return Err(Error::invalid(format!(
                "times cannot be counted from {start} in units of {unit}: give a finite start and a unit above 0"
            )));
        }
        let samples = self.trajectories().map(|(t, u)| {
            let t = t.mapv(|t| (t - start) / unit);
            (t, u.to_owned())
        });
        let mut data = Dataset::ragged(samples.collect(), Some(self.u0.clone()))?.labelled_as(self);
        if unit != 1.0 {
            data.units.time.clear();
        }
        Ok(data)
    }

    /// Applies a change with a number for each component to values and initial states.
    fn changed(
        &self,
        numbers: &[f64],
        what: &str,
        is_scale: bool,
        change: fn(f64, f64) -> f64,
    ) -> Result<Self> {
        let numbers = match numbers {
            [one] => vec![*one; self.dof()],
            all if all.len() == self.dof() => all.to_vec(),
            all => {
                return Err(Error::invalid(format!(
                    "{} for {}: give one for all, or one for each",
                    count_of(all.len(), what),
                    count_of(self.dof(), "component")
                )));
            }
        };
        let fits = |x: &f64| x.is_finite() && !(is_scale && *x == 0.0);
        if let Some(wrong) = numbers.iter().find(|x| !fits(x)) {
            let but = if is_scale { " other than 0" } else { "" };
            return Err(Error::invalid(format!(
                "{wrong} is no {what} of data: give finite numbers{but}"
            )));
        }
        let mut u0 = self.u0.clone();
        for ((_, j), x) in u0.indexed_iter_mut() {
            *x = change(*x, numbers[j]);
        }
        let values = self.trajectories().map(|(_, u)| {
            let mut u = u.to_owned();
            for ((_, j), x) in u.indexed_iter_mut() {
                *x = change(*x, numbers[j]);
            }
            u
        });
        let values: Vec<_> = values.collect();
        if values.iter().flatten().chain(&u0).any(|x| x.is_infinite()) {
            return Err(Error::invalid(format!(
                "with this {what} the data are no longer finite"
            )));
        }
        let mut data = Self {
            samples: self.samples.with_values(values),
            u0,
            ..self.clone()
        };
        if is_scale {
            data.units.state.clear();
        }
        Ok(data)
    }
}
