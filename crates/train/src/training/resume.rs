//! Comparison of a run on disk with the run that is to continue it: everything that the results depend on must be unchanged.

use std::path::Path;

use ndarray::Array2;
use serde::Serialize;
use serde_json::Value;

use super::checkpoint_file::FingerprintHasher;
use super::run::Run;
use super::settings::SavedSolver;
use crate::datasets::Dataset;
use crate::{Error, Result};
use odesync_base::text::count_of;
use odesync_ode::field::{ConstantSpec, VectorField};

/// Fingerprints of the data and the initial parameters of a run.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunFingerprint {
    /// Numbers of samples, times (in total where they differ between samples) and components.
    shape: [usize; 3],
    times: String,
    values: String,
    initial: String,
    /// Fingerprint of the trainable parameters before the first update.
    parameters: String,
}

impl RunFingerprint {
    /// Computes the fingerprint; `u0` are the initial states of the model, `[sample, dof]`.
    pub fn new(model: &VectorField, data: &Dataset, u0: &Array2<f64>) -> Self {
        let times = || data.trajectories().map(|(t, _)| t);
        RunFingerprint {
            shape: [
                data.samples(),
                match data.is_uniform() {
                    true => data.len(),
                    false => times().map(|t| t.len()).sum(),
                },
                data.dof(),
            ],
            times: hash_numbers(times().map(|t| t.to_vec())),
            values: hash_numbers(
                data.trajectories()
                    .map(|(_, u)| u.iter().copied().collect()),
            ),
            initial: hash_numbers([u0.iter().copied().collect()]),
            parameters: hash_numbers([model.params()]),
        }
    }
}

fn hash_numbers(lists: impl IntoIterator<Item = Vec<f64>>) -> String {
    let mut sum = FingerprintHasher::default();
    for mut numbers in lists {
        for x in numbers.iter_mut().filter(|x| x.is_nan()) {
            // NaN has many bit patterns.
            *x = f64::NAN;
        }
        sum.write_numbers(&numbers);
    }
    sum.finish()
}

/// Compares the run in the folder with the requested one; `now` is the requested run before its first epoch.
///
/// # Errors
/// The first difference, or fewer requested epochs than are done.
pub(super) fn check_unchanged(folder: &Path, saved: &Run, now: &Run) -> Result<()> {
    let (done, epochs) = (saved.history.len(), now.settings.epochs);
    // No number of epochs: as many as are needed.
    let different = if epochs > 0 && epochs < done {
        Some(format!(
            "it has {} already, and epochs is {epochs}: give epochs as it was, or a larger number",
            count_of(done, "epoch")
        ))
    } else {
        model_difference(&saved.last, &now.last)
            .or_else(|| data_difference(saved, now))
            .or_else(|| settings_difference(saved, now))
            .or_else(|| params_difference(saved, now))
            .map(|what| format!("{what}. Make it as it was"))
    };
    match different {
        None => Ok(()),
        Some(what) => Err(Error::invalid(format!(
            "can't go on with the run in {}: {what}, or train into another folder, or begin anew without resume",
            folder.display()
        ))),
    }
}

fn model_difference(saved: &VectorField, now: &VectorField) -> Option<String> {
    let (a, b) = (structure(saved), structure(now));
    if a.is_some() && a == b {
        return None;
    }
    for block in saved.blocks() {
        let Some(other) = now.blocks().iter().find(|b| b.name == block.name) else {
            continue;
        };
        if block.spec != other.spec {
            let what = format!("what is known of the constant \"{}\"", block.name);
            let text = |spec: Option<ConstantSpec>| match spec {
                Some(spec) => format!("\"{spec}\""),
                None => "nothing".into(),
            };
            return Some(change_message(&what, &text(block.spec), &text(other.spec)));
        }
        let (a, b) = (&saved.values()[block.range()], &now.values()[other.range()]);
        if !block.trainable && !other.trainable && block.shape == other.shape && a != b {
            let what = format!("the model's constant \"{}\"", block.name);
            let text = |x: &[f64]| display_value(&serde_json::json!(x));
            return Some(change_message(&what, &text(a), &text(b)));
        }
    }
    Some("the model has other equations or sizes now".into())
}

