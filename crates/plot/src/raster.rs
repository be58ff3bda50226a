//! A plotters backend that paints with tiny-skia: anti-aliased edges, round joins, overlapping parts of one line painted once.
//! plotters' own bitmap backend fills a thick line as one polygon, which leaves notches and holes where the line turns back.

use std::convert::Infallible;

use ab_glyph::OutlineCurve;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontStyle, FontTransform,
};
use tiny_skia::{
    Color, FillRule, FilterQuality, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap,
    PixmapPaint, Rect, Stroke, Transform,
};

use super::bitmap::Bitmap;
use super::drawing_context;
use super::font;
use super::math::SLANT;
use super::scene::ImageBackend;

/// A plotters backend on tiny-skia; `zoom` is the size of one of its units in pixels of the image.
pub(super) struct SkiaBackend {
    pub image: Pixmap,
    zoom: f32,
}

type DrawResult = Result<(), DrawingErrorKind<Infallible>>;

impl SkiaBackend {
    /// Creates an image of the paper's colour, of `width` by `height` pixels; `None` where there is not enough memory.
    pub fn new(width: u32, height: u32, zoom: f64) -> Option<SkiaBackend> {
        let mut raster = SkiaBackend::transparent(width, height, zoom)?;
        let (r, g, b) = drawing_context::ground().paper;
        raster.image.fill(Color::from_rgba8(r, g, b, 255));
        Some(raster)
    }

    /// Creates a transparent image of `width` by `height` pixels; `None` where there is not enough memory.
    pub fn transparent(width: u32, height: u32, zoom: f64) -> Option<SkiaBackend> {
        let image = Pixmap::new(width, height)?;
        let zoom = zoom as f32;
        Some(SkiaBackend { image, zoom })
    }

    /// Returns the drawn image as a bitmap.
    pub fn into_bitmap(self) -> Bitmap {
        let rgba = self.image.pixels().iter().flat_map(|p| {
            let p = p.demultiply();
            [p.red(), p.green(), p.blue(), p.alpha()]
        });
        Bitmap {
            width: self.image.width(),
            height: self.image.height(),
            rgba: rgba.collect(),
        }
    }

    fn fill(&mut self, path: Option<Path>, color: BackendColor, transform: Transform) {
        if let Some(path) = path {
            let transform = transform.post_scale(self.zoom, self.zoom);
            self.image
                .fill_path(&path, &paint(color), FillRule::Winding, transform, None);
        }
    }

    fn stroke(&mut self, path: Option<Path>, style: &impl BackendStyle) {
        let stroke = Stroke {
            width: style.stroke_width() as f32,
            line_cap: LineCap::Round,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        if let Some(path) = path {
            let scale = Transform::from_scale(self.zoom, self.zoom);
            self.image
                .stroke_path(&path, &paint(style.color()), &stroke, scale, None);
        }
    }
}

fn paint(color: BackendColor) -> Paint<'static> {
    let mut paint = Paint {
        anti_alias: true,
        ..Paint::default()
    };
    let (r, g, b) = color.rgb;
    let alpha = (color.alpha.clamp(0.0, 1.0) * 255.0).round() as u8;
    paint.set_color_rgba8(r, g, b, alpha);
    paint
}

fn polyline(points: impl IntoIterator<Item = BackendCoord>, close: bool) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (x, y) in points {
        match path.is_empty() {
            true => path.move_to(x as f32, y as f32),
            false => path.line_to(x as f32, y as f32),
        }
    }
    if close {
        path.close();
    }
    path.finish()
}

fn rectangle((x, y): BackendCoord, (right, bottom): BackendCoord) -> Option<Path> {
    let rect = Rect::from_ltrb(x as f32, y as f32, right as f32, bottom as f32)?;
    Some(PathBuilder::from_rect(rect))
}

fn disc((x, y): BackendCoord, radius: u32) -> Option<Path> {
    PathBuilder::from_circle(x as f32, y as f32, radius as f32)
}

