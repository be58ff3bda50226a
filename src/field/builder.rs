//! Building a vector field from expressions.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::graph::Graph;
use super::op::{Binary, NodeId, Op, Unary};
use super::show;
use super::signal::Signal;
use super::vector_field::VectorField;
use crate::error::unknown;
use crate::{Error, Result};

/// Stands for the result of an operation that failed; the first error is kept and given by `finish`.
const FAILED: NodeId = NodeId(u32::MAX);

struct Building {
    graph: Graph,
    error: Option<Error>,
}

/// A vector field under construction. Clones share one graph.
///
/// ```
/// use odesync::field::FieldBuilder;
/// let b = FieldBuilder::new(2);
/// let (u, g) = (b.state(), b.constant_parameter("g", 9.81));
/// let pendulum = b.finish(b.concat(&[u.at(1), -g * u.at(0).sin()]))?;
/// assert_eq!(pendulum.derivative(0.0, &[0.0, 2.0])?, [2.0, 0.0]);
/// # Ok::<(), odesync::Error>(())
/// ```
#[derive(Clone)]
pub struct FieldBuilder(Arc<Mutex<Building>>);

/// An expression of a vector field under construction: a vector of known length. Arithmetic, elementary functions and
/// comparisons build the graph. A mistake (lengths that differ, a component that is not there) is remembered and
/// returned by [`FieldBuilder::finish`]; the `try_` forms return it at once.
#[derive(Clone)]
pub struct Expr {
    builder: FieldBuilder,
    id: NodeId,
}

/// A parameter block of a field under construction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockId(usize);

impl FieldBuilder {
    /// An empty field with `dof` state variables.
    pub fn new(dof: usize) -> Self {
        Self::from_graph(Graph::new(dof))
    }

    /// Continues a finished field: a builder that holds its graph, and its output.
    pub fn extend(field: &VectorField) -> (Self, Expr) {
        let builder = Self::from_graph(field.graph_with_values());
        let output = builder.expr(field.output());
        (builder, output)
    }

    fn from_graph(graph: Graph) -> Self {
        FieldBuilder(Arc::new(Mutex::new(Building { graph, error: None })))
    }

    fn lock(&self) -> MutexGuard<'_, Building> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expr(&self, id: NodeId) -> Expr {
        Expr {
            builder: self.clone(),
            id,
        }
    }

    /// Keeps the first error.
    fn fail(&self, error: Error) -> Expr {
        self.lock().error.get_or_insert(error);
        self.expr(FAILED)
    }

    fn try_push(&self, op: Op) -> Result<Expr> {
        if op.operands().contains(&FAILED) {
            return Ok(self.expr(FAILED));
        }
        let id = self.lock().graph.push(op)?;
        Ok(self.expr(id))
    }

    fn push(&self, op: Op) -> Expr {
        self.try_push(op).unwrap_or_else(|e| self.fail(e))
    }

    /// Number of state variables.
    pub fn dof(&self) -> usize {
        self.lock().graph.dof
    }

    /// The time t.
    pub fn time(&self) -> Expr {
        self.push(Op::Time)
    }

    /// The state u, length dof.
    pub fn state(&self) -> Expr {
        self.push(Op::State)
    }

    /// A constant vector (a number is a vector of length 1).
    pub fn constant(&self, values: &[f64]) -> Expr {
        self.push(Op::Const(values.to_vec()))
    }

    /// A named number of the system, not trained unless asked.
    pub fn constant_parameter(&self, name: &str, value: f64) -> Expr {
        match self.block(name, &[], &[value], false) {
            Ok(block) => self.parameter(block),
            Err(e) => self.fail(e),
        }
    }

    /// Adds a parameter block.
    ///
    /// # Errors
    /// A name that is taken, or a number of values that does not fit the shape.
    pub fn block(
        &self,
        name: &str,
        shape: &[usize],
        values: &[f64],
        trainable: bool,
    ) -> Result<BlockId> {
        let index = self
            .lock()
            .graph
            .add_block(name, shape, values, trainable)?;
        Ok(BlockId(index))
    }

    /// Keeps a block from ever being trained.
    pub fn lock_block(&self, block: BlockId) {
        if let Some(block) = self.lock().graph.blocks.get_mut(block.0) {
            block.locked = true;
        }
    }

    /// The block of this name, if there is one.
    pub fn find_block(&self, name: &str) -> Option<BlockId> {
        let position = self.lock().graph.blocks.iter().position(|b| b.name == name);
        position.map(BlockId)
    }

    /// A block's values as an expression, flattened row by row.
    pub fn parameter(&self, block: BlockId) -> Expr {
        self.push(Op::Param(block.0))
    }

    /// The parameter block of this name as an expression.
    pub fn named_parameter(&self, name: &str) -> Expr {
        match self.find_block(name) {
            Some(block) => self.parameter(block),
            None => {
                let names: Vec<String> = {
                    let building = self.lock();
                    building
                        .graph
                        .blocks
                        .iter()
                        .map(|b| b.name.clone())
                        .collect()
                };
                self.fail(unknown("parameter", name, names.iter().map(String::as_str)))
            }
        }
    }

    /// `W x + b`, `W` a block of shape `[out, in]`, `b` one of shape `[out]`.
    pub fn affine(&self, weight: BlockId, bias: Option<BlockId>, x: &Expr) -> Expr {
        self.push(Op::Affine {
            weight: weight.0,
            bias: bias.map(|b| b.0),
            x: x.id,
        })
    }

    /// An external signal s(t).
    pub fn signal(&self, signal: Arc<dyn Signal>) -> Expr {
        let index = {
            let graph = &mut self.lock().graph;
            graph.signals.push(signal);
            graph.signals.len() - 1
        };
        self.push(Op::Signal(index))
    }

    /// The expressions one after the other.
    pub fn concat(&self, parts: &[Expr]) -> Expr {
        self.try_concat(parts).unwrap_or_else(|e| self.fail(e))
    }

    /// [`Self::concat`] that gives the error at once.
    ///
    /// # Errors
    /// No parts, or parts of another field.
    pub fn try_concat(&self, parts: &[Expr]) -> Result<Expr> {
        for part in parts {
            self.same(part)?;
        }
        self.try_push(Op::Concat(parts.iter().map(|p| p.id).collect()))
    }

    fn same(&self, x: &Expr) -> Result<()> {
        if Arc::ptr_eq(&self.0, &x.builder.0) {
            return Ok(());
        }
        Err(Error::invalid(
            "an expression of another vector field was used: take t, u and the parameters from the closure's arguments",
        ))
    }

    /// The finished field du/dt = `output`.
    ///
    /// # Errors
    /// The first mistake made while building, or an output whose length is not dof.
    pub fn finish(&self, output: Expr) -> Result<VectorField> {
        self.same(&output)?;
        let building = self.lock();
        if let Some(error) = &building.error {
            return Err(error.clone());
        }
        VectorField::new(building.graph.clone(), output.id)
    }
}

