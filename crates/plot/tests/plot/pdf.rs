//! Tests of PDF files, whose objects are found by their text: streams are unpacked, dictionaries are read as they stand.

use std::io::Read as _;

use odesync_plot::{Figure, PageOptions, Panel, Style};

use super::{all_figures, gallery_print};

/// Returns the file with every packed stream in plain.
pub fn unpacked(bytes: &[u8]) -> String {
    let find = |from: usize, what: &[u8]| {
        bytes
            .get(from..)?
            .windows(what.len())
            .position(|w| w == what)
            .map(|at| from + at)
    };
    let mut text = String::new();
    let mut at = 0;
    while let Some(start) = find(at, b"stream\n") {
        let start = start + b"stream\n".len();
        let end = find(start, b"\nendstream").expect("an end");
        text.push_str(&String::from_utf8_lossy(&bytes[at..start]));
        let mut plain = Vec::new();
        flate2::read::ZlibDecoder::new(&bytes[start..end])
            .read_to_end(&mut plain)
            .expect("a packed stream");
        text.push_str(&String::from_utf8_lossy(&plain));
        at = end + b"\nendstream".len();
    }
    text.push_str(&String::from_utf8_lossy(&bytes[at..]));
    text
}

/// Returns the characters that the file says its glyphs stand for.
pub fn characters(text: &str) -> String {
    let mappings = text.split("beginbfchar").skip(1);
    let lines = mappings.filter_map(|rest| rest.split("endbfchar").next());
    let codes = lines.flat_map(|block| block.lines()).filter_map(|line| {
        let code = line.split('<').nth(2)?.trim_end_matches('>');
        char::from_u32(u32::from_str_radix(code, 16).ok()?)
    });
    codes.collect()
}

#[test]
fn text_is_text_in_an_embedded_font() {
    let figure = Figure::new()
        .title("Žluťoučký $\\alpha$")
        .line([0.0, 1.0], [0.0, 1.0], Style::new().label("prey"))
        .expect("a line");
    let bytes = figure.to_pdf().expect("a PDF");
    assert!(bytes.starts_with(b"%PDF-1."));
    let text = unpacked(&bytes);
    assert!(text.contains("/FontFile2") && text.contains("/Subtype /CIDFontType2"));
    assert!(text.contains("+DejaVuSans"), "the font's name");
    let found = characters(&text);
    for c in "Žluťoučkýαprey0.12".chars() {
        assert!(found.contains(c), "{c} cannot be searched: {found}");
    }
    // Glyphs are shown as text, and none of the outlines is a path of the page.
    assert!(text.contains(" Tf") && text.contains("TJ"));
    assert_eq!(
        bytes,
        figure.to_pdf().expect("a PDF"),
        "the same bytes each time"
    );
}

#[test]
fn a_page_has_its_size_in_points() {
    let page = PageOptions::new().size_mm(85.0, 60.0).expect("a size");
    let page = page.font(8.0).expect("a font");
    let figure = Figure::new()
        .line([0.0, 1.0], [0.0, 1.0], Style::new())
        .expect("a line")
        .page(page);
    let text = unpacked(&figure.to_pdf().expect("a PDF"));
    let media = text.split("/MediaBox [").nth(1).expect("a box");
    let numbers: Vec<f64> = media
        .split(']')
        .next()
        .expect("an end")
        .split_whitespace()
        .map(|n| n.parse().expect("a number"))
        .collect();
    assert!(
        (numbers[2] - 85.0 / 25.4 * 72.0).abs() < 1e-3,
        "{numbers:?}"
    );
    assert!(
        (numbers[3] - 60.0 / 25.4 * 72.0).abs() < 1e-3,
        "{numbers:?}"
    );
    // Tick labels of 14 pixels in the layout are 8 points on the page.
    let scale = text.split(" cm").next().and_then(|s| s.rsplit('\n').next());
    let scale: f64 = scale
        .and_then(|s| s.split_whitespace().next())
        .expect("a matrix")
        .parse()
        .expect("a number");
    assert!((14.0 * scale - 8.0).abs() < 1e-4, "{scale}");
    assert!(text.contains("/F0 14 Tf"));
}

/// Returns a figure of any kind on a page of this width, with its own ratio of the sides.
fn on_paper(panel: &Panel, width: f64) -> Panel {
    use odesync_base::options::OptionSet as _;
    let svg = panel.to_svg().expect("a figure");
    let side = |name: &str| -> f64 {
        let text = svg.split(&format!("{name}=\"")).nth(1).expect("a size");
        let text = text.split('"').next().expect("an end");
        text.trim_end_matches("mm").parse().expect("a number")
    };
    let height = (width * side("height") / side("width")).max(40.0);
    let mut panel = panel.clone();
    panel
        .set("size_mm", &[width, height][..].into())
        .expect("a size");
    panel.set("font", &8.0.into()).expect("a font");
    panel
}

#[test]
fn every_kind_of_figure_has_a_pdf_in_one_and_two_columns() {
    let mut count = 0;
    for (name, draw) in all_figures() {
        let panel = draw().unwrap_or_else(|e| panic!("{name}: {e}"));
        for width in [85.0, 180.0] {
            let page = on_paper(&panel, width);
            let bytes = page.to_pdf().unwrap_or_else(|e| panic!("{name}: {e}"));
            let text = unpacked(&bytes);
            assert!(text.contains("/FontFile2"), "{name}: the font is embedded");
            assert!(!text.contains("/FontFile3"), "{name}: in its own format");
            assert!(bytes.len() < 2_000_000, "{name}: {} bytes", bytes.len());
            // With a folder, the files can be looked at.
            if let Some(folder) = std::env::var_os("ODESYNC_PDF_FOLDER") {
                let file = format!("{name}_{width}.pdf");
                page.save(std::path::Path::new(&folder).join(file))
                    .expect("saved");
            }
        }
        count += 1;
    }
    assert!(count > gallery_print::FIGURES.len());
}
