//! The bundled font: widths and outlines of text, so that no font of the system is needed.

use std::ops::Range;
use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId, OutlineCurve};

use super::drawing_context;

/// The font family of SVG files: the fallbacks where DejaVu Sans is missing have nearly the same widths.
const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// Height of the letter x, in em.
pub(super) const X_HEIGHT: f64 = 0.547;
/// Height of a capital letter, in em.
pub(super) const CAP_HEIGHT: f64 = 0.729;

static FONT: LazyLock<FontRef<'static>> =
    LazyLock::new(|| FontRef::try_from_slice(BUNDLED).expect("the bundled font is sound"));

/// The bundled font's file.
pub(super) static BUNDLED: &[u8] = include_bytes!("../fonts/DejaVuSans-subset.ttf");

/// A glyph of the user's font or of the bundled one.
#[derive(Debug, Clone)]
pub(super) struct Glyph {
    /// Whether the glyph is of the user's font.
    pub from_file: bool,
    pub id: GlyphId,
    /// Position of its start, in em.
    pub start: f64,
    /// Width, in em.
    pub advance: f64,
    /// Place of its character in the text.
    pub bytes: Range<usize>,
}

/// Returns the width of `text` in em; its dollar signs are dollar signs.
pub(super) fn width(text: &str) -> f64 {
    glyphs(text).1
}

/// Returns the characters for which neither font has a glyph, each once.
pub(super) fn missing_glyphs(text: &str) -> Vec<char> {
    let drawn = glyphs(text).0;
    let missing = drawn.iter().filter(|glyph| glyph.id.0 == 0);
    let mut characters: Vec<char> = missing
        .filter_map(|glyph| text.get(glyph.bytes.clone())?.chars().next())
        .filter(|c| !c.is_control())
        .collect();
    characters.sort_unstable();
    characters.dedup();
    characters
}

/// Returns the outline curves of `text` in em: x from the start of the text, y upwards from the baseline.
pub(super) fn outline(text: &str) -> Vec<OutlineCurve> {
    let user = drawing_context::font();
    let mut curves = Vec::new();
    for glyph in glyphs(text).0 {
        let (outline, em) = match &user {
            Some(font) if glyph.from_file => {
                (font.face.outline(glyph.id), units_per_em(&font.face) as f32)
            }
            _ => (FONT.outline(glyph.id), units_per_em(&*FONT) as f32),
        };
        let Some(outline) = outline else {
            continue;
        };
        let start = glyph.start as f32;
        let to_em = |p: ab_glyph::Point| ab_glyph::point(p.x / em + start, p.y / em);
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

/// Returns the glyphs of `text`, and its width in em.
pub(super) fn glyphs(text: &str) -> (Vec<Glyph>, f64) {
    let user = drawing_context::font();
    let mut x = 0.0;
    let mut glyphs: Vec<Glyph> = Vec::new();
    for (at, c) in text.char_indices() {
        let mut add =
            |from_file: bool, id: GlyphId, kern: &dyn Fn(GlyphId) -> f64, advance: f64| {
                // Pairs of one font are kerned.
                if let Some(before) = glyphs.last().filter(|g| g.from_file == from_file) {
                    x += kern(before.id);
                }
                glyphs.push(Glyph {
                    from_file,
                    id,
                    start: x,
                    advance,
                    bytes: at..at + c.len_utf8(),
                });
                x += advance;
            };
        let known = user
            .as_ref()
            .map(|font| (&font.face, font.face.glyph_id(c)))
            .filter(|(_, id)| id.0 != 0);
        match known {
            Some((face, id)) => {
                let em = units_per_em(face);
                let advance = f64::from(face.h_advance_unscaled(id)) / em;
                let kern = |before| f64::from(face.kern_unscaled(before, id)) / em;
                add(true, id, &kern, advance);
            }
            None => {
                let (em, id) = (units_per_em(&*FONT), FONT.glyph_id(c));
                let advance = f64::from(FONT.h_advance_unscaled(id)) / em;
                let kern = |before| f64::from(FONT.kern_unscaled(before, id)) / em;
                add(false, id, &kern, advance);
            }
        }
    }
    (glyphs, x)
}

fn units_per_em(face: &impl Font) -> f64 {
    f64::from(face.units_per_em().unwrap_or(2048.0))
}

/// Returns the list of families of SVG text: the user's, then the bundled one with its likes.
pub(super) fn families() -> String {
    match drawing_context::font() {
        Some(font) => format!("{}, {FAMILY}", font.family),
        None => FAMILY.to_owned(),
    }
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
}
