//! Ranges of decimal numbers: `start + i·step` is computed on the decimal digits, so that `range(0,1,0.1)` has 0.3, not
//! 0.30000000000000004.

use super::sweep::MAX_RUNS;

/// A decimal number `digits · 10^-scale`.
#[derive(Debug, Clone, Copy)]
struct Decimal {
    digits: i128,
    scale: u32,
}

/// Largest number of digits after the point: with them every sum of a range stays within 128 bits.
const MAX_SCALE: i64 = 18;

impl Decimal {
    /// Reads `-1`, `0.25`, `1e-3`.
    fn parse(text: &str) -> Option<Self> {
        text.parse::<f64>().ok().filter(|x| x.is_finite())?;
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        match scale {
            s if !(-MAX_SCALE..=MAX_SCALE).contains(&s) => None,
            s if s < 0 => Some(Decimal {
                digits: digits.checked_mul(10i128.checked_pow(u32::try_from(-s).ok()?)?)?,
                scale: 0,
            }),
            s => Some(Decimal {
                digits,
                scale: u32::try_from(s).ok()?,
            }),
        }
    }

    /// Returns the digits at another, not smaller scale.
    fn at(self, scale: u32) -> Option<i128> {
        let factor = 10i128.checked_pow(scale.checked_sub(self.scale)?)?;
        self.digits.checked_mul(factor)
    }

    fn text(self) -> String {
        if self.scale == 0 {
            return self.digits.to_string();
        }
        let sign = if self.digits < 0 { "-" } else { "" };
        let width = self.scale as usize + 1;
        let digits = format!("{:0>width$}", self.digits.unsigned_abs());
        let (whole, fraction) = digits.split_at(digits.len() - self.scale as usize);
        let fraction = fraction.trim_end_matches('0');
        format!(
            "{sign}{whole}.{}",
            if fraction.is_empty() { "0" } else { fraction }
        )
    }
}

/// Returns the values of a range from `start` to before `stop`: whole numbers if all three are, else numbers with a point.
pub(super) fn values(start: &str, stop: &str, step: &str) -> Result<Vec<String>, String> {
    let read = |text: &str| {
        Decimal::parse(text).ok_or_else(|| {
            format!(
                "a range is range(stop), range(start, stop) or range(start, stop, step) of numbers with at most {MAX_SCALE} digits \
                 after the point, not {text}"
            )
        })
    };
    let (start, stop, step) = (read(start)?, read(stop)?, read(step)?);
    let scale = start.scale.max(stop.scale).max(step.scale);
    let (Some(first), Some(end), Some(by)) = (start.at(scale), stop.at(scale), step.at(scale))
    else {
        return Err("the numbers of the range are too large".into());
    };
    if by == 0 {
        return Err("the step of a range cannot be 0".into());
    }
    let inside = |value: &i128| if by > 0 { *value < end } else { *value > end };
    Ok(
        std::iter::successors(Some(first), |value| value.checked_add(by))
            .take_while(inside)
            .take(MAX_RUNS + 1)
            .map(|digits| Decimal { digits, scale }.text())
            .collect(),
    )
}
