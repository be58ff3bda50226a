//! Tests of fonts from files and of notes.

use odesync_plot::{Figure, PageOptions, Style};

use super::pdf::{characters, unpacked};

fn temperature(page: PageOptions) -> Figure {
    Figure::new()
        .y_label("温度 s")
        .line([0.0, 1.0], [0.0, 1.0], Style::new())
        .expect("a line")
        .page(page)
}

fn font(file: &str) -> PageOptions {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fonts/");
    PageOptions::new()
        .font_file(format!("{folder}{file}"))
        .expect("a font")
}

#[test]
fn characters_without_a_glyph_are_said_until_a_font_has_them() {
    let notes = temperature(PageOptions::new()).notes();
    let [note] = &notes[..] else {
        panic!("one note: {notes:?}")
    };
    for part in ["度 (U+5EA6), 温 (U+6E29)", "font_file"] {
        assert!(note.contains(part), "{note}");
    }
    for file in ["boxes.ttf", "boxes.otf"] {
        assert!(temperature(font(file)).notes().is_empty(), "{file}");
    }
    let odd = Figure::new().title("ෆ").line([0.0], [0.0], Style::new());
    let odd = odd.expect("a line").page(font("boxes.ttf"));
    assert!(odd.notes().concat().contains("ෆ (U+0DC6)"));
}

#[test]
fn a_font_from_a_file_is_drawn_and_embedded() {
    let bundled = temperature(PageOptions::new());
    for (file, kind) in [("boxes.ttf", "/FontFile2"), ("boxes.otf", "/CIDFontType0C")] {
        let figure = temperature(font(file));
        let svg = figure.to_svg().expect("a figure");
        assert!(svg.contains("Boxes, DejaVu Sans"), "{file}");
        let png = figure.to_png(1.0).expect("a figure");
        assert_ne!(png, bundled.to_png(1.0).expect("a figure"), "{file}");
        let text = unpacked(&figure.to_pdf().expect("a PDF"));
        assert!(
            text.contains(kind) && text.contains("+Boxes-Regular"),
            "{file}"
        );
        // The digits of the ticks come from the bundled font.
        assert!(text.contains("+DejaVuSans"), "{file}");
        let found = characters(&text);
        for c in "温度s0.".chars() {
            assert!(found.contains(c), "{file}: {c} in {found}");
        }
    }
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for path in [manifest, "no/such/file.ttf"] {
        let error = PageOptions::new().font_file(path).unwrap_err().to_string();
        assert!(error.contains(path), "{error}");
    }
}

#[test]
fn values_that_a_logarithmic_axis_leaves_out_are_said() {
    let figure = Figure::new()
        .title("Losses")
        .log_y()
        .line(
            [0.0, 1.0, 2.0, 3.0],
            [1.0, 0.0, -2.0, f64::NAN],
            Style::new(),
        )
        .expect("a line");
    let notes = figure.notes();
    let [note] = &notes[..] else {
        panic!("one note: {notes:?}")
    };
    assert!(
        note.contains("\"Losses\": 2 values are not positive"),
        "{note}"
    );
    assert!(note.contains("symlog_y"), "{note}");
    let positive = Figure::new().log_y().line([0.0], [1.0], Style::new());
    assert!(positive.expect("a line").notes().is_empty());
}

#[test]
fn commands_that_are_not_known_are_said() {
    let figure = Figure::new()
        .title(r"$\alhpa + \beta$")
        .line([0.0, 1.0], [0.0, 1.0], Style::new())
        .expect("a line");
    let notes = figure.notes();
    assert!(
        notes.len() == 1 && notes[0].contains(r"\alhpa"),
        "{notes:?}"
    );
}
