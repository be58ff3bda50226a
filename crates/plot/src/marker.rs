//! Drawing of markers, and of the caps of error bars.

use super::geometry::Point;
use super::resolved_style::ResolvedStyle;
use super::scene::{Pen, Scene};
use super::style::{Dash, Marker};

/// Half of the length of the caps in diameters of a marker, and its smallest value in pixels.
const CAP: (f64, f64) = (0.6, 3.0);

/// Draws a marker of diameter `style.size`; shapes other than discs are scaled to look as large as a disc.
pub(super) fn draw_marker(marker: Marker, (x, y): Point, style: &ResolvedStyle, scene: &mut Scene) {
    let r = 0.5 * style.size;
    let color = style.rgba();
    let pen = Pen {
        color,
        width: (0.25 * style.size).max(1.2),
        dash: Dash::Solid,
    };
    let around = |points: &[Point]| {
        points
            .iter()
            .map(|p| (x + r * p.0, y + r * p.1))
            .collect::<Vec<_>>()
    };
    match marker {
        Marker::Circle => scene.disc((x, y), r, color),
        Marker::Square => {
            scene.area(
                around(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
                color,
            );
        }
        Marker::Triangle => scene.area(around(&[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)]), color),
        Marker::Diamond => {
            scene.area(
                around(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]),
                color,
            );
        }
        Marker::Cross => {
            scene.line(&around(&[(-0.8, -0.8), (0.8, 0.8)]), pen);
            scene.line(&around(&[(-0.8, 0.8), (0.8, -0.8)]), pen);
        }
        Marker::Plus => {
            scene.line(&around(&[(-1.0, 0.0), (1.0, 0.0)]), pen);
            scene.line(&around(&[(0.0, -1.0), (0.0, 1.0)]), pen);
        }
    }
}

/// Returns the pen of bars and caps, thinner than a line.
pub(super) fn bar_pen(style: &ResolvedStyle) -> Pen {
    Pen {
        color: style.rgba(),
        width: 0.65 * style.width,
        dash: Dash::Solid,
    }
}

/// Draws the cap of a bar.
pub(super) fn draw_cap((x, y): Point, style: &ResolvedStyle, scene: &mut Scene) {
    let half = (CAP.0 * style.size).max(CAP.1);
    scene.line(&[(x - half, y), (x + half, y)], bar_pen(style));
}
