//! The page of a figure: its size on paper, the size of its text, its resolution and its colours.

use std::sync::Arc;

use super::drawing_context::{DARK, DrawingContext, LIGHT};
use super::font_file::{FontFile, FontFileOption};
use odesync_base::error::{Error, Result};
use odesync_base::options::{Flag, Maybe, Mismatch, OneOf, OptionKind, Value};
use odesync_base::{impl_named, number_kind, option_set};

/// Size of tick labels and legend entries in pixels per em of the layout.
pub(super) const LABEL_EM: f64 = 14.0;

/// Points per pixel of a figure's size, of which there are 96 per inch.
const POINTS_PER_PIXEL: f64 = 0.75;
const POINTS_PER_INCH: f64 = 72.0;
const MM_PER_INCH: f64 = 25.4;

/// Size of the tick labels in points where nothing else is said.
const DEFAULT_FONT: f64 = LABEL_EM * POINTS_PER_PIXEL;

/// Smallest and largest side of the layout, in pixels of the default font.
const LAYOUT: std::ops::RangeInclusive<f64> = 60.0..=8000.0;

/// Largest side of a PNG in pixels.
const MAX_PIXELS: f64 = 20_000.0;

number_kind!(
    /// A size of text in points.
    FontSize, f64, "a number of points from 3 to 100", Value::number, |x| (3.0..=100.0).contains(&x)
);
number_kind!(
    /// A resolution in dots per inch.
    Dpi, f64, "a number from 20 to 2400", Value::number, |x| (20.0..=2400.0).contains(&x)
);

/// Width and height on paper, in units of which there are so many per metre.
#[derive(Debug, Clone, Copy)]
struct PaperSize<const PER_METRE_TENTHS: u32>;

impl<const PER_METRE_TENTHS: u32> OptionKind for PaperSize<PER_METRE_TENTHS> {
    type Field = (f64, f64);
    const EXPECTED: &'static str = "two lengths from 10 mm (0.4 inches) to 2000 mm (78.7 inches)";

    fn read(value: &Value) -> std::result::Result<(f64, f64), Mismatch> {
        match value.numbers().as_deref() {
            Some(&[w, h]) if Self::is_in_range(&(w, h)) => Ok((w, h)),
            _ => Err(Mismatch::Value),
        }
    }

    fn write(field: &(f64, f64)) -> Value {
        Value::from(&[field.0, field.1][..])
    }

    fn is_in_range((w, h): &(f64, f64)) -> bool {
        let per_metre = f64::from(PER_METRE_TENTHS) / 10.0;
        let fits = |v: &f64| (0.0099..=2.001).contains(&(v / per_metre));
        fits(w) && fits(h)
    }
}

/// Millimetres.
type Millimetres = PaperSize<10_000>;
/// Inches, of which a metre has 39.37.
type Inches = PaperSize<394>;

/// A preset of the size of a figure and of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// A column of print, 85 mm wide, or with panels side by side both columns, 180 mm; text from 8 points.
    Paper,
    /// Most of a slide, 250 mm wide; text from 18 points.
    Talk,
    /// A page on the screen, as without a preset: text from 10.5 points.
    Notebook,
}

impl_named!(
    Preset,
    "style",
    Paper = "paper",
    Talk = "talk",
    Notebook = "notebook",
);

impl Preset {
    /// Returns the width in millimetres, if the preset has one, with so many panels side by side.
    fn width(self, columns: usize) -> Option<f64> {
        match self {
            Preset::Paper if columns > 1 => Some(180.0),
            Preset::Paper => Some(85.0),
            Preset::Talk => Some(250.0),
            Preset::Notebook => None,
        }
    }

    fn font(self) -> f64 {
        match self {
            Preset::Paper => 8.0,
            Preset::Talk => 18.0,
            Preset::Notebook => DEFAULT_FONT,
        }
    }
}

