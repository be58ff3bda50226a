//! Figures of data with a run or an ensemble.

use ndarray::{Array2, Array3, ArrayView3, Axis, s};

use super::losses::training_title;
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Flag, Maybe, Number, Whole};
use odesync_base::text::count_of;
use odesync_plot::builders::residuals;
use odesync_plot::{Color, Figure, Grid, Legend, Panel, Style, builders};
use odesync_train::datasets::Dataset;
use odesync_train::discovery::Discovery;
use odesync_train::training::{Ensemble, Prediction, Run};

option_set! {
    /// Options of a figure of data and a model. They convert from a number, which is taken as `t_end`.
    ///
    /// ```
    /// use odesync_script::recipes::FitOptions;
    /// let longer: FitOptions = 12.0.into();
    /// assert_eq!(longer, FitOptions::default().t_end(12.0));
    /// ```
    #[derive(Debug, Clone, PartialEq)]
    pub struct FitOptions {
        /// End of the model's line.
        pub t_end: Option<f64> as Maybe<Number> = None, "the last time of the data";
        /// End of the training data, which is marked in the figure.
        pub train_end: Option<f64> as Maybe<Number> = None, "the last time of the data, where the model's line goes on";
        /// Sample to draw, counted from 0.
        pub sample: usize as Whole = 0;
        /// Draw the residuals, data minus model, below; of an ensemble they never are.
        pub residuals: bool as Flag = true;
    }
}

impl From<f64> for FitOptions {
    fn from(t_end: f64) -> Self {
        FitOptions::default().t_end(t_end)
    }
}

impl FitOptions {
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

    /// Sets whether the residuals are drawn.
    pub fn residuals(mut self, residuals: bool) -> Self {
        self.residuals = residuals;
        self
    }
}

/// The content of a fit figure: one sample of the data, and the times of the model's line.
struct FitPlot {
    sample: usize,
    t: Vec<f64>,
    u: Array2<f64>,
    t_fine: Vec<f64>,
    names: Vec<String>,
    train_end_mark: Option<f64>,
}

impl FitPlot {
    fn new(data: &Dataset, options: &FitOptions) -> Result<Self> {
        let one = data.single_sample(options.sample)?;
        let t = one.t().to_vec();
        let (Some(begin), Some(end)) = (t.first().copied(), t.last().copied()) else {
            return Err(Error::invalid("plot: there are no data to draw"));
        };
        let t_end = options.t_end.unwrap_or(end);
        if !(t_end > begin && t_end.is_finite()) {
            return Err(Error::invalid(format!(
                "plot: t_end should lie after the data's first time, {begin}"
            )));
        }
        let fine = (0..=600)
            .map(|i| begin + (t_end - begin) * f64::from(i) / 600.0)
            .collect();
        Ok(FitPlot {
            sample: options.sample,
            u: one.u().index_axis(Axis(0), 0).to_owned(),
            names: one.names().to_vec(),
            // Time at which the training data end and the extrapolation begins.
            train_end_mark: options
                .train_end
                .or((t_end > end * (1.0 + 1e-9)).then_some(end)),
            t,
            t_fine: fine,
        })
    }

    fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    /// Returns the measured components of a prediction, `[time, component]`.
    fn observed_components(
        &self,
        all: ArrayView3<f64>,
        observe: Option<&[usize]>,
    ) -> Result<Array2<f64>> {
        if self.sample >= all.len_of(Axis(0)) {
            return Err(Error::invalid(format!(
                "plot: the run was trained on {}, and sample {} (counted from 0) is to be drawn",
                count_of(all.len_of(Axis(0)), "sample"),
                self.sample
            )));
        }
        let one = all.index_axis(Axis(0), self.sample);
        Ok(match observe {
            // Otherwise the figure shows the whole state, for example that of the truth.
            Some(observe) if self.u.ncols() == observe.len() => one.select(Axis(1), observe),
            _ => one.to_owned(),
        })
    }

