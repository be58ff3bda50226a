//! Ready-made figures of what a run is made of.

use ndarray::{ArrayBase, ArrayView2, Data, Ix2};

use super::color::Color;
use super::figure::Figure;
use super::grid::Grid;
use super::style::Style;
use crate::error::{Error, Result};

/// A trajectory over time, one line for each component of `u` `[time, dof]`. Components without a name in `names` are
/// called u₀, u₁, …
///
/// ```
/// use ndarray::array;
/// use odesync::plotting::trajectory;
/// let figure = trajectory(&[0.0, 0.5, 1.0], &array![[1.0, 0.0], [0.8, 0.3], [0.5, 0.6]], &["prey", "predators"])?;
/// assert!(figure.to_svg()?.contains("predators"));
/// # Ok::<(), odesync::Error>(())
/// ```
///
/// # Errors
///
/// `t` and `u` of different length.
pub fn trajectory<S: Data<Elem = f64>>(
    t: &[f64],
    u: &ArrayBase<S, Ix2>,
    names: &[&str],
) -> Result<Figure> {
    let u = u.view();
    same_length("u", t, &u)?;
    let mut figure = Figure::new().x_label("t");
    figure = match u.ncols() {
        1 => figure.y_label(name(names, 0)),
        _ => figure.y_label("u"),
    };
    for (i, column) in u.columns().into_iter().enumerate() {
        let style = match u.ncols() {
            1 => Style::new(),
            _ => Style::new().label(name(names, i)),
        };
        figure = figure.line(t, column, style)?;
    }
    Ok(figure)
}

/// Data and what a model makes of them: the data `[time, dof]` as points, the model `[time, dof]` as lines of the same
/// colours, and a mark at `t_train_end`, after which the model extrapolates. Missing values (NaN) are not drawn.
///
/// ```
/// use ndarray::array;
/// use odesync::plotting::fit;
/// let data = array![[1.0], [0.8], [f64::NAN]];
/// let model = array![[1.0], [0.82], [0.6], [0.4]];
/// let figure = fit(&[0.0, 1.0, 2.0], &data, &[0.0, 1.0, 2.0, 3.0], &model, Some(2.0), &[])?;
/// assert!(figure.to_svg()?.contains("end of training data"));
/// # Ok::<(), odesync::Error>(())
/// ```
///
/// # Errors
///
/// Times and values of different length, or data and model of different dof.
pub fn fit<D: Data<Elem = f64>, M: Data<Elem = f64>>(
    t_data: &[f64],
    u_data: &ArrayBase<D, Ix2>,
    t_model: &[f64],
    u_model: &ArrayBase<M, Ix2>,
    t_train_end: Option<f64>,
    names: &[&str],
) -> Result<Figure> {
    let (data, model) = (u_data.view(), u_model.view());
    same_length("the data", t_data, &data)?;
    same_length("the model's solution", t_model, &model)?;
    let dof = data.ncols();
    if dof != model.ncols() {
        return Err(Error::invalid(format!(
            "the data have {dof} components but the model has {}; draw those that belong together",
            model.ncols()
        )));
    }
    // With many components the legend names colours once, and says what points and lines are.
    let brief = dof > 3;
    // Where points lie on top of each other translucence shows how many, but costs a mark for every one in the file.
    let alpha = if t_data.len() > 2000 { 1.0 } else { 0.65 };
    let mut figure = Figure::new().x_label("t").y_label(if dof == 1 {
        name(names, 0)
    } else {
        "u".to_owned()
    });
    for (i, column) in data.columns().into_iter().enumerate() {
        let style = Style::new().color(Color::Palette(i)).alpha(alpha);
        figure = figure.scatter(
            t_data,
            column,
            match (dof, brief) {
                (1, _) => style.label("data"),
                (_, false) => style.label(format!("{}, data", name(names, i))),
                (_, true) if i == 0 => style.label("points: data"),
                (_, true) => style,
            },
        )?;
    }
    for (i, column) in model.columns().into_iter().enumerate() {
        let style = Style::new().color(Color::Palette(i));
        figure = figure.line(
            t_model,
            column,
            match (dof, brief) {
                (1, _) => style.label("model"),
                (_, false) => style.label(format!("{}, model", name(names, i))),
                (_, true) => style.label(name(names, i)),
            },
        )?;
    }
    match t_train_end {
        Some(t) => figure.vline(t, Style::new().label("end of training data")),
        None => Ok(figure),
    }
}

/// Losses over the epochs on a logarithmic axis and, in a small panel under them that shares the horizontal axis, the
/// homotopy parameter λ. An epoch without a value is NaN.
///
/// ```
/// use odesync::plotting::loss_curve;
/// let grid = loss_curve(
///     &[1.0, 2.0, 3.0],
///     &[("training loss", &[1.0, 0.1, 0.02]), ("mse", &[2.0, f64::NAN, 0.3])],
///     Some(&[1.0, 0.5, 0.0]),
/// )?;
/// assert!(grid.to_svg()?.contains('λ'));
/// # Ok::<(), odesync::Error>(())
/// ```
///
/// # Errors
///
/// A series whose length is not that of `epochs`.
pub fn loss_curve(
    epochs: &[f64],
    series: &[(&str, &[f64])],
    lambda: Option<&[f64]>,
) -> Result<Grid> {
    let mut losses = Figure::new().y_label("loss");
    // A loss of exactly 0 throughout has no place on a logarithmic axis.
    if series
        .iter()
        .any(|(_, values)| values.iter().any(|v| *v > 0.0))
    {
        losses = losses.log_y();
    }
    for (label, values) in series {
        losses = losses.line(epochs, *values, Style::new().label(*label).width(1.6))?;
    }
    let Some(lambda) = lambda else {
        return Grid::new(1, [losses.x_label("epoch")]);
    };
    let homotopy = Figure::new()
        .x_label("epoch")
        .y_label("λ")
        .y_range(
            -0.06,
            lambda
                .iter()
                .copied()
                .filter(|v| v.is_finite())
                .fold(1.0, f64::max)
                * 1.06,
        )?
        .line(epochs, lambda, Style::new().color(Color::Palette(6)))?;
    Grid::new(1, [losses, homotopy])?
        .share_x()
        .row_heights(&[2.4, 1.0])
}

fn name(names: &[&str], i: usize) -> String {
    match names.get(i) {
        Some(name) => (*name).to_owned(),
        None => {
            let digits = i.to_string();
            let low = |c: char| char::from_u32(0x2080 + u32::from(c) - u32::from('0')).unwrap_or(c);
            format!("u{}", digits.chars().map(low).collect::<String>())
        }
    }
}

fn same_length(what: &str, t: &[f64], u: &ArrayView2<f64>) -> Result<()> {
    match t.len() == u.nrows() {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "{what}: there are {} times but {} rows of values; give both the same number",
            t.len(),
            u.nrows()
        ))),
    }
}
