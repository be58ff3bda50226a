//! Runs of the methods that set themselves, with nothing else set.

use odesync_ode::field::VectorField;
use odesync_train::datasets::Dataset;
use odesync_train::training::{Run, TrainOptions, TrainingMethod, train};

/// Trains a model with default options.
pub fn trained(model: &VectorField, data: &Dataset, method: impl Into<TrainingMethod>) -> Run {
    trained_with(model, data, method, &TrainOptions::default())
}

/// Trains a model.
pub fn trained_with(
    model: &VectorField,
    data: &Dataset,
    method: impl Into<TrainingMethod>,
    options: &TrainOptions,
) -> Run {
    train(model, data, &method.into(), options, &mut ()).unwrap()
}
