//! Forward mode: Jacobian-vector products, k tangent planes at once.

use super::program::{Code, Kind, Loc};
use super::value::{Inputs, repeated};
use super::vjp::partials;

/// Tangents that come from outside; `planes` of each, one after the other.
pub(super) struct Tangents<'a> {
    pub planes: usize,
    /// Of the state, `[planes, dof]`.
    pub u: &'a [f64],
    /// Of the time, `[planes]`.
    pub t: &'a [f64],
    /// Of all parameter values, `[planes, n]`; empty for none.
    pub values: &'a [f64],
    /// Of the static buffer, `[planes, n_values]`.
    pub fixed: &'a [f64],
    pub n_fixed: usize,
    pub n_all: usize,
}

/// Fills `own` (`[planes, n_values]`) with the tangents of every value that a taped evaluation left in `buffer`.
#[inline(always)]
pub(super) fn run(
    code: &Code,
    inputs: &Inputs,
    buffer: &[f64],
    tangents: &Tangents,
    own: &mut [f64],
) {
    let n = code.n_values;
    let mut rate = vec![];
    for plane in 0..tangents.planes {
        let fixed = tangents
            .fixed
            .get(plane * tangents.n_fixed..)
            .unwrap_or(&[]);
        let values = tangents.values.get(plane * tangents.n_all..).unwrap_or(&[]);
        let own = &mut own[plane * n..(plane + 1) * n];
        for instruction in &code.instructions {
            let (before, rest) = own.split_at_mut(instruction.at);
            let dot = &mut rest[..instruction.len];
            let out = &buffer[instruction.at..instruction.at + instruction.len];
            let get = |x: Loc| {
                let from = if x.fixed { inputs.fixed } else { buffer };
                &from[x.at..x.at + x.len]
            };
            let tangent = |x: Loc| {
                let from: &[f64] = if x.fixed { fixed } else { before };
                &from[x.at..x.at + x.len]
            };
            match &instruction.kind {
                Kind::Time => dot[0] = tangents.t[plane],
                Kind::State => {
                    let dof = dot.len();
                    dot.copy_from_slice(&tangents.u[plane * dof..(plane + 1) * dof]);
                }
                Kind::Param(at) => match values.get(*at..at + dot.len()) {
                    Some(v) => dot.copy_from_slice(v),
                    None => dot.fill(0.0),
                },
                Kind::Const(_) => dot.fill(0.0),
                Kind::Signal(i) => {
                    let signal = &inputs.signals[*i];
                    rate.resize(dot.len(), 0.0);
                    signal.derivative(inputs.sample.min(signal.samples() - 1), inputs.t, &mut rate);
                    for (dot, rate) in dot.iter_mut().zip(&rate) {
                        *dot = rate * tangents.t[plane];
                    }
                }
                Kind::Concat(parts) => {
                    let mut at = 0;
                    for &part in parts {
                        dot[at..at + part.len].copy_from_slice(tangent(part));
                        at += part.len;
                    }
                }
                Kind::Sum(x) => dot[0] = tangent(*x).iter().sum(),
                Kind::Unary { d, x, .. } | Kind::Power { d, x, .. } => {
                    let d = &buffer[*d..d + instruction.len];
                    for ((dot, &x), &d) in dot.iter_mut().zip(tangent(*x)).zip(d) {
                        *dot = x * d;
                    }
                }
                Kind::Binary { f, x, y } => {
                    let (xv, yv, xt, yt) = (get(*x), get(*y), tangent(*x), tangent(*y));
                    for (i, dot) in dot.iter_mut().enumerate() {
                        let (dx, dy) = partials(*f, repeated(xv, i), repeated(yv, i), out[i]);
                        let term = |d: f64, t: f64| if t == 0.0 { 0.0 } else { d * t };
                        *dot = term(dx, repeated(xt, i)) + term(dy, repeated(yt, i));
                    }
                }
                Kind::Select { cond, a, b } => {
                    let (cond, a, b) = (get(*cond), tangent(*a), tangent(*b));
                    for (i, dot) in dot.iter_mut().enumerate() {
                        *dot = if repeated(cond, i) != 0.0 {
                            repeated(a, i)
                        } else {
                            repeated(b, i)
                        };
                    }
                }
                Kind::Affine { index, x } => {
                    let affine = &inputs.affines[*index];
                    let matrix = &inputs.bound[affine.matrix()];
                    let (x, xt) = (get(*x), tangent(*x));
                    for (o, dot) in dot.iter_mut().enumerate() {
                        let weight = |j: usize| match affine.by_input {
                            true => matrix[j * affine.out + o],
                            false => matrix[o * affine.inputs + j],
                        };
                        *dot = (0..affine.inputs).map(|j| weight(j) * xt[j]).sum();
                        if let Some(w) = values.get(affine.weight + o * affine.inputs..) {
                            *dot += x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>();
                        }
                        if let Some(b) = affine.bias.and_then(|b| values.get(b + o)) {
                            *dot += b;
                        }
                    }
                }
            }
        }
    }
}
