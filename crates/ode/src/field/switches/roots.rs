//! Roots of a function of time on a piece where it is smooth.

use super::interval::Enclosure;
use super::search::search;

/// A piece of the time, and the number of places at which a function that is not linear is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub from: f64,
    pub to: f64,
    pub places: usize,
    /// Distance of which nothing is told apart.
    pub width: f64,
}

/// What is sought of a function: its roots, or with `integers` the times at which it is an integer, up to `limit` of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sought {
    pub integers: bool,
    pub limit: usize,
}

/// A function of time.
pub(super) trait GuardFunction {
    /// Returns the value and the size of what it is the difference of, to whose rounding it is exact.
    fn value(&mut self, t: f64) -> (f64, f64);
    /// Returns enclosures of the values and slopes between two times; `None` where the budget for them is spent.
    fn enclose(&mut self, from: f64, to: f64) -> Option<(Enclosure, Enclosure)>;
    /// Whether seven places tell for certain whether it is linear.
    fn is_low_polynomial(&self) -> bool;
}

/// Adds the roots of g in the piece; returns false where there would be more than the limit.
pub(super) fn find_roots(
    g: &mut impl GuardFunction,
    piece: Piece,
    sought: Sought,
    roots: &mut Vec<f64>,
) -> bool {
    if !(g.is_low_polynomial() && is_linear(g, piece)) {
        return search(g, piece, sought, roots);
    }
    let [left, right] = [piece.from, piece.to].map(|t| (t, g.value(t).0));
    let levels = sought.levels(left.1, right.1);
    if levels.len() + roots.len() > sought.limit {
        return false;
    }
    roots.extend(levels.into_iter().map(|level| root(g, level, left, right)));
    true
}

/// Whether g is linear on the piece, to rounding.
fn is_linear(g: &mut impl GuardFunction, piece: Piece) -> bool {
    let ((left, left_size), (right, right_size)) = (g.value(piece.from), g.value(piece.to));
    // Places without a common divisor, at which a periodic function does not look linear.
    [0.137, 0.371, 0.5, 0.719, 0.894].into_iter().all(|s| {
        let (value, size) = g.value(piece.from + s * (piece.to - piece.from));
        let size = size.max(left_size).max(right_size);
        (value - (left + s * (right - left))).abs() <= 16.0 * f64::EPSILON * size
    })
}

impl Sought {
    /// Returns the values between two values of g at which something switches: 0, or the integers.
    pub fn levels(self, left: f64, right: f64) -> Vec<f64> {
        if !(left.is_finite() && right.is_finite()) {
            return vec![];
        }
        if !self.integers {
            let passes = (left > 0.0) != (right > 0.0);
            return if passes { vec![0.0] } else { vec![] };
        }
        let (low, high) = (left.min(right), left.max(right));
        let (first, last) = (low.ceil(), high.floor());
        // One more than the limit is enough to pass it.
        let n = (last - first + 1.0).clamp(0.0, self.limit as f64 + 1.0) as usize;
        let mut all: Vec<f64> = (0..n).map(|i| first + i as f64).collect();
        if left > right {
            all.reverse();
        }
        all
    }
}

/// Returns the time between two places at which g has this level, one where it has it exactly if there is one near.
pub(super) fn root(
    g: &mut impl GuardFunction,
    level: f64,
    left: (f64, f64),
    right: (f64, f64),
) -> f64 {
    let (mut a, mut b) = (left, right);
    // By bisection, after a first guess that is all a linear function needs.
    let guess = a.0 + (b.0 - a.0) * ((level - a.1) / (b.1 - a.1));
    let mut near = guess;
    for _ in 0..8 {
        near = near.next_down();
    }
    for _ in 0..17 {
        if near >= a.0 && near <= b.0 && g.value(near).0 == level {
            return near;
        }
        near = near.next_up();
    }
    let is_left = |value: f64| (value > level) == (left.1 > level);
    for t in [guess.next_down().next_down(), guess.next_up().next_up()] {
        if t > a.0 && t < b.0 {
            let value = g.value(t).0;
            match is_left(value) {
                true => a = (t, value),
                false => b = (t, value),
            }
        }
    }
    loop {
        let middle = 0.5 * (a.0 + b.0);
        if middle <= a.0 || middle >= b.0 {
            return if a.1 == level { a.0 } else { b.0 };
        }
        let value = g.value(middle).0;
        if value == level {
            return middle;
        }
        match is_left(value) {
            true => a = (middle, value),
            false => b = (middle, value),
        }
    }
}
