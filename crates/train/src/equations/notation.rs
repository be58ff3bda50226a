//! Equations as text, LaTeX and script.

use std::cell::{Cell, RefCell};

use odesync_ode::field::{Binary, NodeId, Op, Unary, VectorField};

use super::component::origin;
use super::number::{number, with_error};

/// Most parts of the expressions that are written; a graph with shared nodes can be exponentially long as text.
const MAX_PARTS: usize = 50_000;
/// Largest depth to which an expression is written, so that the stack of any thread suffices.
const MAX_DEPTH: usize = 100;

/// A way to write equations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// Plain text with the names of the data's columns.
    Text,
    Latex,
    /// The script language.
    Script,
}

use Notation::{Latex, Script, Text};

/// Precedence of a sum, a product, a power and an operand.
const SUM: u8 = 2;
const PRODUCT: u8 = 3;
const POWER: u8 = 5;
const OPERAND: u8 = 9;

/// Writes the equations of a field without networks.
pub(super) struct Printer<'a> {
    field: &'a VectorField,
    names: &'a [String],
    notation: Notation,
    /// Standard errors of constants, by name.
    errors: &'a [(String, f64)],
    /// Parts that were written.
    parts: Cell<usize>,
    depth: Cell<usize>,
    /// Affine maps that were written in LaTeX, in order.
    networks: RefCell<Vec<NodeId>>,
}

/// A piece of text, and the precedence of its outermost operator.
struct Piece {
    text: String,
    precedence: u8,
}

fn piece(text: impl Into<String>, precedence: u8) -> Piece {
    Piece {
        text: text.into(),
        precedence,
    }
}

impl<'a> Printer<'a> {
    /// Creates the printer of a field whose state variables have these names.
    pub fn new(field: &'a VectorField, names: &'a [String], notation: Notation) -> Self {
        Printer {
            field,
            names,
            notation,
            errors: &[],
            parts: Cell::new(0),
            depth: Cell::new(0),
            networks: RefCell::default(),
        }
    }

    /// Sets the standard errors of constants.
    pub fn with_errors(mut self, errors: &'a [(String, f64)]) -> Self {
        self.errors = errors;
        self
    }

    /// Returns right-hand side `i`.
    pub fn component(&self, i: usize) -> String {
        self.piece(self.field.output(), i).text
    }

    /// Returns component `i` of a node.
    pub fn part(&self, id: NodeId, i: usize) -> String {
        self.piece(id, i).text
    }

    /// Returns the equations in LaTeX, `&` before the sign of each.
    pub fn equations(&self) -> Vec<String> {
        let line = |i| {
            let (variable, right) = (self.variable(i), self.component(i));
            format!("\\frac{{\\mathrm{{d}}{variable}}}{{\\mathrm{{d}}t}} &= {right}")
        };
        (0..self.field.dof()).map(line).collect()
    }

    /// Returns the affine maps that were written, in the order of their names.
    pub fn networks(&self) -> Vec<NodeId> {
        self.networks.borrow().clone()
    }

    /// Returns the name of the affine map of a node in LaTeX, which is the output of a network.
    pub fn network(&self, id: NodeId) -> String {
        let mut networks = self.networks.borrow_mut();
        let place = networks.iter().position(|other| *other == id);
        let place = place.unwrap_or_else(|| {
            networks.push(id);
            networks.len() - 1
        });
        match place {
            0 => "\\mathrm{NN}".into(),
            place => format!("\\mathrm{{NN}}^{{({})}}", place + 1),
        }
    }

    /// Returns the name of state variable `i`.
    pub fn variable(&self, i: usize) -> String {
        let name = self.names.get(i).cloned();
        let name = name.unwrap_or_else(|| format!("u[{i}]"));
        match self.notation {
            Text => name,
            Latex => latex_name(&name),
            Script => format!("u[{i}]"),
        }
    }

    fn op(&self, id: NodeId) -> &Op {
        &self.field.nodes()[id.index()]
    }

    /// Returns the place of component `i` of an operand, which is broadcast where it has one.
    fn broadcast(&self, id: NodeId, i: usize) -> usize {
        if self.field.node_len(id) == 1 { 0 } else { i }
    }

