//! Points, and plane geometry in pixels: clipping, dashes, decimation.

/// A point of the plane; in pixels, x to the right and y down.
pub(super) type Point = (f64, f64);

/// A point of space: x, y, z.
pub(super) type Point3 = [f64; 3];

/// A rectangle with horizontal and vertical sides, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Rect {
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub fn inflate(&self, by: f64) -> Rect {
        Rect {
            left: self.left - by,
            top: self.top - by,
            right: self.right + by,
            bottom: self.bottom + by,
        }
    }

    pub fn contains(&self, (x, y): Point) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }
}

/// Returns the parts of a polyline that lie inside `rect` (Liang and Barsky's clipping of every segment).
pub(super) fn clip_line(points: &[Point], rect: &Rect) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    let mut open = false;
    for pair in points.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let Some((from, to)) = clip_segment(a, b, rect) else {
            open = false;
            continue;
        };
        match pieces.last_mut() {
            Some(piece) if open => piece.push(to),
            _ => pieces.push(vec![from, to]),
        }
        open = to == b;
    }
    pieces
}

/// Returns the parts of a polyline that lie outside `rect`.
pub(super) fn clip_outside(points: &[Point], rect: &Rect) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = vec![points.first().copied().into_iter().collect()];
    for pair in points.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let Some((enter, leave)) = clip_segment(a, b, rect) else {
            if let Some(piece) = pieces.last_mut() {
                piece.push(b);
            }
            continue;
        };
        if let (Some(piece), true) = (pieces.last_mut(), enter != a) {
            piece.push(enter);
        }
        // The rest of the segment begins where it leaves the rectangle, if it does.
        let rest = [leave, b];
        pieces.push(rest[usize::from(leave == b)..].to_vec());
    }
    pieces.retain(|piece| piece.len() > 1);
    pieces
}

fn clip_segment(a: Point, b: Point, rect: &Rect) -> Option<(Point, Point)> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let (mut enter, mut leave) = (0f64, 1f64);
    for (delta, room) in [
        (-dx, a.0 - rect.left),
        (dx, rect.right - a.0),
        (-dy, a.1 - rect.top),
        (dy, rect.bottom - a.1),
    ] {
        if delta == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if delta < 0.0 {
            enter = enter.max(room / delta);
        } else {
            leave = leave.min(room / delta);
        }
    }
    if enter > leave {
        return None;
    }
    let at = |s: f64| (a.0 + s * dx, a.1 + s * dy);
    let from = if enter > 0.0 { at(enter) } else { a };
    let to = if leave < 1.0 { at(leave) } else { b };
    Some((from, to))
}

/// Returns the part of a polygon inside `rect` (Sutherland and Hodgman).
pub(super) fn clip_polygon(points: &[Point], rect: &Rect) -> Vec<Point> {
    // Signed distances to the four sides, positive inside.
    let sides: [&dyn Fn(Point) -> f64; 4] = [
        &|p| p.0 - rect.left,
        &|p| rect.right - p.0,
        &|p| p.1 - rect.top,
        &|p| rect.bottom - p.1,
    ];
    let mut polygon = points.to_vec();
    for side in sides {
        let Some(&last) = polygon.last() else { break };
        let mut kept = Vec::with_capacity(polygon.len() + 4);
        let mut previous = last;
        for &point in &polygon {
            let (d0, d1) = (side(previous), side(point));
            if (d0 < 0.0) != (d1 < 0.0) {
                let s = d0 / (d0 - d1);
                kept.push((
                    previous.0 + s * (point.0 - previous.0),
                    previous.1 + s * (point.1 - previous.1),
                ));
            }
            if d1 >= 0.0 {
                kept.push(point);
            }
            previous = point;
        }
        polygon = kept;
    }
    polygon
}

