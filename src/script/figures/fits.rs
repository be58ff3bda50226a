//! Pictures of data beside a run or an ensemble.

use ndarray::{Array2, ArrayView3, Axis, s};
use rhai::Map;

use super::super::data::Data;
use super::super::ensembles::{Group, QUANTILES, quantiles};
use super::super::error::Fallible;
use super::super::keys::{Key, Keys};
use super::super::options::Options;
use super::super::registry::Registry;
use super::super::training::Trained;
use crate::plotting::builders::{losses_band, residuals};
use crate::plotting::{Color, Figure, Grid, Legend, Panel, Style, fit};
use crate::{Error, Result};

/// `homotopy` to `Homotopy training`.
pub(super) fn training_title(method: &str) -> String {
    let method = method.replace('_', " ");
    let mut letters = method.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    format!("{}{} training", first.unwrap_or_default(), letters.as_str())
}

/// What is drawn: one sample of the data, and the times of the model's line.
struct Frame {
    sample: usize,
    t: Vec<f64>,
    u: Array2<f64>,
    fine: Vec<f64>,
    names: Vec<String>,
    title: String,
    mark: Option<f64>,
}

/// The keys of the frame.
const FRAME: &[Key] = &[
    Key::new("t_end"),
    Key::new("title"),
    Key::new("train_end"),
    Key::new("sample"),
];

/// Data and a run.
const RUN: Keys = &[FRAME, &[Key::flag("residuals")]];

/// Data and an ensemble.
const ENSEMBLE: Keys = &[FRAME, QUANTILES];

/// Data and either.
pub(super) const FITS: [&[Key]; 3] = [FRAME, RUN[1], QUANTILES];

impl Frame {
    /// From the data's beginning to `t_end`, by default the data's end.
    fn new(data: &Data, options: &mut Options, title: &str) -> Result<Self> {
        let sample = options.usize("sample", 0)?;
        let one = data.0.only(sample)?;
        let t = one.t().to_vec();
        let (begin, end) = (t[0], t[t.len() - 1]);
        let t_end = options.f64("t_end", end)?;
        let title = options.string("title", title)?;
        let train_end = options.opt_f64("train_end")?;
        if !(t_end > begin && t_end.is_finite()) {
            return Err(Error::invalid(format!(
                "plot: t_end should lie after the data's first time, {begin}"
            )));
        }
        let fine = (0..=600)
            .map(|i| begin + (t_end - begin) * f64::from(i) / 600.0)
            .collect();
        Ok(Frame {
            sample,
            u: one.u().index_axis(Axis(0), 0).to_owned(),
            names: one.names().to_vec(),
            title,
            // Where training data end and extrapolation begins.
            mark: train_end.or((t_end > end * (1.0 + 1e-9)).then_some(end)),
            t,
            fine,
        })
    }

    /// The measured components of a prediction, `[time, component]`.
    fn measured(&self, all: ArrayView3<f64>, observe: Option<&[usize]>) -> Result<Array2<f64>> {
        if self.sample >= all.len_of(Axis(0)) {
            return Err(Error::invalid(format!(
                "plot: the run was trained on {} samples, and sample {} is to be drawn",
                all.len_of(Axis(0)),
                self.sample
            )));
        }
        let one = all.index_axis(Axis(0), self.sample);
        Ok(match observe {
            // A plot of the whole state, for example beside the truth.
            Some(observe) if self.u.ncols() == observe.len() => one.select(Axis(1), observe),
            _ => one.to_owned(),
        })
    }

    fn figure(&self, model: &Array2<f64>) -> Result<Figure> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let figure = fit(&self.t, &self.u, &self.fine, model, self.mark, &names)?;
        Ok(figure.title(&self.title))
    }
}

