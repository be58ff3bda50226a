//! A guard as a formula of t: what interval arithmetic says of its values and slopes on a piece of the time, and its degree.

use std::sync::Arc;

use super::super::graph::Graph;
use super::super::op::{Binary, NodeId, Op};
use super::super::signal::Signal;
use super::degree::degree;
use super::guard::used_nodes;
use super::interval::{Enclosure, UNKNOWN, ValueAndSlope};
use super::signal_enclosure::enclose_signal;

/// The operations of a guard's operands, with the difference of these as the result.
#[derive(Debug)]
pub(super) struct Formula {
    nodes: Vec<FormulaNode>,
    /// Places of the operands among the nodes.
    x: usize,
    y: Option<usize>,
    len: usize,
    /// Degree of the guard as a polynomial in t between two switches of its operands, of signals that are cubic.
    degree: u32,
    /// Number of operations of one enclosure.
    cost: usize,
}

#[derive(Debug)]
struct FormulaNode {
    op: Op,
    /// First component among those of all nodes, and their number.
    start: usize,
    len: usize,
    /// Offsets of the values of parameters: those of a block, or of a layer's weight and bias.
    offsets: (usize, Option<usize>),
}

/// A formula with parameters and signals.
pub(super) struct BoundFormula<'a> {
    formula: &'a Formula,
    values: &'a [f64],
    signals: &'a [Arc<dyn Signal>],
    sample: usize,
    work: Vec<ValueAndSlope>,
}

impl Formula {
    /// Takes the operations of these operands from a graph.
    pub fn new(graph: &Graph, x: NodeId, y: Option<NodeId>) -> Self {
        let operands: Vec<NodeId> = std::iter::once(x).chain(y).collect();
        let used = used_nodes(graph, &operands);
        let mut place = vec![0; graph.nodes.len()];
        let mut nodes: Vec<FormulaNode> = vec![];
        let mut degrees: Vec<u32> = vec![];
        let (mut start, mut cost) = (0, 0);
        for (i, op) in graph.nodes.iter().enumerate().filter(|(i, _)| used[*i]) {
            place[i] = nodes.len();
            let op = op.with_operands(|x| NodeId(place[x.index()] as u32));
            let offset = |block: usize| graph.blocks[block].offset;
            let offsets = match &op {
                Op::Param(block) => (offset(*block), None),
                Op::Affine { weight, bias, .. } => (offset(*weight), bias.map(offset)),
                _ => (0, None),
            };
            let constant = |x: &NodeId| match &nodes[x.index()].op {
                Op::Const(x) => &x[..],
                _ => &[],
            };
            degrees.push(degree(&op, &degrees, constant));
            let len = graph.lens[i];
            cost += match op {
                Op::Affine { x, .. } => len * nodes[x.index()].len,
                _ => len,
            };
            nodes.push(FormulaNode {
                op,
                start,
                len,
                offsets,
            });
            start += len;
        }
        let (x, y) = (place[x.index()], y.map(|y| place[y.index()]));
        Formula {
            degree: degrees[x].max(y.map_or(0, |y| degrees[y])),
            nodes,
            x,
            y,
            len: start,
            cost,
        }
    }

    /// Whether seven places tell for certain whether the guard is linear: a polynomial of degree 5 that agrees with a line there
    /// is that line.
    pub fn is_low_polynomial(&self) -> bool {
        self.degree <= 5
    }

    /// Binds the values of all parameters and the signals of one sample.
    pub fn bind<'a>(
        &'a self,
        values: &'a [f64],
        (signals, sample): (&'a [Arc<dyn Signal>], usize),
    ) -> BoundFormula<'a> {
        BoundFormula {
            formula: self,
            values,
            signals,
            sample,
            work: vec![UNKNOWN; self.len],
        }
    }
}

impl BoundFormula<'_> {
    /// Returns the number of operations of one enclosure.
    pub fn cost(&self) -> usize {
        self.formula.cost
    }

    /// Returns enclosures of the guard's values and slopes between two times.
    pub fn enclose(&mut self, component: usize, from: f64, to: f64) -> ValueAndSlope {
        for node in &self.formula.nodes {
            let (before, rest) = self.work.split_at_mut(node.start);
            let Some(out) = rest.get_mut(..node.len) else {
                return UNKNOWN;
            };
            if let Op::Signal(signal) = node.op {
                match self.signals.get(signal) {
                    Some(signal) => enclose_signal(signal.as_ref(), self.sample, (from, to), out),
                    None => out.fill(UNKNOWN),
                }
                continue;
            }
            let time = (Enclosure::new(from, to), Enclosure::of(1.0));
            for (i, out) in out.iter_mut().enumerate() {
                *out = self.formula.component(node, i, (before, self.values), time);
            }
        }
        let of = |node: usize| {
            let node = &self.formula.nodes[node];
            self.work[node.start + if node.len == 1 { 0 } else { component }]
        };
        let (x, slope) = of(self.formula.x);
        match self.formula.y {
            None => (x, slope),
            Some(y) => (x - of(y).0, slope - of(y).1),
        }
    }
}

