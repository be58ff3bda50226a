//! Axes of dates: which date a value is, and the dates at which ticks stand.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};

use odesync_base::impl_named;
use odesync_base::options::{Mismatch, OptionKind, Value};

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days of 24 hours.
    Days,
    /// Weeks.
    Weeks,
    /// Years of 365.25 days.
    Years,
}

impl_named!(
    TimeUnit,
    "unit of time",
    Seconds = "s",
    Minutes = "min",
    Hours = "h",
    Days = "days",
    Weeks = "weeks",
    Years = "years",
);

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;
const MONTH: f64 = 30.44 * DAY;
const YEAR: f64 = 365.25 * DAY;

impl TimeUnit {
    fn seconds(self) -> f64 {
        match self {
            TimeUnit::Seconds => 1.0,
            TimeUnit::Minutes => MINUTE,
            TimeUnit::Hours => HOUR,
            TimeUnit::Days => DAY,
            TimeUnit::Weeks => 7.0 * DAY,
            TimeUnit::Years => YEAR,
        }
    }
}

/// A date, with a time of day or without.
#[derive(Debug, Clone, Copy)]
pub(super) struct DateOption;

impl OptionKind for DateOption {
    type Field = DateTime;
    const EXPECTED: &'static str = "a date like \"2024-12-31\" or \"2024-12-31 12:00\"";

    fn read(value: &Value) -> std::result::Result<DateTime, Mismatch> {
        let text = value.text().ok_or(Mismatch::Value)?;
        parse(text).ok_or(Mismatch::Value)
    }

    fn write(field: &DateTime) -> Value {
        Value::Text(field.to_string())
    }
}

/// Returns the date and time of a text.
pub(super) fn parse(text: &str) -> Option<DateTime> {
    let date = || text.trim().parse::<Date>().ok();
    let moment = text.trim().parse::<DateTime>().ok();
    moment.or_else(|| date().map(|date| date.to_datetime(Time::midnight())))
}

/// The dates of an axis: the one of 0, and the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct DateScale {
    pub origin: DateTime,
    pub unit: TimeUnit,
}

/// A distance of ticks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// So many seconds, which divide a day.
    Seconds(i64),
    Days(i32),
    Months(i32),
    Years(i32),
}

const STEPS: [Step; 34] = [
    Step::Seconds(1),
    Step::Seconds(2),
    Step::Seconds(5),
    Step::Seconds(10),
    Step::Seconds(15),
    Step::Seconds(30),
    Step::Seconds(60),
    Step::Seconds(120),
    Step::Seconds(300),
    Step::Seconds(600),
    Step::Seconds(900),
    Step::Seconds(1800),
    Step::Seconds(3600),
    Step::Seconds(7200),
    Step::Seconds(10_800),
    Step::Seconds(21_600),
    Step::Seconds(43_200),
    Step::Days(1),
    Step::Days(2),
    Step::Days(7),
    Step::Days(14),
    Step::Months(1),
    Step::Months(2),
    Step::Months(3),
    Step::Months(6),
    Step::Years(1),
    Step::Years(2),
    Step::Years(5),
    Step::Years(10),
    Step::Years(20),
    Step::Years(50),
    Step::Years(100),
    Step::Years(200),
    Step::Years(500),
];

impl Step {
    /// Returns the mean distance in seconds.
    fn seconds(self) -> f64 {
        match self {
            Step::Seconds(n) => n as f64,
            Step::Days(n) => f64::from(n) * DAY,
            Step::Months(n) => f64::from(n) * MONTH,
            Step::Years(n) => f64::from(n) * YEAR,
        }
    }

    /// Returns the last tick that is not after a moment.
    fn before(self, at: DateTime) -> Option<DateTime> {
        let midnight = |date: Date| date.to_datetime(Time::midnight());
        match self {
            Step::Seconds(n) => {
                let day = midnight(at.date());
                let since = at.duration_since(day).as_secs();
                day.checked_add(SignedDuration::from_secs(since - since % n))
                    .ok()
            }
            Step::Days(n) => {
                // Of weeks the Mondays: the first of them since 1970 was its fifth day.
                let first = if n % 7 == 0 {
                    Date::constant(1970, 1, 5)
                } else {
                    Date::constant(1970, 1, 1)
                };
                let since = at.date().duration_since(first).as_hours() / 24;
                let days = since.rem_euclid(i64::from(n));
                let date = at.date().checked_sub(SignedDuration::from_hours(24 * days));
                date.ok().map(midnight)
            }
            Step::Months(n) => {
                let months = i32::from(at.year()) * 12 + i32::from(at.month()) - 1;
                month(months - months.rem_euclid(n)).map(midnight)
            }
            Step::Years(n) => {
                let year = i32::from(at.year());
                month(12 * (year - year.rem_euclid(n))).map(midnight)
            }
        }
    }

    /// Returns the next tick after one.
    fn after(self, at: DateTime) -> Option<DateTime> {
        let later = |seconds: i64| at.checked_add(SignedDuration::from_secs(seconds)).ok();
        match self {
            Step::Seconds(n) => later(n),
            Step::Days(n) => later(i64::from(n) * 86_400),
            Step::Months(n) => {
                let months = i32::from(at.year()) * 12 + i32::from(at.month()) - 1;
                month(months + n).map(|date| date.to_datetime(Time::midnight()))
            }
            Step::Years(n) => month(12 * (i32::from(at.year()) + n))
                .map(|date| date.to_datetime(Time::midnight())),
        }
    }

