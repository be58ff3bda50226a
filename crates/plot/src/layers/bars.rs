//! The layer of bars: heights over categories or numbers, and histograms.

use std::sync::Arc;

use super::super::axes_transform::AxesTransform;
use super::super::color::Color;
use super::super::drawing_context;
use super::super::geometry::{Point, Rect};
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::option_kinds::{ColorOption, Opacity};
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::{Pen, Scene};
use super::super::style::{Dash, Style};
use super::Layer;
use odesync_base::error::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Count, Flag, Maybe, Text};

/// Part of the distance between two positions that their bars take together.
const FILL: f64 = 0.8;
/// Most bins of a histogram.
const MAX_BINS: usize = 10_000;

/// A bar: its sides and its height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Bar {
    pub left: f64,
    pub right: f64,
    pub height: f64,
}

/// Bars from 0 to their heights.
#[derive(Debug, Clone)]
pub(in super::super) struct Bars {
    pub bars: Arc<[Bar]>,
    pub style: Style,
}

impl Bars {
    /// Returns bar `k` of `n` that stand side by side at each position.
    pub fn beside(x: &[f64], heights: &[f64], (k, n): (usize, usize), style: Style) -> Bars {
        let mut sorted: Vec<f64> = x.iter().copied().filter(|x| x.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let gaps = sorted.windows(2).map(|pair| pair[1] - pair[0]);
        let gap = gaps.filter(|gap| *gap > 0.0).fold(f64::INFINITY, f64::min);
        let gap = if gap.is_finite() { gap } else { 1.0 };
        let width = FILL * gap / n as f64;
        let offset = width * (k as f64 - 0.5 * n as f64);
        let bar = |(x, height): (&f64, &f64)| Bar {
            left: x + offset,
            right: x + offset + width,
            height: *height,
        };
        Bars {
            bars: x.iter().zip(heights).map(bar).collect(),
            style,
        }
    }

    /// Returns the rectangles in pixels, within the frame.
    fn rects(&self, view: &AxesTransform) -> Vec<Rect> {
        let frame = &view.rect;
        let rect = |bar: &Bar| {
            let sides = (bar.left, bar.height);
            if !view.in_domain(sides) || !view.x.scale.in_domain(bar.right) {
                return None;
            }
            let (a, b) = (view.x_pixel(bar.left), view.x_pixel(bar.right));
            // On a logarithmic axis 0 lies below the frame.
            let (base, top) = (view.y_pixel(0.0), view.y_pixel(bar.height));
            let rect = Rect {
                left: a.min(b).max(frame.left),
                right: a.max(b).min(frame.right),
                top: base.min(top).max(frame.top),
                bottom: base.max(top).min(frame.bottom),
            };
            (rect.right > rect.left && rect.bottom >= rect.top).then_some(rect)
        };
        self.bars.iter().filter_map(rect).collect()
    }
}

impl LegendHandle for Bars {
    fn kind(&self) -> LayerKind {
        LayerKind::Bars
    }

    fn style(&self) -> &Style {
        &self.style
    }
}

impl Layer for Bars {
    fn points(&self) -> Vec<Point> {
        let ends = |bar: &Bar| [(bar.left, bar.height), (bar.right, bar.height)];
        self.bars.iter().flat_map(ends).collect()
    }

    fn base(&self) -> Option<f64> {
        Some(0.0)
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene) {
        // A thin edge in the colour of the paper keeps bars apart that touch.
        let edge = Pen {
            color: (drawing_context::ground().paper, 1.0),
            width: 0.8,
            dash: Dash::Solid,
        };
        for rect in self.rects(view) {
            scene.rect(&rect, style.rgba());
            if scene.shows_text() && rect.width() > 4.0 {
                for x in [rect.left, rect.right] {
                    scene.line(&[(x, rect.top), (x, rect.bottom)], edge);
                }
            }
        }
    }

