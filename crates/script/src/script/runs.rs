//! The bindings of runs: metrics, models, saving and loading.

use std::sync::Arc;

use rhai::{Dynamic, ImmutableString, Map};

use super::array::ScriptArray;
use super::convert;
use super::data::squeeze;
use super::ensembles::QUANTILES;
use super::fields::ScriptField;
use super::host::Host;
use super::keys::{Key, Keys};
use super::options::Options;
use super::registry::Registry;
use super::solving::check_solution_memory;
use super::training::ScriptRun;
use crate::{Error, Result};
use odesync_base::options::Named;
use odesync_train::progress::write_metrics;
use odesync_train::training::{Prediction, Profile, ProfileOptions, Run, StopReason, TrustReport};

/// Prepends a short run to an example.
macro_rules! run_example {
    ($then:literal) => {
        concat!(
            "let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); ",
            "let run = train(blackbox([2, 4, 2]), data, vanilla(), #{ epochs: 2 }); ",
            $then
        )
    };
}

/// The option key of standard deviations.
pub(super) const BANDS: &[Key] = &[Key::flag("bands")
    .doc("Return standard deviations too.")
    .default(|| false.into(), "")];

/// The option keys of a run that is written into a folder.
pub(super) const SAVE: Keys = &[&[Key::flag("overwrite")
    .doc("Replace the run that the folder holds; without it a folder with another run is an error.")
    .default(|| false.into(), "")]];

/// Reads the options of a save, and checks that it replaces no run unless it may.
pub(super) fn check_save(host: &Host, run: &Run, folder: &str, mut options: Options) -> Result<()> {
    let overwrite = options.bool("overwrite", false)? || host.runs().overwrite;
    options.finish()?;
    match overwrite {
        true => Ok(()),
        false => run.check_saves_over_nothing(folder),
    }
}

/// The option keys of a profile.
const PROFILE: Keys = &[ProfileOptions::OPTIONS];

/// Checks that a folder's name is not empty, and returns it.
pub(super) fn non_empty_path<'a>(call: &str, folder: &'a str) -> Result<&'a str> {
    match folder.trim() {
        "" => Err(Error::invalid(format!(
            "{call}: the folder's name is empty; \".\" is the folder you are in"
        ))),
        _ => Ok(folder),
    }
}

/// Describes a run in a few lines.
pub(super) fn summary(run: &Run) -> String {
    let stop = match &run.stop {
        StopReason::Finished => "finished".into(),
        StopReason::EarlyStop => "stopped early".into(),
        StopReason::Interrupted => "interrupted".into(),
        StopReason::Failing(advice) => format!("stopped: {advice}"),
    };
    // A run that was read from files has none.
    let nmse = |label: &str| match run.best_nmse {
        Some(nmse) => format!("  {label}{nmse:.6e}\n"),
        None => String::new(),
    };
    let validation = |label: &str| match run.best_validation {
        Some(mse) => format!("  {label}{mse:.6e}\n"),
        None => String::new(),
    };
    if let Some(state) = &run.weak_constraint {
        let warnings = run.trust().map(|t| t.warnings).unwrap_or_default();
        let warnings: String = warnings
            .iter()
            .map(|w| format!("\n  warning: {w}"))
            .collect();
        return format!(
            "Run: {} training, {stop}\n  steps        {}\n  mse          {:.6e}\n{}{}  log evidence {:.2}\n  parameters   {:.1} effective of {}\n  seconds      {:.2}{warnings}",
            run.method.replace('_', " "),
            run.history.len(),
            run.best_mse,
            nmse("nmse         "),
            validation("validation   "),
            state.log_evidence().unwrap_or(f64::NAN),
            state.effective_parameters(),
            run.model.n_params(),
            run.seconds(),
        );
    }
    format!(
        "Run: {} training, {stop}\n  epochs      {} ({} skipped)\n  best mse    {:.6e} at epoch {}\n{}{}  evaluations {}\n  seconds     {:.2}",
        run.method.replace('_', " "),
        run.history.len(),
        run.failures(),
        run.best_mse,
        run.best_epoch,
        nmse("best nmse   "),
        validation("validation  "),
        run.evaluations(),
        run.seconds(),
    )
}