/// Data, and the run's best model.
fn of_run(data: &Data, run: &Trained, options: Map) -> Fallible<Panel> {
    let mut options = Options::new("plot", RUN, options);
    let frame = Frame::new(data, &mut options, &training_title(&run.0.method))?;
    let with_residuals = options.bool("residuals", true)?;
    options.finish()?;
    let observe = run.0.settings.observe.as_deref();
    let all = run.0.predict(&frame.fine)?;
    let figure = frame.figure(&frame.measured(all.view(), observe)?)?;
    if !with_residuals {
        return Ok(Panel::Figure(figure));
    }
    // Data beyond the model's line have no residual.
    let end = frame.fine[frame.fine.len() - 1];
    let shown = frame.t.partition_point(|t| *t <= end);
    let at_data = run.0.predict(&frame.t[..shown])?;
    let mut left = Array2::from_elem(frame.u.dim(), f64::NAN);
    let model = frame.measured(at_data.view(), observe)?;
    left.slice_mut(s![..shown, ..])
        .assign(&(&frame.u.slice(s![..shown, ..]) - &model));
    let names: Vec<&str> = frame.names.iter().map(String::as_str).collect();
    let mut below = residuals(&frame.t, &left, &names)?.legend(Legend::None);
    if let Some(mark) = frame.mark {
        below = below.vline(mark, Style::new())?;
    }
    // One time axis for both, and it has its name once.
    let panels = [figure.title("").x_label(""), below];
    let grid = Grid::new(1, panels)?.share_x().row_heights(&[2.6, 1.0])?;
    Ok(Panel::Grid(grid.size(900, 640)?.title(&frame.title)))
}

/// Data, and the median and the band of an ensemble's best models.
fn of_ensemble(data: &Data, group: &Group, options: Map) -> Fallible<Panel> {
    let mut options = Options::new("plot", ENSEMBLE, options);
    let title = format!("Median and band of {} runs", group.0.runs().count());
    let frame = Frame::new(data, &mut options, &title)?;
    let (low, high) = quantiles(&mut options)?;
    options.finish()?;
    let band = group.0.predict(&frame.fine, low, high)?;
    let observe = group
        .0
        .best()
        .and_then(|run| run.settings.observe.as_deref());
    let of = |all: &ndarray::Array3<f64>| frame.measured(all.view(), observe);
    let (median, low, high) = (of(&band.median)?, of(&band.low)?, of(&band.high)?);
    let mut figure = frame.figure(&median)?;
    for (i, (low, high)) in low.columns().into_iter().zip(high.columns()).enumerate() {
        let style = Style::new().color(Color::Palette(i)).alpha(0.2);
        figure = figure.band_between(&frame.fine, low, high, style)?;
    }
    Ok(Panel::Figure(figure))
}

/// The mse of the members by epoch: the median and the band between the quartiles.
fn losses(group: &Group) -> Fallible<Panel> {
    let of = |q: f64| group.0.quantile("mse", q);
    let (low, median, high) = (of(0.25)?, of(0.5)?, of(0.75)?);
    let lambda = group.0.quantile("lambda", 0.5)?;
    let epochs: Vec<f64> = (0..median.len()).map(|epoch| epoch as f64).collect();
    let homotopy = lambda.iter().any(|l| *l != 0.0);
    let grid = losses_band(
        &epochs,
        [&low, &median, &high],
        homotopy.then_some(&lambda[..]),
    )?;
    let title = format!("{} runs", group.0.runs().count());
    Ok(Panel::Grid(grid.title(title)))
}

pub(super) fn register(reg: &mut Registry) {
    reg.add("plot", |d: Data, r: Trained| of_run(&d, &r, Map::new()));
    reg.add("plot", |d: Data, r: Trained, options: Map| {
        of_run(&d, &r, options)
    });
    reg.add("plot", |d: Data, g: Group| of_ensemble(&d, &g, Map::new()));
    reg.add("plot", |d: Data, g: Group, options: Map| {
        of_ensemble(&d, &g, options)
    });
    reg.add("plot", |g: Group| losses(&g));
}
