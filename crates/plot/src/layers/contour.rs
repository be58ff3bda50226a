//! The layer of contour lines, or of the areas between them.

use super::super::axes_transform::AxesTransform;
use super::super::color::{Color, darker};
use super::super::color_scale::{ColorScale, ColorScaleOptions, impl_color_options};
use super::super::drawing_context;
use super::super::font;
use super::super::geometry::{Point, Rect, clip_line, clip_outside, clip_polygon};
use super::super::label;
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::marching_squares::{LevelPolygon, level_polygons};
use super::super::option_kinds::{ColorOption, Levels, LevelsOption, Opacity, Pixels};
use super::super::rectilinear_grid::RectilinearGrid;
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::{Align, Pen, Scene};
use super::super::style::{Dash, Style};
use super::super::ticks::{round_values, standalone_labels};
use super::Layer;
use super::contour_labels;
use super::heatmap::hatch;
use odesync_base::error::Result;
use odesync_base::option_set;
use odesync_base::options::{Flag, Key, Maybe, OneOf, join};

/// Size of the labels on contour lines in pixels per em.
const EM: f64 = 12.0;

/// Approximate number of levels where none are given.
const DEFAULT_LEVELS: usize = 10;

option_set! {
    /// The options of a contour layer.
    ///
    /// ```
    /// use odesync_plot::Contour;
    /// let filled = Contour::new().filled().count(12)?;
    /// let chosen = Contour::new().levels(&[0.1, 1.0, 10.0])?;
    /// # let _ = (filled, chosen);
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq)]
    pub struct Contour {
        /// Number of levels, or a list of values.
        levels: Option<Levels> as Maybe<LevelsOption> = None, "about ten";
        /// Fill between the levels.
        filled: bool as Flag = false;
        /// Label each line with its level; areas never are.
        numbers: bool as Flag = true;
        /// Colour: a name, `"#rrggbb"` or an index into the palette.
        color: Option<Color> as Maybe<ColorOption> = None, "by the level";
        /// Width of a line in pixels.
        width: Option<f64> as Maybe<Pixels> = None, "suits the layer";
        /// Dash pattern of a line.
        dash: Option<Dash> as Maybe<OneOf<Dash>> = None, "`\"solid\"`";
        /// Opacity from 0 to 1.
        alpha: Option<f64> as Maybe<Opacity> = None, "suits the layer";
    }
    sets {
        /// Colours.
        pub(in super::super) color_options: ColorScaleOptions;
    }
}

impl_color_options!(Contour);

impl Contour {
    /// Descriptions of all options.
    pub const KEYS: &'static [Key] = &join::<13>(&[ColorScaleOptions::KEYS, Self::OPTIONS]);

    /// Returns the style of the lines.
    pub(in super::super) fn style(&self) -> Style {
        Style {
            color: self.color,
            width: self.width,
            dash: self.dash,
            alpha: self.alpha,
            ..Style::new()
        }
    }

    /// Creates options for about ten levels at round values: lines coloured by their level, or dark lines over a layer with
    /// colours, each labelled with its level where there is room.
    pub fn new() -> Contour {
        Contour::default()
    }

    /// Sets the approximate number of levels, which lie at round values.
    ///
    /// # Errors
    ///
    /// A count of 0 or above 200.
    pub fn count(mut self, count: usize) -> Result<Contour> {
        self.levels = Some(Levels::count(count)?);
        Ok(self)
    }

    /// Sets the levels.
    ///
    /// # Errors
    ///
    /// No level, more than 200, or one that is not finite.
    pub fn levels(mut self, levels: &[f64]) -> Result<Contour> {
        self.levels = Some(Levels::values(levels)?);
        Ok(self)
    }

    /// Colours the areas between the levels.
    pub fn filled(mut self) -> Contour {
        self.filled = true;
        self
    }

    /// Sets whether lines are labelled with their levels; areas never are.
    pub fn numbers(mut self, numbers: bool) -> Contour {
        self.numbers = numbers;
        self
    }

    /// Sets one colour for all lines.
    pub fn color(mut self, color: Color) -> Contour {
        self.color = Some(color);
        self
    }

    /// Sets the width of the lines in pixels.
    pub fn width(mut self, width: f64) -> Contour {
        self.width = Some(width);
        self
    }
}