pub(super) fn register(reg: &mut Registry) {
    reg.script_type::<ScriptRun>();
    properties(reg);
    reg.function(
        "run.history(\"mse\") -> Array",
        "A metric by epoch: epoch, lambda, train_loss, mse, data_loss, continuity, evaluations, seconds, lr, gradient_norm, failed; of methods that set themselves also q, chi2, log_evidence; validation where data are held out.",
        run_example!("run.history(\"mse\")"),
    )
    .body(|r: &mut ScriptRun, name: ImmutableString| r.0.metric(&name).map(ScriptArray::from_vec));
    let of_bands = reg.host();
    reg.function(
        "run.predict(t, #{ bands: true }) -> Array",
        "The best model's trajectory, the whole state, from its initial state at any later times. With bands, of a run of \
         weak_constraint() or homotopy(), a map of u and its standard deviations sd; where the free model does not stay with chaotic \
         data, u inside them is the states that were estimated. Of an ensemble a map of the median and the quantiles low and high; with \
         bands the mean u and sd of the spread of its runs and of each by itself.",
        run_example!("run.predict([0, 2])"),
    )
    .options(&[BANDS, QUANTILES])
    .body_with(
        &[BANDS],
        move |r: &mut ScriptRun, t: Dynamic, mut options: Options| -> Result<Dynamic> {
            let bands = options.bool("bands", false)?;
            options.finish()?;
            let t = convert::to_vector(&t, "predict: t")?;
            let (dof, samples) = (r.0.model.dof(), r.0.u0.nrows());
            check_solution_memory(&of_bands, "the prediction", t.len(), dof, samples)?;
            if !bands {
                return Ok(squeeze(r.0.predict(&t)?.view()).into_dynamic());
            }
            Ok(Dynamic::from(prediction_map(&r.0.predict_with_bands(&t)?)))
        },
    );
    let of_profile = reg.host();
    reg.function(
        "run.profile(\"k\", #{ points: 21, width: 3 }) -> map",
        "What the data say of one constant of a run of weak_constraint() or homotopy() without a coupling: it is held at values around its \
         estimate, everything else is fitted again. A map of value, chi2 (its rise over the minimum, −2 log of the likelihoods' ratio), \
         estimate, error, interval (95 %) and interval_68, each [low, high] with () for an open end, and notes, which say why an end is \
         open.",
        "let f = lotka_volterra(); let data = dataset(f, [1, 1], arange(0, 3, 0.1)).add_noise(0.05); \
         train(f.trainable([\"a\"]), data).profile(\"a\").interval",
    )
    .options(PROFILE)
    .body(
        move |r: &mut ScriptRun, name: ImmutableString, mut options: Options| -> Result<Map> {
            let mut of_options = ProfileOptions {
                interrupt: of_profile.interrupt_flag(),
                ..ProfileOptions::default()
            };
            options.read_set(&mut of_options)?;
            options.finish()?;
            Ok(profile_map(&r.0.profile(&name, &of_options)?))
        },
    );
    let host = reg.host();
    reg.function(
        "run.save(\"runs/mine\")",
        "Writes best.safetensors, last.safetensors and metrics.csv into a folder; load reads them back. A folder that holds another run \
         is an error, unless overwrite is true.",
        run_example!("run.save(\"runs/mine\")"),
    )
    .options(SAVE)
    .body(move |r: &mut ScriptRun, folder: ImmutableString, options: Options| -> Result<()> {
        let folder = non_empty_path("save", &folder)?;
        check_save(&host, &r.0, folder, options)?;
        r.0.save(folder)?;
        write_metrics(&r.0, folder)?;
        host.note(&format!("wrote {folder}"));
        Ok(())
    });
    reg.function(
        "load(\"runs/mine\") -> Run",
        "Reads a saved run.",
        run_example!("run.save(\"runs/kept\"); load(\"runs/kept\").best_mse"),
    )
    .body(|folder: ImmutableString| -> Result<ScriptRun> {
        let run = Run::load(non_empty_path("load", &folder)?)?;
        Ok(ScriptRun(Arc::new(run)))
    });
}

