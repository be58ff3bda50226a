//! Colours: a colour-blind-safe palette, names, and `#rrggbb`.

use std::str::FromStr;

use super::name_table::names;
use odesync_base::error::{Error, Result};

/// A colour with its opacity, 0 to 1.
pub(super) type Rgba = ((u8, u8, u8), f64);

/// A colour of a layer: a fixed one, or an index into the palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Color {
    /// Red, green, blue, each 0 to 255.
    Rgb(u8, u8, u8),
    /// The n-th colour of [`PALETTE`], counted from 0 and taken modulo its length. Two layers that belong together (data and
    /// model, line and band) get the same index.
    Palette(usize),
}

/// The colours that layers take in turn: those of Okabe and Ito (2008, "Color Universal Design"), which can be distinguished with
/// every common kind of colour blindness, the darker ones first; their yellow, hardly visible as a thin line on white, is
/// replaced by a dark grey.
pub const PALETTE: [Color; 7] = [
    Color::Rgb(0x00, 0x72, 0xb2),
    Color::Rgb(0xd5, 0x5e, 0x00),
    Color::Rgb(0x00, 0x9e, 0x73),
    Color::Rgb(0xcc, 0x79, 0xa7),
    Color::Rgb(0xe6, 0x9f, 0x00),
    Color::Rgb(0x56, 0xb4, 0xe9),
    Color::Rgb(0x55, 0x55, 0x55),
];

/// The names of colours; the name of a hue means the palette's colour of that hue.
const NAMES: [(&str, Color); 12] = [
    ("blue", PALETTE[0]),
    ("red", PALETTE[1]),
    ("vermilion", PALETTE[1]),
    ("green", PALETTE[2]),
    ("purple", PALETTE[3]),
    ("orange", PALETTE[4]),
    ("sky", PALETTE[5]),
    ("yellow", Color::Rgb(0xf0, 0xe4, 0x42)),
    ("black", Color::Rgb(0, 0, 0)),
    ("gray", Color::Rgb(0x80, 0x80, 0x80)),
    ("grey", Color::Rgb(0x80, 0x80, 0x80)),
    ("white", Color::Rgb(0xff, 0xff, 0xff)),
];

impl Color {
    /// The names of colours.
    pub(super) const NAMES: [&'static str; 12] = names(&NAMES);

    /// Returns red, green and blue, each 0 to 255.
    ///
    /// ```
    /// use odesync_plot::Color;
    /// assert_eq!(Color::Palette(0).rgb(), (0x00, 0x72, 0xb2));
    /// assert_eq!(Color::Palette(7).rgb(), Color::Palette(0).rgb());
    /// ```
    pub fn rgb(self) -> (u8, u8, u8) {
        match self {
            Color::Rgb(r, g, b) => (r, g, b),
            Color::Palette(index) => PALETTE[index % PALETTE.len()].rgb(),
        }
    }
}

impl FromStr for Color {
    type Err = Error;

    /// Parses a colour's name ("blue", "red", "grey", …) or `#rrggbb`.
    ///
    /// ```
    /// use odesync_plot::Color;
    /// assert_eq!("#ff8000".parse::<Color>()?, Color::Rgb(255, 128, 0));
    /// assert!("bleu".parse::<Color>().unwrap_err().to_string().contains("blue"));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    fn from_str(text: &str) -> Result<Self> {
        if let Some(hex) = text.strip_prefix('#') {
            let digits = hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit());
            return match u32::from_str_radix(hex, 16) {
                Ok(v) if digits => Ok(Color::Rgb((v >> 16) as u8, (v >> 8) as u8, v as u8)),
                _ => Err(Error::invalid(format!(
                    "\"{text}\" is not a colour: after # come six hexadecimal digits, as in \"#0072b2\""
                ))),
            };
        }
        let name = text.trim().to_lowercase();
        match NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, color)) => Ok(*color),
            None => Err(odesync_base::error::unknown(
                "colour",
                text,
                NAMES.iter().map(|(known, _)| *known).chain(["#rrggbb"]),
            )),
        }
    }
}

/// Returns the colour multiplied by the factor `by`, which darkens it.
pub(super) fn darker((r, g, b): (u8, u8, u8), by: f64) -> (u8, u8, u8) {
    let scaled = |c: u8| (f64::from(c) * by).round() as u8;
    (scaled(r), scaled(g), scaled(b))
}
