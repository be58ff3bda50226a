//! Roots of a function of time on a piece where it is smooth.

/// A piece of the time, and the number of places at which a function that is not linear is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub from: f64,
    pub to: f64,
    pub places: usize,
}

/// Adds the roots of g in the piece, or with `integers` the times at which it is an integer; returns false where there would be more
/// than `limit`. `g` returns the value and the size of what it is the difference of, to whose rounding it is exact.
pub(super) fn find_roots(
    g: &mut impl FnMut(f64) -> (f64, f64),
    piece: Piece,
    integers: bool,
    limit: usize,
    roots: &mut Vec<f64>,
) -> bool {
    let places = if is_linear(g, piece) { 1 } else { piece.places };
    let at = |i: usize| piece.from + (piece.to - piece.from) * i as f64 / places as f64;
    let mut left = (piece.from, g(piece.from).0);
    for i in 1..=places {
        let t = if i == places { piece.to } else { at(i) };
        let right = (t, g(t).0);
        let levels = levels(left.1, right.1, integers, limit);
        if levels.len() + roots.len() > limit {
            return false;
        }
        for level in levels {
            roots.push(root(g, level, left, right));
        }
        left = right;
    }
    true
}

/// Whether g is linear on the piece, to rounding.
fn is_linear(g: &mut impl FnMut(f64) -> (f64, f64), piece: Piece) -> bool {
    let ((left, left_size), (right, right_size)) = (g(piece.from), g(piece.to));
    // Places without a common divisor, at which a periodic function does not look linear.
    [0.137, 0.371, 0.5, 0.719, 0.894].into_iter().all(|s| {
        let (value, size) = g(piece.from + s * (piece.to - piece.from));
        let size = size.max(left_size).max(right_size);
        (value - (left + s * (right - left))).abs() <= 16.0 * f64::EPSILON * size
    })
}

/// Returns the values between two values of g at which something switches: 0, or the integers.
fn levels(left: f64, right: f64, integers: bool, limit: usize) -> Vec<f64> {
    if !(left.is_finite() && right.is_finite()) {
        return vec![];
    }
    if !integers {
        let passes = (left > 0.0) != (right > 0.0);
        return if passes { vec![0.0] } else { vec![] };
    }
    let (low, high) = (left.min(right), left.max(right));
    let (first, last) = (low.ceil(), high.floor());
    // One more than the limit is enough to pass it.
    let n = (last - first + 1.0).clamp(0.0, limit as f64 + 1.0) as usize;
    let mut all: Vec<f64> = (0..n).map(|i| first + i as f64).collect();
    if left > right {
        all.reverse();
    }
    all
}

/// Returns the time between two places at which g has this level, one where it has it exactly if there is one near.
fn root(
    g: &mut impl FnMut(f64) -> (f64, f64),
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
        if near >= a.0 && near <= b.0 && g(near).0 == level {
            return near;
        }
        near = near.next_up();
    }
    let is_left = |value: f64| (value > level) == (left.1 > level);
    for t in [guess.next_down().next_down(), guess.next_up().next_up()] {
        if t > a.0 && t < b.0 {
            let value = g(t).0;
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
        let value = g(middle).0;
        if value == level {
            return middle;
        }
        match is_left(value) {
            true => a = (middle, value),
            false => b = (middle, value),
        }
    }
}
