//! The report of a run.

use std::path::Path;

use serde::Serialize;

use super::page::Page;
use super::repeat::{repeat, truth_rows};
use super::{MAX_FIGURES, fit_figures};
use crate::recipes::losses;
use crate::{Error, Result};
use odesync_base::options::{Value, write_map};
use odesync_base::text::count_of;
use odesync_export::{ExportFormat, ExportOptions, field_source};
use odesync_train::datasets::Dataset;
use odesync_train::training::{Run, StopReason};

/// Returns a page about a run that needs no other file: what was asked for, the data, results, losses, fit and prediction with bands
/// where the run has them, residuals, equations, and how to go on. Without the data, which a run does not hold, their part is left
/// out; `folder` is the one that the run was saved in: that of an experiment says how to make the run again.
///
/// # Errors
/// Data that do not fit the run, or a figure that cannot be drawn.
pub fn run_report(run: &Run, data: Option<&Dataset>, folder: Option<&str>) -> Result<String> {
    let method = run.method.replace('_', " ");
    let mut page = Page::new(&match data {
        Some(data) => format!("{}: {method} training", data.names().join(", ")),
        None => format!("{method} training"),
    });
    results(&mut page, run, folder.map(Path::new));
    match data {
        Some(data) => {
            if data.dof() > run.model.dof() {
                return Err(Error::invalid(format!(
                    "the data have {}, the run's model has {}: give the data that it was trained on",
                    count_of(data.dof(), "state variable"),
                    run.model.dof()
                )));
            }
            fits(&mut page, run, data)?;
            data_summary(&mut page, data);
        }
        None => {
            page.heading("Fit").paragraph(
                "A run does not hold its data: give them, report(data, run, \"report.html\"), to see the fit and its residuals.",
            );
        }
    }
    if !run.history.is_empty() {
        page.heading("Losses").figure(&losses(run)?.to_svg()?);
    }
    trust(&mut page, run);
    equations(&mut page, run);
    page.heading("What was asked for");
    page.preformatted(&yaml(&run.settings)?);
    page.details("Options of the solver", &yaml(&write_map(&run.solver))?);
    if let Some(folder) = folder {
        repeat(&mut page, Path::new(folder));
    }
    page.heading("To go on");
    let folder = Value::from(folder.unwrap_or("runs/mine")).to_string();
    page.paragraph("In a script:").preformatted(&format!(
        "let run = load({folder});\nrun.predict([0.0, 1.0])         // its states at other times\nexport_model(run, \"model.py\")        // for NumPy; .jl, .c, .onnx, … as well"
    ));
    page.paragraph(&format!(
        "The same settings, data and seed give the same run on the instruction set {}.",
        run.instruction_set
    ));
    Ok(page.to_html())
}

/// Returns settings as YAML.
fn yaml(value: &impl Serialize) -> Result<String> {
    serde_yaml::to_string(value).map_err(|e| Error::invalid(e.to_string()))
}

/// Adds the table of results.
fn results(page: &mut Page, run: &Run, folder: Option<&Path>) {
    let stop = match &run.stop {
        StopReason::Finished => "finished".into(),
        StopReason::EarlyStop => "stopped early".into(),
        StopReason::Interrupted => "interrupted".into(),
        StopReason::Failing(advice) => format!("stopped: {advice}"),
    };
    let mut rows = vec![
        ("End", stop),
        (
            "Epochs",
            format!("{} ({} skipped)", run.history.len(), run.failures()),
        ),
        ("Mean squared error", format!("{:.6e}", run.best_mse)),
    ];
    if let Some(nmse) = run.best_nmse {
        rows.push(("Relative to the data's variance", format!("{nmse:.6e}")));
    }
    if let Some(mse) = run.best_validation {
        rows.push(("Mean squared error on data held out", format!("{mse:.6e}")));
    }
    rows.extend(folder.map(truth_rows).unwrap_or_default());
    if run.weak_constraint.is_none() {
        rows.push(("Epoch of the model", run.best_epoch.to_string()));
    }
    rows.push(("Trained parameters", run.model.n_params().to_string()));
    rows.push(("Evaluations of the model", run.evaluations().to_string()));
    rows.push(("Seconds", format!("{:.2}", run.seconds())));
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(name, value)| vec![name.into(), value])
        .collect();
    page.heading("Results").table(&[], &rows);
}

