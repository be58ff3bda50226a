//! Characters with their colours, and their output with ANSI escape sequences.

/// A colour: red, green, blue.
pub(super) type Rgb = (u8, u8, u8);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TextCell {
    pub character: char,
    pub fg: Option<Rgb>,
    pub bg: Option<Rgb>,
}

pub(super) const BLANK: TextCell = TextCell {
    character: ' ',
    fg: None,
    bg: None,
};

/// A block of text: lines of characters.
pub(super) type TextBlock = Vec<Vec<TextCell>>;

/// Returns text in the terminal's default colours.
pub(super) fn plain(text: &str) -> Vec<TextCell> {
    colored(text, None)
}

pub(super) fn colored(text: &str, fg: Option<Rgb>) -> Vec<TextCell> {
    let cell = |character| TextCell {
        character,
        fg,
        bg: None,
    };
    text.chars().filter(|c| !c.is_control()).map(cell).collect()
}

/// Returns the nearest of a terminal's 256 colours: of its cube of 6 × 6 × 6, or of its greys.
fn ansi256((r, g, b): Rgb) -> u8 {
    const STEPS: [i32; 6] = [0, 95, 135, 175, 215, 255];
    let far = |a: [i32; 3]| {
        let d = |x: i32, y: u8| (x - i32::from(y)).pow(2);
        d(a[0], r) + d(a[1], g) + d(a[2], b)
    };
    let near = |v: u8| {
        let distance = |i: &usize| (STEPS[*i] - i32::from(v)).abs();
        (0..6).min_by_key(distance).unwrap_or(0)
    };
    let (i, j, k) = (near(r), near(g), near(b));
    let mean = (i32::from(r) + i32::from(g) + i32::from(b)) / 3;
    let grey = ((mean - 3) / 10).clamp(0, 23);
    let shade = 8 + 10 * grey;
    match far([shade; 3]) < far([STEPS[i], STEPS[j], STEPS[k]]) {
        true => 232 + grey as u8,
        false => 16 + 36 * i as u8 + 6 * j as u8 + k as u8,
    }
}

/// Returns the lines with a line break after each; with `colour`, each line ends with a reset to the terminal's default colours.
pub(super) fn to_ansi(block: &TextBlock, colour: bool) -> String {
    let mut text = String::new();
    for line in block {
        let end = line.iter().rposition(|c| *c != BLANK).map_or(0, |i| i + 1);
        let mut now = (None, None);
        for cell in &line[..end] {
            let wanted = (cell.fg.map(ansi256), cell.bg.map(ansi256));
            if colour && wanted != now {
                text.push_str("\x1b[0m");
                if let Some(fg) = wanted.0 {
                    text.push_str(&format!("\x1b[38;5;{fg}m"));
                }
                if let Some(bg) = wanted.1 {
                    text.push_str(&format!("\x1b[48;5;{bg}m"));
                }
                now = wanted;
            }
            text.push(cell.character);
        }
        if now != (None, None) {
            text.push_str("\x1b[0m");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_the_nearest_of_the_256() {
        // Positions of xterm's cube: 16 + 36 r + 6 g + b.
        assert_eq!(ansi256((255, 0, 0)), 16 + 36 * 5);
        assert_eq!(ansi256((0, 95, 135)), 16 + 6 + 2);
        assert_eq!(ansi256((128, 128, 128)), 232 + 12);
    }
}