/// A contour layer with its levels and colours resolved.
#[derive(Debug, Clone)]
pub(in super::super) struct ContourLayer {
    grid: RectilinearGrid,
    color_scale: ColorScale,
    levels: Vec<f64>,
    filled: bool,
    numbered: bool,
    /// Whether a layer below already has colours.
    over_colors: bool,
    style: Style,
}

impl ContourLayer {
    /// Creates a contour layer; `over` says that a layer below already has colours, on which lines are dark.
    pub fn new(grid: RectilinearGrid, options: &Contour, over: bool) -> Result<ContourLayer> {
        let mut color_scale = options
            .color_options
            .resolve("contour", grid.z.iter().copied())?;
        let axis = color_scale.axis;
        let round = |count: usize| {
            let values = round_values(axis.lo, axis.hi, count).into_iter();
            let inside = values.filter(|at| *at > axis.lo && *at < axis.hi);
            inside.map(|at| axis.scale.inverse(at)).collect()
        };
        let levels = match &options.levels {
            Some(Levels::Values(levels)) => levels.clone(),
            Some(Levels::Count(count)) => round(*count),
            None => round(DEFAULT_LEVELS),
        };
        if options.filled {
            color_scale.levels = levels.clone();
        }
        let mut style = options.style();
        if over && !options.filled && style.color.is_none() {
            style.color = Some(Color::Rgb(0x11, 0x11, 0x11));
            style.alpha = style.alpha.or(Some(0.7));
        }
        Ok(ContourLayer {
            grid,
            color_scale,
            levels,
            filled: options.filled,
            numbered: options.numbers,
            over_colors: over,
            style,
        })
    }

    /// Returns the values in the coordinate of the colour scale, NaN where they are outside its domain.
    fn scaled_values(&self) -> ndarray::Array2<f64> {
        let scale = self.color_scale.axis.scale;
        self.grid.z.mapv(|v| match scale.in_domain(v) {
            true => scale.forward(v),
            false => f64::NAN,
        })
    }

    fn pixel_coordinates(&self, view: &AxesTransform) -> (Vec<f64>, Vec<f64>) {
        let x = self.grid.x.iter().map(|x| view.x_pixel(*x));
        let y = self.grid.y.iter().map(|y| view.y_pixel(*y));
        (x.collect(), y.collect())
    }

    fn fill(&self, view: &AxesTransform, scene: &mut Scene) {
        let z = self.scaled_values();
        let (x, y) = self.pixel_coordinates(view);
        if let [Some(left), Some(right), Some(bottom), Some(top)] =
            [x.first(), x.last(), y.first(), y.last()]
            && z.iter().any(|v| v.is_nan())
        {
            let (left, right) = (left.max(view.rect.left), right.min(view.rect.right));
            let (top, bottom) = (top.max(view.rect.top), bottom.min(view.rect.bottom));
            hatch(
                &Rect {
                    left,
                    top,
                    right,
                    bottom,
                },
                scene,
            );
        }
        let scale = self.color_scale.axis.scale;
        let floor = f64::NEG_INFINITY;
        let levels = self.levels.iter().map(|v| scale.forward(*v));
        // Each area is painted over that of the next lower level, so that no seam is visible between them.
        for (i, level) in std::iter::once(floor).chain(levels).enumerate() {
            let rgb = self.color_scale.map.rgb(self.color_scale.band_center(i));
            let area = join_with_bridges(&level_polygons(&x, &y, &z, level));
            let alpha = self.style.alpha.unwrap_or(1.0);
            scene.area(clip_polygon(&area, &view.rect), (rgb, alpha));
        }
    }

