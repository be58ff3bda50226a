//! Times that a table writes as dates or times of day.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// A moment as a table writes it, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instant {
    /// A date and time with its zone, since 1970 in UTC.
    Zoned(i128),
    /// A date, or a date and time, without a zone.
    Local(i128),
    /// Hours, minutes and seconds.
    Clock(i128),
}

/// Forms of dates and times besides ISO 8601: German, and those of MATLAB.
const FORMS: [&str; 4] = [
    "%d.%m.%Y %H:%M:%S%.f",
    "%d.%m.%Y %H:%M",
    "%d-%b-%Y %H:%M:%S%.f",
    "%d-%b-%Y %H:%M",
];

/// The same without a time of day.
const DATES: [&str; 2] = ["%d.%m.%Y", "%d-%b-%Y"];

const NANOSECONDS: f64 = 1e9;

impl Instant {
    /// Parses a date with or without time and zone (ISO 8601, or `31.12.2024`, `31-Dec-2024`), or a time of day such as `12:30:05`.
    pub fn parse(cell: &str) -> Option<Self> {
        if !cell.starts_with(|c: char| c.is_ascii_digit()) || !cell.contains(['-', ':', '.', '/']) {
            return None;
        }
        if let Ok(zoned) = cell.parse::<Timestamp>() {
            return Some(Instant::Zoned(zoned.as_nanosecond()));
        }
        if let Ok(zoned) = cell.parse::<Zoned>() {
            return Some(Instant::Zoned(zoned.timestamp().as_nanosecond()));
        }
        if let Some(nanoseconds) = clock(cell) {
            return Some(Instant::Clock(nanoseconds));
        }
        let local = local(cell).or_else(|| local(&cell.replace('/', "-")))?;
        let zoned = local.to_zoned(TimeZone::UTC).ok()?;
        Some(Instant::Local(zoned.timestamp().as_nanosecond()))
    }

    fn nanoseconds(self) -> i128 {
        let (Instant::Zoned(n) | Instant::Local(n) | Instant::Clock(n)) = self;
        n
    }

    /// Returns the seconds from another moment to this one; `None` where one of them has a zone and the other none.
    pub fn seconds_since(self, other: Instant) -> Option<f64> {
        let same = std::mem::discriminant(&self) == std::mem::discriminant(&other);
        same.then(|| (self.nanoseconds() - other.nanoseconds()) as f64 / NANOSECONDS)
    }
}

fn local(cell: &str) -> Option<DateTime> {
    // A week or a year alone is no date here.
    if let Ok(local) = cell.parse::<DateTime>() {
        return Some(local);
    }
    let with_time = FORMS
        .iter()
        .find_map(|form| DateTime::strptime(form, cell).ok());
    let date = || {
        DATES
            .iter()
            .find_map(|form| Date::strptime(form, cell).ok())
    };
    with_time.or_else(|| date().map(|date| date.to_datetime(jiff::civil::Time::midnight())))
}

/// Parses hours, minutes and perhaps seconds; the hours may go beyond a day.
fn clock(cell: &str) -> Option<i128> {
    let mut parts = cell.split(':');
    let whole = |part: Option<&str>, below: u32| {
        let part = part.filter(|p| p.len() <= 6 && p.bytes().all(|b| b.is_ascii_digit()))?;
        part.parse::<u32>().ok().filter(|n| *n < below)
    };
    let hours = whole(parts.next(), u32::MAX)?;
    let minutes = whole(parts.next(), 60)?;
    let seconds = match parts.next() {
        None => 0.0,
        Some(text) => {
            let text = text.replace(',', ".");
            let plain = text.starts_with(|c: char| c.is_ascii_digit());
            let seconds = text.parse::<f64>().ok();
            seconds.filter(|s| plain && (0.0..60.0).contains(s))?
        }
    };
    let minutes = i128::from(hours) * 60 + i128::from(minutes);
    let rest = (seconds * NANOSECONDS).round() as i128;
    parts
        .next()
        .is_none()
        .then_some(minutes * 60_000_000_000 + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(from: &str, to: &str) -> Option<f64> {
        Instant::parse(to)?.seconds_since(Instant::parse(from)?)
    }

    #[test]
    fn seconds_between_moments() {
        for (from, to, want) in [
            ("2024-02-28", "2024-03-01", 2.0 * 86400.0),
            ("2024-01-01 12:00:00", "2024-01-01 12:00:00.25", 0.25),
            ("2024-01-01T12:00", "2024-01-01T12:01", 60.0),
            ("2024-01-01T12:00:00Z", "2024-01-01T12:00:00+01:00", -3600.0),
            (
                "2024-01-01 12:00:00+02:00",
                "2024-01-01 12:00:01+02:00",
                1.0,
            ),
            ("31.12.2023", "01.01.2024", 86400.0),
            ("01.02.2024 08:00", "01.02.2024 08:00:30", 30.0),
            ("01-Jan-2024 12:00:00", "01-Jan-2024 12:00:01", 1.0),
            ("2024/01/31", "2024/02/01", 86400.0),
            ("9:59", "10:00:00.5", 60.5),
            ("23:00:00", "25:00:00", 7200.0),
        ] {
            assert_eq!(seconds(from, to), Some(want), "{from} {to}");
        }
        assert_eq!(seconds("2024-01-01", "2024-01-01T00:00:00Z"), None);
    }

    #[test]
    fn what_is_no_moment() {
        for cell in [
            "",
            "1",
            "1.5",
            "-1.5",
            "1e-3",
            "2024",
            "2024-13-01",
            "12:60",
            "1:2:3:4",
            "a-b",
            "1/2/2024",
            "now",
            "1.234.567",
        ] {
            assert_eq!(Instant::parse(cell), None, "{cell}");
        }
    }
}
