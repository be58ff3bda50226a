//! Output of a scene as a PDF file of one page: paths and images as they are, text as text in embedded fonts.

mod fonts;
mod images;

use pdf_writer::types::{LineCapStyle, LineJoinStyle};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, TextStr};

use super::color::Rgba;
use super::drawing_context;
use super::font;
use super::geometry::Point;
use super::math::SLANT;
use super::scene::{Align, Primitive, Scene};
use fonts::PdfFont;
use odesync_base::error::{Error, Result};

/// Distance of the control points of a quarter of a circle, in radii.
const QUARTER: f64 = 0.552_284_75;

/// The numbers of the file's objects.
const CATALOG: Ref = Ref::new(1);
const PAGE_TREE: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
const INFO: Ref = Ref::new(5);
const FIRST_FREE: i32 = 6;

/// Returns the bytes of a PDF file. They depend on the figure alone: the file has no date.
///
/// # Errors
///
/// A font of the user's that cannot be embedded, or more elements than a PDF can have.
pub(super) fn pdf(scene: &Scene) -> Result<Vec<u8>> {
    drawing_context::with(&scene.context, || {
        let mut drawing = PdfDrawing::new(scene);
        for item in &scene.items {
            drawing.draw(item);
        }
        drawing.finish(scene)
    })
}

/// Compresses the data of a stream.
fn deflate(data: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    // Writing into memory does not fail.
    let _ = encoder.write_all(data);
    encoder.finish().unwrap_or_default()
}

/// The content of the page, and what it refers to.
struct PdfDrawing<'a> {
    content: Content,
    /// Pens and colours that are set already, so that they are not set again.
    state: State,
    /// Opacities, in the order of their names.
    alphas: Vec<f64>,
    images: Vec<(&'a super::bitmap::Bitmap, bool)>,
    /// The bundled font, and the user's.
    fonts: [PdfFont; 2],
}

/// The part of the graphics state that changes.
#[derive(Default)]
struct State {
    fill: Option<(u8, u8, u8)>,
    stroke: Option<(u8, u8, u8)>,
    width: Option<f64>,
    alpha: Option<f64>,
}

fn number(v: f64) -> f32 {
    // Hundredths of a pixel of the layout are finer than any printer.
    ((v * 100.0).round() / 100.0) as f32
}

