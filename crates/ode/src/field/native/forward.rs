//! Forward evaluation of a program: of one sample, or of `P` samples side by side, whose values are laid out
//! `[component][lane]`.
//!
//! A sample's operations and their order are the same in every lane and alone, and so are its bits.

use super::super::kernels::dense::SumStart;
use super::super::kernels::{Isa, activation, copy, dense, sample_lanes};
use super::super::op::Binary;
use super::super::signal::Signal;
use super::program::{AffineLayer, BufferSlice, InstructionList, OpKind};
use std::sync::Arc;

/// The inputs of an evaluation of `P` samples, besides its buffer.
pub(super) struct EvalContext<'a, const P: usize> {
    /// Instruction set of the running code.
    pub isa: Isa,
    /// All parameter values (read by the static program only).
    pub params: &'a [f64],
    /// Packed weights and biases.
    pub packed: &'a [f64],
    /// The transposes of some layers' packed weights.
    pub transposed: &'a [f64],
    /// Whether each lane has weights and biases of its own, `[weight][lane]`, rather than all the same.
    pub own_weights: bool,
    pub affines: &'a [AffineLayer],
    /// Values of the static program, in every lane.
    pub static_buffer: &'a [f64],
    pub signals: &'a [Arc<dyn Signal>],
    pub samples: [usize; P],
    pub t: [f64; P],
    pub u: &'a [f64],
}

impl<const P: usize> EvalContext<'_, P> {
    /// Evaluates a signal in every lane into `out`.
    #[inline(always)]
    fn signal(&self, signal: usize, out: &mut [f64]) {
        let signal = &self.signals[signal];
        let sample = |p: usize| self.samples[p].min(signal.n_samples() - 1);
        if P == 1 {
            return signal.value(sample(0), self.t[0], out);
        }
        const FEW: usize = 8;
        let n = out.len() / P;
        let (mut few, mut many) = ([0.0; FEW], vec![]);
        let value = match few.get_mut(..n) {
            Some(few) => few,
            None => {
                many.resize(n, 0.0);
                &mut many[..]
            }
        };
        for p in 0..P {
            signal.value(sample(p), self.t[p], value);
            for (out, value) in out.chunks_exact_mut(P).zip(&*value) {
                out[p] = *value;
            }
        }
    }

    /// Evaluates the derivative of a signal, in the first lane, into `out`, which is as long as the signal, and returns it.
    pub fn signal_dt<'r>(&self, signal: usize, out: &'r mut [f64]) -> &'r [f64] {
        let signal = &self.signals[signal];
        signal.derivative(self.samples[0].min(signal.n_samples() - 1), self.t[0], out);
        out
    }

    /// Evaluates the second derivative of a signal, in the first lane, into `out`, which is as long as the signal, and returns it.
    pub fn signal_d2t<'r>(&self, signal: usize, out: &'r mut [f64]) -> &'r [f64] {
        let signal = &self.signals[signal];
        signal.second_derivative(self.samples[0].min(signal.n_samples() - 1), self.t[0], out);
        out
    }
}

#[inline(always)]
pub(super) fn operand<'a, const P: usize>(
    x: BufferSlice,
    static_buffer: &'a [f64],
    buffer: &'a [f64],
) -> &'a [f64] {
    let from = if x.is_static { static_buffer } else { buffer };
    &from[P * x.offset..P * (x.offset + x.len)]
}

