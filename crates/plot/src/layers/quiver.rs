//! The layer of the arrows of a vector field.

use ndarray::Array2;

use super::super::axes_transform::AxesTransform;
use super::super::color::Color;
use super::super::color_scale::{ColorScale, ColorScaleOptions, impl_color_options};
use super::super::geometry::Point;
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::option_kinds::{ColorOption, Opacity, Pixels, StreamlineDensity};
use super::super::rectilinear_grid::{RectilinearGrid, cell_edges};
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::{Pen, Rgba, Scene};
use super::super::style::{Dash, Style};
use super::Layer;
use odesync_base::error::Result;
use odesync_base::option_set;
use odesync_base::options::{Flag, Key, Maybe, join};

option_set! {
    /// The options of the arrows or streamlines of a vector field.
    ///
    /// ```
    /// use odesync_plot::Arrows;
    /// let by_speed = Arrows::new().normalize().by_speed().label("speed");
    /// # let _ = by_speed;
    /// ```
    #[derive(Debug, Clone, PartialEq)]
    pub struct Arrows {
        /// Draw all arrows of one length.
        pub(in super::super) normalize: bool as Flag = false;
        /// Colour by speed.
        pub(in super::super) by_speed: bool as Flag = false;
        /// Density of streamlines.
        pub(in super::super) density: Option<f64> as Maybe<StreamlineDensity> = None, "1";
        /// Colour: a name, `"#rrggbb"` or an index into the palette.
        pub(in super::super) color: Option<Color> as Maybe<ColorOption> = None, "grey";
        /// Width of a line in pixels.
        pub(in super::super) width: Option<f64> as Maybe<Pixels> = None, "suits the layer";
        /// Length of the longest arrow in pixels.
        pub(in super::super) size: Option<f64> as Maybe<Pixels> = None, "a cell of the grid";
        /// Opacity from 0 to 1.
        pub(in super::super) alpha: Option<f64> as Maybe<Opacity> = None, "suits the layer";
    }
    sets {
        /// Colours.
        pub(in super::super) color_options: ColorScaleOptions;
    }
}

impl_color_options!(Arrows);

impl Arrows {
    /// Descriptions of all options.
    pub const KEYS: &'static [Key] = &join::<13>(&[ColorScaleOptions::KEYS, Self::OPTIONS]);

    /// Returns the style of the arrows, or of the streamlines.
    pub(in super::super) fn style(&self) -> Style {
        Style {
            color: self.color.or(Some(ARROW_GREY)),
            width: self.width,
            size: self.size,
            alpha: self.alpha,
            ..Style::new()
        }
    }

    /// Creates default options: grey arrows with lengths in proportion to the vectors, the longest as long as a cell of the grid.
    pub fn new() -> Arrows {
        Arrows::default()
    }

    /// Makes all arrows equally long: only the direction is shown.
    pub fn normalize(mut self) -> Arrows {
        self.normalize = true;
        self
    }

    /// Colours by the length of the vectors.
    pub fn by_speed(mut self) -> Arrows {
        self.by_speed = true;
        self
    }

    /// Sets one colour for all arrows or streamlines.
    pub fn color(mut self, color: Color) -> Arrows {
        self.color = Some(color);
        self
    }

    /// Sets the width of the strokes in pixels.
    pub fn width(mut self, width: f64) -> Arrows {
        self.width = Some(width);
        self
    }

    /// Sets the density of streamlines: 1 by default, larger for more streamlines.
    pub fn density(mut self, density: f64) -> Arrows {
        self.density = Some(density.clamp(0.2, 5.0));
        self
    }

    /// Returns the colour scale of the speed, if the arrows are coloured by speed.
    pub(in super::super) fn color_scale<'v>(
        &self,
        call: &str,
        speeds: impl Iterator<Item = f64> + Clone + 'v,
    ) -> Result<Option<ColorScale>> {
        match self.by_speed {
            true => self.color_options.resolve(call, speeds).map(Some),
            false => Ok(None),
        }
    }
}

/// The default colour of a vector field: lighter than trajectories, which are drawn over it.
pub(in super::super) const ARROW_GREY: Color = Color::Rgb(0x9a, 0x9a, 0x9a);

/// A layer of arrows: a vector for each x and y.
#[derive(Debug, Clone)]
pub(in super::super) struct Quiver {
    u: RectilinearGrid,
    v: Array2<f64>,
    color_scale: Option<ColorScale>,
    style: Style,
    normalize: bool,
}

