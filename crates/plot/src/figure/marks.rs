//! Methods that add bars, points with error bars, lines of a matrix, lines across and texts to a figure with two axes.

use std::sync::Arc;

use ndarray::{ArrayBase, Data, Ix2};

use super::super::label::subscript;
use super::super::layers::{Annotation, AxisPosition, Bars, ErrorBars, Histogram};
use super::super::style::Style;
use super::super::values::{Values, collect, same_length};
use super::Figure;
use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

impl Figure {
    /// Adds a line through the points (x, y) for each column of `y` `[x, column]`. The lines are called after `labels`; where
    /// there are none and the style has a label, say u, they are called u₀, u₁, …
    ///
    /// ```
    /// use ndarray::array;
    /// use odesync_plot::{Figure, Style};
    /// let u = array![[1.0, 0.0], [0.8, 0.3], [0.5, 0.6]];
    /// let figure = Figure::new().lines([0.0, 0.5, 1.0], &u, &["prey", "predators"], Style::new())?;
    /// assert!(figure.to_svg()?.contains("predators"));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Another number of rows than of x, more labels than columns, or a style that cannot be drawn.
    pub fn lines<S: Data<Elem = f64>>(
        mut self,
        x: impl Values,
        y: &ArrayBase<S, Ix2>,
        labels: &[&str],
        style: Style,
    ) -> Result<Figure> {
        let x = collect(x);
        if x.len() != y.nrows() {
            let turned = match x.len() == y.ncols() {
                true => "; it has as many columns, so transpose it",
                false => "; give a row for each x",
            };
            return Err(Error::invalid(format!(
                "line: x has {} but the matrix has {}{turned}",
                count_of(x.len(), "value"),
                count_of(y.nrows(), "row")
            )));
        }
        if labels.len() > y.ncols() {
            return Err(Error::invalid(format!(
                "line: there are {} for {}",
                count_of(labels.len(), "label"),
                count_of(y.ncols(), "column")
            )));
        }
        for (j, column) in y.columns().into_iter().enumerate() {
            let numbered = |name: &String| format!("{name}{}", subscript(j));
            let label = match labels.get(j) {
                Some(label) => Some((*label).to_owned()),
                None if labels.is_empty() => style.label.as_ref().map(numbered),
                None => None,
            };
            let style = Style {
                label,
                ..style.clone()
            };
            self = self.line(x.iter(), column, style)?;
        }
        Ok(self)
    }

    /// Adds a horizontal line over the whole width at `y`.
    ///
    /// # Errors
    ///
    /// `y` is not finite, or a style that cannot be drawn.
    pub fn hline(self, y: f64, style: Style) -> Result<Figure> {
        self.reference_line(("horizontal", "y", y), AxisPosition::Y(y), style)
    }

    /// Adds a marker at each point (x, y) with a bar from y − half to y + half; where `half` is NaN there is none.
    ///
    /// ```
    /// use odesync_plot::{Figure, Style};
    /// let figure = Figure::new().error_bars([1.0, 2.0], [3.0, 4.0], [0.5, f64::NAN], Style::new().label("data"))?;
    /// assert!(figure.to_svg()?.contains("data"));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `x`, `y` and `half` of different length, a negative `half`, or a style that cannot be drawn.
    pub fn error_bars(
        self,
        x: impl Values,
        y: impl Values,
        half: impl Values,
        style: Style,
    ) -> Result<Figure> {
        let (x, y, half) = (collect(x), collect(y), collect(half));
        same_length("error_bars", &style, &x, "y", &y)?;
        same_length("error_bars", &style, &x, "half", &half)?;
        if let Some(negative) = half.iter().find(|h| **h < 0.0) {
            return Err(Error::invalid(format!(
                "error_bars: half of a bar's length cannot be {negative}"
            )));
        }
        let lower: Vec<f64> = y.iter().zip(half.iter()).map(|(y, h)| y - h).collect();
        let upper: Vec<f64> = y.iter().zip(half.iter()).map(|(y, h)| y + h).collect();
        self.error_bars_between(&x[..], &y[..], lower, upper, style)
    }

    /// Adds a marker at each point (x, y) with a bar from `lower` to `upper`; where one of them is NaN there is none.
    ///
    /// # Errors
    ///
    /// `x`, `y`, `lower` and `upper` of different length, or a style that cannot be drawn.
    pub fn error_bars_between(
        mut self,
        x: impl Values,
        y: impl Values,
        lower: impl Values,
        upper: impl Values,
        style: Style,
    ) -> Result<Figure> {
        style.check()?;
        let (x, y) = (collect(x), collect(y));
        let (lower, upper) = (collect(lower), collect(upper));
        for (name, values) in [("y", &y), ("lower", &lower), ("upper", &upper)] {
            same_length("error_bars", &style, &x, name, values)?;
        }
        self.layers.push(Arc::new(ErrorBars {
            x,
            y,
            lower,
            upper,
            style,
        }));
        Ok(self)
    }

