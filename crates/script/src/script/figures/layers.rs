//! The bindings of layers with two axes: lines, points, bands, marks.

use rhai::{Dynamic, Map};

use super::super::convert;
use super::super::error::RhaiResult;
use super::super::registry::Registry;
use super::keys::STYLE;
use super::options::{figure_of, register_layer, style};
use crate::{Error, Result};
use odesync_plot::{Figure, Panel, Style};

/// A method that adds a layer of points: `figure.line(x, y, options)` and the like.
type AddLayer = fn(Figure, Vec<f64>, Vec<f64>, Style) -> Result<Figure>;

pub(super) fn register(reg: &mut Registry) {
    let two: [(&str, AddLayer, &str, &str); 2] = [
        (
            "line",
            |f, x, y, s| f.line(x, y, s),
            "figure.line(x, y, #{ label: \"…\" }) -> Figure",
            "Adds a line; NaN breaks it.",
        ),
        (
            "scatter",
            |f, x, y, s| f.scatter(x, y, s),
            "figure.scatter(x, y, #{ label: \"…\" }) -> Figure",
            "Adds points.",
        ),
    ];
    for (name, add, signature, text) in two {
        let draw = move |p: &Panel, [x, y]: [&Dynamic; 2], options: &Map| -> RhaiResult<Panel> {
            let (x, y) = (
                convert::to_vector(x, &format!("{name}: x"))?,
                convert::to_vector(y, &format!("{name}: y"))?,
            );
            Ok(Panel::Figure(add(
                figure_of(p, name)?,
                x,
                y,
                style(name, options)?,
            )?))
        };
        register_layer!(reg, name, draw, [x, y]);
        reg.describe(
            name,
            signature,
            text,
            if name == "line" {
                "figure().line([0, 1], [1, 2], #{ color: \"#aa3377\", dash: \"dashed\" })"
            } else {
                "figure().scatter([0, 1], [1, 2], #{ label: \"data\" })"
            },
        )
        .option_keys(STYLE);
    }
    let band = |p: &Panel, [x, y, half]: [&Dynamic; 3], options: &Map| -> RhaiResult<Panel> {
        let x = convert::to_vector(x, "band: x")?;
        let y = convert::to_vector(y, "band: y")?;
        let half = match convert::to_number(half) {
            Some(h) => vec![h; y.len()],
            None => convert::to_vector(half, "band: half")?,
        };
        Ok(Panel::Figure(figure_of(p, "band")?.band(
            x,
            y,
            half,
            style("band", options)?,
        )?))
    };
    register_layer!(reg, "band", band, [x, y, half]);
    reg.describe(
        "band",
        "figure.band(x, y, half, #{ alpha: 0.2 }) -> Figure",
        "Adds the band y ± half.",
        "figure().line([0, 1], [1, 2]).band([0, 1], [1, 2], 0.3)",
    )
    .option_keys(STYLE);
    let mark = |p: &Panel, [x]: [&Dynamic; 1], options: &Map| -> RhaiResult<Panel> {
        let x =
            convert::to_number(x).ok_or_else(|| Error::invalid("vline: x should be a number"))?;
        Ok(Panel::Figure(
            figure_of(p, "vline")?.vline(x, style("vline", options)?)?,
        ))
    };
    register_layer!(reg, "vline", mark, [x]);
    reg.describe(
        "vline",
        "figure.vline(x, #{ label: \"…\" }) -> Figure",
        "Adds a vertical line.",
        "figure().line([0, 1], [1, 2]).vline(0.5, #{ dash: \"dotted\" })",
    )
    .option_keys(STYLE);
}
