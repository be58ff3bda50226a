//! The search for all roots of a function that is not linear.
//!
//! The function is looked at in places at equal distances, as far as its enclosure does not tell before that it has no root between
//! some of them. A piece between two places is halved until the function has no root there or does not turn there; so a pulse
//! is found however short it is. Where enclosures do not get better, at a place where the function only touches zero, it ends with
//! pieces that numbers do not resolve, and everywhere when the budget is spent.

use std::collections::VecDeque;

use super::interval::Enclosure;
use super::roots::{GuardFunction, Piece, Sought, root};

/// A time and the function's value there.
type Place = (f64, f64);

/// What is known of a piece between two places.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Verdict {
    /// There are no roots.
    NoRoot,
    /// The function does not turn, so its values at the ends tell the roots.
    Monotone,
    /// Halves of it may tell.
    Open,
    /// Nothing more is found out about it.
    Unresolved,
}

/// A piece between two places that the enclosure of the function does not settle, with the roots found there.
#[derive(Debug)]
struct OpenPiece {
    ends: (Place, Place),
    brackets: Vec<(f64, Place, Place)>,
}

/// Adds the roots of g in the piece; returns false where there would be more than the limit.
pub(super) fn search(
    g: &mut impl GuardFunction,
    piece: Piece,
    sought: Sought,
    roots: &mut Vec<f64>,
) -> bool {
    let mut open = vec![];
    let ends = [(0, piece.from), (piece.places, piece.to)].map(|(i, t)| (i, (t, g.value(t).0)));
    let mut stack = vec![(ends[0], ends[1], false)];
    while let Some((left, right, is_monotone)) = stack.pop() {
        let (i, j) = (left.0, right.0);
        let verdict = match is_monotone {
            true => Verdict::Monotone,
            false => judge(g, sought, (left.1, right.1), None),
        };
        let levels = sought.levels(left.1.1, right.1.1);
        match verdict {
            Verdict::NoRoot => continue,
            Verdict::Monotone if levels.is_empty() => continue,
            Verdict::Monotone if levels.len() + roots.len() > sought.limit => return false,
            _ => {}
        }
        if j - i > 1 {
            let middle = i + (j - i) / 2;
            let t = piece.from + (piece.to - piece.from) * middle as f64 / piece.places as f64;
            let place = (middle, (t, g.value(t).0));
            let is_monotone = verdict == Verdict::Monotone;
            stack.push((place, right, is_monotone));
            stack.push((left, place, is_monotone));
        } else if verdict == Verdict::Monotone {
            let found = levels
                .into_iter()
                .map(|level| root(g, level, left.1, right.1));
            roots.extend(found);
        } else {
            open.push(OpenPiece {
                ends: (left.1, right.1),
                brackets: vec![],
            });
        }
    }
    resolve(g, &mut open, (piece, sought));
    for OpenPiece { ends, brackets } in open {
        let levels = sought.levels(ends.0.1, ends.1.1);
        let mut found: Vec<f64> = match levels.len() == brackets.len() {
            // The ends tell them all.
            true => levels
                .into_iter()
                .map(|level| root(g, level, ends.0, ends.1))
                .collect(),
            false => brackets
                .into_iter()
                .map(|(level, a, b)| root(g, level, a, b))
                .collect(),
        };
        found.sort_by(f64::total_cmp);
        drop_touching(&mut found, 2.0 * piece.width);
        if found.len() + roots.len() > sought.limit {
            return false;
        }
        roots.extend(found);
    }
    true
}

/// Halves the open pieces, all of them in turn, until their roots are apart.
fn resolve(g: &mut impl GuardFunction, open: &mut [OpenPiece], (piece, sought): (Piece, Sought)) {
    let mut queue: VecDeque<(usize, Place, Place)> = VecDeque::new();
    queue.extend(
        open.iter()
            .enumerate()
            .map(|(i, open)| (i, open.ends.0, open.ends.1)),
    );
    while let Some((i, left, right)) = queue.pop_front() {
        if judge(g, sought, (left, right), Some(piece.width)) == Verdict::Open {
            let t = left.0 + 0.5 * (right.0 - left.0);
            let middle = (t, g.value(t).0);
            queue.push_back((i, left, middle));
            queue.push_back((i, middle, right));
        } else {
            let levels = sought.levels(left.1, right.1).into_iter();
            let brackets = &mut open[i].brackets;
            brackets.extend(levels.map(|level| (level, left, right)));
        }
    }
}

/// Finds out about a piece between two places, where nothing below `width` is told apart.
fn judge<G: GuardFunction>(
    g: &mut G,
    sought: Sought,
    (left, right): (Place, Place),
    width: Option<f64>,
) -> Verdict {
    let is_small = width.is_some_and(|width| right.0 - left.0 <= 2.0 * width);
    let Some((value, slope)) = (!is_small).then(|| g.enclose(left.0, right.0)).flatten() else {
        return Verdict::Unresolved;
    };
    let is_finite = left.1.is_finite() && right.1.is_finite();
    let value = match is_finite {
        true => narrowed(value, slope, (left, right)),
        false => value,
    };
    let has_level = match sought.integers {
        true => value.low.ceil() <= value.high.floor(),
        // Zero itself counts as below, and a value that is nowhere below may be zero for a while by underflow.
        false => value.low <= 0.0 && value.high > 0.0,
    };
    // Rounding may tell the other way at a root.
    if !has_level && sought.levels(left.1, right.1).is_empty() {
        return Verdict::NoRoot;
    }
    if is_finite && (slope.low >= 0.0 || slope.high <= 0.0) {
        return Verdict::Monotone;
    }
    // Of which rounding makes the turns.
    let is_noise = |g: &mut G| value.high - value.low <= 16.0 * f64::EPSILON * g.value(left.0).1;
    match width.is_some() && is_noise(g) {
        true => Verdict::Unresolved,
        false => Verdict::Open,
    }
}

/// Returns what slopes leave of the enclosure of a function whose values at both ends are known.
fn narrowed(value: Enclosure, slope: Enclosure, (left, right): (Place, Place)) -> Enclosure {
    let (h, fall, rise) = (right.0 - left.0, slope.low, slope.high);
    if !(fall < 0.0 && rise > 0.0 && fall.is_finite() && rise.is_finite()) {
        return value;
    }
    // Where the lines with the largest slopes through both ends meet.
    let low = (rise * left.1 - fall * right.1 + h * fall * rise) / (rise - fall);
    let high = (rise * right.1 - fall * left.1 - h * fall * rise) / (rise - fall);
    let both = (value.low.max(low), value.high.min(high));
    match both.0 <= both.1 {
        true => Enclosure::new(both.0, both.1),
        false => value,
    }
}

/// Takes pairs of roots out that are so near that nothing lies between them, where the function only touches a level.
fn drop_touching(found: &mut Vec<f64>, width: f64) {
    let mut kept: Vec<f64> = Vec::with_capacity(found.len());
    for t in found.drain(..) {
        match kept.last() {
            Some(last) if t - last <= width => {
                kept.pop();
            }
            _ => kept.push(t),
        }
    }
    *found = kept;
}
