//! The parts of a source that are equations: closures in calls that take equations, and closures and functions of (t, u, …).
//!
//! Only there may `&&` and `||` join conditions of symbols. Elsewhere both are rhai's own, which leave the right side out where the
//! left one decides; an operator of symbols needs both sides.

use rhai::Token;

/// Functions whose closures are equations.
const CALLS: [&str; 3] = ["system", "graybox", "event"];

/// Names of the first parameter of equations, the time.
const TIME: [&str; 2] = ["t", "_t"];

/// The regions of equations that are open at a token.
#[derive(Default)]
pub struct EquationRegions {
    open: Vec<Region>,
    /// The parameters read so far of the closure or function that is being declared.
    parameters: Vec<String>,
    /// Whether the current token is the one that ends a list of parameters.
    at_end_of_parameters: bool,
}

/// An open region of equations and the number of brackets around it.
struct Region {
    depth: usize,
    end: End,
}

/// What ends a region, beside the bracket around it.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// The bracket alone, as of a call's arguments.
    Bracket,
    /// The body begins with the next token, which says whether braces are around it.
    ToBeSeen,
    /// A comma or a semicolon: the body has no braces around it.
    Separator,
    /// The brace that closes the body.
    Brace,
}

impl EquationRegions {
    /// Returns whether the current token stands in equations.
    pub fn any(&self) -> bool {
        !self.open.is_empty()
    }

    /// Opens a region where `function` takes equations; `depth` is the number of brackets around the call.
    pub fn call(&mut self, function: &str, depth: usize) {
        if CALLS.contains(&function) {
            self.open.push(Region {
                depth: depth + 1,
                end: End::Bracket,
            });
        }
    }

    /// Records a parameter of the closure or function that is being declared.
    pub fn parameter(&mut self, name: &str) {
        self.parameters.push(name.into());
    }

    /// Ends a list of parameters, and opens a region where they are those of equations.
    pub fn end_parameters(&mut self, depth: usize) {
        self.at_end_of_parameters = true;
        let names = std::mem::take(&mut self.parameters);
        let first_is_time = names.first().is_some_and(|n| TIME.contains(&n.as_str()));
        if first_is_time && names.len() > 1 {
            self.open.push(Region {
                depth,
                end: End::ToBeSeen,
            });
        }
    }

    /// Closes the regions that this token ends; `depth` is the number of brackets around the token.
    pub fn on_token(&mut self, token: &Token, depth: usize) {
        if std::mem::take(&mut self.at_end_of_parameters) {
            return;
        }
        if let Some(region) = self.open.last_mut().filter(|s| s.end == End::ToBeSeen) {
            region.end = match token {
                Token::LeftBrace => End::Brace,
                _ => End::Separator,
            };
        }
        match token {
            Token::RightBrace => {
                let ends = |s: &Region| s.depth > depth || s.depth == depth && s.end == End::Brace;
                self.open.retain(|region| !ends(region));
            }
            Token::RightParen | Token::RightBracket => {
                self.open.retain(|region| region.depth <= depth);
            }
            Token::Comma | Token::SemiColon => {
                let ends = |s: &Region| s.depth == depth && s.end == End::Separator;
                self.open.retain(|region| !ends(region));
            }
            _ => {}
        }
    }
}
