//! The style of a layer.

use std::str::FromStr;

use super::color::Color;
use super::option_value::{OptionValue, unknown_option};
use odesync_base::error::{Error, Result, unknown};
use odesync_base::options::{Key, Keys, Value};

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

/// Returns the names in a table of names.
pub(super) const fn names<T, const N: usize>(table: &[(&'static str, T); N]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut i = 0;
    while i < N {
        names[i] = table[i].0;
        i += 1;
    }
    names
}

/// The option of a layer's colour.
pub(super) const COLOR: Key = Key::new("color")
    .doc("Colour: a name, `\"#rrggbb\"` or an index into the palette.")
    .choices(&Color::NAMES)
    .default(|| Value::Unit, "the next of the palette");

/// The option of a line's width.
pub(super) const WIDTH: Key = Key::new("width")
    .doc("Width of a line in pixels.")
    .default(|| Value::Unit, "suits the layer");

/// The option of a line's dash pattern.
pub(super) const DASH: Key = Key::new("dash")
    .doc("Dash pattern of a line.")
    .choices(&names(&DASHES))
    .default(
        || Value::Unit,
        "solid, and another one each time the palette starts again",
    );

/// The option of a layer's opacity.
pub(super) const ALPHA: Key = Key::new("alpha")
    .doc("Opacity from 0 to 1.")
    .default(|| Value::Unit, "suits the layer");

/// Returns the value of `name` in a table of names, or an error that lists them.
pub(super) fn lookup<T: Copy>(what: &str, name: &str, table: &[(&str, T)]) -> Result<T> {
    let wanted = name.trim().to_lowercase();
    match table.iter().find(|(known, _)| *known == wanted) {
        Some((_, value)) => Ok(*value),
        None => Err(unknown(what, name, table.iter().map(|(known, _)| *known))),
    }
}

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

/// The style of a layer. Fields that are `None` are chosen to suit the figure.
///
/// ```
/// use odesync_plot::{Color, Dash, Style};
/// let style = Style::new().label("model").color(Color::Palette(1)).dash(Dash::Dashed);
/// assert_eq!(style.label.as_deref(), Some("model"));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Style {
    /// Name of the layer in the legend; a layer without one is not listed there.
    pub label: Option<String>,
    /// Colour of the layer; by default the next colour of the palette, and for a band that of the line before it (or after it,
    /// where there is none before).
    pub color: Option<Color>,
    /// Width of a line in pixels; 2 by default.
    pub width: Option<f64>,
    /// Dash pattern of a line; solid by default, and another one each time the palette starts again.
    pub dash: Option<Dash>,
    /// Marker at each point; by default a circle for a scatter and none for a line.
    pub marker: Option<Marker>,
    /// Diameter of a marker in pixels; by default 7, less where there are many.
    pub size: Option<f64>,
    /// Opacity from 0 to 1; by default 0.2 for a band and 1 for anything else.
    pub alpha: Option<f64>,
}

impl Style {
    /// The options of [`Style::set`].
    pub const OPTIONS: Keys = &[&[
        Key::new("label").doc("Name of the layer in the legend."),
        COLOR,
        WIDTH,
        DASH,
        Key::new("marker")
            .doc("Marker at each point.")
            .choices(&names(&MARKERS))
            .default(|| Value::Unit, "`\"circle\"` for a scatter"),
        Key::new("size")
            .doc("Diameter of a marker in pixels.")
            .default(|| Value::Unit, "7, less where there are many"),
        ALPHA,
    ]];

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

    /// Sets an option of the style by its name (see [`Style::OPTIONS`]). A colour is a name, `"#rrggbb"` or an index into the
    /// palette.
    ///
    /// # Errors
    ///
    /// An unknown name (the known ones are listed) or a value that does not fit.
    pub fn set<'a>(&mut self, name: &str, value: impl Into<OptionValue<'a>>) -> Result<()> {
        let value = value.into();
        match name {
            "label" => self.label = Some(value.text(name)?.to_owned()),
            "color" => {
                self.color = Some(match value {
                    OptionValue::Number(n) if n >= 0.0 && n.fract() == 0.0 => {
                        Color::Palette(n as usize)
                    }
                    OptionValue::Text(text) => text.parse()?,
                    other => {
                        return Err(
                            other.mismatch(name, "a colour's name, \"#rrggbb\" or 0, 1, 2, …")
                        );
                    }
                });
            }
            "width" => self.width = Some(value.number(name)?),
            "dash" => self.dash = Some(value.text(name)?.parse()?),
            "marker" => self.marker = Some(value.text(name)?.parse()?),
            "size" => self.size = Some(value.number(name)?),
            "alpha" => self.alpha = Some(value.number(name)?),
            _ => return Err(unknown_option(name, Self::OPTIONS)),
        }
        self.check()
    }

    /// Checks that every number is in the range that can be drawn.
    pub(super) fn check(&self) -> Result<()> {
        for (name, value, most) in [
            ("width", self.width, 100.0),
            ("size", self.size, 100.0),
            ("alpha", self.alpha, 1.0),
        ] {
            if let Some(v) = value.filter(|v| !(0.0..=most).contains(v)) {
                return Err(Error::invalid(format!(
                    "option \"{name}\" should be a number from 0 to {most}, not {v}"
                )));
            }
        }
        Ok(())
    }
}