    /// Adds bars from 0 to `heights` at the positions `x`.
    ///
    /// # Errors
    ///
    /// `x` and `heights` of different length, or a style that cannot be drawn.
    pub fn bars(self, x: impl Values, heights: impl Values, style: Style) -> Result<Figure> {
        let (x, heights) = (collect(x), collect(heights));
        same_length("bar", &style, &x, "heights", &heights)?;
        let heights = ndarray::Array2::from_shape_fn((x.len(), 1), |(i, _)| heights[i]);
        let label = style.label.clone();
        let label: Vec<&str> = label.iter().map(String::as_str).collect();
        self.grouped_bars(&x[..], &heights, &label, style)
    }

    /// Adds bars from 0 to `heights` `[position, group]`: at each of the positions `x` one for each group, side by side. The groups
    /// are called after `labels`.
    ///
    /// ```
    /// use ndarray::array;
    /// use odesync_plot::{Figure, Style};
    /// let mse = array![[0.3, 0.2], [0.1, 0.15]];
    /// let figure = Figure::new()
    ///     .grouped_bars([0.0, 1.0], &mse, &["vanilla", "homotopy"], Style::new())?
    ///     .categories(["Lorenz", "pendulum"])?;
    /// assert!(figure.to_svg()?.contains("pendulum"));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Another number of rows than of x, more labels than columns, or a style that cannot be drawn.
    pub fn grouped_bars<S: Data<Elem = f64>>(
        mut self,
        x: impl Values,
        heights: &ArrayBase<S, Ix2>,
        labels: &[&str],
        style: Style,
    ) -> Result<Figure> {
        style.check()?;
        let x = collect(x);
        let groups = heights.ncols();
        if x.len() != heights.nrows() || labels.len() > groups {
            return Err(Error::invalid(format!(
                "bar: {} and {} do not go with heights of the shape {:?}; they take a row for each x and a column for each label",
                count_of(x.len(), "position"),
                count_of(labels.len(), "label"),
                heights.shape()
            )));
        }
        for (k, column) in heights.columns().into_iter().enumerate() {
            let style = Style {
                label: labels.get(k).map(|label| (*label).to_owned()),
                ..style.clone()
            };
            self.layers.push(Arc::new(Bars::beside(
                &x,
                &column.to_vec(),
                (k, groups),
                style,
            )));
        }
        Ok(self)
    }

    /// Labels the positions 0, 1, 2, … of the horizontal axis with names.
    ///
    /// # Errors
    ///
    /// No name, or other names than the axis has already.
    pub fn categories(
        mut self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Figure> {
        let names: Arc<[String]> = names.into_iter().map(Into::into).collect();
        let others = self.categories.as_ref().is_some_and(|own| *own != names);
        if names.is_empty() || others {
            return Err(Error::invalid(match others {
                true => {
                    "bar: the horizontal axis has other names already; give all bars of a figure the same"
                }
                false => "bar: there are no names for the horizontal axis",
            }));
        }
        self.categories = Some(names);
        Ok(self)
    }

    /// Adds a histogram of values, of which those that are not finite are left out.
    ///
    /// # Errors
    ///
    /// No finite value, a number of bins that is 0 or above 10,000, or an opacity out of its range.
    pub fn histogram(mut self, values: impl Values, options: &Histogram) -> Result<Figure> {
        options.check_ranges()?;
        let layer = options.layer(&collect(values))?;
        self.layers.push(Arc::new(layer));
        Ok(self)
    }

    /// Adds a text whose middle is at the point `at`, with an arrow if the options say so.
    ///
    /// # Errors
    ///
    /// A point that is not finite.
    pub fn annotate(
        mut self,
        text: impl Into<String>,
        at: (f64, f64),
        options: &Annotation,
    ) -> Result<Figure> {
        let text = text.into();
        let points = [Some(at), options.target()];
        if let Some(point) = points
            .into_iter()
            .flatten()
            .find(|p| !(p.0.is_finite() && p.1.is_finite()))
        {
            return Err(Error::invalid(format!(
                "the text \"{text}\" cannot be at {}, {}; both should be finite",
                point.0, point.1
            )));
        }
        self.layers.push(Arc::new(options.layer(text, at)));
        Ok(self)
    }
}