    fn footprint(&self, view: &AxesTransform) -> Vec<Point> {
        let mut points = Vec::new();
        for rect in self.rects(view) {
            let steps = |length: f64| (length / 6.0).ceil().max(1.0) as usize;
            let (across, down) = (steps(rect.width()), steps(rect.height()));
            for i in 0..=across {
                for j in 0..=down {
                    points.push((
                        rect.left + rect.width() * i as f64 / across as f64,
                        rect.top + rect.height() * j as f64 / down as f64,
                    ));
                }
            }
        }
        points
    }
}

option_set! {
    /// The options of a histogram.
    ///
    /// ```
    /// use odesync_plot::{Figure, Histogram};
    /// let residuals = [-0.3, -0.1, 0.0, 0.1, 0.1, 0.4];
    /// let figure = Figure::new().histogram(&residuals, &Histogram::new().bins(7).density())?;
    /// assert!(figure.to_svg()?.contains("<polygon"));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq)]
    pub struct Histogram {
        /// Number of bins, from the smallest to the largest value.
        bins: Option<usize> as Maybe<Count> = None, "by Freedman and Diaconis's rule";
        /// Draw the density, whose area is 1, in place of the counts.
        density: bool as Flag = false;
        /// Name in the legend.
        label: Option<String> as Maybe<Text> = None;
        /// Colour: a name, `"#rrggbb"` or an index into the palette.
        color: Option<Color> as Maybe<ColorOption> = None, "the next of the palette";
        /// Opacity from 0 to 1.
        alpha: Option<f64> as Maybe<Opacity> = None, "0.85";
    }
}

impl Histogram {
    /// Creates default options: counts in as many bins as suit the values.
    pub fn new() -> Histogram {
        Histogram::default()
    }

    /// Sets the number of bins.
    pub fn bins(mut self, bins: usize) -> Histogram {
        self.bins = Some(bins);
        self
    }

    /// Draws the density, whose area is 1, in place of the counts.
    pub fn density(mut self) -> Histogram {
        self.density = true;
        self
    }

    /// Sets the name in the legend.
    pub fn label(mut self, label: impl Into<String>) -> Histogram {
        self.label = Some(label.into());
        self
    }

    /// Sets the colour.
    pub fn color(mut self, color: Color) -> Histogram {
        self.color = Some(color);
        self
    }

    /// Sets the opacity, 0 to 1.
    pub fn alpha(mut self, alpha: f64) -> Histogram {
        self.alpha = Some(alpha);
        self
    }

