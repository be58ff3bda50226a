//! The waterfall layer: curves one behind the other, coloured by height.

use super::super::colored_grid::{ColoredGrid, GridLayer};
use super::super::drawing_context;
use super::super::geometry::Point3;
use super::super::layers::{Waterfall, single_color_runs};
use super::super::rectilinear_grid::RectilinearGrid;
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::Pen;
use super::super::style::Dash;
use super::camera::AxesTransform3;
use super::{DepthQueue, Layer3};
use odesync_base::error::Result;

/// A waterfall layer on three axes: each curve hides what is behind it.
#[derive(Debug, Clone)]
pub(in super::super) struct WaterfallLayer(ColoredGrid);

impl WaterfallLayer {
    pub fn new(grid: RectilinearGrid, options: &Waterfall) -> Result<WaterfallLayer> {
        let values = ColoredGrid::new("waterfall", grid, &options.color_options, &options.style())?;
        Ok(WaterfallLayer(values))
    }
}

impl GridLayer for WaterfallLayer {
    fn colored_grid(&self) -> &ColoredGrid {
        &self.0
    }
}

impl Layer3 for WaterfallLayer {
    fn points(&self) -> Vec<Point3> {
        self.0.points()
    }

    fn occludes(&self) -> bool {
        true
    }

    fn draw(&self, resolved: &ResolvedStyle, view: &AxesTransform3, queue: &mut DepthQueue) {
        let ColoredGrid { grid, style, .. } = &self.0;
        let color_scale = self.0.color_scale.for_z_range(view.z_range);
        let [x_axis, y_axis, z_axis] = view.axes;
        // A value outside the domain or the range of the vertical axis is moved to the axis's end.
        let inside = |point: Point3| -> Point3 {
            let boxed = view.to_box(point);
            std::array::from_fn(|k| {
                boxed[k].clamp(-super::camera::BOX_HALF[k], super::camera::BOX_HALF[k])
            })
        };
        let floor = z_axis.value(0.0);
        for (y, row) in grid.y.iter().zip(grid.z.rows()) {
            if !y_axis.scale.in_domain(*y) || !(-1e-9..=1.0 + 1e-9).contains(&y_axis.fraction(*y)) {
                continue;
            }
            let xs = grid.x.iter().copied();
            let curve: Vec<(f64, f64)> = xs.zip(row.iter().copied()).collect();
            let missing = |(x, z): &(f64, f64)| {
                z.is_nan()
                    || !x_axis.scale.in_domain(*x)
                    || !(-1e-9..=1.0 + 1e-9).contains(&x_axis.fraction(*x))
            };
            for run in curve.split(missing) {
                let (Some(first), Some(last)) = (run.first(), run.last()) else {
                    continue;
                };
                let top: Vec<_> = run
                    .iter()
                    .map(|(x, z)| {
                        (
                            view.pixel(inside([*x, *y, *z])),
                            color_scale.quantized_rgb(*z),
                        )
                    })
                    .collect();
                let mut area: Vec<_> = top.iter().map(|(p, _)| *p).collect();
                area.push(view.pixel(inside([last.0, *y, floor])));
                area.push(view.pixel(inside([first.0, *y, floor])));
                let middle = inside([0.5 * (first.0 + last.0), *y, floor]);
                queue.add(view.nearness([0.0, middle[1], middle[2]]), |scene| {
                    scene.area(area, (drawing_context::ground().paper, 0.88));
                    for (line, rgb) in single_color_runs(&top) {
                        scene.line(
                            &line,
                            Pen {
                                color: (rgb, resolved.alpha),
                                width: style.width.unwrap_or(1.5),
                                dash: Dash::Solid,
                            },
                        );
                    }
                });
            }
        }
    }
}
