//! The bindings of error bars, bars, histograms, lines across and texts.

use ndarray::{Array2, ArrayD, Axis, Ix1, Ix2};
use rhai::{Array as List, Dynamic, ImmutableString, Map};

use super::super::convert;
use super::super::options::Options;
use super::super::registry::Registry;
use super::keys::{ANNOTATION, HISTOGRAM, LABELLED, LabelOptions, STYLE};
use super::options::{figure_of, read_options};
use crate::{Error, Result};
use odesync_plot::{Annotation, Figure, Histogram, Panel, Style};

/// Reads the style of the layers of a matrix's columns, with their labels.
pub(super) fn labelled_style(call: &str, options: Option<Map>) -> Result<(Vec<String>, Style)> {
    let mut options = Options::new(call, LABELLED, options.unwrap_or_default());
    let (mut labels, mut style) = (LabelOptions::default(), Style::default());
    options.read_set(&mut labels)?;
    options.read_set(&mut style)?;
    options.finish()?;
    Ok((labels.labels, style))
}

/// Reads positions: numbers, or names of the positions 0, 1, …
fn positions(x: &Dynamic, call: &str) -> Result<(Vec<f64>, Vec<String>)> {
    let names = x.read_lock::<List>().map(|list| {
        let text = |item: &Dynamic| item.clone().into_string().ok();
        list.iter().map(text).collect::<Option<Vec<String>>>()
    });
    match names.flatten().filter(|names| !names.is_empty()) {
        Some(names) => Ok(((0..names.len()).map(|i| i as f64).collect(), names)),
        None => Ok((convert::to_vector(x, &format!("{call}: x"))?, vec![])),
    }
}

fn bar(panel: &Panel, x: &Dynamic, heights: &Dynamic, options: Option<Map>) -> Result<Panel> {
    let (x, names) = positions(x, "bar")?;
    let heights = convert::to_array(heights, "bar: heights")?;
    let (labels, style) = labelled_style("bar", options)?;
    let shape = heights.shape().to_vec();
    let wrong = |_| {
        Error::invalid(format!(
            "bar: heights should be a list, or a matrix with a row for each bar and a column for each group, not of shape {shape:?}"
        ))
    };
    let (heights, labels) = match shape.len() {
        1 => {
            let column = heights.into_dimensionality::<Ix1>().map_err(wrong)?;
            let label = labels.into_iter().chain(style.label.clone()).take(1);
            (column.insert_axis(Axis(1)), label.collect())
        }
        _ => (heights.into_dimensionality::<Ix2>().map_err(wrong)?, labels),
    };
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let figure = figure_of(panel, "bar")?.grouped_bars(&x, &heights, &labels, style)?;
    Ok(Panel::Figure(match names.is_empty() {
        true => figure,
        false => figure.categories(names)?,
    }))
}

/// Returns the lower and upper ends of bars around `y`: half of a length for all, one for each, or two rows, below and above.
fn ends(y: &[f64], half: &Dynamic) -> Result<[Vec<f64>; 2]> {
    let around = |below: &[f64], above: &[f64]| {
        [
            y.iter().zip(below).map(|(y, h)| y - h).collect(),
            y.iter().zip(above).map(|(y, h)| y + h).collect(),
        ]
    };
    if let Some(h) = convert::to_number(half) {
        let all = vec![h; y.len()];
        return non_negative(&all).map(|()| around(&all, &all));
    }
    let lengths: ArrayD<f64> = convert::to_array(half, "error_bars: half")?;
    let shape = lengths.shape().to_vec();
    let rows: Array2<f64> = match shape[..] {
        [n] if n == y.len() => lengths.into_dimensionality::<Ix1>().ok().map(|row| {
            let row = row.insert_axis(Axis(0));
            ndarray::concatenate![Axis(0), row, row]
        }),
        [2, n] if n == y.len() => lengths.into_dimensionality::<Ix2>().ok(),
        _ => None,
    }
    .ok_or_else(|| {
        Error::invalid(format!(
            "error_bars: half should be a number, a list of {} numbers, or two such lists, below and above, not of shape {shape:?}",
            y.len()
        ))
    })?;
    let (below, above) = (rows.row(0).to_vec(), rows.row(1).to_vec());
    non_negative(&below)?;
    non_negative(&above)?;
    Ok(around(&below, &above))
}

fn non_negative(lengths: &[f64]) -> Result<()> {
    match lengths.iter().find(|h| **h < 0.0) {
        None => Ok(()),
        Some(h) => Err(Error::invalid(format!(
            "error_bars: half of a bar's length cannot be {h}"
        ))),
    }
}

fn error_bars(panel: &Panel, [x, y, half]: [&Dynamic; 3], options: Option<Map>) -> Result<Panel> {
    let x = convert::to_vector(x, "error_bars: x")?;
    let y = convert::to_vector(y, "error_bars: y")?;
    let [lower, upper] = ends(&y, half)?;
    let style = read_options("error_bars", STYLE, options)?;
    let figure = figure_of(panel, "error_bars")?;
    Ok(Panel::Figure(
        figure.error_bars_between(x, y, lower, upper, style)?,
    ))
}

