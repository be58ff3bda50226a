//! What every part of a drawing takes from its page: the colours of the ground, and the font.
//!
//! Text is measured in the middle of a layout, by ticks, legends and contour labels alike. The context is that of the page which
//! this thread draws: [`with`] sets it for the time of one drawing.

use std::cell::RefCell;
use std::sync::Arc;

use super::color::{Color, PALETTE, Rgba};
use super::font_file::FontFile;

/// The colours of everything that is not data.
#[derive(Debug, PartialEq)]
pub(super) struct Ground {
    /// The paper itself, and what hides what is behind it.
    pub paper: (u8, u8, u8),
    /// Text, axes and ticks.
    pub ink: Rgba,
    /// Grid lines of two axes.
    pub grid: Rgba,
    /// Far walls of a box of three axes.
    pub wall: Rgba,
    /// Grid lines on the walls.
    pub wall_grid: Rgba,
    /// Edges of the box.
    pub edges: Rgba,
    /// Border of the legend.
    pub legend_border: Rgba,
    /// Ground and lines of the hatching of missing cells.
    pub hatch: (Rgba, Rgba),
    /// Reference lines.
    pub reference: Color,
    /// Colours that layers take in turn.
    pub palette: &'static [Color; PALETTE.len()],
}

const fn grey(level: u8) -> Rgba {
    ((level, level, level), 1.0)
}

/// Dark writing on white.
pub(super) static LIGHT: Ground = Ground {
    paper: (255, 255, 255),
    ink: grey(0x22),
    grid: grey(0xe4),
    wall: grey(0xf7),
    wall_grid: grey(0xdc),
    edges: grey(0x88),
    legend_border: grey(0xcc),
    hatch: (grey(0xf4), grey(0xc4)),
    reference: Color::Rgb(0x55, 0x55, 0x55),
    palette: &PALETTE,
};

/// The palette's hues, light enough for a dark ground.
const DARK_PALETTE: [Color; PALETTE.len()] = [
    Color::Rgb(0x4d, 0xa6, 0xe0),
    Color::Rgb(0xf0, 0x82, 0x3c),
    Color::Rgb(0x2f, 0xc2, 0x98),
    Color::Rgb(0xdb, 0x93, 0xba),
    Color::Rgb(0xf2, 0xb8, 0x3a),
    Color::Rgb(0x8f, 0xd0, 0xf5),
    Color::Rgb(0xb4, 0xb4, 0xb4),
];

/// Light writing on a dark grey.
pub(super) static DARK: Ground = Ground {
    paper: (0x1c, 0x1c, 0x1e),
    ink: grey(0xe2),
    grid: grey(0x38),
    wall: grey(0x26),
    wall_grid: grey(0x40),
    edges: grey(0x77),
    legend_border: grey(0x55),
    hatch: (grey(0x2c), grey(0x55)),
    reference: Color::Rgb(0xb4, 0xb4, 0xb4),
    palette: &DARK_PALETTE,
};

/// The colours and the font of a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DrawingContext {
    pub ground: &'static Ground,
    pub font: Option<Arc<FontFile>>,
}

impl Default for DrawingContext {
    fn default() -> Self {
        DrawingContext {
            ground: &LIGHT,
            font: None,
        }
    }
}

thread_local! {
    static CURRENT: RefCell<DrawingContext> = RefCell::default();
}

/// Gives the thread its former context back, also where a drawing panics.
struct Restore(Option<DrawingContext>);

impl Drop for Restore {
    fn drop(&mut self) {
        if let Some(former) = self.0.take() {
            CURRENT.set(former);
        }
    }
}

/// Runs `draw` in a context.
pub(super) fn with<T>(context: &DrawingContext, draw: impl FnOnce() -> T) -> T {
    let _former = Restore(Some(CURRENT.replace(context.clone())));
    draw()
}

/// Returns the context of this thread.
pub(super) fn current() -> DrawingContext {
    CURRENT.with_borrow(Clone::clone)
}

/// Returns the colours of the page that is drawn.
pub(super) fn ground() -> &'static Ground {
    CURRENT.with_borrow(|context| context.ground)
}

/// Whether the ground of the page that is drawn is dark.
pub(super) fn is_dark() -> bool {
    *ground() == DARK
}

/// Returns the user's font of the page that is drawn, if it has one.
pub(super) fn font() -> Option<Arc<FontFile>> {
    CURRENT.with_borrow(|context| context.font.clone())
}

/// Returns red, green and blue of a layer's colour on the ground of the page that is drawn.
pub(super) fn rgb(color: Color) -> (u8, u8, u8) {
    match color {
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Palette(index) => {
            let palette = ground().palette;
            palette[index % palette.len()].rgb()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_lasts_as_long_as_its_drawing() {
        let dark = DrawingContext {
            ground: &DARK,
            font: None,
        };
        let inner = with(&dark, || rgb(Color::Palette(0)));
        assert_ne!(inner, PALETTE[0].rgb());
        assert_eq!(rgb(Color::Palette(0)), PALETTE[0].rgb());
        let failed = std::panic::catch_unwind(|| with(&dark, || panic!("a drawing that fails")));
        assert!(failed.is_err());
        assert_eq!(current(), DrawingContext::default());
    }

    /// Contrast of two colours by the Web Content Accessibility Guidelines: 1 for equal ones, 21 for black on white.
    fn contrast(a: (u8, u8, u8), b: (u8, u8, u8)) -> f64 {
        let luminance = |(r, g, b): (u8, u8, u8)| {
            let linear = |c: u8| match f64::from(c) / 255.0 {
                c if c <= 0.04045 => c / 12.92,
                c => ((c + 0.055) / 1.055).powf(2.4),
            };
            0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
        };
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn text_and_lines_can_be_told_from_their_ground() {
        for ground in [&LIGHT, &DARK] {
            assert!(contrast(ground.paper, ground.ink.0) > 7.0);
            assert!(contrast(ground.paper, ground.reference.rgb()) > 4.5);
        }
        // 3 is what the guidelines ask of lines.
        for color in DARK_PALETTE {
            assert!(contrast(DARK.paper, color.rgb()) > 3.0, "{color:?}");
        }
    }
}
