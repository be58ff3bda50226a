//! Relation of data to a model's state: which state variables were measured, and the initial states of the model.

use ndarray::Array2;

use crate::datasets::Dataset;
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Flag, Maybe, Mismatch, OptionKind, Value};
use odesync_base::text::count_of;
use odesync_ode::field::VectorField;

option_set! {
    /// Measured state variables and initial states. By default the data are the whole state, and the model has the data's initial
    /// states.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Observation {
        /// The state variables that the data are, for example `[0, 2]`; coupling and loss know only those.
        ///
        /// State variable of each column of the data, counted from 0; all of them, in order, where `None`.
        pub observe: Option<Vec<usize>> as Maybe<StateVariables> = None, "all";
        /// Initial states of the whole state, where data hold a part of it.
        ///
        /// `[sample, dof]`, or one row for every sample. NaN for a measured state variable means the data's own initial value.
        pub u0: Option<Array2<f64>> as Maybe<InitialStates> = None, "the data's";
        /// Train the initial states too.
        ///
        /// Their initial guess is `u0`; a state variable that was neither measured nor given in `u0` begins at 0.
        pub train_u0: bool as Flag = false;
    }
}

/// State variables, by their indices.
#[derive(Debug, Clone, Copy)]
pub(super) struct StateVariables;

impl OptionKind for StateVariables {
    type Field = Vec<usize>;
    const EXPECTED: &'static str = "a list of state variables, counted from 0, such as [0, 2]";

    fn read(value: &Value) -> std::result::Result<Vec<usize>, Mismatch> {
        let Value::List(list) = value else {
            return Err(Mismatch::Value);
        };
        let variable = |item: &Value| {
            let index = item.number().filter(|x| *x >= 0.0 && x.fract() == 0.0);
            index.map(|x| x as usize).ok_or_else(|| {
                let expected = "state variables, whole numbers that are 0 or more";
                Mismatch::Item(expected, item.clone())
            })
        };
        match list.is_empty() {
            true => Err(Mismatch::Value),
            false => list.iter().map(variable).collect(),
        }
    }

    fn write(field: &Vec<usize>) -> Value {
        Value::List(field.iter().copied().map(Value::from).collect())
    }
}

/// Initial states: a list of numbers, or a list of such lists, one for each sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct InitialStates;

impl OptionKind for InitialStates {
    type Field = Array2<f64>;
    const EXPECTED: &'static str = "an Array or a list of numbers";

    fn read(value: &Value) -> std::result::Result<Array2<f64>, Mismatch> {
        let rows = match (value.numbers(), value) {
            (Some(row), _) => vec![row],
            (None, Value::List(rows)) => {
                let rows: Option<Vec<_>> = rows.iter().map(Value::numbers).collect();
                rows.ok_or(Mismatch::Value)?
            }
            _ => return Err(Mismatch::Value),
        };
        let shape = (rows.len(), rows.first().map_or(0, Vec::len));
        Array2::from_shape_vec(shape, rows.concat()).map_err(|_| Mismatch::Value)
    }

    fn write(field: &Array2<f64>) -> Value {
        let row = |row: ndarray::ArrayView1<'_, f64>| Value::from(&row.to_vec()[..]);
        Value::List(field.rows().into_iter().map(row).collect())
    }
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

    /// Returns the initial states that are given as `u0`, `[sample, dof]`; NaN where none is given.
    pub(crate) fn given_states(&self, dof: usize, samples: usize) -> Result<Array2<f64>> {
        let Some(u0) = &self.u0 else {
            return Ok(Array2::from_elem((samples, dof), f64::NAN));
        };
        let states = u0.broadcast((samples, dof)).filter(|_| u0.ncols() == dof);
        let Some(states) = states.map(|u0| u0.to_owned()) else {
            return Err(Error::invalid(format!(
                "u0 has shape {:?}: it must be the {dof} state variables of the model, for each of the {samples} samples or one \
                 row for all",
                u0.shape()
            )));
        };
        match states.iter().find(|x| x.is_infinite()) {
            Some(x) => Err(Error::invalid(format!(
                "u0 holds {x}: initial states must be finite"
            ))),
            None => Ok(states),
        }
    }

    /// Returns the initial states of the model, `[sample, dof]`.
    pub(crate) fn initial_states(
        &self,
        dof: usize,
        columns: &[usize],
        data: &Dataset,
    ) -> Result<Array2<f64>> {
        let mut all = self.given_states(dof, data.samples())?;
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
                if x.is_nan() {
                    return Err(Error::invalid(format!(
                        "state variable {variable} was not measured, so where the model begins is not known: give the whole \
                         initial state as u0, or train it with train_u0: true (from 0, or from u0)"
                    )));
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
