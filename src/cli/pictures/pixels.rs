//! A PNG as pixels, made smaller.

use super::undrawable;
use crate::Result;

/// Red, green and blue of each pixel, row by row.
pub(super) struct Pixels {
    pub width: usize,
    pub height: usize,
    pub rgb: Vec<u8>,
}

impl Pixels {
    /// The pixels of a figure's PNG.
    pub fn read(png: &[u8]) -> Result<Self> {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png))
            .read_info()
            .map_err(undrawable)?;
        let size = reader
            .output_buffer_size()
            .ok_or_else(|| undrawable("it is too large"))?;
        let mut rgb = vec![0; size];
        let info = reader.next_frame(&mut rgb).map_err(undrawable)?;
        rgb.truncate(info.buffer_size());
        if info.color_type != png::ColorType::Rgb {
            return Err(undrawable("it has an unknown kind of pixels"));
        }
        Ok(Self {
            width: info.width as usize,
            height: info.height as usize,
            rgb,
        })
    }

    /// At most this wide, each pixel the mean of those it covers.
    pub fn at_most(self, width: usize) -> Self {
        if self.width <= width || width == 0 {
            return self;
        }
        let height = (self.height * width / self.width).max(1);
        // The rows or columns that the `i`th of the smaller picture covers.
        let covered = |i: usize, of: usize, all: usize| {
            let (from, to) = (i * all / of, (i + 1) * all / of);
            from..to.max(from + 1)
        };
        let mut rgb = Vec::with_capacity(3 * width * height);
        for y in 0..height {
            let rows = covered(y, height, self.height);
            for x in 0..width {
                let columns = covered(x, width, self.width);
                for channel in 0..3 {
                    let mut sum = 0usize;
                    for row in rows.clone() {
                        for column in columns.clone() {
                            sum += usize::from(self.rgb[3 * (row * self.width + column) + channel]);
                        }
                    }
                    rgb.push((sum / (rows.len() * columns.len())) as u8);
                }
            }
        }
        Self { width, height, rgb }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_picture_has_means() {
        let grey = |values: &[u8]| values.iter().flat_map(|v| [*v; 3]).collect::<Vec<u8>>();
        let picture = Pixels {
            width: 4,
            height: 2,
            rgb: grey(&[0, 10, 100, 100, 20, 30, 100, 200]),
        };
        let small = picture.at_most(2);
        assert_eq!((small.width, small.height), (2, 1));
        assert_eq!(small.rgb, grey(&[15, 125]));
    }
}
