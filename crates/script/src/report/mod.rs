//! Reports: pages of HTML that need no other file and no network.
//!
//! | file | content |
//! |---|---|
//! | `page` | a page: headings, paragraphs, tables, figures |
//! | `run`, `repeat` | the report of a run, with or without its data; what an experiment's folder adds to it |
//! | `discovery` | the report of a discovery |
//! | `discovery_folder` | the folder of a discovery: model, data, figures, a page |

mod discovery;
pub mod discovery_folder;
mod page;
mod repeat;
mod run;

pub use discovery::discovery_report;
pub use run::run_report;

use crate::recipes::{FitPlotOptions, FittedModel, fit};
use crate::{Error, Result};
use odesync_train::datasets::Dataset;

/// Most samples of which there are figures.
const MAX_FIGURES: usize = 6;
/// The prediction is drawn beyond the data by this part of their span.
const AHEAD: f64 = 0.5;

/// Returns figures of the first samples as SVG: data and prediction, to half their span beyond the data where it can be solved so
/// far, and the residuals.
fn fit_figures<'a>(data: &Dataset, model: impl Into<FittedModel<'a>>) -> Result<Vec<String>> {
    let model: FittedModel<'_> = model.into();
    (0..data.samples().min(MAX_FIGURES))
        .map(|sample| {
            let options = FitPlotOptions::default().sample(sample);
            let times = data.times(sample).map(|t| t.to_vec()).unwrap_or_default();
            let ahead = match (times.first(), times.last()) {
                (Some(first), Some(last)) => last + AHEAD * (last - first),
                _ => return Err(Error::invalid("there are no data to draw")),
            };
            let drawn = |options: &FitPlotOptions| fit(data, model, options)?.to_svg();
            drawn(&options.clone().t_end(ahead)).or_else(|_| drawn(&options))
        })
        .collect()
}
