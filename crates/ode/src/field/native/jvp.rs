//! Forward mode: Jacobian-vector products, `P` tangent planes at once.

use super::super::kernels::planes::{self, Layout, add_scaled, scaled};
use super::program::{Code, Kind, Loc};
use super::value::{Inputs, repeated};
use super::vjp::partials;

/// Tangents that come from outside; of each number `P` side by side.
pub(super) struct Tangents<'a, const P: usize> {
    /// Of the state, `[dof]`.
    pub u: &'a [[f64; P]],
    /// Of the time.
    pub t: [f64; P],
    /// Of all parameter values, `[n]` (read by the static program only).
    pub values: &'a [[f64; P]],
    /// Of the bound weights and biases, `[n_bound]`; empty where parameters do not move.
    pub bound: &'a [[f64; P]],
    /// Of the static buffer, `[n_values]`.
    pub fixed: &'a [[f64; P]],
}

/// Fills `own` (`[n_values]`) with the tangents of every value that a taped evaluation left in `buffer`. `rate` is room for
/// the derivative of the longest signal.
#[inline(always)]
pub(super) fn run<const FMA: bool, const P: usize>(
    code: &Code,
    inputs: &Inputs,
    buffer: &[f64],
    tangents: &Tangents<P>,
    rate: &mut [f64],
    own: &mut [[f64; P]],
) {
    for instruction in &code.instructions {
        let (before, rest) = own.split_at_mut(instruction.at);
        let dot = &mut rest[..instruction.len];
        let out = &buffer[instruction.at..instruction.at + instruction.len];
        let get = |x: Loc| {
            let from = if x.fixed { inputs.fixed } else { buffer };
            &from[x.at..x.at + x.len]
        };
        let tangent = |x: Loc| {
            let from = if x.fixed { tangents.fixed } else { &*before };
            &from[x.at..x.at + x.len]
        };
        match &instruction.kind {
            Kind::Time => dot[0] = tangents.t,
            Kind::State => dot.copy_from_slice(tangents.u),
            Kind::Param(at) => dot.copy_from_slice(&tangents.values[*at..at + dot.len()]),
            Kind::Const(_) => dot.fill([0.0; P]),
            Kind::Signal(i) => {
                let rate = inputs.rate(*i, &mut rate[..dot.len()]);
                for (dot, rate) in dot.iter_mut().zip(rate) {
                    *dot = tangents.t.map(|t| rate * t);
                }
            }
            Kind::Concat(parts) => {
                let mut at = 0;
                for &part in parts {
                    dot[at..at + part.len].copy_from_slice(tangent(part));
                    at += part.len;
                }
            }
            Kind::Sum(x) => {
                dot[0] = [0.0; P];
                for x in tangent(*x) {
                    add_scaled::<FMA, P>(1.0, x, &mut dot[0]);
                }
            }
            Kind::Unary { d, x, .. } | Kind::Power { d, x, .. } => {
                let d = &buffer[*d..d + instruction.len];
                for ((dot, x), &d) in dot.iter_mut().zip(tangent(*x)).zip(d) {
                    *dot = x.map(|x| x * d);
                }
            }
            Kind::Binary { f, x, y } => {
                let (xv, yv, xt, yt) = (get(*x), get(*y), tangent(*x), tangent(*y));
                for (i, dot) in dot.iter_mut().enumerate() {
                    let (dx, dy) = partials(*f, repeated(xv, i), repeated(yv, i), out[i]);
                    *dot = scaled(dx, each(xt, i));
                    add_scaled::<FMA, P>(1.0, &scaled(dy, each(yt, i)), dot);
                }
            }
            Kind::Select { cond, a, b } => {
                let (cond, a, b) = (get(*cond), tangent(*a), tangent(*b));
                for (i, dot) in dot.iter_mut().enumerate() {
                    *dot = if repeated(cond, i) != 0.0 {
                        *each(a, i)
                    } else {
                        *each(b, i)
                    };
                }
            }
            Kind::Affine { index, x } => {
                let affine = &inputs.affines[*index];
                let matrix = &inputs.bound[affine.matrix()];
                let layout = match affine.by_input {
                    true => Layout::Columns,
                    false => Layout::Rows,
                };
                if tangents.bound.is_empty() {
                    dot.fill([0.0; P]);
                } else {
                    dot.copy_from_slice(&tangents.bound[affine.bias_range()]);
                    let matrix = &tangents.bound[affine.matrix()];
                    planes::moving_product::<FMA, P>(matrix, layout, get(*x), dot);
                }
                planes::product::<FMA, P>(matrix, layout, tangent(*x), dot);
            }
        }
    }
}

/// The planes of component `i` of an operand that is repeated when it has length 1.
#[inline(always)]
pub(super) fn each<const P: usize>(x: &[[f64; P]], i: usize) -> &[f64; P] {
    if x.len() == 1 { &x[0] } else { &x[i] }
}
