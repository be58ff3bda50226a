//! The binding `format(x, spec)`: a number as text, by the format specification of Python.

use rhai::{Dynamic, ImmutableString};

use super::convert;
use super::registry::Registry;
use crate::{Error, Result};

/// Largest width and number of digits.
const MAX_LENGTH: usize = 1000;

/// What the error of a specification says that there is.
const FORM: &str = "a specification is as Python's: [[fill]align][sign][0][width][,][.digits][type] with align < > ^, sign + or a blank, \
                    type f, e, g, % or d, for example \".3f\", \"10.2e\", \",.0f\"";

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Notation {
    /// As a value is shown.
    Shown,
    /// `d`: a whole number.
    Whole,
    /// `f`: digits after the point.
    Fixed,
    /// `e`: digits after the point, times a power of ten.
    Scientific,
    /// `g`: significant digits, in the shorter of the two.
    General,
    /// `%`: in percent.
    Percent,
}

/// A format specification.
#[derive(Debug, Clone, Copy, PartialEq)]
struct FormatSpec {
    fill: char,
    align: char,
    sign: Option<char>,
    width: usize,
    groups: bool,
    digits: Option<usize>,
    notation: Notation,
}

impl FormatSpec {
    /// Reads a specification.
    fn read(spec: &str) -> Result<Self> {
        Self::parse(spec)
            .ok_or_else(|| Error::invalid(format!("\"{spec}\" is no format of a number; {FORM}")))
    }

    fn parse(spec: &str) -> Option<Self> {
        let mut rest: Vec<char> = spec.chars().collect();
        rest.reverse();
        let is_align = |c: &char| "<>^".contains(*c);
        let n = rest.len();
        let (mut fill, mut align) = (' ', '>');
        if n >= 2 && is_align(&rest[n - 2]) {
            (fill, align) = (rest.pop()?, rest.pop()?);
        } else if rest.last().is_some_and(is_align) {
            align = rest.pop()?;
        }
        let sign = rest.pop_if(|c| "+- ".contains(*c)).filter(|c| *c != '-');
        if rest.pop_if(|c| *c == '0').is_some() {
            // Between the sign and the digits.
            (fill, align) = ('0', '=');
        }
        let width = number(&mut rest)?.unwrap_or(0);
        let groups = rest.pop_if(|c| *c == ',').is_some();
        let digits = match rest.pop_if(|c| *c == '.') {
            Some(_) => Some(number(&mut rest)??),
            None => None,
        };
        let notation = match rest.pop() {
            None => Notation::Shown,
            Some('d') => Notation::Whole,
            Some('f') => Notation::Fixed,
            Some('e') => Notation::Scientific,
            Some('g') => Notation::General,
            Some('%') => Notation::Percent,
            Some(_) => return None,
        };
        let notation = match (notation, digits) {
            (Notation::Shown, Some(_)) => Notation::General,
            (Notation::Whole, Some(_)) => return None,
            (notation, _) => notation,
        };
        rest.is_empty().then_some(FormatSpec {
            fill,
            align,
            sign,
            width,
            groups,
            digits,
            notation,
        })
    }

    /// Writes a number; `shown` is its text as a value is shown.
    fn write(&self, x: f64, shown: &str) -> String {
        let digits = self.digits.unwrap_or(6);
        let magnitude = x.abs();
        let body = match self.notation {
            _ if !x.is_finite() => format!("{magnitude}"),
            Notation::Shown | Notation::Whole => shown.trim_start_matches('-').to_string(),
            Notation::Fixed => format!("{magnitude:.digits$}"),
            Notation::Scientific => scientific(magnitude, digits),
            Notation::General => general(magnitude, digits.max(1)),
            Notation::Percent => format!("{:.digits$}%", 100.0 * magnitude),
        };
        let body = if self.groups { in_groups(&body) } else { body };
        let sign = match x.is_sign_negative() && !x.is_nan() {
            true => "-".to_string(),
            false => self.sign.map(String::from).unwrap_or_default(),
        };
        let missing = self.width.saturating_sub(sign.len() + body.chars().count());
        let filled = |n: usize| self.fill.to_string().repeat(n);
        match self.align {
            '=' => format!("{sign}{}{body}", filled(missing)),
            '<' => format!("{sign}{body}{}", filled(missing)),
            '^' => format!(
                "{}{sign}{body}{}",
                filled(missing / 2),
                filled(missing - missing / 2)
            ),
            _ => format!("{}{sign}{body}", filled(missing)),
        }
    }
}

/// Takes a number from the end of reversed characters. `Some(None)`: there is none; `None`: it is too large.
fn number(rest: &mut Vec<char>) -> Option<Option<usize>> {
    let mut found = None;
    while let Some(c) = rest.pop_if(|c| c.is_ascii_digit()) {
        let value = found.unwrap_or(0) * 10 + c.to_digit(10)? as usize;
        if value > MAX_LENGTH {
            return None;
        }
        found = Some(value);
    }
    Some(found)
}

