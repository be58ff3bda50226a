//! The description of a figure: its axes, layers and options.

mod composition;
mod flat;
mod marks;
mod spatial;

use std::sync::Arc;

use jiff::civil::DateTime;

use super::dates::{self, DateOption, DateScale, TimeUnit};
use super::figure_size::checked_size;
use super::layers::Layer;
use super::legend::Legend;
use super::legend_handle::LegendHandle;
use super::option_kinds::{Azimuth, Elevation, FigureSize, LegendOption, Range};
use super::page::{PageDimensions, PageOptions, impl_page};
use super::scale::{Scale, check_range};
use super::scale_options::{XScale, YScale, ZScale};
use super::space::Layer3;
pub(super) use composition::Inset;
use odesync_base::error::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Key, Maybe, OneOf, Text, join};

option_set! {
    /// A figure: two axes with lines, points, bands, heat maps and the like, or three axes with surfaces, curves and points. It is
    /// described first and drawn when it is saved.
    ///
    /// Values may be slices, vectors, `ndarray` arrays or anything else that yields `f64`. A NaN breaks a line in two; NaN and
    /// infinite values (all beyond ±1e300 count as infinite) are not drawn, nor are values that are not positive on a logarithmic
    /// axis. Layers take the colours of [`PALETTE`](super::PALETTE) in turn.
    ///
    /// ```
    /// use odesync_plot::{Figure, Style};
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
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    ///
    /// The options can also be set by their names:
    ///
    /// ```
    /// use odesync_base::options::OptionSet;
    /// use odesync_plot::Figure;
    /// let mut figure = Figure::new();
    /// figure.set("title", &"Losses".into())?;
    /// figure.set("log_y", &true.into())?;
    /// assert!(figure.set("titel", &"Losses".into()).unwrap_err().to_string().contains("title"));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    #[derive(Debug, Clone)]
    pub struct Figure {
        /// Title above the figure.
        pub(super) title: String as Text = String::new(), "none";
        /// Name of the x axis.
        pub(super) x_label: String as Text = String::new(), "none";
        /// Name of the y axis.
        pub(super) y_label: String as Text = String::new(), "none";
        /// Name of the z axis.
        pub(super) z_label: String as Text = String::new(), "none";
        /// Range of the x axis, `[lo, hi]`.
        pub(super) x_range: Option<(f64, f64)> as Maybe<Range> = None, "that of the data";
        /// Range of the y axis, `[lo, hi]`.
        pub(super) y_range: Option<(f64, f64)> as Maybe<Range> = None, "that of the data";
        /// Range of the z axis, `[lo, hi]`.
        pub(super) z_range: Option<(f64, f64)> as Maybe<Range> = None, "that of the data";
        /// Direction of view of a 3-D figure around the z axis, in degrees.
        pub(super) azimuth: f64 as Azimuth = -60.0;
        /// Height of view of a 3-D figure, in degrees.
        pub(super) elevation: f64 as Elevation = 28.0;
        /// Width and height in pixels, `[w, h]`, of which there are 96 per inch; with a size on paper, its ratio.
        pub(super) size: (u32, u32) as FigureSize = (900, 560);
        /// Position of the legend.
        pub(super) legend: Legend as LegendOption = Legend::default();
        /// Date of x = 0, `"2024-12-31"` or `"2024-12-31 12:00"`: the x axis shows dates.
        pub(super) x_date: Option<DateTime> as Maybe<DateOption> = None;
        /// Unit of x where the axis shows dates.
        pub(super) x_date_unit: TimeUnit as OneOf<TimeUnit> = TimeUnit::Seconds;
    }
    sets {
        /// Size on paper, size of the text, resolution and colours.
        pub(super) page: PageOptions;
        /// Scale of the horizontal axis.
        pub(super) x_scale: XScale;
        /// Scale of the vertical axis.
        pub(super) y_scale: YScale;
        /// Scale of the vertical axis of a figure with three axes.
        pub(super) z_scale: ZScale;
    }
    others {
        /// Layers on two axes.
        pub(super) layers: Vec<Arc<dyn Layer>> = vec![];
        /// Layers on three axes.
        pub(super) layers3: Vec<Arc<dyn Layer3>> = vec![];
        /// Names of the positions 0, 1, … of the horizontal axis.
        pub(super) categories: Option<Arc<[String]>> = None;
        /// The figure whose layers have a vertical axis to the right.
        pub(super) twin: Option<Arc<Figure>> = None;
        /// Figures within the frame.
        pub(super) insets: Vec<Inset> = vec![];
    }
}

