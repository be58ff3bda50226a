//! Activation functions of numbers and arrays, as used in equations.

use rhai::{Array as List, Dynamic};

use super::super::array::ScriptArray;
use super::super::convert;
use super::super::error::RhaiResult;
use super::super::registry::Registry;
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
        let name = f.name();
        reg.register_fn(name, move |x: f64| f.value(x));
        reg.register_fn(name, move |x: i64| f.value(x as f64));
        reg.register_fn(name, move |x: ScriptArray| {
            ScriptArray::new(x.data().mapv(|x| f.value(x)))
        });
        reg.register_fn(name, move |x: List| -> RhaiResult<ScriptArray> {
            Ok(ScriptArray::new(
                convert::to_array(&Dynamic::from(x), name)?.mapv(|x| f.value(x)),
            ))
        });
        reg.describe(name, signature, text, example);
    }
}
