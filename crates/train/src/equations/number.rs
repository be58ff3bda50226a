//! Numbers in equations.

/// Returns a number as text; with `as_float` it always has a decimal point, as the script language wants it.
pub(super) fn number(x: f64, as_float: bool) -> String {
    let plain = match x.abs() {
        0.0 => true,
        size => (1e-4..1e7).contains(&size),
    };
    let text = if plain {
        format!("{x}")
    } else {
        format!("{x:e}")
    };
    if !as_float || text.contains('.') || !x.is_finite() {
        return text;
    }
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{mantissa}.0e{exponent}"),
        None => format!("{text}.0"),
    }
}

/// Returns `value ± error`, rounded to two digits of the error.
pub(super) fn with_error(value: f64, error: f64) -> String {
    if !(error.is_finite() && error > 0.0 && value.is_finite()) {
        return number(value, false);
    }
    let size = value.abs().max(error);
    let exponent = size.log10().floor() as i32;
    let (shown, by) = match (-4..6).contains(&exponent) {
        true => (0, 1.0),
        false => (exponent, 10f64.powi(exponent)),
    };
    let digits = (1 - (error / by).log10().floor() as i32).clamp(0, 15) as usize;
    let power = match shown {
        0 => String::new(),
        exponent => format!("e{exponent}"),
    };
    let (value, error) = (value / by, error / by);
    format!("{value:.digits$}{power} ± {error:.digits$}{power}")
}

/// Returns a number as the script language reads it back.
pub fn script_number(x: f64) -> String {
    number(x, true)
}
