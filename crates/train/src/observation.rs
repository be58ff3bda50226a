//! Relation of data to a model's state: which state variables were measured, and the initial states of the model.

use ndarray::Array2;

use crate::datasets::Dataset;
use crate::{Error, Result};
use odesync_base::text::count_of;
use odesync_ode::field::VectorField;

/// Measured state variables and initial states. By default the data are the whole state, and the model has the data's initial
/// states.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observation {
    /// State variable of each column of the data, counted from 0; all of them, in order, where `None`.
    pub observe: Option<Vec<usize>>,
    /// Initial states of the model, `[sample, dof]`, or one row for every sample. NaN for a measured state variable means the
    /// data's own initial value.
    pub u0: Option<Array2<f64>>,
    /// Whether the initial states of all samples are trained too. Their initial guess is `u0`; a state variable that was neither
    /// measured nor given in `u0` begins at 0.
    pub train_u0: bool,
}

impl Observation {
    /// Creates an observation whose data columns are these state variables.
    pub fn of_variables(observe: impl Into<Vec<usize>>) -> Self {
        Observation {
            observe: Some(observe.into()),
            ..Observation::default()
        }
    }

    /// Sets the initial states of the whole state, `[sample, dof]` or one row for every sample.
    #[must_use]
    pub fn with_u0(mut self, u0: Array2<f64>) -> Self {
        self.u0 = Some(u0);
        self
    }

    /// Makes the initial states trainable.
    #[must_use]
    pub fn train_u0(mut self) -> Self {
        self.train_u0 = true;
        self
    }

    /// Returns the state variable of each column, for a model of `dof` state variables.
    pub(crate) fn resolve_columns(&self, dof: usize, data: &Dataset) -> Result<Vec<usize>> {
        let Some(observe) = &self.observe else {
            if data.dof() == dof {
                return Ok((0..dof).collect());
            }
            let hint = match data.dof() < dof {
                true => "; if the data are some of them only, say which, for example observe: [0]",
                false => "",
            };
            return Err(Error::invalid(format!(
                "the model has {}, the data {}{hint}",
                count_of(dof, "state variable"),
                data.dof()
            )));
        };
        if observe.len() != data.dof() {
            return Err(Error::invalid(format!(
                "observe names {} state variables, and the data have {} columns: name one for each column",
                observe.len(),
                data.dof()
            )));
        }
        for (i, variable) in observe.iter().enumerate() {
            if *variable >= dof {
                return Err(Error::invalid(format!(
                    "observe names state variable {variable}, and the model has {dof}, counted from 0"
                )));
            }
            if observe[..i].contains(variable) {
                return Err(Error::invalid(format!(
                    "observe names state variable {variable} twice"
                )));
            }
        }
        Ok(observe.clone())
    }

    /// Returns the initial states of the model, `[sample, dof]`.
    pub(crate) fn initial_states(
        &self,
        dof: usize,
        columns: &[usize],
        data: &Dataset,
    ) -> Result<Array2<f64>> {
        let samples = data.samples();
        let mut all = match &self.u0 {
            None => Array2::from_elem((samples, dof), f64::NAN),
            Some(u0) => u0
                .broadcast((samples, dof))
                .filter(|_| u0.ncols() == dof)
                .map(|u0| u0.to_owned())
                .ok_or_else(|| {
                    Error::invalid(format!(
                        "u0 has shape {:?}: it must be the {dof} state variables of the model, for each of the {samples} \
                         samples or one row for all",
                        u0.shape()
                    ))
                })?,
        };
        for (mut u0, measured) in all.outer_iter_mut().zip(data.u0().outer_iter()) {
            for (variable, measured) in columns.iter().zip(measured) {
                if u0[*variable].is_nan() {
                    u0[*variable] = *measured;
                }
            }
            for (variable, x) in u0.iter_mut().enumerate() {
                if x.is_nan() && self.train_u0 {
                    *x = 0.0;
                }
                if !x.is_finite() {
                    return Err(Error::invalid(match x.is_nan() {
                        true => format!(
                            "state variable {variable} was not measured, so where the model begins is not known: give the whole \
                             initial state as u0, or train it with train_u0: true (from 0, or from u0)"
                        ),
                        false => format!("u0 holds {x}: initial states must be finite"),
                    }));
                }
            }
        }
        Ok(all)
    }
}

/// Checks that there are data, and that the model's external inputs are given for their samples.
///
/// # Errors
/// Only missing values, or another number of samples.
pub(crate) fn check_data(model: &VectorField, data: &Dataset) -> Result<()> {
    let mut values = data.trajectories().flat_map(|(_, u)| u);
    if values.all(|x| x.is_nan()) {
        return Err(Error::invalid(
            "there is nothing to compare the model with: every value of the data is missing (NaN)",
        ));
    }
    for signal in model.signals() {
        if signal.n_samples() != 1 && signal.n_samples() != data.samples() {
            return Err(Error::invalid(format!(
                "the model's external input is given for {}, the data have {}: give one for all samples, or one for each",
                count_of(signal.n_samples(), "sample"),
                data.samples()
            )));
        }
    }
    Ok(())
}
