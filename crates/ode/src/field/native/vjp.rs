//! Reverse mode: vector-Jacobian products.

use super::super::kernels::dense::{self, Start, add};
use super::super::op::Binary;
use super::pending::Pending;
use super::program::{Affine, Back, Code, Kind, Loc};
use super::value::{Inputs, power, repeated};

/// Where adjoints are gathered.
pub(super) struct Adjoints<'a> {
    /// One adjoint for each value of the program's own buffer; the output's is set by the caller, what [`Code::cleared`] names
    /// is zero.
    pub own: &'a mut [f64],
    /// Adjoints of the static buffer, added to.
    pub fixed: &'a mut [f64],
    /// Adjoints of bound weights and biases, added to.
    pub bound: &'a mut [f64],
    /// Outer products that wait to be added to `bound`, for each affine layer.
    pub pending: &'a mut [Pending],
    /// Adjoints of all parameter values, added to (by the static program only).
    pub values: &'a mut [f64],
    /// Adjoint of the state, added to.
    pub u: &'a mut [f64],
    /// Adjoint of t, added to, where it is wanted (a signal's derivative costs an evaluation).
    pub t: Option<&'a mut f64>,
    /// Room for the derivative of the longest signal.
    pub rate: &'a mut [f64],
}

/// Runs the instructions backwards over the buffer that a taped evaluation left.
#[inline(always)]
pub(super) fn run<const FMA: bool>(
    code: &Code,
    inputs: &Inputs,
    buffer: &[f64],
    adjoints: &mut Adjoints,
) {
    for instruction in code.instructions.iter().rev() {
        let (own, rest) = adjoints.own.split_at_mut(instruction.at);
        let bar = &rest[..instruction.len];
        let out = &buffer[instruction.at..instruction.at + instruction.len];
        let fixed = &mut *adjoints.fixed;
        let get = |x: Loc| {
            let from = if x.fixed { inputs.fixed } else { buffer };
            &from[x.at..x.at + x.len]
        };
        match &instruction.kind {
            Kind::Time => {
                if let Some(t) = adjoints.t.as_deref_mut() {
                    *t += bar[0];
                }
            }
            Kind::State => add(bar, adjoints.u),
            Kind::Param(at) => add(bar, &mut adjoints.values[*at..at + bar.len()]),
            Kind::Const(_) => {}
            Kind::Signal(i) => {
                if let Some(t) = adjoints.t.as_deref_mut() {
                    let rate = inputs.rate(*i, &mut adjoints.rate[..bar.len()]);
                    *t += dense::dot::<FMA>(rate, bar);
                }
            }
            Kind::Concat(parts) => {
                let mut at = 0;
                for &part in parts {
                    add(&bar[at..at + part.len], target(part, fixed, own));
                    at += part.len;
                }
            }
            Kind::Sum(x) => {
                for x in target(*x, fixed, own) {
                    *x += bar[0];
                }
            }
            Kind::Unary { d, x, .. } | Kind::Power { d, x, .. } => {
                let d = &buffer[*d..d + instruction.len];
                let to = target(*x, fixed, own);
                match instruction.back {
                    Back::Add => dense::add_product_of::<FMA>(bar, d, to),
                    Back::Set | Back::Through { .. } => dense::product_of(bar, d, to),
                    Back::Done => {}
                }
            }
            Kind::Binary { f, x, y } => {
                let (xv, yv) = (get(*x), get(*y));
                binary_x(*f, xv, yv, out, bar, target(*x, fixed, own));
                binary_y(*f, xv, yv, out, bar, target(*y, fixed, own));
            }
            Kind::Select { cond, a, b } => {
                let cond = get(*cond);
                let a_bar = target(*a, fixed, own);
                for (i, &bar) in bar.iter().enumerate() {
                    if repeated(cond, i) != 0.0 {
                        a_bar[if a.len == 1 { 0 } else { i }] += bar;
                    }
                }
                let b_bar = target(*b, fixed, own);
                for (i, &bar) in bar.iter().enumerate() {
                    if repeated(cond, i) == 0.0 {
                        b_bar[if b.len == 1 { 0 } else { i }] += bar;
                    }
                }
            }
            Kind::Affine { index, x } => {
                let affine = &inputs.affines[*index];
                adjoints.pending[*index].add::<FMA>(affine, bar, get(*x), adjoints.bound);
                let (start, times, x) = match instruction.back {
                    Back::Add | Back::Done => (Start::Own, &[][..], *x),
                    Back::Set => (Start::Zero, &[][..], *x),
                    Back::Through { d, x } => (Start::Zero, &buffer[d..d + x.len], x),
                };
                pull::<FMA>(inputs, affine, bar, start, times, target(x, fixed, own));
            }
        }
    }
}

