//! The compiler from a graph to a flat list of instructions over one buffer.
//!
//! Nodes that depend on parameters and constants only go to a *static* program, run once when parameters are bound; the
//! *dynamic* program runs at every evaluation. Slices are views, not copies.

use super::super::graph::Graph;
use super::super::op::{Binary, NodeId, Op, Unary};
use super::padding::{self, REGISTER};
use super::scalar_code::ScalarCode;
use super::value_uses;

/// The location of an operand in a buffer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BufferSlice {
    /// Whether the operand lies in the static buffer, rather than in the buffer of the running program.
    pub is_static: bool,
    pub offset: usize,
    pub len: usize,
}

/// The operation of an instruction, with the locations of its operands.
#[derive(Debug)]
pub(super) enum OpKind {
    Time,
    State,
    /// A parameter block, by its offset in the vector of all values.
    Param(usize),
    Const(Vec<f64>),
    Signal(usize),
    Concat(Vec<BufferSlice>),
    Sum(BufferSlice),
    /// An elementary function of each component; its derivative is stored at `d`.
    Unary {
        f: Unary,
        x: BufferSlice,
        d: usize,
    },
    /// x to a constant power; its derivative is stored at `d`.
    Power {
        x: BufferSlice,
        exponent: f64,
        d: usize,
    },
    Binary {
        f: Binary,
        x: BufferSlice,
        y: BufferSlice,
    },
    Select {
        cond: BufferSlice,
        a: BufferSlice,
        b: BufferSlice,
    },
    /// An affine layer, by its index in [`Program::affines`].
    Affine {
        index: usize,
        x: BufferSlice,
    },
}

impl OpKind {
    /// Returns the locations of the operands.
    pub fn operands(&self) -> Vec<BufferSlice> {
        match self {
            OpKind::Time
            | OpKind::State
            | OpKind::Param(_)
            | OpKind::Const(_)
            | OpKind::Signal(_) => vec![],
            OpKind::Concat(parts) => parts.clone(),
            OpKind::Sum(x) | OpKind::Unary { x, .. } | OpKind::Power { x, .. } => vec![*x],
            OpKind::Affine { x, .. } => vec![*x],
            OpKind::Binary { x, y, .. } => vec![*x, *y],
            OpKind::Select { cond, a, b } => vec![*cond, *a, *b],
        }
    }
}

/// How a VJP stores the adjoint that an instruction computes for its operand; see [`super::value_uses`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum VjpStore {
    /// The result is added to the adjoint.
    Accumulate,
    /// The result overwrites the adjoint, because nothing else uses the operand.
    Overwrite,
    /// The result, times the activation's derivative stored at `d`, overwrites the adjoint of the activation's operand x; the
    /// instruction's operand is that activation, and nothing else uses it.
    FusedActivation { d: usize, x: BufferSlice },
    /// Nothing is stored: the user of this activation did so by [`VjpStore::FusedActivation`].
    Skip,
}

/// One instruction: its operation and the range of its value in the buffer.
#[derive(Debug)]
pub(super) struct Instruction {
    pub kind: OpKind,
    pub offset: usize,
    pub len: usize,
    pub vjp_store: VjpStore,
}

/// A program: instructions over a buffer of `n_values` values followed by stored derivatives, `len` in all.
#[derive(Debug, Default)]
pub(super) struct InstructionList {
    pub instructions: Vec<Instruction>,
    pub n_values: usize,
    pub len: usize,
    /// Ranges, from and to, of the adjoints that start at zero: all but those that are overwritten.
    pub zeroed_ranges: Vec<(usize, usize)>,
}

/// Smallest length of the rows and columns of a layer whose weights are packed a second time, transposed. From this length on,
/// a sum of scaled rows is faster than inner products, which end with a sum over a register each.
const MIN_TRANSPOSED_ROW: usize = 16;
/// Largest number of weights of a layer that are packed a second time, transposed. A larger second matrix crowds the caches.
const MAX_TRANSPOSED_WEIGHTS: usize = 16_384;

/// An affine layer `W x + b`. Its weights are packed in the order that suits the shape, with zeros where a vector is padded.
#[derive(Debug)]
pub(super) struct AffineLayer {
    /// Offset of the weights in the vector of all parameter values.
    pub weight: usize,
    /// Offset of the bias in the vector of all parameter values, if there is one.
    pub bias: Option<usize>,
    /// Length of the output, without padding.
    pub out: usize,
    /// Length of the input, without padding.
    pub inputs: usize,
    /// Length of the output in the buffer, see [`super::padding`].
    pub padded_out: usize,
    /// Length of the input in the buffer, see [`super::padding`].
    pub padded_inputs: usize,
    /// Whether the weights are packed as `[in][out]` (long outputs), rather than as `[out][in]`.
    pub input_major: bool,
    /// Start of the packed matrix; the bias follows it.
    pub packed_offset: usize,
    /// Start of the transposed packed matrix, for a layer where the products that use it are faster.
    pub transposed_offset: Option<usize>,
}

impl AffineLayer {
    /// Returns the range of the packed matrix.
    pub fn weight_range(&self) -> std::ops::Range<usize> {
        self.packed_offset..self.packed_offset + self.padded_out * self.padded_inputs
    }

