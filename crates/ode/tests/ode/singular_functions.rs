//! Functions of x that are not finite, or have derivatives that are not, at 0 or below or far away: what guards are for.

use odesync_ode::field::{Expr, Unary};

/// Number of functions that [`singular`] knows.
pub const SINGULAR_FUNCTIONS: usize = 12;

/// Returns function number `which` of x and a constant p.
pub fn singular(x: &Expr, p: &Expr, which: usize) -> Expr {
    match which {
        0 => x.sqrt(),
        1 => x.log() * p,
        2 => x.powf(-1.5),
        3 => p / x,
        4 => x.pow(p),
        5 => (x * 1e4).exp() * p,
        6 => (x * p + 3.0).acosh(),
        7 => x.log1p().sqrt().sin(),
        8 => x.log10().tanh() * p,
        9 => x.atan2(&(x * 0.0)),
        10 => (p / x).unary(Unary::Gelu),
        11 => (x * x).log().square(),
        which => panic!("there is no function {which}"),
    }
}
