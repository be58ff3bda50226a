//! What all tick labels of an axis have in common, a power of ten or an offset, which stands once: at the axis's end or with its name.

use super::scale::{Axis, Scale};
use super::ticks::{Ticks, format_fixed, linear_labels};

/// Span of an axis over its values below which the labels are differences from an offset.
const OFFSET_SPAN: f64 = 1e-4;

/// Returns the ticks with short labels, and what their labels have in common; nothing where they are as short as they can be.
pub(super) fn shared_ticks(axis: &Axis, ticks: Ticks) -> (Ticks, String) {
    if axis.scale != Scale::Linear || axis.dates.is_some() || ticks.major.len() < 2 {
        return (ticks, String::new());
    }
    match offset(axis, &ticks).or_else(|| power(&ticks)) {
        Some((labels, shared)) => {
            let places = ticks.major.iter().map(|(fraction, _)| *fraction);
            let major = places.zip(labels).collect();
            (Ticks { major, ..ticks }, shared)
        }
        None => (ticks, String::new()),
    }
}

/// Returns an axis's name with what its tick labels have in common, where that has no place of its own at the axis's end.
pub(super) fn name_with_shared(name: &str, shared: &str) -> String {
    match (name.is_empty(), shared.is_empty()) {
        (_, true) => name.to_owned(),
        (true, false) => shared.to_owned(),
        (false, false) => format!("{name} ({shared})"),
    }
}

/// Returns the labels without the power of ten that all but 0 end with, and that power.
fn power(ticks: &Ticks) -> Option<(Vec<String>, String)> {
    let mut shared: Option<&str> = None;
    let mut labels = Vec::with_capacity(ticks.major.len());
    for (_, label) in &ticks.major {
        let at = match label.find("×10") {
            Some(at) => at,
            None if label == "0" => {
                labels.push(label.clone());
                continue;
            }
            None => return None,
        };
        let (mantissa, power) = label.split_at(at);
        if *shared.get_or_insert(power) != power {
            return None;
        }
        labels.push(mantissa.to_owned());
    }
    shared.map(|power| (labels, power.to_owned()))
}

/// Returns the labels as differences from a round offset, and that offset.
fn offset(axis: &Axis, ticks: &Ticks) -> Option<(Vec<String>, String)> {
    let values: Vec<f64> = ticks.major.iter().map(|(f, _)| axis.value(*f)).collect();
    let (first, second, last) = (*values.first()?, *values.get(1)?, *values.last()?);
    let (span, step) = (last - first, second - first);
    let size = values.iter().fold(0f64, |m, v| m.max(v.abs()));
    // Not where the differences are lost in the rounding of the values themselves.
    if span >= OFFSET_SPAN * size || step <= 1e-11 * size {
        return None;
    }
    let exponent = span.log10().floor() as i32 + 1;
    let unit = 10f64.powi(exponent);
    let offset = (first / unit).floor() * unit;
    let step_exponent = (step * (1.0 + 1e-9)).log10().floor() as i32;
    let fine = 10f64.powi(step_exponent);
    let differences: Vec<f64> = values
        .iter()
        .map(|v| ((v - offset) / fine).round() * fine)
        .collect();
    let text = format_fixed(offset, (-exponent).max(0) as usize);
    let sign = if offset < 0.0 { "" } else { "+" };
    let labels = linear_labels(&differences, step_exponent);
    Some((labels, format!("{sign}{text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(lo: f64, hi: f64) -> (Vec<String>, String) {
        let axis = Axis::from_range(Scale::Linear, "range", (lo, hi)).expect("a range");
        let (ticks, shared) = shared_ticks(&axis, Ticks::new(&axis, 5));
        (
            ticks.major.into_iter().map(|(_, label)| label).collect(),
            shared,
        )
    }

    #[test]
    fn a_power_of_ten_stands_once() {
        let (labels, power) = shared(0.0, 2e6);
        assert_eq!(labels, ["0", "0.5", "1.0", "1.5", "2.0"]);
        assert_eq!(power, "×10⁶");
        assert_eq!(shared(-3e-7, 0.0).1, "×10⁻⁷");
        assert_eq!(shared(0.0, 600.0).1, "");
    }

    #[test]
    fn values_close_to_each_other_are_differences() {
        let (labels, offset) = shared(12_345.61, 12_345.69);
        assert_eq!(offset, "+12345.6");
        assert_eq!(labels, ["0.02", "0.04", "0.06", "0.08"]);
        let (labels, offset) = shared(-100.0004, -100.0);
        assert_eq!(offset, "−100.001");
        assert_eq!(labels.last().map(String::as_str), Some("0.0010"));
        // Years are years.
        assert_eq!(shared(1990.0, 2020.0).1, "");
        assert_eq!(
            shared(1e9, 1e9 + 1e-3).0.len(),
            Ticks::new(
                &Axis::from_range(Scale::Linear, "x", (1e9, 1e9 + 1e-3)).expect("a range"),
                5
            )
            .major
            .len()
        );
    }
}
