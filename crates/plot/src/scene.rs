//! The scene of a figure: strokes, areas, discs, text and bitmaps in pixels, which any plotters backend can draw.

use plotters::prelude::{
    FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, ShapeStyle, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{DrawingBackend, DrawingErrorKind};

use super::bitmap::Bitmap;
pub(super) use super::color::Rgba;
use super::drawing_context::{self, DrawingContext};
use super::geometry::{Point, Rect, split_dashes};
use super::page::PageDimensions;
use super::style::Dash;
use super::{font, math};

/// Backend units per pixel. plotters' coordinates are integers; tenths of a pixel keep curves smooth.
pub(super) const UNITS_PER_PIXEL: f64 = 10.0;

/// Largest length of a dashed line in pixels; a longer one is drawn solid.
const MAX_DASHED_LENGTH: f64 = 100_000.0;

/// The pen of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pen {
    pub color: Rgba,
    pub width: f64,
    pub dash: Dash,
}

/// The alignment of a text: the position of its anchor point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Center,
    Right,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Primitive {
    Path {
        points: Vec<Point>,
        color: Rgba,
        width: f64,
    },
    Area {
        points: Vec<Point>,
        color: Rgba,
    },
    Disc {
        center: Point,
        radius: f64,
        color: Rgba,
    },
    Text {
        text: String,
        at: Point,
        em: f64,
        align: Align,
        vertical: bool,
        /// Whether the letters lean to the right, as those of variables in a formula.
        slanted: bool,
        color: Rgba,
    },
    /// A bitmap stretched over a rectangle, its pixels as sharp cells or blended.
    Image {
        rect: Rect,
        bitmap: Bitmap,
        smooth: bool,
    },
}

/// A plotters backend that can draw bitmaps.
pub(super) trait ImageBackend: DrawingBackend {
    /// Draws a bitmap over a rectangle, given in the backend's units.
    fn draw_bitmap(
        &mut self,
        corners: ((i32, i32), (i32, i32)),
        bitmap: &Bitmap,
        smooth: bool,
    ) -> Result<(), DrawingErrorKind<Self::ErrorType>>;
}

/// A scene: the page and the primitives to draw on it, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    pub page: PageDimensions,
    /// Colours and font of the page.
    pub context: DrawingContext,
    pub items: Vec<Primitive>,
    /// Commands in formulas that are not known.
    pub unknown_commands: Vec<String>,
}

impl Scene {
    pub fn new(page: PageDimensions) -> Scene {
        Scene {
            page,
            context: drawing_context::current(),
            items: Vec::new(),
            unknown_commands: Vec::new(),
        }
    }

    /// Creates a scene that is no page of its own: its primitives go into another one, or into text.
    pub fn part() -> Scene {
        Scene::new(PageDimensions::NONE)
    }

    /// Whether the scene shows text: not in a figure of characters, whose scenes have no page.
    pub fn shows_text(&self) -> bool {
        self.page != PageDimensions::NONE
    }

    /// Adds a line; a line of zero length is a dot.
    pub fn line(&mut self, points: &[Point], pen: Pen) {
        let width = pen.width;
        let length: f64 = points
            .windows(2)
            .map(|p| (p[1].0 - p[0].0).hypot(p[1].1 - p[0].1))
            .sum();
        let pieces = match pen.dash {
            // In so long a line dashes are not visible, and there would be tens of thousands of them.
            _ if length > MAX_DASHED_LENGTH => vec![points.to_vec()],
            Dash::Solid => vec![points.to_vec()],
            // Round caps lengthen each dash by the width and shorten each gap by it.
            Dash::Dashed => {
                split_dashes(points, (width.max(1.0) * 3.5 + 1.0, width.max(1.0) * 3.0))
            }
            Dash::Dotted => split_dashes(points, (0.2, width.max(1.0) * 2.3)),
        };
        for points in pieces {
            self.items.push(Primitive::Path {
                points,
                color: pen.color,
                width,
            });
        }
    }

    /// Adds a filled polygon.
    pub fn area(&mut self, points: Vec<Point>, color: Rgba) {
        if points.len() > 2 {
            self.items.push(Primitive::Area { points, color });
        }
    }

    /// Adds a filled rectangle.
    pub fn rect(&mut self, r: &Rect, color: Rgba) {
        let corners = vec![
            (r.left, r.top),
            (r.right, r.top),
            (r.right, r.bottom),
            (r.left, r.bottom),
        ];
        self.area(corners, color);
    }

    pub fn disc(&mut self, center: Point, radius: f64, color: Rgba) {
        self.items.push(Primitive::Disc {
            center,
            radius,
            color,
        });
    }

