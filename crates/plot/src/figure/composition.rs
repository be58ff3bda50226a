//! Figures in a figure: a second vertical axis, and insets.

use std::sync::Arc;

use super::super::geometry::Rect;
use super::Figure;
use odesync_base::error::{Error, Result};

/// A figure within another's frame.
#[derive(Debug, Clone)]
pub(in super::super) struct Inset {
    pub figure: Arc<Figure>,
    /// Left and lower edge, width and height, in parts of the frame.
    pub place: [f64; 4],
}

impl Inset {
    /// Returns the rectangle of the inset, with its labels, in a frame.
    pub fn rect(&self, frame: &Rect) -> Rect {
        let [x, y, w, h] = self.place;
        let (left, bottom) = (
            frame.left + x * frame.width(),
            frame.bottom - y * frame.height(),
        );
        Rect {
            left,
            top: bottom - h * frame.height(),
            right: left + w * frame.width(),
            bottom,
        }
    }
}

impl Figure {
    /// Adds the layers of another figure with a vertical axis of their own, to the right of the frame: its label, scale and range
    /// are those of the other figure. The horizontal axis is the same for both.
    ///
    /// ```
    /// use odesync_plot::{Figure, Style};
    /// let t = [0.0, 1.0, 2.0];
    /// let light = Figure::new().y_label("light").line(t, [300.0, 800.0, 500.0], Style::new().label("light"))?;
    /// let figure = Figure::new().y_label("growth").line(t, [0.1, 0.4, 0.2], Style::new().label("growth"))?.twin(light)?;
    /// assert!(figure.to_svg()?.contains("light"));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A figure with three axes, or one that has a second axis or insets already.
    pub fn twin(mut self, other: Figure) -> Result<Figure> {
        let is_flat = self.layers3.is_empty() && other.layers3.is_empty();
        if !is_flat || self.twin.is_some() || other.twin.is_some() || !other.insets.is_empty() {
            return Err(Error::invalid(match is_flat {
                false => "twin: a figure with three axes has no second vertical axis",
                true => {
                    "twin: a figure has one second vertical axis, whose figure has neither another one nor insets"
                }
            }));
        }
        if other.x_scale != self.x_scale {
            return Err(Error::invalid(
                "twin: both figures share the horizontal axis; give both the same log_x or symlog_x",
            ));
        }
        self.twin = Some(Arc::new(other));
        Ok(self)
    }

    /// Draws another figure within the frame: `place` is its left and lower edge, its width and its height, in parts of the frame.
    ///
    /// ```
    /// use odesync_plot::{Figure, Style};
    /// let t = [0.0, 1.0, 2.0];
    /// let start = Figure::new().line(t, [0.0, 0.1, 0.05], Style::new())?.x_range(0.0, 1.0)?;
    /// let figure = Figure::new().line(t, [0.0, 0.1, 0.05], Style::new())?.inset(start, [0.55, 0.1, 0.4, 0.4])?;
    /// assert!(figure.to_svg()?.contains("<svg"));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A place that is not in the frame, or an inset with insets.
    pub fn inset(mut self, inner: Figure, place: [f64; 4]) -> Result<Figure> {
        let [x, y, w, h] = place;
        let fits = |from: f64, size: f64| from >= 0.0 && size >= 0.05 && from + size <= 1.0 + 1e-9;
        if !fits(x, w) || !fits(y, h) {
            return Err(Error::invalid(format!(
                "inset: [{x}, {y}, {w}, {h}] is no place in the frame; it takes the left and lower edge, the width and the height \
                 from 0 to 1"
            )));
        }
        if !inner.insets.is_empty() {
            return Err(Error::invalid("inset: an inset cannot have insets itself"));
        }
        if !self.layers3.is_empty() {
            return Err(Error::invalid(
                "inset: a figure with three axes has no insets; put both in a grid",
            ));
        }
        self.insets.push(Inset {
            figure: Arc::new(inner),
            place,
        });
        Ok(self)
    }
}
