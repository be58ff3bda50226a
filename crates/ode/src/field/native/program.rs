//! A graph compiled to a flat list of instructions over one buffer.
//!
//! Nodes that depend on parameters and constants alone go to a *static* program, run once when parameters are bound; the
//! *dynamic* program runs at every evaluation. Slices are views, not copies.

use super::super::graph::Graph;
use super::super::op::{Binary, NodeId, Op, Unary};
use super::padding::{self, REGISTER};
use super::readers;

/// Where an operand lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Loc {
    /// In the static buffer, rather than in the program's own.
    pub fixed: bool,
    pub at: usize,
    pub len: usize,
}

#[derive(Debug)]
pub(super) enum Kind {
    Time,
    State,
    /// A block, by its offset among all values.
    Param(usize),
    Const(Vec<f64>),
    Signal(usize),
    Concat(Vec<Loc>),
    Sum(Loc),
    /// The derivative is stored at `d`.
    Unary {
        f: Unary,
        x: Loc,
        d: usize,
    },
    /// x to a constant power; the derivative is stored at `d`.
    Power {
        x: Loc,
        exponent: f64,
        d: usize,
    },
    Binary {
        f: Binary,
        x: Loc,
        y: Loc,
    },
    Select {
        cond: Loc,
        a: Loc,
        b: Loc,
    },
    /// Index into [`Program::affines`].
    Affine {
        index: usize,
        x: Loc,
    },
}

impl Kind {
    /// Where the operands lie.
    pub fn operands(&self) -> Vec<Loc> {
        match self {
            Kind::Time | Kind::State | Kind::Param(_) | Kind::Const(_) | Kind::Signal(_) => vec![],
            Kind::Concat(parts) => parts.clone(),
            Kind::Sum(x) | Kind::Unary { x, .. } | Kind::Power { x, .. } => vec![*x],
            Kind::Affine { x, .. } => vec![*x],
            Kind::Binary { x, y, .. } => vec![*x, *y],
            Kind::Select { cond, a, b } => vec![*cond, *a, *b],
        }
    }
}

/// What a VJP does with the adjoint that an instruction leaves for its operand; see [`super::readers`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Back {
    /// It is added.
    Add,
    /// It is set: nothing else reads the operand.
    Set,
    /// The operand is an activation that nothing else reads. What is set is the adjoint of the activation's own operand x, with
    /// the derivative that stands at `d`.
    Through { d: usize, x: Loc },
    /// The reader of this activation has done it.
    Done,
}

#[derive(Debug)]
pub(super) struct Instruction {
    pub kind: Kind,
    pub at: usize,
    pub len: usize,
    pub back: Back,
}

/// Instructions over a buffer of `n_values` values followed by stored derivatives, `len` in all.
#[derive(Debug, Default)]
pub(super) struct Code {
    pub instructions: Vec<Instruction>,
    pub n_values: usize,
    pub len: usize,
    /// Where adjoints begin at zero, from and to: everywhere but where they are set.
    pub cleared: Vec<(usize, usize)>,
}

/// Of a layer with its weights bound both ways: the length of a sum of scaled rows, for which an inner product's last sum over
/// its register takes too long, and the size, above which the second matrix crowds the caches.
const SHORTEST_TURNED: usize = 16;
const LARGEST_TURNED: usize = 16_384;

/// A use of `W x + b`. Bound weights are copied in the order that suits the shape, zeros where a vector is padded.
#[derive(Debug)]
pub(super) struct Affine {
    pub weight: usize,
    pub bias: Option<usize>,
    pub out: usize,
    pub inputs: usize,
    /// Lengths of the vectors in the buffer, see [`super::padding`].
    pub padded_out: usize,
    pub padded_inputs: usize,
    /// Bound as `[in][out]` (long outputs), else as `[out][in]`.
    pub by_input: bool,
    /// Start of the bound matrix; the bias follows it.
    pub bound: usize,
    /// Start of the matrix bound the other way round, for a layer where a product that needs it so is faster.
    pub turned: Option<usize>,
}

impl Affine {
    pub fn matrix(&self) -> std::ops::Range<usize> {
        self.bound..self.bound + self.padded_out * self.padded_inputs
    }

