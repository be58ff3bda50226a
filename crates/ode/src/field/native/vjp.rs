//! Reverse mode: vector-Jacobian products of one sample, or of `P` samples side by side as in [`super::forward`].

use super::super::kernels::dense::{self, SumStart, add};
use super::super::kernels::{all_finite, sample_lanes, strong_mul};
use super::super::op::Binary;
use super::forward::{self, EvalContext, broadcast_get, broadcast_index, power_derivative};
use super::lane_vjp;
use super::outer_product_batch::OuterProductBatch;
use super::program::{AffineLayer, BufferSlice, InstructionList, OpKind, VjpStore};

/// The adjoints that a VJP of `P` samples accumulates.
pub(super) struct AdjointBuffers<'a, const P: usize> {
    /// Adjoints of the values of the program's buffer; the caller sets that of the output, and the
    /// [`InstructionList::zeroed_ranges`] to zero.
    pub buffer: &'a mut [f64],
    /// Adjoints of the static buffer, added to.
    pub static_buffer: &'a mut [f64],
    /// Adjoints of packed weights and biases, added to; of several lanes see [`super::lane_gradient`].
    pub packed: &'a mut [f64],
    /// Outer products that are not yet added to `packed`, for each lane of each affine layer.
    pub outer_products: &'a mut [OuterProductBatch],
    /// Adjoints of all parameter values, added to (by the static program only).
    pub params: &'a mut [f64],
    /// Adjoint of the state, added to.
    pub u: &'a mut [f64],
    /// Adjoint of t, added to, where it is wanted (a signal's derivative costs an evaluation); of one sample only.
    pub t: Option<&'a mut f64>,
    /// Scratch space: for the derivative of a signal, as long as the longest value, and for lanes twice that in each.
    pub scratch: &'a mut [f64],
    /// Which lanes take part. The adjoint of the others' output is zero, and nothing is added for them.
    pub live: [bool; P],
}

/// Runs the VJPs of the instructions in reverse order over the buffer of a taped evaluation.
#[inline(always)]
pub(super) fn run<const FMA: bool, const P: usize>(
    code: &InstructionList,
    inputs: &EvalContext<P>,
    buffer: &[f64],
    adjoints: &mut AdjointBuffers<P>,
) {
    for instruction in code.instructions.iter().rev() {
        let (at, end) = (
            P * instruction.offset,
            P * (instruction.offset + instruction.len),
        );
        let (earlier, rest) = adjoints.buffer.split_at_mut(at);
        let bar = &rest[..end - at];
        let out = &buffer[at..end];
        let static_adjoint = &mut *adjoints.static_buffer;
        let get = |x: BufferSlice| forward::operand::<P>(x, inputs.static_buffer, buffer);
        match &instruction.kind {
            OpKind::Time => {
                if let Some(t) = adjoints.t.as_deref_mut() {
                    *t += bar[0];
                }
            }
            OpKind::State => add(bar, adjoints.u),
            OpKind::Param(at) => add(bar, &mut adjoints.params[*at..at + bar.len()]),
            OpKind::Const(_) => {}
            OpKind::Signal(i) => {
                if let Some(t) = adjoints.t.as_deref_mut() {
                    let ds_dt = inputs.signal_dt(*i, &mut adjoints.scratch[..bar.len()]);
                    *t += dense::dot::<FMA>(ds_dt, bar);
                }
            }
            OpKind::Concat(parts) => {
                let mut at = 0;
                for &part in parts {
                    add(
                        &bar[at..at + P * part.len],
                        operand_adjoint::<P>(part, static_adjoint, earlier),
                    );
                    at += P * part.len;
                }
            }
            OpKind::Sum(x) => {
                for x in operand_adjoint::<P>(*x, static_adjoint, earlier).chunks_exact_mut(P) {
                    for p in 0..P {
                        x[p] += bar[p];
                    }
                }
            }
            OpKind::Unary { d, x, .. } | OpKind::Power { d, x, .. } => {
                let d = &buffer[P * d..P * (d + instruction.len)];
                let to = operand_adjoint::<P>(*x, static_adjoint, earlier);
                match instruction.vjp_store {
                    VjpStore::Accumulate => dense::add_mul_elementwise::<FMA>(bar, d, to),
                    VjpStore::Overwrite | VjpStore::FusedActivation { .. } => {
                        dense::mul_elementwise(bar, d, to)
                    }
                    VjpStore::Skip => {}
                }
            }
            OpKind::Binary { f, x, y } => {
                let (xv, yv) = (get(*x), get(*y));
                let x_bar = operand_adjoint::<P>(*x, static_adjoint, earlier);
                binary_vjp_x::<P>(*f, xv, yv, out, bar, x_bar);
                let y_bar = operand_adjoint::<P>(*y, static_adjoint, earlier);
                binary_vjp_y::<P>(*f, xv, yv, out, bar, y_bar);
            }
            OpKind::Select { cond, a, b } => {
                let cond = get(*cond);
                let a_bar = operand_adjoint::<P>(*a, static_adjoint, earlier);
                for (i, &bar) in bar.iter().enumerate() {
                    if broadcast_get::<P>(cond, i) != 0.0 {
                        a_bar[broadcast_index::<P>(a_bar.len(), i)] += bar;
                    }
                }
                let b_bar = operand_adjoint::<P>(*b, static_adjoint, earlier);
                for (i, &bar) in bar.iter().enumerate() {
                    if broadcast_get::<P>(cond, i) == 0.0 {
                        b_bar[broadcast_index::<P>(b_bar.len(), i)] += bar;
                    }
                }
            }
            OpKind::Affine { index, x } => {
                let affine = &inputs.affines[*index];
                let (input, store) = (get(*x), instruction.vjp_store);
                let (start, times, x) = match store {
                    VjpStore::Accumulate | VjpStore::Skip => (SumStart::Current, &[][..], *x),
                    VjpStore::Overwrite => (SumStart::Zero, &[][..], *x),
                    VjpStore::FusedActivation { d, x } => {
                        (SumStart::Zero, &buffer[P * d..P * (d + x.len)], x)
                    }
                };
                let x_bar = operand_adjoint::<P>(x, static_adjoint, earlier);
                if P > 1 {
                    let layer = lane_vjp::LayerAdjoint {
                        packed: adjoints.packed,
                        batches: &mut adjoints.outer_products[P * index..P * (index + 1)],
                        scratch: adjoints.scratch,
                        live: adjoints.live,
                    };
                    layer.pull_back::<FMA>(inputs, affine, (bar, input), (start, times), x_bar);
                    continue;
                }
                if contributes_nothing(bar, [input, times, &inputs.packed[affine.weight_range()]]) {
                    if let SumStart::Zero = start {
                        x_bar.fill(0.0);
                    }
                    continue;
                }
                adjoints.outer_products[*index].add::<FMA>(affine, bar, input, adjoints.packed);
                affine_vjp::<FMA, P>(inputs, affine, bar, start, times, x_bar);
            }
        }
    }
}

