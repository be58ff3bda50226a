//! The folder of a discovery: the model, the data, figures, the equations, and a page to look at.

use std::path::Path;

use super::discovery::page;
use super::fit_figures;
use crate::Result;
use odesync_base::files::write_atomically;
use odesync_train::datasets::write_csv;
use odesync_train::discovery::Discovery;
use odesync_train::progress::write_metrics;

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
    let figures = fit_figures(&found.dataset, found)?;
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
    write(folder, "index.html", &page(found, &report, &figures)?)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    write_atomically(&folder.join(name), text.as_bytes())
}