    fn enclosed(&self, id: NodeId, i: usize, outer: u8) -> String {
        let inner = self.piece(id, self.broadcast(id, i));
        match inner.precedence < outer {
            true => self.parenthesized(&inner.text),
            false => inner.text,
        }
    }

    fn parenthesized(&self, text: &str) -> String {
        match self.notation {
            Latex => format!("\\left({text}\\right)"),
            _ => format!("({text})"),
        }
    }

    fn piece(&self, id: NodeId, i: usize) -> Piece {
        let (parts, depth) = (self.parts.get() + 1, self.depth.get());
        self.parts.set(parts);
        if parts > MAX_PARTS || depth > MAX_DEPTH {
            return piece("…", OPERAND);
        }
        self.depth.set(depth + 1);
        let piece = self.unlimited(id, i);
        self.depth.set(depth);
        piece
    }

    fn unlimited(&self, id: NodeId, i: usize) -> Piece {
        let (id, i) = origin(self.field, id, i);
        match self.op(id) {
            Op::Time => piece("t", OPERAND),
            Op::State => piece(self.variable(i), OPERAND),
            Op::Param(block) => self.constant(*block, i),
            Op::Const(values) => self.number(values.get(i).copied().unwrap_or(f64::NAN)),
            Op::Signal(signal) => self.signal(*signal, i),
            // Looked through by `origin`.
            Op::Slice { .. } | Op::Concat(_) => piece("…", OPERAND),
            Op::Sum(x) => {
                let parts = (0..self.field.node_len(*x)).map(|i| self.piece(*x, i).text);
                piece(parts.collect::<Vec<_>>().join(" + "), SUM)
            }
            Op::Unary(Unary::Neg, _) | Op::Binary(Binary::Add | Binary::Sub, ..) => self.sum(id, i),
            Op::Unary(Unary::Square, x) if self.notation != Script => self.power(*x, i, "2".into()),
            Op::Unary(f, x) => self.function(*f, self.piece(*x, i).text),
            Op::Binary(Binary::Mul, ..) => self.product(id, i),
            Op::Binary(Binary::Div, x, y) => match self.notation {
                Latex => {
                    let (x, y) = (self.enclosed(*x, i, 0), self.enclosed(*y, i, 0));
                    piece(format!("\\frac{{{x}}}{{{y}}}"), OPERAND)
                }
                _ => {
                    let (x, y) = (self.enclosed(*x, i, PRODUCT), self.enclosed(*y, i, POWER));
                    piece(format!("{x} / {y}"), PRODUCT)
                }
            },
            Op::Binary(Binary::Pow, x, y) => {
                let outer = if self.notation == Latex { 0 } else { OPERAND };
                self.power(*x, i, self.enclosed(*y, i, outer))
            }
            Op::Binary(f @ (Binary::Min | Binary::Max | Binary::Atan2), x, y) => {
                let (x, y) = (self.enclosed(*x, i, 0), self.enclosed(*y, i, 0));
                self.call(f.name(), &[x, y])
            }
            Op::Binary(f, x, y) => {
                let (x, y) = (self.enclosed(*x, i, SUM), self.enclosed(*y, i, SUM));
                piece(format!("{x} {} {y}", self.relation(*f)), 1)
            }
            Op::Select { cond, a, b } => {
                let parts = [cond, a, b].map(|x| self.enclosed(*x, i, 0));
                self.call("where", &parts)
            }
            Op::Affine { .. } if self.notation == Latex => {
                piece(format!("{}_{{{i}}}", self.network(id)), OPERAND)
            }
            Op::Affine { weight, .. } => {
                let name = &self.field.blocks()[*weight].name;
                piece(format!("network({name})[{i}]"), OPERAND)
            }
        }
    }

