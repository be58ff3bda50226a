//! The model, the training method and the options that a configuration describes.

use ndarray::Array2;

use super::settings::{
    CouplingSettings, ExperimentSettings, LrScheduleSettings, ModelSettings, TrainingSettings,
    required,
};
use crate::{Error, Result};
use odesync_base::error;
use odesync_base::random::Generator;
use odesync_base::text::count_of;
use odesync_ode::field::{Unary, VectorField};
use odesync_train::models;
use odesync_train::schedules::Schedule;
use odesync_train::synchronization::Coupling;
use odesync_train::training::{
    Homotopy, LrSchedule, MultipleShooting, Optimizer, TrainOptions, TrainingMethod,
};

/// Makes the untrained model for `dof` state variables; its weights are drawn as after `torch.manual_seed(seed)`.
pub(super) fn model(settings: &ModelSettings, dof: usize, seed: u64) -> Result<VectorField> {
    const KINDS: [&str; 3] = ["blackbox", "second_order", "graybox"];
    let activation = Unary::activation(&settings.activation)?;
    let mut generator = Generator::manual_seed(seed);
    let outputs = match settings.kind.as_str() {
        "second_order" => dof / 2,
        _ => dof,
    };
    let mut nodes = vec![dof];
    nodes.extend(vec![
        settings.nodes_per_layer;
        settings.hidden_layers.min(1000)
    ]);
    nodes.push(outputs);
    match settings.kind.as_str() {
        "blackbox" => models::blackbox(&nodes, activation, &mut generator),
        "second_order" => models::second_order(&nodes, activation, &mut generator),
        "graybox" => {
            let linear = required(
                settings.linear.clone(),
                "model.linear",
                "a gray box needs the known factor of each state variable, for example [1.3, -1.8]",
            )?;
            if linear.len() != dof {
                return Err(Error::invalid(format!(
                    "model.linear needs {}, one for each state variable, and has {}",
                    count_of(dof, "number"),
                    linear.len()
                )));
            }
            models::graybox(&nodes, activation, &[], &mut generator, |_, u, nn, _| {
                linear
                    .iter()
                    .enumerate()
                    .map(|(i, a)| *a * u.at(i) + nn.at(i))
                    .collect()
            })
        }
        other => Err(error::unknown("model.kind", other, KINDS)),
    }
}

fn coupling(settings: &CouplingSettings) -> Result<Coupling> {
    Ok(match settings {
        CouplingSettings::Number(k) => Coupling::Scalar(*k),
        CouplingSettings::Diagonal(k) => Coupling::Vector(k.clone()),
        CouplingSettings::Full(rows) => {
            let n = rows.len();
            let flat: Vec<f64> = rows.iter().flatten().copied().collect();
            let matrix = Array2::from_shape_vec((n, n), flat);
            Coupling::Matrix(matrix.map_err(|_| {
                Error::invalid(
                    "training.coupling: the rows of a matrix must be as long as there are rows",
                )
            })?)
        }
    })
}

/// Makes the training method.
pub(super) fn method(settings: &TrainingSettings) -> Result<TrainingMethod> {
    const METHODS: [&str; 3] = ["vanilla", "multiple_shooting", "homotopy"];
    let method = settings.method.as_str();
    let because = format!("training by {method} needs it");
    match method {
        "vanilla" => Ok(TrainingMethod::Vanilla),
        "multiple_shooting" => Ok(TrainingMethod::MultipleShooting(MultipleShooting {
            segments: required(settings.segments, "training.segments", &because)?,
            continuity_weight: required(
                settings.continuity_weight,
                "training.continuity_weight",
                &because,
            )?,
        })),
        "homotopy" => {
            let k = required(settings.coupling.as_ref(), "training.coupling", &because)?;
            let schedule = required(settings.schedule.clone(), "training.schedule", &because)?;
            let homotopy = Homotopy::new(coupling(k)?, Schedule::new(schedule)?);
            let alpha = settings.smoothing.unwrap_or(0.0);
            if !(alpha >= 0.0 && alpha.is_finite()) {
                return Err(Error::invalid(format!(
                    "training.smoothing must not be negative, and it is {alpha}"
                )));
            }
            Ok(homotopy.smoothing(alpha).into())
        }
        other => Err(error::unknown("training.method", other, METHODS)),
    }
}

fn lr_schedule(settings: &LrScheduleSettings) -> Result<LrSchedule> {
    match settings {
        LrScheduleSettings::Name(name) => LrSchedule::by_name(name),
        LrScheduleSettings::Rates(rates) => {
            LrSchedule::from_rates(rates.rate, rates.every, rates.factor)
        }
    }
}

/// Makes the training options; the output folder and the callbacks are not set.
pub(super) fn options(settings: &ExperimentSettings) -> Result<TrainOptions> {
    let (training, trainer) = (&settings.training, &settings.trainer);
    let options = TrainOptions {
        epochs: training.epochs,
        lr: training.lr,
        lr_schedule: lr_schedule(&training.lr_schedule)?,
        optimizer: Optimizer::by_name(&training.optimizer)?
            .with_weight_decay(training.weight_decay),
        clip: training.clip,
        patience: training.patience,
        max_failures: trainer.max_failures,
        solver: settings.odesolve.clone(),
        engine: trainer.engine.clone(),
        device: trainer.device.clone(),
        checkpoint_every: trainer.checkpoint_every,
        trajectory_every: trainer.trajectory_every,
        ..TrainOptions::default()
    };
    options.check().map(|()| options)
}
