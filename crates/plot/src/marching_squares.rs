//! Marching squares: the outlines of the part of a grid where the values are at least a level.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::geometry::Point;

/// A vertex of an outline: a node of the grid, or the crossing of the level on the edge from a node to the next column or the
/// next row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Vertex {
    Node(usize, usize),
    HorizontalEdge(usize, usize),
    VerticalEdge(usize, usize),
}

/// A closed outline: each vertex with whether the side after it follows the level (and not the border of the data). The interior
/// is always on the same side, so holes have the opposite orientation.
pub(super) type LevelPolygon = Vec<(Point, bool)>;

/// Returns the outlines of the region where `z` `[row, column]` is at least `level`. Cells with a NaN corner lie outside. `x` and
/// `y` are the coordinates of the columns and rows.
pub(super) fn level_polygons(
    x: &[f64],
    y: &[f64],
    z: &Array2<f64>,
    level: f64,
) -> Vec<LevelPolygon> {
    let mut sides: BTreeMap<Vertex, Vec<Vertex>> = BTreeMap::new();
    let (rows, columns) = z.dim();
    let whole = |i: Option<usize>, j: Option<usize>| match (i, j) {
        (Some(i), Some(j)) if i + 1 < rows && j + 1 < columns => {
            ![z[[i, j]], z[[i, j + 1]], z[[i + 1, j + 1]], z[[i + 1, j]]]
                .iter()
                .any(|v| v.is_nan())
        }
        _ => false,
    };
    for i in 0..rows.saturating_sub(1) {
        for j in 0..columns.saturating_sub(1) {
            if !whole(Some(i), Some(j)) {
                continue;
            }
            // For each side of the cell: whether it has a neighbour, whose outline contains the same side, reversed.
            let has_neighbour = [
                whole(i.checked_sub(1), Some(j)),
                whole(Some(i), Some(j + 1)),
                whole(Some(i + 1), Some(j)),
                whole(Some(i), j.checked_sub(1)),
            ];
            for polygon in cell_polygons(z, level, i, j) {
                for (k, from) in polygon.iter().enumerate() {
                    let to = polygon[(k + 1) % polygon.len()];
                    let inner = match shared_side(*from, to, i, j) {
                        Some(side) => has_neighbour[side],
                        None => false,
                    };
                    if !inner {
                        sides.entry(*from).or_default().push(to);
                    }
                }
            }
        }
    }
    let coordinates = |vertex: Vertex| {
        let part = |a: f64, b: f64| if b != a { (level - a) / (b - a) } else { 0.0 };
        match vertex {
            Vertex::Node(i, j) => (x[j], y[i]),
            Vertex::HorizontalEdge(i, j) => {
                let s = part(z[[i, j]], z[[i, j + 1]]);
                (x[j] + s * (x[j + 1] - x[j]), y[i])
            }
            Vertex::VerticalEdge(i, j) => {
                let s = part(z[[i, j]], z[[i + 1, j]]);
                (x[j], y[i] + s * (y[i + 1] - y[i]))
            }
        }
    };
    let mut outlines = Vec::new();
    while let Some(start) = sides.keys().next().copied() {
        let mut outline = Vec::new();
        let mut at = start;
        // Every vertex has as many outgoing as incoming sides, so the walk ends where it began.
        while let Some(ends) = sides.get_mut(&at) {
            let Some(to) = ends.pop() else { break };
            if ends.is_empty() {
                sides.remove(&at);
            }
            let follows = !matches!(at, Vertex::Node(..)) && !matches!(to, Vertex::Node(..));
            outline.push((coordinates(at), follows));
            at = to;
        }
        outlines.push(outline);
    }
    outlines
}

