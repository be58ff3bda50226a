//! A node that switches with time alone, and its evaluation.

use std::sync::Arc;

use super::super::graph::Graph;
use super::super::native::{Evaluator, Program};
use super::super::op::{Binary, NodeId, Op, Unary};
use super::MAX_SWITCHES;
use super::formula::{BoundFormula, Formula};
use super::interval::Enclosure;
use super::roots::{GuardFunction, Piece, Sought, find_roots};

/// Largest number of operations for the enclosures of one guard in one search, some milliseconds of work.
const MAX_OPERATIONS: usize = 1 << 19;

/// What a node does where the argument x, or the difference of its two arguments, passes through zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::field) enum Effect {
    /// The comparison changes.
    Compare(Binary),
    /// The value jumps.
    Sign,
    /// The value jumps at every integer x.
    Floor,
    /// The value jumps at every integer x.
    Ceil,
    /// A derivative jumps.
    Kink,
}

/// A node that switches with time alone.
#[derive(Debug)]
pub(super) struct Guard {
    pub effect: Effect,
    pub x: Arc<Program>,
    pub y: Option<Arc<Program>>,
    /// The same operands for interval arithmetic.
    pub formula: Formula,
    /// Lengths of both operands.
    pub lens: (usize, usize),
    /// Indices of the parameter blocks that the operands depend on.
    pub blocks: Vec<usize>,
    /// The guards that the operands use.
    pub inner: Vec<usize>,
}

impl Guard {
    /// Creates the guard of a node with this effect and these operands, which use the guards `inner`.
    pub fn new(
        graph: &Graph,
        effect: Effect,
        (x, y): (NodeId, Option<NodeId>),
        inner: Vec<usize>,
    ) -> Self {
        let program = |node: NodeId| Arc::new(Program::compile(graph, node));
        let operands: Vec<NodeId> = std::iter::once(x).chain(y).collect();
        Guard {
            effect,
            x: program(x),
            y: y.map(program),
            formula: Formula::new(graph, x, y),
            lens: (graph.len_of(x), y.map_or(1, |y| graph.len_of(y))),
            blocks: used_blocks(graph, &used_nodes(graph, &operands)),
            inner,
        }
    }
}

/// Returns the nodes that some nodes depend on, with these.
pub(in crate::field) fn used_nodes(graph: &Graph, nodes: &[NodeId]) -> Vec<bool> {
    let mut used = vec![false; graph.nodes.len()];
    for node in nodes {
        used[node.index()] = true;
    }
    for i in (0..graph.nodes.len()).rev() {
        if used[i] {
            for operand in graph.nodes[i].operands() {
                used[operand.index()] = true;
            }
        }
    }
    used
}

/// Returns the indices of the parameter blocks of these nodes, each once, increasing.
pub(in crate::field) fn used_blocks(graph: &Graph, used: &[bool]) -> Vec<usize> {
    let mut blocks = vec![];
    for (op, used) in graph.nodes.iter().zip(used) {
        match op {
            Op::Param(i) if *used => blocks.push(*i),
            Op::Affine { weight, bias, .. } if *used => {
                blocks.push(*weight);
                blocks.extend(bias);
            }
            _ => {}
        }
    }
    blocks.sort_unstable();
    blocks.dedup();
    blocks
}

/// Returns what an operation does at a root, and the operands whose difference has it.
pub(in crate::field) fn switching(op: &Op) -> Option<(Effect, NodeId, Option<NodeId>)> {
    match op {
        Op::Binary(f, x, y) if f.is_comparison() => Some((Effect::Compare(*f), *x, Some(*y))),
        Op::Binary(Binary::Min | Binary::Max, x, y) => Some((Effect::Kink, *x, Some(*y))),
        Op::Unary(Unary::Abs | Unary::Relu, x) => Some((Effect::Kink, *x, None)),
        Op::Unary(Unary::Sign, x) => Some((Effect::Sign, *x, None)),
        Op::Unary(Unary::Floor, x) => Some((Effect::Floor, *x, None)),
        Op::Unary(Unary::Ceil, x) => Some((Effect::Ceil, *x, None)),
        _ => None,
    }
}

/// A guard with parameters and signals bound.
pub(super) struct BoundGuard<'a> {
    effect: Effect,
    /// The guards that the operands use.
    pub inner: &'a [usize],
    lens: (usize, usize),
    x: Evaluator,
    y: Option<Evaluator>,
    formula: BoundFormula<'a>,
    is_low_polynomial: bool,
    /// Number of operations for enclosures that are left.
    budget: usize,
    sample: usize,
    slots: (Vec<f64>, Vec<f64>),
    values: (Vec<f64>, Vec<f64>),
    state: Vec<f64>,
}