/// Returns the equations, blocks and constants of a model, with its trainable values set to zero.
fn structure(field: &VectorField) -> Option<String> {
    let zeros = vec![0.0; field.n_params()];
    field.with_params(&zeros).ok()?.to_json().ok()
}

fn data_difference(saved: &Run, now: &Run) -> Option<String> {
    let (a, b) = (&saved.fingerprint, &now.fingerprint);
    let name = |o: &RunFingerprint| {
        let [samples, times, dof] = o.shape;
        format!("{samples} x {times} x {dof}")
    };
    if a.shape != b.shape {
        return Some(change_message(
            "the shape of the data (samples, times, components)",
            &name(a),
            &name(b),
        ));
    }
    let what = if a.times != b.times {
        "times"
    } else if a.values != b.values {
        "values"
    } else if a.initial != b.initial {
        "initial states"
    } else {
        return None;
    };
    Some(format!("the {what} of the data have changed"))
}

fn settings_difference(saved: &Run, now: &Run) -> Option<String> {
    let all = |run: &Run| {
        let mut settings = run.settings.clone();
        // These settings may change.
        settings.epochs = 0;
        settings.options.device.clear();
        let solver = SavedSolver(run.solver.clone());
        let texts = (serde_json::to_value(settings), serde_json::to_value(solver));
        serde_json::json!([texts.0.unwrap_or_default(), texts.1.unwrap_or_default()])
    };
    let (saved, now) = (all(saved), all(now));
    (0..2).find_map(|i| json_difference("", &saved[i], &now[i]))
}

/// Returns a message on the first value that differs, with its path.
fn json_difference(path: &str, a: &Value, b: &Value) -> Option<String> {
    if a == b {
        return None;
    }
    let (Value::Object(x), Value::Object(y)) = (a, b) else {
        return Some(change_message(path, &display_value(a), &display_value(b)));
    };
    // Two objects of different kinds are reported as such, not by their fields.
    for tag in ["name", "kind"] {
        if let (Some(a), Some(b)) = (x.get(tag), y.get(tag))
            && a != b
        {
            return Some(change_message(path, &display_value(a), &display_value(b)));
        }
    }
    let keys = x.keys().chain(y.keys().filter(|key| !x.contains_key(*key)));
    keys.into_iter().find_map(|key| {
        let path = match path {
            "" => key.clone(),
            path => format!("{path}.{key}"),
        };
        let none = Value::Null;
        json_difference(
            &path,
            x.get(key).unwrap_or(&none),
            y.get(key).unwrap_or(&none),
        )
    })
}

fn change_message(what: &str, before: &str, now: &str) -> String {
    format!("{what} was {before} when it began, and is {now} now")
}

/// Formats a value as a user would write it, shortened to 60 characters.
fn display_value(value: &Value) -> String {
    let text = match value {
        Value::Null => return "none".into(),
        Value::String(text) => text.clone(),
        Value::Array(one) if one.len() == 1 => one[0].to_string(),
        other => other.to_string(),
    };
    if text.chars().count() <= 60 {
        return text;
    }
    text.chars().take(57).chain("…".chars()).collect()
}

fn params_difference(saved: &Run, now: &Run) -> Option<String> {
    // Parameters that result from another training differ in their bits between instruction sets.
    let comparable = saved.instruction_set == now.instruction_set;
    (comparable && saved.fingerprint.parameters != now.fingerprint.parameters)
        .then(|| "the initial parameters have changed (another seed?)".into())
}

/// Returns messages for the user on a run that continues.
pub(super) fn resume_notes(folder: &Path, saved: &Run, now: &Run) -> Vec<String> {
    let mut notes = vec![format!(
        "going on at epoch {} with the run in {}",
        saved.history.len(),
        folder.display()
    )];
    let (a, b) = (&saved.settings, &now.settings);
    for (what, before, now) in [
        (
            "instruction set",
            &saved.instruction_set,
            &now.instruction_set,
        ),
        ("device", &a.options.device, &b.options.device),
    ] {
        if before != now {
            notes.push(format!(
                "the run was on the {what} {before} and goes on with {now}: its last digits will differ from those of a run on one"
            ));
        }
    }
    if a.epochs != b.epochs && a.options.lr_schedule == super::lr_schedule::LrSchedule::Cosine {
        notes.push(format!(
            "the cosine of the learning rate ends at epoch {} now, not {}",
            b.epochs, a.epochs
        ));
    }
    notes
}
