//! The layer of a surface over a grid of x and y.

use super::super::color::darker;
use super::super::color_scale::{ColorScaleOptions, impl_color_options};
use super::super::colored_grid::{ColoredGrid, GridLayer};
use super::super::geometry::Point3;
use super::super::option_kinds::Opacity;
use super::super::rectilinear_grid::RectilinearGrid;
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::{Pen, Rgba};
use super::super::style::{Dash, Style};
use super::camera::{AxesTransform3, clip_polygon};
use super::{DepthQueue, Layer3};
use odesync_base::error::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Flag, Key, Maybe, join};

/// Largest number of cells along an axis with which the lines of the grid are drawn on the surface by default.
const MAX_MESH_CELLS: usize = 60;

option_set! {
    /// The options of a surface.
    ///
    /// ```
    /// use odesync_plot::Surface;
    /// let plain = Surface::new().mesh(false).label("loss");
    /// # let _ = plain;
    /// ```
    #[derive(Debug, Clone, PartialEq)]
    pub struct Surface {
        /// Draw the lines of the grid.
        mesh: Option<bool> as Maybe<Flag> = None, "where they are not too many";
        /// Opacity from 0 to 1.
        alpha: Option<f64> as Maybe<Opacity> = None, "suits the layer";
    }
    sets {
        /// Colours.
        pub(in super::super) color_options: ColorScaleOptions;
    }
}

impl_color_options!(Surface);

impl Surface {
    /// Descriptions of all options.
    pub const KEYS: &'static [Key] = &join::<8>(&[ColorScaleOptions::KEYS, Self::OPTIONS]);

    /// Creates default options: viridis by height, with a colour bar, and the grid's lines where they are not too many.
    pub fn new() -> Surface {
        Surface::default()
    }

    /// Sets whether the lines of the grid are drawn on the surface.
    pub fn mesh(mut self, mesh: bool) -> Surface {
        self.mesh = Some(mesh);
        self
    }
}

/// A surface layer with its colours resolved.
#[derive(Debug, Clone)]
pub(in super::super) struct SurfaceLayer {
    values: ColoredGrid,
    mesh: bool,
}

impl SurfaceLayer {
    pub fn new(grid: RectilinearGrid, options: &Surface) -> Result<SurfaceLayer> {
        let (rows, columns) = grid.z.dim();
        if rows < 2 || columns < 2 {
            return Err(Error::invalid(format!(
                "surface: z has the shape {:?}; a surface needs at least two rows and two columns",
                grid.z.shape()
            )));
        }
        let style = Style {
            alpha: options.alpha,
            ..Style::new()
        };
        Ok(SurfaceLayer {
            values: ColoredGrid::new("surface", grid, &options.color_options, &style)?,
            mesh: options.mesh.unwrap_or(rows.max(columns) <= MAX_MESH_CELLS),
        })
    }
}

impl GridLayer for SurfaceLayer {
    fn colored_grid(&self) -> &ColoredGrid {
        &self.values
    }
}

impl Layer3 for SurfaceLayer {
    fn points(&self) -> Vec<Point3> {
        self.values.points()
    }

    fn occludes(&self) -> bool {
        true
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform3, queue: &mut DepthQueue) {
        let color_scale = self.values.color_scale.for_z_range(view.z_range);
        let (rows, columns) = self.values.grid.z.dim();
        let at = |i: usize, j: usize| self.values.point(i, j);
        for i in 0..rows - 1 {
            for j in 0..columns - 1 {
                let corners = [at(i, j), at(i, j + 1), at(i + 1, j + 1), at(i + 1, j)];
                // A cell with a missing corner is a hole.
                if !corners
                    .iter()
                    .all(|c| view.in_domain(*c) && color_scale.axis.scale.in_domain(c[2]))
                {
                    continue;
                }
                let boxed = corners.map(|c| view.to_box(c));
                let mean = corners
                    .iter()
                    .map(|c| color_scale.axis.scale.forward(c[2]))
                    .sum::<f64>()
                    / 4.0;
                let rgb = shade_facet(
                    color_scale
                        .map
                        .rgb(color_scale.axis.fraction_of_scaled(mean)),
                    &boxed,
                );
                let polygon = clip_polygon(boxed.to_vec());
                if polygon.len() < 3 {
                    continue;
                }
                let middle = std::array::from_fn(|k| boxed.iter().map(|p| p[k]).sum::<f64>() / 4.0);
                // A border in the cell's colour closes the seams between cells.
                let edge: Rgba = match self.mesh {
                    true => (darker(rgb, 0.8), style.alpha),
                    false => (rgb, style.alpha),
                };
                let mut outline: Vec<_> = polygon.iter().map(|p| view.pixel(*p)).collect();
                queue.add(view.nearness(middle), |scene| {
                    scene.area(outline.clone(), (rgb, style.alpha));
                    if style.alpha >= 1.0 || self.mesh {
                        outline.extend(outline.first().copied());
                        scene.line(
                            &outline,
                            Pen {
                                color: edge,
                                // Not in text, where lines have no width.
                                width: style.width * if self.mesh { 0.5 } else { 0.8 },
                                dash: Dash::Solid,
                            },
                        );
                    }
                });
            }
        }
    }
}

/// Returns the colour of a facet in light from above and slightly from one side: slopes are darker.
fn shade_facet(rgb: (u8, u8, u8), corners: &[Point3; 4]) -> (u8, u8, u8) {
    let minus = |a: Point3, b: Point3| -> Point3 { std::array::from_fn(|k| a[k] - b[k]) };
    let (a, b) = (minus(corners[2], corners[0]), minus(corners[3], corners[1]));
    let normal = [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ];
    let size = normal.iter().map(|v| v * v).sum::<f64>().sqrt();
    if size == 0.0 {
        return rgb;
    }
    let light = [-0.35, -0.35, 0.87];
    let cosine = (0..3).map(|k| normal[k] * light[k]).sum::<f64>() / size;
    darker(rgb, 0.78 + 0.22 * cosine.abs())
}
