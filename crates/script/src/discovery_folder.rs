//! The folder of a discovery: the model, the data, figures, the equations, and a page to look at.

use std::fmt::Write;
use std::path::Path;

use crate::recipes::{FitPlotOptions, fit};
use crate::{Error, Result};
use odesync_base::files::write_atomically;
use odesync_base::text::escape_html;
use odesync_train::datasets::write_csv;
use odesync_train::discovery::Discovery;
use odesync_train::progress::write_metrics;

/// Most samples of which there are figures.
const MAX_FIGURES: usize = 6;
/// The prediction is drawn beyond the data by this part of their span.
const AHEAD: f64 = 0.5;

/// Writes a discovery into a folder: the run of the highest evidence (which [`Run::load`](odesync_train::training::Run::load)
/// reads), `data.csv`, `report.txt`, `fit.svg` (with several samples `fit_0.svg`, …), where equations were found `equations.rhai` and
/// `equations.tex`, and `index.html`, one page with all of it that needs no other file.
///
/// # Errors
/// A folder that cannot be written, or a report or figure that cannot be made.
pub fn save(found: &Discovery, folder: impl AsRef<Path>) -> Result<()> {
    let folder = folder.as_ref();
    let best = found.best()?;
    best.save(folder)?;
    write_metrics(best, folder)?;
    write_csv(folder.join("data.csv"), &found.dataset)?;
    let report = found.report()?;
    write(folder, "report.txt", &format!("{report}\n"))?;
    let figures = figures(found)?;
    for (sample, svg) in figures.iter().enumerate() {
        let name = match found.dataset.samples() {
            1 => "fit.svg".into(),
            _ => format!("fit_{sample}.svg"),
        };
        write(folder, &name, svg)?;
    }
    if let Ok(equations) = &found.equations {
        // A known part that cannot be written as a script is in the saved model alone.
        if let Ok(script) = equations.script() {
            write(folder, "equations.rhai", &script)?;
        }
        write(folder, "equations.tex", &format!("{}\n", equations.latex()))?;
    }
    write(folder, "index.html", &page(found, &report, &figures))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    write_atomically(&folder.join(name), text.as_bytes())
}

/// Returns the figures of the first samples: data and prediction, to half their span beyond the data where it can be solved so far.
fn figures(found: &Discovery) -> Result<Vec<String>> {
    let data = &found.dataset;
    (0..data.samples().min(MAX_FIGURES))
        .map(|sample| {
            let options = FitPlotOptions::default().sample(sample);
            let times = data.times(sample).map(|t| t.to_vec()).unwrap_or_default();
            let ahead = match (times.first(), times.last()) {
                (Some(first), Some(last)) => last + AHEAD * (last - first),
                _ => return Err(Error::invalid("there are no data to draw")),
            };
            let drawn = |options: &FitPlotOptions| fit(data, found, options)?.to_svg();
            drawn(&options.clone().t_end(ahead)).or_else(|_| drawn(&options))
        })
        .collect()
}

/// Returns the page: one HTML file that needs no other one.
fn page(found: &Discovery, report: &str, figures: &[String]) -> String {
    let names = found.dataset.names().join(", ");
    let title = format!("Model of {}", escape_html(&names));
    let mut body = format!("<h1>{title}</h1>\n");
    for svg in figures {
        let _ = writeln!(body, "<figure>{}</figure>", inline(svg));
    }
    if figures.len() < found.dataset.samples() {
        let _ = writeln!(
            body,
            "<p>The first {} of {} samples are drawn.</p>",
            figures.len(),
            found.dataset.samples()
        );
    }
    if let Ok(equations) = &found.equations {
        let verdict = match equations.are_preferred() {
            true => "They explain the data better than the network, and predict.",
            false => "The network explains the data better, and predicts.",
        };
        let _ = writeln!(
            body,
            "<h2>Equations</h2>\n<p>{verdict}</p>\n<pre>{}</pre>\n<details><summary>LaTeX</summary><pre>{}</pre></details>",
            escape_html(&equations.text()),
            escape_html(&equations.latex())
        );
    }
    let _ = writeln!(
        body,
        "<h2>Report</h2>\n<pre>{}</pre>\n<h2>To go on</h2>\n<p>In a script, in this folder:</p>\n<pre>{GO_ON}</pre>",
        escape_html(report)
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

/// Returns an SVG image as it stands inside a page: without the XML declaration.
fn inline(svg: &str) -> &str {
    svg.find("<svg").map_or(svg, |at| &svg[at..])
}

const GO_ON: &str = "\
let run = load(\".\");       // the network of the highest evidence
run.predict([0.0, 1.0])     // its states at other times
read_csv(\"data.csv\")       // the data";

const STYLE: &str = "\
body{max-width:60rem;margin:2rem auto;padding:0 1rem;font:16px/1.5 system-ui,sans-serif;color:#222;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}\
pre{background:#f5f5f5;padding:.8rem;overflow-x:auto;font-size:.85rem}\
figure{margin:1rem 0}figure svg{max-width:100%;height:auto;background:#fff}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}pre{background:#2a2a2a}}\
@media print{pre{white-space:pre-wrap}}";
