//! Forward over reverse: the tangents of a vector-Jacobian product, `P` tangent lanes at once.
//!
//! For z = f(x) the adjoint is x̄ = f′(x) z̄, and its tangent x̄˙ = f′(x) z̄˙ + f″(x) ẋ z̄.

use super::super::kernels::activation;
use super::super::kernels::dense::{SumStart, add};
use super::super::kernels::tangent_ops::{
    self, MatrixLayout, are_normal, axpy_lanes, axpy_strong_zero, scale_strong_zero,
};
use super::super::kernels::{all_finite, strong_mul};
use super::super::op::Binary;
use super::forward::{EvalContext, broadcast_get, power};
use super::jvp::broadcast_lanes;
use super::program::{BufferSlice, InstructionList, OpKind};
use super::vjp::{affine_vjp, partials};

/// The tangents that a JVP computed.
pub(super) struct ValueTangents<'a, const P: usize> {
    /// Tangents of the values of the program's buffer.
    pub buffer: &'a [[f64; P]],
    /// Tangents of the static buffer.
    pub static_buffer: &'a [[f64; P]],
    /// Tangents of the packed weights and biases; empty where the parameters' tangents are zero.
    pub packed: &'a [[f64; P]],
    /// Tangents of the time.
    pub t: [f64; P],
}

/// The adjoints and their tangents that a pass accumulates.
pub(super) struct AdjointTangentBuffers<'a, const P: usize> {
    /// Adjoints of the values of the program's buffer; the caller sets that of the output, the rest is zero.
    pub buffer: &'a mut [f64],
    /// Tangents of `buffer`.
    pub buffer_dot: &'a mut [[f64; P]],
    /// Adjoints of the static buffer, added to.
    pub static_buffer: &'a mut [f64],
    /// Tangents of `static_buffer`, added to.
    pub static_buffer_dot: &'a mut [[f64; P]],
    /// Tangents of the adjoints of packed weights and biases, added to.
    pub packed_dot: &'a mut [[f64; P]],
    /// Tangents of the adjoints of all parameter values, added to (by the static program only).
    pub params_dot: &'a mut [[f64; P]],
    /// Adjoint of the state, added to.
    pub u: &'a mut [f64],
    /// Tangents of `u`, added to.
    pub u_dot: &'a mut [[f64; P]],
    /// Adjoint of the time and its tangents, added to, where they are wanted.
    pub t: Option<(&'a mut f64, &'a mut [f64; P])>,
}

