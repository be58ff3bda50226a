//! Evenly spaced streamlines of a vector field, after B. Jobard and W. Lefer, *Creating Evenly-Spaced
//! Streamlines of Arbitrary Density* (1997).
//!
//! A streamline begins at a seed point whose distance from all other streamlines is at least the separation. It is integrated in
//! both directions until its distance from another streamline, or from an earlier part of itself, falls below a fraction of the
//! separation: thus streamlines are long. Further seed points lie at the separation beside existing streamlines, and when these
//! are used up, anywhere in the square.

use super::super::geometry::Point;

/// Smallest distance of a streamline from others, as a part of the separation (d_test / d_sep of Jobard and Lefer).
const TEST_RATIO: f64 = 0.55;

/// Integration steps per separation.
const STEPS_PER_SEPARATION: f64 = 8.0;

/// Smallest length of a streamline; a shorter one, or one shorter than three separations, is discarded.
const MIN_LENGTH: f64 = 0.1;

/// Largest length of a streamline in either direction.
const MAX_LENGTH: f64 = 4.0;

/// A spatial index of the streamlines' points, in cells of the size of the separation.
struct PointIndex {
    distance: f64,
    side: usize,
    /// Points of each cell, with the index of their streamline and the distance along it.
    cells: Vec<Vec<(Point, usize, f64)>>,
}

impl PointIndex {
    fn new(distance: f64) -> PointIndex {
        let side = (1.0 / distance).ceil().max(1.0) as usize;
        PointIndex {
            distance,
            side,
            cells: vec![Vec::new(); side * side],
        }
    }

    fn cell(&self, (x, y): Point) -> (usize, usize) {
        // The cast maps a negative position to 0.
        let index = |v: f64| ((v / self.distance) as usize).min(self.side - 1);
        (index(x), index(y))
    }

    /// Whether there is a point nearer to `at` than `distance` for which `counts` is true; `distance` is at most the size of the
    /// cells.
    fn any_within(&self, at: Point, distance: f64, counts: impl Fn(usize, f64) -> bool) -> bool {
        let (column, row) = self.cell(at);
        let around = |i: usize| i.saturating_sub(1)..(i + 2).min(self.side);
        around(row).any(|row| {
            around(column).any(|column| {
                let points = self.cells.get(row * self.side + column);
                points.into_iter().flatten().any(|(p, curve, along)| {
                    (p.0 - at.0).hypot(p.1 - at.1) < distance && counts(*curve, *along)
                })
            })
        })
    }

    fn add(&mut self, at: Point, curve: usize, along: f64) {
        let (column, row) = self.cell(at);
        if let Some(cell) = self.cells.get_mut(row * self.side + column) {
            cell.push((at, curve, along));
        }
    }
}

/// Returns streamlines in the unit square, about `distance` from each other. `direction` returns a vector of length 1, or `None`
/// where the field has no direction and outside the square.
pub(super) fn evenly_spaced_streamlines(
    distance: f64,
    direction: &dyn Fn(Point) -> Option<Point>,
) -> Vec<Vec<Point>> {
    let mut near = PointIndex::new(distance);
    let mut curves: Vec<Vec<Point>> = Vec::new();
    let add = |near: &mut PointIndex, curves: &mut Vec<Vec<Point>>, seed: Point| {
        let inside = (0.0..=1.0).contains(&seed.0) && (0.0..=1.0).contains(&seed.1);
        if !inside || near.any_within(seed, 0.98 * distance, |_, _| true) {
            return;
        }
        let number = curves.len();
        let curve = streamline_through(seed, distance, direction, near, number);
        let curve_length = length(&curve);
        if curve_length < MIN_LENGTH.max(3.0 * distance) {
            return;
        }
        let mut along = 0.0;
        let mut before = curve.first().copied();
        for point in &curve {
            along += before.map_or(0.0, |b| (point.0 - b.0).hypot(point.1 - b.1));
            before = Some(*point);
            near.add(*point, number, along);
        }
        curves.push(curve);
    };
    let mut done = 0;
    for start in seed_points(distance) {
        add(&mut near, &mut curves, start);
        while let Some(curve) = curves.get(done).cloned() {
            done += 1;
            for pair in curve.windows(2).step_by(STEPS_PER_SEPARATION as usize / 2) {
                let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
                let size = dx.hypot(dy);
                if size > 0.0 {
                    for side in [distance / size, -distance / size] {
                        add(
                            &mut near,
                            &mut curves,
                            (pair[0].0 - side * dy, pair[0].1 + side * dx),
                        );
                    }
                }
            }
        }
    }
    curves
}

/// Returns seed points about `distance` from each other, those near the middle first.
fn seed_points(distance: f64) -> Vec<Point> {
    let side = (1.0 / distance).ceil().max(1.0) as usize;
    let middle = |i: usize| (i as f64 + 0.5) / side as f64;
    let mut all: Vec<Point> = (0..side * side)
        .map(|i| (middle(i % side), middle(i / side)))
        .collect();
    let off = |p: &Point| (p.0 - 0.5).hypot(p.1 - 0.5);
    all.sort_by(|a, b| off(a).total_cmp(&off(b)));
    all
}

