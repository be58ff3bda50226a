//! Evaluations with a tape by scalar code: every number is written to its place in the slot.

use super::super::kernels::{Isa, copy};
use super::super::op::{Binary, Unary};
use super::forward::{binary_number, power, power_derivative};
use super::scalar_code::{Place, ScalarCode, ScalarOp};
use super::unary_number;

/// The inputs of an evaluation besides its slot.
pub(super) struct TapedInputs<'a> {
    /// Instruction set of the running code.
    pub isa: Isa,
    pub static_buffer: &'a [f64],
    pub t: f64,
    pub u: &'a [f64],
}

/// Writes the values of an evaluation, and the derivatives that a VJP or JVP needs, into `slot`.
#[inline(always)]
pub(super) fn run<const FMA: bool>(code: &ScalarCode, inputs: &TapedInputs, slot: &mut [f64]) {
    for &first in &code.states {
        let first = first as usize;
        copy(&inputs.u[..code.dof], &mut slot[first..first + code.dof]);
    }
    for &at in &code.times {
        slot[at as usize] = inputs.t;
    }
    for instruction in &code.instructions {
        let at = |x: Place| match x {
            Place::Static(at) => inputs.static_buffer[at as usize],
            Place::Slot(at) => slot[at as usize],
        };
        let x = at(instruction.x);
        let value = match instruction.op {
            ScalarOp::Copy => x,
            ScalarOp::Binary(f) => {
                let y = at(instruction.y);
                match f {
                    Binary::Add => binary_number(Binary::Add, x, y),
                    Binary::Sub => binary_number(Binary::Sub, x, y),
                    Binary::Mul => binary_number(Binary::Mul, x, y),
                    Binary::Div => binary_number(Binary::Div, x, y),
                    f => binary_number(f, x, y),
                }
            }
            ScalarOp::Unary { f, d } => {
                let (isa, x, mut y, mut derivative) = (inputs.isa, &[x], [0.0], [0.0]);
                let of = Some(&mut derivative);
                match f {
                    Unary::Neg => unary_number::run::<FMA, 1>(isa, Unary::Neg, x, &mut y, of),
                    Unary::Square => {
                        unary_number::run::<FMA, 1>(isa, Unary::Square, x, &mut y, of);
                    }
                    f => unary_number::unary(isa, isa, f, x, &mut y, of),
                }
                slot[d as usize] = derivative[0];
                y[0]
            }
            ScalarOp::Power { exponent, d } => {
                slot[d as usize] = power_derivative(x, exponent);
                power(x, exponent)
            }
            ScalarOp::Select => at(match x != 0.0 {
                true => instruction.y,
                false => instruction.z,
            }),
        };
        slot[instruction.to as usize] = value;
    }
}
