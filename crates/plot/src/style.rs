//! The style of a layer.

use std::str::FromStr;

use super::color::Color;
use super::name_table::lookup;
use super::option_kinds::{ColorOption, Opacity, Pixels, named_by_table};
use odesync_base::error::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Maybe, OneOf, Text};

/// The dash pattern of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dash {
    /// Unbroken.
    Solid,
    /// Long dashes.
    Dashed,
    /// Dots.
    Dotted,
}

/// The shape of a marker at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// A filled disc.
    Circle,
    /// A filled square.
    Square,
    /// A filled triangle, point up.
    Triangle,
    /// A filled square on its corner.
    Diamond,
    /// Two strokes, like the letter x.
    Cross,
    /// Two strokes, like a plus sign.
    Plus,
}

const DASHES: [(&str, Dash); 3] = [
    ("solid", Dash::Solid),
    ("dashed", Dash::Dashed),
    ("dotted", Dash::Dotted),
];

const MARKERS: [(&str, Marker); 6] = [
    ("circle", Marker::Circle),
    ("square", Marker::Square),
    ("triangle", Marker::Triangle),
    ("diamond", Marker::Diamond),
    ("cross", Marker::Cross),
    ("plus", Marker::Plus),
];

impl FromStr for Dash {
    type Err = Error;
    /// Parses a dash pattern: "solid", "dashed" or "dotted".
    fn from_str(name: &str) -> Result<Self> {
        lookup("dash", name, &DASHES)
    }
}

impl FromStr for Marker {
    type Err = Error;
    /// Parses a marker: "circle", "square", "triangle", "diamond", "cross" or "plus".
    fn from_str(name: &str) -> Result<Self> {
        lookup("marker", name, &MARKERS)
    }
}

named_by_table!(Dash, DASHES);
named_by_table!(Marker, MARKERS);

option_set! {
    /// The style of a layer. Fields that are `None` are chosen to suit the figure.
    ///
    /// ```
    /// use odesync_plot::{Color, Dash, Style};
    /// let style = Style::new().label("model").color(Color::Palette(1)).dash(Dash::Dashed);
    /// assert_eq!(style.label.as_deref(), Some("model"));
    /// ```
    ///
    /// The options can also be set by their names:
    ///
    /// ```
    /// use odesync_base::options::OptionSet;
    /// use odesync_plot::{Dash, Style};
    /// let mut style = Style::new();
    /// style.set("dash", &"dotted".into())?;
    /// style.set("width", &2.5.into())?;
    /// assert_eq!(style.dash, Some(Dash::Dotted));
    /// let slip = style.set("widht", &2.5.into()).unwrap_err().to_string();
    /// assert!(slip.contains("did you mean \"width\"?"));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq)]
    pub struct Style {
        /// Name of the layer in the legend.
        ///
        /// A layer without one is not listed there.
        pub label: Option<String> as Maybe<Text> = None;
        /// Colour: a name, `"#rrggbb"` or an index into the palette.
        ///
        /// By default that of a band is the colour of the line before it, or after it where there is none before.
        pub color: Option<Color> as Maybe<ColorOption> = None, "the next of the palette";
        /// Width of a line in pixels.
        pub width: Option<f64> as Maybe<Pixels> = None, "suits the layer";
        /// Dash pattern of a line.
        pub dash: Option<Dash> as Maybe<OneOf<Dash>> = None, "solid, and another one each time the palette starts again";
        /// Marker at each point.
        pub marker: Option<Marker> as Maybe<OneOf<Marker>> = None, "`\"circle\"` for a scatter";
        /// Diameter of a marker in pixels.
        pub size: Option<f64> as Maybe<Pixels> = None, "7, less where there are many";
        /// Opacity from 0 to 1.
        ///
        /// By default 0.2 for a band and 1 for anything else.
        pub alpha: Option<f64> as Maybe<Opacity> = None, "suits the layer";
    }
}

impl Style {
    /// Creates a style with all fields `None`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name of the layer in the legend.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets the colour of the layer.
    pub fn color(mut self, color: Color) -> Self {
        self.color = Some(color);
        self
    }

    /// Sets the width of a line in pixels.
    pub fn width(mut self, width: f64) -> Self {
        self.width = Some(width);
        self
    }

    /// Sets the dash pattern of a line.
    pub fn dash(mut self, dash: Dash) -> Self {
        self.dash = Some(dash);
        self
    }

    /// Sets the marker at each point.
    pub fn marker(mut self, marker: Marker) -> Self {
        self.marker = Some(marker);
        self
    }

    /// Sets the diameter of the markers in pixels.
    pub fn size(mut self, size: f64) -> Self {
        self.size = Some(size);
        self
    }

    /// Sets the opacity, 0 to 1.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = Some(alpha);
        self
    }

    /// Checks that every number is in the range that can be drawn.
    pub(super) fn check(&self) -> Result<()> {
        self.check_ranges()
    }
}
