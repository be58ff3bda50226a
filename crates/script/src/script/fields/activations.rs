//! Activation functions of numbers and arrays, as used in equations.

use super::super::array::ScriptArray;
use super::super::registry::{Number, Numbers, Registry};
use crate::Result;
use odesync_ode::field::Unary;

/// Functions that exist for symbols, and that arrays do not have otherwise: signature, description, example.
const SYMBOL_ONLY: [(Unary, &str, &str, &str); 6] = [
    (
        Unary::Erf,
        "erf(x)",
        "The error function, element by element.",
        "erf([-1.0, 0.0, 1.0])",
    ),
    (
        Unary::Gelu,
        "gelu(x)",
        "The exact GELU, x (1 + erf(x / √2)) / 2, element by element.",
        "gelu([-1.0, 0.0, 1.0])",
    ),
    (
        Unary::Relu,
        "relu(x)",
        "The larger of x and 0, element by element.",
        "relu([-1.0, 0.0, 1.0])",
    ),
    (
        Unary::Silu,
        "silu(x)",
        "x / (1 + exp(−x)), element by element.",
        "silu([-1.0, 0.0, 1.0])",
    ),
    (
        Unary::Softplus,
        "softplus(x)",
        "ln(1 + exp(x)), element by element.",
        "softplus([-1.0, 0.0, 1.0])",
    ),
    (
        Unary::Sigmoid,
        "sigmoid(x)",
        "1 / (1 + exp(−x)), element by element.",
        "sigmoid([-1.0, 0.0, 1.0])",
    ),
];

pub(super) fn register(reg: &mut Registry) {
    for (f, signature, text, example) in SYMBOL_ONLY {
        reg.function(signature, text, example)
            .body(move |x: Number| f.value(x.0))
            .body(move |x: Numbers| -> Result<ScriptArray> {
                Ok(ScriptArray::new(x.array(f.name())?.mapv(|x| f.value(x))))
            });
    }
}
