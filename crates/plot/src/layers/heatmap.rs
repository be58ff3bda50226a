//! The layer of values on a grid as coloured cells.

use super::super::axes_transform::AxesTransform;
use super::super::bitmap::Bitmap;
use super::super::color_scale::{ColorScaleOptions, impl_color_options};
use super::super::colored_grid::{ColoredGrid, GridLayer};
use super::super::drawing_context;
use super::super::geometry::{Point, Rect, clip_line};
use super::super::rectilinear_grid::{RectilinearGrid, cell_edges};
use super::super::resolved_style::ResolvedStyle;
use super::super::scale::Axis;
use super::super::scene::{Pen, Scene};
use super::super::style::{Dash, Style};
use super::Layer;
use odesync_base::error::Result;
use odesync_base::option_set;
use odesync_base::options::{Flag, Key, join};

option_set! {
    /// The options of a heat map.
    ///
    /// ```
    /// use odesync_plot::{ColorMap, HeatMap};
    /// let logarithmic = HeatMap::new().map(ColorMap::Cividis).log().label("loss");
    /// # let _ = logarithmic;
    /// ```
    #[derive(Debug, Clone, PartialEq)]
    pub struct HeatMap {
        /// Blend the colours between the centres of the cells.
        pub(in super::super) smooth: bool as Flag = false;
    }
    sets {
        /// Colours.
        pub(in super::super) color_options: ColorScaleOptions;
    }
}

impl_color_options!(HeatMap);

impl HeatMap {
    /// Descriptions of all options.
    pub const KEYS: &'static [Key] = &join::<7>(&[ColorScaleOptions::KEYS, Self::OPTIONS]);

    /// Creates default options: viridis over the range of the values, with a colour bar.
    pub fn new() -> HeatMap {
        HeatMap::default()
    }

    /// Blends the colours between the centres of the cells.
    pub fn smooth(mut self) -> HeatMap {
        self.smooth = true;
        self
    }
}

/// A heat map layer with its colours resolved.
#[derive(Debug, Clone)]
pub(in super::super) struct HeatMapLayer {
    values: ColoredGrid,
    /// Borders of the cells along x.
    x: Vec<f64>,
    y: Vec<f64>,
    smooth: bool,
}

impl HeatMapLayer {
    pub fn new(grid: RectilinearGrid, options: &HeatMap) -> Result<HeatMapLayer> {
        let borders = |at: &[f64], n: usize| match at.len() == n {
            true => cell_edges(at),
            false => at.to_vec(),
        };
        Ok(HeatMapLayer {
            x: borders(&grid.x, grid.z.ncols()),
            y: borders(&grid.y, grid.z.nrows()),
            values: ColoredGrid::new("heatmap", grid, &options.color_options, &Style::new())?,
            smooth: options.smooth,
        })
    }

    /// Returns the visible part of the rectangle that the cells cover, in pixels.
    fn rect(&self, view: &AxesTransform) -> Option<Rect> {
        let corner = |x: Option<&f64>, y: Option<&f64>| x.zip(y).map(|(x, y)| view.pixel((*x, *y)));
        let (left, bottom) = corner(self.x.first(), self.y.first())?;
        let (right, top) = corner(self.x.last(), self.y.last())?;
        let rect = Rect {
            left: left.max(view.rect.left),
            top: top.max(view.rect.top),
            right: right.min(view.rect.right),
            bottom: bottom.min(view.rect.bottom),
        };
        (rect.width() > 0.0 && rect.height() > 0.0).then_some(rect)
    }

    /// Whether all cells have the same size and are visible, so that a bitmap of one pixel per cell suffices.
    fn is_uniform(&self, view: &AxesTransform) -> bool {
        let even = |edges: &[f64], axis: &Axis| {
            let places: Vec<f64> = edges.iter().map(|v| axis.fraction(*v)).collect();
            let n = places.len() - 1;
            let (first, last) = (places[0], places[n]);
            let at = |i: usize| first + (last - first) * i as f64 / n as f64;
            first >= -1e-9
                && last <= 1.0 + 1e-9
                && (0..=n).all(|i| (places[i] - at(i)).abs() < 2e-4)
        };
        even(&self.x, &view.x) && even(&self.y, &view.y)
    }

    fn cell_bitmap(&self) -> Bitmap {
        let (rows, columns) = self.values.grid.z.dim();
        Bitmap::from_fn(columns as u32, rows as u32, |i, j| {
            self.values
                .color_scale
                .rgb(self.values.grid.z[[rows - 1 - i, j]])
        })
    }