fn glyphs(text: &str) -> Option<Path> {
    let mut path = PathBuilder::new();
    let mut pen = None;
    for curve in font::outline(text) {
        let (start, end) = match &curve {
            OutlineCurve::Line(a, b) => (*a, *b),
            OutlineCurve::Quad(a, _, c) => (*a, *c),
            OutlineCurve::Cubic(a, _, _, d) => (*a, *d),
        };
        // The curves of a contour are contiguous; a jump starts the next contour.
        if pen != Some(start) {
            path.move_to(start.x, start.y);
        }
        pen = Some(end);
        match curve {
            OutlineCurve::Line(_, b) => path.line_to(b.x, b.y),
            OutlineCurve::Quad(_, b, c) => path.quad_to(b.x, b.y, c.x, c.y),
            OutlineCurve::Cubic(_, b, c, d) => path.cubic_to(b.x, b.y, c.x, c.y, d.x, d.y),
        }
    }
    path.finish()
}

impl DrawingBackend for SkiaBackend {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        let units = |pixels: u32| (f64::from(pixels) / f64::from(self.zoom)).round() as u32;
        (units(self.image.width()), units(self.image.height()))
    }

    fn ensure_prepared(&mut self) -> DrawResult {
        Ok(())
    }

    fn present(&mut self) -> DrawResult {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> DrawResult {
        self.fill(
            rectangle((x, y), (x + 1, y + 1)),
            color,
            Transform::identity(),
        );
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> DrawResult {
        self.stroke(polyline([from, to], false), style);
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> DrawResult {
        let path = rectangle(upper_left, bottom_right);
        match fill {
            true => self.fill(path, style.color(), Transform::identity()),
            false => self.stroke(path, style),
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> DrawResult {
        self.stroke(polyline(path, false), style);
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> DrawResult {
        let path = disc(center, radius);
        match fill {
            true => self.fill(path, style.color(), Transform::identity()),
            false => self.stroke(path, style),
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        vert: I,
        style: &S,
    ) -> DrawResult {
        self.fill(polyline(vert, true), style.color(), Transform::identity());
        Ok(())
    }

    /// Draws text where plotters' SVG backend places it: the em is the size over 1.24, "top" lies 0.76 em above the baseline.
    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> DrawResult {
        let em = (style.size() / 1.24) as f32;
        let start = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => -0.5 * font::width(text) as f32,
            HPos::Right => -font::width(text) as f32,
        };
        let baseline = match style.anchor().v_pos {
            VPos::Top => 0.76,
            VPos::Center => 0.5 * font::X_HEIGHT as f32,
            VPos::Bottom => -0.5 * font::X_HEIGHT as f32,
        };
        let degrees = match style.transform() {
            FontTransform::None => 0.0,
            FontTransform::Rotate90 => 90.0,
            FontTransform::Rotate180 => 180.0,
            FontTransform::Rotate270 => 270.0,
        };
        let slant = match style.style() {
            FontStyle::Italic | FontStyle::Oblique => SLANT as f32,
            FontStyle::Normal | FontStyle::Bold => 0.0,
        };
        let transform = Transform::from_skew(slant, 0.0)
            .post_concat(Transform::from_translate(start, -baseline))
            .post_scale(em, -em)
            .post_rotate(degrees)
            .post_translate(x as f32, y as f32);
        self.fill(glyphs(text), style.color(), transform);
        Ok(())
    }
}

impl ImageBackend for SkiaBackend {
    fn draw_bitmap(
        &mut self,
        ((left, top), (right, bottom)): (BackendCoord, BackendCoord),
        picture: &Bitmap,
        smooth: bool,
    ) -> DrawResult {
        let Some(mut pixels) = Pixmap::new(picture.width, picture.height) else {
            return Ok(());
        };
        for (to, from) in pixels
            .pixels_mut()
            .iter_mut()
            .zip(picture.rgba.chunks_exact(4))
        {
            *to = tiny_skia::ColorU8::from_rgba(from[0], from[1], from[2], from[3]).premultiply();
        }
        // Rounded to whole pixels, or the cells at the edge would be half transparent.
        let zoom = f64::from(self.zoom);
        let edge = |v: i32| (f64::from(v) * zoom).round() as f32;
        let (left, top) = (edge(left), edge(top));
        let transform = Transform::from_scale(
            (edge(right) - left) / picture.width as f32,
            (edge(bottom) - top) / picture.height as f32,
        )
        .post_translate(left, top);
        let paint = PixmapPaint {
            quality: match smooth {
                true => FilterQuality::Bilinear,
                false => FilterQuality::Nearest,
            },
            ..PixmapPaint::default()
        };
        self.image
            .draw_pixmap(0, 0, pixels.as_ref(), &paint, transform, None);
        Ok(())
    }
}