    fn lines(&self, style: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene) {
        let z = self.scaled_values();
        let (x, y) = self.pixel_coordinates(view);
        let mut lines: Vec<(usize, Vec<Point>)> = Vec::new();
        for (i, level) in self.levels.iter().enumerate() {
            for outline in level_polygons(&x, &y, &z, self.color_scale.axis.scale.forward(*level)) {
                let pieces = level_lines(&outline).into_iter();
                let pieces = pieces.flat_map(|line| clip_line(&line, &view.rect));
                lines.extend(pieces.map(|piece| (i, piece)));
            }
        }
        let texts = standalone_labels(&self.levels);
        let numbers = match self.numbered && scene.shows_text() {
            true => {
                let size = |i: usize| ((label::width(&texts[i]) + 0.4) * EM, 1.1 * EM);
                let sized: Vec<_> = lines.iter().map(|(i, l)| (l.clone(), size(*i))).collect();
                contour_labels::place_labels(&sized, &view.rect)
            }
            false => vec![None; lines.len()],
        };
        for ((i, line), number) in lines.iter().zip(numbers) {
            let pen = self.pen(self.levels[*i], style);
            let Some(gap) = number else {
                scene.line(line, pen);
                continue;
            };
            for piece in clip_outside(line, &gap) {
                scene.line(&piece, pen);
            }
            if self.over_colors {
                scene.rect(&gap, ((255, 255, 255), 0.5));
            }
            let (rgb, alpha) = pen.color;
            // The light colours of a map are hard to read on white.
            let color = match self.style.color {
                Some(_) => (rgb, alpha),
                None if drawing_context::is_dark() => (rgb, alpha),
                None => (darker(rgb, 0.7), alpha),
            };
            let baseline = 0.5 * (gap.top + gap.bottom + font::CAP_HEIGHT * EM);
            let at = (0.5 * (gap.left + gap.right), baseline);
            scene.text(&texts[*i], at, EM, Align::Center, false, color);
        }
    }

    /// Returns the pen for the line of a level.
    fn pen(&self, level: f64, style: &ResolvedStyle) -> Pen {
        let (rgb, width) = match self.style.color {
            Some(color) => (drawing_context::rgb(color), 1.0),
            None => (
                self.color_scale
                    .map
                    .rgb(self.color_scale.axis.fraction(level)),
                1.8,
            ),
        };
        Pen {
            color: (rgb, style.alpha),
            width: self.style.width.unwrap_or(width),
            dash: self.style.dash.unwrap_or(Dash::Solid),
        }
    }
}

/// Joins outlines into one polygon by bridges of zero width.
fn join_with_bridges(outlines: &[LevelPolygon]) -> Vec<Point> {
    let mut polygon: Vec<Point> = Vec::new();
    for outline in outlines {
        polygon.extend(outline.iter().map(|(p, _)| *p));
        polygon.extend(outline.first().map(|(p, _)| *p));
        polygon.extend(polygon.first().copied());
    }
    polygon
}

/// Returns the parts of an outline that follow the level.
fn level_lines(outline: &LevelPolygon) -> Vec<Vec<Point>> {
    let n = outline.len();
    // Starts after a border side, so that no line is split at the arbitrary first vertex of the outline.
    let start = outline
        .iter()
        .position(|(_, follows)| !follows)
        .map_or(0, |i| i + 1);
    let mut lines: Vec<Vec<Point>> = Vec::new();
    let mut open = false;
    for k in 0..n {
        let (from, follows) = outline[(start + k) % n];
        if follows {
            let to = outline[(start + k + 1) % n].0;
            match lines.last_mut() {
                Some(line) if open => line.push(to),
                _ => lines.push(vec![from, to]),
            }
        }
        open = follows;
    }
    lines
}

impl LegendHandle for ContourLayer {
    fn kind(&self) -> LayerKind {
        LayerKind::GridData
    }

    fn style(&self) -> &Style {
        &self.style
    }

    fn color_scale(&self) -> Option<&ColorScale> {
        // Lines of one fixed colour need no colour bar.
        (self.filled || self.style.color.is_none()).then_some(&self.color_scale)
    }
}

impl Layer for ContourLayer {
    fn points(&self) -> Vec<Point> {
        let (x, y) = (&self.grid.x, &self.grid.y);
        let ends = |v: &[f64]| v.first().copied().zip(v.last().copied());
        match ends(x).zip(ends(y)) {
            Some(((left, right), (bottom, top))) => vec![(left, bottom), (right, top)],
            None => Vec::new(),
        }
    }

    fn tight(&self) -> bool {
        true
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene) {
        match self.filled {
            true => self.fill(view, scene),
            false => self.lines(style, view, scene),
        }
    }

    fn footprint(&self, _: &AxesTransform) -> Vec<Point> {
        Vec::new()
    }
}
