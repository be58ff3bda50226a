//! The operations of a vector field's graph. Every node is a vector; a scalar is a vector of length 1.

use serde::{Deserialize, Serialize};

/// Index of a node in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// Returns the index as a number, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One operation of a graph; its operands come before it in the graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// The time t, length 1.
    Time,
    /// The state u, length dof.
    State,
    /// A parameter block, by its index in the graph, flattened row by row.
    Param(usize),
    /// A constant vector.
    Const(#[serde(with = "super::lossless_json")] Vec<f64>),
    /// An external signal, by its index in the graph, evaluated at t.
    Signal(usize),
    /// The components `x[start .. start + len]`.
    Slice {
        /// Operand.
        x: NodeId,
        /// First component.
        start: usize,
        /// Number of components.
        len: usize,
    },
    /// The concatenation of the operands.
    Concat(Vec<NodeId>),
    /// The sum of the components, length 1.
    Sum(NodeId),
    /// An elementary function of each component.
    Unary(Unary, NodeId),
    /// A function of two operands, component by component; an operand of length 1 is broadcast.
    Binary(Binary, NodeId, NodeId),
    /// `a` where `cond` is not zero, else `b`, component by component; operands of length 1 are broadcast.
    Select {
        /// Condition, usually a comparison.
        cond: NodeId,
        /// Value where the condition holds.
        a: NodeId,
        /// Value elsewhere.
        b: NodeId,
    },
    /// The affine map `W x + b`; `W` is a block of shape `[out, in]`, `b` of shape `[out]`.
    Affine {
        /// Index of the weight block.
        weight: usize,
        /// Index of the bias block, if there is one.
        bias: Option<usize>,
        /// Operand, length `in`.
        x: NodeId,
    },
}

macro_rules! named_enum {
    ($(#[$meta:meta])* $kind:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $kind { $($(#[$doc])* $variant,)* }

        impl $kind {
            /// All functions of this type.
            pub const ALL: &'static [$kind] = &[$($kind::$variant,)*];

            /// Returns the name used in scripts and in printed equations.
            pub fn name(self) -> &'static str {
                match self { $($kind::$variant => $name,)* }
            }

            /// Returns the function of this name, if there is one.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some($kind::$variant),)* _ => None }
            }
        }
    };
}

named_enum! {
    /// Elementary functions of one variable.
    Unary {
        /// −x.
        Neg = "-",
        /// |x|, with derivative 0 at 0.
        Abs = "abs",
        /// −1, 0 or 1.
        Sign = "sign",
        /// √x.
        Sqrt = "sqrt",
        /// x².
        Square = "square",
        /// eˣ.
        Exp = "exp",
        /// eˣ − 1, accurate near 0.
        Expm1 = "expm1",
        /// Natural logarithm.
        Log = "log",
        /// Natural logarithm of 1 + x, accurate near 0.
        Log1p = "log1p",
        /// Decimal logarithm.
        Log10 = "log10",
        /// Sine.
        Sin = "sin",
        /// Cosine.
        Cos = "cos",
        /// Tangent.
        Tan = "tan",
        /// Inverse sine.
        Asin = "asin",
        /// Inverse cosine.
        Acos = "acos",
        /// Inverse tangent.
        Atan = "atan",
        /// Hyperbolic sine.
        Sinh = "sinh",
        /// Hyperbolic cosine.
        Cosh = "cosh",
        /// Hyperbolic tangent.
        Tanh = "tanh",
        /// Inverse hyperbolic sine.
        Asinh = "asinh",
        /// Inverse hyperbolic cosine.
        Acosh = "acosh",
        /// Inverse hyperbolic tangent.
        Atanh = "atanh",
        /// The error function.
        Erf = "erf",
        /// Largest integer not above x; derivative 0.
        Floor = "floor",
        /// Smallest integer not below x; derivative 0.
        Ceil = "ceil",
        /// x Φ(x), Φ the normal distribution function (exact, not the tanh approximation).
        Gelu = "gelu",
        /// max(x, 0), with derivative 0 at 0.
        Relu = "relu",
        /// x σ(x).
        Silu = "silu",
        /// log(1 + eˣ).
        Softplus = "softplus",
        /// σ(x) = 1 / (1 + e⁻ˣ).
        Sigmoid = "sigmoid",
    }
}

named_enum! {
    /// Elementary functions of two variables. Comparisons give 1 or 0.
    Binary {
        /// x + y.
        Add = "+",
        /// x − y.
        Sub = "-",
        /// x y.
        Mul = "*",
        /// x / y.
        Div = "/",
        /// x to the power y.
        Pow = "**",
        /// The smaller one.
        Min = "min",
        /// The larger one.
        Max = "max",
        /// The angle of the point (y, x): `atan2(y, x)`.
        Atan2 = "atan2",
        /// x < y.
        Lt = "<",
        /// x ≤ y.
        Le = "<=",
        /// x > y.
        Gt = ">",
        /// x ≥ y.
        Ge = ">=",
        /// x = y.
        Eq = "==",
        /// x ≠ y.
        Ne = "!=",
    }
}

impl Unary {
    /// Names of the activations.
    pub const ACTIVATIONS: [&'static str; 7] =
        ["gelu", "tanh", "relu", "silu", "softplus", "sigmoid", "sin"];

    /// Returns the activation of this name: gelu, tanh, relu, silu, softplus, sigmoid or sin.
    ///
    /// # Errors
    /// Another name.
    pub fn activation(name: &str) -> crate::Result<Unary> {
        match Unary::from_name(name) {
            Some(unary) if Self::ACTIVATIONS.contains(&name) => Ok(unary),
            _ => Err(odesync_base::error::unknown(
                "activation",
                name,
                Self::ACTIVATIONS,
            )),
        }
    }
}

impl Binary {
    /// Returns whether the function is a comparison, whose result is 1 or 0.
    pub fn is_comparison(self) -> bool {
        use Binary::*;
        matches!(self, Lt | Le | Gt | Ge | Eq | Ne)
    }
}

impl Op {
    /// Returns the operands of the operation.
    pub fn operands(&self) -> Vec<NodeId> {
        match self {
            Op::Time | Op::State | Op::Param(_) | Op::Const(_) | Op::Signal(_) => vec![],
            Op::Slice { x, .. } | Op::Sum(x) | Op::Unary(_, x) | Op::Affine { x, .. } => vec![*x],
            Op::Concat(parts) => parts.clone(),
            Op::Binary(_, x, y) => vec![*x, *y],
            Op::Select { cond, a, b } => vec![*cond, *a, *b],
        }
    }

    /// Returns the same operation on other operands.
    pub(crate) fn with_operands(&self, other: impl Fn(NodeId) -> NodeId) -> Op {
        match self {
            Op::Time | Op::State | Op::Param(_) | Op::Const(_) | Op::Signal(_) => self.clone(),
            Op::Slice { x, start, len } => Op::Slice {
                x: other(*x),
                start: *start,
                len: *len,
            },
            Op::Concat(parts) => Op::Concat(parts.iter().map(|x| other(*x)).collect()),
            Op::Sum(x) => Op::Sum(other(*x)),
            Op::Unary(f, x) => Op::Unary(*f, other(*x)),
            Op::Binary(f, x, y) => Op::Binary(*f, other(*x), other(*y)),
            Op::Select { cond, a, b } => Op::Select {
                cond: other(*cond),
                a: other(*a),
                b: other(*b),
            },
            Op::Affine { weight, bias, x } => Op::Affine {
                weight: *weight,
                bias: *bias,
                x: other(*x),
            },
        }
    }
}