/// Runs the VJPs of the instructions and their tangents in reverse order over the buffer of a taped evaluation and the tangents
/// of a JVP there. `scratch` has space for two vectors of the program's largest length.
#[inline(always)]
pub(super) fn run<const FMA: bool, const P: usize>(
    code: &InstructionList,
    inputs: &EvalContext<1>,
    buffer: &[f64],
    tangents: &ValueTangents<P>,
    scratch: &mut [f64],
    adjoints: &mut AdjointTangentBuffers<P>,
) {
    for instruction in code.instructions.iter().rev() {
        let len = instruction.len;
        let (earlier, rest) = adjoints.buffer.split_at_mut(instruction.offset);
        let (earlier_dot, rest_dot) = adjoints.buffer_dot.split_at_mut(instruction.offset);
        let (bar, bar_dot) = (&rest[..len], &rest_dot[..len]);
        let mut targets = OperandAdjoints {
            buffer: earlier,
            buffer_dot: earlier_dot,
            static_buffer: &mut *adjoints.static_buffer,
            static_buffer_dot: &mut *adjoints.static_buffer_dot,
        };
        let out = &buffer[instruction.offset..instruction.offset + len];
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
                tangents.buffer
            };
            &from[x.offset..x.offset + x.len]
        };
        match &instruction.kind {
            OpKind::Time => {
                if let Some((t, t_dot)) = &mut adjoints.t {
                    **t += bar[0];
                    axpy_lanes::<FMA, P>(1.0, &bar_dot[0], t_dot);
                }
            }
            OpKind::State => {
                add(bar, adjoints.u);
                add_lanes::<FMA, P>(bar_dot, adjoints.u_dot);
            }
            OpKind::Param(at) => {
                add_lanes::<FMA, P>(bar_dot, &mut adjoints.params_dot[*at..at + len]);
            }
            OpKind::Const(_) => {}
            OpKind::Signal(i) => {
                if let Some((t, t_dot)) = &mut adjoints.t {
                    let (ds_dt, rest) = scratch.split_at_mut(len);
                    let ds_dt = inputs.signal_dt(*i, ds_dt);
                    let d2s_dt2 = inputs.signal_d2t(*i, &mut rest[..len]);
                    for (i, bar_dot) in bar_dot.iter().enumerate() {
                        **t += ds_dt[i] * bar[i];
                        axpy_lanes::<FMA, P>(ds_dt[i], bar_dot, t_dot);
                        axpy_lanes::<FMA, P>(d2s_dt2[i] * bar[i], &tangents.t, t_dot);
                    }
                }
            }
            OpKind::Concat(parts) => {
                let mut at = 0;
                for &part in parts {
                    let (x, x_dot) = targets.get_mut(part);
                    add(&bar[at..at + part.len], x);
                    add_lanes::<FMA, P>(&bar_dot[at..at + part.len], x_dot);
                    at += part.len;
                }
            }
            OpKind::Sum(x) => {
                let (x, x_dot) = targets.get_mut(*x);
                for (x, x_dot) in x.iter_mut().zip(x_dot) {
                    *x += bar[0];
                    axpy_lanes::<FMA, P>(1.0, &bar_dot[0], x_dot);
                }
            }
            OpKind::Unary { d, x, .. } | OpKind::Power { d, x, .. } => {
                let d = &buffer[*d..d + len];
                let dd = &mut scratch[..len];
                match &instruction.kind {
                    OpKind::Unary { f, .. } => {
                        activation::second_derivative::<FMA>(*f, get(*x), out, d, dd)
                    }
                    OpKind::Power { exponent, .. } => {
                        for (dd, &x) in dd.iter_mut().zip(get(*x)) {
                            *dd = d2pow_dx2(x, *exponent);
                        }
                    }
                    _ => {}
                }
                let x_tangents = &tangent(*x)[..len];
                let (x, x_dot) = targets.get_mut(*x);
                let (x, x_dot) = (&mut x[..len], &mut x_dot[..len]);
                for (dd, bar) in dd.iter_mut().zip(bar) {
                    *dd = strong_mul(*dd, *bar);
                }
                if are_normal(d) & are_normal(dd) {
                    for i in 0..len {
                        x[i] += bar[i] * d[i];
                        axpy_lanes::<FMA, P>(d[i], &bar_dot[i], &mut x_dot[i]);
                        axpy_lanes::<FMA, P>(dd[i], &x_tangents[i], &mut x_dot[i]);
                    }
                } else {
                    for i in 0..len {
                        x[i] += strong_mul(bar[i], d[i]);
                        axpy_strong_zero::<FMA, P>(d[i], &bar_dot[i], &mut x_dot[i]);
                        axpy_strong_zero::<FMA, P>(dd[i], &x_tangents[i], &mut x_dot[i]);
                    }
                }
            }
            OpKind::Binary { f, x, y } if !f.is_comparison() => {
                let (xv, yv, xt, yt) = (get(*x), get(*y), tangent(*x), tangent(*y));
                for i in 0..len {
                    let (a, b) = (broadcast_get::<1>(xv, i), broadcast_get::<1>(yv, i));
                    let (dx, dy) = partials(*f, a, b, out[i]);
                    let (xx, xy, yy) = second_partials(*f, a, b, out[i]);
                    let (a_dot, b_dot) = (broadcast_lanes(xt, i), broadcast_lanes(yt, i));
                    let mut to = |loc: BufferSlice, d: f64, by_x: f64, by_y: f64| {
                        let at = if loc.len == 1 { 0 } else { i };
                        let (to, to_dot) = targets.get_mut(loc);
                        to[at] += strong_mul(d, bar[i]);
                        for (c, lanes) in [
                            (d, &bar_dot[i]),
                            (strong_mul(by_x, bar[i]), a_dot),
                            (strong_mul(by_y, bar[i]), b_dot),
                        ] {
                            if c != 0.0 {
                                axpy_lanes::<FMA, P>(
                                    1.0,
                                    &scale_strong_zero(c, lanes),
                                    &mut to_dot[at],
                                );
                            }
                        }
                    };
                    to(*x, dx, xx, xy);
                    to(*y, dy, xy, yy);
                }
            }
            OpKind::Binary { .. } => {}
            OpKind::Select { cond, a, b } => {
                let cond = get(*cond);
                for i in 0..len {
                    let chosen = if broadcast_get::<1>(cond, i) != 0.0 {
                        *a
                    } else {
                        *b
                    };
                    let (x, x_dot) = targets.get_mut(chosen);
                    let at = if chosen.len == 1 { 0 } else { i };
                    x[at] += bar[i];
                    axpy_lanes::<FMA, P>(1.0, &bar_dot[i], &mut x_dot[at]);
                }
            }
            OpKind::Affine { index, x } => {
                let affine = &inputs.affines[*index];
                let matrix = &inputs.packed[affine.weight_range()];
                if contributes_nothing((bar, bar_dot), (get(*x), tangent(*x)), matrix) {
                    continue;
                }
                let (matrix_dot, bias_dot) =
                    adjoints.packed_dot[affine.packed_offset..].split_at_mut(matrix.len());
                add_lanes::<FMA, P>(bar_dot, &mut bias_dot[..len]);
                let input = (get(*x), tangent(*x));
                let output = (bar, bar_dot);
                // The layout of Wᵀ, which is the other one than that of W.
                let layout = match affine.input_major {
                    true => {
                        tangent_ops::add_outer_tangent::<FMA, P>(input, output, matrix_dot);
                        MatrixLayout::RowMajor
                    }
                    false => {
                        tangent_ops::add_outer_tangent::<FMA, P>(output, input, matrix_dot);
                        MatrixLayout::ColumnMajor
                    }
                };
                let (x, x_dot) = targets.get_mut(*x);
                affine_vjp::<FMA, 1>(inputs, affine, bar, SumStart::Current, &[], x);
                tangent_ops::gemv_tangent_vector::<FMA, P>(matrix, layout, bar_dot, x_dot);
                if !tangents.packed.is_empty() {
                    let matrix = &tangents.packed[affine.weight_range()];
                    tangent_ops::gemv_tangent_matrix::<FMA, P>(matrix, layout, bar, x_dot);
                }
            }
        }
    }
}

