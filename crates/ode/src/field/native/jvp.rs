//! Forward mode: Jacobian-vector products, `P` tangent lanes at once.

use super::super::kernels::each_lane;
use super::super::kernels::tangent_ops::{
    self, MatrixLayout, are_normal, axpy_lanes, scale_strong_zero,
};
use super::forward::{EvalContext, broadcast_get};
use super::program::{BufferSlice, InstructionList, OpKind};
use super::vjp::partials;

/// The tangents of an evaluation's inputs; the `P` lanes of a number are contiguous.
pub(super) struct InputTangents<'a, const P: usize> {
    /// Tangents of the state, `[dof]`.
    pub u: &'a [[f64; P]],
    /// Tangents of the time.
    pub t: [f64; P],
    /// Tangents of all parameter values, `[n]` (read by the static program only).
    pub params: &'a [[f64; P]],
    /// Tangents of the packed weights and biases, `[n_packed]`; empty where the parameters' tangents are zero.
    pub packed: &'a [[f64; P]],
    /// Tangents of the static buffer, `[n_values]`.
    pub static_buffer: &'a [[f64; P]],
}

/// Fills `out_tangents` (`[n_values]`) with the tangents of every value that a taped evaluation stored in `buffer`. `signal_dt`
/// is scratch space, as long as the longest signal.
#[inline(always)]
pub(super) fn run<const FMA: bool, const P: usize>(
    code: &InstructionList,
    inputs: &EvalContext<1>,
    buffer: &[f64],
    tangents: &InputTangents<P>,
    signal_dt: &mut [f64],
    out_tangents: &mut [[f64; P]],
) {
    for instruction in &code.instructions {
        let (before, rest) = out_tangents.split_at_mut(instruction.offset);
        let dot = &mut rest[..instruction.len];
        let out = &buffer[instruction.offset..instruction.offset + instruction.len];
        let get = |x: BufferSlice| {
            let from = if x.is_static {
                inputs.static_buffer
            } else {
                buffer
            };
            &from[x.offset..x.offset + x.len]
        };
        let tangent = |x: BufferSlice| {
            let from = if x.is_static {
                tangents.static_buffer
            } else {
                &*before
            };
            &from[x.offset..x.offset + x.len]
        };
        match &instruction.kind {
            OpKind::Time => dot[0] = tangents.t,
            OpKind::State => dot.copy_from_slice(tangents.u),
            OpKind::Param(at) => dot.copy_from_slice(&tangents.params[*at..at + dot.len()]),
            OpKind::Const(_) => dot.fill([0.0; P]),
            OpKind::Signal(i) => {
                let ds_dt = inputs.signal_dt(*i, &mut signal_dt[..dot.len()]);
                for (dot, ds_dt) in dot.iter_mut().zip(ds_dt) {
                    *dot = each_lane(|p| ds_dt * tangents.t[p]);
                }
            }
            OpKind::Concat(parts) => {
                let mut at = 0;
                for &part in parts {
                    dot[at..at + part.len].copy_from_slice(tangent(part));
                    at += part.len;
                }
            }
            OpKind::Sum(x) => {
                dot[0] = [0.0; P];
                for x in tangent(*x) {
                    axpy_lanes::<FMA, P>(1.0, x, &mut dot[0]);
                }
            }
            OpKind::Unary { d, x, .. } | OpKind::Power { d, x, .. } => {
                let d = &buffer[*d..d + instruction.len];
                let each = dot.iter_mut().zip(tangent(*x)).zip(d);
                match are_normal(d) {
                    true => each.for_each(|((dot, x), d)| *dot = each_lane(|p| d * x[p])),
                    false => each.for_each(|((dot, x), d)| *dot = scale_strong_zero(*d, x)),
                }
            }
            OpKind::Binary { f, x, y } => {
                let (xv, yv, xt, yt) = (get(*x), get(*y), tangent(*x), tangent(*y));
                for (i, dot) in dot.iter_mut().enumerate() {
                    let (dx, dy) = partials(
                        *f,
                        broadcast_get::<1>(xv, i),
                        broadcast_get::<1>(yv, i),
                        out[i],
                    );
                    *dot = scale_strong_zero(dx, broadcast_lanes(xt, i));
                    axpy_lanes::<FMA, P>(1.0, &scale_strong_zero(dy, broadcast_lanes(yt, i)), dot);
                }
            }
            OpKind::Select { cond, a, b } => {
                let (cond, a, b) = (get(*cond), tangent(*a), tangent(*b));
                for (i, dot) in dot.iter_mut().enumerate() {
                    *dot = if broadcast_get::<1>(cond, i) != 0.0 {
                        *broadcast_lanes(a, i)
                    } else {
                        *broadcast_lanes(b, i)
                    };
                }
            }
            OpKind::Affine { index, x } => {
                let affine = &inputs.affines[*index];
                let matrix = &inputs.packed[affine.weight_range()];
                let layout = match affine.input_major {
                    true => MatrixLayout::ColumnMajor,
                    false => MatrixLayout::RowMajor,
                };
                if tangents.packed.is_empty() {
                    dot.fill([0.0; P]);
                } else {
                    dot.copy_from_slice(&tangents.packed[affine.bias_range()]);
                    let matrix = &tangents.packed[affine.weight_range()];
                    tangent_ops::gemv_tangent_matrix::<FMA, P>(matrix, layout, get(*x), dot);
                }
                tangent_ops::gemv_tangent_vector::<FMA, P>(matrix, layout, tangent(*x), dot);
            }
        }
    }
}

/// Returns the tangent lanes of component `i` of an operand that is broadcast when it has length 1.
#[inline(always)]
pub(super) fn broadcast_lanes<const P: usize>(x: &[[f64; P]], i: usize) -> &[f64; P] {
    if x.len() == 1 { &x[0] } else { &x[i] }
}
