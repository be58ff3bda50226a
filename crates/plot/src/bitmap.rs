//! Bitmaps of coloured cells, which are stretched over a rectangle of the figure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use odesync_base::error::{Error, Result};

/// A bitmap of pixels with opacity (RGBA), four bytes each, row by row from the top left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bitmap {
    pub width: u32,
    pub height: u32,
    pub rgba: Vec<u8>,
}

impl Bitmap {
    /// Returns the bitmap whose pixel in row `i` and column `j` is `color(i, j)`; a pixel that is `None` is transparent.
    pub fn from_fn(
        width: u32,
        height: u32,
        mut color: impl FnMut(usize, usize) -> Option<(u8, u8, u8)>,
    ) -> Bitmap {
        let mut rgba = Vec::with_capacity(4 * width as usize * height as usize);
        for i in 0..height as usize {
            for j in 0..width as usize {
                match color(i, j) {
                    Some((r, g, b)) => rgba.extend([r, g, b, 255]),
                    None => rgba.extend([0; 4]),
                }
            }
        }
        Bitmap {
            width,
            height,
            rgba,
        }
    }

    /// Returns the pixel in row `i` and column `j`: red, green, blue, opacity.
    pub fn pixel(&self, i: usize, j: usize) -> [u8; 4] {
        let start = 4 * (i * self.width as usize + j);
        let pixel = self.rgba.get(start..start + 4);
        pixel.and_then(|p| p.try_into().ok()).unwrap_or([0; 4])
    }

    /// Returns the bitmap as the data URI (a PNG in base64) of an SVG image.
    pub fn data_uri(&self) -> Result<String> {
        let failed =
            |e: png::EncodingError| Error::invalid(format!("the figure could not be drawn: {e}"));
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        let opaque = self.rgba.chunks_exact(4).all(|p| p[3] == 255);
        let data: Vec<u8> = match opaque {
            true => {
                encoder.set_color(png::ColorType::Rgb);
                self.rgba
                    .chunks_exact(4)
                    .flat_map(|p| [p[0], p[1], p[2]])
                    .collect()
            }
            false => {
                encoder.set_color(png::ColorType::Rgba);
                self.rgba.clone()
            }
        };
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&data).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
    }
}
