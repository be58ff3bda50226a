//! The bindings of layers with two axes: lines, points, bands, marks.

use ndarray::{Axis, Ix1, Ix2};
use rhai::{Dynamic, Map};

use super::super::convert;
use super::super::registry::Registry;
use super::keys::{LABELLED, STYLE};
use super::marks::labelled_style;
use super::options::{figure_of, read_options};
use crate::{Error, Result};
use odesync_plot::{Figure, Panel, Style};

/// A method that adds a layer of points: `figure.line(x, y, options)` and the like.
type AddLayer = fn(Figure, Vec<f64>, Vec<f64>, Style) -> Result<Figure>;

/// Adds a layer of points to a figure.
fn layer(
    name: &str,
    add: AddLayer,
    panel: &Panel,
    [x, y]: [&Dynamic; 2],
    options: Option<Map>,
) -> Result<Panel> {
    let x = convert::to_vector(x, &format!("{name}: x"))?;
    let y = convert::to_vector(y, &format!("{name}: y"))?;
    let figure = add(
        figure_of(panel, name)?,
        x,
        y,
        read_options(name, STYLE, options)?,
    )?;
    Ok(Panel::Figure(figure))
}

/// Adds a line, or one for each column of a matrix.
fn line(panel: &Panel, x: &Dynamic, y: &Dynamic, options: Option<Map>) -> Result<Panel> {
    let x = convert::to_vector(x, "line: x")?;
    let y = convert::to_array(y, "line: y")?;
    let (labels, style) = labelled_style("line", options)?;
    let figure = figure_of(panel, "line")?;
    let shape = y.shape().to_vec();
    let columns = match shape.len() {
        1 => y
            .into_dimensionality::<Ix1>()
            .map(|y| y.insert_axis(Axis(1))),
        _ => y.into_dimensionality::<Ix2>(),
    };
    let columns = columns.map_err(|_| {
        Error::invalid(format!(
            "line: y should be a list or a matrix with a column for each line, not of shape {shape:?}"
        ))
    })?;
    if shape.len() == 1 {
        let label = labels.into_iter().next().or(style.label.clone());
        let style = Style { label, ..style };
        return Ok(Panel::Figure(figure.line(x, columns.column(0), style)?));
    }
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    Ok(Panel::Figure(figure.lines(x, &columns, &labels, style)?))
}

fn band(panel: &Panel, [x, y, half]: [&Dynamic; 3], options: Option<Map>) -> Result<Panel> {
    let x = convert::to_vector(x, "band: x")?;
    let y = convert::to_vector(y, "band: y")?;
    let half = match convert::to_number(half) {
        Some(h) => vec![h; y.len()],
        None => convert::to_vector(half, "band: half")?,
    };
    let figure =
        figure_of(panel, "band")?.band(x, y, half, read_options("band", STYLE, options)?)?;
    Ok(Panel::Figure(figure))
}

pub(super) fn register(reg: &mut Registry) {
    reg.function(
        "figure.line(x, y, #{ label: \"…\" }) -> Figure",
        "Adds a line; NaN breaks it. With a matrix of y a line for each column, called after labels.",
        "figure().line([0, 1], [1, 2], #{ color: \"#aa3377\", dash: \"dashed\" })",
    )
    .options(LABELLED)
    .body(
        |p: &mut Panel, x: Dynamic, y: Dynamic, options: Option<Map>| line(p, &x, &y, options),
    );
    reg.function(
        "figure.scatter(x, y, #{ label: \"…\" }) -> Figure",
        "Adds points.",
        "figure().scatter([0, 1], [1, 2], #{ label: \"data\" })",
    )
    .options(STYLE)
    .body(
        |p: &mut Panel, x: Dynamic, y: Dynamic, options: Option<Map>| {
            layer(
                "scatter",
                |f, x, y, s| f.scatter(x, y, s),
                p,
                [&x, &y],
                options,
            )
        },
    );
    reg.function(
        "figure.band(x, y, half, #{ alpha: 0.2 }) -> Figure",
        "Adds the band y ± half.",
        "figure().line([0, 1], [1, 2]).band([0, 1], [1, 2], 0.3)",
    )
    .options(STYLE)
    .body(
        |p: &mut Panel, x: Dynamic, y: Dynamic, half: Dynamic, options: Option<Map>| {
            band(p, [&x, &y, &half], options)
        },
    );
    reg.function(
        "figure.vline(x, #{ label: \"…\" }) -> Figure",
        "Adds a vertical line.",
        "figure().line([0, 1], [1, 2]).vline(0.5, #{ dash: \"dotted\" })",
    )
    .options(STYLE)
    .body(
        |p: &mut Panel, x: Dynamic, options: Option<Map>| -> Result<Panel> {
            let x = convert::number(&x, "vline: x")?;
            let figure = figure_of(p, "vline")?.vline(x, read_options("vline", STYLE, options)?)?;
            Ok(Panel::Figure(figure))
        },
    );
}
