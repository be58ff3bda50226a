//! Comparing a figure with its kept picture.

use std::fs;
use std::path::PathBuf;

use odesync::plotting::Panel;

/// Largest mean difference of the colours, of 255.
const MEAN: f64 = 0.4;
/// Largest difference of a pixel's colour, of 255, that is not counted as one of another pixel.
const PIXEL: u8 = 60;
/// Largest part of the pixels that may differ by more.
const PART: f64 = 0.002;

/// Where the kept picture is.
pub fn kept(file: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/images")).join(file)
}

struct Pixels {
    size: (u32, u32),
    rgb: Vec<u8>,
}

fn decoded(bytes: &[u8]) -> Pixels {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().expect("a PNG");
    let mut rgb = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut rgb).expect("pixels");
    // In steps of 8, which makes small files of smooth colours.
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

/// Compares the figure at half its size with the kept picture; on a difference writes what was drawn, and where they differ.
pub fn check(name: &str, panel: &Panel) -> Result<(), String> {
    let drawn = decoded(&panel.to_png(0.5).map_err(|e| format!("{name}: {e}"))?);
    let path = kept(&format!("{name}.png"));
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
        let by: Vec<u8> = drawn
            .rgb
            .iter()
            .zip(&wanted.rgb)
            .map(|(a, b)| a.abs_diff(*b))
            .collect();
        let mean = by.iter().map(|d| f64::from(*d)).sum::<f64>() / by.len() as f64;
        let pixels = by
            .chunks_exact(3)
            .map(|p| p.iter().copied().max().unwrap_or(0));
        let far = pixels.clone().filter(|d| *d > PIXEL).count() as f64 / (by.len() / 3) as f64;
        if mean <= MEAN && far <= PART {
            return Ok(());
        }
        for (to, d) in difference.rgb.chunks_exact_mut(3).zip(pixels) {
            to.fill(255 - d);
        }
        format!(
            "differs by {mean:.3} on the mean (at most {MEAN}), and in {:.2} % of its pixels by more than {PIXEL}",
            100.0 * far
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
