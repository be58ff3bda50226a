//! Runs: what they measured, their models, saving and loading.

use std::sync::Arc;

use ndarray::ArrayD;
use rhai::{Dynamic, ImmutableString};

use super::array::Array;
use super::convert;
use super::data::squeeze;
use super::ensembles::QUANTILES;
use super::error::Fallible;
use super::fields::Field;
use super::registry::Registry;
use super::solving::room_for_solution;
use super::training::Trained;
use crate::{Error, Result};
use odesync_train::logging::write_metrics;
use odesync_train::training::{Run, Stop};

/// An example that begins with a short run.
macro_rules! trained {
    ($then:literal) => {
        concat!(
            "let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); ",
            "let run = train(blackbox([2, 4, 2]), data, vanilla(), #{ epochs: 2 }); ",
            $then
        )
    };
}

/// A folder's name that is not empty.
pub(super) fn named<'a>(call: &str, folder: &'a str) -> Result<&'a str> {
    match folder.trim() {
        "" => Err(Error::invalid(format!(
            "{call}: the folder's name is empty; \".\" is the folder you are in"
        ))),
        _ => Ok(folder),
    }
}

fn summary(run: &Run) -> String {
    let stop = match &run.stop {
        Stop::Finished => "finished".into(),
        Stop::EarlyStop => "stopped early".into(),
        Stop::Interrupted => "interrupted".into(),
        Stop::Failing(advice) => format!("stopped: {advice}"),
    };
    format!(
        "Run: {} training, {stop}\n  epochs      {} ({} skipped)\n  best mse    {:.6e} at epoch {}\n  evaluations {}\n  seconds     {:.2}",
        run.method.replace('_', " "),
        run.history.len(),
        run.failures(),
        run.best_mse,
        run.best_epoch,
        run.evaluations(),
        run.seconds(),
    )
}

pub(super) fn register(reg: &mut Registry) {
    reg.kind::<Trained>("Run")
        .display::<Trained>(|r| summary(&r.0));
    reg.get("best_mse", |r: &mut Trained| Ok(r.0.best_mse));
    reg.get("best_mse_at_lambda_zero", |r: &mut Trained| {
        Ok(r.0.best_mse_at_lambda_zero())
    });
    reg.get(
        "evaluations",
        |r: &mut Trained| Ok(r.0.evaluations() as i64),
    );
    reg.get("best_epoch", |r: &mut Trained| Ok(r.0.best_epoch as i64));
    reg.get("model", |r: &mut Trained| Ok(Field(r.0.model.clone())));
    reg.get("last", |r: &mut Trained| Ok(Field(r.0.last.clone())));
    reg.get("epochs", |r: &mut Trained| Ok(r.0.history.len() as i64));
    reg.get("failures", |r: &mut Trained| Ok(r.0.failures() as i64));
    reg.get("seconds", |r: &mut Trained| Ok(r.0.seconds()));
    reg.get("method", |r: &mut Trained| Ok(r.0.method.clone()));
    reg.get("stopped", |r: &mut Trained| {
        Ok(match &r.0.stop {
            Stop::Finished => "finished".to_string(),
            Stop::EarlyStop => "early".into(),
            Stop::Interrupted => "interrupted".into(),
            Stop::Failing(advice) => advice.clone(),
        })
    });
    reg.get("u0", |r: &mut Trained| Ok(squeeze(r.0.u0.view())));
    properties_described(reg);
    reg.add(
        "history",
        |r: &mut Trained, name: ImmutableString| -> Fallible<Array> {
            Ok(Array::from_vec(r.0.metric(&name)?))
        },
    );
    reg.describe(
        "history",
        "run.history(\"mse\") -> Array",
        "A metric by epoch: epoch, lambda, train_loss, mse, data_loss, continuity, evaluations, seconds, lr, gradient_norm, failed.",
        trained!("run.history(\"mse\")"),
    );
    let host = reg.host();
    reg.add(
        "predict",
        move |r: &mut Trained, t: Dynamic| -> Fallible<Array> {
            let t = convert::to_vector(&t, "predict: t")?;
            room_for_solution(
                &host,
                "the prediction",
                t.len(),
                r.0.model.dof(),
                r.0.u0.nrows(),
            )?;
            let predicted: ArrayD<f64> = r.0.predict(&t)?.into_dyn();
            Ok(squeeze(predicted.view()))
        },
    );
    reg.describe(
        "predict",
        "run.predict(t) -> Array",
        "The best model's trajectory, the whole state, from its initial state at any later times.",
        trained!("run.predict([0, 2])"),
    )
    .options(&[QUANTILES]);
    let host = reg.host();
    reg.add(
        "save",
        move |r: &mut Trained, folder: ImmutableString| -> Fallible<()> {
            let folder = named("save", &folder)?;
            r.0.save(folder)?;
            write_metrics(&r.0, folder)?;
            host.note(&format!("wrote {folder}"));
            Ok(())
        },
    );
    reg.describe(
        "save",
        "run.save(\"runs/mine\")",
        "Writes best.safetensors, last.safetensors and metrics.csv into a folder; load reads them back.",
        trained!("run.save(\"runs/mine\")"),
    );
    reg.add("load", |folder: ImmutableString| -> Fallible<Trained> {
        Ok(Trained(Arc::new(Run::load(named("load", &folder)?)?)))
    });
    reg.describe(
        "load",
        "load(\"runs/mine\") -> Run",
        "Reads a saved run.",
        trained!("run.save(\"runs/mine\"); load(\"runs/mine\").best_mse"),
    );
}

fn properties_described(reg: &mut Registry) {
    reg.describe_property(
        "Run",
        "run.best_mse -> float",
        "The smallest mean squared error of the model that runs by itself, over all epochs.",
        trained!("run.best_mse"),
    );
    reg.describe_property(
        "Run",
        "run.best_mse_at_lambda_zero -> float",
        "The same over the epochs with λ = 0, in which the model was trained without the coupling.",
        trained!("run.best_mse_at_lambda_zero"),
    );
    reg.describe_property(
        "Run",
        "run.best_epoch -> int",
        "The epoch of the best mse, counted from 0; the number of epochs where the last update was the best.",
        trained!("run.best_epoch"),
    );
    reg.describe_property(
        "Run",
        "run.model -> Field",
        "The model with the best mse.",
        trained!("run.model.params"),
    );
    reg.describe_property(
        "Run",
        "run.last -> Field",
        "The model after the last update.",
        trained!("run.last.params"),
    );
    reg.describe_property(
        "Run",
        "run.epochs -> int",
        "The number of epochs done.",
        trained!("run.epochs"),
    );
    reg.describe_property(
        "Run",
        "run.failures -> int",
        "The number of epochs whose solve failed.",
        trained!("run.failures"),
    );
    reg.describe_property(
        "Run",
        "run.evaluations -> int",
        "Evaluations of the vector field by the training solves of all epochs.",
        trained!("run.evaluations"),
    );
    reg.describe_property(
        "Run",
        "run.seconds -> float",
        "Wall-clock time of all epochs.",
        trained!("run.seconds"),
    );
    reg.describe_property(
        "Run",
        "run.method -> string",
        "The name of the method.",
        trained!("run.method"),
    );
    reg.describe_property(
        "Run",
        "run.stopped -> string",
        "Why it ended: finished, early, interrupted, or what failed.",
        trained!("run.stopped"),
    );
    reg.describe_property(
        "Run",
        "run.u0 -> Array",
        "The initial states of the model, [dof]; [sample, dof] of several samples. Where they were trained, those of the best model.",
        trained!("run.u0"),
    );
}