    /// Returns the range of a component of the data; infinite for one without data.
    fn range(&self, component: usize) -> f64 {
        let Some(values) = (component < self.u.ncols()).then(|| self.u.column(component)) else {
            return f64::INFINITY;
        };
        let (low, high) = values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| {
                (a.min(*x), b.max(*x))
            });
        if high >= low {
            high - low
        } else {
            f64::INFINITY
        }
    }

    fn figure(&self, model: &Array2<f64>) -> Result<Figure> {
        let (data, line) = ((&self.t, &self.u), (&self.t_fine, model));
        builders::fit(
            data.0,
            data.1,
            line.0,
            line.1,
            self.train_end_mark,
            &self.names(),
        )
    }

    /// Returns data minus model at the times of the data, `[time, component]`; NaN beyond the model's line.
    fn residuals(&self, fitted: &Fitted) -> Result<Array2<f64>> {
        let end = self.t_fine.last().copied().unwrap_or(f64::NAN);
        let n_predicted = self.t.partition_point(|t| *t <= end);
        let at_data = fitted.predict(&self.t[..n_predicted])?;
        let model = self.observed_components(at_data.u.view(), fitted.observe())?;
        let mut residuals = Array2::from_elem(self.u.dim(), f64::NAN);
        residuals
            .slice_mut(s![..n_predicted, ..])
            .assign(&(&self.u.slice(s![..n_predicted, ..]) - &model));
        Ok(residuals)
    }
}

/// A model that was fitted to data.
enum Fitted<'a> {
    Run(&'a Run),
    Discovery(&'a Discovery),
}

/// States `[sample, time, dof]`, with their standard deviations where the model knows them.
struct States {
    u: Array3<f64>,
    sd: Option<Array3<f64>>,
}

impl Fitted<'_> {
    /// Returns the states; where the free model does not stay with the data, those that were estimated.
    fn predict(&self, t: &[f64]) -> Result<States> {
        let prediction = match self {
            Fitted::Run(run) => match run
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
            Fitted::Discovery(found) => found.predict(t)?,
        };
        let Prediction { u, sd } = prediction;
        Ok(States { u, sd: Some(sd) })
    }

    fn observe(&self) -> Option<&[usize]> {
        match self {
            Fitted::Run(run) => run.settings.options.observation.observe.as_deref(),
            Fitted::Discovery(found) => found
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
            Fitted::Run(run) => training_title(&run.method),
            Fitted::Discovery(found) => match found.preferred_equations() {
                Some(equations) => {
                    format!("Equations with {}", count_of(equations.terms(), "term"))
                }
                None => format!("Mean of {}", count_of(found.kept.len(), "network")),
            },
        }
    }
}

/// Plots data and the run's best model, with two standard deviations where the run knows them, and the residuals below them.
pub fn fit(data: &Dataset, run: &Run, options: &FitOptions) -> Result<Panel> {
    plot_fitted(data, &Fitted::Run(run), options)
}

/// Plots data and the prediction of a discovery with two standard deviations, and the residuals below them.
pub fn discovery_fit(data: &Dataset, found: &Discovery, options: &FitOptions) -> Result<Panel> {
    plot_fitted(data, &Fitted::Discovery(found), options)
}

fn plot_fitted(data: &Dataset, fitted: &Fitted, options: &FitOptions) -> Result<Panel> {
    let frame = FitPlot::new(data, options)?;
    let observe = fitted.observe();
    let states = fitted.predict(&frame.t_fine)?;
    let model = frame.observed_components(states.u.view(), observe)?;
    let mut figure = frame.figure(&model)?;
    if let Some(sd) = &states.sd {
        let half = 2.0 * frame.observed_components(sd.view(), observe)?;
        for j in 0..model.ncols().min(frame.names.len()) {
            // A prediction that is off by the whole range says nothing, and must not stretch the axis.
            let range = frame.range(j);
            let half = half.column(j).mapv(|half| half.min(range));
            let style = Style::new().color(Color::Palette(j)).alpha(0.2);
            figure = figure.band(&frame.t_fine, model.column(j), half, style)?;
        }
    }
    let title = fitted.title();
    if !options.residuals {
        return Ok(Panel::Figure(figure.title(title)));
    }
    let left = frame.residuals(fitted)?;
    let mut below = residuals(&frame.t, &left, &frame.names())?.legend(Legend::None);
    if let Some(mark) = frame.train_end_mark {
        below = below.vline(mark, Style::new())?;
    }
    // Both panels share one time axis, so its label is shown once.
    let grid = Grid::new(1, [figure.x_label(""), below])?
        .share_x()
        .row_heights(&[2.6, 1.0])?;
    Ok(Panel::Grid(grid.size(900, 640)?.title(title)))
}

/// Plots data, and the median of an ensemble's best models with the band between two quantiles.
pub fn ensemble_band(
    data: &Dataset,
    all: &Ensemble,
    options: &FitOptions,
    (low, high): (f64, f64),
) -> Result<Figure> {
    let frame = FitPlot::new(data, options)?;
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
    Ok(figure.title(format!("Median and band of {} runs", all.runs().count())))
}
