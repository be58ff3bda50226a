//! The values of a Parquet column as cells.

use jiff::{SignedDuration, Timestamp};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::data_type::Int96;
use parquet::schema::types::ColumnDescriptor;

use crate::datasets::csv::GridCell;

/// What the integers of a column stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IntegerMeaning {
    Number,
    /// Numbers without a sign, of so many bits.
    Unsigned(u32),
    /// Numbers with so many decimals.
    Decimal(u32),
    /// Days since 1970.
    Date,
    /// Nanoseconds that one unit stands for: time of day.
    Clock(i64),
    /// The same since 1970, with or without a zone.
    Moment {
        nanoseconds: i64,
        is_zoned: bool,
    },
}

fn nanoseconds_of(unit: &TimeUnit) -> i64 {
    match unit {
        TimeUnit::MILLIS => 1_000_000,
        TimeUnit::MICROS => 1_000,
        TimeUnit::NANOS => 1,
    }
}

impl IntegerMeaning {
    /// Returns what the integers of a column stand for.
    pub fn of_column(column: &ColumnDescriptor) -> Self {
        let decimals = |scale: i32| IntegerMeaning::Decimal(u32::try_from(scale).unwrap_or(0));
        match column.logical_type_ref() {
            Some(LogicalType::Decimal(decimal)) => return decimals(decimal.scale),
            Some(LogicalType::Date) => return IntegerMeaning::Date,
            Some(LogicalType::Time(time)) => {
                return IntegerMeaning::Clock(nanoseconds_of(&time.unit));
            }
            Some(LogicalType::Timestamp(time)) => {
                return IntegerMeaning::Moment {
                    nanoseconds: nanoseconds_of(&time.unit),
                    is_zoned: time.is_adjusted_to_u_t_c,
                };
            }
            Some(LogicalType::Integer(integer)) if !integer.is_signed => {
                return IntegerMeaning::Unsigned(u32::try_from(integer.bit_width).unwrap_or(64));
            }
            _ => {}
        }
        let moment = |nanoseconds| IntegerMeaning::Moment {
            nanoseconds,
            is_zoned: true,
        };
        match column.converted_type() {
            ConvertedType::DECIMAL => decimals(column.type_scale()),
            ConvertedType::DATE => IntegerMeaning::Date,
            ConvertedType::TIME_MILLIS => IntegerMeaning::Clock(1_000_000),
            ConvertedType::TIME_MICROS => IntegerMeaning::Clock(1_000),
            ConvertedType::TIMESTAMP_MILLIS => moment(1_000_000),
            ConvertedType::TIMESTAMP_MICROS => moment(1_000),
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 => {
                IntegerMeaning::Unsigned(32)
            }
            ConvertedType::UINT_64 => IntegerMeaning::Unsigned(64),
            _ => IntegerMeaning::Number,
        }
    }

    /// Returns the cell of a value; `None` for a moment that no calendar has.
    pub fn cell(self, value: i64) -> Option<GridCell> {
        match self {
            IntegerMeaning::Number => Some(GridCell::of_integer(i128::from(value))),
            IntegerMeaning::Unsigned(64) => Some(GridCell::of_integer(i128::from(value as u64))),
            IntegerMeaning::Unsigned(_) => Some(GridCell::of_integer(i128::from(value as u32))),
            IntegerMeaning::Decimal(decimals) => {
                Some(decimal(i128::from(value), decimals as usize))
            }
            IntegerMeaning::Date => {
                let moment = Timestamp::from_second(value.checked_mul(86_400)?).ok()?;
                Some(GridCell::Text(moment.strftime("%Y-%m-%d").to_string()))
            }
            IntegerMeaning::Clock(unit) => {
                let nanoseconds = value.checked_mul(unit).filter(|n| *n >= 0)?;
                let (seconds, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
                let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
                let text = format!("{hours:02}:{minutes:02}:{:02}.{rest:09}", seconds % 60);
                Some(GridCell::Text(text))
            }
            IntegerMeaning::Moment {
                nanoseconds,
                is_zoned,
            } => moment(
                i128::from(value).checked_mul(i128::from(nanoseconds))?,
                is_zoned,
            ),
        }
    }
}

fn moment(nanoseconds: i128, is_zoned: bool) -> Option<GridCell> {
    let moment = Timestamp::from_nanosecond(nanoseconds).ok()?.to_string();
    Some(GridCell::Text(match is_zoned {
        true => moment,
        false => moment.trim_end_matches('Z').to_string(),
    }))
}

/// Returns the cell of a date and time in the form that Spark and Impala wrote: days of the Julian calendar, nanoseconds within them.
pub(super) fn of_int96(value: &Int96) -> Option<GridCell> {
    const EPOCH: i64 = 2_440_588;
    let [low, high, day] = value.data() else {
        return None;
    };
    let nanoseconds = i128::from(u64::from(*high) << 32 | u64::from(*low));
    let days = SignedDuration::from_hours(24 * (i64::from(*day) - EPOCH));
    moment(days.as_nanos() + nanoseconds, false)
}

/// Returns a number with so many decimals.
pub(super) fn decimal(value: i128, decimals: usize) -> GridCell {
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = decimals + 1);
    let sign = if value < 0 { "-" } else { "" };
    let (whole, rest) = digits.split_at(digits.len() - decimals);
    match format!("{sign}{whole}.{rest}").parse() {
        Ok(number) => GridCell::Number(number),
        Err(_) => GridCell::Missing,
    }
}

/// Returns a whole number of up to 16 bytes, the most significant first; `None` for more.
pub(super) fn of_big_endian(bytes: &[u8]) -> Option<i128> {
    let negative = bytes.first().is_some_and(|b| *b >= 0x80);
    let mut all = [if negative { 0xff } else { 0 }; 16];
    all.get_mut(16_usize.checked_sub(bytes.len())?..)?
        .copy_from_slice(bytes);
    Some(i128::from_be_bytes(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_for_what_the_column_says() {
        let text = |cell: Option<GridCell>| match cell {
            Some(GridCell::Text(text)) => text,
            other => panic!("no text: {other:?}"),
        };
        assert_eq!(text(IntegerMeaning::Date.cell(19_723)), "2024-01-01");
        assert_eq!(
            text(IntegerMeaning::Clock(1_000_000).cell(45_296_500)),
            "12:34:56.500000000"
        );
        let moment = |is_zoned| IntegerMeaning::Moment {
            nanoseconds: 1_000,
            is_zoned,
        };
        assert_eq!(
            text(moment(true).cell(1_704_067_200_500_000)),
            "2024-01-01T00:00:00.5Z"
        );
        assert_eq!(text(moment(false).cell(0)), "1970-01-01T00:00:00");
        assert_eq!(moment(true).cell(i64::MAX), None);
        assert_eq!(decimal(-105, 2), GridCell::Number(-1.05));
        assert_eq!(decimal(7, 3), GridCell::Number(0.007));
        assert_eq!(of_big_endian(&[0xff, 0x97]), Some(-105));
        assert_eq!(
            IntegerMeaning::Unsigned(32).cell(-1),
            Some(GridCell::Number(4_294_967_295.0))
        );
        assert_eq!(
            text(IntegerMeaning::Unsigned(64).cell(-1)),
            u64::MAX.to_string()
        );
        let mut int96 = Int96::new();
        int96.set_data(500_000_000, 0, 2_460_311);
        assert_eq!(text(of_int96(&int96)), "2024-01-01T00:00:00.5");
    }
}
