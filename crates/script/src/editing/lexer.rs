//! A lexer for code that is being typed, for highlighting, the detection of unfinished inputs, and the call around the cursor.
//!
//! rhai's own lexer stops at the first error; code that is being typed contains many.

use std::ops::Range;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A comment, to the end of its line or in `/* … */`.
    Comment,
    /// A string, a character, or a part of a template between its `${…}`.
    Text,
    /// A number.
    Number,
    /// A name or a keyword.
    Word,
    /// An operator, a bracket or another sign.
    Symbol,
}

/// A token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Kind of the token.
    pub kind: TokenKind,
    /// The token's bytes in the text.
    pub range: Range<usize>,
}

/// A bracket or a template that is open at the end of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenBracket {
    /// Kind of the bracket.
    pub kind: BracketKind,
    /// Index of the token of the bracket.
    pub token: usize,
}

/// The kind of an opening bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BracketKind {
    /// `(`.
    Round,
    /// `[`, also `?[`.
    Square,
    /// `{`.
    Curly,
    /// Opening bracket of an object map, `#{`.
    Map,
    /// Backquote of a template string, `` ` ``.
    Template,
    /// Interpolation in a template, `${`.
    Interpolation,
}

/// The state of the lexer at the end of a text, besides its open brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LexerState {
    /// In code.
    #[default]
    Plain,
    /// Within a block comment `/* …`.
    Comment,
    /// Within a line comment.
    LineComment,
    /// Within a string `"…`, which ends with its line.
    Text,
    /// Within a string `"…\`, which continues in the next line.
    ContinuedText,
}

/// The tokens of a text, without spaces, and the brackets that are open at its end.
#[derive(Debug, Default)]
pub struct TokenizedText {
    /// The tokens in order.
    pub tokens: Vec<Token>,
    /// The brackets that are open at the end, outermost first.
    pub open: Vec<OpenBracket>,
    /// Where the text ends: in code, a string or a comment.
    pub end: LexerState,
    /// Whether a closing bracket has no opening bracket.
    pub has_unmatched_close: bool,
}

/// Symbols of two characters that are one token.
const PAIRS: [&str; 14] = [
    "#{", "::", "**", "==", "!=", "<=", ">=", "&&", "||", "=>", "..", "??", "?.", "?[",
];

impl TokenizedText {
    /// Reads the tokens of a text.
    pub fn tokenize(text: &str) -> TokenizedText {
        let mut scan = TokenizedText::default();
        let mut at = 0;
        while at < text.len() {
            at = match scan.open.last().map(|frame| frame.kind) {
                Some(BracketKind::Template) => scan.template(text, at),
                _ => scan.code(text, at),
            };
        }
        scan
    }