/// Runs the instructions of a program. With `TAPE` the derivatives that a VJP or JVP needs are stored behind the values.
#[inline(always)]
pub(super) fn run<const FMA: bool, const TAPE: bool, const P: usize>(
    code: &InstructionList,
    inputs: &EvalContext<P>,
    buffer: &mut [f64],
) {
    let (values, derivatives) = buffer.split_at_mut(P * code.n_values);
    for instruction in &code.instructions {
        let (earlier, rest) = values.split_at_mut(P * instruction.offset);
        let out = &mut rest[..P * instruction.len];
        let get = |x: BufferSlice| operand::<P>(x, inputs.static_buffer, earlier);
        match &instruction.kind {
            OpKind::Time => copy(&inputs.t, out),
            OpKind::State => copy(inputs.u, out),
            OpKind::Param(at) => out.copy_from_slice(&inputs.params[*at..at + out.len()]),
            OpKind::Const(c) => out.copy_from_slice(c),
            OpKind::Signal(i) => inputs.signal(*i, out),
            OpKind::Concat(parts) => {
                let mut at = 0;
                for &part in parts {
                    copy(get(part), &mut out[at..at + P * part.len]);
                    at += P * part.len;
                }
            }
            OpKind::Sum(x) => {
                for (p, out) in out.iter_mut().enumerate() {
                    *out = get(*x).iter().skip(p).step_by(P).sum();
                }
            }
            OpKind::Unary { f, x, d } => {
                let d = if TAPE {
                    let d = P * (d - code.n_values);
                    &mut derivatives[d..d + P * instruction.len]
                } else {
                    &mut []
                };
                activation::unary::<FMA>(inputs.isa, *f, get(*x), out, d);
            }
            OpKind::Power { x, exponent, d } => {
                let x = get(*x);
                for (y, &x) in out.iter_mut().zip(x) {
                    *y = power(x, *exponent);
                }
                if TAPE {
                    let d = &mut derivatives[P * (d - code.n_values)..][..P * instruction.len];
                    for (d, &x) in d.iter_mut().zip(x) {
                        *d = power_derivative(x, *exponent);
                    }
                }
            }
            OpKind::Binary { f, x, y } => binary::<P>(*f, get(*x), get(*y), out),
            OpKind::Select { cond, a, b } => {
                let (cond, a, b) = (get(*cond), get(*a), get(*b));
                for (i, out) in out.iter_mut().enumerate() {
                    *out = if broadcast_get::<P>(cond, i) != 0.0 {
                        broadcast_get::<P>(a, i)
                    } else {
                        broadcast_get::<P>(b, i)
                    };
                }
            }
            OpKind::Affine { index, x } => {
                let affine = &inputs.affines[*index];
                match P > 1 && inputs.own_weights {
                    true => own_affine::<FMA, P>(inputs, affine, get(*x), out),
                    false => shared_affine::<FMA, P>(inputs, affine, get(*x), out),
                }
            }
        }
    }
}

/// Computes an affine layer, whose weights are the same in all lanes.
#[inline(always)]
fn shared_affine<const FMA: bool, const P: usize>(
    inputs: &EvalContext<P>,
    affine: &AffineLayer,
    x: &[f64],
    out: &mut [f64],
) {
    let bias = SumStart::Values(&inputs.packed[affine.bias_range()]);
    let matrix = &inputs.packed[affine.weight_range()];
    // Padding units add nothing.
    let c = &x[..P * affine.inputs];
    let rows = match (affine.input_major, affine.transposed_range()) {
        (true, _) => Some(matrix),
        (false, Some(range)) => Some(&inputs.transposed[range]),
        (false, None) => None,
    };
    match rows {
        Some(rows) => gemv_transposed::<FMA, P>(inputs.isa, c, rows, bias, &[], out),
        None => gemv::<FMA, P>(inputs.isa, matrix, x, bias, &[], out),
    }
}

/// Computes an affine layer, of which each lane has weights of its own.
#[inline(always)]
fn own_affine<const FMA: bool, const P: usize>(
    inputs: &EvalContext<P>,
    affine: &AffineLayer,
    x: &[f64],
    out: &mut [f64],
) {
    fn of_lanes<const P: usize>(all: &[f64], range: std::ops::Range<usize>) -> &[f64] {
        &all[P * range.start..P * range.end]
    }
    let bias = SumStart::Values(of_lanes::<P>(inputs.packed, affine.bias_range()));
    let matrix = of_lanes::<P>(inputs.packed, affine.weight_range());
    let c = &x[..P * affine.inputs];
    let rows = match (affine.input_major, affine.transposed_range()) {
        (true, _) => Some(matrix),
        (false, Some(range)) => Some(of_lanes::<P>(inputs.transposed, range)),
        (false, None) => None,
    };
    let isa = inputs.isa;
    match rows {
        Some(rows) => {
            sample_lanes::gemv_transposed::<FMA, P, true>(isa, c, rows, bias, &[], out);
        }
        None => sample_lanes::gemv::<FMA, P, true>(isa, matrix, x, bias, &[], out),
    }
}

/// Computes [`dense::gemv_transposed`] in every lane.
#[inline(always)]
pub(super) fn gemv_transposed<const FMA: bool, const P: usize>(
    isa: Isa,
    c: &[f64],
    rows: &[f64],
    start: SumStart,
    times: &[f64],
    y: &mut [f64],
) {
    match P {
        1 => dense::gemv_transposed::<FMA>(c, rows, start, times, y),
        _ => sample_lanes::gemv_transposed::<FMA, P, false>(isa, c, rows, start, times, y),
    }
}

