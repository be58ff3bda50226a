//! Output of a scene as SVG, PNG, PDF and files.

use std::path::Path;

use std::fmt::Write as _;

use plotters::prelude::{RGBAColor, SVGBackend, ShapeStyle};
use plotters_backend::{DrawingBackend, DrawingErrorKind};

use super::bitmap::Bitmap;
use super::drawing_context;
pub(super) use super::pdf::pdf;
use super::raster::SkiaBackend;
use super::scene::{ImageBackend, Primitive, Scene, UNITS_PER_PIXEL};
use odesync_base::error::{Error, Result};
use odesync_base::files::write_atomically;

/// Pixels per inch of a figure's size.
pub(super) const PIXELS_PER_INCH: f64 = 96.0;
const METRES_PER_INCH: f64 = 0.0254;

/// plotters' SVG backend cannot stretch a bitmap: a rectangle, as which no other primitive is drawn, is its placeholder.
impl ImageBackend for SVGBackend<'_> {
    fn draw_bitmap(
        &mut self,
        (upper_left, lower_right): ((i32, i32), (i32, i32)),
        _: &Bitmap,
        _: bool,
    ) -> std::result::Result<(), DrawingErrorKind<Self::ErrorType>> {
        let style = ShapeStyle {
            color: RGBAColor(0, 0, 0, 1.0),
            filled: true,
            stroke_width: 0,
        };
        self.draw_rect(upper_left, lower_right, &style, true)
    }
}

/// Replaces the placeholders of [`ImageBackend::draw_bitmap`] by the scene's bitmaps, in order.
fn embed_bitmaps(text: String, scene: &Scene) -> Result<String> {
    let mut bitmaps = scene.items.iter().filter_map(|item| match item {
        Primitive::Image { bitmap, smooth, .. } => Some((bitmap, *smooth)),
        _ => None,
    });
    let mut parts = text.split("<rect ");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((bitmap, smooth)) = bitmaps.next() else {
            break;
        };
        let (attributes, rest) = part.split_once(" opacity").unwrap_or((part, "/>"));
        let after = rest.split_once("/>").map_or("", |(_, after)| after);
        let cells = match smooth {
            true => "",
            false => " image-rendering=\"optimizeSpeed\" style=\"image-rendering:pixelated\"",
        };
        let href = bitmap.data_uri()?;
        let _ = write!(
            whole,
            "<image {attributes} preserveAspectRatio=\"none\"{cells} href=\"{href}\"/>{after}"
        );
    }
    Ok(whole)
}

/// The extensions of the supported file formats.
const FORMATS: [&str; 3] = ["svg", "png", "pdf"];

pub(super) fn svg(scene: &Scene) -> Result<String> {
    let (width, height) = scene.page.layout;
    let units = (
        (width * UNITS_PER_PIXEL).round() as u32,
        (height * UNITS_PER_PIXEL).round() as u32,
    );
    let mut text = String::new();
    drawing_context::with(&scene.context, || {
        scene.render(&mut SVGBackend::with_string(&mut text, units))
    })
    .map_err(draw_error)?;
    let (width, height) = scene.page.svg_size();
    // The view box is in the drawing's units, the image's size in pixels. All lines inherit their caps and joins from the root.
    let size = format!("width=\"{}\" height=\"{}\"", units.0, units.1);
    let round = "stroke-linecap=\"round\" stroke-linejoin=\"round\"";
    let text = text.replacen(
        &size,
        &format!("width=\"{width}\" height=\"{height}\" {round}"),
        1,
    );
    embed_bitmaps(text, scene)
}

pub(super) fn png(scene: &Scene, scale: f64) -> Result<Vec<u8>> {
    if !(0.1..=10.0).contains(&scale) {
        return Err(Error::invalid(format!(
            "a picture cannot have {scale} pixels for one of the figure; give a scale from 0.1 to 10"
        )));
    }
    png_at(scene, scale * PIXELS_PER_INCH)
}

/// Returns a PNG with so many pixels per inch.
fn png_at(scene: &Scene, dpi: f64) -> Result<Vec<u8>> {
    let ((width, height), scale) = scene.page.png_size(dpi)?;
    let raster = drawing_context::with(&scene.context, || -> Result<SkiaBackend> {
        let mut raster =
            SkiaBackend::new(width, height, scale / UNITS_PER_PIXEL).ok_or_else(|| {
                Error::invalid(
                    "no memory for a picture of this size; give the figure a smaller one",
                )
            })?;
        scene.render(&mut raster).map_err(draw_error)?;
        Ok(raster)
    })?;
    let rgb: Vec<u8> = raster
        .image
        .pixels()
        .iter()
        .flat_map(|p| [p.red(), p.green(), p.blue()])
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: pixels_per_metre(dpi),
        yppu: pixels_per_metre(dpi),
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header().map_err(draw_error)?;
    writer.write_image_data(&rgb).map_err(draw_error)?;
    writer.finish().map_err(draw_error)?;
    Ok(bytes)
}

/// Returns a resolution as a PNG states it, which makes the picture as large on paper as the figure.
fn pixels_per_metre(dpi: f64) -> u32 {
    // In this order two pixels per pixel of a figure's size have the number that they always had.
    (PIXELS_PER_INCH / METRES_PER_INCH * (dpi / PIXELS_PER_INCH)) as u32
}

pub(super) fn draw_error(reason: impl std::fmt::Display) -> Error {
    Error::invalid(format!("the figure could not be drawn: {reason}"))
}

/// Returns the file format of a path's extension.
fn format(path: &Path) -> Result<&'static str> {
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    FORMATS
        .into_iter()
        .find(|known| *known == extension)
        .ok_or_else(|| {
            Error::invalid(format!(
                "cannot save a figure as \"{}\": the file's extension says the format; known: .{}",
                path.display(),
                FORMATS.join(", .")
            ))
        })
}

/// Writes a figure's file: under a temporary name in its folder, then renamed, so that no reader sees an incomplete file.
pub(super) fn save(path: &Path, scene: impl FnOnce() -> Result<Scene>) -> Result<()> {
    let format = format(path)?;
    let scene = scene()?;
    let bytes = match format {
        "svg" => svg(&scene)?.into_bytes(),
        "pdf" => pdf(&scene)?,
        _ => png_at(&scene, scene.page.dpi)?,
    };
    write_atomically(path, &bytes)
}
