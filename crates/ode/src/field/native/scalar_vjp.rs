//! Vector-Jacobian products by scalar code: one instruction for each operand of each operation, in the order in which the vector
//! program adds to its adjoints.

use super::super::kernels::{dense, strong_fma, strong_mul};
use super::super::op::Binary;
use super::program::{InstructionList, OpKind, VjpStore};
use super::scalar_code::{Place, index, place};
use super::vjp::{AdjointBuffers, partial_x, partial_y};

/// What an adjoint instruction adds to the adjoint of an operand.
#[derive(Debug, Clone, Copy)]
enum AdjointOp {
    /// z̄.
    Copy,
    /// z̄ times the derivative stored at `d`.
    Derivative { d: u16 },
    /// Does not add, but sets the adjoint: z̄ times the derivative stored at `d`.
    Overwrite { d: u16 },
    /// z̄ ∂f/∂x.
    PartialX(Binary),
    /// z̄ ∂f/∂y.
    PartialY(Binary),
    /// z̄, where the number x is not zero.
    WhereTrue,
    /// z̄, where the number x is zero.
    WhereFalse,
    /// The adjoints of the state.
    State,
    /// The adjoint of the time.
    Time,
}

/// One adjoint instruction.
#[derive(Debug, Clone, Copy)]
struct AdjointInstruction {
    op: AdjointOp,
    x: Place,
    y: Place,
    /// Index of the operation's value z, and of its adjoint z̄.
    z: u16,
    /// The number whose adjoint is added to.
    to: Place,
}

/// The adjoint of a dynamic program as operations on single numbers.
#[derive(Debug)]
pub(super) struct AdjointCode {
    instructions: Vec<AdjointInstruction>,
    dof: usize,
}

impl AdjointCode {
    /// Lowers the adjoint of a dynamic program of few numbers, without layers, signals and sums.
    pub fn lower(code: &InstructionList, dof: usize) -> Option<AdjointCode> {
        let mut instructions = vec![];
        for instruction in code.instructions.iter().rev() {
            let (len, first) = (instruction.len, instruction.offset);
            let mut push = |i: usize, op: AdjointOp, x: Place, y: Place, to: Place| {
                let z = index(first + i)?;
                instructions.push(AdjointInstruction { op, x, y, z, to });
                Some(())
            };
            match &instruction.kind {
                OpKind::Time | OpKind::State => {
                    let op = match instruction.kind {
                        OpKind::Time => AdjointOp::Time,
                        _ => AdjointOp::State,
                    };
                    let at = Place::Slot(index(first)?);
                    push(0, op, at, at, at)?;
                }
                OpKind::Concat(parts) => {
                    let places = parts
                        .iter()
                        .flat_map(|part| (0..part.len).map(move |i| place(*part, i)));
                    for (i, x) in places.enumerate() {
                        push(i, AdjointOp::Copy, x?, x?, x?)?;
                    }
                }
                OpKind::Unary { x, d, .. } | OpKind::Power { x, d, .. } => {
                    for i in 0..len {
                        let d = index(d + i)?;
                        let op = match instruction.vjp_store {
                            VjpStore::Accumulate => AdjointOp::Derivative { d },
                            _ => AdjointOp::Overwrite { d },
                        };
                        let x = place(*x, i)?;
                        push(i, op, x, x, x)?;
                    }
                }
                OpKind::Binary { f, x, y } if !f.is_comparison() => {
                    for i in 0..len {
                        let (x, y) = (place(*x, i)?, place(*y, i)?);
                        push(i, AdjointOp::PartialX(*f), x, y, x)?;
                    }
                    for i in 0..len {
                        let (x, y) = (place(*x, i)?, place(*y, i)?);
                        push(i, AdjointOp::PartialY(*f), x, y, y)?;
                    }
                }
                OpKind::Binary { .. } => {}
                OpKind::Select { cond, a, b } => {
                    for (op, to) in [(AdjointOp::WhereTrue, a), (AdjointOp::WhereFalse, b)] {
                        for i in 0..len {
                            let x = place(*cond, i)?;
                            push(i, op, x, x, place(*to, i)?)?;
                        }
                    }
                }
                _ => return None,
            }
        }
        Some(AdjointCode { instructions, dof })
    }
}

/// Runs the adjoint instructions over the slot of a taped evaluation, as [`super::vjp::run`] does those of vectors.
#[inline(always)]
pub(super) fn run<const FMA: bool>(
    code: &AdjointCode,
    static_buffer: &[f64],
    slot: &[f64],
    adjoints: &mut AdjointBuffers<1>,
) {
    for instruction in &code.instructions {
        let z = instruction.z as usize;
        let bar = adjoints.buffer[z];
        let at = |x: Place| match x {
            Place::Static(at) => static_buffer[at as usize],
            Place::Slot(at) => slot[at as usize],
        };
        let to = match instruction.to {
            Place::Static(at) => &mut adjoints.static_buffer[at as usize],
            Place::Slot(at) => &mut adjoints.buffer[at as usize],
        };
        match instruction.op {
            AdjointOp::Copy => *to += bar,
            AdjointOp::Derivative { d } => *to = strong_fma::<FMA>(bar, slot[d as usize], *to),
            AdjointOp::Overwrite { d } => *to = strong_mul(bar, slot[d as usize]),
            AdjointOp::PartialX(f) => {
                let (x, y, z) = (at(instruction.x), at(instruction.y), slot[z]);
                *to += strong_mul(partial_x(f, x, y, z), bar);
            }
            AdjointOp::PartialY(f) => {
                let (x, y, z) = (at(instruction.x), at(instruction.y), slot[z]);
                *to += strong_mul(partial_y(f, x, y, z), bar);
            }
            AdjointOp::WhereTrue => {
                if at(instruction.x) != 0.0 {
                    *to += bar;
                }
            }
            AdjointOp::WhereFalse => {
                if at(instruction.x) == 0.0 {
                    *to += bar;
                }
            }
            AdjointOp::State => dense::add(&adjoints.buffer[z..z + code.dof], adjoints.u),
            AdjointOp::Time => {
                if let Some(t) = adjoints.t.as_deref_mut() {
                    *t += bar;
                }
            }
        }
    }
}