/// Computes [`dense::gemv`] in every lane.
#[inline(always)]
pub(super) fn gemv<const FMA: bool, const P: usize>(
    isa: Isa,
    rows: &[f64],
    x: &[f64],
    start: SumStart,
    times: &[f64],
    y: &mut [f64],
) {
    match P {
        1 => dense::gemv::<FMA>(rows, x, start, times, y),
        _ => sample_lanes::gemv::<FMA, P, false>(isa, rows, x, start, times, y),
    }
}

/// Returns number `i`, in the layout `[component][lane]`, of an operand that is broadcast when it has one component.
#[inline(always)]
pub(super) fn broadcast_get<const P: usize>(x: &[f64], i: usize) -> f64 {
    x[broadcast_index::<P>(x.len(), i)]
}

/// Returns the index of number `i` in an operand of length `len`, as [`broadcast_get`].
#[inline(always)]
pub(super) fn broadcast_index<const P: usize>(len: usize, i: usize) -> usize {
    if len == P { i % P } else { i }
}

/// Returns xʸ; integer exponents by multiplication, exact for negative x.
#[inline(always)]
pub(super) fn power(x: f64, y: f64) -> f64 {
    if y == y.trunc() && y.abs() <= 32.0 {
        x.powi(y as i32)
    } else {
        x.powf(y)
    }
}

/// Returns the derivative of xʸ with respect to x.
#[inline(always)]
pub(super) fn power_derivative(x: f64, y: f64) -> f64 {
    // Zero, where the product would be 0 · ∞ at x = 0.
    if y == 0.0 { 0.0 } else { y * power(x, y - 1.0) }
}

#[inline(always)]
fn binary<const P: usize>(f: Binary, x: &[f64], y: &[f64], out: &mut [f64]) {
    /// Applies f to `N` components, without the overhead of a loop of variable length.
    #[inline(always)]
    fn few<const N: usize>(x: &[f64], y: &[f64], out: &mut [f64], f: impl Fn(f64, f64) -> f64) {
        for (i, out) in out.iter_mut().enumerate().take(N) {
            *out = f(broadcast_get::<1>(x, i), broadcast_get::<1>(y, i));
        }
    }
    #[inline(always)]
    fn zip<const P: usize>(x: &[f64], y: &[f64], out: &mut [f64], f: impl Fn(f64, f64) -> f64) {
        if P > 1 {
            return sample_lanes::zip::<P>(x, y, out, f);
        }
        match out.len() {
            1 => return out[0] = f(x[0], y[0]),
            2 => return few::<2>(x, y, out, f),
            3 => return few::<3>(x, y, out, f),
            _ => {}
        }
        match (x.len(), y.len()) {
            (1, _) => {
                for (out, &y) in out.iter_mut().zip(y) {
                    *out = f(x[0], y);
                }
            }
            (_, 1) => {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = f(x, y[0]);
                }
            }
            _ => {
                for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
                    *out = f(x, y);
                }
            }
        }
    }
    /// One arm for each function, so that each has a loop of its own.
    macro_rules! each {
        ($($f:ident)*) => {
            match f {
                $(Binary::$f => zip::<P>(x, y, out, |a, b| binary_number(Binary::$f, a, b)),)*
            }
        };
    }
    each!(Add Sub Mul Div Pow Min Max Atan2 Lt Le Gt Ge Eq Ne);
}

/// Returns f(a, b).
#[inline(always)]
pub(super) fn binary_number(f: Binary, a: f64, b: f64) -> f64 {
    let truth = |b: bool| f64::from(u8::from(b));
    match f {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::Pow => power(a, b),
        // A NaN in either operand makes the result NaN.
        Binary::Min if a < b || a.is_nan() => a,
        Binary::Max if a > b || a.is_nan() => a,
        Binary::Min | Binary::Max => b,
        Binary::Atan2 => a.atan2(b),
        Binary::Lt => truth(a < b),
        Binary::Le => truth(a <= b),
        Binary::Gt => truth(a > b),
        Binary::Ge => truth(a >= b),
        Binary::Eq => truth(a == b),
        Binary::Ne => truth(a != b),
    }
}