impl Figure {
    /// Descriptions of all options.
    pub const KEYS: &'static [Key] = &join::<26>(&[
        Self::OPTIONS,
        PageOptions::OPTIONS,
        XScale::OPTIONS,
        YScale::OPTIONS,
        ZScale::OPTIONS,
    ]);

    /// Creates an empty figure of 900 by 560 pixels.
    pub fn new() -> Figure {
        Figure::default()
    }

    /// Sets the title above the axes.
    pub fn title(mut self, title: impl Into<String>) -> Figure {
        self.title = title.into();
        self
    }

    /// Sets the name of the horizontal axis.
    pub fn x_label(mut self, label: impl Into<String>) -> Figure {
        self.x_label = label.into();
        self
    }

    /// Sets the name of the vertical axis.
    pub fn y_label(mut self, label: impl Into<String>) -> Figure {
        self.y_label = label.into();
        self
    }

    /// Sets the name of the vertical axis of a figure with three axes.
    pub fn z_label(mut self, label: impl Into<String>) -> Figure {
        self.z_label = label.into();
        self
    }

    /// Makes the horizontal axis logarithmic.
    pub fn log_x(mut self) -> Figure {
        self.x_scale.0 = Some(Scale::Log);
        self
    }

    /// Makes the vertical axis logarithmic.
    pub fn log_y(mut self) -> Figure {
        self.y_scale.0 = Some(Scale::Log);
        self
    }

    /// Makes the vertical axis of a figure with three axes logarithmic.
    pub fn log_z(mut self) -> Figure {
        self.z_scale.0 = Some(Scale::Log);
        self
    }

    /// Makes the horizontal axis logarithmic on either side of 0 and linear within ±`threshold`.
    ///
    /// # Errors
    ///
    /// A threshold that is not positive and finite.
    pub fn symlog_x(mut self, threshold: f64) -> Result<Figure> {
        self.x_scale.0 = Some(Scale::symlog("symlog_x", threshold)?);
        Ok(self)
    }

    /// Makes the vertical axis logarithmic on either side of 0 and linear within ±`threshold`.
    ///
    /// # Errors
    ///
    /// A threshold that is not positive and finite.
    pub fn symlog_y(mut self, threshold: f64) -> Result<Figure> {
        self.y_scale.0 = Some(Scale::symlog("symlog_y", threshold)?);
        Ok(self)
    }

    /// Makes the vertical axis of a figure with three axes logarithmic on either side of 0 and linear within ±`threshold`.
    ///
    /// # Errors
    ///
    /// A threshold that is not positive and finite.
    pub fn symlog_z(mut self, threshold: f64) -> Result<Figure> {
        self.z_scale.0 = Some(Scale::symlog("symlog_z", threshold)?);
        Ok(self)
    }

    /// Sets the view angles of a figure with three axes, in degrees: `azimuth` is the angle from the x axis towards the y axis
    /// (default −60), `elevation` the angle above their plane (default 28; −90 to 90).
    ///
    /// # Errors
    ///
    /// An angle that is not finite, or an elevation beyond ±90.
    pub fn view(mut self, azimuth: f64, elevation: f64) -> Result<Figure> {
        (self.azimuth, self.elevation) = checked_view(azimuth, elevation)?;
        Ok(self)
    }

    /// Returns the azimuth and the elevation of the view of a figure with three axes, in degrees; see [`Figure::view`].
    pub fn view_angles(&self) -> (f64, f64) {
        (self.azimuth, self.elevation)
    }

    /// Sets the range of the horizontal axis; the default is the range of the data with a small margin.
    ///
    /// # Errors
    ///
    /// Not two finite numbers with `lo < hi`.
    pub fn x_range(mut self, lo: f64, hi: f64) -> Result<Figure> {
        check_range("x_range", lo, hi)?;
        self.x_range = Some((lo, hi));
        Ok(self)
    }

    /// Sets the range of the vertical axis; the default is the range of the data (within `x_range`, if given) with a small
    /// margin.
    ///
    /// # Errors
    ///
    /// Not two finite numbers with `lo < hi`.
    pub fn y_range(mut self, lo: f64, hi: f64) -> Result<Figure> {
        check_range("y_range", lo, hi)?;
        self.y_range = Some((lo, hi));
        Ok(self)
    }

    /// Sets the range of the vertical axis of a figure with three axes. A surface is cut off at the ends of the range, and its
    /// colours span the range.
    ///
    /// # Errors
    ///
    /// Not two finite numbers with `lo < hi`.
    pub fn z_range(mut self, lo: f64, hi: f64) -> Result<Figure> {
        check_range("z_range", lo, hi)?;
        self.z_range = Some((lo, hi));
        Ok(self)
    }

    /// Sets the width and height of the figure in pixels.
    ///
    /// # Errors
    ///
    /// A width or height below 100 or above 4000.
    pub fn size(mut self, width: u32, height: u32) -> Result<Figure> {
        self.size = checked_size(f64::from(width), f64::from(height))?;
        Ok(self)
    }

    /// Shows dates on the horizontal axis: `origin` is that of x = 0, such as `2024-12-31` or `2024-12-31 12:00`, and x is in `unit`.
    ///
    /// ```
    /// use odesync_plot::{Figure, Style, TimeUnit};
    /// let figure = Figure::new().line([0.0, 90.0], [1.0, 2.0], Style::new())?.x_dates("2024-01-01", TimeUnit::Days)?;
    /// assert!(figure.to_svg()?.contains("Mar"));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A text that is no date.
    pub fn x_dates(mut self, origin: &str, unit: TimeUnit) -> Result<Figure> {
        let date = dates::parse(origin).ok_or_else(|| {
            Error::invalid(format!(
                "x_date is \"{origin}\"; it takes a date like 2024-12-31 or 2024-12-31 12:00"
            ))
        })?;
        (self.x_date, self.x_date_unit) = (Some(date), unit);
        Ok(self)
    }

    /// Returns the dates of the horizontal axis, if it has some.
    pub(super) fn date_scale(&self) -> Option<DateScale> {
        self.x_date.map(|origin| DateScale {
            origin,
            unit: self.x_date_unit,
        })
    }

    /// Sets the position of the legend.
    pub fn legend(mut self, legend: Legend) -> Figure {
        self.legend = legend;
        self
    }

    /// Returns the dimensions of the figure's page.
    pub(super) fn page_dimensions(&self) -> Result<PageDimensions> {
        self.page.dimensions(self.size, 1)
    }

    /// Returns the name of the figure in error messages.
    pub(super) fn name(&self) -> String {
        match self.title.is_empty() {
            true => "the figure".to_owned(),
            false => format!("the figure \"{}\"", self.title),
        }
    }

    /// Returns the legend handles of all layers, in their order.
    pub(super) fn legend_handles(&self) -> Vec<&dyn LegendHandle> {
        let flat = self.layers.iter().map(|l| &**l as &dyn LegendHandle);
        let twin = self.twin.iter().flat_map(|twin| &twin.layers);
        flat.chain(self.layers3.iter().map(|l| &**l as &dyn LegendHandle))
            .chain(twin.map(|l| &**l as &dyn LegendHandle))
            .collect()
    }

    /// Returns the names of the x, y and z axes.
    pub(super) fn labels(&self) -> [&str; 3] {
        [&self.x_label, &self.y_label, &self.z_label]
    }
}

impl_page!(Figure);

fn checked_view(azimuth: f64, elevation: f64) -> Result<(f64, f64)> {
    match azimuth.abs() <= 1e6 && elevation.abs() <= 90.0 {
        true => Ok((azimuth, elevation)),
        false => Err(Error::invalid(format!(
            "a figure cannot be seen from azimuth {azimuth} and elevation {elevation}; they are degrees, the second from −90 to 90"
        ))),
    }
}
