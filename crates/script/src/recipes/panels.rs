//! Whether the components of a figure share one axis or have panels of their own.

use odesync_base::text::count_of;

/// Most components on one axis.
const MAX_ON_ONE_AXIS: usize = 6;
/// Most panels of components.
pub(super) const MAX_PANELS: usize = 12;
/// Range of all values over that of a component above which the component would look constant on their axis.
const FLAT: f64 = 100.0;

/// Lowest and highest value of a component; those of one without values are not finite.
#[derive(Debug, Clone, Copy)]
pub(super) struct ValueRange {
    low: f64,
    high: f64,
}

impl ValueRange {
    /// Returns the range of these values; NaN is left out.
    pub(super) fn of<'a>(values: impl IntoIterator<Item = &'a f64>) -> Self {
        let empty = ValueRange {
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
        };
        (values.into_iter()).fold(empty, |ValueRange { low, high }, x| ValueRange {
            low: low.min(*x),
            high: high.max(*x),
        })
    }

    /// Returns highest minus lowest value; infinite for a component without values.
    pub(super) fn width(self) -> f64 {
        match self.high >= self.low {
            true => self.high - self.low,
            false => f64::INFINITY,
        }
    }
}

/// Whether each component gets a panel of its own: there are many, or one of them would look constant beside the others.
pub(super) fn need_panels(components: &[ValueRange]) -> bool {
    let known = || components.iter().filter(|range| range.width().is_finite());
    let low = known().fold(f64::INFINITY, |low, range| low.min(range.low));
    let high = known().fold(f64::NEG_INFINITY, |high, range| high.max(range.high));
    let narrowest = known()
        .map(|range| range.width())
        .filter(|width| *width > 0.0)
        .fold(f64::INFINITY, f64::min);
    components.len() > MAX_ON_ONE_AXIS || components.len() > 1 && high - low > FLAT * narrowest
}

/// Returns what a title says of components that have no panel; empty where all have one.
pub(super) fn omitted(components: usize) -> String {
    match components > MAX_PANELS {
        true => format!(
            "the first {MAX_PANELS} of {}",
            count_of(components, "component")
        ),
        false => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(low: f64, high: f64) -> ValueRange {
        ValueRange::of(&[low, f64::NAN, high])
    }

    #[test]
    fn magnitudes_far_apart_need_panels() {
        assert!(!need_panels(&[range(0.0, 1.0), range(-3.0, 50.0)]));
        assert!(need_panels(&[range(0.0, 1.0), range(0.0, 1000.0)]));
        // As far apart by their offset.
        assert!(need_panels(&[range(0.0, 1.0), range(300.0, 301.0)]));
        assert!(!need_panels(&[range(300.0, 301.0)]));
        assert!(need_panels(&[range(0.0, 1.0); 7]));
        // A component that is constant, or without values, is no reason.
        assert!(!need_panels(&[
            range(0.0, 1.0),
            range(0.5, 0.5),
            ValueRange::of(&[])
        ]));
    }
}