    fn relation(&self, f: Binary) -> &'static str {
        match (self.notation, f) {
            (Latex, Binary::Le) => "\\le",
            (Latex, Binary::Ge) => "\\ge",
            (Latex, Binary::Eq) => "=",
            (Latex, Binary::Ne) => "\\ne",
            (_, f) => f.name(),
        }
    }

    fn call(&self, name: &str, arguments: &[String]) -> Piece {
        let list = arguments.join(", ");
        let name = match self.notation {
            Latex => format!("\\operatorname{{{name}}}"),
            _ => name.to_string(),
        };
        piece(format!("{name}{}", self.parenthesized(&list)), OPERAND)
    }

    fn function(&self, f: Unary, x: String) -> Piece {
        use Unary::*;
        let known = matches!(f, Sin | Cos | Tan | Sinh | Cosh | Tanh | Exp | Log);
        match self.notation {
            Latex if f == Sqrt => piece(format!("\\sqrt{{{x}}}"), OPERAND),
            Latex if f == Abs => piece(format!("\\left|{x}\\right|"), OPERAND),
            Latex if known => piece(format!("\\{}\\left({x}\\right)", f.name()), OPERAND),
            _ => self.call(f.name(), &[x]),
        }
    }

    fn power(&self, x: NodeId, i: usize, exponent: String) -> Piece {
        let base = self.enclosed(x, i, OPERAND);
        let text = match self.notation {
            Text => format!("{base}^{exponent}"),
            Latex => format!("{base}^{{{exponent}}}"),
            Script => format!("{base} ** {exponent}"),
        };
        piece(text, POWER)
    }

    fn number(&self, x: f64) -> Piece {
        let text = match self.notation {
            Text | Script => number(x, self.notation == Script),
            Latex => latex_number(&number(x, false)),
        };
        piece(text, if x < 0.0 { SUM } else { OPERAND })
    }

    fn constant(&self, block: usize, i: usize) -> Piece {
        let block = &self.field.blocks()[block];
        let value = self.field.values()[block.range()].get(i).copied();
        let value = value.unwrap_or(f64::NAN);
        if self.notation == Script {
            return match block.len() {
                1 => piece(format!("p.{}", block.name), OPERAND),
                _ => self.number(value),
            };
        }
        let error = self.errors.iter().find(|(name, _)| *name == block.name);
        match error.filter(|(_, e)| *e > 0.0) {
            None => self.number(value),
            Some((_, e)) => {
                let text = with_error(value, *e);
                let text = if self.notation == Latex {
                    latex_number(&text)
                } else {
                    text
                };
                piece(self.parenthesized(&text), OPERAND)
            }
        }
    }

    fn signal(&self, index: usize, i: usize) -> Piece {
        let signal = &self.field.signals()[index];
        let (name, several) = (signal.name(), signal.dof() > 1);
        let text = match self.notation {
            Script if several => format!("p.{name}[{i}]"),
            Script => format!("p.{name}"),
            Latex if several => format!("{}_{{{i}}}(t)", latex_name(name)),
            Latex => format!("{}(t)", latex_name(name)),
            Text if several => format!("{name}[{i}](t)"),
            Text => format!("{name}(t)"),
        };
        piece(text, OPERAND)
    }

    /// Writes a sum of terms with their signs.
    fn sum(&self, id: NodeId, i: usize) -> Piece {
        let terms = self.summands(id, i);
        let mut text = String::new();
        for (negative, term) in &terms {
            match (text.is_empty(), negative) {
                (true, false) => {}
                // The script language reads −x ** 2 as (−x) ** 2.
                (true, true) if self.notation == Script && term.contains("**") => {
                    text.push_str(&format!("-({term})"));
                    continue;
                }
                (true, true) => text.push('-'),
                (false, false) => text.push_str(" + "),
                (false, true) => text.push_str(" - "),
            }
            text.push_str(term);
        }
        piece(text, SUM)
    }

    /// Returns the summands of a sum, and whether each is subtracted.
    fn summands(&self, id: NodeId, i: usize) -> Vec<(bool, String)> {
        let (mut terms, mut rest) = (vec![], vec![(id, i, false)]);
        while let Some((id, i, negative)) = rest.pop() {
            let (id, i) = origin(self.field, id, self.broadcast(id, i));
            match self.op(id) {
                Op::Binary(Binary::Add, x, y) => {
                    rest.extend([(*y, i, negative), (*x, i, negative)]);
                }
                Op::Binary(Binary::Sub, x, y) => {
                    rest.extend([(*y, i, !negative), (*x, i, negative)]);
                }
                Op::Unary(Unary::Neg, x) => rest.push((*x, i, !negative)),
                _ => {
                    let text = self.enclosed(id, i, PRODUCT);
                    // The sign of a coefficient becomes that of its term.
                    let bare = text.strip_prefix(&format!("{}-", self.opening()));
                    match bare.filter(|_| self.begins_with_constant(id, i)) {
                        Some(bare) => terms.push((!negative, self.opening().to_string() + bare)),
                        None => terms.push((negative, text)),
                    }
                }
            }
            if self.parts.get() > MAX_PARTS {
                terms.push((false, "…".into()));
                break;
            }
            self.parts.set(self.parts.get() + 1);
        }
        terms
    }

    fn opening(&self) -> &'static str {
        if self.notation == Latex {
            "\\left("
        } else {
            "("
        }
    }

    fn begins_with_constant(&self, mut id: NodeId, mut i: usize) -> bool {
        loop {
            (id, i) = origin(self.field, id, self.broadcast(id, i));
            match self.op(id) {
                Op::Param(_) => return true,
                Op::Binary(Binary::Mul, x, _) => id = *x,
                _ => return false,
            }
        }
    }

    /// Writes a product; equal factors that follow each other become a power.
    fn product(&self, id: NodeId, i: usize) -> Piece {
        let factors = self.factors(id, i);
        if self.notation == Script {
            return piece(factors.join(" * "), PRODUCT);
        }
        let mut counted: Vec<(String, usize)> = vec![];
        for factor in factors {
            match counted.last_mut() {
                Some((last, n)) if *last == factor => *n += 1,
                _ => counted.push((factor, 1)),
            }
        }
        let powers = counted.iter().map(|(factor, n)| match (n, self.notation) {
            (1, _) => factor.clone(),
            (n, Latex) => format!("{factor}^{{{n}}}"),
            (n, _) => format!("{factor}^{n}"),
        });
        let separator = if self.notation == Latex { " \\, " } else { " " };
        piece(powers.collect::<Vec<_>>().join(separator), PRODUCT)
    }

    fn factors(&self, id: NodeId, i: usize) -> Vec<String> {
        let (mut factors, mut rest) = (vec![], vec![(id, i)]);
        while let Some((id, i)) = rest.pop() {
            let (id, i) = origin(self.field, id, self.broadcast(id, i));
            match self.op(id) {
                Op::Binary(Binary::Mul, x, y) if self.parts.get() <= MAX_PARTS => {
                    self.parts.set(self.parts.get() + 1);
                    rest.extend([(*y, i), (*x, i)]);
                }
                // A quotient among factors is enclosed, so that x (y / z) is not read as (x y) / z.
                _ => factors.push(self.enclosed(id, i, POWER)),
            }
        }
        factors
    }
}

