//! The bundled font: widths and outlines of text, so that no font of the system is needed.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, OutlineCurve};

/// The font family of SVG files: the fallbacks where DejaVu Sans is missing have nearly the same widths.
pub(super) const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// Height of the letter x, in em.
pub(super) const X_HEIGHT: f64 = 0.547;
/// Height of a capital letter, in em.
pub(super) const CAP_HEIGHT: f64 = 0.729;

static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("../fonts/DejaVuSans-subset.ttf"))
        .expect("the bundled font is sound")
});

/// Returns the width of `text` in em.
pub(super) fn width(text: &str) -> f64 {
    glyphs(text).1
}

/// Returns the outline curves of `text` in em: x from the start of the text, y upwards from the baseline.
pub(super) fn outline(text: &str) -> Vec<OutlineCurve> {
    let em = units_per_em();
    let mut curves = Vec::new();
    for (glyph, start) in glyphs(text).0 {
        let Some(outline) = FONT.outline(glyph) else {
            continue;
        };
        let to_em = |p: ab_glyph::Point| ab_glyph::point(p.x / em + start as f32, p.y / em);
        curves.extend(outline.curves.into_iter().map(|curve| match curve {
            OutlineCurve::Line(a, b) => OutlineCurve::Line(to_em(a), to_em(b)),
            OutlineCurve::Quad(a, b, c) => OutlineCurve::Quad(to_em(a), to_em(b), to_em(c)),
            OutlineCurve::Cubic(a, b, c, d) => {
                OutlineCurve::Cubic(to_em(a), to_em(b), to_em(c), to_em(d))
            }
        }));
    }
    curves
}

/// Returns `text`, shortened with an ellipsis where it is wider than `most` em.
pub(super) fn ellipsize(text: &str, most: f64) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let short: String = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if width(&short) <= most {
            return short;
        }
    }
    "…".to_owned()
}

/// Returns the glyphs with their horizontal positions, and the total width, in em.
fn glyphs(text: &str) -> (Vec<(ab_glyph::GlyphId, f64)>, f64) {
    let em = f64::from(units_per_em());
    let mut x = 0.0;
    let mut glyphs: Vec<(ab_glyph::GlyphId, f64)> = Vec::new();
    for c in text.chars() {
        let glyph = FONT.glyph_id(c);
        if let Some((previous, _)) = glyphs.last() {
            x += f64::from(FONT.kern_unscaled(*previous, glyph)) / em;
        }
        glyphs.push((glyph, x));
        x += f64::from(FONT.h_advance_unscaled(glyph)) / em;
    }
    (glyphs, x)
}

fn units_per_em() -> f32 {
    FONT.units_per_em().unwrap_or(2048.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_dejavu_sans() {
        // Advance widths of 2.37, in units of 1/2048 em: digits 1303, minus 1716.
        assert!((width("0123") - 4.0 * 1303.0 / 2048.0).abs() < 1e-9);
        assert!((width("−") - 1716.0 / 2048.0).abs() < 1e-9);
    }

    #[test]
    fn what_figures_write_is_in_the_subset() {
        for c in "λ û ẋ θ₀ ×10⁻³⁴⁵⁶⁷⁸⁹⁰¹² … ± ∂ ∫ Σ é ß Ж → ≤ ‖ °"
            .chars()
            .filter(|c| *c != ' ')
        {
            assert_ne!(FONT.glyph_id(c).0, 0, "{c} is missing");
        }
    }

    #[test]
    fn long_text_is_cut_short() {
        assert_eq!(ellipsize("short", 10.0), "short");
        let cut = ellipsize("a label that goes on and on", 6.0);
        assert!(cut.ends_with('…') && width(&cut) <= 6.0, "{cut}");
        assert_eq!(ellipsize("wide", 0.1), "…");
    }
}
