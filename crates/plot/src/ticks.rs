//! The ticks of an axis: their positions and labels.

use super::scale::{Axis, Scale};

/// The ticks of an axis, at fractions between 0 and 1 along it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ticks {
    /// Major ticks: fractions along the axis with labels.
    pub major: Vec<(f64, String)>,
    /// Minor ticks: fractions along the axis, without labels.
    pub minor: Vec<f64>,
}

impl Ticks {
    /// Returns the ticks of an axis, with at most `most` major ticks (but at least two where the range has them).
    pub fn new(axis: &Axis, most: usize) -> Ticks {
        let most = most.max(2);
        let dates = axis.dates.filter(|_| axis.scale == Scale::Linear);
        if let Some(marks) = dates.and_then(|dates| dates.ticks(axis.lo, axis.hi, most)) {
            let at = |(value, label)| (axis.fraction(value), label);
            return Ticks {
                major: marks.into_iter().map(at).collect(),
                minor: Vec::new(),
            };
        }
        match axis.scale {
            Scale::Linear => Ticks {
                major: linear(axis, axis.lo, axis.hi, most),
                minor: Vec::new(),
            },
            Scale::Log => logarithmic(axis, most),
            Scale::SymLog(threshold) => symlog(axis, threshold, most),
        }
    }
}

/// Returns the major ticks of an axis at round values from `lo` to `hi`.
fn linear(axis: &Axis, lo: f64, hi: f64, most: usize) -> Vec<(f64, String)> {
    // At least two ticks, since one alone does not show the scale.
    let (values, exponent) = (most..most + 4)
        .map(|most| nice_steps(lo, hi, most))
        .find(|(values, _)| values.len() > 1)
        .unwrap_or_else(|| nice_steps(lo, hi, most));
    let labels = linear_labels(&values, exponent);
    values
        .iter()
        .map(|v| axis.fraction(*v))
        .zip(labels)
        .collect()
}

/// Returns at most `most` round values from `lo` to `hi`.
pub(super) fn round_values(lo: f64, hi: f64, most: usize) -> Vec<f64> {
    nice_steps(lo, hi, most.max(1)).0
}

/// Returns values from `lo` to `hi` in steps of 1, 2 or 5 times a power of ten, and the power's exponent.
fn nice_steps(lo: f64, hi: f64, most: usize) -> (Vec<f64>, i32) {
    let rough = (hi - lo) / most as f64;
    let mut exponent = rough.log10().floor() as i32;
    loop {
        for mantissa in [1.0, 2.0, 5.0] {
            // 10^-n is not exact in binary, 10^n is: so divide by 10^n.
            let value = |i: f64| match exponent {
                ..0 => i * mantissa / 10f64.powi(-exponent),
                _ => i * mantissa * 10f64.powi(exponent),
            };
            let step = value(1.0);
            let slack = 1e-9;
            let first = (lo / step - slack).ceil();
            let last = (hi / step + slack).floor();
            if last - first < most as f64 {
                let values =
                    (0..=(last - first).max(0.0) as usize).map(|i| value(first + i as f64));
                return (values.collect(), exponent);
            }
        }
        exponent += 1;
    }
}

/// Returns standalone labels of values (not of an axis), each with as few digits as distinguish all of them, and at least three
/// where it has them. Where one value is so large or small that it needs a power of ten, all but 0 are written with one.
pub(super) fn standalone_labels(values: &[f64]) -> Vec<String> {
    let labels = |digits: usize| -> Vec<String> {
        let plain = |v: &f64| *v == 0.0 || (-3..6).contains(&scientific_parts(*v, digits).1);
        let powers = !values.iter().all(plain);
        values
            .iter()
            .map(|v| format_rounded(*v, digits, powers))
            .collect()
    };
    let distinct = |labels: &Vec<String>| {
        let mut sorted = labels.clone();
        sorted.sort_unstable();
        sorted.dedup();
        sorted.len() == values.len()
    };
    let enough = (3..15).map(labels).find(distinct);
    enough.unwrap_or_else(|| labels(15))
}

