//! A canvas of characters: lines as braille dots, 2 × 4 per character, and areas as half blocks.

use super::super::bitmap::Bitmap;
use super::super::geometry::{Point, Rect, clip_line};
use super::super::scene::{Primitive, Scene};
use super::cell::{BLANK, Rgb, TextBlock, TextCell};

/// Background colour of missing values; without colour it is shown as a missing value.
const MISSING_COLOR: Rgb = (0xf4, 0xf4, 0xf4);
const WHITE: Rgb = (255, 255, 255);

/// Opacity below which an area is dithered with dots.
const DITHER_ALPHA: f64 = 0.5;

pub(super) struct TextCanvas {
    columns: usize,
    rows: usize,
    /// Dots of each character, in braille's order of bits.
    dots: Vec<u8>,
    fg: Vec<Option<Rgb>>,
    /// Background colours of the upper and lower half of each character.
    bg: Vec<[Option<Rgb>; 2]>,
    characters: Vec<Option<char>>,
    /// Whether small areas are shown by their outline, because they are markers and arrowheads.
    pub outline_small_areas: bool,
}

impl TextCanvas {
    pub fn new(columns: usize, rows: usize) -> TextCanvas {
        let n = columns * rows;
        TextCanvas {
            columns,
            rows,
            dots: vec![0; n],
            fg: vec![None; n],
            bg: vec![[None; 2]; n],
            characters: vec![None; n],
            outline_small_areas: true,
        }
    }

    /// Returns the rectangle of the canvas in dots.
    pub fn rect(&self) -> Rect {
        Rect {
            left: 0.0,
            top: 0.0,
            right: (2 * self.columns) as f64,
            bottom: (4 * self.rows) as f64,
        }
    }

    pub fn paint(&mut self, scene: &Scene) {
        for item in &scene.items {
            match item {
                Primitive::Path {
                    points,
                    color,
                    width,
                } if *width > 0.0 => self.path(points, color.0),
                Primitive::Area { points, color } => self.area(points, *color),
                Primitive::Disc { center, color, .. } => self.dot(*center, color.0),
                Primitive::Image { rect, bitmap, .. } => self.image(rect, bitmap),
                Primitive::Path { .. } | Primitive::Text { .. } => {}
            }
        }
    }

    fn dot(&mut self, (x, y): Point, color: Rgb) {
        // A white rim, which separates a mark from colours in other formats, would hide the mark here.
        if color == WHITE || !x.is_finite() || !y.is_finite() || x < 0.0 || y < 0.0 {
            return;
        }
        let (x, y) = (x as usize, y as usize);
        if x >= 2 * self.columns || y >= 4 * self.rows {
            return;
        }
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let at = y / 4 * self.columns + x / 2;
        self.dots[at] |= BITS[y % 4][x % 2];
        self.fg[at] = Some(color);
    }

    fn path(&mut self, points: &[Point], color: Rgb) {
        if let [point] = points {
            self.dot(*point, color);
        }
        for piece in clip_line(points, &self.rect()) {
            for pair in piece.windows(2) {
                let [a, b] = [pair[0], pair[1]];
                let steps = (b.0 - a.0).abs().max((b.1 - a.1).abs()).ceil().max(1.0);
                for i in 0..=steps as usize {
                    let s = i as f64 / steps;
                    self.dot((a.0 + s * (b.0 - a.0), a.1 + s * (b.1 - a.1)), color);
                }
            }
        }
    }

    fn area(&mut self, points: &[Point], (rgb, alpha): (Rgb, f64)) {
        let extent = |of: fn(&Point) -> f64| {
            let values = points.iter().map(of);
            values.clone().fold(f64::NEG_INFINITY, f64::max) - values.fold(f64::INFINITY, f64::min)
        };
        let (width, height) = (extent(|p| p.0), extent(|p| p.1));
        if self.outline_small_areas && width < 9.0 && height < 9.0 {
            self.path(points, rgb);
            return;
        }
        if alpha < DITHER_ALPHA {
            for y in (0..4 * self.rows).step_by(2) {
                for x in (y / 2 % 2..2 * self.columns).step_by(2) {
                    let at = (x as f64 + 0.5, y as f64 + 0.5);
                    if polygon_contains(points, at) {
                        self.dot(at, rgb);
                    }
                }
            }
            return;
        }
        for half in 0..2 * self.rows {
            for column in 0..self.columns {
                let at = ((2 * column + 1) as f64, (2 * half + 1) as f64);
                if polygon_contains(points, at) {
                    self.fill_half_cell(column, half, rgb);
                }
            }
        }
    }

