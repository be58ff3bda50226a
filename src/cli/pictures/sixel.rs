//! DEC's sixels.

use icy_sixel::SixelImage;

use super::pixels::Pixels;
use super::undrawable;
use crate::Result;

/// Pixels of a column where the terminal doesn't say.
const COLUMN: usize = 9;

/// Shows a PNG about `columns` wide.
pub(super) fn encode(png: &[u8], columns: u16) -> Result<Vec<u8>> {
    let column = match crossterm::terminal::window_size() {
        Ok(size) if size.width > 0 && size.columns > 0 => usize::from(size.width / size.columns),
        _ => COLUMN,
    };
    let pixels = Pixels::read(png)?.at_most(usize::from(columns) * column.max(4));
    let rgba: Vec<u8> = pixels
        .rgb
        .chunks_exact(3)
        .flat_map(|p| [p[0], p[1], p[2], 255])
        .collect();
    let image = SixelImage::try_from_rgba(rgba, pixels.width, pixels.height).map_err(undrawable)?;
    Ok(image.encode().map_err(undrawable)?.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plotting::{Figure, Style};

    #[test]
    fn the_sixels_are_the_figure() {
        let figure = Figure::new()
            .line(&[0.0, 1.0], &[0.0, 1.0], Style::new())
            .unwrap();
        let bytes = encode(&figure.to_png().unwrap(), 50).unwrap();
        assert!(bytes.starts_with(b"\x1bP") && bytes.ends_with(b"\x1b\\"));
        let back = SixelImage::decode(&bytes).unwrap();
        assert!(back.width > 300 && back.width <= 50 * 40);
    }
}