    /// Returns the layer of the histogram of these values; those that are not finite are left out.
    ///
    /// # Errors
    ///
    /// No finite value, or a number of bins that is 0 or above 10,000.
    pub(in super::super) fn layer(&self, values: &[f64]) -> Result<Bars> {
        let mut sorted: Vec<f64> = values
            .iter()
            .copied()
            .filter(|v| v.abs() <= 1e300)
            .collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else {
            return Err(Error::invalid(format!(
                "histogram: none of the {} values is finite",
                values.len()
            )));
        };
        let bins = self.bins.unwrap_or_else(|| freedman_diaconis(&sorted));
        if !(1..=MAX_BINS).contains(&bins) {
            return Err(Error::invalid(format!(
                "histogram: there cannot be {bins} bins; give 1 to {MAX_BINS}"
            )));
        }
        // Values that are all equal stand in the middle of bins of a suitable width.
        let (low, high) = match high - low > 1e-12 * low.abs().max(high.abs()) {
            true => (low, high),
            false => {
                let half = if low == 0.0 { 0.5 } else { 0.05 * low.abs() };
                (low - half, high + half)
            }
        };
        let width = (high - low) / bins as f64;
        let mut counts = vec![0.0; bins];
        for v in &sorted {
            let bin = ((v - low) / width).floor().max(0.0) as usize;
            // The largest value belongs into the last bin.
            if let Some(count) = counts.get_mut(bin.min(bins - 1)) {
                *count += 1.0;
            }
        }
        let scale = match self.density {
            true => 1.0 / (sorted.len() as f64 * width),
            false => 1.0,
        };
        let bar = |(i, count): (usize, &f64)| Bar {
            left: low + width * i as f64,
            right: low + width * (i + 1) as f64,
            height: count * scale,
        };
        Ok(Bars {
            bars: counts.iter().enumerate().map(bar).collect(),
            style: Style {
                label: self.label.clone(),
                color: self.color,
                alpha: self.alpha,
                ..Style::new()
            },
        })
    }
}

/// Returns the number of bins by the rule of Freedman and Diaconis (1981): their width is twice the distance of the quartiles over
/// the cube root of the number of values; where that distance is 0, by Sturges's rule.
fn freedman_diaconis(sorted: &[f64]) -> usize {
    let n = sorted.len();
    let quantile = |q: f64| {
        let at = q * (n - 1) as f64;
        let (i, s) = (at.floor() as usize, at.fract());
        let value = |i: usize| sorted.get(i).copied().unwrap_or(f64::NAN);
        value(i)
            + if s > 0.0 {
                s * (value(i + 1) - value(i))
            } else {
                0.0
            }
    };
    let sturges = ((n as f64).log2().ceil() as usize + 1).max(1);
    let width = 2.0 * (quantile(0.75) - quantile(0.25)) / (n as f64).cbrt();
    let span = quantile(1.0) - quantile(0.0);
    let bins = (span / width).ceil();
    match bins.is_finite() && bins >= 1.0 {
        true => (bins as usize).min(200),
        false => sturges,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heights(values: &[f64], options: &Histogram) -> Vec<f64> {
        let layer = options.layer(values).expect("a histogram");
        layer.bars.iter().map(|bar| bar.height).collect()
    }

    #[test]
    fn every_finite_value_is_counted_once() {
        let values = [0.0, 0.5, 1.0, 1.5, 2.0, f64::NAN, f64::INFINITY];
        assert_eq!(heights(&values, &Histogram::new().bins(2)), [2.0, 3.0]);
        assert_eq!(
            heights(&values, &Histogram::new().bins(4)),
            [1.0, 1.0, 1.0, 2.0]
        );
        assert_eq!(
            heights(&[3.0, 3.0], &Histogram::new().bins(3)),
            [0.0, 2.0, 0.0]
        );
        assert!(Histogram::new().layer(&[f64::NAN]).is_err());
        assert!(Histogram::new().bins(0).layer(&[1.0]).is_err());
    }

    #[test]
    fn a_density_has_the_area_one() {
        let values: Vec<f64> = (0..1000).map(|i| (f64::from(i) * 0.37).sin()).collect();
        let layer = Histogram::new()
            .density()
            .layer(&values)
            .expect("a histogram");
        let area: f64 = layer
            .bars
            .iter()
            .map(|b| b.height * (b.right - b.left))
            .sum();
        assert!((area - 1.0).abs() < 1e-12, "{area}");
    }

    #[test]
    fn bins_and_counts_are_those_of_numpy() {
        // numpy.histogram(numpy.exp(2 * numpy.sin(0.7 * numpy.arange(500))), "fd")
        let values: Vec<f64> = (0..500)
            .map(|i| (2.0 * (0.7 * f64::from(i)).sin()).exp())
            .collect();
        let counts = [245.0, 65.0, 25.0, 24.0, 31.0, 30.0, 23.0, 57.0];
        assert_eq!(heights(&values, &Histogram::new()), counts);
    }

    #[test]
    fn bars_side_by_side_fill_the_same_part() {
        let x = [0.0, 1.0, 2.0];
        let first = Bars::beside(&x, &x, (0, 2), Style::new());
        let second = Bars::beside(&x, &x, (1, 2), Style::new());
        assert!((first.bars[0].left + 0.4).abs() < 1e-12);
        assert!((first.bars[0].right - second.bars[0].left).abs() < 1e-12);
        assert!((second.bars[2].right - 2.4).abs() < 1e-12);
    }
}
