//! Placement of the labels of contour lines, in gaps of the lines.
//!
//! A label is horizontal and lies in a gap of its line, where the line is most nearly horizontal and straight, away from other
//! lines and labels. A line without such a position gets no label.

use super::super::geometry::{Point, Rect, clip_line};

/// Side of the cells of the occupancy grid, in pixels.
const CELL: f64 = 5.0;

/// Distance between the candidate positions along a line, in pixels.
const CANDIDATE_SPACING: f64 = 6.0;

/// The occupancy of a cell of the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occupancy {
    Free,
    Line(usize),
    Occupied,
}

/// The occupancy of a panel, cell by cell.
struct OccupancyGrid<'a> {
    rect: &'a Rect,
    columns: usize,
    cells: Vec<Occupancy>,
}

impl<'a> OccupancyGrid<'a> {
    fn new(rect: &'a Rect) -> OccupancyGrid<'a> {
        let count = |length: f64| (length.max(0.0) / CELL).ceil() as usize + 1;
        let columns = count(rect.width());
        OccupancyGrid {
            rect,
            columns,
            cells: vec![Occupancy::Free; columns * count(rect.height())],
        }
    }

    /// Returns the column and row of the cell of a point.
    fn at(&self, (x, y): Point) -> (usize, usize) {
        // The cast maps a negative position to 0.
        let index = |v: f64| (v / CELL) as usize;
        (index(x - self.rect.left), index(y - self.rect.top))
    }

    fn cell(&mut self, (column, row): (usize, usize)) -> Option<&mut Occupancy> {
        let inside = column < self.columns;
        self.cells
            .get_mut(row * self.columns + column)
            .filter(|_| inside)
    }

    /// Marks the cells along line `n`.
    fn mark_line(&mut self, line: &[Point], n: usize) {
        for pair in line.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let steps = ((x1 - x0).hypot(y1 - y0) / (0.5 * CELL)).ceil().max(1.0);
            for k in 0..=steps as usize {
                let s = k as f64 / steps;
                let at = self.at((x0 + s * (x1 - x0), y0 + s * (y1 - y0)));
                if let Some(cell) = self.cell(at) {
                    *cell = match *cell {
                        Occupancy::Free => Occupancy::Line(n),
                        Occupancy::Line(other) if other == n => Occupancy::Line(n),
                        _ => Occupancy::Occupied,
                    };
                }
            }
        }
    }

    /// Whether a box, which lies in the panel, contains no line but line `n` and no label.
    fn is_free_for(&mut self, rect: &Rect, n: usize) -> bool {
        let allowed = |cell: Option<&mut Occupancy>| match cell {
            Some(Occupancy::Free) => true,
            Some(Occupancy::Line(other)) => *other == n,
            Some(Occupancy::Occupied) | None => false,
        };
        let (from, to) = (
            self.at((rect.left, rect.top)),
            self.at((rect.right, rect.bottom)),
        );
        (from.0..=to.0).all(|column| (from.1..=to.1).all(|row| allowed(self.cell((column, row)))))
    }

    fn occupy(&mut self, rect: &Rect) {
        let (from, to) = (
            self.at((rect.left, rect.top)),
            self.at((rect.right, rect.bottom)),
        );
        for column in from.0..=to.0 {
            for row in from.1..=to.1 {
                if let Some(cell) = self.cell((column, row)) {
                    *cell = Occupancy::Occupied;
                }
            }
        }
    }
}

/// Returns the box of the label of each line, or `None` where there is no room. Each line is given with the size of its label;
/// lines and boxes lie in `rect`.
pub(super) fn place_labels(lines: &[(Vec<Point>, (f64, f64))], rect: &Rect) -> Vec<Option<Rect>> {
    let mut cells = OccupancyGrid::new(rect);
    for (n, (line, _)) in lines.iter().enumerate() {
        cells.mark_line(line, n);
    }
    lines
        .iter()
        .enumerate()
        .map(|(n, (line, size))| {
            let places = candidates(line, *size);
            let best = places
                .into_iter()
                .filter(|(_, at)| {
                    let around = at.inflate(0.5 * CELL);
                    rect.contains((around.left, around.top))
                        && rect.contains((around.right, around.bottom))
                        && cells.is_free_for(&around, n)
                        && length(&clip_line(line, at)) <= 1.3 * at.width().hypot(at.height())
                })
                .min_by(|(a, _), (b, _)| a.total_cmp(b))
                .map(|(_, at)| at);
            if let Some(at) = &best {
                cells.occupy(&at.inflate(0.5 * CELL));
            }
            best
        })
        .collect()
}