/// Whether a layer lies in a branch that is not taken, where its input or its weights are not finite: 0 times these must add 0. A
/// layer whose numbers are finite is not asked about, since its products with 0 are 0.
#[inline(always)]
fn contributes_nothing(bar: &[f64], factors: [&[f64]; 3]) -> bool {
    bar.iter().all(|bar| *bar == 0.0) && !factors.into_iter().all(all_finite)
}

/// Computes x̄ = start + Wᵀ z̄ of a layer, then multiplies by `times`, component by component, where that is not empty.
#[inline(always)]
pub(super) fn affine_vjp<const FMA: bool, const P: usize>(
    inputs: &EvalContext<P>,
    affine: &AffineLayer,
    bar: &[f64],
    start: SumStart,
    times: &[f64],
    x: &mut [f64],
) {
    let matrix = &inputs.packed[affine.weight_range()];
    // Padding units add nothing.
    let c = &bar[..P * affine.out];
    let rows = match (affine.input_major, affine.transposed_range()) {
        (false, _) => Some(matrix),
        (true, Some(range)) => Some(&inputs.transposed[range]),
        (true, None) => None,
    };
    match rows {
        Some(rows) => forward::gemv_transposed::<FMA, P>(inputs.isa, c, rows, start, times, x),
        None => forward::gemv::<FMA, P>(inputs.isa, matrix, bar, start, times, x),
    }
}

/// Evaluates an expression with the function as a constant, in an arm of its own for each; nothing for a comparison.
macro_rules! each_smooth {
    ($f:expr, $F:ident => $call:expr) => {
        each_smooth!(@ $f, $F => $call, Add Sub Mul Div Pow Min Max Atan2)
    };
    (@ $f:expr, $F:ident => $call:expr, $($name:ident)*) => {
        match $f {
            $(Binary::$name => {
                const $F: Binary = Binary::$name;
                $call
            })*
            Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge | Binary::Eq | Binary::Ne => {}
        }
    };
}

#[inline(always)]
fn operand_adjoint<'a, const P: usize>(
    x: BufferSlice,
    static_adjoint: &'a mut [f64],
    buffer: &'a mut [f64],
) -> &'a mut [f64] {
    let to = if x.is_static { static_adjoint } else { buffer };
    &mut to[P * x.offset..P * (x.offset + x.len)]
}

