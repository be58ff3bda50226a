//! An elementary function of one number, compiled for each instruction set.

use super::super::kernels::{Isa, activation};
use super::super::op::Unary;
use super::multiversioned::multiversioned;
use super::unary_number;

/// Computes y = f(x) and, where it is given, d = f′(x).
#[inline(always)]
pub(super) fn run<const FMA: bool>(isa: Isa, f: Unary, x: f64, y: &mut f64, d: Option<&mut f64>) {
    let d = match d {
        Some(d) => std::slice::from_mut(d),
        None => &mut [],
    };
    activation::unary::<FMA>(isa, f, &[x], std::slice::from_mut(y), d);
}

multiversioned! {
    /// Calls [`run`], compiled for the instruction set.
    fn unary[](running: Isa, f: Unary, x: f64, y: &mut f64, d: Option<&mut f64>) = unary_number;
}
