//! Components of the data that are known inputs of the system.

use ndarray::{ArrayView1, ArrayView2, Axis, s};

use super::{DataUnits, Dataset};
use crate::{Error, Result};
use odesync_ode::field::InputSignal;

impl Dataset {
    /// Splits the data into the state and the known inputs: the components of these names are taken out and become an input, for
    /// each sample linear between its values; beyond the data it keeps the first and the last value. Rows at the end of a sample that
    /// hold inputs alone are in the input and not in the state: there a model predicts.
    ///
    /// ```
    /// use odesync_train::datasets::Dataset;
    /// use ndarray::array;
    /// let data = Dataset::single(array![0.0, 1.0], array![[1.0, 0.5], [2.0, 0.0]], None)?.with_names(["x", "force"])?;
    /// let (state, force) = data.split_inputs(&["force"])?;
    /// assert_eq!(state.names(), ["x"]);
    /// assert_eq!(force.values_at(0, &[0.5])[[0, 0]], 0.25);
    /// # Ok::<(), odesync_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// A name that no component has, no component left for the state, or fewer than two values of an input in a sample.
    pub fn split_inputs<S: AsRef<str>>(&self, names: &[S]) -> Result<(Dataset, InputSignal)> {
        let columns = (names.iter())
            .map(|name| self.component_index(name.as_ref()))
            .collect::<Result<Vec<usize>>>()?;
        let state: Vec<usize> = (0..self.dof()).filter(|j| !columns.contains(j)).collect();
        if columns.is_empty() || state.is_empty() {
            return Err(Error::invalid(format!(
                "of {} at least one is to be an input and one is to be left for the state",
                self.names().join(", ")
            )));
        }
        let mut inputs = vec![];
        for (sample, (t, u)) in self.trajectories().enumerate() {
            let components = (columns.iter())
                .map(|j| {
                    let name = &self.names()[*j];
                    signal(t, u.column(*j)).map_err(|e| {
                        Error::invalid(format!("the input {name} of sample {sample}: {e}"))
                    })
                })
                .collect::<Result<Vec<InputSignal>>>()?;
            // All components at the times of the sample: a missing value is between its neighbours.
            let t = t.to_vec();
            let values: Vec<_> = components.iter().map(|w| w.values_at(0, &t)).collect();
            let views: Vec<_> = values.iter().map(|v| v.view()).collect();
            let values = ndarray::concatenate(Axis(1), &views)
                .map_err(|e| Error::invalid(format!("the inputs: {e}")))?;
            inputs.push(InputSignal::linear(&t, values.view())?);
        }
        let input = InputSignal::per_sample(&inputs)?;
        // An input of one column has its name in equations, where that is a name in a script.
        let input = match columns.as_slice() {
            [j] if is_identifier(&self.names()[*j]) => input.with_name(&self.names()[*j]),
            _ => input,
        };
        Ok((self.select(&state).without_empty_end()?, input))
    }

    /// Returns the index of the component of this name.
    ///
    /// # Errors
    /// A name that no component has.
    pub fn component_index(&self, name: &str) -> Result<usize> {
        let names = self.names().iter();
        names.clone().position(|own| own == name).ok_or_else(|| {
            odesync_base::error::unknown("component", name, names.map(String::as_str))
        })
    }

    /// Returns the data without the rows at the end of each sample in which nothing was measured.
    fn without_empty_end(self) -> Result<Self> {
        let measured = |u: ArrayView2<f64>| {
            let rows = u.outer_iter().rev();
            let empty = rows.take_while(|row| row.iter().all(|x| x.is_nan()));
            u.nrows() - empty.count()
        };
        let samples: Vec<_> = (self.trajectories())
            .map(|(t, u)| {
                let n = measured(u);
                (t.slice(s![..n]).to_owned(), u.slice(s![..n, ..]).to_owned())
            })
            .collect();
        let measured = Dataset::ragged(samples, Some(self.u0.clone()))?;
        Ok(measured.labelled_as(&self))
    }

    /// Returns the data of these components alone.
    fn select(&self, components: &[usize]) -> Self {
        let values = self.trajectories();
        let values = values.map(|(_, u)| u.select(Axis(1), components));
        Dataset {
            samples: self.samples.with_values(values.collect()),
            u0: self.u0.select(Axis(1), components),
            names: components.iter().map(|j| self.names[*j].clone()).collect(),
            units: DataUnits {
                time: self.units.time.clone(),
                state: components
                    .iter()
                    .filter_map(|j| self.units.state.get(*j).cloned())
                    .collect(),
            },
        }
    }
}

/// Returns the input through the values that are there.
fn signal(t: ArrayView1<f64>, values: ArrayView1<f64>) -> Result<InputSignal> {
    let there = || t.iter().zip(values).filter(|(_, x)| !x.is_nan());
    let times: Vec<f64> = there().map(|(t, _)| *t).collect();
    let values: Vec<f64> = there().map(|(_, x)| *x).collect();
    let values = ndarray::Array2::from_shape_vec((values.len(), 1), values)
        .map_err(|e| Error::invalid(e.to_string()))?;
    InputSignal::linear(&times, values.view())
}

fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
