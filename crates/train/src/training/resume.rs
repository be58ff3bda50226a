//! Whether a run on disk is the one that is to go on: everything that the results depend on must be as it was.

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
use odesync_ode::field::VectorField;

/// What a run began from, told apart by fingerprints.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunFingerprint {
    /// Samples, times (of all of them where they differ), components.
    shape: [usize; 3],
    times: String,
    values: String,
    initial: String,
    /// The trainable parameters before the first update.
    parameters: String,
}

impl RunFingerprint {
    /// `u0` is where the model begins, `[sample, dof]`.
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
            // A missing value may be any of many NaNs.
            *x = f64::NAN;
        }
        sum.write_numbers(&numbers);
    }
    sum.finish()
}

/// Compares the run in the folder with what is asked for now, `now` being that run before its first epoch.
///
/// # Errors
/// The first difference, or fewer epochs than are done.
pub(super) fn check_unchanged(folder: &Path, saved: &Run, now: &Run) -> Result<()> {
    let (done, epochs) = (saved.history.len(), now.settings.epochs);
    let different = if epochs < done {
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
        let (a, b) = (&saved.values()[block.range()], &now.values()[other.range()]);
        if !block.trainable && !other.trainable && block.shape == other.shape && a != b {
            let what = format!("the model's constant \"{}\"", block.name);
            let text = |x: &[f64]| display_value(&serde_json::json!(x));
            return Some(change_message(&what, &text(a), &text(b)));
        }
    }
    Some("the model has other equations or sizes now".into())
}

/// Equations, blocks and constants, whatever the trainable values.
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
        // These may change.
        settings.epochs = 0;
        settings.device.clear();
        let solver = SavedSolver::new(&run.solver);
        let texts = (serde_json::to_value(settings), serde_json::to_value(solver));
        serde_json::json!([texts.0.unwrap_or_default(), texts.1.unwrap_or_default()])
    };
    let (saved, now) = (all(saved), all(now));
    (0..2).find_map(|i| json_difference("", &saved[i], &now[i]))
}

/// The first value that differs, with the way to it.
fn json_difference(path: &str, a: &Value, b: &Value) -> Option<String> {
    if a == b {
        return None;
    }
    let (Value::Object(x), Value::Object(y)) = (a, b) else {
        return Some(change_message(path, &display_value(a), &display_value(b)));
    };
    // Two things of another kind differ in that, and not in what each of them has.
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

/// A value as a user would write it, not too long.
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
    // Parameters that another training gave differ in their bits on another machine.
    let comparable = saved.instruction_set == now.instruction_set;
    (comparable && saved.fingerprint.parameters != now.fingerprint.parameters)
        .then(|| "the initial parameters have changed (another seed?)".into())
}

/// What the user should know when the run goes on.
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
        ("device", &a.device, &b.device),
    ] {
        if before != now {
            notes.push(format!(
                "the run was on the {what} {before} and goes on with {now}: its last digits will differ from those of a run on one"
            ));
        }
    }
    if a.epochs != b.epochs && a.lr_schedule == super::options::LrSchedule::Cosine {
        notes.push(format!(
            "the cosine of the learning rate ends at epoch {} now, not {}",
            b.epochs, a.epochs
        ));
    }
    notes
}
