//! The comparison of several trajectories.

use ndarray::Array2;

use super::super::color::Color;
use super::super::figure::Figure;
use super::super::grid::Grid;
use super::super::style::Style;
use super::{component_name, same_length};
use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

/// A named trajectory `[time, dof]` that is drawn as a line or as markers.
#[derive(Debug, Clone)]
pub struct Curve {
    label: String,
    t: Vec<f64>,
    u: Array2<f64>,
    as_markers: bool,
}

impl Curve {
    /// Creates a curve drawn as a line, for a solution or a model's trajectory.
    pub fn line(label: impl Into<String>, t: Vec<f64>, u: Array2<f64>) -> Curve {
        Curve {
            label: label.into(),
            t,
            u,
            as_markers: false,
        }
    }

    /// Creates a curve drawn as markers, for data.
    pub fn points(label: impl Into<String>, t: Vec<f64>, u: Array2<f64>) -> Curve {
        Curve {
            as_markers: true,
            ..Curve::line(label, t, u)
        }
    }
}

/// Returns a figure that compares several trajectories: a panel for each component and a colour for each trajectory.
///
/// ```
/// use ndarray::array;
/// use odesync_plot::builders::{Curve, compare};
/// let t = vec![0.0, 1.0];
/// let one = Curve::line("rk4", t.clone(), array![[0.0, 1.0], [1.0, 0.0]]);
/// let two = Curve::points("data", t, array![[0.0, 1.1], [0.9, 0.0]]);
/// assert!(compare(&[one, two], &["x", "v"])?.to_svg()?.contains("rk4"));
/// # Ok::<(), odesync_plot::Error>(())
/// ```
///
/// # Errors
///
/// No trajectory, times and values of different length, or trajectories of different dof.
pub fn compare(curves: &[Curve], names: &[&str]) -> Result<Grid> {
    let dof = curves.first().map_or(0, |c| c.u.ncols());
    for curve in curves {
        same_length(&curve.label, &curve.t, &curve.u.view())?;
        if curve.u.ncols() != dof {
            return Err(Error::invalid(format!(
                "the first trajectory has {} and \"{}\" has {}; draw those that belong together",
                count_of(dof, "component"),
                curve.label,
                curve.u.ncols()
            )));
        }
    }
    if dof == 0 {
        return Err(Error::invalid(
            "there are no trajectories to draw; give at least one",
        ));
    }
    let mut panels = Vec::with_capacity(dof);
    for k in 0..dof {
        let mut figure = Figure::new().y_label(component_name(names, k));
        if k + 1 == dof {
            figure = figure.x_label("t");
        }
        for (i, curve) in curves.iter().enumerate() {
            let style = Style::new().color(Color::Palette(i));
            // Only the first panel has labels: the legend lists each colour once.
            let style = if k == 0 {
                style.label(&curve.label)
            } else {
                style
            };
            figure = match curve.as_markers {
                true => figure.scatter(&curve.t, curve.u.column(k), style.alpha(0.65))?,
                false => figure.line(&curve.t, curve.u.column(k), style)?,
            };
        }
        panels.push(figure);
    }
    let height = (200 + 220 * dof as u32).clamp(420, 1400);
    Grid::new(1, panels)?.share_x().size(900, height)
}
