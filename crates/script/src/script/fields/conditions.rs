//! Conditions of equations: comparisons of symbols, joined by `&` and `|` and turned round by `!`.
//!
//! A condition is 1 where it holds and 0 elsewhere, so that "and" is the product and "or" the larger one.

use super::super::registry::Registry;
use super::symbol::Condition;
use crate::Result;
use odesync_ode::field::{Binary, Expr};

fn and(x: &Expr, y: &Expr) -> Result<Condition> {
    Ok(Condition(x.try_binary(Binary::Mul, y)?))
}

fn or(x: &Expr, y: &Expr) -> Result<Condition> {
    Ok(Condition(x.try_binary(Binary::Max, y)?))
}

/// Returns a condition that always or never holds.
fn constant(like: &Condition, holds: bool) -> Expr {
    like.0.builder().constant(&[f64::from(u8::from(holds))])
}

pub(super) fn register(reg: &mut Registry) {
    for (name, join) in [
        ("&", and as fn(&Expr, &Expr) -> Result<Condition>),
        ("|", or),
    ] {
        reg.overload(name)
            .body(move |x: Condition, y: Condition| join(&x.0, &y.0))
            .body(move |x: Condition, y: bool| join(&x.0, &constant(&x, y)))
            .body(move |x: bool, y: Condition| join(&constant(&y, x), &y.0));
    }
    reg.overload("!").body(|x: Condition| -> Result<Condition> {
        Ok(Condition(constant(&x, true).try_binary(Binary::Sub, &x.0)?))
    });
}