option_set! {
    /// The page of a figure or a grid: its size on paper, the size of its text, its resolution and its colours. Lines, ticks and
    /// markers grow with the text, so that a figure looks the same at each size of it.
    ///
    /// ```
    /// use odesync_plot::{Figure, PageOptions, Style};
    /// let column = PageOptions::new().size_mm(85.0, 60.0)?.font(8.0)?;
    /// let figure = Figure::new().line([0.0, 1.0], [0.0, 1.0], Style::new())?.page(column);
    /// assert!(figure.to_svg()?.starts_with("<svg width=\"85mm\" height=\"60mm\""));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq)]
    pub struct PageOptions {
        /// Preset of width and text: `"paper"` (85 mm, or 180 mm with panels side by side; 8 pt), `"talk"` (250 mm, 18 pt),
        /// `"notebook"` (the size in pixels; 10.5 pt); the height follows from `size`.
        pub(super) style: Option<Preset> as Maybe<OneOf<Preset>> = None;
        /// Width and height on paper in millimetres, `[w, h]`.
        pub(super) size_mm: Option<(f64, f64)> as Maybe<Millimetres> = None, "by `size`";
        /// Width and height on paper in inches, `[w, h]`, where `size_mm` is not given.
        pub(super) size_in: Option<(f64, f64)> as Maybe<Inches> = None, "by `size`";
        /// Size of the tick labels and the legend in points; names of axes have 8/7 of it, titles 9/7, and lines grow with it.
        pub(super) font: Option<f64> as Maybe<FontSize> = None, "10.5";
        /// Pixels per inch of a PNG.
        pub(super) dpi: Option<f64> as Maybe<Dpi> = None, "192; 300 for a size on paper";
        /// Light writing on a dark ground.
        pub(super) dark: Option<bool> as Maybe<Flag> = None, "false";
        /// File of a font, .ttf or .otf, for all text; glyphs that it lacks come from DejaVu Sans.
        pub(super) font_file: Option<Arc<FontFile>> as Maybe<FontFileOption> = None, "DejaVu Sans";
    }
}

impl PageOptions {
    /// Creates a page of the figure's size in pixels, 96 of them per inch, with text from 10.5 points.
    pub fn new() -> PageOptions {
        PageOptions::default()
    }

    /// Sets the preset of width and text.
    pub fn style(mut self, preset: Preset) -> PageOptions {
        self.style = Some(preset);
        self
    }

    /// Sets width and height on paper in millimetres.
    ///
    /// # Errors
    ///
    /// A length below 10 or above 2000 mm.
    pub fn size_mm(mut self, width: f64, height: f64) -> Result<PageOptions> {
        self.size_mm = Some((width, height));
        self.check_ranges().map(|()| self)
    }

    /// Sets width and height on paper in inches.
    ///
    /// # Errors
    ///
    /// A length below 0.4 or above 78.7 inches.
    pub fn size_in(mut self, width: f64, height: f64) -> Result<PageOptions> {
        (self.size_mm, self.size_in) = (None, Some((width, height)));
        self.check_ranges().map(|()| self)
    }

    /// Sets the size of the tick labels and the legend in points; names of axes have 8/7 of it, titles 9/7.
    ///
    /// # Errors
    ///
    /// A size below 3 or above 100.
    pub fn font(mut self, points: f64) -> Result<PageOptions> {
        self.font = Some(points);
        self.check_ranges().map(|()| self)
    }

    /// Sets the pixels per inch of a PNG.
    ///
    /// # Errors
    ///
    /// A resolution below 20 or above 2400.
    pub fn dpi(mut self, dpi: f64) -> Result<PageOptions> {
        self.dpi = Some(dpi);
        self.check_ranges().map(|()| self)
    }

    /// Makes the ground dark and the writing light.
    pub fn dark(mut self) -> PageOptions {
        self.dark = Some(true);
        self
    }

    /// Sets the font of all text to that of a file; glyphs that it lacks come from the bundled font.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or that holds no font.
    pub fn font_file(mut self, path: impl AsRef<std::path::Path>) -> Result<PageOptions> {
        self.font_file = Some(Arc::new(FontFile::read(path.as_ref())?));
        Ok(self)
    }

    /// Returns these options, with those of another page's style where they are not set; a page's size is its own.
    pub(super) fn or(&self, other: &PageOptions) -> PageOptions {
        PageOptions {
            style: self.style.or(other.style),
            size_mm: self.size_mm,
            size_in: self.size_in,
            font: self.font.or(other.font),
            dpi: self.dpi.or(other.dpi),
            dark: self.dark.or(other.dark),
            font_file: self.font_file.clone().or_else(|| other.font_file.clone()),
        }
    }