/// Returns candidate boxes along a line, each with the steepness of the line in it.
fn candidates(line: &[Point], (width, height): (f64, f64)) -> Vec<(f64, Rect)> {
    let all = length(std::slice::from_ref(&line.to_vec()));
    // A short line, or a short closed one, would consist mostly of the gap.
    if all < 4.0 * width {
        return Vec::new();
    }
    let count = ((all - 2.0 * width) / CANDIDATE_SPACING) as usize;
    let along: Vec<f64> = (0..=count)
        .map(|k| width + CANDIDATE_SPACING * k as f64)
        .collect();
    let at = |far: &dyn Fn(f64) -> f64| points_at(line, along.iter().map(|s| far(*s)));
    let half = 0.5 * width;
    let (before, here, after) = (at(&|s| s - half), at(&|s| s), at(&|s| s + half));
    before
        .into_iter()
        .zip(here)
        .zip(after)
        .map(|((a, (x, y)), b)| {
            let rect = Rect {
                left: x - half,
                top: y - 0.5 * height,
                right: x + half,
                bottom: y + 0.5 * height,
            };
            // 0 for a straight horizontal line, 1 for a vertical one or an equally strong bend.
            let (dx, dy) = (b.0 - a.0, b.1 - a.1);
            let bend = 1.0 - dx.hypot(dy) / width;
            let tilt = dy.abs() / dx.hypot(dy).max(1e-9);
            (tilt + 2.0 * bend, rect)
        })
        .collect()
}

/// Returns the points of a line at increasing distances along it.
fn points_at(line: &[Point], distances: impl Iterator<Item = f64>) -> Vec<Point> {
    let mut segments = line.windows(2).map(|pair| (pair[0], pair[1]));
    let mut walked = 0.0;
    let mut current = segments.next();
    let mut found = Vec::new();
    for distance in distances {
        while let Some((a, b)) = current {
            let long = (b.0 - a.0).hypot(b.1 - a.1);
            if walked + long >= distance && long > 0.0 {
                let s = (distance - walked) / long;
                found.push((a.0 + s * (b.0 - a.0), a.1 + s * (b.1 - a.1)));
                break;
            }
            walked += long;
            current = segments.next();
        }
    }
    found
}

fn length(lines: &[Vec<Point>]) -> f64 {
    let pairs = lines.iter().flat_map(|line| line.windows(2));
    pairs
        .map(|p| (p[1].0 - p[0].0).hypot(p[1].1 - p[0].1))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PANEL: Rect = Rect {
        left: 0.0,
        top: 0.0,
        right: 400.0,
        bottom: 300.0,
    };

    #[test]
    fn a_number_stands_where_its_line_is_level_and_alone() {
        // Line 0 runs down, across and down; line 1 crosses its middle.
        let steps = vec![(50.0, 10.0), (50.0, 150.0), (350.0, 150.0), (350.0, 290.0)];
        let size = (30.0, 12.0);
        let upright = vec![(200.0, 5.0), (200.0, 295.0)];
        let found = place_labels(&[(steps.clone(), size), (upright, size)], &PANEL);
        let at = found[0].unwrap();
        assert!((0.5 * (at.top + at.bottom) - 150.0).abs() < 1e-9, "{at:?}");
        assert!(at.right < 200.0 || at.left > 200.0, "{at:?}");
        let other = found[1].unwrap();
        assert!((0.5 * (other.left + other.right) - 200.0).abs() < 1e-9);
        assert!(other.bottom < 150.0 || other.top > 150.0, "{other:?}");
    }

    #[test]
    fn a_short_line_and_lines_close_together_go_without() {
        let short = vec![(100.0, 100.0), (160.0, 100.0)];
        let close = |y: f64| vec![(10.0, y), (390.0, y)];
        let size = (30.0, 12.0);
        let all: Vec<_> = [short, close(200.0), close(208.0)]
            .into_iter()
            .map(|line| (line, size))
            .collect();
        assert_eq!(place_labels(&all, &PANEL), [None, None, None]);
    }
}
