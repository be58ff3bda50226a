//! Integer operators in place of rhai's own, which would mislead: an inexact division is an error, and the error of a power says
//! what does not fit.

use crate::{Error, Result};

use super::registry::Registry;

/// Returns the quotient of two integers, if it is an integer.
///
/// # Errors
/// [`Error::Invalid`] where it is not: `8/3` would silently be 2.
pub fn divide(a: i64, b: i64) -> Result<i64> {
    if b == 0 {
        return Err(Error::invalid(format!("{a}/{b} divides by zero")));
    }
    match (a.checked_rem(b), a.checked_div(b)) {
        (Some(0), Some(quotient)) => Ok(quotient),
        (None, _) | (_, None) => Err(Error::invalid(format!(
            "{a}/{b} does not fit an integer: write {a}.0/{b}"
        ))),
        _ => Err(Error::invalid(format!(
            "{a}/{b} is not a whole number: write {a}.0/{b} for {}, or ({a} - {a} % {b})/{b} to round towards zero",
            a as f64 / b as f64
        ))),
    }
}

/// Returns `a` to the power of `n`.
///
/// # Errors
/// [`Error::Invalid`] for a negative exponent or a result that doesn't fit 64 bits.
pub fn power(a: i64, n: i64) -> Result<i64> {
    if n < 0 {
        return Err(Error::invalid(format!(
            "{a} ** {n} of integers is not an integer: write {a}.0 ** {n}"
        )));
    }
    u32::try_from(n)
        .ok()
        .and_then(|n| a.checked_pow(n))
        .or(matches!(a, 0 | 1).then_some(a))
        .ok_or_else(|| {
            Error::invalid(format!(
                "{a} ** {n} does not fit an integer: write {a}.0 ** {n}"
            ))
        })
}

/// Registers the operators of integers.
pub fn register(reg: &mut Registry) {
    reg.overload("/").body(divide);
    reg.overload("**").body(power);
    reg.overload("/=")
        .body(|a: &mut i64, b: i64| -> Result<()> {
            *a = divide(*a, b)?;
            Ok(())
        });
    reg.overload("**=")
        .body(|a: &mut i64, n: i64| -> Result<()> {
            *a = power(*a, n)?;
            Ok(())
        });
    reg.constant(
        "PI -> float",
        "The ratio of a circle's circumference to its diameter.",
        "sin(PI / 2)",
        std::f64::consts::PI,
    );
    reg.constant(
        "TAU -> float",
        "2 π, a full turn.",
        "cos(TAU)",
        std::f64::consts::TAU,
    );
    reg.constant(
        "INF -> float",
        "Infinity, above every number.",
        "min([1.0, INF])",
        f64::INFINITY,
    );
    reg.constant(
        "NAN -> float",
        "Not a number; in data it stands for a missing value.",
        "isnan(NAN)",
        f64::NAN,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_quotients_stay_integers() {
        assert_eq!(divide(6, 3).unwrap(), 2);
        assert_eq!(divide(-6, 3).unwrap(), -2);
        assert!(divide(8, 3).is_err());
        assert!(divide(1, 0).is_err());
        assert!(divide(i64::MIN, -1).is_err());
    }

    #[test]
    fn powers_that_do_not_fit_are_errors() {
        assert_eq!(power(-2, 3).unwrap(), -8);
        assert_eq!(power(0, 0).unwrap(), 1);
        assert_eq!(power(1, i64::MAX).unwrap(), 1);
        assert!(power(2, 63).is_err());
        assert!(power(2, -1).is_err());
    }
}
