//! The frame of a figure of data and a model: one sample, the times of the model's line, and what is drawn on them.

use ndarray::{Array2, ArrayView3, Axis, s};

use super::fits::{FitPlotOptions, FittedModel};
use super::panels::ValueRange;
use crate::{Error, Result};
use odesync_base::text::count_of;
use odesync_plot::builders::residuals;
use odesync_plot::{Color, Figure, Legend, Style, builders};
use odesync_train::datasets::Dataset;

/// The content of a fit figure: one sample of the data, and the times of the model's line.
pub(super) struct FitFrame {
    pub(super) sample: usize,
    pub(super) samples: usize,
    pub(super) t: Vec<f64>,
    pub(super) u: Array2<f64>,
    pub(super) t_fine: Vec<f64>,
    pub(super) names: Vec<String>,
    pub(super) train_end_mark: Option<f64>,
}

impl FitFrame {
    pub(super) fn new(data: &Dataset, options: &FitPlotOptions) -> Result<Self> {
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
        Ok(FitFrame {
            sample: options.sample,
            samples: data.samples(),
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

    pub(super) fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    /// Returns the measured components of a prediction, `[time, component]`.
    pub(super) fn observed_components(
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

    /// Returns the range of a component of the data; one that the data do not have has none.
    pub(super) fn range(&self, component: usize) -> ValueRange {
        match component < self.u.ncols() {
            true => ValueRange::of(self.u.column(component)),
            false => ValueRange::of([]),
        }
    }

    /// Returns the ranges of the first `dof` components of the data.
    pub(super) fn ranges(&self, dof: usize) -> Vec<ValueRange> {
        (0..dof).map(|j| self.range(j)).collect()
    }

    /// Returns the frame of one component alone.
    pub(super) fn component(&self, j: usize) -> FitFrame {
        FitFrame {
            u: self.u.slice(s![.., j..j + 1]).to_owned(),
            names: self.names.get(j).cloned().into_iter().collect(),
            t: self.t.clone(),
            t_fine: self.t_fine.clone(),
            ..*self
        }
    }

    /// Returns a title that says which of several samples is drawn.
    pub(super) fn title(&self, what: String) -> String {
        match self.samples {
            1 => what,
            samples => format!("{what}, sample {} of {samples}", self.sample),
        }
    }

    /// Returns the figure of data and model, with two standard deviations where they are known.
    pub(super) fn figure_with_band(&self, curves: &Curves) -> Result<Figure> {
        let model = &curves.model;
        let mut figure = self.figure(model)?;
        let Some(sd) = &curves.sd else {
            return Ok(figure);
        };
        for j in 0..model.ncols().min(self.names.len()) {
            // A prediction that is off by the whole range says nothing, and must not stretch the axis.
            let range = self.range(j).width();
            let half = sd.column(j).mapv(|sd| (2.0 * sd).min(range));
            let style = Style::new().color(Color::Palette(j)).alpha(0.2);
            figure = figure.band(&self.t_fine, model.column(j), half, style)?;
        }
        Ok(figure)
    }

    /// Returns the figure of the residuals.
    pub(super) fn residual_figure(&self, left: &Array2<f64>) -> Result<Figure> {
        let figure = residuals(&self.t, left, &self.names())?.legend(Legend::None);
        match self.train_end_mark {
            Some(mark) => figure.vline(mark, Style::new()),
            None => Ok(figure),
        }
    }

    pub(super) fn figure(&self, model: &Array2<f64>) -> Result<Figure> {
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
    pub(super) fn residuals(&self, fitted: &FittedModel) -> Result<Array2<f64>> {
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

/// What is drawn of a model, each `[time, component]`.
pub(super) struct Curves {
    pub(super) model: Array2<f64>,
    pub(super) sd: Option<Array2<f64>>,
    pub(super) residuals: Option<Array2<f64>>,
}

impl Curves {
    /// Returns the curves of one component.
    pub(super) fn component(&self, j: usize) -> Curves {
        let column = |values: &Array2<f64>| values.slice(s![.., j..j + 1]).to_owned();
        Curves {
            model: column(&self.model),
            sd: self.sd.as_ref().map(column),
            residuals: self.residuals.as_ref().map(column),
        }
    }
}
