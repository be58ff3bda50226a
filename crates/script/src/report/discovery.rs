//! The report of a discovery.

use super::page::Page;
use super::{MAX_FIGURES, fit_figures};
use crate::Result;
use crate::recipes::losses;
use odesync_train::discovery::Discovery;

/// Returns a page about a discovery that needs no other file: fit and prediction with bands, equations, what was tried and how far to
/// trust it, and how to go on.
///
/// # Errors
/// A report or figure that cannot be made.
pub fn discovery_report(found: &Discovery) -> Result<String> {
    page(
        found,
        &found.report()?,
        &fit_figures(&found.dataset, found)?,
    )
}

/// Returns the page of a discovery, given its report in words and its figures.
pub(super) fn page(found: &Discovery, report: &str, figures: &[String]) -> Result<String> {
    let mut page = Page::new(&format!("Model of {}", found.dataset.names().join(", ")));
    for svg in figures {
        page.figure(svg);
    }
    if figures.len() < found.dataset.samples() {
        let samples = found.dataset.samples();
        page.paragraph(&format!(
            "The first {MAX_FIGURES} of {samples} samples are drawn."
        ));
    }
    if let Ok(equations) = &found.equations {
        page.heading("Equations")
            .paragraph(match equations.are_preferred() {
                true => "They explain the data better than the network, and predict.",
                false => "The network explains the data better, and predicts.",
            });
        page.preformatted(&equations.text())
            .details("LaTeX", &equations.latex());
    }
    page.heading("Report").preformatted(report);
    page.heading("Steps of the best network")
        .figure(&losses(found.best()?)?.to_svg()?);
    page.heading("To go on")
        .paragraph("In a script, in this folder:")
        .preformatted(GO_ON);
    Ok(page.to_html())
}

const GO_ON: &str = "\
let run = load(\".\");       // the network of the highest evidence
run.predict([0.0, 1.0])     // its states at other times
export_model(run, \"model.py\")     // for NumPy; .jl, .c, .onnx, … as well
read_csv(\"data.csv\")       // the data";