/// x̄ = start + Wᵀ z̄ of a layer, then times `times`, component by component, where that is not empty.
#[inline(always)]
pub(super) fn pull<const FMA: bool>(
    inputs: &Inputs,
    affine: &Affine,
    bar: &[f64],
    start: Start,
    times: &[f64],
    x: &mut [f64],
) {
    let matrix = &inputs.bound[affine.matrix()];
    // What is padding adds nothing.
    let c = &bar[..affine.out];
    match (affine.by_input, affine.turned()) {
        (false, _) => dense::combine_rows::<FMA>(c, matrix, start, times, x),
        (true, Some(turned)) => {
            dense::combine_rows::<FMA>(c, &inputs.turned[turned], start, times, x);
        }
        (true, None) => dense::row_products::<FMA>(matrix, bar, start, times, x),
    }
}

#[inline(always)]
fn target<'a>(x: Loc, fixed: &'a mut [f64], own: &'a mut [f64]) -> &'a mut [f64] {
    let to = if x.fixed { fixed } else { own };
    &mut to[x.at..x.at + x.len]
}

/// Adds `partial(x, y, z) * bar` to `to`, summed up when `to` was repeated.
#[inline(always)]
fn spread(
    (x, y, z): (&[f64], &[f64], &[f64]),
    bar: &[f64],
    to: &mut [f64],
    partial: impl Fn(f64, f64, f64) -> f64,
) {
    match bar.len() {
        1 => to[0] += partial(x[0], y[0], z[0]) * bar[0],
        2 => spread_few::<2>((x, y, z), bar, to, partial),
        3 => spread_few::<3>((x, y, z), bar, to, partial),
        4 => spread_few::<4>((x, y, z), bar, to, partial),
        n if to.len() == 1 => {
            let mut sum = 0.0;
            for i in 0..n {
                sum += partial(repeated(x, i), repeated(y, i), z[i]) * bar[i];
            }
            to[0] += sum;
        }
        n => {
            for i in 0..n {
                to[i] += partial(repeated(x, i), repeated(y, i), z[i]) * bar[i];
            }
        }
    }
}

/// [`spread`] of a few components, without the overhead of a loop over many.
#[inline(always)]
fn spread_few<const N: usize>(
    (x, y, z): (&[f64], &[f64], &[f64]),
    bar: &[f64],
    to: &mut [f64],
    partial: impl Fn(f64, f64, f64) -> f64,
) {
    let single = to.len() == 1;
    for i in 0..N {
        to[if single { 0 } else { i }] += partial(repeated(x, i), repeated(y, i), z[i]) * bar[i];
    }
}

#[inline(always)]
fn binary_x(f: Binary, x: &[f64], y: &[f64], z: &[f64], bar: &[f64], to: &mut [f64]) {
    let v = (x, y, z);
    match f {
        Binary::Add | Binary::Sub => spread(v, bar, to, |_, _, _| 1.0),
        Binary::Mul => spread(v, bar, to, |_, y, _| y),
        Binary::Div => spread(v, bar, to, |_, y, _| 1.0 / y),
        Binary::Pow => spread(v, bar, to, pow_by_x),
        Binary::Min => spread(v, bar, to, |x, y, _| if x < y { 1.0 } else { 0.0 }),
        Binary::Max => spread(v, bar, to, |x, y, _| if x > y { 1.0 } else { 0.0 }),
        Binary::Atan2 => spread(v, bar, to, |x, y, _| y / (x * x + y * y)),
        Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge | Binary::Eq | Binary::Ne => {}
    }
}

#[inline(always)]
fn binary_y(f: Binary, x: &[f64], y: &[f64], z: &[f64], bar: &[f64], to: &mut [f64]) {
    let v = (x, y, z);
    match f {
        Binary::Add => spread(v, bar, to, |_, _, _| 1.0),
        Binary::Sub => spread(v, bar, to, |_, _, _| -1.0),
        Binary::Mul => spread(v, bar, to, |x, _, _| x),
        Binary::Div => spread(v, bar, to, |_, y, z| -z / y),
        Binary::Pow => spread(v, bar, to, pow_by_y),
        Binary::Min => spread(v, bar, to, |x, y, _| if x < y { 0.0 } else { 1.0 }),
        Binary::Max => spread(v, bar, to, |x, y, _| if x > y { 0.0 } else { 1.0 }),
        Binary::Atan2 => spread(v, bar, to, |x, y, _| -x / (x * x + y * y)),
        Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge | Binary::Eq | Binary::Ne => {}
    }
}

/// ∂(xʸ)/∂x.
#[inline(always)]
fn pow_by_x(x: f64, y: f64, _z: f64) -> f64 {
    if y == 0.0 { 0.0 } else { y * power(x, y - 1.0) }
}

/// ∂(xʸ)/∂y, with its limit 0 at x = 0, y > 0.
#[inline(always)]
fn pow_by_y(x: f64, y: f64, z: f64) -> f64 {
    if x == 0.0 && y > 0.0 { 0.0 } else { z * x.ln() }
}

/// ∂z/∂x and ∂z/∂y of one component, for forward mode.
#[inline(always)]
pub(super) fn partials(f: Binary, x: f64, y: f64, z: f64) -> (f64, f64) {
    let (mut dx, mut dy) = ([0.0], [0.0]);
    binary_x(f, &[x], &[y], &[z], &[1.0], &mut dx);
    binary_y(f, &[x], &[y], &[z], &[1.0], &mut dy);
    (dx[0], dy[0])
}