/// Adds the figures of data and model.
fn fits(page: &mut Page, run: &Run, data: &Dataset) -> Result<()> {
    page.heading("Fit, prediction and residuals");
    let figures = fit_figures(data, run)?;
    for svg in &figures {
        page.figure(svg);
    }
    if data.samples() > MAX_FIGURES {
        page.paragraph(&format!(
            "The first {MAX_FIGURES} of {} samples are drawn.",
            data.samples()
        ));
    }
    Ok(())
}

/// Adds what the data are.
fn data_summary(page: &mut Page, data: &Dataset) {
    let values: Vec<f64> = data.trajectories().flat_map(|(t, _)| t.to_vec()).collect();
    let (first, last) = (
        values.iter().copied().fold(f64::INFINITY, f64::min),
        values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    );
    page.heading("Data").paragraph(&format!(
        "{} with {} each at most, from t = {first} to {last}{}.",
        count_of(data.samples(), "sample"),
        count_of(data.len(), "time"),
        if data.has_missing() {
            "; some values are missing"
        } else {
            ""
        }
    ));
    let row = |(i, name): (usize, &String)| {
        let known: Vec<f64> = data
            .trajectories()
            .flat_map(|(_, u)| u.column(i).to_vec())
            .filter(|x| x.is_finite())
            .collect();
        let n = known.len().max(1) as f64;
        let mean = known.iter().sum::<f64>() / n;
        let spread = (known.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        let low = known.iter().copied().fold(f64::INFINITY, f64::min);
        let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let numbers = [low, high, mean, spread].map(|x| format!("{x:.5}"));
        std::iter::once(name.clone()).chain(numbers).collect()
    };
    let rows: Vec<Vec<String>> = data.names().iter().enumerate().map(row).collect();
    page.table(
        &[
            "state variable",
            "least",
            "greatest",
            "mean",
            "standard deviation",
        ],
        &rows,
    );
}

/// Adds how far to trust the run, where its method says.
fn trust(page: &mut Page, run: &Run) {
    if run.weak_constraint.is_none() {
        return;
    }
    page.heading("How far to trust it");
    let report = match run.trust() {
        Ok(report) => report,
        Err(error) => {
            page.paragraph(&error.to_string());
            return;
        }
    };
    let list = |values: &[f64]| {
        values
            .iter()
            .map(|x| format!("{x:.4}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let times = |times: &[Option<f64>]| {
        let text = |t: &Option<f64>| {
            t.map_or("beyond twice the span of the data".into(), |t| {
                format!("{t:.4}")
            })
        };
        times.iter().map(text).collect::<Vec<_>>().join(", ")
    };
    page.table(
        &[],
        &[
            vec!["Noise of each state variable".into(), list(&report.noise)],
            vec!["Log evidence".into(), format!("{:.2}", report.log_evidence)],
            vec![
                "Effective parameters".into(),
                format!("{:.1}", report.effective_parameters),
            ],
            vec![
                "The prediction holds up to t".into(),
                times(&report.horizon),
            ],
            vec![
                "It leaves the states that the data cover at t".into(),
                times(&report.leaves_data),
            ],
        ],
    );
    if !report.constants.names.is_empty() {
        let constants = &report.constants;
        let rows = constants
            .names
            .iter()
            .zip(&constants.values)
            .zip(&constants.errors);
        let rows: Vec<Vec<String>> = rows
            .map(|((name, value), error)| {
                vec![name.clone(), format!("{value:.6}"), format!("{error:.2e}")]
            })
            .collect();
        page.table(&["constant", "value", "standard error"], &rows);
    }
    if !report.warnings.is_empty() {
        page.list(&report.warnings);
    }
}

/// Adds the equations of the model, and their LaTeX where it can be written.
fn equations(page: &mut Page, run: &Run) {
    page.heading("Equations").preformatted(&run.model.show());
    let latex = field_source(&run.model, ExportFormat::Latex, &ExportOptions::default());
    if let Ok(latex) = latex.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()) {
        page.details("LaTeX", &latex);
    }
}
