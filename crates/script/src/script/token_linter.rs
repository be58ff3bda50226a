//! The linter of a source's tokens, which runs while the source is parsed.
//!
//! rhai reads `-u[0] ** 2` as `(-u[0]) ** 2`, where mathematics and Python read `-(u[0] ** 2)`. The linter makes it an error that
//! asks for parentheses. `^`, which is the exclusive or of bits in rhai, is an error that names the power. Within equations
//! (`EquationRegions`) `&&` and `||` become `&` and `|`: rhai's take no symbols. The linter also records the names that a source declares and calls, for
//! error messages that suggest the nearest one.

use std::cell::RefCell;
use std::collections::BTreeSet;

use rhai::{LexError, Position, Token};

use super::equation_regions::EquationRegions;

/// The error message for a sign before a power.
pub const SIGNED_POWER: &str =
    "a minus before a power is ambiguous: write -(x ** n) for the power's negative, or (-x) ** n";

/// The error message for `^`, which in rhai is the exclusive or of bits and binds more loosely than a power.
const CARET: &str = "^ is not an operator here: a power is x ** n";

/// The linter of a source's tokens; the module's text describes what it checks.
#[derive(Default)]
pub struct TokenLinter(RefCell<LinterState>);

#[derive(Default)]
struct LinterState {
    depth: usize,
    equations: EquationRegions,
    signs: Vec<PendingMinus>,
    previous: PreviousToken,
    error_position: Option<Position>,
    names: BTreeSet<String>,
    calls: BTreeSet<String>,
    /// Names that a statement assigns to.
    assigned: BTreeSet<String>,
    keys: BTreeSet<String>,
    imports: bool,
    identifier: Option<String>,
    parameters: Option<usize>,
}

/// A unary minus whose operand is still being read, with the bracket depth at which it occurs.
struct PendingMinus {
    depth: usize,
    position: Position,
    expects: Expects,
}

#[derive(Clone, Copy, PartialEq)]
enum Expects {
    Operand,
    Name,
    Postfix,
}

/// Kind of the previous token, in the distinctions that matter here.
#[derive(Default, Clone, Copy, PartialEq)]
enum PreviousToken {
    #[default]
    Other,
    Operand,
    Declares,
    Function,
}

impl TokenLinter {
    /// Clears all state at the beginning of a new source.
    pub fn reset(&self) {
        *self.0.borrow_mut() = LinterState::default();
    }

    /// Prepares for an imported module; the recorded names of its importer are kept.
    pub fn begin_module(&self) {
        let mut state = self.0.borrow_mut();
        let begun = std::mem::take(&mut *state);
        state.names = begun.names;
        state.keys = begun.keys;
    }

    /// Processes one token and returns it, or an error token in its place.
    pub fn on_token(&self, token: Token, position: Position) -> Token {
        let mut state = self.0.borrow_mut();
        // Two bars after no operand are the empty parameters of a closure.
        let joins = state.previous == PreviousToken::Operand && state.equations.any();
        state.note_names(&token);
        if state.signed_power(&token, position) {
            return Token::LexError(Box::new(LexError::Runtime(SIGNED_POWER.into())));
        }
        if matches!(token, Token::XOr | Token::XOrAssign) {
            return Token::LexError(Box::new(LexError::Runtime(CARET.into())));
        }
        match token {
            Token::And if joins => Token::Ampersand,
            Token::Or if joins => Token::Pipe,
            token => token,
        }
    }

    /// Returns the position of the minus that caused the error.
    pub fn error_position(&self) -> Option<Position> {
        self.0.borrow().error_position
    }

    /// Returns the names of variables and parameters that the source declares.
    pub fn names(&self) -> Vec<String> {
        self.0.borrow().names.iter().cloned().collect()
    }

    /// Returns the property names of the source's map literals.
    pub fn keys(&self) -> Vec<String> {
        self.0.borrow().keys.iter().cloned().collect()
    }

    /// Returns whether a statement of the source assigns to this name.
    pub fn assigns(&self, name: &str) -> bool {
        self.0.borrow().assigned.contains(name)
    }

    /// Returns whether the source calls one of these functions, or may do so in a module that it imports.
    pub fn may_call(&self, functions: &[&str]) -> bool {
        let state = self.0.borrow();
        state.imports || functions.iter().any(|f| state.calls.contains(*f))
    }
}