/// Splits a polyline into dashes: (`on`, `off`) are the lengths of a dash and of a gap in pixels along the line.
pub(super) fn split_dashes(points: &[Point], (on, off): (f64, f64)) -> Vec<Vec<Point>> {
    let Some(&start) = points.first() else {
        return Vec::new();
    };
    let mut pieces = Vec::new();
    let mut piece = vec![start];
    let mut drawing = true;
    let mut left = on;
    for pair in points.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let length = (b.0 - a.0).hypot(b.1 - a.1);
        let mut walked = 0.0;
        while length - walked > left {
            walked += left;
            let s = walked / length;
            let point = (a.0 + s * (b.0 - a.0), a.1 + s * (b.1 - a.1));
            if drawing {
                piece.push(point);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![point];
            }
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
        left -= length - walked;
        if drawing {
            piece.push(b);
        }
    }
    if drawing && piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

/// Returns a polyline without the points that make no visible difference: of consecutive points within one column of width
/// `cell`, the first, the lowest, the highest and the last are kept, in their order.
pub(super) fn decimate(points: &[Point], cell: f64) -> Vec<Point> {
    let column = |p: &Point| (p.0 / cell).floor();
    let mut kept = Vec::new();
    for run in points.chunk_by(|a, b| column(a) == column(b)) {
        if run.len() <= 4 {
            kept.extend_from_slice(run);
            continue;
        }
        let by_height = |a: &usize, b: &usize| run[*a].1.total_cmp(&run[*b].1);
        let mut indices = vec![0, run.len() - 1];
        indices.extend((0..run.len()).min_by(by_height));
        indices.extend((0..run.len()).max_by(by_height));
        indices.sort_unstable();
        indices.dedup();
        kept.extend(indices.into_iter().map(|i| run[i]));
    }
    kept
}

/// Returns a polyline without the points that lie within `tolerance` of the line between the points that are kept (a sleeve, as of
/// Zhao and Saalfeld 1997); where the line turns back, its turning point is kept.
pub(super) fn simplify(points: &[Point], tolerance: f64) -> Vec<Point> {
    let mut kept: Vec<Point> = points.first().copied().into_iter().collect();
    let Some(&(mut anchor)) = points.first() else {
        return kept;
    };
    // The directions from the anchor within the sleeves of all points since, around the first of them.
    let mut sleeve: Option<(f64, f64, f64)> = None;
    let mut farthest = 0.0;
    let mut previous = anchor;
    for &point in points.get(1..).unwrap_or_default() {
        let of = |anchor: Point| {
            let (dx, dy) = (point.0 - anchor.0, point.1 - anchor.1);
            (dx.hypot(dy), dy.atan2(dx))
        };
        let (mut distance, mut angle) = of(anchor);
        let fits = |sleeve: Option<(f64, f64, f64)>| match sleeve {
            None => true,
            Some((middle, low, high)) => {
                let turn = wrapped(angle - middle);
                turn >= low && turn <= high && distance >= farthest - tolerance
            }
        };
        if !fits(sleeve) {
            kept.push(previous);
            anchor = previous;
            (sleeve, farthest) = (None, 0.0);
            (distance, angle) = of(anchor);
        }
        if distance > tolerance {
            let half = (tolerance / distance).asin();
            sleeve = Some(match sleeve {
                None => (angle, -half, half),
                Some((middle, low, high)) => {
                    let turn = wrapped(angle - middle);
                    (middle, low.max(turn - half), high.min(turn + half))
                }
            });
            farthest = distance.max(farthest);
        }
        previous = point;
    }
    if points.len() > 1 {
        kept.push(previous);
    }
    kept
}

/// Returns an angle between −π and π.
fn wrapped(angle: f64) -> f64 {
    use std::f64::consts::{PI, TAU};
    (angle + PI).rem_euclid(TAU) - PI
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Rect = Rect {
        left: 0.0,
        top: 0.0,
        right: 1.0,
        bottom: 1.0,
    };

    #[test]
    fn a_line_is_cut_at_the_edges() {
        let zigzag = [
            (-1.0, 0.5),
            (0.5, 0.5),
            (0.5, 2.0),
            (0.75, 2.0),
            (0.75, 0.5),
        ];
        let pieces = clip_line(&zigzag, &UNIT);
        assert_eq!(
            pieces,
            [
                vec![(0.0, 0.5), (0.5, 0.5), (0.5, 1.0)],
                vec![(0.75, 1.0), (0.75, 0.5)]
            ]
        );
        assert!(clip_line(&[(2.0, 0.0), (2.0, 1.0)], &UNIT).is_empty());
    }

    #[test]
    fn a_line_is_interrupted_by_a_box() {
        let bent = [(-1.0, 0.5), (0.5, 0.5), (0.5, 0.75), (0.5, 2.0), (3.0, 2.0)];
        assert_eq!(
            clip_outside(&bent, &UNIT),
            [
                vec![(-1.0, 0.5), (0.0, 0.5)],
                vec![(0.5, 1.0), (0.5, 2.0), (3.0, 2.0)]
            ]
        );
        let beside = [(2.0, 0.0), (2.0, 1.0), (3.0, 1.0)];
        assert_eq!(clip_outside(&beside, &UNIT), [beside.to_vec()]);
        assert!(clip_outside(&[(0.2, 0.2), (0.8, 0.8)], &UNIT).is_empty());
    }

    #[test]
    fn a_polygon_keeps_its_area_inside() {
        let area = |p: &[Point]| {
            let next = p.iter().cycle().skip(1);
            p.iter()
                .zip(next)
                .map(|(a, b)| a.0 * b.1 - b.0 * a.1)
                .sum::<f64>()
                .abs()
                / 2.0
        };
        // The triangle x + y < 1.5 in the unit square: 1 - 0.5²/2.
        let clipped = clip_polygon(&[(0.0, 0.0), (1.5, 0.0), (0.0, 1.5)], &UNIT);
        assert!((area(&clipped) - 0.875).abs() < 1e-12);
        assert!(clip_polygon(&[(2.0, 2.0), (3.0, 2.0), (2.0, 3.0)], &UNIT).is_empty());
    }

    #[test]
    fn dashes_go_round_corners_and_have_the_given_length() {
        let pieces = split_dashes(&[(0.0, 0.0), (4.0, 0.0), (4.0, 6.0)], (3.0, 2.0));
        assert_eq!(
            pieces,
            [vec![(0.0, 0.0), (3.0, 0.0)], vec![(4.0, 1.0), (4.0, 4.0)]]
        );
    }

    #[test]
    fn a_simplified_line_stays_within_its_tolerance() {
        // A spiral that also turns back on itself.
        let mut points: Vec<Point> = (0..20_000)
            .map(|i| {
                let s = f64::from(i) * 1e-3;
                (20.0 * s * s.cos(), 20.0 * s * s.sin())
            })
            .collect();
        points.extend([(0.0, 0.0), (300.0, 0.0), (-50.0, 0.01)]);
        let kept = simplify(&points, 0.05);
        assert!(kept.len() < 4000, "{}", kept.len());
        assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
        assert!(kept.contains(&(300.0, 0.0)), "the turning point");
        let mut at = 0;
        for point in &points {
            while at + 2 < kept.len()
                && kept[at + 1] != *point
                && distance(*point, kept[at], kept[at + 1]) > 0.051
            {
                at += 1;
            }
            assert!(
                distance(*point, kept[at], kept[at + 1]) <= 0.051,
                "{point:?}"
            );
        }
    }

    /// Returns the distance of a point from a segment.
    fn distance(p: Point, a: Point, b: Point) -> f64 {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let along = ((p.0 - a.0) * dx + (p.1 - a.1) * dy) / (dx * dx + dy * dy).max(1e-300);
        let s = along.clamp(0.0, 1.0);
        (p.0 - a.0 - s * dx).hypot(p.1 - a.1 - s * dy)
    }

    #[test]
    fn thinning_keeps_the_extremes_of_a_column() {
        let points: Vec<Point> = (0..1000)
            .map(|i| (f64::from(i) * 1e-3, f64::from((i * 7) % 100)))
            .collect();
        let kept = decimate(&points, 1.0);
        assert!(kept.len() <= 4);
        assert!(kept.iter().any(|p| p.1 == 0.0) && kept.iter().any(|p| p.1 == 99.0));
        assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
    }
}
