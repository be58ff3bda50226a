//! Symbols: the values of `t`, `u`, `p.a` and `nn` while a closure is traced into a graph.
//!
//! Every function of numbers is registered for symbols too. Comparisons return a [`Condition`], which no `if`, `while` or `&&`
//! accepts: a graph has no branches, and `where(c, a, b)` replaces them.

use std::ops::{Range, RangeInclusive};

use rhai::{Array as List, Dynamic, ImmutableString};

use super::super::array::ScriptArray;
use super::super::convert;
use super::super::error::RhaiResult;
use super::super::registry::{Function, Operand, Registry, ScriptType};
use crate::{Error, Result};
use odesync_ode::field::{Binary, Expr, FieldBuilder, Unary};

/// A symbolic expression of the field under construction.
#[derive(Clone)]
pub struct SymbolicExpr(pub(super) Expr);

/// A comparison of symbols, which is true or false only when the field is evaluated.
#[derive(Clone)]
pub struct Condition(pub(super) Expr);

/// The named constants of a system while its closure is traced.
#[derive(Clone)]
pub struct SymbolicConstants {
    pub(super) builder: FieldBuilder,
    pub(super) names: Vec<String>,
}

/// Builds an expression from a symbol, a number, an array, or a list of any of them.
pub(super) fn to_expr(builder: &FieldBuilder, value: &Dynamic) -> Result<Expr> {
    if let Some(symbol) = value.read_lock::<SymbolicExpr>() {
        return Ok(symbol.0.clone());
    }
    if let Some(x) = convert::to_number(value) {
        return Ok(builder.constant(&[x]));
    }
    if let Some(array) = value.read_lock::<ScriptArray>() {
        let values: Vec<f64> = array.data().iter().copied().collect();
        return Ok(builder.constant(&values));
    }
    if let Some(list) = value.read_lock::<List>() {
        let parts = list
            .iter()
            .map(|x| to_expr(builder, x))
            .collect::<Result<Vec<_>>>()?;
        return builder.try_concat(&parts);
    }
    if value.is::<Condition>() {
        return Err(no_branch());
    }
    Err(Error::invalid(format!(
        "an expression of t, u and the parameters was expected, not {}",
        convert::describe(value)
    )))
}

/// Wraps an expression for a script; an invalid expression ends the script at once, instead of when the field is finished.
pub(super) fn symbol(x: Expr) -> Result<SymbolicExpr> {
    Ok(SymbolicExpr(x.checked()?))
}

/// The error message for a script that branches on symbols.
pub(crate) const NO_BRANCH: &str = "a comparison of symbols is neither true nor false: the closure runs once, to build the equations. \
     Write where(condition, a, b), max(a, b), min(a, b) or abs(x) instead of a branch; conditions are joined by & and |";

fn no_branch() -> Error {
    Error::invalid(NO_BRANCH)
}

/// Adds the bodies for a symbol with a symbol, number, array or list, in both orders.
pub(super) fn pairs<T: ScriptType>(
    function: Function<'_>,
    f: impl Fn(&Expr, &Expr) -> Result<T> + Copy + 'static,
) {
    function
        .body(move |x: SymbolicExpr, y: SymbolicExpr| f(&x.0, &y.0))
        .body(move |x: SymbolicExpr, y: Operand| f(&x.0, &to_expr(x.0.builder(), &y.0)?))
        .body(move |x: Operand, y: SymbolicExpr| f(&to_expr(y.0.builder(), &x.0)?, &y.0));
}

impl ScriptType for SymbolicExpr {
    const NAME: &'static str = "symbol";

    fn show(&self) -> String {
        self.0.show()
    }
}

impl ScriptType for Condition {
    const NAME: &'static str = "condition";

    fn show(&self) -> String {
        self.0.show()
    }
}

impl ScriptType for SymbolicConstants {
    const NAME: &'static str = "parameters";

    fn show(&self) -> String {
        format!("parameters {}", self.names.join(", "))
    }
}

