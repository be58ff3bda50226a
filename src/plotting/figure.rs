//! The description of a figure.

use super::layer::Layer;
use super::legend::Legend;
use super::option::OptionValue;
use super::output::rendered;
use super::panel;
use super::scale::{Scale, check_range};
use super::scene::Scene;
use super::style::Style;
use super::values::{Values, collect, same_length};
use crate::error::{Error, Result, unknown};

/// Largest width or height in pixels.
const LARGEST: f64 = 4000.0;

/// A figure: one pair of axes with lines, points, bands and marks, described first and drawn when it is saved.
///
/// Values may be given as slices, vectors, `ndarray` arrays or anything else that yields `f64`. A NaN breaks a line in
/// two; it and infinite values (taken to be those beyond ±1e300) are not drawn, nor are values that are not positive on
/// a logarithmic axis. Colours are taken from [`PALETTE`](super::PALETTE) in turn.
///
/// ```
/// use odesync::plotting::{Figure, Style};
///
/// let t: Vec<f64> = (0..100).map(|i| 0.1 * f64::from(i)).collect();
/// let u: Vec<f64> = t.iter().map(|t| t.sin()).collect();
/// let half = vec![0.2; 100];
/// let figure = Figure::new()
///     .title("An oscillation")
///     .x_label("t")
///     .y_label("u")
///     .line(&t, &u, Style::new().label("mean"))?
///     .band(&t, &u, &half, Style::new().label("± 0.2"))?
///     .vline(5.0, Style::new().label("end of training data"))?;
/// assert!(figure.to_svg()?.contains("An oscillation"));
/// # Ok::<(), odesync::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Figure {
    pub(super) title: String,
    pub(super) x_label: String,
    pub(super) y_label: String,
    pub(super) layers: Vec<Layer>,
    pub(super) x_scale: Scale,
    pub(super) y_scale: Scale,
    pub(super) x_range: Option<(f64, f64)>,
    pub(super) y_range: Option<(f64, f64)>,
    pub(super) size: (u32, u32),
    pub(super) legend: Legend,
}

impl Default for Figure {
    fn default() -> Self {
        Figure::new()
    }
}

rendered!(Figure);

impl Figure {
    /// The names that [`Figure::set`] knows.
    pub const OPTIONS: [&'static str; 9] = [
        "title", "x_label", "y_label", "log_x", "log_y", "x_range", "y_range", "size", "legend",
    ];

    /// An empty figure of 900 by 560 pixels.
    pub fn new() -> Figure {
        Figure {
            title: String::new(),
            x_label: String::new(),
            y_label: String::new(),
            layers: Vec::new(),
            x_scale: Scale::Linear,
            y_scale: Scale::Linear,
            x_range: None,
            y_range: None,
            size: (900, 560),
            legend: Legend::default(),
        }
    }

    /// The title above the axes.
    pub fn title(mut self, title: impl Into<String>) -> Figure {
        self.title = title.into();
        self
    }

    /// The name of the horizontal axis.
    pub fn x_label(mut self, label: impl Into<String>) -> Figure {
        self.x_label = label.into();
        self
    }

    /// The name of the vertical axis.
    pub fn y_label(mut self, label: impl Into<String>) -> Figure {
        self.y_label = label.into();
        self
    }

    /// Makes the horizontal axis logarithmic.
    pub fn log_x(mut self) -> Figure {
        self.x_scale = Scale::Log;
        self
    }

    /// Makes the vertical axis logarithmic.
    pub fn log_y(mut self) -> Figure {
        self.y_scale = Scale::Log;
        self
    }

    /// The range of the horizontal axis; by default that of the data with a small margin.
    ///
    /// # Errors
    ///
    /// Not two finite numbers with `lo < hi`.
    pub fn x_range(mut self, lo: f64, hi: f64) -> Result<Figure> {
        check_range("x_range", lo, hi)?;
        self.x_range = Some((lo, hi));
        Ok(self)
    }

    /// The range of the vertical axis; by default that of the data (within `x_range`, if given) with a small margin.
    ///
    /// # Errors
    ///
    /// Not two finite numbers with `lo < hi`.
    pub fn y_range(mut self, lo: f64, hi: f64) -> Result<Figure> {
        check_range("y_range", lo, hi)?;
        self.y_range = Some((lo, hi));
        Ok(self)
    }

    /// Width and height in pixels.
    ///
    /// # Errors
    ///
    /// A width or height below 100 or above 4000.
    pub fn size(mut self, width: u32, height: u32) -> Result<Figure> {
        self.size = checked_size(f64::from(width), f64::from(height))?;
        Ok(self)
    }

    /// Where the legend is.
    pub fn legend(mut self, legend: Legend) -> Figure {
        self.legend = legend;
        self
    }