    /// Shape of the bound matrix.
    pub fn shape(&self) -> (usize, usize) {
        match self.by_input {
            true => (self.padded_inputs, self.padded_out),
            false => (self.padded_out, self.padded_inputs),
        }
    }

    /// Where the weight of output `o` and input `j` lies in the bound matrix.
    pub fn place(&self, o: usize, j: usize) -> usize {
        match self.by_input {
            true => j * self.padded_out + o,
            false => o * self.padded_inputs + j,
        }
    }

    /// Where the matrix is bound the other way round.
    pub fn turned(&self) -> Option<std::ops::Range<usize>> {
        let start = self.turned?;
        Some(start..start + self.matrix().len())
    }

    /// Where the weight of output `o` and input `j` lies in the matrix bound the other way round.
    pub fn place_turned(&self, o: usize, j: usize) -> usize {
        match self.by_input {
            true => o * self.padded_inputs + j,
            false => j * self.padded_out + o,
        }
    }

    /// Each weight and bias: its place among all parameter values, and its place among what is bound.
    pub fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        let weights = (0..self.out).flat_map(move |o| {
            (0..self.inputs).map(move |j| {
                (
                    self.weight + o * self.inputs + j,
                    self.bound + self.place(o, j),
                )
            })
        });
        let biases = self
            .bias
            .into_iter()
            .flat_map(|b| (b..b + self.out).zip(self.bias_values()));
        weights.chain(biases)
    }

    /// Where the bias is bound, as long as the output.
    pub fn bias_range(&self) -> std::ops::Range<usize> {
        let end = self.matrix().end;
        end..end + self.padded_out
    }

    /// Its part that is not padding.
    pub fn bias_values(&self) -> std::ops::Range<usize> {
        let start = self.matrix().end;
        start..start + self.out
    }
}

/// The compiled form of a graph, shared by every evaluator of a field.
#[derive(Debug)]
pub struct Program {
    pub(super) fixed: Code,
    pub(super) dynamic: Code,
    pub(super) affines: Vec<Affine>,
    pub(super) n_bound: usize,
    pub(super) n_turned: usize,
    pub(super) output: Loc,
    /// Length of the longest value.
    pub(super) longest: usize,
}

impl Program {
    pub(crate) fn compile(graph: &Graph, output: NodeId) -> Self {
        Compiler::new(graph, output).run(output)
    }
}

struct Compiler<'a> {
    graph: &'a Graph,
    used: Vec<bool>,
    /// Length of every node's value in the buffer.
    widths: Vec<usize>,
    loc: Vec<Loc>,
    fixed: Code,
    dynamic: Code,
    affines: Vec<Affine>,
    n_bound: usize,
    n_turned: usize,
}

impl<'a> Compiler<'a> {
    fn new(graph: &'a Graph, output: NodeId) -> Self {
        let n = graph.nodes.len();
        let mut used = vec![false; n];
        used[output.index()] = true;
        for i in (0..n).rev() {
            if used[i] {
                for x in graph.nodes[i].operands() {
                    used[x.index()] = true;
                }
            }
        }
        let nowhere = Loc {
            fixed: true,
            at: 0,
            len: 0,
        };
        Compiler {
            graph,
            widths: padding::widths(graph, &used, output),
            used,
            loc: vec![nowhere; n],
            fixed: Code::default(),
            dynamic: Code::default(),
            affines: vec![],
            n_bound: 0,
            n_turned: 0,
        }
    }

    fn run(mut self, output: NodeId) -> Program {
        for i in 0..self.graph.nodes.len() {
            if self.used[i] {
                self.place(i);
            }
        }
        for code in [&mut self.fixed, &mut self.dynamic] {
            code.n_values = code.n_values.next_multiple_of(REGISTER);
            code.len = code.n_values;
            for instruction in &mut code.instructions {
                if let Kind::Unary { d, .. } | Kind::Power { d, .. } = &mut instruction.kind {
                    *d = code.len;
                    code.len += instruction.len.next_multiple_of(REGISTER);
                }
            }
        }
        readers::find(&mut self.dynamic, self.loc[output.index()]);
        let all = self
            .fixed
            .instructions
            .iter()
            .chain(&self.dynamic.instructions);
        let longest = all.map(|instruction| instruction.len).max().unwrap_or(0);
        Program {
            longest,
            output: self.loc[output.index()],
            fixed: self.fixed,
            dynamic: self.dynamic,
            affines: self.affines,
            n_bound: self.n_bound,
            n_turned: self.n_turned,
        }
    }

