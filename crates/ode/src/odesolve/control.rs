//! Step-size control: the integral controller of torchdiffeq (after Hairer, Nørsett, Wanner, II.4), and proportional-integral
//! control.

use odesync_base::impl_named;

pub(super) const SAFETY: f64 = 0.9;
pub(super) const MAX_FACTOR: f64 = 10.0;
pub(super) const MIN_FACTOR: f64 = 0.2;
/// Exponent of the previous error norm in proportional-integral control, multiplied by the order.
pub(super) const PI_BETA: f64 = 0.2;

/// Step-size controller of any adaptive solver: the factor from the size of this step to that of the next, from the error norms
/// e of this step and e₁ of the previous step; q is the order of the error estimate. Where the solver is implicit, 0.9 is smaller
/// the more iterations a step took, and a change of the size by less than a fifth is left out, which saves a factorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Controller {
    /// Integral control: `0.9 e^(−1/q)`, between 0.2 and 10, and at least 1 after an accepted step, as in torchdiffeq. The default
    /// of explicit Runge-Kutta methods and of `bdf`.
    #[default]
    Integral,
    /// Proportional-integral control: `0.9 e^(−(1/q − 0.75 β)) e₁^β` with β = 0.2/q, between 0.2 and 10, and at most 1 after
    /// a rejected step. Smoother step sizes and fewer rejections, above all where stability rather than accuracy limits the
    /// steps. For order 5 this is the β = 0.04 of Hairer's DOPRI5. K. Gustafsson, ACM Trans. Math. Softw. 17 (1991); Hairer,
    /// Wanner, *Solving Ordinary Differential Equations II*, IV.2.
    ProportionalIntegral,
    /// Gustafsson's predictive control: the smaller of the integral rule and `h/h₁ 0.9 (e₁/e)^(1/q) e^(−1/q)`, which follows the
    /// trend of the errors; between 0.2 and 10. The default of implicit Runge-Kutta and Rosenbrock methods. K. Gustafsson, ACM
    /// Trans. Math. Softw. 20 (1994); Hairer, Wanner, *Solving Ordinary Differential Equations II*, IV.8.
    Gustafsson,
}

impl_named!(
    Controller,
    "controller",
    Integral = "i",
    ProportionalIntegral = "pi",
    Gustafsson = "gustafsson",
);

/// Returns the factor on the next step size under proportional-integral control; `previous_norm` is the error norm of the
/// last accepted step.
pub(crate) fn pi_factor(norm: f64, previous_norm: f64, order: usize) -> f64 {
    if norm == 0.0 {
        return MAX_FACTOR;
    }
    if !norm.is_finite() {
        return MIN_FACTOR;
    }
    let q = order as f64;
    // After a rejected step its own error determines the next size; the previous error is irrelevant.
    let memory = if norm <= 1.0 {
        previous_norm.powf(PI_BETA / q)
    } else {
        1.0
    };
    (SAFETY * norm.powf(-(1.0 - 0.75 * PI_BETA) / q) * memory).clamp(MIN_FACTOR, MAX_FACTOR)
}

/// Combines the norm e of an error estimate and the norm s of a second estimate of lower order into `e² / √(e² + 0.01 s²)`.
pub fn joint_norm(first: f64, second: f64) -> f64 {
    let squares = first * first + 0.01 * second * second;
    if squares == 0.0 {
        0.0
    } else {
        first * first / squares.sqrt()
    }
}

/// Returns the factor on the next step size under integral control. An accepted step never reduces the size of the next.
pub(crate) fn integral_factor(norm: f64, order: usize) -> f64 {
    if norm == 0.0 {
        return MAX_FACTOR;
    }
    if !norm.is_finite() {
        return MIN_FACTOR;
    }
    let least = if norm < 1.0 { 1.0 } else { MIN_FACTOR };
    (SAFETY / norm.powf(1.0 / order as f64))
        .max(least)
        .min(MAX_FACTOR)
}