impl<'a> BoundGuard<'a> {
    /// Binds the evaluators of both operands, and their formula, for one sample of the signals.
    pub fn new(
        guard: &'a Guard,
        (x, y): (Evaluator, Option<Evaluator>),
        formula: BoundFormula<'a>,
        sample: usize,
    ) -> Self {
        BoundGuard {
            effect: guard.effect,
            inner: &guard.inner,
            lens: guard.lens,
            slots: (
                vec![0.0; x.slot_len()],
                vec![0.0; y.as_ref().map_or(0, Evaluator::slot_len)],
            ),
            values: (vec![0.0; guard.lens.0], vec![0.0; guard.lens.1]),
            state: vec![0.0; x.dof()],
            is_low_polynomial: guard.formula.is_low_polynomial(),
            budget: MAX_OPERATIONS,
            formula,
            x,
            y,
            sample,
        }
    }

    /// Returns the number of components.
    pub fn len(&self) -> usize {
        self.lens.0.max(self.lens.1)
    }

    /// Returns both sides at t.
    fn sides(&mut self, t: f64, component: usize) -> (f64, f64) {
        let (slots, values, sample, u) =
            (&mut self.slots, &mut self.values, self.sample, &self.state);
        self.x.eval(sample, t, u, &mut slots.0, &mut values.0);
        if let Some(y) = &self.y {
            y.eval(sample, t, u, &mut slots.1, &mut values.1);
        }
        let of = |values: &[f64]| match values {
            [one] => *one,
            several => several.get(component).copied().unwrap_or(f64::NAN),
        };
        (of(&self.values.0), of(&self.values.1))
    }

    /// Returns a number that tells the branches apart: the comparison's result, the sign, the integer.
    pub fn branch(&mut self, t: f64, component: usize) -> f64 {
        let (x, y) = self.sides(t, component);
        let holds = match self.effect {
            Effect::Compare(Binary::Lt) => x < y,
            Effect::Compare(Binary::Le) => x <= y,
            Effect::Compare(Binary::Gt) => x > y,
            Effect::Compare(Binary::Ge) => x >= y,
            Effect::Sign => x > 0.0,
            Effect::Floor => return x.floor(),
            Effect::Ceil => return x.ceil(),
            // Equality holds at single times only, and a kink has no branches that differ there.
            Effect::Compare(_) | Effect::Kink => return 0.0,
        };
        f64::from(u8::from(holds))
    }

    /// Whether the difference of the sides itself jumps at t, where nothing below `width` is told apart.
    pub fn jumps(&mut self, t: f64, width: f64, component: usize) -> bool {
        let mut size = 0.0_f64;
        let [a, b, c, d] = [-2.0, -1.0, 1.0, 2.0].map(|by| {
            let (x, y) = self.sides(t + by * width, component);
            size = size.max(x.abs()).max(y.abs());
            x - y
        });
        // Steep as it may be, it changes alike on both sides and between them.
        let change = (b - a).abs().max((d - c).abs());
        (c - b).abs() > 1e3 * change + f64::EPSILON.sqrt() * size
    }

    /// Adds the times in a piece at which the guard switches; returns false where there are too many.
    pub fn roots_in(&mut self, piece: Piece, roots: &mut Vec<f64>) -> bool {
        let sought = Sought {
            integers: matches!(self.effect, Effect::Floor | Effect::Ceil),
            limit: MAX_SWITCHES,
        };
        (0..self.len()).all(|component| {
            let mut g = Component {
                guard: self,
                component,
            };
            find_roots(&mut g, piece, sought, roots)
        })
    }
}

/// One component of a guard as a function of time.
struct Component<'a, 'b> {
    guard: &'a mut BoundGuard<'b>,
    component: usize,
}

impl GuardFunction for Component<'_, '_> {
    fn value(&mut self, t: f64) -> (f64, f64) {
        let (x, y) = self.guard.sides(t, self.component);
        (x - y, x.abs().max(y.abs()))
    }

    fn enclose(&mut self, from: f64, to: f64) -> Option<(Enclosure, Enclosure)> {
        self.guard.budget = self.guard.budget.checked_sub(self.guard.formula.cost())?;
        Some(self.guard.formula.enclose(self.component, from, to))
    }

    fn is_low_polynomial(&self) -> bool {
        self.guard.is_low_polynomial
    }
}
