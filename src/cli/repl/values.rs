//! The display of values and variables.

use std::time::Duration;

use crate::script::VariableInfo;

/// Largest number of lines of a value that are shown; `print` shows all of it.
const MAX_LINES: usize = 100;
/// Largest number of characters of a value that are shown; `print` shows all of it.
const MAX_CHARACTERS: usize = 8_000;

/// Truncates a long text and adds a line that says how much is omitted.
pub(super) fn truncate(text: &str) -> String {
    let mut end = text
        .char_indices()
        .nth(MAX_CHARACTERS)
        .map_or(text.len(), |(end, _)| end);
    if let Some((line_end, _)) = text.match_indices('\n').nth(MAX_LINES - 1) {
        end = end.min(line_end);
    }
    if end == text.len() {
        return text.to_string();
    }
    let lines = text[end..].matches('\n').count();
    let rest = match lines {
        0 => format!("{} characters", text[end..].chars().count()),
        n => format!("{n} lines"),
    };
    format!("{}…\n… {rest} more: print(ans) shows all", &text[..end])
}

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
    fn long_values_are_cut() {
        assert_eq!(truncate("a\nb"), "a\nb");
        let lines = vec!["x"; 150].join("\n");
        let short = truncate(&lines);
        assert_eq!(short.lines().count(), MAX_LINES + 1);
        assert!(
            short.ends_with("… 50 lines more: print(ans) shows all"),
            "{short}"
        );
        assert!(truncate(&"λ".repeat(9_000)).contains("1000 characters more"));
    }

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
