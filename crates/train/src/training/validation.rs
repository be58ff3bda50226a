//! Data that a training does not see, and the mean squared error of the free model on them.

use std::sync::Arc;

use ndarray::{Array2, Axis};

use super::epoch_record::EpochRecord;
use super::holdout::HeldOutRows;
use super::options::TrainOptions;
use super::score::FreeFit;
use crate::datasets::Dataset;
use crate::observation::{Observation, check_data};
use crate::{Error, Result};
use odesync_base::text::count_of;
use odesync_ode::field::{InputSignal, Signal, VectorField};
use odesync_ode::odesolve::SolveOptions;

/// Data that a training does not see.
#[derive(Debug, Clone)]
pub(super) struct Validation {
    /// The data; what the training sees is missing in them.
    pub data: Dataset,
    /// Initial states of the samples, `[sample, dof]`; `None` where they are those of the run.
    u0: Option<Array2<f64>>,
    /// State variables of the columns.
    columns: Vec<usize>,
    /// External inputs of the samples, by name, where they are not those of the training.
    inputs: Vec<(String, InputSignal)>,
}

/// A training and the data that it does not see.
pub(super) struct Split {
    /// The model, with the external inputs of the training's samples.
    pub model: VectorField,
    pub data: Dataset,
    /// The options, with the initial states of the training's samples.
    pub options: TrainOptions,
    pub validation: Validation,
}

impl Validation {
    /// Solves the free model from the data's initial states, or from the run's, `u0` `[sample, dof]`, and returns its mean squared
    /// error; NaN where it cannot be solved.
    ///
    /// # Errors
    /// An interrupt.
    pub fn mse(&self, model: &VectorField, u0: &Array2<f64>, solver: &SolveOptions) -> Result<f64> {
        let mut own = None;
        for (name, input) in &self.inputs {
            let model = own.as_ref().unwrap_or(model);
            own = Some(model.with_input(name, input.clone())?);
        }
        let model = own.as_ref().unwrap_or(model);
        let u0 = self.u0.as_ref().unwrap_or(u0);
        FreeFit::mse_of(model, u0, &self.data, &self.columns, solver)
    }
}

/// Returns the lowest validation mse of the epochs in which the model was free; infinite where there is none.
pub(super) fn lowest_validation(history: &[EpochRecord]) -> f64 {
    let free = history.iter().filter(|record| record.is_free());
    // f64::min ignores NaN.
    free.filter_map(|record| record.validation)
        .fold(f64::INFINITY, f64::min)
}

/// Takes the data that are held out from those of a training; `None` where all are trained on and no others are given.
///
/// # Errors
/// Both `holdout` and `validation`, or data that do not fit.
pub(super) fn split(
    model: &VectorField,
    data: &Dataset,
    options: &TrainOptions,
) -> Result<Option<Split>> {
    let (model, data, observation, validation) = match (options.holdout, &options.validation) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(Error::invalid(
                "give either holdout, a part of these data, or validate, other data, not both",
            ));
        }
        (None, Some(other)) => {
            let validation = given(model, data, other, &options.observation)?;
            (
                model.clone(),
                data.clone(),
                options.observation.clone(),
                validation,
            )
        }
        (Some(holdout), None) => {
            let times: Vec<usize> = data.trajectories().map(|(t, _)| t.len()).collect();
            match holdout.rows(&times)? {
                HeldOutRows::Rows(rows) => hold_out_rows(model, data, &rows, &options.observation)?,
                HeldOutRows::Samples(samples) => {
                    hold_out_samples(model, data, &samples, &options.observation)?
                }
            }
        }
    };
    if validation
        .data
        .trajectories()
        .all(|(_, u)| u.iter().all(|x| x.is_nan()))
    {
        return Err(Error::invalid(
            "there is nothing to validate with: every value of the data that are held out is missing (NaN)",
        ));
    }
    Ok(Some(Split {
        model,
        data,
        options: TrainOptions {
            observation,
            ..options.clone()
        },
        validation,
    }))
}

type Parts = (VectorField, Dataset, Observation, Validation);

