//! Automatic ranges of the axes of a figure with two axes.

use super::figure::Figure;
use super::geometry::Point;
use super::scale::{Axis, Scale};
use odesync_base::error::{Error, Result};

/// Returns the x and y axes of a figure: the user's ranges where given, otherwise ranges that cover the data.
pub(super) fn fit_axes(figure: &Figure) -> Result<(Axis, Axis)> {
    let points: Vec<Point> = figure.layers.iter().flat_map(|l| l.points()).collect();
    let shown = |p: &&Point| {
        figure.x_scale.or_linear().in_domain(p.0) && figure.y_scale.or_linear().in_domain(p.1)
    };
    let drawable: Vec<Point> = points.iter().filter(shown).copied().collect();
    if drawable.is_empty() {
        return Err(nothing_to_draw(figure, &points));
    }
    let marks = figure.layers.iter().flat_map(|l| l.required_x());
    let y_marks: Vec<f64> = figure.layers.iter().flat_map(|l| l.required_y()).collect();
    let bases: Vec<f64> = figure.layers.iter().filter_map(|l| l.base()).collect();
    let tight = figure.layers.iter().any(|l| l.tight());
    let margin = |margin: f64| if tight { 0.0 } else { margin };
    let marked = figure.layers.iter().any(|l| l.has_markers());
    let x = match figure.x_range {
        Some(range) => Some(Axis::from_range(
            figure.x_scale.or_linear(),
            "x_range",
            range,
        )?),
        None => {
            let values = drawable.iter().map(|p| p.0).chain(marks);
            Axis::fit(
                figure.x_scale.or_linear(),
                values,
                margin(if marked { 0.03 } else { 0.015 }),
            )
        }
    };
    let y = match figure.y_range {
        Some(range) => Some(Axis::from_range(
            figure.y_scale.or_linear(),
            "y_range",
            range,
        )?),
        None => {
            let (lo, hi) = figure.x_range.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
            let visible = drawable
                .iter()
                .filter(|p| p.0 >= lo && p.0 <= hi)
                .map(|p| p.1);
            let also = || y_marks.iter().chain(&bases).copied();
            let visible: Vec<f64> = visible.collect();
            // What the axis has to show besides is no reason to show nothing else.
            let visible = match visible.is_empty() {
                true => Vec::new(),
                false => visible.into_iter().chain(also()).collect(),
            };
            let visible = visible.into_iter();
            let all = || drawable.iter().map(|p| p.1).chain(also());
            Axis::fit(figure.y_scale.or_linear(), visible, margin(0.05))
                .or_else(|| Axis::fit(figure.y_scale.or_linear(), all(), margin(0.05)))
        }
    };
    let (Some(mut x), Some(mut y)) = (x, y) else {
        return Err(nothing_to_draw(figure, &points));
    };
    if figure.y_range.is_none() {
        end_at_bases(&mut y, &bases, drawable.iter().map(|p| p.1));
    }
    if let (Some(twin), None) = (&figure.twin, figure.x_range) {
        let (other, _) = fit_axes(twin)?;
        (x.lo, x.hi) = (x.lo.min(other.lo), x.hi.max(other.hi));
    }
    x.dates = figure.date_scale();
    Ok((x, y))
}

/// Lets an axis end at the value on which all its bars stand, if nothing lies beyond it.
fn end_at_bases(y: &mut Axis, bases: &[f64], values: impl Iterator<Item = f64> + Clone) {
    let Some(base) = bases.first().filter(|_| y.scale == Scale::Linear) else {
        return;
    };
    if values.clone().all(|v| v >= *base) {
        y.lo = *base;
    } else if values.clone().all(|v| v <= *base) {
        y.hi = *base;
    }
}

/// Returns the error of a figure without a drawable point; its message says why there is none and what to do.
fn nothing_to_draw(figure: &Figure, points: &[Point]) -> Error {
    let finite = |p: &&Point| Scale::Linear.in_domain(p.0) && Scale::Linear.in_domain(p.1);
    let reason = match (points.len(), points.iter().filter(finite).count()) {
        (0, _) if figure.layers.iter().all(|l| l.is_mark()) => {
            "there is nothing to draw: add a line, scatter or band".to_owned()
        }
        (0, _) => "there is nothing to draw: the arrays of its layers are empty".to_owned(),
        (n, 0) => format!(
            "none of its {n} values can be drawn: they are NaN, infinite or beyond all measure; look for where they come from"
        ),
        (_, n) => {
            let (axis, option) = match figure.y_scale.or_linear() {
                Scale::Log => ("vertical", "log_y"),
                _ => ("horizontal", "log_x"),
            };
            format!(
                "none of its {n} points is positive on the logarithmic {axis} axis; leave out {option}, or draw absolute values"
            )
        }
    };
    Error::invalid(format!("{}: {reason}", figure.name()))
}
