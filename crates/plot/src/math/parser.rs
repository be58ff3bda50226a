//! The parser of formulas.

use super::symbols::{AS_IS, FUNCTIONS, LETTERS, OPERATORS, SPACES, UPRIGHT};

/// Deepest nesting of groups; what is deeper is left out.
const MAX_DEPTH: usize = 24;

/// How an atom stands beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Class {
    #[default]
    Ordinary,
    /// With space on either side unless it is a sign.
    Operator,
    /// With space on either side.
    Relation,
    /// With space before its argument.
    Function,
}

/// A mark over a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accent {
    Dot,
    DoubleDot,
    Hat,
    Bar,
    Tilde,
    Arrow,
}

impl Accent {
    fn of(name: &str) -> Option<Accent> {
        Some(match name {
            "dot" => Accent::Dot,
            "ddot" => Accent::DoubleDot,
            "hat" | "widehat" => Accent::Hat,
            "bar" | "overline" => Accent::Bar,
            "tilde" | "widetilde" => Accent::Tilde,
            "vec" => Accent::Arrow,
            _ => return None,
        })
    }

    /// Returns the mark as a character with a width of its own.
    pub fn mark(self) -> &'static str {
        match self {
            Accent::Dot => "˙",
            Accent::DoubleDot => "¨",
            Accent::Hat => "ˆ",
            Accent::Bar => "¯",
            Accent::Tilde => "˜",
            Accent::Arrow => "→",
        }
    }

    /// Returns the size of the mark relative to the letter.
    pub fn scale(self) -> f64 {
        match self {
            Accent::Arrow => 0.6,
            _ => 1.0,
        }
    }

    /// Returns how far the mark is lifted over a letter of the height of an x, in em.
    pub fn lift(self) -> f64 {
        match self {
            Accent::Arrow => 0.42,
            _ => 0.0,
        }
    }

    /// Returns the mark as a character that stands over the one before it.
    pub fn combining(self) -> char {
        match self {
            Accent::Dot => '\u{307}',
            Accent::DoubleDot => '\u{308}',
            Accent::Hat => '\u{302}',
            Accent::Bar => '\u{304}',
            Accent::Tilde => '\u{303}',
            Accent::Arrow => '\u{20d7}',
        }
    }
}

/// A part of a formula: text or a group, with its accent and its scripts.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Atom {
    pub text: String,
    pub group: Vec<Atom>,
    /// Width of a space, in em.
    pub space: f64,
    pub slanted: bool,
    pub class: Class,
    pub accent: Option<Accent>,
    pub below: Option<Vec<Atom>>,
    pub above: Option<Vec<Atom>>,
}

impl Atom {
    fn text(text: impl Into<String>) -> Atom {
        Atom {
            text: text.into(),
            ..Atom::default()
        }
    }

    fn group(group: Vec<Atom>) -> Atom {
        let mut group = group;
        // A group of one is that one, so that scripts and accents know its letter.
        match (group.len(), group.pop()) {
            (1, Some(one)) if one.below.is_none() && one.above.is_none() => one,
            (_, last) => {
                group.extend(last);
                Atom {
                    group,
                    ..Atom::default()
                }
            }
        }
    }
}

/// Parses a formula; returns its atoms, and the commands that are not known.
pub(super) fn parse(formula: &str) -> (Vec<Atom>, Vec<String>) {
    let mut parser = Parser {
        rest: formula.chars().peekable(),
        unknown: vec![],
        depth: 0,
    };
    let mut atoms = parser.list();
    // A brace that closes nothing is passed over.
    while parser.rest.next().is_some() {
        atoms.extend(parser.list());
    }
    (atoms, parser.unknown)
}

struct Parser<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    unknown: Vec<String>,
    depth: usize,
}