/// Makes other data those of the validation.
fn given(
    model: &VectorField,
    data: &Dataset,
    other: &Arc<Dataset>,
    observation: &Observation,
) -> Result<Validation> {
    let wrong = |e: Error| Error::invalid(format!("validate: {e}"));
    if other.dof() != data.dof() {
        return Err(wrong(Error::invalid(format!(
            "the data have {}, those of the training {}: give the same columns",
            count_of(other.dof(), "component"),
            data.dof()
        ))));
    }
    check_data(model, other).map_err(wrong)?;
    let columns = observation.resolve_columns(model.dof(), other)?;
    let own = Observation {
        // Initial states of several samples are those of the training.
        u0: observation.u0.clone().filter(|u0| u0.nrows() == 1),
        ..observation.clone()
    };
    let u0 = own.initial_states(model.dof(), &columns, other);
    Ok(Validation {
        data: other.as_ref().clone(),
        u0: Some(u0.map_err(wrong)?),
        columns,
        inputs: vec![],
    })
}

/// Holds out rows of each sample: the training does not see them, and the validation is the run's own trajectory there.
fn hold_out_rows(
    model: &VectorField,
    data: &Dataset,
    rows: &[std::ops::Range<usize>],
    observation: &Observation,
) -> Result<Parts> {
    let counts: Vec<usize> = data.trajectories().map(|(t, _)| t.len()).collect();
    let is_tail = rows.iter().zip(&counts).all(|(rows, n)| rows.end == *n);
    let train = match is_tail {
        true => data.heads(&rows.iter().map(|rows| rows.start).collect::<Vec<_>>())?,
        false => data.keep_rows(|sample, row| !rows[sample].contains(&row)),
    };
    let validation = Validation {
        data: data.keep_rows(|sample, row| rows[sample].contains(&row)),
        u0: None,
        columns: observation.resolve_columns(model.dof(), data)?,
        inputs: vec![],
    };
    Ok((model.clone(), train, observation.clone(), validation))
}

/// Holds out whole samples, with their initial states and external inputs.
fn hold_out_samples(
    model: &VectorField,
    data: &Dataset,
    samples: &[usize],
    observation: &Observation,
) -> Result<Parts> {
    check_data(model, data)?;
    let kept: Vec<usize> = (0..data.samples())
        .filter(|i| !samples.contains(i))
        .collect();
    if kept.is_empty() || samples.is_empty() {
        return Err(Error::invalid(format!(
            "the data have {}, so none can be held out and one trained on; hold out a share of the times, holdout: 0.2",
            count_of(data.samples(), "sample")
        )));
    }
    let columns = observation.resolve_columns(model.dof(), data)?;
    let of = |samples: &[usize]| Observation {
        u0: observation.u0.as_ref().map(|u0| match u0.nrows() {
            1 => u0.clone(),
            _ => u0.select(Axis(0), samples),
        }),
        ..observation.clone()
    };
    if let Some(u0) = observation
        .u0
        .as_ref()
        .filter(|u0| ![1, data.samples()].contains(&u0.nrows()))
    {
        return Err(Error::invalid(format!(
            "u0 has {}, and the data have {}: give one row for all, or one for each",
            count_of(u0.nrows(), "row"),
            count_of(data.samples(), "sample")
        )));
    }
    let held = data.select_samples(samples)?;
    let u0 = of(samples).initial_states(model.dof(), &columns, &held)?;
    let (mut train_model, mut inputs) = (model.clone(), vec![]);
    for signal in model.signals().iter().filter(|s| s.n_samples() > 1) {
        let Some(input) = signal.as_input() else {
            return Err(Error::invalid(
                "the model is coupled to data of each sample, so no samples can be held out: hold out a share of the times, holdout: 0.2",
            ));
        };
        train_model = train_model.with_input(input.name(), input.select_samples(&kept)?)?;
        inputs.push((input.name().to_string(), input.select_samples(samples)?));
    }
    let validation = Validation {
        data: held,
        u0: Some(u0),
        columns,
        inputs,
    };
    Ok((
        train_model,
        data.select_samples(&kept)?,
        of(&kept),
        validation,
    ))
}