impl Formula {
    /// Returns one component of a node, given those of all nodes before it.
    fn component(
        &self,
        node: &FormulaNode,
        i: usize,
        (work, values): (&[ValueAndSlope], &[f64]),
        time: ValueAndSlope,
    ) -> ValueAndSlope {
        let number = |x: Option<&f64>| x.map_or(UNKNOWN, |x| (Enclosure::of(*x), Enclosure::ZERO));
        let of = |x: &NodeId, i: usize| {
            let node = &self.nodes[x.index()];
            work[node.start + if node.len == 1 { 0 } else { i }]
        };
        match &node.op {
            Op::Time => time,
            Op::State | Op::Signal(_) => UNKNOWN,
            Op::Param(_) => number(values.get(node.offsets.0 + i)),
            Op::Const(x) => number(x.get(i)),
            Op::Slice { x, start, .. } => of(x, start + i),
            Op::Concat(parts) => {
                let mut i = i;
                for part in parts {
                    let len = self.nodes[part.index()].len;
                    if i < len {
                        return of(part, i);
                    }
                    i -= len;
                }
                UNKNOWN
            }
            Op::Sum(x) => {
                let terms = (0..self.nodes[x.index()].len).map(|i| of(x, i));
                terms.fold((Enclosure::ZERO, Enclosure::ZERO), add)
            }
            Op::Unary(f, x) => {
                let (x, dx) = of(x, i);
                let (value, slope) = x.unary(*f);
                (value, slope * dx)
            }
            Op::Binary(f, x, y) => binary(*f, of(x, i), of(y, i)),
            Op::Select { cond, a, b } => match of(cond, i).0 {
                c if !c.contains(0.0) => of(a, i),
                c if c.single().is_some() => of(b, i),
                _ => (of(a, i).0.hull(of(b, i).0), Enclosure::ALL),
            },
            Op::Affine { x, .. } => {
                let len = self.nodes[x.index()].len;
                let start = match node.offsets.1 {
                    Some(bias) => number(values.get(bias + i)),
                    None => number(Some(&0.0)),
                };
                let term = |j: usize| {
                    let weight = number(values.get(node.offsets.0 + i * len + j)).0;
                    let (x, dx) = of(x, j);
                    (weight * x, weight * dx)
                };
                (0..len).map(term).fold(start, add)
            }
        }
    }
}

fn add(a: ValueAndSlope, b: ValueAndSlope) -> ValueAndSlope {
    (a.0 + b.0, a.1 + b.1)
}

fn binary(f: Binary, (x, dx): ValueAndSlope, (y, dy): ValueAndSlope) -> ValueAndSlope {
    // The operand that is larger, or either.
    let larger =
        |a: ValueAndSlope, b: ValueAndSlope| match (a.0.low >= b.0.high, b.0.low >= a.0.high) {
            (true, _) => a,
            (_, true) => b,
            _ => (a.0.max(b.0), a.1.hull(b.1)),
        };
    match f {
        Binary::Add => (x + y, dx + dy),
        Binary::Sub => (x - y, dx - dy),
        Binary::Mul => (x * y, x * dy + y * dx),
        Binary::Div => {
            let inverse = y.reciprocal();
            let value = x * inverse;
            (value, (dx - value * dy) * inverse)
        }
        Binary::Pow => {
            let (value, by_x, by_y) = x.power(y);
            (value, by_x * dx + by_y * dy)
        }
        Binary::Max => larger((x, dx), (y, dy)),
        Binary::Min => {
            let (value, slope) = larger((-x, -dx), (-y, -dy));
            (-value, -slope)
        }
        Binary::Atan2 => {
            let squares = (x.square() + y.square()).reciprocal();
            let value = x.angle(y);
            let is_whole = y.low <= 0.0 && x.contains(0.0);
            let slope = (y * dx - x * dy) * squares;
            (value, if is_whole { Enclosure::ALL } else { slope })
        }
        _ => {
            let difference = x - y;
            let holds = |g: f64| match f {
                Binary::Lt => g < 0.0,
                Binary::Le => g <= 0.0,
                Binary::Gt => g > 0.0,
                _ => g >= 0.0,
            };
            let same = holds(difference.low) == holds(difference.high);
            match same && !matches!(f, Binary::Eq | Binary::Ne) {
                true => (
                    Enclosure::of(f64::from(u8::from(holds(difference.low)))),
                    Enclosure::ZERO,
                ),
                false => (Enclosure::new(0.0, 1.0), Enclosure::ALL),
            }
        }
    }
}
