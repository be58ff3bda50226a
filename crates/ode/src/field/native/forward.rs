//! Forward evaluation of a program.

use super::super::kernels::dense::SumStart;
use super::super::kernels::{activation, copy, dense};
use super::super::op::Binary;
use super::super::signal::Signal;
use super::program::{AffineLayer, BufferSlice, InstructionList, OpKind};
use std::sync::Arc;

/// The inputs of an evaluation, besides its buffer.
pub(super) struct EvalContext<'a> {
    /// All parameter values (read by the static program only).
    pub params: &'a [f64],
    /// Packed weights and biases.
    pub packed: &'a [f64],
    /// The transposes of some layers' packed weights.
    pub transposed: &'a [f64],
    pub affines: &'a [AffineLayer],
    /// Values of the static program.
    pub static_buffer: &'a [f64],
    pub signals: &'a [Arc<dyn Signal>],
    pub sample: usize,
    pub t: f64,
    pub u: &'a [f64],
}

impl EvalContext<'_> {
    /// Evaluates the derivative of a signal into `out`, which is as long as the signal, and returns it.
    pub fn signal_dt<'r>(&self, signal: usize, out: &'r mut [f64]) -> &'r [f64] {
        let signal = &self.signals[signal];
        signal.derivative(self.sample.min(signal.n_samples() - 1), self.t, out);
        out
    }

    /// Evaluates the second derivative of a signal into `out`, which is as long as the signal, and returns it.
    pub fn signal_d2t<'r>(&self, signal: usize, out: &'r mut [f64]) -> &'r [f64] {
        let signal = &self.signals[signal];
        signal.second_derivative(self.sample.min(signal.n_samples() - 1), self.t, out);
        out
    }
}

#[inline(always)]
fn operand<'a>(x: BufferSlice, static_buffer: &'a [f64], buffer: &'a [f64]) -> &'a [f64] {
    let from = if x.is_static { static_buffer } else { buffer };
    &from[x.offset..x.offset + x.len]
}

/// Runs the instructions of a program. With `TAPE` the derivatives that a VJP or JVP needs are stored behind the values.
#[inline(always)]
pub(super) fn run<const FMA: bool, const TAPE: bool>(
    code: &InstructionList,
    inputs: &EvalContext,
    buffer: &mut [f64],
) {
    let (values, derivatives) = buffer.split_at_mut(code.n_values);
    for instruction in &code.instructions {
        let (earlier, rest) = values.split_at_mut(instruction.offset);
        let out = &mut rest[..instruction.len];
        let get = |x: BufferSlice| operand(x, inputs.static_buffer, earlier);
        match &instruction.kind {
            OpKind::Time => out[0] = inputs.t,
            OpKind::State => copy(inputs.u, out),
            OpKind::Param(at) => out.copy_from_slice(&inputs.params[*at..at + out.len()]),
            OpKind::Const(c) => out.copy_from_slice(c),
            OpKind::Signal(i) => {
                let signal = &inputs.signals[*i];
                signal.value(inputs.sample.min(signal.n_samples() - 1), inputs.t, out);
            }
            OpKind::Concat(parts) => {
                let mut at = 0;
                for &part in parts {
                    copy(get(part), &mut out[at..at + part.len]);
                    at += part.len;
                }
            }
            OpKind::Sum(x) => out[0] = get(*x).iter().sum(),
            OpKind::Unary { f, x, d } => {
                let d = if TAPE {
                    let d = d - code.n_values;
                    &mut derivatives[d..d + instruction.len]
                } else {
                    &mut []
                };
                activation::unary::<FMA>(*f, get(*x), out, d);
            }
            OpKind::Power { x, exponent, d } => {
                let x = get(*x);
                for (y, &x) in out.iter_mut().zip(x) {
                    *y = power(x, *exponent);
                }
                if TAPE {
                    let d = &mut derivatives[d - code.n_values..][..instruction.len];
                    for (d, &x) in d.iter_mut().zip(x) {
                        // Zero, where the product would be 0 · ∞ at x = 0.
                        *d = if *exponent == 0.0 {
                            0.0
                        } else {
                            exponent * power(x, exponent - 1.0)
                        };
                    }
                }
            }
            OpKind::Binary { f, x, y } => binary(*f, get(*x), get(*y), out),
            OpKind::Select { cond, a, b } => {
                let (cond, a, b) = (get(*cond), get(*a), get(*b));
                for (i, out) in out.iter_mut().enumerate() {
                    *out = if broadcast_get(cond, i) != 0.0 {
                        broadcast_get(a, i)
                    } else {
                        broadcast_get(b, i)
                    };
                }
            }
            OpKind::Affine { index, x } => {
                let affine = &inputs.affines[*index];
                let bias = SumStart::Values(&inputs.packed[affine.bias_range()]);
                let matrix = &inputs.packed[affine.weight_range()];
                let x = get(*x);
                // Padding units add nothing.
                let c = &x[..affine.inputs];
                match (affine.input_major, affine.transposed_range()) {
                    (true, _) => dense::gemv_transposed::<FMA>(c, matrix, bias, &[], out),
                    (false, Some(range)) => {
                        let rows = &inputs.transposed[range];
                        dense::gemv_transposed::<FMA>(c, rows, bias, &[], out);
                    }
                    (false, None) => dense::gemv::<FMA>(matrix, x, bias, &[], out),
                }
            }
        }
    }
}

/// Returns component `i` of an operand that is broadcast when it has length 1.
#[inline(always)]
pub(super) fn broadcast_get(x: &[f64], i: usize) -> f64 {
    if x.len() == 1 { x[0] } else { x[i] }
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

#[inline(always)]
fn binary(f: Binary, x: &[f64], y: &[f64], out: &mut [f64]) {
    /// Applies f to `N` components, without the overhead of a loop of variable length.
    #[inline(always)]
    fn few<const N: usize>(x: &[f64], y: &[f64], out: &mut [f64], f: impl Fn(f64, f64) -> f64) {
        for (i, out) in out.iter_mut().enumerate().take(N) {
            *out = f(broadcast_get(x, i), broadcast_get(y, i));
        }
    }
    #[inline(always)]
    fn zip(x: &[f64], y: &[f64], out: &mut [f64], f: impl Fn(f64, f64) -> f64) {
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
    let truth = |b: bool| f64::from(u8::from(b));
    match f {
        Binary::Add => zip(x, y, out, |a, b| a + b),
        Binary::Sub => zip(x, y, out, |a, b| a - b),
        Binary::Mul => zip(x, y, out, |a, b| a * b),
        Binary::Div => zip(x, y, out, |a, b| a / b),
        Binary::Pow => zip(x, y, out, power),
        // A NaN in either operand makes the result NaN.
        Binary::Min => zip(x, y, out, |a, b| if a < b || a.is_nan() { a } else { b }),
        Binary::Max => zip(x, y, out, |a, b| if a > b || a.is_nan() { a } else { b }),
        Binary::Atan2 => zip(x, y, out, f64::atan2),
        Binary::Lt => zip(x, y, out, |a, b| truth(a < b)),
        Binary::Le => zip(x, y, out, |a, b| truth(a <= b)),
        Binary::Gt => zip(x, y, out, |a, b| truth(a > b)),
        Binary::Ge => zip(x, y, out, |a, b| truth(a >= b)),
        Binary::Eq => zip(x, y, out, |a, b| truth(a == b)),
        Binary::Ne => zip(x, y, out, |a, b| truth(a != b)),
    }
}