/// Returns the polygons of a cell in which the values are at least the level, with vertices in the orientation of the grid's rows
/// and columns.
fn cell_polygons(z: &Array2<f64>, level: f64, i: usize, j: usize) -> Vec<Vec<Vertex>> {
    let nodes = [(i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j)];
    let values = nodes.map(|(i, j)| z[[i, j]]);
    let inside = values.map(|v| v >= level);
    let crossings = [
        Vertex::HorizontalEdge(i, j),
        Vertex::VerticalEdge(i, j + 1),
        Vertex::HorizontalEdge(i + 1, j),
        Vertex::VerticalEdge(i, j),
    ];
    let node = |k: usize| Vertex::Node(nodes[k].0, nodes[k].1);
    let saddle = inside[0] == inside[2] && inside[1] == inside[3] && inside[0] != inside[1];
    let middle = values.iter().sum::<f64>() / 4.0;
    if saddle && middle < level {
        return (0..4)
            .filter(|k| inside[*k])
            .map(|k| vec![node(k), crossings[k], crossings[(k + 3) % 4]])
            .collect();
    }
    let mut polygon = Vec::new();
    for k in 0..4 {
        if inside[k] {
            polygon.push(node(k));
        }
        if inside[k] != inside[(k + 1) % 4] {
            polygon.push(crossings[k]);
        }
    }
    if polygon.is_empty() {
        Vec::new()
    } else {
        vec![polygon]
    }
}

/// Returns the side of the cell on which two vertices both lie: 0 to 3 for the previous row, the next column, the next row, the
/// previous column; `None` for a line across the cell.
fn shared_side(a: Vertex, b: Vertex, i: usize, j: usize) -> Option<usize> {
    let on = |vertex: Vertex, side: usize| match (vertex, side) {
        (Vertex::Node(r, _) | Vertex::HorizontalEdge(r, _), 0) => r == i,
        (Vertex::Node(r, _) | Vertex::HorizontalEdge(r, _), 2) => r == i + 1,
        (Vertex::Node(_, c) | Vertex::VerticalEdge(_, c), 1) => c == j + 1,
        (Vertex::Node(_, c) | Vertex::VerticalEdge(_, c), 3) => c == j,
        _ => false,
    };
    (0..4).find(|side| on(a, *side) && on(b, *side))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(outline: &LevelPolygon) -> f64 {
        let n = outline.len();
        let cross = |k: usize| {
            let (a, b) = (outline[k].0, outline[(k + 1) % n].0);
            a.0 * b.1 - b.0 * a.1
        };
        0.5 * (0..n).map(cross).sum::<f64>()
    }

    fn disc(n: usize, hole: impl Fn(f64, f64) -> bool) -> (Vec<f64>, Array2<f64>) {
        let at: Vec<f64> = (0..n)
            .map(|i| -2.0 + 4.0 * i as f64 / (n - 1) as f64)
            .collect();
        let z = Array2::from_shape_fn((n, n), |(i, j)| match hole(at[j], at[i]) {
            true => f64::NAN,
            false => -(at[i].powi(2) + at[j].powi(2)),
        });
        (at, z)
    }

    #[test]
    fn a_disc_has_the_area_of_a_disc() {
        let (x, z) = disc(101, |_, _| false);
        let found = level_polygons(&x, &x, &z, -1.0);
        assert_eq!(found.len(), 1);
        assert!(found[0].iter().all(|(_, follows)| *follows));
        assert!((area(&found[0]) - std::f64::consts::PI).abs() < 2e-3);
        for ((x, y), _) in &found[0] {
            assert!((x.hypot(*y) - 1.0).abs() < 1e-3);
        }
    }

    #[test]
    fn a_ring_is_an_outline_and_a_hole_that_turns_the_other_way() {
        let (x, mut z) = disc(101, |_, _| false);
        z.mapv_inplace(|v| -(v.abs().sqrt() - 1.0).abs());
        let areas: Vec<f64> = level_polygons(&x, &x, &z, -0.5).iter().map(area).collect();
        assert_eq!(areas.len(), 2);
        let sum: f64 = areas.iter().sum();
        assert!(
            areas[0] * areas[1] < 0.0 && (sum - 2.0 * std::f64::consts::PI).abs() < 2e-2,
            "{areas:?}"
        );
    }

    #[test]
    fn missing_values_and_borders_bound_the_area_but_are_no_contour() {
        // The left half is missing: half a disc, whose straight side is no contour.
        let (x, z) = disc(101, |x, _| x < -1e-9);
        let found = level_polygons(&x, &x, &z, -1.0);
        assert_eq!(found.len(), 1);
        assert!((area(&found[0]) - 0.5 * std::f64::consts::PI).abs() < 2e-3);
        assert!(found[0].iter().any(|(_, follows)| !follows));
        // Everything is above this level: the border of the data.
        let all = level_polygons(&x, &x, &z, -100.0);
        assert!((area(&all[0]) - 8.0).abs() < 1e-9 && all[0].iter().all(|(_, follows)| !follows));
    }
}
