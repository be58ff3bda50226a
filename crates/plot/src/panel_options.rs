//! Titles, labels and options of a panel, a figure or a grid.

use super::figure::checked_size;
use super::grid::{Grid, Panel};
use super::option_value::OptionValue;
use odesync_base::error::Result;

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

    /// Sets an option of a figure by its name (see [`Figure::OPTIONS`](super::Figure::OPTIONS)). In a grid the title and the size
    /// apply to the whole grid, and other options to all its figures; but in a grid of one column only options of the horizontal
    /// axis apply to all figures, and the others to the first.
    ///
    /// ```
    /// use odesync_plot::{Panel, loss_curve};
    /// let mut losses: Panel = loss_curve(&[1.0, 2.0], &[("mse", &[1.0, 0.1])], Some(&[1.0, 0.0]))?.into();
    /// losses.set("title", "Losses")?;
    /// losses.set("y_range", &[0.01, 10.0][..])?;
    /// assert!(losses.set("titel", "Losses").is_err());
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// An unknown name (the known ones are listed) or a value that does not fit.
    pub fn set<'a>(&mut self, name: &str, value: impl Into<OptionValue<'a>>) -> Result<()> {
        let value = value.into();
        let grid = match self {
            Panel::Figure(figure) => return figure.set(name, value),
            Panel::Grid(grid) => grid,
        };
        let panels = match name {
            "title" => {
                grid.title = value.text(name)?.to_owned();
                return Ok(());
            }
            "x_label" => {
                self.set_x_label(value.text(name)?);
                return Ok(());
            }
            "size" => {
                let (width, height) = value.pair(name)?;
                grid.size = Some(checked_size(width, height)?);
                return Ok(());
            }
            "x_range" | "log_x" | "symlog_x" => grid.panels.len(),
            _ if grid.columns > 1 => grid.panels.len(),
            _ => 1,
        };
        let mut panels = grid.panels.iter_mut().take(panels);
        panels.try_for_each(|panel| panel.set(name, value))
    }
}

impl Grid {
    /// Returns the index of the first panel of the last row.
    fn last_row_start(&self) -> usize {
        let rows = self.panels.len().div_ceil(self.columns);
        rows.saturating_sub(1) * self.columns
    }
}