    /// Sets the background colour of half a character and removes the dots there.
    fn fill_half_cell(&mut self, column: usize, half: usize, rgb: Rgb) {
        let at = half / 2 * self.columns + column;
        let kept = if half.is_multiple_of(2) { 0xe4 } else { 0x1b };
        self.dots[at] &= kept;
        self.bg[at][half % 2] = (rgb != WHITE).then_some(rgb);
    }

    fn image(&mut self, rect: &Rect, bitmap: &Bitmap) {
        if rect.width() <= 0.0 || rect.height() <= 0.0 {
            return;
        }
        for half in 0..2 * self.rows {
            for column in 0..self.columns {
                let (x, y) = ((2 * column + 1) as f64, (2 * half + 1) as f64);
                if !rect.contains((x, y)) {
                    continue;
                }
                let j = (x - rect.left) / rect.width() * f64::from(bitmap.width);
                let i = (y - rect.top) / rect.height() * f64::from(bitmap.height);
                let last = |n: u32| n.saturating_sub(1) as usize;
                let [r, g, b, alpha] = bitmap.pixel(
                    (i as usize).min(last(bitmap.height)),
                    (j as usize).min(last(bitmap.width)),
                );
                if alpha > 127 {
                    self.fill_half_cell(column, half, (r, g, b));
                }
            }
        }
    }

    /// Writes text from a character on, over what is already drawn.
    pub fn write(&mut self, column: i64, row: i64, text: &str) {
        let Some(row) = usize::try_from(row).ok().filter(|r| *r < self.rows) else {
            return;
        };
        for (i, c) in text.chars().enumerate() {
            let at = usize::try_from(column + i as i64)
                .ok()
                .filter(|c| *c < self.columns);
            if let Some(column) = at {
                self.characters[row * self.columns + column] = Some(c);
            }
        }
    }

    pub fn block(&self, colour: bool) -> TextBlock {
        (0..self.rows)
            .map(|row| {
                (0..self.columns)
                    .map(|column| self.cell(row * self.columns + column, colour))
                    .collect()
            })
            .collect()
    }

    fn cell(&self, at: usize, colour: bool) -> TextCell {
        let [upper, lower] = self.bg[at];
        let character = match (self.characters[at], self.dots[at]) {
            (Some(letter), _) => {
                return TextCell {
                    character: letter,
                    ..BLANK
                };
            }
            (None, 0) => None,
            (None, dots) => char::from_u32(0x2800 + u32::from(dots)),
        };
        if let Some(character) = character {
            return TextCell {
                character,
                fg: self.fg[at],
                bg: upper.or(lower),
            };
        }
        let cell = |character, color, bg| TextCell {
            character,
            fg: color,
            bg,
        };
        match (upper, lower, colour) {
            (None, None, _) => BLANK,
            (Some(a), Some(b), false) => cell(
                density_char(0.5 * (lightness(a) + lightness(b))),
                None,
                None,
            ),
            (Some(a), None, false) | (None, Some(a), false) => {
                cell(density_char(lightness(a)), None, None)
            }
            (Some(a), b, true) => cell('▀', Some(a), b),
            (None, Some(b), true) => cell('▄', Some(b), None),
        }
    }
}

/// Returns the lightness of a colour from 0 to 1; −1 for the colour of missing values.
fn lightness(rgb: Rgb) -> f64 {
    if rgb == MISSING_COLOR {
        return -1.0;
    }
    (0.2126 * f64::from(rgb.0) + 0.7152 * f64::from(rgb.1) + 0.0722 * f64::from(rgb.2)) / 255.0
}

/// Returns the character for a lightness: the lighter the colour, the denser the character.
pub(super) fn density_char(lightness: f64) -> char {
    const RAMP: [char; 6] = [' ', '·', '░', '▒', '▓', '█'];
    match lightness {
        ..0.0 => ' ',
        v => RAMP[((v * 1.1 * RAMP.len() as f64) as usize).min(RAMP.len() - 1)],
    }
}

/// Whether a polygon contains a point (winding number).
fn polygon_contains(polygon: &[Point], (x, y): Point) -> bool {
    let mut winding = 0;
    for (i, b) in polygon.iter().enumerate() {
        let a = polygon[(i + polygon.len() - 1) % polygon.len()];
        let side = (b.0 - a.0) * (y - a.1) - (x - a.0) * (b.1 - a.1);
        if a.1 <= y && b.1 > y && side > 0.0 {
            winding += 1;
        } else if a.1 > y && b.1 <= y && side < 0.0 {
            winding -= 1;
        }
    }
    winding != 0
}
