//! Expressions of a field under construction: arithmetic, elementary functions and comparisons build its graph.

use super::builder::{FAILED_NODE, FieldBuilder};
use super::op::{Binary, NodeId, Op, Unary};
use super::printing;
use crate::{Error, Result};

/// An expression of a vector field under construction: a vector of known length. Arithmetic, elementary functions and
/// comparisons build the graph. A mistake (lengths that differ, a component that is not there) is recorded in the builder and
/// returned by [`FieldBuilder::finish`]; the `try_` forms return it at once.
#[derive(Clone)]
pub struct Expr {
    pub(super) builder: FieldBuilder,
    pub(super) id: NodeId,
}

impl Expr {
    /// Returns the number of components (0 after a mistake).
    pub fn len(&self) -> usize {
        let state = self.builder.lock();
        match self.id {
            FAILED_NODE => 0,
            id => state.graph.len_of(id),
        }
    }

    /// Returns whether the expression has no components, which is so only after a mistake.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the builder of the field that the expression belongs to.
    pub fn builder(&self) -> &FieldBuilder {
        &self.builder
    }

    /// Returns the expression as text.
    pub fn show(&self) -> String {
        match self.id {
            FAILED_NODE => "(failed expression)".into(),
            id => printing::expression(&self.builder.lock().graph, id, 200),
        }
    }

    /// Returns the value of the expression if it is a constant.
    pub fn as_constant(&self) -> Option<Vec<f64>> {
        match self.builder.lock().graph.nodes.get(self.id.index())? {
            Op::Const(values) => Some(values.clone()),
            _ => None,
        }
    }

    /// Returns the expression, or the mistake made in building it as an error, so that an endless loop of a closure stops.
    ///
    /// # Errors
    /// The first mistake made with this builder, if this expression is the result of a mistake.
    pub fn checked(self) -> Result<Expr> {
        if self.id != FAILED_NODE {
            return Ok(self);
        }
        let error = self.builder.lock().error.clone();
        Err(error.unwrap_or_else(|| Error::invalid("the expression could not be built")))
    }

    /// Returns component `i`, counted from 0.
    pub fn at(&self, i: usize) -> Expr {
        self.slice(i, i + 1)
    }

    /// Returns the components `from .. to`.
    pub fn slice(&self, from: usize, to: usize) -> Expr {
        self.try_slice(from, to)
            .unwrap_or_else(|e| self.builder.record_error(e))
    }

    /// Returns the components `from .. to`, or the error at once.
    ///
    /// # Errors
    /// Components that are not there.
    pub fn try_slice(&self, from: usize, to: usize) -> Result<Expr> {
        if from == 0 && to == self.len() {
            return Ok(self.clone());
        }
        self.builder.try_push(Op::Slice {
            x: self.id,
            start: from,
            len: to.saturating_sub(from),
        })
    }

    /// Returns the sum of the components.
    pub fn sum(&self) -> Expr {
        self.builder.push(Op::Sum(self.id))
    }

    /// Applies an elementary function to each component.
    pub fn unary(&self, f: Unary) -> Expr {
        self.builder.push(Op::Unary(f, self.id))
    }

    /// Applies a function of two variables to `self` and `y`, component by component.
    pub fn binary(&self, f: Binary, y: &Expr) -> Expr {
        self.try_binary(f, y)
            .unwrap_or_else(|e| self.builder.record_error(e))
    }

    /// Applies a function of two variables to `self` and `y`, component by component, or returns the error at once.
    ///
    /// # Errors
    /// Lengths that differ (and are not 1), or an expression of another field.
    pub fn try_binary(&self, f: Binary, y: &Expr) -> Result<Expr> {
        self.builder.check_same_builder(y)?;
        self.builder.try_push(Op::Binary(f, self.id, y.id))
    }

    /// Returns `a` where `self` is not zero (a comparison that holds), else `b`. [`FieldBuilder::finish`] returns the errors,
    /// which are those of [`Self::try_select`].
    pub fn select(&self, a: &Expr, b: &Expr) -> Expr {
        self.try_select(a, b)
            .unwrap_or_else(|e| self.builder.record_error(e))
    }