fn length(curve: &[Point]) -> f64 {
    let steps = curve.windows(2);
    steps
        .map(|p| (p[1].0 - p[0].0).hypot(p[1].1 - p[0].1))
        .sum()
}

/// Returns the streamline through a seed point.
fn streamline_through(
    start: Point,
    distance: f64,
    direction: &dyn Fn(Point) -> Option<Point>,
    near: &PointIndex,
    number: usize,
) -> Vec<Point> {
    let mut own_points = PointIndex::new(distance);
    let (forward, closed) = integrate_direction(
        start,
        1.0,
        distance,
        direction,
        near,
        &mut own_points,
        number,
    );
    if closed {
        return forward;
    }
    let (mut curve, _) = integrate_direction(
        start,
        -1.0,
        distance,
        direction,
        near,
        &mut own_points,
        number,
    );
    curve.reverse();
    curve.extend(forward.into_iter().skip(1));
    curve
}

/// Integrates a streamline from a point in one direction; returns its points and whether it closed. `own_points` are the
/// streamline's points so far, with the distance along it from the start.
fn integrate_direction(
    start: Point,
    sign: f64,
    distance: f64,
    direction: &dyn Fn(Point) -> Option<Point>,
    near: &PointIndex,
    own_points: &mut PointIndex,
    number: usize,
) -> (Vec<Point>, bool) {
    let step = distance / STEPS_PER_SEPARATION;
    let test = TEST_RATIO * distance;
    let ahead = |at: Point| direction(at).map(|d| (sign * d.0, sign * d.1));
    let first = ahead(start);
    let mut at = start;
    let mut curve = vec![start];
    for k in 1..(MAX_LENGTH / step) as usize {
        let moved = |d: Point, h: f64| (at.0 + h * d.0, at.1 + h * d.1);
        let Some(here) = ahead(at) else { break };
        let Some(middle) = ahead(moved(here, 0.5 * step)) else {
            break;
        };
        // Where the field reverses its direction, the integration would oscillate.
        if here.0 * middle.0 + here.1 * middle.1 < 0.0 {
            break;
        }
        let next = moved(middle, step);
        let along = sign * k as f64 * step;
        // A closed streamline ends after one turn; the small gap to its start is closed.
        let back = (start.0 - next.0, start.1 - next.1);
        let gap = back.0.hypot(back.1);
        if let (Some(first), true) = (first, along.abs() > 4.0 * test && gap < test) {
            let alike = first.0 * here.0 + first.1 * here.1 > 0.7;
            let before = back.0 * here.0 + back.1 * here.1 > 0.5 * gap;
            if alike && before {
                curve.extend([next, start]);
                return (curve, true);
            }
        }
        let met = near.any_within(next, test, |_, _| true)
            || own_points.any_within(next, test, |_, there| (there - along).abs() > 4.0 * test);
        if met || direction(next).is_none() {
            break;
        }
        own_points.add(next, number, along);
        curve.push(next);
        at = next;
    }
    (curve, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_closed_and_keep_their_distance() {
        let inside = |p: Point| (0.0..=1.0).contains(&p.0) && (0.0..=1.0).contains(&p.1);
        let around = |p: Point| {
            let (x, y) = (p.0 - 0.5, p.1 - 0.5);
            let r = x.hypot(y);
            (inside(p) && r > 1e-9).then(|| (-y / r, x / r))
        };
        let all = evenly_spaced_streamlines(0.05, &around);
        let radius = |p: &Point| (p.0 - 0.5).hypot(p.1 - 0.5);
        let whole: Vec<&Vec<Point>> = all.iter().filter(|c| radius(&c[0]) < 0.48).collect();
        assert!((7..=14).contains(&whole.len()), "{}", whole.len());
        for curve in &whole {
            assert_eq!(curve.first(), curve.last());
            let way = length(curve);
            let round = 2.0 * std::f64::consts::PI * radius(&curve[0]);
            assert!((way / round - 1.0).abs() < 0.05, "{way} {round}");
        }
        for (i, a) in all.iter().enumerate() {
            for b in &all[..i] {
                let apart = a
                    .iter()
                    .flat_map(|p| b.iter().map(move |q| (p.0 - q.0).hypot(p.1 - q.1)));
                assert!(apart.fold(1.0, f64::min) > 0.9 * TEST_RATIO * 0.05);
            }
        }
    }

    #[test]
    fn straight_lines_cross_the_whole_square() {
        let inside = |p: Point| (0.0..=1.0).contains(&p.0) && (0.0..=1.0).contains(&p.1);
        let all = evenly_spaced_streamlines(0.1, &|p| inside(p).then_some((1.0, 0.0)));
        assert!((8..=11).contains(&all.len()), "{}", all.len());
        assert!(all.iter().all(|c| length(c) > 0.95));
    }
}