    /// Returns the label of a tick; the first says what the others leave out.
    fn label(self, at: DateTime, is_first: bool) -> String {
        let format = match self {
            Step::Years(_) => "%Y",
            Step::Months(_) if is_first && at.month() != 1 => "%b %Y",
            Step::Months(_) if at.month() == 1 => "%Y",
            Step::Months(_) => "%b",
            Step::Days(_) if is_first => "%-d %b %Y",
            Step::Days(_) => "%-d %b",
            Step::Seconds(_) if is_first => match at.time() == Time::midnight() {
                true => "%-d %b %Y",
                false => "%-d %b %Y, %H:%M",
            },
            Step::Seconds(_) if at.time() == Time::midnight() => "%-d %b",
            Step::Seconds(n) if n % 60 == 0 => "%H:%M",
            Step::Seconds(_) => "%H:%M:%S",
        };
        at.strftime(format).to_string()
    }
}

/// Returns the first day of a month, counted from January of the year 0.
fn month(months: i32) -> Option<Date> {
    let year = i16::try_from(months.div_euclid(12)).ok()?;
    Date::new(year, months.rem_euclid(12) as i8 + 1, 1).ok()
}

impl DateScale {
    fn moment(&self, value: f64) -> Option<DateTime> {
        let since = SignedDuration::try_from_secs_f64(value * self.unit.seconds()).ok()?;
        self.origin.checked_add(since).ok()
    }

    fn value(&self, moment: DateTime) -> f64 {
        moment.duration_since(self.origin).as_secs_f64() / self.unit.seconds()
    }

    /// Returns at most `most` ticks from `lo` to `hi`, with their labels; `None` beyond the years of the calendar, and where less
    /// than two seconds are between the ends.
    pub fn ticks(&self, lo: f64, hi: f64, most: usize) -> Option<Vec<(f64, String)>> {
        let (from, to) = (self.moment(lo)?, self.moment(hi)?);
        let span = (hi - lo) * self.unit.seconds();
        if span < 2.0 {
            return None;
        }
        let step = STEPS
            .into_iter()
            .find(|step| span / step.seconds() <= most as f64)
            .unwrap_or(Step::Years(1000));
        let mut at = step.before(from)?;
        let mut ticks: Vec<(f64, String)> = Vec::new();
        while at <= to && ticks.len() < 200 {
            if at >= from {
                ticks.push((self.value(at), step.label(at, ticks.is_empty())));
            }
            at = step.after(at)?;
        }
        Some(ticks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(origin: &str, unit: TimeUnit, lo: f64, hi: f64, most: usize) -> Vec<String> {
        let scale = DateScale {
            origin: parse(origin).expect("a date"),
            unit,
        };
        let ticks = scale.ticks(lo, hi, most).expect("dates");
        assert!(
            ticks.iter().all(|(v, _)| (lo..=hi).contains(v)),
            "{ticks:?}"
        );
        ticks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_stand_at_whole_units_of_the_calendar() {
        assert_eq!(
            labels("2020-01-31", TimeUnit::Days, 0.0, 100.0, 5),
            ["Feb 2020", "Mar", "Apr", "May"]
        );
        assert_eq!(
            labels("2019-12-01", TimeUnit::Days, 0.0, 150.0, 3),
            ["2020", "Mar"],
        );
        assert_eq!(
            labels("2020-02-27", TimeUnit::Days, 0.0, 4.0, 6),
            ["27 Feb 2020", "28 Feb", "29 Feb", "1 Mar", "2 Mar"]
        );
        assert_eq!(
            labels("2020-03-01 22:30", TimeUnit::Seconds, 0.0, 3.0 * 3600.0, 4),
            ["1 Mar 2020, 23:00", "2 Mar", "01:00"]
        );
        assert_eq!(
            labels("1900-01-01", TimeUnit::Years, 0.0, 20.0, 4),
            ["1900", "1905", "1910", "1915", "1920"]
        );
        // Weeks begin on Mondays: 1 January 2024 was one.
        assert_eq!(
            labels("2024-01-01", TimeUnit::Days, 0.0, 21.0, 4),
            ["1 Jan 2024", "8 Jan", "15 Jan", "22 Jan"]
        );
    }

    #[test]
    fn a_leap_day_moves_the_ticks_of_years() {
        let scale = DateScale {
            origin: parse("2020-01-01").expect("a date"),
            unit: TimeUnit::Days,
        };
        let ticks = scale.ticks(0.0, 1000.0, 4).expect("dates");
        let days: Vec<f64> = ticks.into_iter().map(|(value, _)| value).collect();
        assert_eq!(days, [0.0, 366.0, 731.0]);
    }

    #[test]
    fn what_the_calendar_does_not_have_has_no_dates() {
        let scale = DateScale {
            origin: parse("2020-01-01").expect("a date"),
            unit: TimeUnit::Years,
        };
        assert!(scale.ticks(0.0, 1e6, 5).is_none());
        assert!(scale.ticks(f64::NAN, 1.0, 5).is_none());
        assert!(scale.ticks(0.0, 1e-9, 5).is_none());
        assert!(parse("yesterday").is_none());
    }
}