impl<'a> PdfDrawing<'a> {
    fn new(scene: &'a Scene) -> PdfDrawing<'a> {
        let (_, height) = scene.page.points();
        let unit = scene.page.unit as f32;
        let mut content = Content::new();
        content.set_line_cap(LineCapStyle::RoundCap);
        content.set_line_join(LineJoinStyle::RoundJoin);
        // From the layout's pixels, y down, to points, y up.
        content.transform([unit, 0.0, 0.0, -unit, 0.0, height as f32]);
        PdfDrawing {
            content,
            state: State::default(),
            alphas: Vec::new(),
            images: Vec::new(),
            fonts: [PdfFont::default(), PdfFont::default()],
        }
    }

    fn draw(&mut self, item: &'a Primitive) {
        match item {
            Primitive::Path {
                points,
                color,
                width,
            } => {
                self.set_pen(*color, *width);
                self.path(points);
                self.content.stroke();
            }
            Primitive::Area { points, color } => {
                self.set_fill(*color);
                self.path(points);
                self.content.close_path();
                self.content.fill_nonzero();
            }
            Primitive::Disc {
                center,
                radius,
                color,
            } => {
                self.set_fill(*color);
                self.disc(*center, *radius);
                self.content.fill_nonzero();
            }
            Primitive::Image {
                rect,
                bitmap,
                smooth,
            } => {
                self.set_alpha(1.0);
                let name = format!("I{}", self.images.len());
                self.images.push((bitmap, *smooth));
                self.content.save_state();
                self.content.transform([
                    number(rect.width()),
                    0.0,
                    0.0,
                    number(-rect.height()),
                    number(rect.left),
                    number(rect.bottom),
                ]);
                self.content.x_object(Name(name.as_bytes()));
                self.content.restore_state();
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
                self.set_fill(*color);
                let start = match align {
                    Align::Left => 0.0,
                    Align::Center => -0.5 * font::width(text),
                    Align::Right => -font::width(text),
                };
                self.text(text, *at, (*em, start), (*vertical, *slanted));
            }
        }
    }

    fn path(&mut self, points: &[Point]) {
        for (i, (x, y)) in points.iter().enumerate() {
            let (x, y) = (number(*x), number(*y));
            match i {
                0 => self.content.move_to(x, y),
                _ => self.content.line_to(x, y),
            };
        }
        // A line of one point is a dot.
        if let [(x, y)] = points {
            self.content.line_to(number(*x), number(*y));
        }
    }

    fn disc(&mut self, (x, y): Point, r: f64) {
        let k = QUARTER * r;
        let at = |dx: f64, dy: f64| (number(x + dx), number(y + dy));
        let right = at(r, 0.0);
        self.content.move_to(right.0, right.1);
        for [a, b, c] in [
            [at(r, k), at(k, r), at(0.0, r)],
            [at(-k, r), at(-r, k), at(-r, 0.0)],
            [at(-r, -k), at(-k, -r), at(0.0, -r)],
            [at(k, -r), at(r, -k), at(r, 0.0)],
        ] {
            self.content.cubic_to(a.0, a.1, b.0, b.1, c.0, c.1);
        }
        self.content.close_path();
    }

    /// Writes text whose first glyph begins `start` em after the point `at`.
    fn text(
        &mut self,
        text: &str,
        at: Point,
        (em, start): (f64, f64),
        (vertical, slanted): (bool, bool),
    ) {
        let slant = if slanted { SLANT } else { 0.0 };
        // The directions of the text's own axes, y up, in those of the layout, y down.
        let (along, up) = match vertical {
            false => ((1.0, 0.0), (slant, -1.0)),
            true => ((0.0, -1.0), (-1.0, -slant)),
        };
        let glyphs = font::glyphs(text).0;
        self.content.begin_text();
        for run in glyphs.chunk_by(|a, b| a.from_file == b.from_file) {
            let Some(first) = run.first() else { continue };
            let from_file = usize::from(first.from_file);
            let shift = em * (start + first.start);
            self.content
                .set_font(Name(FONT_NAMES[from_file]), number(em))
                .set_text_matrix([
                    along.0 as f32,
                    along.1 as f32,
                    up.0 as f32,
                    up.1 as f32,
                    number(at.0 + shift * along.0),
                    number(at.1 + shift * along.1),
                ]);
            self.fonts[from_file].show(run, text, &mut self.content);
        }
        self.content.end_text();
    }

    fn set_pen(&mut self, (rgb, alpha): Rgba, width: f64) {
        self.set_alpha(alpha);
        if self.state.stroke != Some(rgb) {
            let [r, g, b] = parts(rgb);
            self.content.set_stroke_rgb(r, g, b);
            self.state.stroke = Some(rgb);
        }
        if self.state.width != Some(width) {
            self.content.set_line_width(number(width));
            self.state.width = Some(width);
        }
    }

    fn set_fill(&mut self, (rgb, alpha): Rgba) {
        self.set_alpha(alpha);
        if self.state.fill != Some(rgb) {
            let [r, g, b] = parts(rgb);
            self.content.set_fill_rgb(r, g, b);
            self.state.fill = Some(rgb);
        }
    }

    fn set_alpha(&mut self, alpha: f64) {
        let alpha = alpha.clamp(0.0, 1.0);
        if self.state.alpha == Some(alpha) || (self.state.alpha.is_none() && alpha == 1.0) {
            return;
        }
        let known = self.alphas.iter().position(|a| *a == alpha);
        let i = known.unwrap_or_else(|| {
            self.alphas.push(alpha);
            self.alphas.len() - 1
        });
        self.content
            .set_parameters(Name(format!("A{i}").as_bytes()));
        self.state.alpha = Some(alpha);
    }

    fn finish(self, scene: &Scene) -> Result<Vec<u8>> {
        let mut pdf = Pdf::new();
        let mut next = FIRST_FREE;
        let mut allocate = || {
            next += 1;
            Ref::new(next - 1)
        };
        let (width, height) = scene.page.points();
        pdf.catalog(CATALOG).pages(PAGE_TREE);
        pdf.pages(PAGE_TREE).kids([PAGE]).count(1);
        let user = drawing_context::font();
        let mut fonts = Vec::new();
        for (used, name) in self.fonts.iter().zip(FONT_NAMES) {
            if used.is_empty() {
                continue;
            }
            let file = match &user {
                Some(file) if name == FONT_NAMES[1] => file.bytes.as_slice(),
                _ => font::BUNDLED,
            };
            let id = used
                .embed(file, &mut pdf, &mut allocate)
                .map_err(|reason| {
                    Error::invalid(format!("the font cannot be embedded in a PDF: {reason}"))
                })?;
            fonts.push((name, id));
        }
        let mut images = Vec::new();
        for (bitmap, smooth) in &self.images {
            images.push(images::embed(bitmap, *smooth, &mut pdf, &mut allocate));
        }
        let mut page = pdf.page(PAGE);
        page.parent(PAGE_TREE);
        page.media_box(Rect::new(0.0, 0.0, width as f32, height as f32));
        page.contents(CONTENT);
        let mut resources = page.resources();
        let mut named = resources.fonts();
        for (name, id) in fonts {
            named.pair(Name(name), id);
        }
        named.finish();
        let mut named = resources.x_objects();
        for (i, id) in images.into_iter().enumerate() {
            named.pair(Name(format!("I{i}").as_bytes()), id);
        }
        named.finish();
        let mut named = resources.ext_g_states();
        for (i, alpha) in self.alphas.iter().enumerate() {
            let name = format!("A{i}");
            let mut state = named
                .insert(Name(name.as_bytes()))
                .start::<pdf_writer::writers::ExtGraphicsState>();
            state.stroking_alpha(*alpha as f32);
            state.non_stroking_alpha(*alpha as f32);
        }
        named.finish();
        resources.finish();
        page.finish();
        let content = deflate(self.content.finish().as_slice());
        pdf.stream(CONTENT, &content).filter(Filter::FlateDecode);
        pdf.document_info(INFO).producer(TextStr("odesync"));
        Ok(pdf.finish())
    }
}

/// The names of the bundled font and of the user's on the page.
const FONT_NAMES: [&[u8]; 2] = [b"F0", b"F1"];

fn parts((r, g, b): (u8, u8, u8)) -> [f32; 3] {
    // Three digits distinguish all of 256 levels.
    [r, g, b].map(|c| ((f64::from(c) / 255.0 * 1000.0).round() / 1000.0) as f32)
}