    /// Returns the colours and the font.
    pub(super) fn context(&self) -> DrawingContext {
        DrawingContext {
            ground: match self.dark {
                Some(true) => &DARK,
                _ => &LIGHT,
            },
            font: self.font_file.clone(),
        }
    }

    /// Returns the dimensions of a page whose size would be `pixels`, with so many panels side by side.
    ///
    /// # Errors
    ///
    /// A page too small or too large for its text.
    pub(super) fn dimensions(&self, pixels: (u32, u32), columns: usize) -> Result<PageDimensions> {
        let pixels = (f64::from(pixels.0), f64::from(pixels.1));
        let points = |(w, h): (f64, f64), per_inch: f64| {
            let scale = POINTS_PER_INCH / per_inch;
            (w * scale, h * scale)
        };
        let preset = self.style.and_then(|preset| preset.width(columns));
        let (points, on_paper) = match (self.size_mm, self.size_in, preset) {
            (Some(mm), _, _) => (points(mm, MM_PER_INCH), true),
            (_, Some(inches), _) => (points(inches, 1.0), true),
            (_, _, Some(width)) => {
                let height = width * pixels.1 / pixels.0;
                (points((width, height), MM_PER_INCH), true)
            }
            _ => (points(pixels, 96.0), false),
        };
        let preset_font = self.style.map_or(DEFAULT_FONT, Preset::font);
        let font = self.font.unwrap_or(preset_font);
        let unit = font / LABEL_EM;
        let layout = match on_paper || font != DEFAULT_FONT {
            true => (points.0 / unit, points.1 / unit),
            false => pixels,
        };
        if !LAYOUT.contains(&layout.0) || !LAYOUT.contains(&layout.1) {
            return Err(Error::invalid(format!(
                "text of {font} points does not go with a figure of {:.0} by {:.0} mm; change font, size_mm or size",
                points.0 / POINTS_PER_INCH * MM_PER_INCH,
                points.1 / POINTS_PER_INCH * MM_PER_INCH,
            )));
        }
        Ok(PageDimensions {
            layout,
            unit,
            on_paper,
            dpi: self.dpi.unwrap_or(if on_paper { 300.0 } else { 192.0 }),
        })
    }
}

/// The dimensions of a page: of its layout, whose text has always the same size, and on paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PageDimensions {
    /// Width and height of the layout, in its pixels.
    pub layout: (f64, f64),
    /// Points per pixel of the layout.
    pub unit: f64,
    /// Whether the user gave a size on paper, not in pixels.
    pub on_paper: bool,
    /// Pixels per inch of a PNG.
    pub dpi: f64,
}

impl PageDimensions {
    /// The dimensions of a scene that is no page of its own.
    pub const NONE: PageDimensions = PageDimensions {
        layout: (0.0, 0.0),
        unit: POINTS_PER_PIXEL,
        on_paper: false,
        dpi: 192.0,
    };

    /// Returns width and height in points.
    pub fn points(&self) -> (f64, f64) {
        (self.layout.0 * self.unit, self.layout.1 * self.unit)
    }

    /// Returns width and height as the attributes of an SVG file.
    pub fn svg_size(&self) -> (String, String) {
        let (w, h) = self.points();
        let length = |points: f64| match self.on_paper {
            true => {
                let mm = points / POINTS_PER_INCH * MM_PER_INCH;
                let text = format!("{mm:.3}");
                format!("{}mm", text.trim_end_matches('0').trim_end_matches('.'))
            }
            false => format!("{}", (points / POINTS_PER_PIXEL).round()),
        };
        (length(w), length(h))
    }

    /// Returns width and height in words: `900 × 560`, or `85 × 60 mm`.
    pub fn describe(&self) -> String {
        let (w, h) = self.svg_size();
        match (w.strip_suffix("mm"), h.strip_suffix("mm")) {
            (Some(w), Some(h)) => format!("{w} × {h} mm"),
            _ => format!("{w} × {h}"),
        }
    }