    fn place(&mut self, i: usize) {
        let op = &self.graph.nodes[i];
        let len = self.widths[i];
        if let Op::Slice { x, start, len } = op {
            let x = self.loc[x.index()];
            self.loc[i] = Loc {
                fixed: x.fixed,
                at: x.at + start,
                len: *len,
            };
            return;
        }
        let fixed = match op {
            Op::Param(_) | Op::Const(_) => true,
            Op::Time | Op::State | Op::Signal(_) => false,
            _ => op.operands().iter().all(|x| self.loc[x.index()].fixed),
        };
        let kind = self.kind(i, fixed);
        let code = if fixed {
            &mut self.fixed
        } else {
            &mut self.dynamic
        };
        let at = match len {
            0..REGISTER => code.n_values,
            _ => code.n_values.next_multiple_of(REGISTER),
        };
        code.n_values = at + len;
        code.instructions.push(Instruction {
            kind,
            at,
            len,
            back: Back::Add,
        });
        self.loc[i] = Loc { fixed, at, len };
    }

    fn kind(&mut self, i: usize, fixed: bool) -> Kind {
        let op = &self.graph.nodes[i];
        // Seen from the static program its own buffer is not "the static one".
        let at = |x: &NodeId| {
            let loc = self.loc[x.index()];
            Loc {
                fixed: loc.fixed && !fixed,
                ..loc
            }
        };
        match op {
            Op::Time => Kind::Time,
            Op::State => Kind::State,
            Op::Param(block) => Kind::Param(self.graph.blocks[*block].offset),
            Op::Const(values) => Kind::Const(values.clone()),
            Op::Signal(i) => Kind::Signal(*i),
            Op::Slice { .. } => unreachable!("slices are views"),
            Op::Concat(parts) => Kind::Concat(parts.iter().map(at).collect()),
            Op::Sum(x) => Kind::Sum(at(x)),
            Op::Unary(f, x) => Kind::Unary {
                f: *f,
                x: at(x),
                d: 0,
            },
            Op::Binary(Binary::Pow, x, y) if self.constant(*y).is_some() => Kind::Power {
                x: at(x),
                exponent: self.constant(*y).unwrap_or(1.0),
                d: 0,
            },
            Op::Binary(f, x, y) => Kind::Binary {
                f: *f,
                x: at(x),
                y: at(y),
            },
            Op::Select { cond, a, b } => Kind::Select {
                cond: at(cond),
                a: at(a),
                b: at(b),
            },
            Op::Affine { weight, bias, x } => {
                let x = at(x);
                let shape = &self.graph.blocks[*weight].shape;
                let (out, inputs) = (shape[0], shape[1]);
                let padded_out = self.widths[i];
                self.n_bound = self.n_bound.next_multiple_of(REGISTER);
                self.n_turned = self.n_turned.next_multiple_of(REGISTER);
                let (short, size) = (padded_out.min(x.len), padded_out * x.len);
                let turned = (short >= SHORTEST_TURNED && size <= LARGEST_TURNED).then(|| {
                    self.n_turned += size;
                    self.n_turned - size
                });
                self.affines.push(Affine {
                    weight: self.graph.blocks[*weight].offset,
                    bias: bias.map(|b| self.graph.blocks[b].offset),
                    out,
                    inputs,
                    padded_out,
                    padded_inputs: x.len,
                    by_input: out >= inputs,
                    bound: self.n_bound,
                    turned,
                });
                self.n_bound += padded_out * (x.len + 1);
                Kind::Affine {
                    index: self.affines.len() - 1,
                    x,
                }
            }
        }
    }

    /// The value of a constant of length 1.
    fn constant(&self, id: NodeId) -> Option<f64> {
        match &self.graph.nodes[id.index()] {
            Op::Const(v) if v.len() == 1 => Some(v[0]),
            _ => None,
        }
    }
}