/// Adds `partial(x, y, z) * bar`, 0 where a factor is 0, to `to`, summed over the components when the operand of `to` was broadcast.
#[inline(always)]
fn accumulate_partial<const P: usize>(
    (x, y, z): (&[f64], &[f64], &[f64]),
    bar: &[f64],
    to: &mut [f64],
    partial: impl Fn(f64, f64, f64) -> f64,
) {
    if P > 1 {
        return sample_lanes::accumulate_partial::<P>((x, y, z), bar, to, partial);
    }
    match bar.len() {
        1 => to[0] += strong_mul(partial(x[0], y[0], z[0]), bar[0]),
        2 => accumulate_partial_small::<2>((x, y, z), bar, to, partial),
        3 => accumulate_partial_small::<3>((x, y, z), bar, to, partial),
        4 => accumulate_partial_small::<4>((x, y, z), bar, to, partial),
        n if to.len() == 1 => {
            let mut sum = 0.0;
            for i in 0..n {
                sum += strong_mul(
                    partial(broadcast_get::<1>(x, i), broadcast_get::<1>(y, i), z[i]),
                    bar[i],
                );
            }
            to[0] += sum;
        }
        n => {
            for i in 0..n {
                to[i] += strong_mul(
                    partial(broadcast_get::<1>(x, i), broadcast_get::<1>(y, i), z[i]),
                    bar[i],
                );
            }
        }
    }
}

/// Does [`accumulate_partial`] for `N` components, without the overhead of a loop of variable length.
#[inline(always)]
fn accumulate_partial_small<const N: usize>(
    (x, y, z): (&[f64], &[f64], &[f64]),
    bar: &[f64],
    to: &mut [f64],
    partial: impl Fn(f64, f64, f64) -> f64,
) {
    let single = to.len() == 1;
    for i in 0..N {
        to[if single { 0 } else { i }] += strong_mul(
            partial(broadcast_get::<1>(x, i), broadcast_get::<1>(y, i), z[i]),
            bar[i],
        );
    }
}

/// Adds what x contributes to its adjoint `to`, by [`partial_x`].
#[inline(always)]
fn binary_vjp_x<const P: usize>(
    f: Binary,
    x: &[f64],
    y: &[f64],
    z: &[f64],
    bar: &[f64],
    to: &mut [f64],
) {
    each_smooth!(f, F => accumulate_partial::<P>((x, y, z), bar, to, |x, y, z| partial_x(F, x, y, z)));
}

/// Adds what y contributes to its adjoint `to`, by [`partial_y`].
#[inline(always)]
fn binary_vjp_y<const P: usize>(
    f: Binary,
    x: &[f64],
    y: &[f64],
    z: &[f64],
    bar: &[f64],
    to: &mut [f64],
) {
    each_smooth!(f, F => accumulate_partial::<P>((x, y, z), bar, to, |x, y, z| partial_y(F, x, y, z)));
}

/// Returns ∂z/∂x of z = f(x, y); 0 for a comparison.
#[inline(always)]
pub(super) fn partial_x(f: Binary, x: f64, y: f64, _z: f64) -> f64 {
    let truth = |b: bool| if b { 1.0 } else { 0.0 };
    match f {
        Binary::Add | Binary::Sub => 1.0,
        Binary::Mul => y,
        Binary::Div => 1.0 / y,
        Binary::Pow => power_derivative(x, y),
        Binary::Min => truth(x < y),
        Binary::Max => truth(x > y),
        Binary::Atan2 => y / (x * x + y * y),
        Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge | Binary::Eq | Binary::Ne => 0.0,
    }
}

/// Returns ∂z/∂y of z = f(x, y); 0 for a comparison.
#[inline(always)]
pub(super) fn partial_y(f: Binary, x: f64, y: f64, z: f64) -> f64 {
    let untruth = |b: bool| if b { 0.0 } else { 1.0 };
    match f {
        Binary::Add => 1.0,
        Binary::Sub => -1.0,
        Binary::Mul => x,
        Binary::Div => -z / y,
        Binary::Pow => dpow_dy(x, y, z),
        Binary::Min => untruth(x < y),
        Binary::Max => untruth(x > y),
        Binary::Atan2 => -x / (x * x + y * y),
        Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge | Binary::Eq | Binary::Ne => 0.0,
    }
}

/// Returns ∂(xʸ)/∂y, with its limit 0 at x = 0, y > 0.
#[inline(always)]
fn dpow_dy(x: f64, y: f64, z: f64) -> f64 {
    if x == 0.0 && y > 0.0 { 0.0 } else { z * x.ln() }
}

/// Returns ∂z/∂x and ∂z/∂y of one component, for forward mode.
#[inline(always)]
pub(super) fn partials(f: Binary, x: f64, y: f64, z: f64) -> (f64, f64) {
    let (mut dx, mut dy) = ([0.0], [0.0]);
    binary_vjp_x::<1>(f, &[x], &[y], &[z], &[1.0], &mut dx);
    binary_vjp_y::<1>(f, &[x], &[y], &[z], &[1.0], &mut dy);
    (dx[0], dy[0])
}