    /// Returns the shape of the packed matrix.
    pub fn packed_shape(&self) -> (usize, usize) {
        match self.input_major {
            true => (self.padded_inputs, self.padded_out),
            false => (self.padded_out, self.padded_inputs),
        }
    }

    /// Returns the index of the weight of output `o` and input `j` in the packed matrix.
    pub fn packed_index(&self, o: usize, j: usize) -> usize {
        match self.input_major {
            true => j * self.padded_out + o,
            false => o * self.padded_inputs + j,
        }
    }

    /// Returns the range of the transposed packed matrix, if there is one.
    pub fn transposed_range(&self) -> Option<std::ops::Range<usize>> {
        let start = self.transposed_offset?;
        Some(start..start + self.weight_range().len())
    }

    /// Returns the index of the weight of output `o` and input `j` in the transposed packed matrix.
    pub fn transposed_index(&self, o: usize, j: usize) -> usize {
        match self.input_major {
            true => o * self.padded_inputs + j,
            false => j * self.padded_out + o,
        }
    }

    /// Returns, for each weight and bias, its index among all parameter values and its index among the packed values.
    pub fn param_to_packed(&self) -> impl Iterator<Item = (usize, usize)> {
        let weights = (0..self.out).flat_map(move |o| {
            (0..self.inputs).map(move |j| {
                (
                    self.weight + o * self.inputs + j,
                    self.packed_offset + self.packed_index(o, j),
                )
            })
        });
        let biases = self
            .bias
            .into_iter()
            .flat_map(|b| (b..b + self.out).zip(self.unpadded_bias_range()));
        weights.chain(biases)
    }

    /// Adds packed weights and biases to those among all parameter values.
    pub fn add_unpacked(&self, packed: &[f64], all: &mut [f64]) {
        let matrix = &packed[self.weight_range()];
        let rows = all[self.weight..self.weight + self.out * self.inputs]
            .chunks_exact_mut(self.inputs.max(1));
        for (o, row) in rows.enumerate() {
            if self.input_major {
                let column = matrix[o..].iter().step_by(self.padded_out);
                row.iter_mut()
                    .zip(column)
                    .for_each(|(to, from)| *to += from);
            } else {
                let from = &matrix[o * self.padded_inputs..];
                row.iter_mut().zip(from).for_each(|(to, from)| *to += from);
            }
        }
        if let Some(bias) = self.bias {
            let from = &packed[self.unpadded_bias_range()];
            let to = &mut all[bias..bias + self.out];
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        }
    }

    /// Returns the range of the packed bias, padded as the output is.
    pub fn bias_range(&self) -> std::ops::Range<usize> {
        let end = self.weight_range().end;
        end..end + self.padded_out
    }

    /// Returns the range of the packed bias without its padding.
    pub fn unpadded_bias_range(&self) -> std::ops::Range<usize> {
        let start = self.weight_range().end;
        start..start + self.out
    }
}

/// The compiled form of a graph, shared by every evaluator of a field.
#[derive(Debug)]
pub struct Program {
    pub(super) static_code: InstructionList,
    pub(super) dynamic_code: InstructionList,
    pub(super) affines: Vec<AffineLayer>,
    pub(super) n_packed: usize,
    pub(super) n_transposed: usize,
    pub(super) output: BufferSlice,
    /// Length of the longest value.
    pub(super) max_len: usize,
    /// The dynamic code as operations on single numbers, where it is one of few numbers.
    pub(super) scalar: Option<ScalarCode>,
}

impl Program {
    pub(crate) fn compile(graph: &Graph, output: NodeId) -> Self {
        Compiler::new(graph, output).compile_all(output)
    }

    /// Returns the length of a slot, which is enough for a tape and for the frame of the plain code.
    pub(super) fn slot_len(&self) -> usize {
        let frame_len = |scalar: &ScalarCode| scalar.plain.frame_len();
        let frame_len = self.scalar.as_ref().map_or(0, frame_len);
        self.dynamic_code.len.max(frame_len)
    }
}

