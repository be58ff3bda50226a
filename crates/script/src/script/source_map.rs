//! The source texts that a session evaluated, and the location in them of a position that rhai gives.

use rhai::Position;

/// Largest line number that a position can hold.
const MAX_LINES: usize = u16::MAX as usize;

/// The source texts in the order of their evaluation.
///
/// A function keeps the positions of its text, but not the text's name: rhai assigns the functions of all texts to the name of
/// the latest. So the lines of a session have consecutive numbers: each text begins where the one before it ended.
#[derive(Debug, Default)]
pub(super) struct SourceMap {
    texts: Vec<SourceText>,
    /// Number of lines of all texts.
    lines: usize,
}

/// One source text.
#[derive(Debug)]
pub(super) struct SourceText {
    pub name: String,
    /// Number of lines of all texts before it.
    lines_before: usize,
    text: String,
}

impl SourceText {
    /// Returns a line of the text; `number` counts from 1.
    pub fn line(&self, number: usize) -> Option<&str> {
        self.text.lines().nth(number.checked_sub(1)?)
    }

    /// Returns line and column, both from 1, of the first map key of this name in the call that begins at the given location.
    pub fn key_in_call(&self, line: usize, column: usize, key: &str) -> Option<(usize, usize)> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut lines = self.text.split_inclusive('\n');
        let before: usize = lines
            .by_ref()
            .take(line.checked_sub(1)?)
            .map(str::len)
            .sum();
        let (inside, _) = lines.next()?.char_indices().nth(column.checked_sub(1)?)?;
        let call = &self.text[before + inside..];
        let (mut depth, mut quoted) = (0_usize, false);
        let end = call.find(|c| {
            quoted ^= c == '"';
            match c {
                '(' if !quoted => depth += 1,
                ')' if !quoted => {
                    depth = depth.saturating_sub(1);
                    return depth == 0;
                }
                _ => {}
            }
            false
        })?;
        let (at, _) = call[..end].match_indices(key).find(|(at, _)| {
            let after = call[at + key.len()..].trim_start();
            !call[..*at].ends_with(is_word) && after.starts_with(':')
        })?;
        let before = &self.text[..before + inside + at];
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        Some((
            before.matches('\n').count() + 1,
            before[start..].chars().count() + 1,
        ))
    }

    /// Returns the number and the text of the last line that is not blank.
    pub fn last_line(&self) -> Option<(usize, &str)> {
        let lines = self.text.lines().enumerate();
        let last = lines.filter(|(_, line)| !line.trim().is_empty()).last();
        last.map(|(index, line)| (index + 1, line))
    }
}

impl SourceMap {
    /// Adds a text, and returns it shifted down so that rhai's line numbers are those of the session.
    pub fn add(&mut self, name: &str, text: &str) -> String {
        let lines = text.matches('\n').count() + 1;
        if self.lines + lines > MAX_LINES {
            // Functions of earlier texts have no locations from here on.
            self.texts.clear();
            self.lines = 0;
        }
        let code = "\n".repeat(self.lines) + text;
        self.texts.push(SourceText {
            name: name.into(),
            lines_before: self.lines,
            text: text.into(),
        });
        self.lines += lines;
        code
    }

    /// Returns whether a text has this name.
    pub fn has(&self, name: &str) -> bool {
        self.latest(name).is_some()
    }

    /// Returns the latest text of this name.
    pub fn latest(&self, name: &str) -> Option<&SourceText> {
        self.texts.iter().rfind(|source| source.name == name)
    }

    /// Returns the text that a position is in, and the line in it, from 1.
    pub fn locate(&self, position: Position) -> Option<(&SourceText, usize)> {
        let line = position.line()?;
        let source = self
            .texts
            .iter()
            .rfind(|source| source.lines_before < line)?;
        Some((source, line - source.lines_before))
    }
}
