//! Forward over reverse: the tangent of a vector-Jacobian product, `P` planes at once.
//!
//! For z = f(x) the adjoint is x̄ = f′(x) z̄, and its tangent x̄˙ = f′(x) z̄˙ + f″(x) ẋ z̄.

use super::super::kernels::activation;
use super::super::kernels::dense::{Start, add};
use super::super::kernels::planes::{self, Layout, add_scaled, scaled};
use super::super::op::Binary;
use super::jvp::each;
use super::program::{Code, Kind, Loc};
use super::value::{Inputs, power, repeated};
use super::vjp::{partials, pull};

/// The tangents that a JVP left.
pub(super) struct Moved<'a, const P: usize> {
    /// Of the program's own buffer.
    pub own: &'a [[f64; P]],
    /// Of the static buffer.
    pub fixed: &'a [[f64; P]],
    /// Of the bound weights and biases; empty where parameters do not move.
    pub bound: &'a [[f64; P]],
    /// Of the time.
    pub t: [f64; P],
}

/// Where adjoints and their tangents are gathered.
pub(super) struct Adjoints<'a, const P: usize> {
    /// One adjoint for each value of the program's own buffer; the output's is set by the caller, the rest is zero.
    pub own: &'a mut [f64],
    pub own_dot: &'a mut [[f64; P]],
    /// Of the static buffer, added to.
    pub fixed: &'a mut [f64],
    pub fixed_dot: &'a mut [[f64; P]],
    /// Tangents of the adjoints of bound weights and biases, added to.
    pub bound_dot: &'a mut [[f64; P]],
    /// Tangents of the adjoints of all parameter values, added to (by the static program only).
    pub values_dot: &'a mut [[f64; P]],
    /// Of the state, added to.
    pub u: &'a mut [f64],
    pub u_dot: &'a mut [[f64; P]],
    /// Of the time, added to, where it is wanted.
    pub t: Option<(&'a mut f64, &'a mut [f64; P])>,
}

/// Runs the instructions backwards over the buffer of a taped evaluation and the tangents of a JVP there. `scratch` is room
/// for two vectors of the longest length.
#[inline(always)]
pub(super) fn run<const FMA: bool, const P: usize>(
    code: &Code,
    inputs: &Inputs,
    buffer: &[f64],
    moved: &Moved<P>,
    scratch: &mut [f64],
    adjoints: &mut Adjoints<P>,
) {
    for instruction in code.instructions.iter().rev() {
        let len = instruction.len;
        let (own, rest) = adjoints.own.split_at_mut(instruction.at);
        let (own_dot, rest_dot) = adjoints.own_dot.split_at_mut(instruction.at);
        let (bar, bar_dot) = (&rest[..len], &rest_dot[..len]);
        let mut targets = Targets {
            own,
            own_dot,
            fixed: &mut *adjoints.fixed,
            fixed_dot: &mut *adjoints.fixed_dot,
        };
        let out = &buffer[instruction.at..instruction.at + len];
        let get = |x: Loc| {
            let from = if x.fixed { inputs.fixed } else { buffer };
            &from[x.at..x.at + x.len]
        };
        let tangent = |x: Loc| {
            let from = if x.fixed { moved.fixed } else { moved.own };
            &from[x.at..x.at + x.len]
        };
        match &instruction.kind {
            Kind::Time => {
                if let Some((t, t_dot)) = &mut adjoints.t {
                    **t += bar[0];
                    add_scaled::<FMA, P>(1.0, &bar_dot[0], t_dot);
                }
            }
            Kind::State => {
                add(bar, adjoints.u);
                add_planes::<FMA, P>(bar_dot, adjoints.u_dot);
            }
            Kind::Param(at) => {
                add_planes::<FMA, P>(bar_dot, &mut adjoints.values_dot[*at..at + len]);
            }
            Kind::Const(_) => {}
            Kind::Signal(i) => {
                if let Some((t, t_dot)) = &mut adjoints.t {
                    let (rate, rest) = scratch.split_at_mut(len);
                    let rate = inputs.rate(*i, rate);
                    let bend = inputs.bend(*i, &mut rest[..len]);
                    for (i, bar_dot) in bar_dot.iter().enumerate() {
                        **t += rate[i] * bar[i];
                        add_scaled::<FMA, P>(rate[i], bar_dot, t_dot);
                        add_scaled::<FMA, P>(bend[i] * bar[i], &moved.t, t_dot);
                    }
                }
            }
            Kind::Concat(parts) => {
                let mut at = 0;
                for &part in parts {
                    let (x, x_dot) = targets.of(part);
                    add(&bar[at..at + part.len], x);
                    add_planes::<FMA, P>(&bar_dot[at..at + part.len], x_dot);
                    at += part.len;
                }
            }
            Kind::Sum(x) => {
                let (x, x_dot) = targets.of(*x);
                for (x, x_dot) in x.iter_mut().zip(x_dot) {
                    *x += bar[0];
                    add_scaled::<FMA, P>(1.0, &bar_dot[0], x_dot);
                }
            }
            Kind::Unary { d, x, .. } | Kind::Power { d, x, .. } => {
                let d = &buffer[*d..d + len];
                let dd = &mut scratch[..len];
                match &instruction.kind {
                    Kind::Unary { f, .. } => activation::second::<FMA>(*f, get(*x), out, d, dd),
                    Kind::Power { exponent, .. } => {
                        for (dd, &x) in dd.iter_mut().zip(get(*x)) {
                            *dd = power_by_x_twice(x, *exponent);
                        }
                    }
                    _ => {}
                }
                let moves = tangent(*x);
                let (x, x_dot) = targets.of(*x);
                for i in 0..len {
                    x[i] += bar[i] * d[i];
                    add_scaled::<FMA, P>(d[i], &bar_dot[i], &mut x_dot[i]);
                    add_scaled::<FMA, P>(dd[i] * bar[i], &moves[i], &mut x_dot[i]);
                }
            }
            Kind::Binary { f, x, y } if !f.is_comparison() => {
                let (xv, yv, xt, yt) = (get(*x), get(*y), tangent(*x), tangent(*y));
                for i in 0..len {
                    let (a, b) = (repeated(xv, i), repeated(yv, i));
                    let (dx, dy) = partials(*f, a, b, out[i]);
                    let (xx, xy, yy) = second_partials(*f, a, b, out[i]);
                    let (a_dot, b_dot) = (each(xt, i), each(yt, i));
                    let mut to = |loc: Loc, d: f64, by_x: f64, by_y: f64| {
                        let at = if loc.len == 1 { 0 } else { i };
                        let (to, to_dot) = targets.of(loc);
                        to[at] += d * bar[i];
                        for (c, planes) in [
                            (d, &bar_dot[i]),
                            (times(by_x, bar[i]), a_dot),
                            (times(by_y, bar[i]), b_dot),
                        ] {
                            if c != 0.0 {
                                add_scaled::<FMA, P>(1.0, &scaled(c, planes), &mut to_dot[at]);
                            }
                        }
                    };
                    to(*x, dx, xx, xy);
                    to(*y, dy, xy, yy);
                }
            }
            Kind::Binary { .. } => {}
            Kind::Select { cond, a, b } => {
                let cond = get(*cond);
                for i in 0..len {
                    let chosen = if repeated(cond, i) != 0.0 { *a } else { *b };
                    let (x, x_dot) = targets.of(chosen);
                    let at = if chosen.len == 1 { 0 } else { i };
                    x[at] += bar[i];
                    add_scaled::<FMA, P>(1.0, &bar_dot[i], &mut x_dot[at]);
                }
            }
            Kind::Affine { index, x } => {
                let affine = &inputs.affines[*index];
                let matrix = &inputs.bound[affine.matrix()];
                let (matrix_dot, bias_dot) =
                    adjoints.bound_dot[affine.bound..].split_at_mut(matrix.len());
                add_planes::<FMA, P>(bar_dot, &mut bias_dot[..len]);
                let input = (get(*x), tangent(*x));
                let output = (bar, bar_dot);
                // The transpose of the layer's own layout.
                let layout = match affine.by_input {
                    true => {
                        planes::add_outer::<FMA, P>(input, output, matrix_dot);
                        Layout::Rows
                    }
                    false => {
                        planes::add_outer::<FMA, P>(output, input, matrix_dot);
                        Layout::Columns
                    }
                };
                let (x, x_dot) = targets.of(*x);
                pull::<FMA>(inputs, affine, bar, Start::Own, &[], x);
                planes::product::<FMA, P>(matrix, layout, bar_dot, x_dot);
                if !moved.bound.is_empty() {
                    let matrix = &moved.bound[affine.matrix()];
                    planes::moving_product::<FMA, P>(matrix, layout, bar, x_dot);
                }
            }
        }
    }
}