    /// Returns the text of a token; empty where there is none of this index.
    pub fn text<'t>(&self, text: &'t str, token: usize) -> &'t str {
        let range = self.tokens.get(token).map(|token| token.range.clone());
        range.and_then(|range| text.get(range)).unwrap_or_default()
    }

    /// Whether the text is incomplete without another line.
    pub fn is_unfinished(&self, text: &str) -> bool {
        if self.has_unmatched_close || self.end == LexerState::Text {
            // No further line can correct it.
            return false;
        }
        if !self.open.is_empty()
            || matches!(self.end, LexerState::Comment | LexerState::ContinuedText)
        {
            return true;
        }
        let last = self.tokens.iter().rfind(|t| t.kind != TokenKind::Comment);
        last.is_some_and(|token| {
            let symbol = text.get(token.range.clone()).unwrap_or_default();
            token.kind == TokenKind::Symbol
                && !matches!(
                    symbol,
                    ")" | "]" | "}" | ";" | "!" | "?" | "@" | "#" | "$" | "\\" | "~"
                )
        })
    }

    fn push(&mut self, kind: TokenKind, range: Range<usize>) {
        self.tokens.push(Token { kind, range });
    }

    fn open(&mut self, opens: BracketKind) {
        let token = self.tokens.len().saturating_sub(1);
        self.open.push(OpenBracket { kind: opens, token });
    }

    /// Reads a part of a template, up to its end or to code within it; returns the end.
    fn template(&mut self, text: &str, from: usize) -> usize {
        let rest = &text[from..];
        let (end, inserted) = match (rest.find('`'), rest.find("${")) {
            (Some(end), Some(code)) if code < end => (code + 2, true),
            (None, Some(code)) => (code + 2, true),
            (Some(end), _) => (end + 1, false),
            (None, None) => {
                self.push(TokenKind::Text, from..text.len());
                return text.len();
            }
        };
        self.push(TokenKind::Text, from..from + end);
        match inserted {
            true => self.open(BracketKind::Interpolation),
            false => {
                self.open.pop();
            }
        }
        from + end
    }

    fn code(&mut self, text: &str, from: usize) -> usize {
        let rest = &text[from..];
        let Some(first) = rest.chars().next() else {
            return text.len();
        };
        let to = |length: usize| from + length;
        if first.is_whitespace() {
            return to(first.len_utf8());
        }
        if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            if end == rest.len() {
                self.end = LexerState::LineComment;
            }
            self.push(TokenKind::Comment, from..to(end));
            return to(end);
        }
        if rest.starts_with("/*") {
            let end = comment_end(rest);
            if end.is_none() {
                self.end = LexerState::Comment;
            }
            let end = to(end.unwrap_or(rest.len()));
            self.push(TokenKind::Comment, from..end);
            return end;
        }
        if first == '"' {
            let (end, how) = text_end(rest);
            if how != LexerState::Plain {
                self.end = how;
            }
            self.push(TokenKind::Text, from..to(end));
            return to(end);
        }
        if first == '\'' {
            let end = character_end(rest);
            self.push(TokenKind::Text, from..to(end));
            return to(end);
        }
        if first == '`' {
            self.push(TokenKind::Text, from..to(1));
            self.open(BracketKind::Template);
            return to(1);
        }
        if first.is_ascii_digit() {
            let end = number_end(rest);
            self.push(TokenKind::Number, from..to(end));
            return to(end);
        }
        if first.is_alphabetic() || first == '_' {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
            self.push(TokenKind::Word, from..to(end));
            return to(end);
        }
        let pair = PAIRS.iter().find(|pair| rest.starts_with(**pair));
        let length = pair.map_or(first.len_utf8(), |pair| pair.len());
        self.push(TokenKind::Symbol, from..to(length));
        match &rest[..length] {
            "(" => self.open(BracketKind::Round),
            "[" | "?[" => self.open(BracketKind::Square),
            "{" => self.open(BracketKind::Curly),
            "#{" => self.open(BracketKind::Map),
            ")" => self.close(&[BracketKind::Round]),
            "]" => self.close(&[BracketKind::Square]),
            "}" => self.close(&[
                BracketKind::Curly,
                BracketKind::Map,
                BracketKind::Interpolation,
            ]),
            _ => {}
        }
        to(length)
    }

    fn close(&mut self, fitting: &[BracketKind]) {
        match self.open.last() {
            Some(frame) if fitting.contains(&frame.kind) => {
                self.open.pop();
            }
            _ => self.has_unmatched_close = true,
        }
    }
}

/// Returns the length of a comment `/* … */`, which may be nested; `None` where it does not end.
fn comment_end(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = 0;
    loop {
        let next = at + text[at..].find(['/', '*'])?;
        if text[next..].starts_with("/*") {
            depth += 1;
            at = next + 2;
        } else if text[next..].starts_with("*/") {
            depth -= 1;
            at = next + 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at = next + 1;
        }
    }
}

/// Returns the length of a string in quotation marks, and the state at its end.
fn text_end(text: &str) -> (usize, LexerState) {
    let mut letters = text.char_indices().skip(1);
    while let Some((i, c)) = letters.next() {
        match c {
            '"' => return (i + 1, LexerState::Plain),
            // A backslash at the end of a line continues the string in the next line.
            '\\' => match letters.next() {
                None => return (text.len(), LexerState::ContinuedText),
                Some((i, '\n')) if i + 1 == text.len() => {
                    return (text.len(), LexerState::ContinuedText);
                }
                Some(_) => {}
            },
            '\n' => return (i, LexerState::Text),
            _ => {}
        }
    }
    (text.len(), LexerState::Text)
}

fn character_end(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    while let Some((i, c)) = letters.next() {
        match c {
            '\'' => return i + 1,
            '\\' => {
                letters.next();
            }
            '\n' => return i,
            _ => {}
        }
    }
    text.len()
}

