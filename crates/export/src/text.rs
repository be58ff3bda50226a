//! What all languages share: identifiers, numbers, lists of numbers, lines of statements.

use odesync_ode::field::{ParamBlock, VectorField};

/// Width of the lines that hold numbers.
const WIDTH: usize = 120;

/// Words that no identifier may be, of all languages together.
const RESERVED: &[&str] = &[
    // Python
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    // Julia
    "baremodule",
    "begin",
    "catch",
    "const",
    "do",
    "elseif",
    "end",
    "export",
    "false",
    "function",
    "let",
    "local",
    "macro",
    "module",
    "public",
    "quote",
    "struct",
    "true",
    "using",
    "where",
];

/// Returns a name as an identifier: letters, digits and `_` of ASCII, and no reserved word.
fn identifier(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let mut text: String = name.chars().map(plain).collect();
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        text.insert_str(0, "p_");
    }
    if RESERVED.contains(&text.as_str()) {
        text.push('_');
    }
    text
}

/// Returns an identifier for each parameter block of a field, all of them different.
pub(crate) fn block_identifiers(field: &VectorField) -> Vec<String> {
    let mut taken: Vec<String> = vec![];
    for block in field.blocks() {
        let mut name = identifier(&block.name);
        while taken.contains(&name) {
            name.push('_');
        }
        taken.push(name);
    }
    taken
}

/// Returns text as one line of printable characters, as it may stand in a comment.
pub(crate) fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    // What would end a comment of C or a docstring of Python does not.
    let text: String = text.chars().map(plain).collect();
    text.replace("*/", "* /")
        .replace("\"\"\"", "'''")
        .replace('\\', "/")
}

/// Returns the remark on a parameter block: its name where the identifier is another one, and whether it is trained.
pub(crate) fn block_remark(block: &ParamBlock, identifier: &str) -> String {
    let mut parts = vec![];
    if block.name != identifier {
        parts.push(one_line(&block.name));
    }
    if block.trainable {
        parts.push("trained".to_string());
    }
    parts.join(", ")
}

/// Returns those of the texts that are needed, after an empty line; nothing where none is.
pub(crate) fn needed_texts(texts: &[(bool, &str)]) -> String {
    let needed = texts.iter().filter(|(is_needed, _)| *is_needed);
    let needed: String = needed.map(|(_, text)| *text).collect();
    match needed.is_empty() {
        true => needed,
        false => format!("\n{needed}"),
    }
}

/// Words for numbers that have no digits: infinity and not-a-number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NonFinite {
    pub infinity: &'static str,
    pub nan: &'static str,
}

impl NonFinite {
    /// Returns a number in the fewest digits that are read back as the same number.
    pub fn number(self, x: f64) -> String {
        match x {
            _ if x.is_nan() => self.nan.to_string(),
            _ if x.is_infinite() && x > 0.0 => self.infinity.to_string(),
            _ if x.is_infinite() => format!("-{}", self.infinity),
            _ => format!("{x:?}"),
        }
    }

    /// Returns a number that may stand beside any operator.
    pub fn operand(self, x: f64) -> String {
        match x.is_sign_negative() {
            true => format!("({})", self.number(x)),
            false => self.number(x),
        }
    }

    /// Returns numbers with commas between, in lines of limited width; the lines after the first begin with `indent`.
    pub fn list(self, values: &[f64], indent: &str) -> String {
        let (mut text, mut width) = (String::new(), indent.len());
        for (i, x) in values.iter().enumerate() {
            let number = self.number(*x);
            if i > 0 {
                text.push(',');
                match width + number.len() + 3 > WIDTH {
                    true => {
                        text.push('\n');
                        text.push_str(indent);
                        width = indent.len();
                    }
                    false => {
                        text.push(' ');
                        width += 2;
                    }
                }
            }
            width += number.len();
            text.push_str(&number);
        }
        text
    }
}

/// Statements that are being written, and the number of the next variable.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    pub lines: Vec<String>,
    next: usize,
}

impl Statements {
    /// Returns the name of a new variable.
    pub fn variable(&mut self) -> String {
        self.next += 1;
        format!("x{}", self.next)
    }

    /// Returns the statements, each line after this indent.
    pub fn text(&self, indent: &str) -> String {
        self.lines
            .iter()
            .map(|line| format!("{indent}{line}\n"))
            .collect()
    }
}
