//! Formulas in text: what stands between dollar signs, as in `"error of $\dot u_1^2$"`.
//!
//! The part of LaTeX that labels need: sub- and superscripts, Greek letters, accents, operators, roots and upright names. A formula
//! is laid out as runs of plain text, each with its size and its place, so that text stays text in every format.

mod parser;
mod symbols;

use super::font::width;
use parser::{Atom, Class, parse};

/// Size of a script relative to its base.
const SCRIPT: f64 = 0.7;
/// Smallest size of a script of a script.
const SMALLEST: f64 = 0.5;
/// Rise of a superscript's baseline, and fall of a subscript's, in em of the base.
const RISE: f64 = 0.36;
const FALL: f64 = 0.17;
/// Space around a relation and around an operator, in em.
const SPACE: f64 = 0.22;
/// Shift to the right of what stands over a slanted letter, in em per em of its height.
pub(super) const SLANT: f64 = 0.2;

/// Text of one size at one place of a label, in em of the label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TextRun {
    pub text: String,
    /// Position of its start.
    pub x: f64,
    /// Height of its baseline over that of the label.
    pub rise: f64,
    /// Size relative to that of the label.
    pub scale: f64,
    /// Whether its letters are slanted, as those of variables.
    pub slanted: bool,
}

/// A part of a label.
enum Part<'a> {
    Text(String),
    Formula(&'a str),
}

/// Whether a label has a formula: two dollar signs that no backslash makes plain ones.
pub(super) fn has_math(text: &str) -> bool {
    text.contains('$') && (text.contains("\\$") || dollars(text).len() >= 2)
}

/// Returns the positions of the dollar signs before which there is no backslash.
fn dollars(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let escaped = |i: usize| i > 0 && bytes.get(i - 1) == Some(&b'\\');
    let signs = text.match_indices('$').map(|(i, _)| i);
    signs.filter(|i| !escaped(*i)).collect()
}

/// Splits a label at its dollar signs; the last of an odd number is a dollar sign.
fn parts(text: &str) -> Vec<Part<'_>> {
    let plain = |text: &str| Part::Text(text.replace("\\$", "$"));
    let mut parts = Vec::new();
    let mut from = 0;
    for pair in dollars(text).chunks_exact(2) {
        parts.push(plain(&text[from..pair[0]]));
        parts.push(Part::Formula(&text[pair[0] + 1..pair[1]]));
        from = pair[1] + 1;
    }
    parts.push(plain(&text[from..]));
    parts
}

/// Returns the runs of a label, and its width in em.
pub(super) fn layout(text: &str) -> (Vec<TextRun>, f64) {
    let mut layout = Layout::default();
    for part in parts(text) {
        match part {
            Part::Text(text) => layout.text(&text, 1.0, 0.0, false),
            Part::Formula(formula) => layout.atoms(&parse(formula).0, 1.0, 0.0),
        }
    }
    (layout.runs, layout.x)
}

/// Returns the commands in a label's formulas that are not known.
pub(super) fn unknown_commands(text: &str) -> Vec<String> {
    let unknown = |part| match part {
        Part::Text(_) => vec![],
        Part::Formula(formula) => parse(formula).1,
    };
    match has_math(text) {
        true => parts(text).into_iter().flat_map(unknown).collect(),
        false => vec![],
    }
}

/// Returns a label in plain characters, as a terminal shows it: `u₁²`.
pub(super) fn to_plain(text: &str) -> String {
    if !has_math(text) {
        return text.to_owned();
    }
    let plain = |part| match part {
        Part::Text(text) => text,
        Part::Formula(formula) => plain_atoms(&parse(formula).0),
    };
    parts(text).into_iter().map(plain).collect()
}

#[derive(Default)]
struct Layout {
    runs: Vec<TextRun>,
    x: f64,
}

impl Layout {
    fn text(&mut self, text: &str, scale: f64, rise: f64, slanted: bool) {
        if text.is_empty() {
            return;
        }
        let advance = scale * width(text);
        let start = self.x;
        self.x += advance;
        // Letters that stand beside each other are one run, in which a reader can search.
        if let Some(last) = self.runs.last_mut() {
            let ends = last.x + last.scale * width(&last.text);
            let same = last.scale == scale && last.rise == rise && last.slanted == slanted;
            if same && (ends - start).abs() < 1e-9 {
                last.text.push_str(text);
                self.x = last.x + scale * width(&last.text);
                return;
            }
        }
        self.runs.push(TextRun {
            text: text.to_owned(),
            x: start,
            rise,
            scale,
            slanted,
        });
    }