    /// Returns the bitmap of `rect`, sampled at `pixel_ratio` points per pixel of the figure.
    fn resample(&self, view: &AxesTransform, rect: &Rect, pixel_ratio: f64) -> Bitmap {
        let (width, height) = (
            (rect.width() * pixel_ratio).ceil().max(1.0),
            (rect.height() * pixel_ratio).ceil().max(1.0),
        );
        let x_at = |j: usize| view.x_value(rect.left + rect.width() * (j as f64 + 0.5) / width);
        let y_at = |i: usize| view.y_value(rect.top + rect.height() * (i as f64 + 0.5) / height);
        let cell = |edges: &[f64], v: f64| {
            let i = edges.partition_point(|e| *e <= v);
            i.saturating_sub(1).min(edges.len().saturating_sub(2))
        };
        if !self.smooth {
            let columns: Vec<usize> = (0..width as usize)
                .map(|j| cell(&self.x, x_at(j)))
                .collect();
            let rows: Vec<usize> = (0..height as usize)
                .map(|i| cell(&self.y, y_at(i)))
                .collect();
            return Bitmap::from_fn(width as u32, height as u32, |i, j| {
                self.values
                    .color_scale
                    .rgb(self.values.grid.z[[rows[i], columns[j]]])
            });
        }
        let (x, y) = (centers(&self.x), centers(&self.y));
        let columns: Vec<_> = (0..width as usize)
            .map(|j| find_cell_clamped(&x, x_at(j)))
            .collect();
        let rows: Vec<_> = (0..height as usize)
            .map(|i| find_cell_clamped(&y, y_at(i)))
            .collect();
        let (scale, z) = (self.values.color_scale.axis.scale, &self.values.grid.z);
        let value = |i: usize, j: usize| match scale.in_domain(z[[i, j]]) {
            true => scale.forward(z[[i, j]]),
            false => f64::NAN,
        };
        Bitmap::from_fn(width as u32, height as u32, |i, j| {
            let ((i0, i1, s), (j0, j1, t)) = (rows[i], columns[j]);
            let low = value(i0, j0) * (1.0 - t) + value(i0, j1) * t;
            let high = value(i1, j0) * (1.0 - t) + value(i1, j1) * t;
            let blended = low * (1.0 - s) + high * s;
            let nearest = value(if s < 0.5 { i0 } else { i1 }, if t < 0.5 { j0 } else { j1 });
            let at = if blended.is_nan() { nearest } else { blended };
            (!at.is_nan()).then(|| {
                self.values
                    .color_scale
                    .map
                    .rgb(self.values.color_scale.axis.fraction_of_scaled(at))
            })
        })
    }
}

fn centers(edges: &[f64]) -> Vec<f64> {
    edges.windows(2).map(|p| 0.5 * p[0] + 0.5 * p[1]).collect()
}

/// Returns the indices of the two neighbours of `v` in increasing values and its fraction between them, 0 to 1; clamped at the
/// ends.
fn find_cell_clamped(values: &[f64], v: f64) -> (usize, usize, f64) {
    let last = values.len().saturating_sub(1);
    let high = values.partition_point(|x| *x <= v).clamp(1.min(last), last);
    let low = high.saturating_sub(1);
    let span = values[high] - values[low];
    let s = if span > 0.0 {
        ((v - values[low]) / span).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (low, high, s)
}

/// Hatches a rectangle of missing values.
pub(in super::super) fn hatch(rect: &Rect, scene: &mut Scene) {
    let (paper, lines) = drawing_context::ground().hatch;
    scene.rect(rect, paper);
    let pen = Pen {
        color: lines,
        width: 0.8,
        dash: Dash::Solid,
    };
    let height = rect.height();
    let mut x = rect.left - height;
    while x < rect.right {
        for piece in clip_line(&[(x, rect.bottom), (x + height, rect.top)], rect) {
            scene.line(&piece, pen);
        }
        x += 7.0;
    }
}

impl GridLayer for HeatMapLayer {
    fn colored_grid(&self) -> &ColoredGrid {
        &self.values
    }
}

impl Layer for HeatMapLayer {
    fn points(&self) -> Vec<Point> {
        let rows = self.y.iter().map(|y| (self.x[0], *y));
        let columns = self.x.iter().map(|x| (*x, self.y[0]));
        rows.chain(columns)
            .chain(self.x.last().copied().zip(self.y.last().copied()))
            .collect()
    }

    fn tight(&self) -> bool {
        true
    }

    fn draw(&self, _: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene) {
        let Some(rect) = self.rect(view) else {
            return;
        };
        if self
            .values
            .grid
            .z
            .iter()
            .any(|v| !self.values.color_scale.axis.scale.in_domain(*v))
        {
            hatch(&rect, scene);
        }
        match (self.smooth, self.is_uniform(view)) {
            (false, true) => scene.image(rect, self.cell_bitmap(), false),
            (false, false) => scene.image(rect, self.resample(view, &rect, 2.0), false),
            (true, _) => scene.image(rect, self.resample(view, &rect, 1.0), true),
        }
    }

    fn footprint(&self, _: &AxesTransform) -> Vec<Point> {
        // Empty: the cells cover the whole frame, and the legend must lie on some of them.
        Vec::new()
    }
}
