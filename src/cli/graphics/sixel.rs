//! DEC's sixel graphics.

use std::io::Cursor;

use icy_sixel::SixelImage;

use super::draw_error;
use crate::Result;
use crate::plotting::Panel;

/// Width of a column in pixels where the terminal doesn't report it.
const CELL_WIDTH: u16 = 9;

/// Returns the sixels that show a figure about `columns` wide. A terminal shows sixels pixel by pixel, so the figure is drawn in
/// this size.
pub(super) fn encode(figure: &Panel, columns: u16) -> Result<Vec<u8>> {
    let column = match crossterm::terminal::window_size() {
        Ok(size) if size.width > 0 && size.columns > 0 => size.width / size.columns,
        _ => CELL_WIDTH,
    };
    let wanted = f64::from(columns) * f64::from(column.max(4));
    let (width, _, _) = pixels(&figure.to_png(1.0)?)?;
    let scale = (wanted / width as f64).clamp(0.1, 2.0);
    let (width, height, rgb) = pixels(&figure.to_png(scale)?)?;
    let rgba: Vec<u8> = rgb
        .chunks_exact(3)
        .flat_map(|p| [p[0], p[1], p[2], 255])
        .collect();
    let image = SixelImage::try_from_rgba(rgba, width, height).map_err(draw_error)?;
    Ok(image.encode().map_err(draw_error)?.into_bytes())
}

/// Returns the width, the height, and red, green and blue of each pixel.
fn pixels(png: &[u8]) -> Result<(usize, usize, Vec<u8>)> {
    let mut reader = png::Decoder::new(Cursor::new(png))
        .read_info()
        .map_err(draw_error)?;
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| draw_error("it is too large"))?;
    let mut rgb = vec![0; size];
    let info = reader.next_frame(&mut rgb).map_err(draw_error)?;
    rgb.truncate(info.buffer_size());
    if info.color_type != png::ColorType::Rgb {
        return Err(draw_error("it has an unknown kind of pixels"));
    }
    Ok((info.width as usize, info.height as usize, rgb))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plotting::{Figure, Style};

    #[test]
    fn the_sixels_are_the_figure_in_the_width_of_the_columns() {
        let figure = Figure::new()
            .line(&[0.0, 1.0], &[0.0, 1.0], Style::new())
            .unwrap();
        let bytes = encode(&figure.into(), 50).unwrap();
        assert!(bytes.starts_with(b"\x1bP") && bytes.ends_with(b"\x1b\\"));
        let back = SixelImage::decode(&bytes).unwrap();
        assert!(back.width > 100 && back.width <= 50 * 40, "{}", back.width);
    }
}
