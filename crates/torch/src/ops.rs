//! The operations of a graph on tensors. Values and derivatives follow the native engine's conventions where libtorch's differ.

use tch::Tensor;

use super::device::KIND;
use crate::error::TensorResult;
use odesync_ode::field::{Binary, Unary};

/// Applies an elementary function to each component.
pub(super) fn unary(f: Unary, x: &Tensor) -> TensorResult<Tensor> {
    Ok(match f {
        Unary::Neg => x.f_neg()?,
        Unary::Abs => x.f_abs()?,
        Unary::Sign => sign(x)?,
        Unary::Sqrt => x.f_sqrt()?,
        Unary::Square => x.f_square()?,
        Unary::Exp => x.f_exp()?,
        Unary::Expm1 => x.f_expm1()?,
        Unary::Log => x.f_log()?,
        Unary::Log1p => x.f_log1p()?,
        Unary::Log10 => x.f_log10()?,
        Unary::Sin => x.f_sin()?,
        Unary::Cos => x.f_cos()?,
        Unary::Tan => x.f_tan()?,
        Unary::Asin => x.f_asin()?,
        Unary::Acos => x.f_acos()?,
        Unary::Atan => x.f_atan()?,
        Unary::Sinh => x.f_sinh()?,
        Unary::Cosh => x.f_cosh()?,
        Unary::Tanh => x.f_tanh()?,
        Unary::Asinh => x.f_asinh()?,
        Unary::Acosh => x.f_acosh()?,
        Unary::Atanh => x.f_atanh()?,
        Unary::Erf => x.f_erf()?,
        Unary::Floor => x.f_detach()?.f_floor()?,
        Unary::Ceil => x.f_detach()?.f_ceil()?,
        Unary::Gelu => x.f_gelu("none")?,
        Unary::Relu => x.f_relu()?,
        Unary::Silu => x.f_silu()?,
        // libtorch's softplus returns x above 20, which is wrong from the ninth digit on.
        Unary::Softplus => x.f_logaddexp(&x.f_detach()?.f_zeros_like()?)?,
        Unary::Sigmoid => x.f_sigmoid()?,
    })
}

/// Returns the sign, −1, 0 or 1, of each component, and NaN for NaN, where libtorch returns 0.
fn sign(x: &Tensor) -> TensorResult<Tensor> {
    let x = x.f_detach()?;
    Ok(x.f_where_self(&x.f_isnan()?, &x.f_sign()?)?)
}

/// Applies a function of two variables, component by component.
pub(super) fn binary(f: Binary, x: &Tensor, y: &Tensor) -> TensorResult<Tensor> {
    let truth = match f {
        Binary::Add => return Ok(x.f_add(y)?),
        Binary::Sub => return Ok(x.f_sub(y)?),
        Binary::Mul => return Ok(x.f_mul(y)?),
        Binary::Div => return Ok(x.f_div(y)?),
        Binary::Pow => return Ok(x.f_pow(y)?),
        Binary::Atan2 => return Ok(x.f_atan2(y)?),
        Binary::Min => return select_or_nan(&x.f_lt_tensor(y)?, x, y),
        Binary::Max => return select_or_nan(&x.f_gt_tensor(y)?, x, y),
        Binary::Lt => x.f_lt_tensor(y)?,
        Binary::Le => x.f_le_tensor(y)?,
        Binary::Gt => x.f_gt_tensor(y)?,
        Binary::Ge => x.f_ge_tensor(y)?,
        Binary::Eq => x.f_eq_tensor(y)?,
        Binary::Ne => x.f_ne_tensor(y)?,
    };
    Ok(truth.f_to_kind(KIND)?)
}

/// Returns x where `wanted` holds or x is NaN, else y: a NaN in either operand makes the result NaN, and where both are equal the
/// derivative is that of y (libtorch's own minimum splits it in halves).
fn select_or_nan(wanted: &Tensor, x: &Tensor, y: &Tensor) -> TensorResult<Tensor> {
    let wanted = wanted.f_logical_or(&x.f_isnan()?)?;
    Ok(x.f_where_self(&wanted, y)?)
}

/// Returns x to a constant power.
pub(super) fn power(x: &Tensor, exponent: f64) -> TensorResult<Tensor> {
    Ok(x.f_pow_tensor_scalar(exponent)?)
}

/// Returns a where the condition is not zero, else b.
pub(super) fn select(condition: &Tensor, a: &Tensor, b: &Tensor) -> TensorResult<Tensor> {
    Ok(a.f_where_self(&condition.f_ne(0.0)?, b)?)
}
