//! Functions of symbols that are made of the graph's operations: products with matrices, remainders, roots.

use ndarray::{ArrayD, Ix1, Ix2};

use super::super::registry::{Numbers, Registry};
use super::symbol::{SymbolicExpr, pairs, symbol};
use crate::{Error, Result};
use odesync_ode::field::{Binary, Expr};

/// Returns the inner product of a vector of numbers and a symbol.
fn inner(x: &[f64], y: &Expr) -> Result<Expr> {
    Ok(y.builder().constant(x).try_binary(Binary::Mul, y)?.sum())
}

/// Returns the product of a vector or matrix of numbers and a symbol; with `transposed` the symbol comes first.
fn product(a: &ArrayD<f64>, u: &SymbolicExpr, transposed: bool) -> Result<SymbolicExpr> {
    let (inner_axis, wrong) = (
        if transposed {
            0
        } else {
            a.ndim().saturating_sub(1)
        },
        || {
            let (left, right) = (format!("{:?}", a.shape()), format!("[{}]", u.0.len()));
            let (left, right) = if transposed {
                (right, left)
            } else {
                (left, right)
            };
            Error::invalid(format!(
                "dot: shapes {left} and {right} do not fit together (vectors and matrices whose inner lengths agree)"
            ))
        },
    );
    if a.shape().get(inner_axis) != Some(&u.0.len()) {
        return Err(wrong());
    }
    if let Ok(vector) = a.view().into_dimensionality::<Ix1>() {
        return symbol(inner(&vector.to_vec(), &u.0)?);
    }
    let matrix = a.view().into_dimensionality::<Ix2>().map_err(|_| wrong())?;
    let matrix = if transposed {
        matrix.reversed_axes()
    } else {
        matrix
    };
    let rows = matrix
        .outer_iter()
        .map(|row| inner(&row.to_vec(), &u.0))
        .collect::<Result<Vec<_>>>()?;
    symbol(u.0.builder().try_concat(&rows)?)
}

/// Returns the nearest whole number towards 0.
fn truncate(x: &Expr) -> Expr {
    x.sign() * x.abs().floor()
}

/// Returns x − y trunc(x/y), which has the sign of x.
fn remainder(x: &Expr, y: &Expr) -> Result<SymbolicExpr> {
    let quotient = truncate(&x.try_binary(Binary::Div, y)?);
    symbol(x.try_binary(Binary::Sub, &quotient.try_binary(Binary::Mul, y)?)?)
}

/// Returns √(x² + y²), by the larger of both, whose square neither overflows nor is rounded to 0; its derivative at 0 is 0.
fn hypot(x: &Expr, y: &Expr) -> Result<SymbolicExpr> {
    let number = |value: f64| x.builder().constant(&[value]);
    let largest = x.abs().try_binary(Binary::Max, &y.abs())?;
    let is = |value: f64| largest.try_binary(Binary::Eq, &number(value));
    let (is_zero, is_infinite) = (is(0.0)?, is(f64::INFINITY)?);
    let scale = is_infinite.try_select(&number(1.0), &largest)?;
    let scale = is_zero.try_select(&number(1.0), &scale)?;
    let part = |x: &Expr| Ok::<_, Error>(x.try_binary(Binary::Div, &scale)?.square());
    let squares = part(x)?.try_binary(Binary::Add, &part(y)?)?;
    // The root is not taken of 0, where its derivative is infinite.
    let root = is_zero.try_select(&number(1.0), &squares)?.sqrt();
    let value = scale.try_binary(Binary::Mul, &root)?;
    symbol(is_zero.try_select(&number(0.0), &value)?)
}

/// Returns the nearest whole number, halves away from 0: |x| + 1/2 would round the last number below 1/2 up.
fn round(x: &Expr) -> Expr {
    let x_abs = x.abs();
    x.sign() * ((&x_abs * 2.0).floor() - x_abs.floor())
}

pub(super) fn register(reg: &mut Registry) {
    for name in ["dot", "matmul"] {
        reg.overload(name)
            .body(|x: SymbolicExpr, y: SymbolicExpr| {
                symbol(x.0.try_binary(Binary::Mul, &y.0)?.sum())
            })
            .body(move |a: Numbers, u: SymbolicExpr| product(&a.array(name)?, &u, false))
            .body(move |u: SymbolicExpr, a: Numbers| product(&a.array(name)?, &u, true));
    }
    pairs(reg.overload("%"), remainder);
    pairs(reg.overload("hypot"), hypot);
    reg.overload("round")
        .body(|x: SymbolicExpr| symbol(round(&x.0)));
    // The logarithm's power has the right derivative everywhere but at 0, where that of the root is infinite.
    reg.overload("cbrt").body(|x: SymbolicExpr| {
        symbol(
            x.0.sign()
                * x.0
                    .abs()
                    .try_binary(Binary::Pow, &x.0.builder().constant(&[1.0 / 3.0]))?,
        )
    });
    reg.overload("slice").body(
        |x: &mut SymbolicExpr, axis: i64, from: i64, to: Option<i64>| slice(x, axis, from, to),
    );
}

/// Returns the components from `from` up to but without `to`, as the slice of a vector; negative positions count from the end.
fn slice(x: &SymbolicExpr, axis: i64, from: i64, to: Option<i64>) -> Result<SymbolicExpr> {
    if axis != 0 && axis != -1 {
        return Err(Error::invalid(format!(
            "slice: axis {axis} does not exist: {} is a vector, with axis 0",
            x.0.show()
        )));
    }
    let n = i64::try_from(x.0.len()).unwrap_or(i64::MAX);
    let place = |at: i64| {
        usize::try_from(if at < 0 { at.saturating_add(n) } else { at }).map_err(|_| {
            Error::invalid(format!(
                "slice: {at} is out of range: {} has length {n}",
                x.0.show()
            ))
        })
    };
    Ok(SymbolicExpr(
        x.0.try_slice(place(from)?, place(to.unwrap_or(n))?)?,
    ))
}
