//! Syntax highlighting of the input.

use nu_ansi_term::{Color, Style};
use reedline::{Highlighter, StyledText};

use super::commands;
use super::shared_symbols::SharedSymbols;
use odesync_script::editing::{BUILTIN_FUNCTIONS, KEYWORDS, SymbolTable, TokenKind, TokenizedText};

/// The highlighter of the line editor.
pub(super) struct ReplHighlighter(pub SharedSymbols);

impl Highlighter for ReplHighlighter {
    fn highlight(&self, line: &str, _cursor: usize) -> StyledText {
        let symbols = self.0.get();
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
        let scan = TokenizedText::tokenize(code);
        let mut done = 0;
        for (i, token) in scan.tokens.iter().enumerate() {
            let (start, end) = (token.range.start, token.range.end);
            if start > done {
                styled.push((Style::new(), code[done..start].to_string()));
            }
            let next = scan.text(code, i + 1);
            styled.push((
                style(&symbols, token.kind, &code[start..end], next),
                code[start..end].to_string(),
            ));
            done = end;
        }
        styled.push((Style::new(), code[done..].to_string()));
        styled
    }
}

fn style(symbols: &SymbolTable, kind: TokenKind, text: &str, next: &str) -> Style {
    let plain = Style::new();
    match kind {
        TokenKind::Comment => plain.fg(Color::DarkGray),
        TokenKind::Text => plain.fg(Color::Green),
        TokenKind::Number => plain.fg(Color::Cyan),
        TokenKind::Symbol => plain,
        TokenKind::Word
            if matches!(text, "true" | "false") || symbols.catalogue.constants.contains(&text) =>
        {
            plain.fg(Color::Cyan)
        }
        TokenKind::Word if KEYWORDS.contains(&text) => plain.fg(Color::Magenta),
        TokenKind::Word if next == "(" => {
            let functions = &symbols.catalogue.functions;
            let is_user_function = || symbols.functions.iter().any(|f| f.name == text);
            match functions.contains(&text)
                || BUILTIN_FUNCTIONS.contains(&text)
                || is_user_function()
            {
                true => plain.fg(Color::Blue),
                false => plain,
            }
        }
        TokenKind::Word => plain,
    }
}