/// The adjoints of an operand and their tangents.
struct Targets<'a, const P: usize> {
    own: &'a mut [f64],
    own_dot: &'a mut [[f64; P]],
    fixed: &'a mut [f64],
    fixed_dot: &'a mut [[f64; P]],
}

impl<const P: usize> Targets<'_, P> {
    #[inline(always)]
    fn of(&mut self, x: Loc) -> (&mut [f64], &mut [[f64; P]]) {
        let range = x.at..x.at + x.len;
        match x.fixed {
            true => (&mut self.fixed[range.clone()], &mut self.fixed_dot[range]),
            false => (&mut self.own[range.clone()], &mut self.own_dot[range]),
        }
    }
}

#[inline(always)]
fn add_planes<const FMA: bool, const P: usize>(from: &[[f64; P]], to: &mut [[f64; P]]) {
    for (to, from) in to.iter_mut().zip(from) {
        add_scaled::<FMA, P>(1.0, from, to);
    }
}

/// a b, 0 where b is 0 though a is not finite.
#[inline(always)]
fn times(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a * b }
}

/// ∂²z/∂x², ∂²z/∂x∂y and ∂²z/∂y² of one component.
#[inline(always)]
fn second_partials(f: Binary, x: f64, y: f64, z: f64) -> (f64, f64, f64) {
    match f {
        Binary::Mul => (0.0, 1.0, 0.0),
        Binary::Div => (0.0, -1.0 / (y * y), 2.0 * z / (y * y)),
        Binary::Pow => (
            power_by_x_twice(x, y),
            power_by_both(x, y),
            power_by_y_twice(x, y, z),
        ),
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

/// ∂²(xʸ)/∂x².
#[inline(always)]
fn power_by_x_twice(x: f64, y: f64) -> f64 {
    // Not 0 · ∞ at x = 0.
    if y == 0.0 || y == 1.0 {
        0.0
    } else {
        y * (y - 1.0) * power(x, y - 2.0)
    }
}

/// ∂²(xʸ)/∂x∂y, with its limit 0 at x = 0, y > 1.
#[inline(always)]
fn power_by_both(x: f64, y: f64) -> f64 {
    if x == 0.0 && y > 1.0 {
        0.0
    } else {
        power(x, y - 1.0) * (1.0 + y * x.ln())
    }
}

/// ∂²(xʸ)/∂y², with its limit 0 at x = 0, y > 0.
#[inline(always)]
fn power_by_y_twice(x: f64, y: f64, z: f64) -> f64 {
    if x == 0.0 && y > 0.0 {
        0.0
    } else {
        z * x.ln() * x.ln()
    }
}
