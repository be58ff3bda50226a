//! The ridgeline layer, a waterfall in the plane: curves one above the other, each with its own baseline.

use super::super::axes_transform::AxesTransform;
use super::super::color_scale::{ColorScaleOptions, impl_color_options};
use super::super::colored_grid::{ColoredGrid, GridLayer};
use super::super::drawing_context;
use super::super::geometry::{Point, clip_line, clip_polygon};
use super::super::name_table::lookup;
use super::super::option_kinds::{Opacity, Pixels, named_by_table};
use super::super::rectilinear_grid::RectilinearGrid;
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::{Pen, Scene};
use super::super::style::{Dash, Style};
use super::Layer;
use super::streamlines::single_color_runs;
use odesync_base::error::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Key, Maybe, OneOf, join};

/// Where the curves of a waterfall go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Offset {
    /// One behind the other, on three axes.
    Depth,
    /// One above the other, on two axes.
    Height,
}

const OFFSETS: [(&str, Offset); 2] = [("depth", Offset::Depth), ("height", Offset::Height)];

impl std::str::FromStr for Offset {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        lookup("offset", name, &OFFSETS)
    }
}

named_by_table!(Offset, OFFSETS);

option_set! {
    /// The options of a waterfall.
    ///
    /// ```
    /// use odesync_plot::Waterfall;
    /// let upwards = Waterfall::new().in_height().log().label("density");
    /// # let _ = upwards;
    /// ```
    #[derive(Debug, Clone, PartialEq)]
    pub struct Waterfall {
        /// Where the curves go: one behind or one above the other.
        pub(in super::super) offset: Offset as OneOf<Offset> = Offset::Depth;
        /// Width of a line in pixels.
        pub(in super::super) width: Option<f64> as Maybe<Pixels> = None, "suits the layer";
        /// Opacity from 0 to 1.
        pub(in super::super) alpha: Option<f64> as Maybe<Opacity> = None, "suits the layer";
    }
    sets {
        /// Colours.
        pub(in super::super) color_options: ColorScaleOptions;
    }
}

impl_color_options!(Waterfall);

impl Waterfall {
    /// Descriptions of all options.
    pub const KEYS: &'static [Key] = &join::<9>(&[ColorScaleOptions::KEYS, Self::OPTIONS]);

    /// Returns the style of the curves.
    pub(in super::super) fn style(&self) -> Style {
        Style {
            width: self.width,
            alpha: self.alpha,
            ..Style::new()
        }
    }

    /// Creates default options: curves one behind the other on three axes, coloured by height in viridis.
    pub fn new() -> Waterfall {
        Waterfall::default()
    }

    /// Draws the curves one above the other on two axes instead of one behind the other on three.
    pub fn in_height(mut self) -> Waterfall {
        self.offset = Offset::Height;
        self
    }

    /// Sets the width of the lines in pixels.
    pub fn width(mut self, width: f64) -> Waterfall {
        self.width = Some(width);
        self
    }
}

/// Height of the highest curve, in distances between two baselines.
const OVERLAP: f64 = 2.6;

#[derive(Debug, Clone)]
pub(in super::super) struct RidgelineLayer {
    /// Values of the curves; `y` holds the baseline of each.
    values: ColoredGrid,
    /// Distance between the baselines of two curves.
    step: f64,
}

impl RidgelineLayer {
    pub fn new(grid: RectilinearGrid, options: &Waterfall) -> Result<RidgelineLayer> {
        let (first, last) = (grid.y.first(), grid.y.last());
        let span = first.zip(last).map_or(0.0, |(a, b)| b - a);
        let steps = grid.y.len().saturating_sub(1);
        let step = if steps > 0 { span / steps as f64 } else { 1.0 };
        Ok(RidgelineLayer {
            values: ColoredGrid::new("waterfall", grid, &options.color_options, &options.style())?,
            step,
        })
    }

    /// Returns the height of a value above its curve's baseline.
    fn height(&self, v: f64) -> f64 {
        let color_scale = &self.values.color_scale;
        let fraction = match color_scale.axis.scale.in_domain(v) {
            true => color_scale.axis.fraction(v).clamp(0.0, 1.0),
            false => 0.0,
        };
        OVERLAP * self.step * fraction
    }
}

impl GridLayer for RidgelineLayer {
    fn colored_grid(&self) -> &ColoredGrid {
        &self.values
    }
}

impl Layer for RidgelineLayer {
    fn points(&self) -> Vec<Point> {
        let RectilinearGrid { x, y, z } = &self.values.grid;
        let mut points = Vec::new();
        for (y, row) in y.iter().zip(z.rows()) {
            for (x, z) in x.iter().zip(row) {
                points.push((*x, *y));
                if !z.is_nan() {
                    points.push((*x, y + self.height(*z)));
                }
            }
        }
        points
    }

    fn draw(&self, resolved: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene) {
        let ColoredGrid {
            grid,
            color_scale,
            style,
        } = &self.values;
        // From the highest baseline down, so that lower curves are painted in front.
        for (y, row) in grid.y.iter().zip(grid.z.rows()).rev() {
            let base = view.y_pixel(*y);
            let points: Vec<(f64, f64)> = grid.x.iter().copied().zip(row.iter().copied()).collect();
            for run in points.split(|(x, z)| z.is_nan() || !view.x.scale.in_domain(*x)) {
                let curve: Vec<(Point, (u8, u8, u8))> = run
                    .iter()
                    .map(|(x, z)| {
                        (
                            view.pixel((*x, y + self.height(*z))),
                            color_scale.quantized_rgb(*z),
                        )
                    })
                    .collect();
                let (Some((first, _)), Some((last, _))) = (curve.first(), curve.last()) else {
                    continue;
                };
                let mut area: Vec<Point> = curve.iter().map(|(p, _)| *p).collect();
                area.extend([(last.0, base), (first.0, base)]);
                scene.area(
                    clip_polygon(&area, &view.rect),
                    (drawing_context::ground().paper, 0.9),
                );
                for (line, rgb) in single_color_runs(&curve) {
                    let pen = Pen {
                        color: (rgb, resolved.alpha),
                        width: style.width.unwrap_or(1.6),
                        dash: Dash::Solid,
                    };
                    for piece in clip_line(&line, &view.rect) {
                        scene.line(&piece, pen);
                    }
                }
            }
        }
    }

    fn footprint(&self, _: &AxesTransform) -> Vec<Point> {
        Vec::new()
    }
}
