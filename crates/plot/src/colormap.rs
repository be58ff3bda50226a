//! Colour maps: from a fraction between 0 and 1 to a colour.

use std::str::FromStr;

use colorous::Gradient;

use super::name_table::lookup;
use super::option_kinds::named_by_table;
use odesync_base::error::{Error, Result};

/// A colour map. The colours of each can be distinguished with colour blindness, and the lightness of the sequential maps changes
/// evenly, so that they can be read in grey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorMap {
    /// Dark blue via green to yellow (Smith and van der Walt, 2015).
    #[default]
    Viridis,
    /// Dark blue via grey to yellow: nearly the same with and without colour blindness (Nuñez, Anderton and Renslow, 2018).
    Cividis,
    /// Black via purple to pale yellow.
    Magma,
    /// Black via red to pale yellow.
    Inferno,
    /// White to dark blue, for print.
    Blues,
    /// White to black.
    Greys,
    /// Blue via white to red, for values of either sign (ColorBrewer's RdBu, reversed).
    BlueRed,
    /// Purple via white to orange, for values of either sign (ColorBrewer's PuOr, reversed).
    PurpleOrange,
}

const NAMES: [(&str, ColorMap); 8] = [
    ("viridis", ColorMap::Viridis),
    ("cividis", ColorMap::Cividis),
    ("magma", ColorMap::Magma),
    ("inferno", ColorMap::Inferno),
    ("blues", ColorMap::Blues),
    ("greys", ColorMap::Greys),
    ("blue-red", ColorMap::BlueRed),
    ("purple-orange", ColorMap::PurpleOrange),
];

impl FromStr for ColorMap {
    type Err = Error;

    /// Parses the name of a colour map: "viridis", "cividis", "magma", "inferno", "blues", "greys", "blue-red" or
    /// "purple-orange".
    fn from_str(name: &str) -> Result<Self> {
        lookup("colour map", name, &NAMES)
    }
}

named_by_table!(ColorMap, NAMES);

impl ColorMap {
    /// Returns the colour at `place`, 0 to 1; a place beyond is clamped to the nearest end.
    ///
    /// ```
    /// use odesync_plot::ColorMap;
    /// assert_eq!(ColorMap::Viridis.rgb(0.0), (0x44, 0x01, 0x54));
    /// assert_eq!(ColorMap::Viridis.rgb(1.0), (0xfd, 0xe7, 0x25));
    /// ```
    pub fn rgb(self, place: f64) -> (u8, u8, u8) {
        let place = if place.is_nan() {
            0.0
        } else {
            place.clamp(0.0, 1.0)
        };
        let (gradient, place): (Gradient, f64) = match self {
            ColorMap::Viridis => (colorous::VIRIDIS, place),
            ColorMap::Cividis => (colorous::CIVIDIS, place),
            ColorMap::Magma => (colorous::MAGMA, place),
            ColorMap::Inferno => (colorous::INFERNO, place),
            ColorMap::Blues => (colorous::BLUES, place),
            ColorMap::Greys => (colorous::GREYS, place),
            ColorMap::BlueRed => (colorous::RED_BLUE, 1.0 - place),
            ColorMap::PurpleOrange => (colorous::PURPLE_ORANGE, 1.0 - place),
        };
        let color = gradient.eval_continuous(place);
        (color.r, color.g, color.b)
    }

    /// Whether the map is diverging: its middle is the colour of 0.
    pub fn is_diverging(self) -> bool {
        matches!(self, ColorMap::BlueRed | ColorMap::PurpleOrange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the lightness L* of CIELAB.
    fn lightness((r, g, b): (u8, u8, u8)) -> f64 {
        let linear = |c: u8| match f64::from(c) / 255.0 {
            c if c <= 0.04045 => c / 12.92,
            c => ((c + 0.055) / 1.055).powf(2.4),
        };
        let y = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
        match y {
            y if y > 0.008856 => 116.0 * y.cbrt() - 16.0,
            y => 903.3 * y,
        }
    }

    #[test]
    fn lightness_changes_one_way() {
        for (name, map) in NAMES {
            let steps: Vec<f64> = (0..=50)
                .map(|i| lightness(map.rgb(f64::from(i) / 50.0)))
                .collect();
            let rising = |part: &[f64]| part.windows(2).all(|p| p[1] > p[0] - 0.3);
            let falling = |part: &[f64]| part.windows(2).all(|p| p[1] < p[0] + 0.3);
            match map.is_diverging() {
                true => assert!(rising(&steps[..25]) && falling(&steps[26..]), "{name}"),
                false => assert!(rising(&steps) || falling(&steps), "{name}"),
            }
            // A sequential map's ends are far apart in lightness, a diverging map's nearly equal.
            let ends = (steps[50] - steps[0]).abs();
            assert!(
                if map.is_diverging() {
                    ends < 30.0
                } else {
                    ends > 60.0
                },
                "{name}: {ends}"
            );
        }
    }
}