    /// Returns `a` where `self` is not zero (a comparison that holds), else `b`, or the error at once.
    ///
    /// # Errors
    /// Lengths that differ (and are not 1), or expressions of another field.
    pub fn try_select(&self, a: &Expr, b: &Expr) -> Result<Expr> {
        self.builder.check_same_builder(a)?;
        self.builder.check_same_builder(b)?;
        self.builder.try_push(Op::Select {
            cond: self.id,
            a: a.id,
            b: b.id,
        })
    }

    /// Returns `self` to the power of a number.
    pub fn powf(&self, exponent: f64) -> Expr {
        self.binary(Binary::Pow, &self.builder.constant(&[exponent]))
    }
}

impl std::fmt::Debug for Expr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.show())
    }
}

macro_rules! unary_methods {
    ($($method:ident = $f:ident),*) => {
        impl Expr {
            $(#[doc = concat!("Returns [`Unary::", stringify!($f), "`] of each component.")]
            pub fn $method(&self) -> Expr {
                self.unary(Unary::$f)
            })*
        }
    };
}
unary_methods!(
    abs = Abs,
    sign = Sign,
    sqrt = Sqrt,
    square = Square,
    exp = Exp,
    expm1 = Expm1,
    log = Log,
    log1p = Log1p,
    log10 = Log10,
    sin = Sin,
    cos = Cos,
    tan = Tan,
    asin = Asin,
    acos = Acos,
    atan = Atan,
    sinh = Sinh,
    cosh = Cosh,
    tanh = Tanh,
    asinh = Asinh,
    acosh = Acosh,
    atanh = Atanh,
    erf = Erf,
    floor = Floor,
    ceil = Ceil,
    gelu = Gelu,
    relu = Relu,
    silu = Silu,
    softplus = Softplus,
    sigmoid = Sigmoid
);

macro_rules! binary_methods {
    ($($method:ident = $f:ident),*) => {
        impl Expr {
            $(#[doc = concat!("Returns [`Binary::", stringify!($f), "`] of `self` and `y`, component by component.")]
            pub fn $method(&self, y: &Expr) -> Expr {
                self.binary(Binary::$f, y)
            })*
        }
    };
}
binary_methods!(
    pow = Pow,
    min = Min,
    max = Max,
    atan2 = Atan2,
    lt = Lt,
    le = Le,
    gt = Gt,
    ge = Ge,
    equals = Eq,
    differs = Ne
);

macro_rules! operators {
    ($($trait:ident :: $method:ident = $f:ident),*) => { $(
        impl std::ops::$trait<&Expr> for &Expr {
            type Output = Expr;
            fn $method(self, y: &Expr) -> Expr { self.binary(Binary::$f, y) }
        }
        impl std::ops::$trait<Expr> for Expr {
            type Output = Expr;
            fn $method(self, y: Expr) -> Expr { self.binary(Binary::$f, &y) }
        }
        impl std::ops::$trait<&Expr> for Expr {
            type Output = Expr;
            fn $method(self, y: &Expr) -> Expr { self.binary(Binary::$f, y) }
        }
        impl std::ops::$trait<Expr> for &Expr {
            type Output = Expr;
            fn $method(self, y: Expr) -> Expr { self.binary(Binary::$f, &y) }
        }
        impl std::ops::$trait<f64> for Expr {
            type Output = Expr;
            fn $method(self, y: f64) -> Expr { self.binary(Binary::$f, &self.builder.constant(&[y])) }
        }
        impl std::ops::$trait<f64> for &Expr {
            type Output = Expr;
            fn $method(self, y: f64) -> Expr { self.binary(Binary::$f, &self.builder.constant(&[y])) }
        }
        impl std::ops::$trait<Expr> for f64 {
            type Output = Expr;
            fn $method(self, y: Expr) -> Expr { y.builder.constant(&[self]).binary(Binary::$f, &y) }
        }
        impl std::ops::$trait<&Expr> for f64 {
            type Output = Expr;
            fn $method(self, y: &Expr) -> Expr { y.builder.constant(&[self]).binary(Binary::$f, y) }
        }
    )* };
}
operators!(
    Add::add = Add,
    Sub::sub = Sub,
    Mul::mul = Mul,
    Div::div = Div
);

impl std::ops::Neg for Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        self.unary(Unary::Neg)
    }
}

impl std::ops::Neg for &Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        self.unary(Unary::Neg)
    }
}
