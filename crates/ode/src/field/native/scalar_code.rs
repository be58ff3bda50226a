//! Scalar code: the program of a small system of equations as operations on single numbers.
//!
//! A vector operation of a network has enough to do that its dispatch does not show. An operation on one number takes a nanosecond,
//! and to look up where its operands lie takes several. So a dynamic program of short vectors, without layers and signals, is
//! lowered once more: to [`ScalarInstruction`]s, one for each component, which taped evaluations and their derivatives run over the
//! slot as it is, and from these to [`super::plain_code`] for evaluations without a tape. Each number is computed by the same operations in
//! the same order as by the vector program, and has the same bits.

#[cfg(test)]
#[path = "scalar_code_tests.rs"]
mod tests;

use super::super::op::{Binary, Unary};
use super::plain_code::PlainCode;
use super::program::{BufferSlice, InstructionList, OpKind};
use super::scalar_vjp::AdjointCode;

/// Largest number of components of an operation that is lowered. Longer ones fill registers, and sum their adjoints in an order of
/// their own.
const MAX_COMPONENTS: usize = 4;
/// Largest number of scalar instructions.
const MAX_INSTRUCTIONS: usize = 1024;

/// The place of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// In the static buffer.
    Static(u16),
    /// In the slot.
    Slot(u16),
}

/// An operation on numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ScalarOp {
    /// An elementary function of x, whose derivative is stored at `d`.
    Unary { f: Unary, d: u16 },
    /// x to a constant power; its derivative is stored at `d`.
    Power { exponent: f64, d: u16 },
    /// A function of x and y.
    Binary(Binary),
    /// y where x is not zero, else z.
    Select,
    /// x.
    Copy,
}

/// One scalar instruction: its operation, the places of its operands (x again where there are fewer than three) and the index of
/// its value in the slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScalarInstruction {
    pub op: ScalarOp,
    pub x: Place,
    pub y: Place,
    pub z: Place,
    pub to: u16,
}

impl ScalarInstruction {
    /// Returns the places of the operands.
    pub(super) fn operands(&self) -> impl Iterator<Item = Place> {
        let n = match self.op {
            ScalarOp::Unary { .. } | ScalarOp::Power { .. } | ScalarOp::Copy => 1,
            ScalarOp::Binary(_) => 2,
            ScalarOp::Select => 3,
        };
        [self.x, self.y, self.z].into_iter().take(n)
    }
}

/// The scalar code of a dynamic program.
#[derive(Debug)]
pub(super) struct ScalarCode {
    /// Indices in the slot at which the state begins.
    pub states: Vec<u16>,
    /// Number of state variables; 0 where the state is not used.
    pub dof: usize,
    /// Indices in the slot of the time.
    pub times: Vec<u16>,
    pub instructions: Vec<ScalarInstruction>,
    pub plain: PlainCode,
    pub adjoint: AdjointCode,
}

impl ScalarCode {
    /// Lowers a dynamic program whose value lies at `output`; `None` where it is not one of few numbers.
    pub fn lower(code: &InstructionList, output: BufferSlice) -> Option<ScalarCode> {
        if output.is_static || u16::try_from(code.len).is_err() {
            return None;
        }
        let (mut states, mut times, mut instructions) = (vec![], vec![], vec![]);
        let mut dof = 0;
        for instruction in &code.instructions {
            let (len, first) = (instruction.len, instruction.offset);
            let mut push = |i: usize, op: ScalarOp, [x, y, z]: [Place; 3]| -> Option<()> {
                let to = index(first + i)?;
                instructions.push(ScalarInstruction { op, x, y, z, to });
                (instructions.len() <= MAX_INSTRUCTIONS).then_some(())
            };
            let is_short = len <= MAX_COMPONENTS;
            match &instruction.kind {
                OpKind::Time => times.push(index(first)?),
                OpKind::State => {
                    states.push(index(first)?);
                    dof = len;
                }
                OpKind::Concat(parts) => {
                    let places = parts
                        .iter()
                        .flat_map(|part| (0..part.len).map(move |i| place(*part, i)));
                    for (i, x) in places.enumerate() {
                        push(i, ScalarOp::Copy, [x?; 3])?;
                    }
                }
                OpKind::Unary { f, x, d } if is_short => {
                    for i in 0..len {
                        let op = ScalarOp::Unary {
                            f: *f,
                            d: index(d + i)?,
                        };
                        push(i, op, [place(*x, i)?; 3])?;
                    }
                }
                OpKind::Power { x, exponent, d } if is_short => {
                    for i in 0..len {
                        let op = ScalarOp::Power {
                            exponent: *exponent,
                            d: index(d + i)?,
                        };
                        push(i, op, [place(*x, i)?; 3])?;
                    }
                }
                OpKind::Binary { f, x, y } if is_short => {
                    for i in 0..len {
                        let (x, y) = (place(*x, i)?, place(*y, i)?);
                        push(i, ScalarOp::Binary(*f), [x, y, x])?;
                    }
                }
                OpKind::Select { cond, a, b } if is_short => {
                    for i in 0..len {
                        let operands = [place(*cond, i)?, place(*a, i)?, place(*b, i)?];
                        push(i, ScalarOp::Select, operands)?;
                    }
                }
                _ => return None,
            }
        }
        let output: Option<Vec<Place>> = (0..output.len).map(|i| place(output, i)).collect();
        let plain = PlainCode::new((&states, dof), &times, &instructions, &output?, code.len)?;
        Some(ScalarCode {
            adjoint: AdjointCode::lower(code, dof)?,
            states,
            dof,
            times,
            instructions,
            plain,
        })
    }
}

/// Returns the place of component `i` of an operand that is broadcast when it has one component.
pub(super) fn place(x: BufferSlice, i: usize) -> Option<Place> {
    let at = index(x.offset + if x.len == 1 { 0 } else { i })?;
    Some(match x.is_static {
        true => Place::Static(at),
        false => Place::Slot(at),
    })
}

pub(super) fn index(at: usize) -> Option<u16> {
    u16::try_from(at).ok()
}