impl Expr {
    /// Number of components (0 after a mistake).
    pub fn len(&self) -> usize {
        let building = self.builder.lock();
        match self.id {
            FAILED => 0,
            id => building.graph.len_of(id),
        }
    }

    /// Whether a mistake was made in building it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The builder it belongs to.
    pub fn builder(&self) -> &FieldBuilder {
        &self.builder
    }

    /// The expression as text.
    pub fn show(&self) -> String {
        match self.id {
            FAILED => "(failed expression)".into(),
            id => show::expression(&self.builder.lock().graph, id, 200),
        }
    }

    /// Its value if it is a constant.
    pub fn as_constant(&self) -> Option<Vec<f64>> {
        match self.builder.lock().graph.nodes.get(self.id.index())? {
            Op::Const(values) => Some(values.clone()),
            _ => None,
        }
    }

    /// The expression, or the mistake that was made in building it, so that a loop which builds without end can stop.
    ///
    /// # Errors
    /// The first mistake made with this builder, if this expression came of one.
    pub fn checked(self) -> Result<Expr> {
        if self.id != FAILED {
            return Ok(self);
        }
        let error = self.builder.lock().error.clone();
        Err(error.unwrap_or_else(|| Error::invalid("the expression could not be built")))
    }

    /// Component `i`, counted from 0.
    pub fn at(&self, i: usize) -> Expr {
        self.slice(i, i + 1)
    }

    /// Components `from` to before `to`.
    pub fn slice(&self, from: usize, to: usize) -> Expr {
        self.try_slice(from, to)
            .unwrap_or_else(|e| self.builder.fail(e))
    }

    /// [`Self::slice`] that gives the error at once.
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

    /// Sum of the components.
    pub fn sum(&self) -> Expr {
        self.builder.push(Op::Sum(self.id))
    }

    /// An elementary function of each component.
    pub fn unary(&self, f: Unary) -> Expr {
        self.try_unary(f).unwrap_or_else(|e| self.builder.fail(e))
    }

    /// [`Self::unary`] that gives the error at once.
    ///
    /// # Errors
    /// A field that has grown too large.
    pub fn try_unary(&self, f: Unary) -> Result<Expr> {
        self.builder.try_push(Op::Unary(f, self.id))
    }

    /// A function of two expressions, component by component.
    pub fn binary(&self, f: Binary, y: &Expr) -> Expr {
        self.try_binary(f, y)
            .unwrap_or_else(|e| self.builder.fail(e))
    }

    /// [`Self::binary`] that gives the error at once.
    ///
    /// # Errors
    /// Lengths that differ (and are not 1), or an expression of another field.
    pub fn try_binary(&self, f: Binary, y: &Expr) -> Result<Expr> {
        self.builder.same(y)?;
        self.builder.try_push(Op::Binary(f, self.id, y.id))
    }

    /// `a` where `self` is not zero (a comparison that holds), else `b`; as [`Self::try_select`], the error kept.
    pub fn select(&self, a: &Expr, b: &Expr) -> Expr {
        self.try_select(a, b)
            .unwrap_or_else(|e| self.builder.fail(e))
    }

    /// `a` where `self` is not zero (a comparison that holds), else `b`.
    ///
    /// # Errors
    /// Lengths that differ (and are not 1), or expressions of another field.
    pub fn try_select(&self, a: &Expr, b: &Expr) -> Result<Expr> {
        self.builder.same(a)?;
        self.builder.same(b)?;
        self.builder.try_push(Op::Select {
            cond: self.id,
            a: a.id,
            b: b.id,
        })
    }

    /// `self` to the power of a number.
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
            $(#[doc = concat!("[`Unary::", stringify!($f), "`] of each component.")]
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
            $(#[doc = concat!("[`Binary::", stringify!($f), "`] with `y`, component by component.")]
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