impl LinterState {
    fn note_names(&mut self, token: &Token) {
        let previous = self.identifier.take();
        let mut last = PreviousToken::Other;
        match token {
            Token::Let | Token::Const | Token::For => last = PreviousToken::Declares,
            Token::Fn => last = PreviousToken::Function,
            Token::Import => self.imports = true,
            Token::Identifier(name) => {
                last = PreviousToken::Operand;
                if self.parameters.is_some() {
                    self.equations.parameter(name);
                }
                if self.previous == PreviousToken::Declares || self.parameters.is_some() {
                    self.names.insert(name.to_string());
                }
                if self.previous == PreviousToken::Function {
                    last = PreviousToken::Function;
                } else {
                    self.identifier = Some(name.to_string());
                }
            }
            Token::LeftParen if self.previous == PreviousToken::Function => {
                self.parameters = Some(self.depth)
            }
            Token::LeftParen if self.previous == PreviousToken::Declares => {
                last = PreviousToken::Declares
            }
            Token::LeftParen => {
                if let Some(name) = &previous {
                    self.equations.call(name, self.depth);
                }
                self.calls.extend(previous);
            }
            Token::Colon => self.keys.extend(previous),
            Token::Equals => self.assigned.extend(previous),
            Token::Comma
                if self.parameters.is_none() && self.previous == PreviousToken::Declares =>
            {
                last = PreviousToken::Declares;
            }
            Token::RightParen if self.parameters.is_some() => self.end_parameters(),
            // The bar that opens a closure's parameters follows no operand; the one that closes them ends the list.
            Token::Pipe if self.parameters.is_some() => self.end_parameters(),
            Token::Pipe if self.previous != PreviousToken::Operand => {
                self.parameters = Some(self.depth)
            }
            Token::Unit => {
                self.calls.extend(previous);
                last = PreviousToken::Operand;
            }
            Token::RightParen | Token::RightBracket | Token::RightBrace => {
                last = PreviousToken::Operand
            }
            Token::IntegerConstant(_)
            | Token::FloatConstant(_)
            | Token::StringConstant(_)
            | Token::CharConstant(_)
            | Token::True
            | Token::False => last = PreviousToken::Operand,
            _ => {}
        }
        self.previous = last;
    }

    /// Ends a list of parameters.
    fn end_parameters(&mut self) {
        if let Some(depth) = self.parameters.take() {
            self.equations.end_parameters(depth);
        }
    }

    /// Updates every pending unary minus by this token; returns true at a `**` directly after an operand.
    fn signed_power(&mut self, token: &Token, position: Position) -> bool {
        let opens = matches!(
            token,
            Token::LeftParen
                | Token::LeftBracket
                | Token::QuestionBracket
                | Token::LeftBrace
                | Token::MapStart
        );
        let closes = matches!(
            token,
            Token::RightParen | Token::RightBracket | Token::RightBrace
        );
        if closes {
            self.depth = self.depth.saturating_sub(1);
            let depth = self.depth;
            self.signs.retain(|sign| sign.depth <= depth);
            self.equations.on_token(token, depth);
            return false;
        }
        self.equations.on_token(token, self.depth);
        // Consecutive signs, `--x`, share their operand: all pending signs at this depth advance together.
        let mut trap = None;
        let depth = self.depth;
        self.signs.retain_mut(|sign| {
            if sign.depth != depth {
                return true;
            }
            match sign.next_expected(token) {
                Some(next) => {
                    sign.expects = next;
                    true
                }
                None => {
                    if matches!(token, Token::PowerOf) {
                        trap.get_or_insert(sign.position);
                    }
                    false
                }
            }
        });
        if trap.is_some() {
            self.error_position = trap;
            return true;
        }
        let negative = match token {
            Token::IntegerConstant(n) => *n < 0,
            Token::FloatConstant(x) => x.0.is_sign_negative(),
            _ => false,
        };
        if negative || matches!(token, Token::UnaryMinus) {
            self.signs.push(PendingMinus {
                depth,
                position,
                expects: if negative {
                    Expects::Postfix
                } else {
                    Expects::Operand
                },
            });
        }
        if opens {
            self.depth += 1;
        }
        false
    }
}

impl PendingMinus {
    /// Returns what is expected after `token`; `None` where the operand has ended.
    fn next_expected(&self, token: &Token) -> Option<Expects> {
        match (self.expects, token) {
            (Expects::Operand, Token::UnaryMinus | Token::UnaryPlus | Token::Bang) => {
                Some(Expects::Operand)
            }
            (
                Expects::Operand,
                Token::Identifier(_)
                | Token::IntegerConstant(_)
                | Token::FloatConstant(_)
                | Token::LeftParen
                | Token::LeftBracket
                | Token::Reserved(_),
            ) => Some(Expects::Postfix),
            (Expects::Name, Token::Identifier(_)) => Some(Expects::Postfix),
            (Expects::Postfix, Token::Period | Token::Elvis | Token::DoubleColon) => {
                Some(Expects::Name)
            }
            (
                Expects::Postfix,
                Token::LeftParen
                | Token::LeftBracket
                | Token::QuestionBracket
                | Token::Unit
                | Token::Bang,
            ) => Some(Expects::Postfix),
            _ => None,
        }
    }
}