    fn atoms(&mut self, atoms: &[Atom], scale: f64, rise: f64) {
        for (i, atom) in atoms.iter().enumerate() {
            let before = i.checked_sub(1).and_then(|i| atoms.get(i));
            let space = space_of(atom, before) * scale * SPACE;
            // Scripts are set without spaces.
            let space = if scale < 1.0 { 0.0 } else { space };
            self.x += space;
            self.atom(atom, scale, rise);
            self.x += space;
            if atom.class == Class::Function {
                let open = atoms
                    .get(i + 1)
                    .is_some_and(|next| next.text.starts_with('('));
                self.x += if open { 0.0 } else { 0.17 * scale };
            }
        }
    }

    fn atom(&mut self, atom: &Atom, scale: f64, rise: f64) {
        self.x += atom.space * scale;
        let start = self.x;
        self.text(&atom.text, scale, rise, atom.slanted);
        if !atom.group.is_empty() {
            self.atoms(&atom.group, scale, rise);
        }
        let end = self.x;
        if let Some(accent) = atom.accent {
            let tall = atom.text.chars().any(is_tall);
            let lift = if tall { 0.19 } else { 0.0 } * scale;
            let mark = accent.mark();
            let (size, up) = (accent.scale() * scale, lift + accent.lift() * scale);
            let lean = if atom.slanted {
                SLANT * 0.5 * scale
            } else {
                0.0
            };
            self.x = 0.5 * (start + end - size * width(mark)) + 0.6 * lean;
            self.text(mark, size, rise + up, false);
            self.x = end;
        }
        let small = (SCRIPT * scale).max(SMALLEST);
        let mut reach = end;
        // The two scripts stand one over the other.
        for (script, shift) in [(&atom.below, -FALL), (&atom.above, RISE)] {
            let Some(script) = script else { continue };
            self.x = end
                + if atom.slanted && shift > 0.0 {
                    0.06 * scale
                } else {
                    0.02 * scale
                };
            self.atoms(script, small, rise + shift * scale);
            reach = reach.max(self.x);
        }
        self.x = reach;
    }
}

/// Whether a letter rises above the height of an x.
fn is_tall(c: char) -> bool {
    c.is_uppercase() || c.is_ascii_digit() || "bdfhklt".contains(c) || "βδζθλξ".contains(c)
}

/// Returns the part of the operators' space that stands on either side of an atom.
fn space_of(atom: &Atom, before: Option<&Atom>) -> f64 {
    let sign = || match before {
        // A sign, not an operation.
        None => true,
        Some(before) => {
            matches!(before.class, Class::Relation | Class::Operator)
                || before.text.ends_with(['(', '[', ',', '{'])
        }
    };
    match atom.class {
        Class::Relation => 1.0,
        Class::Operator if !sign() => 0.8,
        _ => 0.0,
    }
}

fn plain_atoms(atoms: &[Atom]) -> String {
    let mut text = String::new();
    for (i, atom) in atoms.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| atoms.get(i));
        let space = if space_of(atom, before) > 0.0 {
            " "
        } else {
            ""
        };
        text.push_str(space);
        text.push_str(if atom.space > 0.0 { " " } else { "" });
        text.push_str(&atom.text);
        text.push_str(&plain_atoms(&atom.group));
        text.extend(atom.accent.map(|accent| accent.combining()));
        for (script, sign, table) in [
            (&atom.below, '_', symbols::SUBSCRIPTS),
            (&atom.above, '^', symbols::SUPERSCRIPTS),
        ] {
            if let Some(script) = script {
                text.push_str(&plain_script(&plain_atoms(script), sign, table));
            }
        }
        text.push_str(space);
        if atom.class == Class::Function {
            let open = atoms
                .get(i + 1)
                .is_some_and(|next| next.text.starts_with('('));
            text.push_str(if open { "" } else { " " });
        }
    }
    text
}

/// Returns a script in raised or lowered characters, or behind its sign where there are none.
fn plain_script(script: &str, sign: char, table: &[(char, char)]) -> String {
    let of = |c: char| {
        table
            .iter()
            .find(|(plain, _)| *plain == c)
            .map(|(_, small)| *small)
    };
    let small: Option<String> = script.chars().filter(|c| *c != ' ').map(of).collect();
    small.unwrap_or_else(|| match script.chars().count() {
        1 => format!("{sign}{script}"),
        _ => format!("{sign}({script})"),
    })
}

#[cfg(test)]
mod tests;