pub(super) fn register(reg: &mut Registry) {
    reg.script_type::<SymbolicExpr>()
        .script_type::<Condition>()
        .script_type::<SymbolicConstants>();
    for &f in Binary::ALL {
        let function = reg.overload(f.name());
        if f.is_comparison() {
            pairs(function, move |x, y| x.try_binary(f, y).map(Condition));
        } else {
            pairs(function, move |x, y| x.try_binary(f, y).map(SymbolicExpr));
        }
    }
    pairs(reg.overload("pow"), |x, y| {
        x.try_binary(Binary::Pow, y).map(SymbolicExpr)
    });
    for &f in Unary::ALL {
        reg.overload(f.name())
            .body(move |x: SymbolicExpr| symbol(x.0.unary(f)));
    }
    reg.overload("ln").body(|x: SymbolicExpr| symbol(x.0.log()));
    reg.overload("log2")
        .body(|x: SymbolicExpr| symbol(x.0.log() * std::f64::consts::LOG2_E));
    reg.overload("+").body(|x: SymbolicExpr| x);
    reductions(reg);
    indexing(reg);
    // In equations `where` takes symbols, numbers and arrays alike.
    reg.function(
        "where(condition, a, b)",
        "a where the condition holds, else b; in the equations of a system it takes the place of `if`.",
        "system(1, |t, u, p| [where(u[0] > 0.0, -u[0], 2 * u[0])])",
    )
    .body(|c: Condition, a: Dynamic, b: Dynamic| -> Result<SymbolicExpr> {
        let (a, b) = (to_expr(c.0.builder(), &a)?, to_expr(c.0.builder(), &b)?);
        Ok(SymbolicExpr(c.0.try_select(&a, &b)?))
    });
}

fn reductions(reg: &mut Registry) {
    reg.overload("sum")
        .body(|x: SymbolicExpr| symbol(x.0.sum()));
    reg.overload("mean")
        .body(|x: SymbolicExpr| symbol(x.0.sum() / x.0.len() as f64));
    reg.overload("norm")
        .body(|x: SymbolicExpr| symbol(x.0.square().sum().sqrt()));
}

fn indexing(reg: &mut Registry) {
    reg.overload("len")
        .body(|x: &mut SymbolicExpr| x.0.len() as i64);
    reg.engine()
        .register_indexer_get(|x: &mut SymbolicExpr, i: i64| -> RhaiResult<SymbolicExpr> {
            let i = convert::to_index(i, x.0.len(), &x.0.show())?;
            Ok(SymbolicExpr(x.0.try_slice(i, i + 1)?))
        })
        .register_indexer_get(|x: &mut SymbolicExpr, r: Range<i64>| slice(x, r.start, r.end))
        .register_indexer_get(|x: &mut SymbolicExpr, r: RangeInclusive<i64>| {
            slice(x, *r.start(), r.end().saturating_add(1))
        })
        .register_indexer_get(
            |p: &mut SymbolicConstants, name: ImmutableString| -> RhaiResult<SymbolicExpr> {
                if p.names.iter().any(|n| *n == name.as_str()) {
                    return Ok(SymbolicExpr(p.builder.named_parameter(&name)));
                }
                Err(odesync_base::error::unknown(
                    "parameter",
                    &name,
                    p.names.iter().map(String::as_str),
                )
                .into())
            },
        )
        .register_iterator::<ComponentIter>();
    reg.function(
        "u.iter()",
        "The components of a vector in equations, one by one, for a loop.",
        "system(2, |t, u, p| { let s = 0.0; for x in u.iter() { s += x * x; } [u[1], -s] })",
    )
    .body(|x: SymbolicExpr| Dynamic::from(ComponentIter { x: x.0, next: 0 }))
    // The closure is called on numbers as well.
    .body(|x: ScriptArray| x);
}

fn slice(x: &mut SymbolicExpr, from: i64, to: i64) -> RhaiResult<SymbolicExpr> {
    let bound = |i: i64| {
        usize::try_from(i).map_err(|_| Error::invalid("the range of a symbol counts from 0"))
    };
    Ok(SymbolicExpr(x.0.try_slice(bound(from)?, bound(to)?)?))
}

/// The iterator over the components of a symbol, for `for x in u.iter()`.
#[derive(Clone)]
struct ComponentIter {
    x: Expr,
    next: usize,
}

impl Iterator for ComponentIter {
    type Item = SymbolicExpr;

    fn next(&mut self) -> Option<SymbolicExpr> {
        if self.next >= self.x.len() {
            return None;
        }
        self.next += 1;
        Some(SymbolicExpr(self.x.at(self.next - 1)))
    }
}