impl Parser<'_> {
    /// Parses atoms up to a closing brace or the end.
    fn list(&mut self) -> Vec<Atom> {
        self.depth += 1;
        let mut atoms: Vec<Atom> = Vec::new();
        while let Some(&c) = self.rest.peek() {
            match c {
                '}' => break,
                '_' | '^' => {
                    self.rest.next();
                    let script = self.argument();
                    if atoms.is_empty() {
                        atoms.push(Atom::default());
                    }
                    if let Some(base) = atoms.last_mut() {
                        let place = if c == '_' {
                            &mut base.below
                        } else {
                            &mut base.above
                        };
                        place.get_or_insert_default().extend(script);
                    }
                }
                '\'' => {
                    self.rest.next();
                    if let Some(base) = atoms.last_mut() {
                        base.above.get_or_insert_default().push(Atom::text("′"));
                    }
                }
                _ => atoms.extend(self.atom()),
            }
        }
        self.depth -= 1;
        atoms
    }

    /// Parses one atom without scripts; `None` for a space.
    fn atom(&mut self) -> Option<Atom> {
        let c = self.rest.next()?;
        Some(match c {
            '{' => Atom::group(self.braced()),
            '\\' => return self.command(),
            c if c.is_whitespace() => return None,
            c => match OPERATORS.iter().find(|(name, ..)| is_char(name, c)) {
                Some((_, text, class)) => Atom {
                    class: *class,
                    ..Atom::text(*text)
                },
                None => Atom {
                    slanted: is_variable(c),
                    ..Atom::text(c)
                },
            },
        })
    }

    /// Parses the rest of a group whose brace was opened.
    fn braced(&mut self) -> Vec<Atom> {
        let atoms = match self.depth < MAX_DEPTH {
            true => self.list(),
            false => {
                while self.rest.peek().is_some_and(|c| *c != '}') {
                    self.rest.next();
                }
                vec![]
            }
        };
        if self.rest.peek() == Some(&'}') {
            self.rest.next();
        }
        atoms
    }

    /// Parses what a command or a script applies to: a group, or one atom.
    fn argument(&mut self) -> Vec<Atom> {
        while self.rest.peek().is_some_and(|c| c.is_whitespace()) {
            self.rest.next();
        }
        match self.rest.peek() {
            None | Some('}') => vec![],
            Some('{') => {
                self.rest.next();
                self.braced()
            }
            Some(_) if self.depth >= MAX_DEPTH => {
                self.rest.next();
                vec![]
            }
            Some(_) => {
                self.depth += 1;
                let atom = self.atom();
                self.depth -= 1;
                atom.into_iter().collect()
            }
        }
    }

    /// Returns the argument of a command as text.
    fn text_argument(&mut self) -> String {
        if self.rest.peek() != Some(&'{') {
            return self.rest.next().map(String::from).unwrap_or_default();
        }
        self.rest.next();
        let mut text = String::new();
        let mut open = 1;
        for c in self.rest.by_ref() {
            match c {
                '{' => open += 1,
                '}' => open -= 1,
                _ => {}
            }
            if open == 0 {
                break;
            }
            text.push(c);
        }
        text
    }

    fn command(&mut self) -> Option<Atom> {
        let first = self.rest.next()?;
        let mut name = String::from(first);
        if first.is_ascii_alphabetic() {
            while let Some(c) = self.rest.next_if(char::is_ascii_alphabetic) {
                name.push(c);
            }
        }
        let name = name.as_str();
        if let Some((_, text)) = LETTERS.iter().find(|(known, _)| *known == name) {
            let slanted = text
                .chars()
                .all(|c| ('α'..='ω').contains(&c) || "ϑϱ".contains(c));
            return Some(Atom {
                slanted,
                ..Atom::text(*text)
            });
        }
        if let Some((_, text, class)) = OPERATORS.iter().find(|(known, ..)| *known == name) {
            return Some(Atom {
                class: *class,
                ..Atom::text(*text)
            });
        }
        if let Some((_, space)) = SPACES.iter().find(|(known, _)| *known == name) {
            return (*space > 0.0).then(|| Atom {
                space: *space,
                ..Atom::default()
            });
        }
        if FUNCTIONS.contains(&name) {
            return Some(Atom {
                class: Class::Function,
                ..Atom::text(name)
            });
        }
        if UPRIGHT.contains(&name) {
            return Some(self.upright());
        }
        if AS_IS.contains(&name) {
            return Some(Atom::group(self.argument()));
        }
        if let Some(accent) = Accent::of(name) {
            let mut base = Atom::group(self.argument());
            base.accent = Some(accent);
            return Some(base);
        }
        Some(match name {
            "frac" | "tfrac" | "dfrac" => {
                let (above, below) = (self.argument(), self.argument());
                let has_operator = |atoms: &[Atom]| {
                    let operator =
                        |atom: &Atom| matches!(atom.class, Class::Operator | Class::Relation);
                    atoms.iter().any(operator)
                };
                let (is_sum, is_long) = (
                    has_operator(&above),
                    below.len() > 2 || has_operator(&below),
                );
                let mut group = in_parentheses(above, is_sum);
                group.push(Atom::text("/"));
                group.extend(in_parentheses(below, is_long));
                Atom {
                    group,
                    ..Atom::default()
                }
            }
            "sqrt" => {
                let mut group = vec![Atom::text("√")];
                let argument = self.argument();
                let digits = |atom: &Atom| atom.text.chars().all(|c| c.is_ascii_digit());
                let is_long = argument.len() > 1 && !argument.iter().all(digits);
                group.extend(in_parentheses(argument, is_long));
                Atom {
                    group,
                    ..Atom::default()
                }
            }
            unknown => {
                self.unknown.push(format!("\\{unknown}"));
                Atom::text(format!("\\{unknown}"))
            }
        })
    }

    /// Parses an argument whose letters are upright; commands in it are known.
    fn upright(&mut self) -> Atom {
        let text = self.text_argument();
        if !text.contains('\\') {
            return Atom::text(text.replace('-', "−"));
        }
        if self.depth >= MAX_DEPTH {
            return Atom::default();
        }
        let mut inner = Parser {
            rest: text.chars().peekable(),
            unknown: vec![],
            depth: self.depth,
        };
        let mut group = inner.list();
        group.iter_mut().for_each(|atom| atom.slanted = false);
        self.unknown.append(&mut inner.unknown);
        Atom::group(group)
    }
}

/// Returns atoms, in parentheses where these are needed.
fn in_parentheses(atoms: Vec<Atom>, are_needed: bool) -> Vec<Atom> {
    if !are_needed {
        return atoms;
    }
    let mut group = vec![Atom::text("(")];
    group.extend(atoms);
    group.push(Atom::text(")"));
    group
}

fn is_char(name: &str, c: char) -> bool {
    let mut letters = name.chars();
    !c.is_ascii_alphabetic() && letters.next() == Some(c) && letters.next().is_none()
}

fn is_variable(c: char) -> bool {
    c.is_ascii_alphabetic() || ('α'..='ω').contains(&c)
}
