//! From a scene to SVG, PNG and files.

use std::path::Path;

use plotters::prelude::SVGBackend;

use super::raster::Raster;
use super::scene::{Scene, UNITS};
use crate::error::{Error, Result};
use crate::files::write_atomically;

/// Pixels of a PNG for each pixel of the figure's size, for sharpness on fine screens and in print.
const PNG_SCALE: u32 = 2;

/// Pixels per metre that make a PNG as large on paper as the figure at 96 pixels per inch.
const PNG_DENSITY: u32 = (96.0 * PNG_SCALE as f64 / 0.0254) as u32;

/// The file formats, by extension.
const FORMATS: [&str; 2] = ["svg", "png"];

pub(super) fn svg(scene: &Scene) -> Result<String> {
    let (width, height) = scene.size;
    let units = (width * UNITS as u32, height * UNITS as u32);
    let mut text = String::new();
    scene
        .play(&mut SVGBackend::with_string(&mut text, units))
        .map_err(drawing)?;
    // The drawing's units stay in the view box; the picture gets its size in pixels. Ends and joins of lines are
    // inherited from the root.
    let size = format!("width=\"{}\" height=\"{}\"", units.0, units.1);
    let round = "stroke-linecap=\"round\" stroke-linejoin=\"round\"";
    Ok(text.replacen(
        &size,
        &format!("width=\"{width}\" height=\"{height}\" {round}"),
        1,
    ))
}

pub(super) fn png(scene: &Scene) -> Result<Vec<u8>> {
    let (width, height) = (scene.size.0 * PNG_SCALE, scene.size.1 * PNG_SCALE);
    let mut raster = Raster::new(width, height, f64::from(PNG_SCALE) / UNITS).ok_or_else(|| {
        Error::invalid("no memory for a picture of this size; give the figure a smaller one")
    })?;
    scene.play(&mut raster).map_err(drawing)?;
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
        xppu: PNG_DENSITY,
        yppu: PNG_DENSITY,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header().map_err(drawing)?;
    writer.write_image_data(&rgb).map_err(drawing)?;
    writer.finish().map_err(drawing)?;
    Ok(bytes)
}

fn drawing(reason: impl std::fmt::Display) -> Error {
    Error::invalid(format!("the figure could not be drawn: {reason}"))
}

/// The format that a file's extension asks for.
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

/// Writes a figure's file: in the folder under a temporary name, then renamed, so that no reader sees half a file.
pub(super) fn save(path: &Path, scene: impl FnOnce() -> Result<Scene>) -> Result<()> {
    let format = format(path)?;
    let scene = scene()?;
    let bytes = match format {
        "svg" => svg(&scene)?.into_bytes(),
        _ => png(&scene)?,
    };
    write_atomically(path, &bytes)
}

/// The methods that everything drawable has.
macro_rules! rendered {
    ($type:ty) => {
        impl $type {
            /// The picture as SVG.
            ///
            /// # Errors
            ///
            /// Nothing to draw; the message says why and what to do.
            pub fn to_svg(&self) -> $crate::Result<String> {
                $crate::plotting::output::svg(&self.scene()?)
            }

            /// The picture as a PNG file's bytes, with twice the pixels of the figure's size.
            ///
            /// # Errors
            ///
            /// Nothing to draw; the message says why and what to do.
            pub fn to_png(&self) -> $crate::Result<Vec<u8>> {
                $crate::plotting::output::png(&self.scene()?)
            }

            /// Writes the picture to a file, as SVG or PNG by its extension. Missing folders are made; the file is
            /// written under a temporary name and renamed.
            ///
            /// # Errors
            ///
            /// Nothing to draw, another extension, or a file or folder that cannot be written.
            pub fn save(&self, path: impl AsRef<std::path::Path>) -> $crate::Result<()> {
                $crate::plotting::output::save(path.as_ref(), || self.scene())
            }
        }
    };
}
pub(super) use rendered;
