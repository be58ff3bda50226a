//! The display of values and variables.

use std::time::Duration;

use crate::script::VariableInfo;

/// Formats variables as a table.
pub(super) fn table(variables: &[VariableInfo]) -> String {
    if variables.is_empty() {
        return "no variables yet\n".into();
    }
    let width = |of: fn(&VariableInfo) -> &str| {
        let widths = variables.iter().map(|v| of(v).chars().count());
        widths.max().unwrap_or(0)
    };
    let (name, kind, shape) = (width(|v| &v.name), width(|v| &v.kind), width(|v| &v.shape));
    let row = |v: &VariableInfo| {
        let line = format!(
            "{:name$}  {:kind$}  {:shape$}  {}",
            v.name, v.kind, v.shape, v.short
        );
        line.trim_end().to_string() + "\n"
    };
    variables.iter().map(row).collect()
}

/// Formats a duration with three digits and a suitable unit.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s < 1e-3 => format!("{:.0} µs", 1e6 * s),
        s if s < 1.0 => format!("{:.1} ms", 1e3 * s),
        s if s < 120.0 => format!("{s:.2} s"),
        s => format!("{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        for (seconds, text) in [
            (25e-6, "25 µs"),
            (0.0123, "12.3 ms"),
            (2.5, "2.50 s"),
            (125.0, "2 min 5 s"),
        ] {
            assert_eq!(duration(Duration::from_secs_f64(seconds)), text);
        }
    }

    #[test]
    fn columns_stand_below_each_other() {
        let v = |name: &str, kind: &str, shape: &str| VariableInfo {
            name: name.into(),
            kind: kind.into(),
            shape: shape.into(),
            short: "1".into(),
        };
        assert_eq!(
            table(&[v("a", "int", ""), v("long", "Array", "[3]")]),
            "a     int         1\nlong  Array  [3]  1\n"
        );
    }
}