/// Returns lines of LaTeX in an `aligned` environment.
pub(super) fn aligned(lines: &[String]) -> String {
    format!(
        "\\begin{{aligned}}\n{}\n\\end{{aligned}}",
        lines.join(" \\\\\n")
    )
}

/// Returns a name in LaTeX: `u[0]` has an index, a word stands upright.
pub(super) fn latex_name(name: &str) -> String {
    let indexed = name.strip_suffix(']').and_then(|rest| rest.split_once('['));
    match indexed {
        Some((base, index)) => format!("{}_{{{index}}}", latex_name(base)),
        None if name.chars().count() == 1 => escape(name),
        None => format!("\\mathrm{{{}}}", escape(name)),
    }
}

/// Returns text with the characters escaped that mean something in LaTeX.
fn escape(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        match c {
            '_' | '&' | '%' | '$' | '#' | '{' | '}' => text.extend(['\\', c]),
            '\\' | '^' | '~' => text.push(' '),
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
    }
    text
}

/// Turns a number with an exponent, or two with a ± between, into LaTeX.
fn latex_number(text: &str) -> String {
    let parts = text.split(" ± ").map(|part| match part.split_once('e') {
        Some((mantissa, exponent)) => format!("{mantissa} \\cdot 10^{{{exponent}}}"),
        None => part.to_string(),
    });
    parts.collect::<Vec<_>>().join(" \\pm ")
}