/// Writes a number with a power of ten of at least two digits, as Python and C do.
fn scientific(x: f64, digits: usize) -> String {
    let text = format!("{x:.digits$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, size) = match exponent.strip_prefix('-') {
        Some(size) => ('-', size),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{size:0>2}")
}

/// Writes significant digits, without zeros at the end, as Python's and C's `g`.
fn general(x: f64, digits: usize) -> String {
    let text = format!("{x:.*e}", digits - 1);
    let exponent: i32 = text
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0);
    let without_zeros = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text.to_string(),
    };
    if exponent < -4 || exponent >= digits as i32 {
        let text = scientific(x, digits - 1);
        return match text.split_once('e') {
            Some((mantissa, exponent)) => format!("{}e{exponent}", without_zeros(mantissa)),
            None => text,
        };
    }
    let after = (digits as i32 - 1 - exponent).max(0) as usize;
    without_zeros(&format!("{x:.after$}"))
}

/// Puts a comma between each three digits before the point.
fn in_groups(text: &str) -> String {
    let whole = text.chars().take_while(char::is_ascii_digit).count();
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i > 0 && i < whole && (whole - i) % 3 == 0 {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Returns the number as text.
fn format_value(value: &Dynamic, spec: &str) -> Result<String> {
    let read = FormatSpec::read(spec)?;
    if let Ok(n) = value.as_int() {
        return Ok(read.write(n as f64, &n.to_string()));
    }
    let Ok(x) = value.as_float() else {
        return Err(Error::invalid(format!(
            "format: the first argument should be a number, not {}; lists and arrays are formatted number by number, \
             x.to_list().map(|x| format(x, \"{spec}\"))",
            convert::describe(value)
        )));
    };
    if read.notation == Notation::Whole {
        return Err(Error::invalid(format!(
            "format: {x} is no whole number for \"{spec}\"; \".0f\" rounds"
        )));
    }
    Ok(read.write(x, &value.to_string()))
}

/// Registers the binding.
pub(super) fn register(reg: &mut Registry) {
    reg.function(
        "format(x, \".3f\") -> string",
        "A number as text, by a specification as Python's: [[fill]align][sign][0][width][,][.digits][type]. Types: f, digits after the \
         point; e, with a power of ten; g, significant digits; %, in percent; d, a whole number. \",\" groups thousands, align is \
         < > or ^, and 08.3f fills with zeros.",
        "[format(PI, \".3f\"), format(0.000123, \".2e\"), format(1234567.8, \",.1f\"), format(0.125, \".1%\"), format(7, \"03d\")]",
    )
    .body(|x: Dynamic, spec: ImmutableString| format_value(&x, &spec));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks against what Python's `format` returns, by `python3 -c 'print(format(…))'`.
    #[test]
    fn as_python_formats() {
        let of = |x: f64, spec: &str| FormatSpec::read(spec).map(|f| f.write(x, &x.to_string()));
        for (x, spec, expected) in [
            (std::f64::consts::PI, ".3f", "3.142"),
            (-std::f64::consts::PI, "+.1f", "-3.1"),
            (std::f64::consts::PI, "+.1f", "+3.1"),
            (2.5, " .0f", " 2"),
            (0.000123, ".2e", "1.23e-04"),
            (6.02214076e23, "e", "6.022141e+23"),
            (1e300, ".1e", "1.0e+300"),
            (1234567.891, ",.2f", "1,234,567.89"),
            (999.0, ",.0f", "999"),
            (0.125, ".1%", "12.5%"),
            (0.0001, ".3g", "0.0001"),
            (0.00001, ".3g", "1e-05"),
            (123456.0, ".3g", "1.23e+05"),
            (1000000.0, "g", "1e+06"),
            (100000.0, "g", "100000"),
            (99.99, ".2g", "1e+02"),
            (0.0, ".3g", "0"),
            (2.71658, ".3", "2.72"),
            (-1.5, "08.2f", "-0001.50"),
            (1.5, "8.2f", "    1.50"),
            (1.5, "<8.2f", "1.50    "),
            (1.5, "*^8.2f", "**1.50**"),
            (1.5, "*^9.2f", "**1.50***"),
            (f64::NAN, ".2f", "NaN"),
            (f64::NEG_INFINITY, ".2f", "-inf"),
        ] {
            assert_eq!(of(x, spec).unwrap(), expected, "{x} {spec}");
        }
        for spec in ["x", ".f", "3.2d", ".9999f", "f3", "10..2f"] {
            let text = of(1.0, spec).unwrap_err().to_string();
            assert!(text.contains("no format of a number"), "{text}");
        }
    }
}
