//! Comparison of a figure with its reference image.

use std::fs;
use std::path::PathBuf;

use odesync_plot::Panel;

/// Tolerance of the mean difference of the colours, of 255.
const MEAN: f64 = 0.4;
/// Difference of a pixel's colour, of 255, above which the pixel counts as different.
const PIXEL: u8 = 60;
/// Tolerance of the fraction of different pixels.
const PART: f64 = 0.002;
/// Side in pixels of the squares that are compared separately, because a label is small compared with the image.
const SQUARE: usize = 16;
/// Tolerance of the mean difference in a square, of 255.
const SQUARE_MEAN: f64 = 8.0;

/// Returns the path of the reference image.
pub fn reference_path(file: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/images")).join(file)
}

#[derive(Clone)]
struct Pixels {
    size: (u32, u32),
    rgb: Vec<u8>,
}

/// The difference of two images of one size.
struct Difference {
    /// Difference of each pixel: the largest of red, green and blue.
    pixels: Vec<u8>,
    mean: f64,
    /// Fraction of the pixels that differ by more than [`PIXEL`].
    far: f64,
    /// Mean difference of the square that differs most, and its corner.
    square: (f64, (usize, usize)),
}

impl Difference {
    fn of(a: &Pixels, b: &Pixels) -> Self {
        let by: Vec<u8> = a
            .rgb
            .iter()
            .zip(&b.rgb)
            .map(|(a, b)| a.abs_diff(*b))
            .collect();
        let pixels: Vec<u8> = by
            .chunks_exact(3)
            .map(|p| p.iter().copied().max().unwrap_or(0))
            .collect();
        let (width, height) = (a.size.0 as usize, a.size.1 as usize);
        let mut square = (0.0, (0, 0));
        for (y, x) in (0..height)
            .step_by(SQUARE)
            .flat_map(|y| (0..width).step_by(SQUARE).map(move |x| (y, x)))
        {
            let rows = (y..(y + SQUARE).min(height)).flat_map(|y| {
                let row = &pixels[y * width..(y + 1) * width];
                &row[x..(x + SQUARE).min(width)]
            });
            let sum: f64 = rows.map(|d| f64::from(*d)).sum();
            let mean = sum / (SQUARE * SQUARE) as f64;
            if mean > square.0 {
                square = (mean, (x, y));
            }
        }
        Self {
            mean: by.iter().map(|d| f64::from(*d)).sum::<f64>() / by.len() as f64,
            far: pixels.iter().filter(|d| **d > PIXEL).count() as f64 / pixels.len() as f64,
            square,
            pixels,
        }
    }

    fn is_small(&self) -> bool {
        self.mean <= MEAN && self.far <= PART && self.square.0 <= SQUARE_MEAN
    }
}

fn decoded(bytes: &[u8]) -> Pixels {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().expect("a PNG");
    let mut rgb = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut rgb).expect("pixels");
    // Quantized to steps of 8, so that smooth colours make small files.
    rgb.iter_mut()
        .for_each(|v| *v = ((u16::from(*v) + 4) / 8 * 8).min(255) as u8);
    assert_eq!(info.color_type, png::ColorType::Rgb);
    Pixels {
        size: (info.width, info.height),
        rgb,
    }
}

fn encoded(pixels: &Pixels) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixels.size.0, pixels.size.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&pixels.rgb).expect("pixels");
    writer.finish().expect("an end");
    bytes
}

/// Compares the figure at half its size with the reference image; on a difference writes the drawn image, and an image of the
/// differences.
pub fn check(name: &str, panel: &Panel) -> Result<(), String> {
    let drawn = decoded(&panel.to_png(0.5).map_err(|e| format!("{name}: {e}"))?);
    let path = reference_path(&format!("{name}.png"));
    if std::env::var_os("ODESYNC_BLESS").is_some() {
        fs::write(&path, encoded(&drawn)).expect("written");
        return Ok(());
    }
    let bytes = fs::read(&path)
        .map_err(|e| format!("{name}: {}: {e}; ODESYNC_BLESS=1 makes it", path.display()))?;
    let wanted = decoded(&bytes);
    let mut difference = Pixels {
        size: drawn.size,
        rgb: vec![255; drawn.rgb.len()],
    };
    let fault = if drawn.size != wanted.size {
        format!("is {:?} and was {:?}", drawn.size, wanted.size)
    } else {
        let found = Difference::of(&drawn, &wanted);
        if found.is_small() {
            return Ok(());
        }
        for (to, d) in difference.rgb.chunks_exact_mut(3).zip(&found.pixels) {
            to.fill(255 - d);
        }
        let (square, (x, y)) = found.square;
        format!(
            "differs by {:.3} on the mean (at most {MEAN}), in {:.2} % of its pixels by more than {PIXEL}, and by {square:.1} at \
             ({x}, {y}) (at most {SQUARE_MEAN})",
            found.mean,
            100.0 * found.far
        )
    };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("images");
    fs::create_dir_all(&folder).expect("a folder");
    let (actual, diff) = (
        folder.join(format!("{name}.png")),
        folder.join(format!("{name}.diff.png")),
    );
    fs::write(&actual, encoded(&drawn)).expect("written");
    fs::write(&diff, encoded(&difference)).expect("written");
    Err(format!(
        "{name} {fault}: drawn {}, kept {}, difference {}",
        actual.display(),
        path.display(),
        diff.display()
    ))
}

/// The comparison detects the removal of any block of dark pixels from an image, such as a label or a part of a line.
#[test]
fn nothing_can_be_erased_unseen() {
    const BLOCK: (usize, usize) = (40, 14);
    let mut erased = 0;
    for entry in fs::read_dir(reference_path("")).expect("the kept pictures") {
        let path = entry.expect("a picture").path();
        let whole = decoded(&fs::read(&path).expect("read"));
        let (width, height) = (whole.size.0 as usize, whole.size.1 as usize);
        for y in (0..height - BLOCK.1).step_by(37) {
            for x in (0..width - BLOCK.0).step_by(61) {
                let mut without = whole.clone();
                let mut dark = 0;
                for y in y..y + BLOCK.1 {
                    let at = 3 * (y * width + x);
                    let row = &mut without.rgb[at..at + 3 * BLOCK.0];
                    dark += row
                        .chunks_exact(3)
                        .filter(|p| p.iter().all(|v| *v < 128))
                        .count();
                    row.fill(255);
                }
                if dark >= 25 {
                    erased += 1;
                    let seen = !Difference::of(&whole, &without).is_small();
                    assert!(seen, "{}: nothing is missed at ({x}, {y})", path.display());
                }
            }
        }
    }
    assert!(erased > 100, "{erased}");
}