/// The adjoints of the operands of an instruction, and their tangents.
struct OperandAdjoints<'a, const P: usize> {
    buffer: &'a mut [f64],
    buffer_dot: &'a mut [[f64; P]],
    static_buffer: &'a mut [f64],
    static_buffer_dot: &'a mut [[f64; P]],
}

impl<const P: usize> OperandAdjoints<'_, P> {
    #[inline(always)]
    fn get_mut(&mut self, x: BufferSlice) -> (&mut [f64], &mut [[f64; P]]) {
        let range = x.offset..x.offset + x.len;
        match x.is_static {
            true => (
                &mut self.static_buffer[range.clone()],
                &mut self.static_buffer_dot[range],
            ),
            false => (&mut self.buffer[range.clone()], &mut self.buffer_dot[range]),
        }
    }
}

/// Whether a layer lies in a branch that is not taken, where its input, the tangents of that or its weights are not finite; see
/// [`super::vjp`].
#[inline(always)]
fn contributes_nothing<const P: usize>(
    (bar, bar_dot): (&[f64], &[[f64; P]]),
    (input, input_dot): (&[f64], &[[f64; P]]),
    weights: &[f64],
) -> bool {
    let is_zero = |x: &f64| *x == 0.0;
    let factors = [input, input_dot.as_flattened(), weights];
    bar.iter().all(is_zero)
        && bar_dot.as_flattened().iter().all(is_zero)
        && !factors.into_iter().all(all_finite)
}

#[inline(always)]
fn add_lanes<const FMA: bool, const P: usize>(from: &[[f64; P]], to: &mut [[f64; P]]) {
    for (to, from) in to.iter_mut().zip(from) {
        axpy_lanes::<FMA, P>(1.0, from, to);
    }
}

/// Returns ∂²z/∂x², ∂²z/∂x∂y and ∂²z/∂y² of one component.
#[inline(always)]
fn second_partials(f: Binary, x: f64, y: f64, z: f64) -> (f64, f64, f64) {
    match f {
        Binary::Mul => (0.0, 1.0, 0.0),
        Binary::Div => (0.0, -1.0 / (y * y), 2.0 * z / (y * y)),
        Binary::Pow => (d2pow_dx2(x, y), d2pow_dxdy(x, y), d2pow_dy2(x, y, z)),
        Binary::Atan2 => {
            let r = x * x + y * y;
            let (a, b) = (x / r, y / r);
            (-2.0 * a * b, (a - b) * (a + b), 2.0 * a * b)
        }
        Binary::Add | Binary::Sub | Binary::Min | Binary::Max => (0.0, 0.0, 0.0),
        Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge | Binary::Eq | Binary::Ne => {
            (0.0, 0.0, 0.0)
        }
    }
}

/// Returns ∂²(xʸ)/∂x².
#[inline(always)]
fn d2pow_dx2(x: f64, y: f64) -> f64 {
    // Zero, where the product would be 0 · ∞ at x = 0.
    if y == 0.0 || y == 1.0 {
        0.0
    } else {
        y * (y - 1.0) * power(x, y - 2.0)
    }
}

/// Returns ∂²(xʸ)/∂x∂y, with its limit 0 at x = 0, y > 1.
#[inline(always)]
fn d2pow_dxdy(x: f64, y: f64) -> f64 {
    if x == 0.0 && y > 1.0 {
        0.0
    } else {
        power(x, y - 1.0) * (1.0 + y * x.ln())
    }
}

/// Returns ∂²(xʸ)/∂y², with its limit 0 at x = 0, y > 0.
#[inline(always)]
fn d2pow_dy2(x: f64, y: f64, z: f64) -> f64 {
    if x == 0.0 && y > 0.0 {
        0.0
    } else {
        z * x.ln() * x.ln()
    }
}
