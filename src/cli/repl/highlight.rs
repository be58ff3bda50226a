//! Colours while typing.

use nu_ansi_term::{Color, Style};
use reedline::{Highlighter, StyledText};

use super::commands;
use super::known::{KEYWORDS, Known, PLAIN, Shared};
use super::scan::{Kind, Scan};

/// See the module's text.
pub(super) struct Colours(pub Shared);

impl Highlighter for Colours {
    fn highlight(&self, line: &str, _cursor: usize) -> StyledText {
        let known = self.0.get();
        let mut styled = StyledText::new();
        let rest = line.trim_start();
        let mut at = 0;
        if let Some(command) = rest.strip_prefix(':') {
            let end = command.find(' ').unwrap_or(command.len());
            let style = match commands::find(&command[..end]) {
                Some(_) => Style::new().fg(Color::Magenta).bold(),
                None => Style::new(),
            };
            at = line.len() - command.len() + end;
            styled.push((style, line[..at].to_string()));
        }
        let code = &line[at..];
        let scan = Scan::of(code);
        let mut done = 0;
        for (i, token) in scan.tokens.iter().enumerate() {
            let (start, end) = (token.range.start, token.range.end);
            if start > done {
                styled.push((Style::new(), code[done..start].to_string()));
            }
            let next = scan.text(code, i + 1);
            styled.push((
                style(&known, token.kind, &code[start..end], next),
                code[start..end].to_string(),
            ));
            done = end;
        }
        styled.push((Style::new(), code[done..].to_string()));
        styled
    }
}

fn style(known: &Known, kind: Kind, text: &str, next: &str) -> Style {
    let plain = Style::new();
    match kind {
        Kind::Comment => plain.fg(Color::DarkGray),
        Kind::Text => plain.fg(Color::Green),
        Kind::Number => plain.fg(Color::Cyan),
        Kind::Symbol => plain,
        Kind::Word
            if matches!(text, "true" | "false") || known.catalogue.constants.contains(&text) =>
        {
            plain.fg(Color::Cyan)
        }
        Kind::Word if KEYWORDS.contains(&text) => plain.fg(Color::Magenta),
        Kind::Word if next == "(" => {
            let functions = &known.catalogue.functions;
            let own = || known.functions.iter().any(|f| f.name == text);
            match functions.contains(&text) || PLAIN.contains(&text) || own() {
                true => plain.fg(Color::Blue),
                false => plain,
            }
        }
        Kind::Word => plain,
    }
}