/// Returns a prediction as a map of the states `u` and their standard deviations `sd`.
pub(super) fn prediction_map(prediction: &Prediction) -> Map {
    let [u, sd] = [&prediction.u, &prediction.sd].map(|x| squeeze(x.view()).into_dynamic());
    Map::from([("u".into(), u), ("sd".into(), sd)])
}

/// Returns the profile of a constant as a map.
fn profile_map(profile: &Profile) -> Map {
    let array = |x: &[f64]| ScriptArray::from_vec(x.to_vec()).into_dynamic();
    let ends = |ends: [Option<f64>; 2]| {
        let all = ends.map(|end| end.map_or(Dynamic::UNIT, Dynamic::from));
        Dynamic::from(all.into_iter().collect::<rhai::Array>())
    };
    let notes = profile.notes.iter().map(|note| Dynamic::from(note.clone()));
    Map::from([
        ("value".into(), array(&profile.values)),
        ("chi2".into(), array(&profile.chi2)),
        ("estimate".into(), profile.estimate.into()),
        ("error".into(), profile.error.into()),
        ("interval".into(), ends(profile.interval_95)),
        ("interval_68".into(), ends(profile.interval_68)),
        (
            "notes".into(),
            Dynamic::from(notes.collect::<rhai::Array>()),
        ),
    ])
}

/// Returns the quality of a run as a map.
fn trust(trust: &TrustReport) -> Map {
    let array = |x: &[f64]| ScriptArray::from_vec(x.to_vec()).into_dynamic();
    let times = |t: &[Option<f64>]| {
        let all = t.iter().map(|t| t.map_or(Dynamic::UNIT, Dynamic::from));
        Dynamic::from(all.collect::<rhai::Array>())
    };
    let constants = (trust.constants.names.iter().enumerate()).map(|(i, name)| {
        let [value, error] =
            [&trust.constants.values, &trust.constants.errors].map(|x| x[i].into());
        let estimate = Map::from([("value".into(), value), ("error".into(), error)]);
        (name.as_str().into(), Dynamic::from(estimate))
    });
    let warnings = trust.warnings.iter().map(|w| Dynamic::from(w.clone()));
    Map::from([
        ("noise".into(), array(&trust.noise)),
        ("log_evidence".into(), trust.log_evidence.into()),
        (
            "effective_parameters".into(),
            trust.effective_parameters.into(),
        ),
        (
            "constants".into(),
            Dynamic::from(constants.collect::<Map>()),
        ),
        ("horizon".into(), times(&trust.horizon)),
        ("leaves_data".into(), times(&trust.leaves_data)),
        (
            "warnings".into(),
            Dynamic::from(warnings.collect::<rhai::Array>()),
        ),
    ])
}

