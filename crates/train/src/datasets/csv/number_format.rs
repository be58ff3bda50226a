//! How a table writes its numbers: the decimal mark and the thousands separators.

/// Blanks and apostrophes that separate thousands, whatever the decimal mark is.
const GROUP_MARKS: [char; 6] = [' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '’'];

/// How a table writes its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NumberFormat {
    /// Decimal mark, a point or a comma.
    pub decimal: char,
    /// Thousands separator besides blanks and apostrophes.
    pub thousands: char,
    /// Whether some numbers have thousands separators.
    pub is_grouped: bool,
}

/// What the numbers of a table say of their decimal mark.
#[derive(Debug, Default)]
struct Evidence {
    /// Numbers with a decimal comma.
    comma: usize,
    /// Numbers with a decimal point.
    point: usize,
    /// Numbers in which a comma is before three digits, so that it may separate thousands.
    comma_group: usize,
    /// The same of points.
    point_group: usize,
    /// Numbers with blanks or apostrophes between thousands.
    other_group: usize,
}

impl Evidence {
    fn add(&mut self, cell: &str) {
        let body = cell.trim_start_matches(['+', '-']);
        let body = body.split(['e', 'E']).next().unwrap_or_default();
        let is_mark = |c: char| c == '.' || c == ',' || GROUP_MARKS.contains(&c);
        if !body.contains(|c: char| c.is_ascii_digit())
            || !body.chars().all(|c| c.is_ascii_digit() || is_mark(c))
        {
            return;
        }
        let last = body.rfind(['.', ',']).map(|at| &body[at..=at]);
        let (commas, points) = (body.matches(',').count(), body.matches('.').count());
        match (commas, points, last) {
            (1, 1.., Some(",")) => self.comma += 1,
            (1.., 1, Some(".")) => self.point += 1,
            (1.., 0, _) if ungroup(body, ',').is_some() => {
                self.comma_group += 1;
                // Two commas are no decimal marks.
                self.point += usize::from(commas > 1);
            }
            (0, 1.., _) if ungroup(body, '.').is_some() => {
                self.point_group += 1;
                self.comma += usize::from(points > 1);
            }
            (1, 0, _) => self.comma += 1,
            (0, 1, _) => self.point += 1,
            (0, 0, _) if body.contains(GROUP_MARKS) => self.other_group += 1,
            _ => {}
        }
    }
}

impl NumberFormat {
    /// The format with a decimal point.
    pub const POINT: NumberFormat = NumberFormat {
        decimal: '.',
        thousands: ',',
        is_grouped: false,
    };

    /// Returns the format of these cells, as far as it is not given. A comma before three digits is a decimal mark where semicolons
    /// separate the columns, else it separates thousands, if all commas are like that.
    pub fn detect<'a>(
        cells: impl Iterator<Item = &'a str>,
        has_semicolons: bool,
        decimal: Option<char>,
        thousands: Option<char>,
    ) -> Self {
        let mut evidence = Evidence::default();
        cells.for_each(|cell| evidence.add(cell));
        let other = |mark: char| if mark == ',' { '.' } else { ',' };
        let of_thousands = thousands.filter(|mark| [',', '.'].contains(mark));
        let decimal = decimal.or(of_thousands.map(other)).unwrap_or_else(|| {
            let only_groups = evidence.comma + evidence.point + evidence.point_group == 0;
            let is_comma = match only_groups {
                true => evidence.comma_group > 0 && has_semicolons,
                false => evidence.comma > 0 && evidence.point == 0,
            };
            if is_comma { ',' } else { '.' }
        });
        let groups = match decimal {
            ',' => evidence.point_group,
            _ => evidence.comma_group,
        };
        NumberFormat {
            decimal,
            thousands: thousands.unwrap_or(other(decimal)),
            is_grouped: groups + evidence.other_group > 0,
        }
    }

    /// Parses a number; `None` for any other text.
    pub fn parse(&self, cell: &str) -> Option<f64> {
        if (self.decimal == '.' || !cell.contains('.'))
            && let Ok(value) = cell.parse()
        {
            return Some(value);
        }
        let body = cell.trim_start_matches(['+', '-']);
        let sign = &cell[..cell.len() - body.len()];
        if sign.len() > 1 {
            return None;
        }
        let end = body.find([self.decimal, 'e', 'E']).unwrap_or(body.len());
        let (whole, rest) = body.split_at(end);
        let is_plain = whole.bytes().all(|b| b.is_ascii_digit());
        let whole = match is_plain {
            true => whole.to_string(),
            false => self.ungroup(whole)?,
        };
        let rest = match rest.strip_prefix(self.decimal) {
            Some(digits) => format!(".{digits}"),
            None => rest.to_string(),
        };
        format!("{sign}{whole}{rest}").parse().ok()
    }

    fn ungroup(&self, whole: &str) -> Option<String> {
        let marks = GROUP_MARKS.into_iter().chain([self.thousands]);
        marks.into_iter().find_map(|mark| ungroup(whole, mark))
    }
}