    /// Adds text with its baseline at `at`; `vertical` rotates it by 90° to run upwards. A formula becomes several texts.
    pub fn text(
        &mut self,
        text: &str,
        at: Point,
        em: f64,
        align: Align,
        vertical: bool,
        color: Rgba,
    ) {
        let text = printable(text);
        if !math::has_math(&text) {
            self.items.push(Primitive::Text {
                text,
                at,
                em,
                align,
                vertical,
                slanted: false,
                color,
            });
            return;
        }
        self.unknown_commands.extend(math::unknown_commands(&text));
        let (runs, width) = math::layout(&text);
        let start = match align {
            Align::Left => 0.0,
            Align::Center => -0.5 * width,
            Align::Right => -width,
        };
        for run in runs {
            let (along, up) = (em * (start + run.x), em * run.rise);
            self.items.push(Primitive::Text {
                text: run.text,
                at: match vertical {
                    false => (at.0 + along, at.1 - up),
                    true => (at.0 - up, at.1 - along),
                },
                em: em * run.scale,
                align: Align::Left,
                vertical,
                slanted: run.slanted,
                color,
            });
        }
    }

    pub fn image(&mut self, rect: Rect, bitmap: Bitmap, smooth: bool) {
        self.items.push(Primitive::Image {
            rect,
            bitmap,
            smooth,
        });
    }

    /// Draws the scene on a backend whose unit is a pixel divided by [`UNITS_PER_PIXEL`].
    pub fn render<DB: ImageBackend>(
        &self,
        backend: &mut DB,
    ) -> Result<(), DrawingErrorKind<DB::ErrorType>> {
        backend.ensure_prepared()?;
        let families = font::families();
        for item in &self.items {
            match item {
                Primitive::Path {
                    points,
                    color,
                    width,
                } => {
                    backend.draw_path(points.iter().map(|p| units(*p)), &shape(*color, *width))?;
                }
                Primitive::Area { points, color } => {
                    backend.fill_polygon(points.iter().map(|p| units(*p)), &shape(*color, 0.0))?;
                }
                Primitive::Disc {
                    center,
                    radius,
                    color,
                } => {
                    let radius = (radius * UNITS_PER_PIXEL).round() as u32;
                    backend.draw_circle(units(*center), radius, &shape(*color, 0.0), true)?;
                }
                Primitive::Text {
                    text,
                    at,
                    em,
                    align,
                    vertical,
                    slanted,
                    color,
                } => {
                    let h_pos = match align {
                        Align::Left => HPos::Left,
                        Align::Center => HPos::Center,
                        Align::Right => HPos::Right,
                    };
                    // plotters' SVG backend writes size / 1.24 as the em, and puts the baseline 0.76 em below "top".
                    let size = em * UNITS_PER_PIXEL * 1.24;
                    let drop = 0.76 * em;
                    let (at, turn) = match vertical {
                        false => ((at.0, at.1 - drop), FontTransform::None),
                        true => ((at.0 - drop, at.1), FontTransform::Rotate270),
                    };
                    let font_style = match slanted {
                        true => FontStyle::Italic,
                        false => FontStyle::Normal,
                    };
                    let desc = FontDesc::new(FontFamily::Name(&families), size, font_style);
                    let color = rgba(*color);
                    let style = TextStyle::from(desc.transform(turn))
                        .color(&color)
                        .pos(Pos::new(h_pos, VPos::Top));
                    backend.draw_text(text, &style, units(at))?;
                }
                Primitive::Image {
                    rect,
                    bitmap,
                    smooth,
                } => {
                    let corners = (
                        units((rect.left, rect.top)),
                        units((rect.right, rect.bottom)),
                    );
                    backend.draw_bitmap(corners, bitmap, *smooth)?;
                }
            }
        }
        backend.present()
    }
}

/// Returns text without control characters, which have no glyph and most of which are not allowed in an SVG file.
fn printable(text: &str) -> String {
    let allowed = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars()
        .map(|c| if allowed(c) { c } else { ' ' })
        .collect()
}

fn units((x, y): Point) -> (i32, i32) {
    (
        (x * UNITS_PER_PIXEL).round() as i32,
        (y * UNITS_PER_PIXEL).round() as i32,
    )
}

fn rgba(((r, g, b), alpha): Rgba) -> RGBAColor {
    RGBAColor(r, g, b, alpha)
}

fn shape(color: Rgba, width: f64) -> ShapeStyle {
    ShapeStyle {
        color: rgba(color),
        filled: true,
        stroke_width: (width * UNITS_PER_PIXEL).round() as u32,
    }
}
