//! Kinds of options of figures: ranges, colours, sizes, names.

use super::color::Color;
use super::scale::check_range;
use odesync_base::error::Error;
use odesync_base::number_kind;
use odesync_base::options::{Mismatch, Named, OptionKind, Value};

number_kind!(
    /// A width or a size in pixels.
    Pixels, f64, "a number from 0 to 100", Value::number, |x| (0.0..=100.0).contains(&x)
);
number_kind!(
    /// An opacity.
    Opacity, f64, "a number from 0 to 1", Value::number, |x| (0.0..=1.0).contains(&x)
);
number_kind!(
    /// A density of streamlines.
    StreamlineDensity, f64, "a number from 0.2 to 5", Value::number, |x| (0.2..=5.0).contains(&x)
);
number_kind!(
    /// An azimuth in degrees.
    Azimuth, f64, "an angle in degrees", Value::number, |x| x.abs() <= 1e6
);
number_kind!(
    /// An elevation in degrees.
    Elevation, f64, "an angle from -90 to 90 degrees", Value::number, |x| x.abs() <= 90.0
);

/// A colour: a name, `#rrggbb` or an index into the palette.
#[derive(Debug, Clone, Copy)]
pub(super) struct ColorOption;

impl OptionKind for ColorOption {
    type Field = Color;
    const EXPECTED: &'static str = "a colour's name, \"#rrggbb\" or 0, 1, 2, …";
    const CHOICES: &'static [&'static str] = &Color::NAMES;

    fn read(value: &Value) -> std::result::Result<Color, Mismatch> {
        match value.number() {
            Some(n) if n >= 0.0 && n.fract() == 0.0 => Ok(Color::Palette(n as usize)),
            Some(_) => Err(Mismatch::Value),
            None => Ok(value.text().ok_or(Mismatch::Value)?.parse()?),
        }
    }

    fn write(field: &Color) -> Value {
        match field {
            Color::Rgb(r, g, b) => Value::Text(format!("#{r:02x}{g:02x}{b:02x}")),
            Color::Palette(index) => Value::from(*index),
        }
    }
}

/// The ends of an axis or a colour scale, in increasing order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range;

impl OptionKind for Range {
    type Field = (f64, f64);
    const EXPECTED: &'static str = "two numbers";

    fn read(value: &Value) -> std::result::Result<(f64, f64), Mismatch> {
        match value.numbers().as_deref() {
            Some([lo, hi]) => {
                check_range("the range", *lo, *hi).map_err(Mismatch::Within)?;
                Ok((*lo, *hi))
            }
            _ => Err(Mismatch::Value),
        }
    }

    fn write(field: &(f64, f64)) -> Value {
        Value::from(&[field.0, field.1][..])
    }
}

/// Width and height of a figure in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct FigureSize;

impl OptionKind for FigureSize {
    type Field = (u32, u32);
    const EXPECTED: &'static str = "two numbers";

    fn read(value: &Value) -> std::result::Result<(u32, u32), Mismatch> {
        match value.numbers().as_deref() {
            Some([width, height]) => Ok(super::figure_size::checked_size(*width, *height)?),
            _ => Err(Mismatch::Value),
        }
    }

    fn write(field: &(u32, u32)) -> Value {
        let pixels = [field.0, field.1];
        Value::List(pixels.into_iter().map(|n| Value::Int(n.into())).collect())
    }
}

/// Returns the name of a value in a table of names; the first name where it has several.
pub(super) fn name_of<T: PartialEq>(value: &T, table: &[(&'static str, T)]) -> &'static str {
    let found = table.iter().find(|(_, other)| other == value);
    found.map_or("", |(name, _)| name)
}

/// Implements [`Named`] by a type's parser and its table of names.
macro_rules! named_by_table {
    ($type:ty, $table:ident) => {
        impl odesync_base::options::Named for $type {
            const NAMES: &'static [&'static str] = &$crate::name_table::names(&$table);

            fn from_name(name: &str) -> odesync_base::error::Result<Self> {
                name.parse()
            }

            fn to_name(&self) -> &'static str {
                $crate::option_kinds::name_of(self, &$table)
            }
        }
    };
}
pub(super) use named_by_table;

/// A position of the legend; `true` and `false` are also taken, for one and none.
#[derive(Debug, Clone, Copy)]
pub(super) struct LegendOption;

impl OptionKind for LegendOption {
    type Field = super::legend::Legend;
    const EXPECTED: &'static str = "a string";
    const CHOICES: &'static [&'static str] = <super::legend::Legend as Named>::NAMES;

    fn read(value: &Value) -> std::result::Result<Self::Field, Mismatch> {
        use super::legend::Legend;
        match value {
            Value::Bool(true) => Ok(Legend::Auto),
            Value::Bool(false) => Ok(Legend::None),
            _ => Ok(Legend::from_name(value.text().ok_or(Mismatch::Value)?)?),
        }
    }

    fn write(field: &Self::Field) -> Value {
        Value::from(field.to_name())
    }
}

/// The levels of a contour layer: about so many, or these.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Levels {
    /// The approximate number of levels, which lie at round values.
    Count(usize),
    /// The levels, increasing.
    Values(Vec<f64>),
}

/// Largest number of levels of a contour layer.
const MAX_LEVELS: usize = 200;

impl Levels {
    /// Returns about so many levels.
    ///
    /// # Errors
    /// A count of 0 or above 200.
    pub fn count(count: usize) -> Result<Self, Error> {
        match (1..=MAX_LEVELS).contains(&count) {
            true => Ok(Levels::Count(count)),
            false => Err(Error::invalid(format!(
                "contour: there cannot be {count} levels; give 1 to {MAX_LEVELS}, or a list of values"
            ))),
        }
    }

    /// Returns these levels.
    ///
    /// # Errors
    /// No level, more than 200, or one that is not finite.
    pub fn values(levels: &[f64]) -> Result<Self, Error> {
        let mut sorted = levels.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.dedup();
        let finite = sorted.iter().all(|v| v.abs() <= 1e300);
        match (1..=MAX_LEVELS).contains(&sorted.len()) && finite {
            true => Ok(Levels::Values(sorted)),
            false => Err(Error::invalid(format!(
                "contour: option \"levels\" should be a number of levels, or a list of 1 to {MAX_LEVELS} finite values"
            ))),
        }
    }
}

/// A number of levels or a list of values.
#[derive(Debug, Clone, Copy)]
pub(super) struct LevelsOption;

impl OptionKind for LevelsOption {
    type Field = Levels;
    const EXPECTED: &'static str = "a number of levels or a list of values";

    fn read(value: &Value) -> std::result::Result<Levels, Mismatch> {
        match (value.number(), value.numbers()) {
            (Some(n), _) if n >= 1.0 && n.fract() == 0.0 => Ok(Levels::count(n as usize)?),
            (None, Some(levels)) => Ok(Levels::values(&levels)?),
            _ => Err(Mismatch::Value),
        }
    }

    fn write(field: &Levels) -> Value {
        match field {
            Levels::Count(count) => Value::from(*count),
            Levels::Values(levels) => Value::from(&levels[..]),
        }
    }
}