/// Returns the mantissa and exponent of a value rounded to `digits` digits.
fn scientific_parts(v: f64, digits: usize) -> (String, i32) {
    let scientific = format!("{v:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    (mantissa.to_owned(), exponent.parse().unwrap_or(0))
}

/// Returns a value rounded to `digits` digits, without trailing zeros, as a decimal number or with a power of ten.
fn format_rounded(v: f64, digits: usize, power: bool) -> String {
    let (mantissa, exponent) = scientific_parts(v, digits);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    let text = match power {
        _ if v == 0.0 => "0".to_owned(),
        false => {
            let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
            trimmed(&format!("{v:.decimals$}"))
        }
        true => match trimmed(&mantissa).as_str() {
            "1" => power_of_ten(exponent),
            "-1" => format!("-{}", power_of_ten(exponent)),
            mantissa => format!("{mantissa}×{}", power_of_ten(exponent)),
        },
    };
    text.replacen('-', "−", 1)
}

/// Returns the labels of a linear axis, all with the same number of decimals and the same power of ten.
pub(super) fn linear_labels(values: &[f64], step_exponent: i32) -> Vec<String> {
    let largest = values.iter().fold(0f64, |m, v| m.max(v.abs()));
    let size = if largest > 0.0 {
        (largest * (1.0 + 1e-12)).log10().floor() as i32
    } else {
        0
    };
    if (-4..6).contains(&size) {
        let decimals = (-step_exponent).max(0) as usize;
        return values.iter().map(|v| format_fixed(*v, decimals)).collect();
    }
    let decimals = (size - step_exponent).max(0) as usize;
    let label = |v: &f64| {
        if *v == 0.0 {
            return "0".to_owned();
        }
        // In two factors, since 10^size may be below the smallest normal number.
        let half = size / 2;
        let mantissa = v / 10f64.powi(half) / 10f64.powi(size - half);
        format!(
            "{}×{}",
            format_fixed(mantissa, decimals),
            power_of_ten(size)
        )
    };
    values.iter().map(label).collect()
}

/// Returns the ticks of a logarithmic axis: powers of ten with minor ticks between them; in a range of less than two powers also
/// 2 and 5 times these, or round values.
fn logarithmic(axis: &Axis, most: usize) -> Ticks {
    let first = (axis.lo - 1e-9).ceil() as i32;
    let last = (axis.hi + 1e-9).floor() as i32;
    let inside = |log: f64| log >= axis.lo - 1e-9 && log <= axis.hi + 1e-9;
    let fraction = |log: f64| (log - axis.lo) / (axis.hi - axis.lo);
    let between = |mantissas: &[i32]| -> Vec<(f64, i32, i32)> {
        (first - 1..=last)
            .flat_map(|e| mantissas.iter().map(move |m| (m, e)))
            .map(|(m, e)| (f64::from(*m).log10() + f64::from(e), *m, e))
            .filter(|(log, _, _)| inside(*log))
            .collect()
    };
    let powers = last - first + 1;
    if powers >= 2 {
        let least = (powers as usize).div_ceil(most);
        let round = [1, 2, 3, 5, 10, 20, 50, 100];
        let stride = round.into_iter().find(|s| *s >= least).unwrap_or(200);
        let counted = |from: i32| -> Vec<i32> {
            let all = first..=last;
            all.filter(|e| (e - from).rem_euclid(stride as i32) == 0)
                .collect()
        };
        // Counted from 0, so that 10⁰ is among them where the range contains it; at least two, since one alone does not show the
        // scale.
        let mut marks = counted(0);
        if marks.len() < 2 {
            marks = counted(first);
        }
        let major = marks
            .into_iter()
            .map(|e| (fraction(f64::from(e)), power_of_ten(e)))
            .collect();
        let minor = match (stride, powers) {
            (1, ..=10) => between(&[2, 3, 4, 5, 6, 7, 8, 9]),
            _ => Vec::new(),
        };
        return Ticks {
            major,
            minor: minor.into_iter().map(|(log, _, _)| fraction(log)).collect(),
        };
    }
    let few = between(&[1, 2, 5]);
    if few.len() >= 3 {
        // All labels in the same notation.
        let plain = few.iter().all(|(_, _, e)| (-3..=4).contains(e));
        let label = |m: i32, e: i32| match m {
            _ if plain => format_fixed(f64::from(m) * 10f64.powi(e), (-e).max(0) as usize),
            1 => power_of_ten(e),
            _ => format!("{m}×{}", power_of_ten(e)),
        };
        return Ticks {
            major: few
                .iter()
                .map(|&(log, m, e)| (fraction(log), label(m, e)))
                .collect(),
            minor: between(&[3, 4, 6, 7, 8, 9])
                .into_iter()
                .map(|(log, _, _)| fraction(log))
                .collect(),
        };
    }
    Ticks {
        major: linear(axis, 10f64.powf(axis.lo), 10f64.powf(axis.hi), most),
        minor: Vec::new(),
    }
}

/// Returns the ticks of a symlog axis: 0 and powers of ten of either sign beyond the threshold, or round values where the range
/// has fewer than two of these.
fn symlog(axis: &Axis, threshold: f64, most: usize) -> Ticks {
    let inside = |fraction: f64| (-1e-9..=1.0 + 1e-9).contains(&fraction);
    let first = (threshold.log10() - 1e-9).ceil() as i32;
    let last = axis.lo.abs().max(axis.hi.abs()) - 1.0 + threshold.log10();
    let last = (last + 1e-9).floor() as i32;
    let value = |sign: f64, m: i32, e: i32| sign * f64::from(m) * 10f64.powi(e);
    let marks = |stride: i32| -> Vec<(f64, String)> {
        let powers: Vec<i32> = (first..=last)
            .filter(|e| (e - first) % stride == 0)
            .collect();
        let side = |sign: f64| {
            let label = move |e: i32| match sign < 0.0 {
                true => format!("−{}", power_of_ten(e)),
                false => power_of_ten(e),
            };
            powers
                .iter()
                .map(move |e| (axis.fraction(value(sign, 1, *e)), label(*e)))
        };
        let mut all: Vec<(f64, String)> = side(-1.0).collect();
        all.reverse();
        all.push((axis.fraction(0.0), "0".to_owned()));
        all.extend(side(1.0));
        all.retain(|(fraction, _)| inside(*fraction));
        all
    };
    let strides = [1, 2, 3, 5, 10, 20, 50, 100, 200];
    let (stride, major) = strides
        .into_iter()
        .map(|stride| (stride, marks(stride)))
        .find(|(_, marks)| marks.len() <= most)
        .unwrap_or_else(|| (200, marks(200)));
    if major.len() < 2 {
        let (lo, hi) = (axis.scale.inverse(axis.lo), axis.scale.inverse(axis.hi));
        return Ticks {
            major: linear(axis, lo, hi, most),
            minor: Vec::new(),
        };
    }
    let mut minor = Vec::new();
    if stride == 1 && last - first < 8 {
        for e in first - 1..=last {
            for m in 2..10 {
                for sign in [-1.0, 1.0] {
                    let v = value(sign, m, e);
                    if v.abs() > threshold && inside(axis.fraction(v)) {
                        minor.push(axis.fraction(v));
                    }
                }
            }
        }
    }
    if stride > 1 && last - first < 40 {
        for e in first..=last {
            let pair = [value(-1.0, 1, e), value(1.0, 1, e)].map(|v| axis.fraction(v));
            minor.extend(pair.into_iter().filter(|fraction| inside(*fraction)));
        }
    }
    Ticks { major, minor }
}

/// Returns `v` with a fixed number of decimals and a true minus sign, never "−0".
pub(super) fn format_fixed(v: f64, decimals: usize) -> String {
    let text = format!("{v:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().any(|b| (b'1'..=b'9').contains(&b)) => format!("−{digits}"),
        Some(digits) => digits.to_owned(),
        None => text,
    }
}

fn power_of_ten(exponent: i32) -> String {
    let raised = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32(0x2070 + u32::from(digit) - u32::from('0')).unwrap_or(digit),
    };
    format!(
        "10{}",
        exponent.to_string().chars().map(raised).collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, lo: f64, hi: f64, most: usize) -> Vec<String> {
        let axis = Axis::from_range(scale, "range", (lo, hi)).expect("a range");
        let ticks = Ticks::new(&axis, most);
        assert!(
            ticks
                .major
                .iter()
                .all(|(p, _)| (-1e-6..=1.0 + 1e-6).contains(p))
        );
        ticks.major.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn labels_that_stand_alone_are_short_and_differ() {
        assert_eq!(
            standalone_labels(&[-0.5, 0.0, 0.1 + 0.2, 1.0, 3.162277, 1500.0]),
            ["−0.5", "0", "0.3", "1", "3.16", "1500"]
        );
        assert_eq!(
            standalone_labels(&[-1e-9, 2.5e-5, 1e6, 4e12]),
            ["−10⁻⁹", "2.5×10⁻⁵", "10⁶", "4×10¹²"]
        );
        assert_eq!(standalone_labels(&[1.0001, 1.0002]), ["1.0001", "1.0002"]);
        // All labels in the same notation.
        assert_eq!(
            standalone_labels(&[0.0, 10.0, 2e5, 1e6]),
            ["0", "10¹", "2×10⁵", "10⁶"]
        );
    }

    #[test]
    fn labels_are_round() {
        assert_eq!(
            labels(Scale::Linear, 0.0, 0.45, 6),
            ["0.0", "0.1", "0.2", "0.3", "0.4"]
        );
        assert_eq!(
            labels(Scale::Linear, -1.0, 1.0, 5),
            ["−1.0", "−0.5", "0.0", "0.5", "1.0"]
        );
        assert_eq!(labels(Scale::Linear, 0.0, 600.0, 7)[1], "100");
        assert_eq!(
            labels(Scale::Linear, 0.0, 2e6, 5),
            ["0", "0.5×10⁶", "1.0×10⁶", "1.5×10⁶", "2.0×10⁶"]
        );
        assert_eq!(
            labels(Scale::Linear, -3e-7, 0.0, 4),
            ["−3×10⁻⁷", "−2×10⁻⁷", "−1×10⁻⁷", "0"]
        );
    }

    #[test]
    fn powers_of_ten_of_either_sign_on_a_symlog_axis() {
        assert_eq!(
            labels(Scale::SymLog(0.1), -20.0, 3.0, 9),
            ["−10¹", "−10⁰", "−10⁻¹", "0", "10⁻¹", "10⁰"]
        );
        // Within the threshold the axis is linear.
        assert_eq!(labels(Scale::SymLog(10.0), 1.0, 3.0, 4), ["1", "2", "3"]);
    }

    #[test]
    fn powers_of_ten_on_a_log_axis() {
        assert_eq!(
            labels(Scale::Log, 1e-3, 10.0, 8),
            ["10⁻³", "10⁻²", "10⁻¹", "10⁰", "10¹"]
        );
        assert_eq!(
            labels(Scale::Log, 1e-30, 1.0, 4),
            ["10⁻³⁰", "10⁻²⁰", "10⁻¹⁰", "10⁰"].map(String::from)
        );
        assert_eq!(labels(Scale::Log, 5.0, 5e3, 2), ["10¹", "10³"]);
        assert_eq!(labels(Scale::Log, 0.15, 3.0, 8), ["0.2", "0.5", "1", "2"]);
        assert_eq!(labels(Scale::Log, 4e4, 3e5, 8), ["5×10⁴", "10⁵", "2×10⁵"]);
        assert_eq!(
            labels(Scale::Log, 2.1, 2.9, 5),
            ["2.2", "2.4", "2.6", "2.8"]
        );
    }

    #[test]
    fn every_range_gets_ticks_and_an_end() {
        for exponent in [-295, -20, -3, 0, 3, 20, 299] {
            let size = 10f64.powi(exponent);
            for (lo, hi) in [(-0.3, 1.0), (0.99, 1.0), (7.0, 9.9), (-9.0, -2.0)] {
                let n = labels(Scale::Linear, lo * size, hi * size, 6).len();
                assert!(
                    (2..=6).contains(&n),
                    "{n} ticks from {lo}e{exponent} to {hi}e{exponent}"
                );
            }
        }
    }
}