/// Returns the digits of a whole number in groups of three; `None` where it is something else.
fn ungroup(whole: &str, mark: char) -> Option<String> {
    let mut groups = whole.split(mark);
    let first = groups.next()?;
    let is_number = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let mut digits = first.to_string();
    let begins = (1..=3).contains(&first.len()) && is_number(first) && !first.starts_with('0');
    let mut count = 0;
    for group in groups {
        if group.len() != 3 || !is_number(group) {
            return None;
        }
        digits.push_str(group);
        count += 1;
    }
    (begins && count > 0).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cells: &[&str], has_semicolons: bool) -> NumberFormat {
        NumberFormat::detect(cells.iter().copied(), has_semicolons, None, None)
    }

    #[test]
    fn the_decimal_mark_is_that_of_all_numbers() {
        for (cells, semicolons, decimal) in [
            (&["1.5", "2"][..], true, '.'),
            (&["1,5", "2"], false, ','),
            (&["1.234,5"], true, ','),
            (&["1,234.5"], true, '.'),
            (&["1,234", "0,5"], false, ','),
            (&["1,234", "0.5"], true, '.'),
            (&["1,234", "999"], true, ','),
            (&["1,234", "999"], false, '.'),
            (&["1.234", "999"], true, '.'),
            (&["1.234.567"], true, ','),
            (&["1,234,567"], true, '.'),
            (&["2024-01-01", "01.02.2024", "x"], true, '.'),
        ] {
            assert_eq!(of(cells, semicolons).decimal, decimal, "{cells:?}");
        }
        let given = NumberFormat::detect(["1,234"].into_iter(), true, None, Some(','));
        assert_eq!((given.decimal, given.thousands), ('.', ','));
    }

    #[test]
    fn numbers_are_read_in_their_format() {
        let comma = of(&["0,5"], true);
        let point = NumberFormat::POINT;
        for (format, cell, value) in [
            (point, "1,234.5", Some(1234.5)),
            (point, "-1,234,567", Some(-1_234_567.0)),
            (point, "1 234.5", Some(1234.5)),
            (point, "1'234", Some(1234.0)),
            (point, "1,5", None),
            (point, "1,2345", None),
            (point, "12 34", None),
            (point, "1.5e-3", Some(1.5e-3)),
            (point, "--1", None),
            (comma, "1,5", Some(1.5)),
            (comma, "-1.234,5e2", Some(-123_450.0)),
            (comma, "1.234", Some(1234.0)),
            (comma, "1\u{a0}234,5", Some(1234.5)),
            (comma, ",5", Some(0.5)),
            (comma, "1.5", None),
            (comma, "1e5", Some(1e5)),
            (comma, "1,2,3", None),
        ] {
            assert_eq!(format.parse(cell), value, "{cell}");
        }
    }
}