struct Compiler<'a> {
    graph: &'a Graph,
    used: Vec<bool>,
    /// Length of each node's value in the buffer.
    padded_lens: Vec<usize>,
    locations: Vec<BufferSlice>,
    static_code: InstructionList,
    dynamic_code: InstructionList,
    affines: Vec<AffineLayer>,
    n_packed: usize,
    n_transposed: usize,
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
        let nowhere = BufferSlice {
            is_static: true,
            offset: 0,
            len: 0,
        };
        Compiler {
            graph,
            padded_lens: padding::padded_lens(graph, &used, output),
            used,
            locations: vec![nowhere; n],
            static_code: InstructionList::default(),
            dynamic_code: InstructionList::default(),
            affines: vec![],
            n_packed: 0,
            n_transposed: 0,
        }
    }

    fn compile_all(mut self, output: NodeId) -> Program {
        for i in 0..self.graph.nodes.len() {
            if self.used[i] {
                self.emit(i);
            }
        }
        for code in [&mut self.static_code, &mut self.dynamic_code] {
            code.n_values = code.n_values.next_multiple_of(REGISTER);
            code.len = code.n_values;
            for instruction in &mut code.instructions {
                if let OpKind::Unary { d, .. } | OpKind::Power { d, .. } = &mut instruction.kind {
                    *d = code.len;
                    code.len += instruction.len.next_multiple_of(REGISTER);
                }
            }
        }
        value_uses::plan_vjp_stores(&mut self.dynamic_code, self.locations[output.index()]);
        let all = self
            .static_code
            .instructions
            .iter()
            .chain(&self.dynamic_code.instructions);
        let max_len = all.map(|instruction| instruction.len).max().unwrap_or(0);
        let output = self.locations[output.index()];
        Program {
            max_len,
            scalar: ScalarCode::lower(&self.dynamic_code, output),
            output,
            static_code: self.static_code,
            dynamic_code: self.dynamic_code,
            affines: self.affines,
            n_packed: self.n_packed,
            n_transposed: self.n_transposed,
        }
    }

    fn emit(&mut self, i: usize) {
        let op = &self.graph.nodes[i];
        let len = self.padded_lens[i];
        if let Op::Slice { x, start, len } = op {
            let x = self.locations[x.index()];
            self.locations[i] = BufferSlice {
                is_static: x.is_static,
                offset: x.offset + start,
                len: *len,
            };
            return;
        }
        let is_static = match op {
            Op::Param(_) | Op::Const(_) => true,
            Op::Time | Op::State | Op::Signal(_) => false,
            _ => op
                .operands()
                .iter()
                .all(|x| self.locations[x.index()].is_static),
        };
        let kind = self.lower(i, is_static);
        let code = if is_static {
            &mut self.static_code
        } else {
            &mut self.dynamic_code
        };
        let at = match len {
            0..REGISTER => code.n_values,
            _ => code.n_values.next_multiple_of(REGISTER),
        };
        code.n_values = at + len;
        code.instructions.push(Instruction {
            kind,
            offset: at,
            len,
            vjp_store: VjpStore::Accumulate,
        });
        self.locations[i] = BufferSlice {
            is_static,
            offset: at,
            len,
        };
    }

    fn lower(&mut self, i: usize, is_static: bool) -> OpKind {
        let op = &self.graph.nodes[i];
        // For an instruction of the static program, the static buffer is the buffer of the running program.
        let at = |x: &NodeId| {
            let loc = self.locations[x.index()];
            BufferSlice {
                is_static: loc.is_static && !is_static,
                ..loc
            }
        };
        match op {
            Op::Time => OpKind::Time,
            Op::State => OpKind::State,
            Op::Param(block) => OpKind::Param(self.graph.blocks[*block].offset),
            Op::Const(values) => OpKind::Const(values.clone()),
            Op::Signal(i) => OpKind::Signal(*i),
            Op::Slice { .. } => unreachable!("slices are views"),
            Op::Concat(parts) => OpKind::Concat(parts.iter().map(at).collect()),
            Op::Sum(x) => OpKind::Sum(at(x)),
            Op::Unary(f, x) => OpKind::Unary {
                f: *f,
                x: at(x),
                d: 0,
            },
            Op::Binary(Binary::Pow, x, y) if self.constant(*y).is_some() => OpKind::Power {
                x: at(x),
                exponent: self.constant(*y).unwrap_or(1.0),
                d: 0,
            },
            Op::Binary(f, x, y) => OpKind::Binary {
                f: *f,
                x: at(x),
                y: at(y),
            },
            Op::Select { cond, a, b } => OpKind::Select {
                cond: at(cond),
                a: at(a),
                b: at(b),
            },
            Op::Affine { weight, bias, x } => {
                let x = at(x);
                let shape = &self.graph.blocks[*weight].shape;
                let (out, inputs) = (shape[0], shape[1]);
                let padded_out = self.padded_lens[i];
                self.n_packed = self.n_packed.next_multiple_of(REGISTER);
                self.n_transposed = self.n_transposed.next_multiple_of(REGISTER);
                let (short, size) = (padded_out.min(x.len), padded_out * x.len);
                let transposed_offset =
                    (short >= MIN_TRANSPOSED_ROW && size <= MAX_TRANSPOSED_WEIGHTS).then(|| {
                        self.n_transposed += size;
                        self.n_transposed - size
                    });
                self.affines.push(AffineLayer {
                    weight: self.graph.blocks[*weight].offset,
                    bias: bias.map(|b| self.graph.blocks[b].offset),
                    out,
                    inputs,
                    padded_out,
                    padded_inputs: x.len,
                    input_major: out >= inputs,
                    packed_offset: self.n_packed,
                    transposed_offset,
                });
                self.n_packed += padded_out * (x.len + 1);
                OpKind::Affine {
                    index: self.affines.len() - 1,
                    x,
                }
            }
        }
    }

    /// Returns the value of a node that is a constant of length 1.
    fn constant(&self, id: NodeId) -> Option<f64> {
        match &self.graph.nodes[id.index()] {
            Op::Const(v) if v.len() == 1 => Some(v[0]),
            _ => None,
        }
    }
}