/// Returns the end of a number: digits, a point not followed by a name or another point, an exponent.
fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    let is = |i: usize, test: fn(&u8) -> bool| bytes.get(i).is_some_and(test);
    let hexadecimal = text.starts_with("0x") || text.starts_with("0b") || text.starts_with("0o");
    while at < bytes.len() {
        let c = bytes[at];
        let exponent = matches!(c, b'e' | b'E') && !hexadecimal;
        if c == b'.'
            && (is(at + 1, |b| {
                *b == b'.' || b.is_ascii_alphabetic() || *b == b'_'
            }))
        {
            break;
        }
        if exponent && is(at + 1, |b| matches!(b, b'+' | b'-')) {
            at += 2;
        } else if c.is_ascii_alphanumeric() || c == b'.' || c == b'_' {
            at += 1;
        } else {
            break;
        }
    }
    at
}

/// Returns the last statement of a complete input: its start and its text.
pub fn last_statement(code: &str) -> (usize, &str) {
    let scan = TokenizedText::tokenize(code);
    let mut depth = 0i32;
    let mut start = 0;
    let mut next = true;
    for (i, token) in scan.tokens.iter().enumerate() {
        if token.kind == TokenKind::Comment {
            continue;
        }
        if std::mem::take(&mut next) {
            start = token.range.start;
        }
        match scan.text(code, i) {
            "(" | "[" | "{" | "#{" | "?[" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            ";" if depth == 0 => next = true,
            _ => {}
        }
    }
    (start, code.get(start..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unfinished(text: &str) -> bool {
        TokenizedText::tokenize(text).is_unfinished(text)
    }

    fn words(text: &str) -> Vec<&str> {
        let scan = TokenizedText::tokenize(text);
        let tokens = scan.tokens.iter();
        tokens.map(|token| &text[token.range.clone()]).collect()
    }

    #[test]
    fn brackets_templates_and_comments_go_on() {
        for text in [
            "f(1,",
            "[1, [2]",
            "#{ a: 1",
            "if x {",
            "/* a /* b */",
            "`two",
            "`a ${f(",
            "`a ${x} b",
            "let x =",
            "1 +",
            "x.f() // rest\n  .",
            "\"a\\",
            "a &&",
            "f(|x|",
        ] {
            assert!(unfinished(text), "{text}");
        }
        for text in [
            "",
            "f(1)",
            "x;",
            "#{ a: [1] }",
            "`a ${#{ b: 1 }} c`",
            "/* a /* b */ c */",
            "// (",
            "\"(\"",
            "'('",
            "`(`",
            "x ]",
            "f(\"a",
            "let x = 1 // =",
            "\"a\\\"b\"",
        ] {
            assert!(!unfinished(text), "{text}");
        }
    }

    #[test]
    fn tokens_are_those_of_the_language() {
        assert_eq!(
            words("x.f(#{a:1e-3})"),
            ["x", ".", "f", "(", "#{", "a", ":", "1e-3", "}", ")"]
        );
        assert_eq!(
            words("0..3 2.5.sin() 1.max"),
            ["0", "..", "3", "2.5", ".", "sin", "(", ")", "1", ".", "max"]
        );
        assert_eq!(words("`a${b}c`"), ["`", "a${", "b", "}", "c`"]);
        assert_eq!(words("λ**2 // c\n'x'"), ["λ", "**", "2", "// c", "'x'"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "[\\PC\n\"'`${}#\\\\/*().0-9e+-]{0,60}") {
            let scan = TokenizedText::tokenize(&text);
            scan.is_unfinished(&text);
            let mut last = 0;
            for token in &scan.tokens {
                assert!(token.range.start >= last && text.get(token.range.clone()).is_some());
                last = token.range.end;
            }
            assert!(text[last..].trim().is_empty());
        }
    }

    #[test]
    fn a_sign_that_means_nothing_waits_for_nothing() {
        for text in ["@", "1 @", "#", "$", "~"] {
            assert!(!TokenizedText::tokenize(text).is_unfinished(text), "{text}");
        }
        for text in ["1 +", "let a =", "f(", "a,"] {
            assert!(TokenizedText::tokenize(text).is_unfinished(text), "{text}");
        }
    }

    #[test]
    fn the_last_statement_begins_behind_the_others() {
        let last = |code| last_statement(code).1;
        assert_eq!(last("plot(x)"), "plot(x)");
        assert_eq!(
            last("let a = [1; 2]; let b = #{ c: \";\" };\nf(|x| { x; 1 })"),
            "f(|x| { x; 1 })"
        );
        assert_eq!(last(""), "");
    }
}