/// Reads a point of two coordinates.
fn point(value: &Dynamic, what: &str) -> Result<(f64, f64)> {
    match convert::to_vector(value, what)?[..] {
        [x, y] => Ok((x, y)),
        ref other => Err(Error::invalid(format!(
            "{what} should be a point [x, y], not {} numbers",
            other.len()
        ))),
    }
}

pub(super) fn register(reg: &mut Registry) {
    reg.function(
        "figure.hline(y, #{ label: \"…\" }) -> Figure",
        "Adds a horizontal line.",
        "figure().line([0, 1], [1, 2]).hline(1.5, #{ dash: \"dotted\" })",
    )
    .options(STYLE)
    .body(
        |p: &mut Panel, y: Dynamic, options: Option<Map>| -> Result<Panel> {
            let y = convert::number(&y, "hline: y")?;
            let figure = figure_of(p, "hline")?.hline(y, read_options("hline", STYLE, options)?)?;
            Ok(Panel::Figure(figure))
        },
    );
    reg.function(
        "figure.error_bars(x, y, half, #{ label: \"…\" }) -> Figure",
        "Adds points with bars from y − half to y + half: half is a number, a list, or two lists, below and above; where it is NaN \
         there is no bar.",
        "figure().error_bars([0, 1, 2], [1, 2, 1.5], [0.2, 0.3, 0.1], #{ label: \"data\" })",
    )
    .options(STYLE)
    .body(
        |p: &mut Panel, x: Dynamic, y: Dynamic, half: Dynamic, options: Option<Map>| {
            error_bars(p, [&x, &y, &half], options)
        },
    );
    reg.function(
        "figure.bar(x, heights, #{ labels: […] }) -> Figure",
        "Adds bars from 0 at the positions x, which are numbers or names; with a matrix of heights a group of bars at each, one for \
         each column, called after labels.",
        "figure(#{ y_label: \"mse\" }).bar([\"Lorenz\", \"pendulum\"], [[0.3, 0.2], [0.1, 0.15]], #{ labels: [\"vanilla\", \"homotopy\"] })",
    )
    .options(LABELLED)
    .body(
        |p: &mut Panel, x: Dynamic, heights: Dynamic, options: Option<Map>| {
            bar(p, &x, &heights, options)
        },
    );
    reg.function(
        "figure.histogram(values, #{ bins: 20, density: true }) -> Figure",
        "Adds a histogram: the number of values in bins of one width, or with density: true their density, whose area is 1.",
        "figure(#{ x_label: \"residual\" }).histogram([-0.2, -0.1, 0, 0, 0.1, 0.3], #{ bins: 5 })",
    )
    .options(HISTOGRAM)
    .body(
        |p: &mut Panel, values: Dynamic, options: Option<Map>| -> Result<Panel> {
            let values = convert::to_array(&values, "histogram: values")?;
            let options: Histogram = read_options("histogram", HISTOGRAM, options)?;
            let figure = figure_of(p, "histogram")?.histogram(values.iter(), &options)?;
            Ok(Panel::Figure(figure))
        },
    );
    reg.function(
        "figure.annotate(\"text\", [x, y], #{ to: [x, y] }) -> Figure",
        "Adds a text whose middle is at a point, with an arrow to another point where `to` gives it.",
        "figure().line([0, 1, 2], [0, 1, 0]).annotate(\"maximum\", [1.5, 0.9], #{ to: [1, 1] })",
    )
    .options(ANNOTATION)
    .body(
        |p: &mut Panel, text: ImmutableString, at: Dynamic, options: Option<Map>| -> Result<Panel> {
            let options: Annotation = read_options("annotate", ANNOTATION, options)?;
            let at = point(&at, "annotate: the place of the text")?;
            let figure: Figure = figure_of(p, "annotate")?;
            Ok(Panel::Figure(figure.annotate(text.as_str(), at, &options)?))
        },
    );
    reg.function(
        "figure.twin(figure) -> Figure",
        "Adds the layers of another figure with a vertical axis of their own, to the right; its y_label, y_range and log_y are those of \
         that axis.",
        "figure(#{ y_label: \"growth\" }).line([0, 1], [0.1, 0.4]).twin(figure(#{ y_label: \"light\" }).line([0, 1], [300, 800]))",
    )
    .body(|p: &mut Panel, other: Panel| -> Result<Panel> {
        let figure = figure_of(p, "twin")?.twin(figure_of(&other, "twin")?)?;
        Ok(Panel::Figure(figure))
    });
    reg.function(
        "figure.inset(figure, [x, y, w, h]) -> Figure",
        "Draws another figure within the frame: its left and lower edge, its width and its height, in parts of the frame.",
        "figure().line([0, 1, 2], [0, 1, 4]).inset(figure().line([0, 0.1], [0, 0.01]), [0.1, 0.45, 0.4, 0.5])",
    )
    .body(|p: &mut Panel, other: Panel, place: Dynamic| -> Result<Panel> {
        let place = convert::to_vector(&place, "inset: the place")?;
        let place = <[f64; 4]>::try_from(place).map_err(|given| {
            Error::invalid(format!(
                "inset: the place should be four numbers [x, y, w, h], not {}",
                given.len()
            ))
        })?;
        let inner = figure_of(&other, "inset")?;
        Ok(Panel::Figure(figure_of(p, "inset")?.inset(inner, place)?))
    });
}
