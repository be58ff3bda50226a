//! What the folder of an experiment says of how its run was made, and how to make it again.

use std::path::Path;

use serde_json::Value;

use super::page::Page;
use odesync_base::files;

/// Returns a file of the folder as JSON; `None` where it is missing or broken.
fn json(folder: &Path, name: &str) -> Option<Value> {
    serde_json::from_slice(&files::read(&folder.join(name)).ok()?).ok()
}

/// Returns the rows of a run's table that only an experiment knows: the errors against the truth, or measurements that were kept back.
pub(super) fn truth_rows(folder: &Path) -> Vec<(&'static str, String)> {
    let result = json(folder, "result.json").unwrap_or_default();
    let known = [
        (
            "interpolation_mse",
            "Mean squared error, truth, at the fitted times",
        ),
        (
            "extrapolation_mse",
            "Mean squared error, truth, beyond them",
        ),
    ];
    let rows = known.into_iter().filter_map(|(key, label)| {
        let x = result.get(key)?.as_f64()?;
        Some((label, format!("{x:.6e}")))
    });
    rows.collect()
}

/// Adds where the run was made, its whole configuration and the command that makes it again; nothing for a folder that no experiment
/// has written.
pub(super) fn repeat(page: &mut Page, folder: &Path) {
    let Some(environment) = json(folder, "environment.json") else {
        return;
    };
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let entries = [
        ("odesync", &environment["odesync"]["version"]),
        ("Commit", &environment["odesync"]["commit"]),
        ("Begun", &environment["time"]),
        ("Engine", &environment["engine"]),
        ("Device", &environment["device"]),
        ("Instruction set", &environment["instruction_set"]),
        ("Threads", &environment["threads"]),
        ("System", &environment["system"]),
        ("Processor", &environment["processor"]),
    ];
    let rows: Vec<Vec<String>> = entries
        .into_iter()
        .filter_map(|(label, value)| Some(vec![label.into(), text(value)?]))
        .collect();
    page.heading("Where it was made").table(&[], &rows);
    let words = environment["command"].as_array();
    let words: Vec<&str> = words
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !words.is_empty() {
        page.paragraph("The command:")
            .preformatted(&words.join(" "));
    }
    let Ok(config) = files::read(&folder.join("config.yaml")) else {
        return;
    };
    let script = words.iter().find(|word| word.ends_with(".rhai"));
    let (script, folder) = (script.unwrap_or(&"SCRIPT.rhai"), folder.display());
    page.heading("To repeat")
        .paragraph("The same run in another folder, and the same one further, if it was stopped:");
    page.preformatted(&format!(
        "odesync run {script} --config {folder}/config.yaml --out again\nodesync run {script} --resume {folder}"
    ));
    page.details(
        "The configuration, config.yaml",
        &String::from_utf8_lossy(&config),
    );
}
