//! An elementary function of a number in `P` lanes, compiled for each instruction set.

use super::super::kernels::{Isa, activation};
use super::super::op::Unary;
use super::multiversioned::multiversioned;
use super::unary_number;

/// Computes y = f(x) and, where it is given, d = f′(x).
#[inline(always)]
pub(super) fn run<const FMA: bool, const P: usize>(
    isa: Isa,
    f: Unary,
    x: &[f64; P],
    y: &mut [f64; P],
    d: Option<&mut [f64; P]>,
) {
    let d = match d {
        Some(d) => &mut d[..],
        None => &mut [],
    };
    activation::unary::<FMA>(isa, f, x, y, d);
}

multiversioned! {
    /// Calls [`run`], compiled for the instruction set.
    fn unary[P: usize](running: Isa, f: Unary, x: &[f64; P], y: &mut [f64; P], d: Option<&mut [f64; P]>) = unary_number;
}