fn properties(reg: &mut Registry) {
    reg.property(
        "run.trust -> map",
        "How far to trust a run of weak_constraint() or homotopy(): noise of each state variable, log_evidence, effective_parameters, \
         constants (each with value and error), horizon (the time up to which the prediction is within a tenth of the data's spread, \
         for each sample; () where it holds to twice the span of the data), leaves_data (the time at which it enters states that no \
         data cover), and warnings.",
        run_example!("train(blackbox([2, 4, 2]), data).trust.noise"),
    )
    .get(|r: &mut ScriptRun| -> Result<Map> { Ok(trust(&r.0.trust()?)) });
    reg.property(
        "run.best_by -> string",
        "What run.model is chosen by: mse, validation (the mse on data that are held out), evidence or last (the last update).",
        run_example!("run.best_by"),
    )
    .get(|r: &mut ScriptRun| r.0.best_by().to_name().to_string());
    reg.property(
        "run.best_validation -> float",
        "The mean squared error of run.model on the data that are held out.",
        run_example!("train(run.model, data, vanilla(), #{ epochs: 2, holdout: 0.2 }).best_validation"),
    )
    .get(|r: &mut ScriptRun| -> Result<f64> {
        r.0.best_validation.ok_or_else(|| {
            Error::invalid(
                "best_validation: the run has no data that are held out, or its model cannot be solved on them; give holdout: 0.2 or \
                 validate: data in the options of train",
            )
        })
    });
    reg.property(
        "run.best_mse -> float",
        "The mean squared error of run.model, which runs by itself, on the data: the smallest of all epochs, unless the model is chosen \
         by something else (best_by).",
        run_example!("run.best_mse"),
    )
    .get(|r: &mut ScriptRun| r.0.best_mse);
    reg.property(
        "run.best_nmse -> float",
        "The normalised mse of run.model on the data: the mse of each component over the variance of its data, and the mean of that over \
         the components; 0 is perfect, 1 as good as the data's mean. A constant component is left out. A run that was interrupted or \
         loaded has none: nmse(run.predict(data.t), data.u).",
        run_example!("run.best_nmse"),
    )
    .get(|r: &mut ScriptRun| -> Result<f64> {
        r.0.best_nmse.ok_or_else(|| {
            Error::invalid(
                "best_nmse: it is computed at the end of a training, of a model that can be solved and of data that vary; for a run that \
                 was interrupted or loaded take nmse(run.predict(data.t), data.u)",
            )
        })
    });
    reg.property(
        "run.best_mse_at_lambda_zero -> float",
        "The same over the epochs with λ = 0, in which the model was trained without the coupling.",
        run_example!("run.best_mse_at_lambda_zero"),
    )
    .get(|r: &mut ScriptRun| r.0.best_mse_at_lambda_zero());
    reg.property("run.best_epoch -> int", "The epoch of run.model, counted from 0; the number of epochs where the last update was the best.", run_example!("run.best_epoch"))
        .get(|r: &mut ScriptRun| r.0.best_epoch as i64);
    reg.property(
        "run.model -> Field",
        "The model with the best mse, or the best one by what it is chosen by otherwise (best_by).",
        run_example!("run.model.params"),
    )
    .get(|r: &mut ScriptRun| ScriptField(r.0.model.clone()));
    reg.property(
        "run.last -> Field",
        "The model after the last update.",
        run_example!("run.last.params"),
    )
    .get(|r: &mut ScriptRun| ScriptField(r.0.last.clone()));
    reg.property(
        "run.epochs -> int",
        "The number of epochs done.",
        run_example!("run.epochs"),
    )
    .get(|r: &mut ScriptRun| r.0.history.len() as i64);
    reg.property(
        "run.failures -> int",
        "The number of epochs whose solve failed.",
        run_example!("run.failures"),
    )
    .get(|r: &mut ScriptRun| r.0.failures() as i64);
    reg.property(
        "run.evaluations -> int",
        "Evaluations of the vector field by the training solves of all epochs.",
        run_example!("run.evaluations"),
    )
    .get(|r: &mut ScriptRun| r.0.evaluations() as i64);
    reg.property(
        "run.seconds -> float",
        "Wall-clock time of all epochs.",
        run_example!("run.seconds"),
    )
    .get(|r: &mut ScriptRun| r.0.seconds());
    reg.property(
        "run.method -> string",
        "The name of the method.",
        run_example!("run.method"),
    )
    .get(|r: &mut ScriptRun| r.0.method.clone());
    reg.property(
        "run.stopped -> string",
        "Why it ended: finished, early, interrupted, or what failed.",
        run_example!("run.stopped"),
    )
    .get(|r: &mut ScriptRun| match &r.0.stop {
        StopReason::Finished => "finished".to_string(),
        StopReason::EarlyStop => "early".into(),
        StopReason::Interrupted => "interrupted".into(),
        StopReason::Failing(advice) => advice.clone(),
    });
    reg.property("run.u0 -> Array", "The initial states of the model, [dof]; [sample, dof] of several samples. Where they were trained, those of the best model.", run_example!("run.u0"))
        .get(|r: &mut ScriptRun| squeeze(r.0.u0.view()));
}
