//! The scene of a figure: strokes, areas, discs, text and bitmaps in pixels, which any plotters backend can draw.

use plotters::prelude::{
    FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, ShapeStyle, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{DrawingBackend, DrawingErrorKind};

use super::bitmap::Bitmap;
use super::font;
use super::geometry::{Point, Rect, split_dashes};
use super::style::Dash;

/// Backend units per pixel. plotters' coordinates are integers; tenths of a pixel keep curves smooth.
pub(super) const UNITS_PER_PIXEL: f64 = 10.0;

/// Largest length of a dashed line in pixels; a longer one is drawn solid.
const MAX_DASHED_LENGTH: f64 = 100_000.0;

/// A colour with its opacity, 0 to 1.
pub(super) type Rgba = ((u8, u8, u8), f64);

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

/// A scene: the size of the image and the primitives to draw, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    pub size: (u32, u32),
    pub items: Vec<Primitive>,
}

impl Scene {
    pub fn new(size: (u32, u32)) -> Scene {
        Scene {
            size,
            items: Vec::new(),
        }
    }

    /// Whether the scene shows text: not in a figure of characters, whose scenes have size 0.
    pub fn shows_text(&self) -> bool {
        self.size != (0, 0)
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

    /// Adds text with its baseline at `at`; `upward` rotates it by 90° to run upwards.
    pub fn text(
        &mut self,
        text: &str,
        at: Point,
        em: f64,
        align: Align,
        vertical: bool,
        color: Rgba,
    ) {
        self.items.push(Primitive::Text {
            text: printable(text),
            at,
            em,
            align,
            vertical,
            color,
        });
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
                    let desc =
                        FontDesc::new(FontFamily::Name(font::FAMILY), size, FontStyle::Normal);
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
