//! Titles, labels and options of a panel, a figure or a grid.

use super::figure::Figure;
use super::grid::{Grid, Panel};
use super::option_kinds::FigureSize;
use odesync_base::options::{Key, Mismatch, OptionKind, OptionSet, Text, Value};

impl Panel {
    /// Sets the title above the panel.
    pub fn title(self, title: impl Into<String>) -> Panel {
        match self {
            Panel::Figure(figure) => Panel::Figure(figure.title(title)),
            Panel::Grid(grid) => Panel::Grid(grid.title(title)),
        }
    }

    /// Sets the name of the horizontal axis; in a grid it is below the lowest figures.
    pub fn x_label(mut self, label: impl Into<String>) -> Panel {
        self.set_x_label(&label.into());
        self
    }

    fn set_x_label(&mut self, label: &str) {
        match self {
            Panel::Figure(figure) => figure.x_label = label.to_owned(),
            Panel::Grid(grid) => {
                let lowest = grid.last_row_start();
                let panels = grid.panels.iter_mut().skip(lowest);
                panels.for_each(|panel| panel.set_x_label(label));
            }
        }
    }
}

/// The options of a figure, by their names. In a grid the title, the size and the page apply to the whole grid, and other options to all its
/// figures; but in a grid of one column only options of the horizontal axis apply to all figures, and the others to the first.
///
/// ```
/// use odesync_base::options::OptionSet;
/// use odesync_plot::{Panel, loss_curve};
/// let mut losses: Panel = loss_curve(&[1.0, 2.0], &[("mse", &[1.0, 0.1])], Some(&[1.0, 0.0]))?.into();
/// losses.set("title", &"Losses".into())?;
/// losses.set("y_range", &[0.01, 10.0][..].into())?;
/// assert!(losses.set("titel", &"Losses".into()).is_err());
/// # Ok::<(), odesync_plot::Error>(())
/// ```
impl OptionSet for Panel {
    fn keys(&self) -> Vec<&'static Key> {
        Figure::KEYS.iter().collect()
    }

    fn try_set(&mut self, name: &str, value: &Value) -> std::result::Result<(), Mismatch> {
        let grid = match self {
            Panel::Figure(figure) => return figure.try_set(name, value),
            Panel::Grid(grid) => grid,
        };
        match grid.page.try_set(name, value) {
            Err(Mismatch::UnknownName) => {}
            done => return done,
        }
        let panels = match name {
            "title" => {
                grid.title = Text::read(value)?;
                return Ok(());
            }
            "x_label" => {
                self.set_x_label(&Text::read(value)?);
                return Ok(());
            }
            "size" => {
                grid.size = Some(FigureSize::read(value)?);
                return Ok(());
            }
            "x_range" | "log_x" | "symlog_x" => grid.panels.len(),
            _ if grid.columns > 1 => grid.panels.len(),
            _ => 1,
        };
        let mut panels = grid.panels.iter_mut().take(panels);
        panels.try_for_each(|panel| panel.try_set(name, value))
    }

    fn get(&self, name: &str) -> Option<Value> {
        match self {
            Panel::Figure(figure) => figure.get(name),
            Panel::Grid(grid) if name == "title" => Some(Value::Text(grid.title.clone())),
            Panel::Grid(grid) => match grid.page.get(name) {
                None => grid.panels.first()?.get(name),
                own => own,
            },
        }
    }
}

impl Grid {
    /// Returns the index of the first panel of the last row.
    fn last_row_start(&self) -> usize {
        let rows = self.panels.len().div_ceil(self.columns);
        rows.saturating_sub(1) * self.columns
    }
}
