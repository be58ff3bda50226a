//! The figure of data with a model's trajectory.

use ndarray::{ArrayBase, Data, Ix2};

use super::super::color::Color;
use super::super::figure::Figure;
use super::super::style::Style;
use super::{component_name, same_length};
use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

/// Returns a figure of data and a model's trajectory: the data `[time, dof]` as points, the model `[time, dof]` as lines of the
/// same colours, and a vertical line at `t_train_end`, after which the model extrapolates. Missing values (NaN) are not drawn.
///
/// ```
/// use ndarray::array;
/// use odesync_plot::fit;
/// let data = array![[1.0], [0.8], [f64::NAN]];
/// let model = array![[1.0], [0.82], [0.6], [0.4]];
/// let figure = fit(&[0.0, 1.0, 2.0], &data, &[0.0, 1.0, 2.0, 3.0], &model, Some(2.0), &[])?;
/// assert!(figure.to_svg()?.contains("end of training data"));
/// # Ok::<(), odesync_plot::Error>(())
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
    fit_labelled(
        (t_data, u_data),
        ("model", t_model, u_model),
        t_train_end,
        names,
    )
}

/// Returns the figure of [`fit`], with `curve_label` as the name of the lines in the legend.
pub(super) fn fit_labelled<D: Data<Elem = f64>, M: Data<Elem = f64>>(
    (t_data, u_data): (&[f64], &ArrayBase<D, Ix2>),
    (curve_label, t_model, u_model): (&str, &[f64], &ArrayBase<M, Ix2>),
    t_train_end: Option<f64>,
    names: &[&str],
) -> Result<Figure> {
    let (data, model) = (u_data.view(), u_model.view());
    same_length("the data", t_data, &data)?;
    same_length("the model's solution", t_model, &model)?;
    let dof = data.ncols();
    if dof != model.ncols() {
        return Err(Error::invalid(format!(
            "the data have {} but the model has {}; draw those that belong together",
            count_of(dof, "component"),
            model.ncols()
        )));
    }
    // With many components the legend lists each colour once, and says once what points and lines are.
    let brief = dof > 3;
    // Translucent markers show where many points lie on top of each other, but each takes an element of the file.
    let alpha = if t_data.len() > 2000 { 1.0 } else { 0.65 };
    let mut figure = Figure::new().x_label("t").y_label(if dof == 1 {
        component_name(names, 0)
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
                (_, false) => style.label(format!("{}, data", component_name(names, i))),
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
                (1, _) => style.label(curve_label),
                (_, false) => style.label(format!("{}, {curve_label}", component_name(names, i))),
                (_, true) => style.label(component_name(names, i)),
            },
        )?;
    }
    match t_train_end {
        Some(t) => figure.vline(t, Style::new().label("end of training data")),
        None => Ok(figure),
    }
}
