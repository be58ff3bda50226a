//! Knots of a spline, with a constant-time search for the interval of a time.

use std::sync::Arc;

/// Increasing knots with a table of equal buckets over their span.
///
/// The search has no state between calls, so that threads can share it: the bucket of t is found by one multiplication, and only
/// the knots in that bucket (about one, on most data) are compared.
#[derive(Debug)]
pub(super) struct KnotGrid {
    knots: Arc<[f64]>,
    /// Number of knots in the buckets before each bucket; the length is the number of buckets plus one.
    bucket_starts: Vec<usize>,
    buckets_per_time: f64,
}

impl KnotGrid {
    /// Creates the grid for increasing knots, at least one.
    pub(super) fn new(knots: Arc<[f64]>) -> Self {
        let n = knots.len();
        let span = knots[n - 1] - knots[0];
        let mut grid = Self {
            knots,
            bucket_starts: vec![0; n + 1],
            buckets_per_time: if span > 0.0 { n as f64 / span } else { 0.0 },
        };
        let mut bucket_starts = vec![0; n + 1];
        for k in grid.knots.iter() {
            bucket_starts[grid.bucket(*k) + 1] += 1;
        }
        for b in 0..n {
            bucket_starts[b + 1] += bucket_starts[b];
        }
        grid.bucket_starts = bucket_starts;
        grid
    }

    pub(super) fn knots(&self) -> &Arc<[f64]> {
        &self.knots
    }

    /// Returns the bucket of `t`. It is monotone in `t`, which makes the table exact; times outside the knots and NaN belong to
    /// the buckets at the ends.
    fn bucket(&self, t: f64) -> usize {
        let position = (t - self.knots[0]) * self.buckets_per_time;
        (position as usize).min(self.knots.len() - 1)
    }

    /// Returns the interval that contains `t`, and its origin. Interval 0 lies before the first knot, interval i + 1 begins at
    /// knot i; the origin of an interval is its first knot, that of interval 0 the first knot of all.
    pub(super) fn locate(&self, t: f64) -> (usize, f64) {
        let bucket = self.bucket(t);
        let (from, to) = (self.bucket_starts[bucket], self.bucket_starts[bucket + 1]);
        // A bucket has about one knot. The knots of later buckets lie after t, so that knot `from` may be compared without a
        // branch on whether the bucket has one; that branch would often be mispredicted.
        let passes = |i: usize| self.knots.get(i).is_some_and(|k| *k <= t);
        let mut interval = from + usize::from(passes(from));
        if to - from > 1 && interval > from {
            interval += self.knots[interval..to].partition_point(|k| *k <= t);
        }
        (interval, self.knots[interval.saturating_sub(1)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_linear_search(
            gaps in prop::collection::vec(prop_oneof![1e-9..1e-6f64, 0.1..1.0f64, 10.0..1e4f64], 0..40),
            start in -1e3..1e3f64,
            fraction in -0.2..1.2f64,
        ) {
            let mut knots = vec![start];
            for gap in gaps {
                let next = knots[knots.len() - 1] + gap;
                knots.push(next);
            }
            let grid = KnotGrid::new(knots.clone().into());
            let span = knots[knots.len() - 1] - start;
            for t in knots.iter().copied().chain([start + fraction * span]) {
                let count = knots.iter().filter(|k| **k <= t).count();
                prop_assert_eq!(grid.locate(t), (count, knots[count.saturating_sub(1)]));
            }
        }
    }

    #[test]
    fn odd_times_are_no_panic() {
        let grid = KnotGrid::new(vec![0.0, 1.0, 4.0].into());
        assert_eq!(grid.locate(f64::INFINITY).0, 3);
        assert_eq!(grid.locate(f64::NEG_INFINITY).0, 0);
        grid.locate(f64::NAN);
        assert_eq!(KnotGrid::new(vec![2.0].into()).locate(2.5), (1, 2.0));
    }
}