impl Quiver {
    pub fn new(u: RectilinearGrid, v: Array2<f64>, options: &Arrows) -> Result<Quiver> {
        let speeds: Vec<f64> = u.z.iter().zip(&v).map(|(a, b)| a.hypot(*b)).collect();
        Ok(Quiver {
            color_scale: options.color_scale("quiver", speeds.iter().copied())?,
            u,
            v,
            style: options.style(),
            normalize: options.normalize,
        })
    }

    /// Returns for each arrow its position in pixels, its vector in pixels for the field's unit of time, and the field's speed.
    fn vectors(&self, view: &AxesTransform) -> Vec<(Point, Point, f64)> {
        let mut vectors = Vec::new();
        for (i, y) in self.u.y.iter().enumerate() {
            for (j, x) in self.u.x.iter().enumerate() {
                let (u, v) = (self.u.z[[i, j]], self.v[[i, j]]);
                if view.in_domain((*x, *y)) && u.is_finite() && v.is_finite() {
                    let at = view.pixel((*x, *y));
                    if view.rect.inflate(0.5).contains(at) {
                        vectors.push((at, view.vector_to_pixels((*x, *y), (u, v)), u.hypot(v)));
                    }
                }
            }
        }
        vectors
    }
}

/// Draws an arrow centred at a point; `vector` is the arrow in pixels.
pub(in super::super) fn draw_arrow(
    at: Point,
    vector: Point,
    color: Rgba,
    width: f64,
    scene: &mut Scene,
) {
    let length = vector.0.hypot(vector.1);
    if length < 0.7 {
        scene.disc(at, 0.6 * width, color);
        return;
    }
    let (dx, dy) = (vector.0 / length, vector.1 / length);
    let tail = (at.0 - 0.5 * vector.0, at.1 - 0.5 * vector.1);
    let tip = (at.0 + 0.5 * vector.0, at.1 + 0.5 * vector.1);
    let head = (3.2 * width + 2.0).min(0.6 * length);
    let neck = (tip.0 - 0.8 * head * dx, tip.1 - 0.8 * head * dy);
    let pen = Pen {
        color,
        width,
        dash: Dash::Solid,
    };
    scene.line(&[tail, neck], pen);
    scene.area(arrowhead(tip, (dx, dy), head), color);
}

/// Returns the polygon of an arrowhead with its tip at a point, in the direction (dx, dy).
pub(in super::super) fn arrowhead(tip: Point, (dx, dy): Point, head: f64) -> Vec<Point> {
    let back = (tip.0 - head * dx, tip.1 - head * dy);
    let side = 0.42 * head;
    vec![
        tip,
        (back.0 - side * dy, back.1 + side * dx),
        (back.0 + side * dy, back.1 - side * dx),
    ]
}

impl LegendHandle for Quiver {
    fn kind(&self) -> LayerKind {
        LayerKind::GridData
    }

    fn style(&self) -> &Style {
        &self.style
    }

    fn color_scale(&self) -> Option<&ColorScale> {
        self.color_scale.as_ref()
    }
}

impl Layer for Quiver {
    fn points(&self) -> Vec<Point> {
        // Includes a margin for the outer arrows.
        let (x, y) = (cell_edges(&self.u.x), cell_edges(&self.u.y));
        y.iter().flat_map(|y| x.iter().map(|x| (*x, *y))).collect()
    }

    fn tight(&self) -> bool {
        true
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene) {
        let vectors = self.vectors(view);
        let room = |n: usize, size: f64| size / n.max(2) as f64;
        let cell =
            room(self.u.x.len(), view.rect.width()).min(room(self.u.y.len(), view.rect.height()));
        let most = self.style.size.unwrap_or(0.95 * cell.max(6.0));
        let longest = vectors
            .iter()
            .map(|(_, v, _)| v.0.hypot(v.1))
            .fold(0.0, f64::max);
        let width = self.style.width.unwrap_or(1.3);
        for (at, vector, speed) in vectors {
            let length = vector.0.hypot(vector.1);
            if longest == 0.0 {
                continue;
            }
            let scale = match self.normalize {
                true if length > 0.0 => 0.8 * most / length,
                _ => most / longest,
            };
            let rgb = match &self.color_scale {
                Some(color_scale) => color_scale.rgb(speed).unwrap_or(style.rgb),
                None => style.rgb,
            };
            draw_arrow(
                at,
                (scale * vector.0, scale * vector.1),
                (rgb, style.alpha),
                width,
                scene,
            );
        }
    }

    fn footprint(&self, _: &AxesTransform) -> Vec<Point> {
        Vec::new()
    }
}
