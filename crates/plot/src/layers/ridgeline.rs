//! Curves one above the other, each standing on a line of its own: a waterfall in the plane.

use super::super::axes_transform::AxesTransform;
use super::super::color_scale::{ColorScaleOptions, impl_color_options};
use super::super::colored_grid::{ColoredGrid, GridLayer};
use super::super::geometry::{Point, clip_line, clip_polygon};
use super::super::option_value::OptionValue;
use super::super::rectilinear_grid::RectilinearGrid;
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::{Pen, Scene};
use super::super::style::{Dash, Style};
use super::Layer;
use super::streamlines::single_color_runs;
use odesync_base::error::{Result, unknown};

/// How a waterfall looks.
///
/// ```
/// use odesync_plot::Waterfall;
/// let upwards = Waterfall::new().in_height().log().label("density");
/// # let _ = upwards;
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Waterfall {
    pub(in super::super) color_options: ColorScaleOptions,
    pub(in super::super) style: Style,
    pub(in super::super) in_height: bool,
}

impl_color_options!(Waterfall);

impl Waterfall {
    /// The names that [`Waterfall::set`] knows.
    pub const OPTIONS: [&'static str; 9] = [
        "map", "log", "symlog", "range", "label", "bar", "offset", "width", "alpha",
    ];

    /// Curves one behind the other on three axes, coloured by height in viridis.
    pub fn new() -> Waterfall {
        Waterfall::default()
    }

    /// Puts the curves one above the other on two axes instead.
    pub fn in_height(mut self) -> Waterfall {
        self.in_height = true;
        self
    }

    /// Width of the lines in pixels.
    pub fn width(mut self, width: f64) -> Waterfall {
        self.style.width = Some(width);
        self
    }

    /// Sets an option by its name (see [`Waterfall::OPTIONS`]); `offset` is "depth" or "height".
    ///
    /// # Errors
    ///
    /// An unknown name (the known ones are listed) or a value that does not fit.
    pub fn set<'a>(&mut self, name: &str, value: impl Into<OptionValue<'a>>) -> Result<()> {
        let value = value.into();
        match name {
            "offset" => {
                self.in_height = match value.text(name)? {
                    "depth" => false,
                    "height" => true,
                    other => return Err(unknown("offset", other, ["depth", "height"])),
                };
            }
            "width" | "alpha" => self.style.set(name, value)?,
            _ if self.color_options.set(name, value)? => {}
            _ => return Err(unknown("option", name, Self::OPTIONS)),
        }
        Ok(())
    }
}

/// Steps between two curves that the highest of them takes.
const OVERLAP: f64 = 2.6;

#[derive(Debug, Clone)]
pub(in super::super) struct RidgelineLayer {
    /// Each curve stands at its y.
    values: ColoredGrid,
    /// Distance between two curves.
    step: f64,
}

impl RidgelineLayer {
    pub fn new(lattice: RectilinearGrid, options: &Waterfall) -> Result<RidgelineLayer> {
        let (first, last) = (lattice.y.first(), lattice.y.last());
        let span = first.zip(last).map_or(0.0, |(a, b)| b - a);
        let steps = lattice.y.len().saturating_sub(1);
        let step = if steps > 0 { span / steps as f64 } else { 1.0 };
        Ok(RidgelineLayer {
            values: ColoredGrid::new("waterfall", lattice, &options.color_options, &options.style)?,
            step,
        })
    }

    /// Height of a value above its curve's line.
    fn height(&self, v: f64) -> f64 {
        let tint = &self.values.color_scale;
        let place = match tint.axis.scale.in_domain(v) {
            true => tint.axis.fraction(v).clamp(0.0, 1.0),
            false => 0.0,
        };
        OVERLAP * self.step * place
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

    fn draw(&self, look: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene) {
        let ColoredGrid {
            grid: lattice,
            color_scale: tint,
            style,
        } = &self.values;
        // The highest line is the farthest.
        for (y, row) in lattice.y.iter().zip(lattice.z.rows()).rev() {
            let base = view.y_pixel(*y);
            let points: Vec<(f64, f64)> =
                lattice.x.iter().copied().zip(row.iter().copied()).collect();
            for run in points.split(|(x, z)| z.is_nan() || !view.x.scale.in_domain(*x)) {
                let curve: Vec<(Point, (u8, u8, u8))> = run
                    .iter()
                    .map(|(x, z)| {
                        (
                            view.pixel((*x, y + self.height(*z))),
                            tint.quantized_rgb(*z),
                        )
                    })
                    .collect();
                let (Some((first, _)), Some((last, _))) = (curve.first(), curve.last()) else {
                    continue;
                };
                let mut area: Vec<Point> = curve.iter().map(|(p, _)| *p).collect();
                area.extend([(last.0, base), (first.0, base)]);
                scene.area(clip_polygon(&area, &view.rect), ((255, 255, 255), 0.9));
                for (line, rgb) in single_color_runs(&curve) {
                    let pen = Pen {
                        color: (rgb, look.alpha),
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