    /// Sets an option by its name (see [`Figure::OPTIONS`]).
    ///
    /// ```
    /// use odesync::plotting::Figure;
    /// let mut figure = Figure::new();
    /// figure.set("title", "Losses")?;
    /// figure.set("log_y", true)?;
    /// figure.set("size", &[600.0, 400.0][..])?;
    /// assert!(figure.set("titel", "Losses").unwrap_err().to_string().contains("title"));
    /// # Ok::<(), odesync::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// An unknown name (the known ones are listed) or a value that does not fit.
    pub fn set<'a>(&mut self, name: &str, value: impl Into<OptionValue<'a>>) -> Result<()> {
        let value = value.into();
        let scale = |log: bool| if log { Scale::Log } else { Scale::Linear };
        match name {
            "title" => self.title = value.text(name)?.to_owned(),
            "x_label" => self.x_label = value.text(name)?.to_owned(),
            "y_label" => self.y_label = value.text(name)?.to_owned(),
            "log_x" => self.x_scale = scale(value.flag(name)?),
            "log_y" => self.y_scale = scale(value.flag(name)?),
            "x_range" | "y_range" => {
                let (lo, hi) = value.pair(name)?;
                check_range(name, lo, hi)?;
                match name {
                    "x_range" => self.x_range = Some((lo, hi)),
                    _ => self.y_range = Some((lo, hi)),
                }
            }
            "size" => {
                let (width, height) = value.pair(name)?;
                self.size = checked_size(width, height)?;
            }
            "legend" => {
                self.legend = match value {
                    OptionValue::Flag(true) => Legend::Auto,
                    OptionValue::Flag(false) => Legend::None,
                    other => other.text(name)?.parse()?,
                };
            }
            _ => return Err(unknown("figure option", name, Self::OPTIONS)),
        }
        Ok(())
    }

    /// Adds a line through the points (x, y).
    ///
    /// # Errors
    ///
    /// `x` and `y` of different length, or a style that cannot be drawn.
    pub fn line(mut self, x: impl Values, y: impl Values, style: Style) -> Result<Figure> {
        style.check()?;
        let (x, y) = (collect(x), collect(y));
        same_length("line", &style, &x, "y", &y)?;
        self.layers.push(Layer::Line { x, y, style });
        Ok(self)
    }

    /// Adds a marker at each point (x, y).
    ///
    /// # Errors
    ///
    /// `x` and `y` of different length, or a style that cannot be drawn.
    pub fn scatter(mut self, x: impl Values, y: impl Values, style: Style) -> Result<Figure> {
        style.check()?;
        let (x, y) = (collect(x), collect(y));
        same_length("scatter", &style, &x, "y", &y)?;
        self.layers.push(Layer::Scatter { x, y, style });
        Ok(self)
    }

    /// Adds the area between y − half and y + half.
    ///
    /// # Errors
    ///
    /// `x`, `y` and `half` of different length, or a style that cannot be drawn.
    pub fn band(
        self,
        x: impl Values,
        y: impl Values,
        half: impl Values,
        style: Style,
    ) -> Result<Figure> {
        let (x, y, half) = (collect(x), collect(y), collect(half));
        same_length("band", &style, &x, "y", &y)?;
        same_length("band", &style, &x, "half", &half)?;
        let lower: Vec<f64> = y.iter().zip(half.iter()).map(|(y, h)| y - h).collect();
        let upper: Vec<f64> = y.iter().zip(half.iter()).map(|(y, h)| y + h).collect();
        self.band_between(&x[..], lower, upper, style)
    }

    /// Adds the area between `lower` and `upper`.
    ///
    /// # Errors
    ///
    /// `x`, `lower` and `upper` of different length, or a style that cannot be drawn.
    pub fn band_between(
        mut self,
        x: impl Values,
        lower: impl Values,
        upper: impl Values,
        style: Style,
    ) -> Result<Figure> {
        style.check()?;
        let (x, lower, upper) = (collect(x), collect(lower), collect(upper));
        same_length("band", &style, &x, "lower", &lower)?;
        same_length("band", &style, &x, "upper", &upper)?;
        self.layers.push(Layer::Band {
            x,
            lower,
            upper,
            style,
        });
        Ok(self)
    }

    /// Adds a vertical line over the whole height at `x`, to mark for instance where the training data end.
    ///
    /// # Errors
    ///
    /// `x` is not finite, or a style that cannot be drawn.
    pub fn vline(mut self, x: f64, style: Style) -> Result<Figure> {
        style.check()?;
        if !x.is_finite() {
            return Err(Error::invalid(format!(
                "a vertical line needs a finite x, not {x}"
            )));
        }
        self.layers.push(Layer::VLine { x, style });
        Ok(self)
    }

    /// What the figure is called in an error.
    pub(super) fn name(&self) -> String {
        match self.title.is_empty() {
            true => "the figure".to_owned(),
            false => format!("the figure \"{}\"", self.title),
        }
    }

    pub(super) fn scene(&self) -> Result<Scene> {
        let mut scene = Scene::new(self.size);
        let area = panel::whole(self.size, &mut scene);
        panel::Plan::new(self, &area, None, false)?.draw(&area, None, &mut scene);
        Ok(scene)
    }
}

pub(super) fn checked_size(width: f64, height: f64) -> Result<(u32, u32)> {
    let fits = |v: f64| (100.0..=LARGEST).contains(&v);
    match fits(width) && fits(height) {
        true => Ok((width.round() as u32, height.round() as u32)),
        false => Err(Error::invalid(format!(
            "a figure cannot have {width} by {height} pixels; width and height go from 100 to {LARGEST}"
        ))),
    }
}
