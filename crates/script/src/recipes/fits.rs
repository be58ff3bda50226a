//! Figures of data with a run or an ensemble.

use ndarray::Array3;

use super::fit_frame::{Curves, FitFrame};
use super::losses::training_title;
use super::panels::{MAX_PANELS, need_panels, omitted};
use crate::Result;
use odesync_base::options::{Flag, Maybe, Number, OneOf, Whole};
use odesync_base::text::count_of;
use odesync_base::{impl_named, option_set};
use odesync_plot::{Color, Figure, Grid, Legend, Panel, Style};
use odesync_train::datasets::Dataset;
use odesync_train::discovery::Discovery;
use odesync_train::training::{Ensemble, Prediction, Run};

/// Which panels a figure of data and a model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FitPanels {
    /// One for each variable where their magnitudes are far apart or there are more than six, else one for all.
    Auto,
    /// One for all variables.
    One,
    /// One for each variable.
    Variables,
    /// One for each sample, up to twelve, without residuals.
    Samples,
}

impl_named!(
    FitPanels,
    "panels",
    Auto = "auto",
    One = "one",
    Variables = "variables",
    Samples = "samples",
);

option_set! {
    /// Options of a figure of data and a model. They convert from a number, which is taken as `t_end`.
    ///
    /// ```
    /// use odesync_script::recipes::FitPlotOptions;
    /// let longer: FitPlotOptions = 12.0.into();
    /// assert_eq!(longer, FitPlotOptions::default().t_end(12.0));
    /// ```
    #[derive(Debug, Clone, PartialEq)]
    pub struct FitPlotOptions {
        /// End of the model's line.
        pub t_end: Option<f64> as Maybe<Number> = None, "the last time of the data";
        /// End of the training data, which is marked in the figure.
        pub train_end: Option<f64> as Maybe<Number> = None, "the last time of the data, where the model's line goes on";
        /// Sample to draw, counted from 0.
        pub sample: usize as Whole = 0;
        /// Draw the residuals, data minus model, below; of an ensemble they never are.
        pub residuals: bool as Flag = true;
        /// Panels: one for each of the `"variables"`, one for each of the `"samples"` (up to 12, without residuals), `"one"` for all,
        /// or `"auto"`: by variable where their magnitudes are far apart.
        pub panels: FitPanels as OneOf<FitPanels> = FitPanels::Auto;
    }
}

impl From<f64> for FitPlotOptions {
    fn from(t_end: f64) -> Self {
        FitPlotOptions::default().t_end(t_end)
    }
}

impl FitPlotOptions {
    /// Sets the end of the model's line.
    pub fn t_end(mut self, t_end: f64) -> Self {
        self.t_end = Some(t_end);
        self
    }

    /// Sets the end of the training data.
    pub fn train_end(mut self, train_end: f64) -> Self {
        self.train_end = Some(train_end);
        self
    }

    /// Sets the index of the sample to draw.
    pub fn sample(mut self, sample: usize) -> Self {
        self.sample = sample;
        self
    }

    /// Sets which panels the figure has.
    pub fn panels(mut self, panels: FitPanels) -> Self {
        self.panels = panels;
        self
    }

    /// Sets whether the residuals are drawn.
    pub fn residuals(mut self, residuals: bool) -> Self {
        self.residuals = residuals;
        self
    }
}

/// A model that was fitted to data: the best one of a run, or what a discovery predicts with.
#[derive(Clone, Copy)]
pub enum FittedModel<'a> {
    /// The best model of a run.
    Run(&'a Run),
    /// The equations of a discovery where they are preferred, else the mean of its networks.
    Discovery(&'a Discovery),
}

impl<'a> From<&'a Run> for FittedModel<'a> {
    fn from(run: &'a Run) -> Self {
        FittedModel::Run(run)
    }
}

impl<'a> From<&'a Discovery> for FittedModel<'a> {
    fn from(found: &'a Discovery) -> Self {
        FittedModel::Discovery(found)
    }
}

/// States `[sample, time, dof]`, with their standard deviations where the model knows them.
pub(super) struct States {
    pub(super) u: Array3<f64>,
    pub(super) sd: Option<Array3<f64>>,
}

impl FittedModel<'_> {
    /// Returns the states; where the free model does not stay with the data, those that were estimated.
    pub(super) fn predict(&self, t: &[f64]) -> Result<States> {
        let prediction = match self {
            FittedModel::Run(run) => match run
                .weak_constraint
                .as_ref()
                .map(|_| run.predict_with_bands(t))
            {
                Some(Ok(prediction)) => prediction,
                _ => {
                    let u = run.predict(t)?;
                    return Ok(States { u, sd: None });
                }
            },
            FittedModel::Discovery(found) => found.predict(t)?,
        };
        let Prediction { u, sd } = prediction;
        Ok(States { u, sd: Some(sd) })
    }

    pub(super) fn observe(&self) -> Option<&[usize]> {
        match self {
            FittedModel::Run(run) => run.settings.options.observation.observe.as_deref(),
            FittedModel::Discovery(found) => found
                .best()
                .ok()?
                .settings
                .options
                .observation
                .observe
                .as_deref(),
        }
    }

    fn title(&self) -> String {
        match self {
            FittedModel::Run(run) => training_title(&run.method),
            FittedModel::Discovery(found) => match found.preferred_equations() {
                Some(equations) => {
                    format!("Equations with {}", count_of(equations.terms(), "term"))
                }
                None => format!("Mean of {}", count_of(found.kept.len(), "network")),
            },
        }
    }
}