    /// Returns width and height of a PNG with so many pixels per inch, and its pixels per pixel of the layout.
    ///
    /// # Errors
    ///
    /// More than 20,000 pixels on a side.
    pub fn png_size(&self, dpi: f64) -> Result<((u32, u32), f64)> {
        // In this order 192 dots per inch are exactly two per pixel.
        let scale = dpi * self.unit / POINTS_PER_INCH;
        let (w, h) = (
            (self.layout.0 * scale).round(),
            (self.layout.1 * scale).round(),
        );
        match w.max(h) <= MAX_PIXELS {
            true => Ok(((w.max(1.0) as u32, h.max(1.0) as u32), scale)),
            false => Err(Error::invalid(format!(
                "a picture of {w} by {h} pixels is too large; a side has at most {MAX_PIXELS}: give a smaller dpi"
            ))),
        }
    }
}

/// Implements the page of a figure or a grid.
macro_rules! impl_page {
    ($type:ty) => {
        impl $type {
            /// Sets the page: the size on paper, the size of the text, the resolution and the colours.
            pub fn page(mut self, page: $crate::page::PageOptions) -> $type {
                self.page = page;
                self
            }
        }
    };
}
pub(super) use impl_page;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_the_same_in_millimetres_and_inches() {
        let mm = PageOptions::new().size_mm(85.0, 60.0).expect("a size");
        let inches = PageOptions::new()
            .size_in(85.0 / 25.4, 60.0 / 25.4)
            .expect("a size");
        let (a, b) = (
            mm.dimensions((900, 560), 1).expect("a page"),
            inches.dimensions((900, 560), 1).expect("a page"),
        );
        assert!((a.points().0 - 240.945).abs() < 1e-3, "{a:?}");
        assert!((a.points().1 - b.points().1).abs() < 1e-9);
        assert_eq!(a.describe(), "85 × 60 mm");
        assert_eq!(a.png_size(300.0).expect("a size").0, (1004, 709));
    }

    #[test]
    fn text_has_its_size_on_every_page() {
        for (font, mm) in [
            (8.0, (85.0, 60.0)),
            (8.0, (180.0, 90.0)),
            (18.0, (250.0, 150.0)),
        ] {
            let page = PageOptions::new().size_mm(mm.0, mm.1);
            let page = page.and_then(|p| p.font(font)).expect("a page");
            let size = page.dimensions((900, 560), 1).expect("a page");
            assert!((LABEL_EM * size.unit - font).abs() < 1e-9);
            assert!((size.points().0 - mm.0 / 25.4 * 72.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_page_in_pixels_is_as_it_was() {
        let size = PageOptions::new()
            .dimensions((900, 560), 1)
            .expect("a page");
        assert_eq!(size.layout, (900.0, 560.0));
        assert_eq!(size.png_size(192.0).expect("a size"), ((1800, 1120), 2.0));
        assert_eq!(size.describe(), "900 × 560");
        let notebook = PageOptions::new().style(Preset::Notebook);
        assert_eq!(notebook.dimensions((900, 560), 1).expect("a page"), size);
    }

    #[test]
    fn presets_keep_the_ratio_of_the_sides() {
        let page = PageOptions::new().style(Preset::Paper);
        let one = page.dimensions((900, 600), 1).expect("a page");
        assert_eq!(one.describe(), "85 × 56.667 mm");
        let two = page.dimensions((1280, 560), 2).expect("a page");
        assert_eq!(two.describe(), "180 × 78.75 mm");
    }

    #[test]
    fn what_cannot_be_is_said() {
        assert!(PageOptions::new().size_mm(5.0, 60.0).is_err());
        assert!(PageOptions::new().font(0.0).is_err());
        assert!(PageOptions::new().dpi(f64::NAN).is_err());
        let page = PageOptions::new().size_mm(20.0, 20.0);
        let page = page.and_then(|p| p.font(40.0)).expect("in their ranges");
        let error = page.dimensions((900, 560), 1).unwrap_err().to_string();
        assert!(
            error.contains("40 points") && error.contains("20 by 20 mm"),
            "{error}"
        );
        let large = PageOptions::new().size_mm(2000.0, 60.0).expect("a size");
        let large = large.dimensions((900, 560), 1).expect("a page");
        assert!(large.png_size(2400.0).is_err());
    }
}
