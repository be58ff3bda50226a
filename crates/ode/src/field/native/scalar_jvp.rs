//! Jacobian-vector products by scalar code, `P` tangent lanes at once.

use super::super::kernels::tangent_ops::{axpy_lanes, scale_strong_zero};
use super::super::op::Binary;
use super::jvp::InputTangents;
use super::scalar_code::{Place, ScalarCode, ScalarOp};
use super::vjp::partials;

/// Fills `out_tangents` (`[n_values]`) with the tangents of every value that a taped evaluation stored in `slot`.
#[inline(always)]
pub(super) fn run<const FMA: bool, const P: usize>(
    code: &ScalarCode,
    static_buffer: &[f64],
    slot: &[f64],
    tangents: &InputTangents<P>,
    out_tangents: &mut [[f64; P]],
) {
    for &first in &code.states {
        let first = first as usize;
        out_tangents[first..first + code.dof].copy_from_slice(tangents.u);
    }
    for &at in &code.times {
        out_tangents[at as usize] = tangents.t;
    }
    for instruction in &code.instructions {
        let at = |x: Place| match x {
            Place::Static(at) => static_buffer[at as usize],
            Place::Slot(at) => slot[at as usize],
        };
        let tangent = |x: Place| match x {
            Place::Static(at) => &tangents.static_buffer[at as usize],
            Place::Slot(at) => &out_tangents[at as usize],
        };
        let to = instruction.to as usize;
        let dot = match instruction.op {
            ScalarOp::Copy => *tangent(instruction.x),
            ScalarOp::Unary { d, .. } | ScalarOp::Power { d, .. } => {
                scale_strong_zero(slot[d as usize], tangent(instruction.x))
            }
            ScalarOp::Binary(f) => {
                let (x, y) = (at(instruction.x), at(instruction.y));
                let (dx, dy) = match f {
                    Binary::Add => partials(Binary::Add, x, y, slot[to]),
                    Binary::Sub => partials(Binary::Sub, x, y, slot[to]),
                    Binary::Mul => partials(Binary::Mul, x, y, slot[to]),
                    f => partials(f, x, y, slot[to]),
                };
                let mut dot = scale_strong_zero(dx, tangent(instruction.x));
                let by_y = scale_strong_zero(dy, tangent(instruction.y));
                axpy_lanes::<FMA, P>(1.0, &by_y, &mut dot);
                dot
            }
            ScalarOp::Select => *tangent(match at(instruction.x) != 0.0 {
                true => instruction.y,
                false => instruction.z,
            }),
        };
        out_tangents[to] = dot;
    }
}
