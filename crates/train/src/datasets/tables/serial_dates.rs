//! Dates as Excel counts them: days since 1900 or 1904.

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};

/// How the cells of a style show their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum NumberStyle {
    /// As a number.
    #[default]
    Number,
    /// As a date or a time of day.
    Moment,
    /// As hours and minutes that go beyond a day.
    Duration,
}

impl NumberStyle {
    /// Returns the style of a format that every workbook has (ECMA-376, part 1, 18.8.30).
    pub fn of_number(id: u32) -> Self {
        match id {
            14..=22 | 27..=36 | 45 | 47 | 50..=58 => NumberStyle::Moment,
            46 => NumberStyle::Duration,
            _ => NumberStyle::Number,
        }
    }

    /// Returns the style of a format such as `yyyy-mm-dd hh:mm`.
    pub fn of_code(code: &str) -> Self {
        let mut letters = code.chars();
        while let Some(c) = letters.next() {
            match c {
                // What follows is text.
                '\\' | '_' | '*' => {
                    letters.next();
                }
                '"' => {
                    letters.by_ref().find(|c| *c == '"');
                }
                '[' => {
                    let inner: String = letters.by_ref().take_while(|c| *c != ']').collect();
                    let inner = inner.to_ascii_lowercase();
                    // A colour, a condition or a currency is none of these.
                    if ["h", "hh", "m", "mm", "s", "ss"].contains(&inner.as_str()) {
                        return NumberStyle::Duration;
                    }
                }
                ';' => break,
                'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => {
                    return NumberStyle::Moment;
                }
                // "General" has no letter of a date before its end, and is a word of its own.
                'G' | 'g' => break,
                _ => {}
            }
        }
        NumberStyle::Number
    }
}

const MILLISECONDS_OF_DAY: f64 = 86_400_000.0;

/// Writes a number of days as the date and time that it stands for, or as a time of day or duration, to the millisecond; `None` for
/// a number that stands for none.
pub(super) fn moment(days: f64, style: NumberStyle, is_1904: bool) -> Option<String> {
    if !(days.is_finite() && (0.0..2_958_466.0).contains(&days)) {
        return None;
    }
    let milliseconds = (days * MILLISECONDS_OF_DAY).round() as i64;
    if style == NumberStyle::Duration || (days < 1.0 && !is_1904) {
        let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        return Some(format!("{hours:02}:{minutes:02}:{seconds:02}.{rest:03}"));
    }
    // Excel has a 29th of February in 1900, so that what comes before has another origin.
    let origin = match (is_1904, days < 60.0) {
        (true, _) => date(1904, 1, 1),
        (false, true) => date(1899, 12, 31),
        (false, false) => date(1899, 12, 30),
    };
    let origin: DateTime = origin.at(0, 0, 0, 0);
    let moment = origin.checked_add(SignedDuration::from_millis(milliseconds));
    moment.ok().map(|moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_those_of_excel() {
        for (code, style) in [
            ("General", NumberStyle::Number),
            ("0.00", NumberStyle::Number),
            ("#,##0.00\\ \"days\"", NumberStyle::Number),
            ("[Red]0.0", NumberStyle::Number),
            ("0.00E+00", NumberStyle::Number),
            ("0.0;[Red]-0.0\\d", NumberStyle::Number),
            ("yyyy-mm-dd", NumberStyle::Moment),
            ("DD.MM.YYYY hh:mm:ss", NumberStyle::Moment),
            ("[$-407]d/\\ mmm", NumberStyle::Moment),
            ("[h]:mm:ss", NumberStyle::Duration),
        ] {
            assert_eq!(NumberStyle::of_code(code), style, "{code}");
        }
        assert_eq!(NumberStyle::of_number(22), NumberStyle::Moment);
        assert_eq!(NumberStyle::of_number(2), NumberStyle::Number);
    }

    /// The numbers are those that Excel shows for these dates.
    #[test]
    fn moments_are_those_of_excel() {
        let of = |days, is_1904| moment(days, NumberStyle::Moment, is_1904);
        for (days, is_1904, text) in [
            (45943.5, false, "2025-10-13T12:00:00"),
            (61.0, false, "1900-03-01T00:00:00"),
            (59.0, false, "1900-02-28T00:00:00"),
            (0.5, false, "12:00:00.000"),
            (43831.0 - 1462.0, true, "2020-01-01T00:00:00"),
            (45943.0 + 0.1 / 86400.0, false, "2025-10-13T00:00:00.1"),
        ] {
            assert_eq!(of(days, is_1904).as_deref(), Some(text));
        }
        assert_eq!(
            moment(1.5, NumberStyle::Duration, false).as_deref(),
            Some("36:00:00.000")
        );
        assert_eq!(of(f64::NAN, false), None);
        assert_eq!(of(-1.0, false), None);
    }
}