/// Plots data and a model's prediction, with two standard deviations where the model knows them, and the residuals below them.
/// Components whose magnitudes are far apart, and many of them, have a row of panels each: the fit and its residuals.
///
/// # Errors
/// Data and model that do not fit, or a model that cannot be solved so far.
pub fn fit<'a>(
    data: &Dataset,
    fitted: impl Into<FittedModel<'a>>,
    options: &FitPlotOptions,
) -> Result<Panel> {
    let fitted = &fitted.into();
    if options.panels == FitPanels::Samples {
        return by_sample(data, fitted, options);
    }
    let frame = FitFrame::new(data, options)?;
    let observe = fitted.observe();
    let states = fitted.predict(&frame.t_fine)?;
    let model = frame.observed_components(states.u.view(), observe)?;
    let sd = match &states.sd {
        Some(sd) => Some(frame.observed_components(sd.view(), observe)?),
        None => None,
    };
    let residuals = match options.residuals {
        true => Some(frame.residuals(fitted)?),
        false => None,
    };
    let title = frame.title(fitted.title());
    let curves = Curves {
        model,
        sd,
        residuals,
    };
    let dof = curves.model.ncols();
    let is_split = match options.panels {
        FitPanels::One => false,
        FitPanels::Variables => dof > 1,
        FitPanels::Auto | FitPanels::Samples => need_panels(&frame.ranges(dof)),
    };
    if !is_split {
        let figure = frame.figure_with_band(&curves)?;
        let Some(left) = &curves.residuals else {
            return Ok(Panel::Figure(figure.title(title)));
        };
        // Both panels share one time axis, so its label is shown once.
        let grid = Grid::new(1, [figure.x_label(""), frame.residual_figure(left)?])?
            .share_x()
            .row_heights(&[2.6, 1.0])?;
        return Ok(Panel::Grid(grid.size(900, 640)?.title(title)));
    }
    let shown = dof.min(MAX_PANELS);
    let mut panels = vec![];
    for j in 0..shown {
        let (frame, curves) = (frame.component(j), curves.component(j));
        let row = [
            Some(frame.figure_with_band(&curves)?),
            (curves.residuals.as_ref())
                .map(|left| frame.residual_figure(left))
                .transpose()?,
        ];
        let is_last = j + 1 == shown;
        panels.extend(row.into_iter().flatten().map(|figure| match is_last {
            true => figure,
            false => figure.x_label(""),
        }));
    }
    let grid = Grid::new(panels.len() / shown, panels)?.share_x();
    let title = [title, omitted(dof)];
    let title: Vec<String> = title.into_iter().filter(|text| !text.is_empty()).collect();
    let height = 200 * shown + 100;
    Ok(Panel::Grid(
        grid.size(1100, height as u32)?.title(title.join(", ")),
    ))
}

/// Plots data and a model's prediction with a panel for each sample, three in a row, on the same axes.
fn by_sample(data: &Dataset, fitted: &FittedModel, options: &FitPlotOptions) -> Result<Panel> {
    const COLUMNS: usize = 3;
    let shown = data.samples().min(MAX_PANELS);
    let columns = COLUMNS.min(shown);
    let observe = fitted.observe();
    let mut panels = Vec::with_capacity(shown);
    for sample in 0..shown {
        let frame = FitFrame::new(data, &options.clone().sample(sample))?;
        let states = fitted.predict(&frame.t_fine)?;
        let curves = Curves {
            model: frame.observed_components(states.u.view(), observe)?,
            sd: match &states.sd {
                Some(sd) => Some(frame.observed_components(sd.view(), observe)?),
                None => None,
            },
            residuals: None,
        };
        let figure = frame.figure_with_band(&curves)?;
        // The legend of the first panel is that of all.
        let legend = if sample == 0 {
            Legend::Auto
        } else {
            Legend::None
        };
        let is_lowest = sample + columns >= shown;
        let figure = if is_lowest {
            figure
        } else {
            figure.x_label("")
        };
        let figure = if sample % columns == 0 {
            figure
        } else {
            figure.y_label("")
        };
        panels.push(figure.legend(legend).title(format!("sample {sample}")));
    }
    let title = match data.samples() > shown {
        true => format!(
            "{}, the first {shown} of {} samples",
            fitted.title(),
            data.samples()
        ),
        false => fitted.title(),
    };
    let rows = shown.div_ceil(columns);
    let (width, height) = (360 * columns + 180, 260 * rows + 120);
    let grid = Grid::new(columns, panels)?.share_x().share_y();
    Ok(Panel::Grid(
        grid.size(width as u32, height as u32)?.title(title),
    ))
}

/// Plots data, and the median of an ensemble's best models with the band between two quantiles.
pub fn ensemble_band(
    data: &Dataset,
    all: &Ensemble,
    options: &FitPlotOptions,
    (low, high): (f64, f64),
) -> Result<Figure> {
    let frame = FitFrame::new(data, options)?;
    let band = all.predict(&frame.t_fine, low, high)?;
    let observe = all
        .best()
        .and_then(|run| run.settings.options.observation.observe.as_deref());
    let of = |values: &Array3<f64>| frame.observed_components(values.view(), observe);
    let (median, low, high) = (of(&band.median)?, of(&band.low)?, of(&band.high)?);
    let mut figure = frame.figure(&median)?;
    for (i, (low, high)) in low.columns().into_iter().zip(high.columns()).enumerate() {
        let style = Style::new().color(Color::Palette(i)).alpha(0.2);
        figure = figure.band_between(&frame.t_fine, low, high, style)?;
    }
    let title = format!("Median and band of {} runs", all.runs().count());
    Ok(figure.title(frame.title(title)))
}
