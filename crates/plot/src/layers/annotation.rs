//! The layer of a text with an arrow.

use super::super::axes_transform::AxesTransform;
use super::super::color::Color;
use super::super::drawing_context;
use super::super::font;
use super::super::geometry::{Point, Rect, clip_outside};
use super::super::label;
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::option_kinds::ColorOption;
use super::super::panel_metrics::{LABEL_EM, ink};
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::{Align, Pen, Scene};
use super::super::style::{Dash, Style};
use super::quiver::arrowhead;
use super::{Layer, sample_polyline};
use odesync_base::option_set;
use odesync_base::options::{Maybe, NumberPair};

/// Width and head of the arrow in pixels.
const ARROW: (f64, f64) = (1.2, 8.0);
/// Distance between the text and its arrow, and between the arrow and its point, in pixels.
const GAP: f64 = 4.0;

option_set! {
    /// The options of a text in a figure.
    ///
    /// ```
    /// use odesync_plot::{Annotation, Figure, Style};
    /// let figure = Figure::new()
    ///     .line([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], Style::new())?
    ///     .annotate("maximum", (1.5, 0.9), &Annotation::new().to(1.0, 1.0))?;
    /// assert!(figure.to_svg()?.contains("maximum"));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq)]
    pub struct Annotation {
        /// Point at which an arrow points, `[x, y]`.
        to: Option<(f64, f64)> as Maybe<NumberPair> = None, "no arrow";
        /// Colour: a name, `"#rrggbb"` or an index into the palette.
        color: Option<Color> as Maybe<ColorOption> = None, "that of the axes";
    }
}

impl Annotation {
    /// Creates default options: a text without an arrow.
    pub fn new() -> Annotation {
        Annotation::default()
    }

    /// Adds an arrow from the text to a point.
    pub fn to(mut self, x: f64, y: f64) -> Annotation {
        self.to = Some((x, y));
        self
    }

    /// Sets the colour of text and arrow.
    pub fn color(mut self, color: Color) -> Annotation {
        self.color = Some(color);
        self
    }

    /// Returns the point of the arrow.
    pub(in super::super) fn target(&self) -> Option<Point> {
        self.to
    }

    pub(in super::super) fn layer(&self, text: String, at: Point) -> AnnotationLayer {
        AnnotationLayer {
            text,
            at,
            options: self.clone(),
            style: Style::new(),
        }
    }
}

#[derive(Debug, Clone)]
pub(in super::super) struct AnnotationLayer {
    text: String,
    at: Point,
    options: Annotation,
    style: Style,
}

impl AnnotationLayer {
    /// Returns the box of the text, whose middle is at its point; at the edge of the frame it is moved inside.
    fn text_box(&self, view: &AxesTransform) -> Option<Rect> {
        if !view.in_domain(self.at) {
            return None;
        }
        let (x, y) = view.pixel(self.at);
        if !view.rect.inflate(0.5).contains((x, y)) {
            return None;
        }
        let (w, h) = (0.5 * label::width(&self.text) * LABEL_EM, 0.6 * LABEL_EM);
        let within = |v: f64, low: f64, high: f64| v.min(high).max(low);
        let x = within(x, view.rect.left + w + GAP, view.rect.right - w - GAP);
        let y = within(y, view.rect.top + h + GAP, view.rect.bottom - h - GAP);
        Some(Rect {
            left: x - w,
            right: x + w,
            top: y - h,
            bottom: y + h,
        })
    }

    /// Returns the arrow from the edge of the text to a little before its point.
    fn arrow(&self, text: &Rect, view: &AxesTransform) -> Option<[Point; 2]> {
        let to = self.options.to.filter(|to| view.in_domain(*to))?;
        let tip = view.pixel(to);
        if !view.rect.inflate(0.5).contains(tip) {
            return None;
        }
        let middle = (
            0.5 * (text.left + text.right),
            0.5 * (text.top + text.bottom),
        );
        let outside = clip_outside(&[middle, tip], &text.inflate(GAP));
        let [from, to] = outside
            .last()
            .and_then(|line| <[Point; 2]>::try_from(line.as_slice()).ok())?;
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        if length < GAP + 2.0 {
            return None;
        }
        let s = (length - GAP) / length;
        let tip = (from.0 + s * (to.0 - from.0), from.1 + s * (to.1 - from.1));
        Some([from, tip])
    }
}

impl LegendHandle for AnnotationLayer {
    fn kind(&self) -> LayerKind {
        LayerKind::GridData
    }

    fn style(&self) -> &Style {
        &self.style
    }
}

impl Layer for AnnotationLayer {
    fn points(&self) -> Vec<Point> {
        Vec::new()
    }

    fn required_x(&self) -> Vec<f64> {
        self.options
            .to
            .iter()
            .chain([&self.at])
            .map(|p| p.0)
            .collect()
    }

    fn required_y(&self) -> Vec<f64> {
        self.options
            .to
            .iter()
            .chain([&self.at])
            .map(|p| p.1)
            .collect()
    }

    fn draw(&self, _: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene) {
        let Some(rect) = self.text_box(view).filter(|_| scene.shows_text()) else {
            return;
        };
        let color = self
            .options
            .color
            .map_or_else(ink, |color| (drawing_context::rgb(color), 1.0));
        if let Some([from, tip]) = self.arrow(&rect, view) {
            let (dx, dy) = (tip.0 - from.0, tip.1 - from.1);
            let length = dx.hypot(dy);
            let (dx, dy) = (dx / length, dy / length);
            let head = ARROW.1.min(0.6 * length);
            let neck = (tip.0 - 0.8 * head * dx, tip.1 - 0.8 * head * dy);
            let pen = Pen {
                color,
                width: ARROW.0,
                dash: Dash::Solid,
            };
            scene.line(&[from, neck], pen);
            scene.area(arrowhead(tip, (dx, dy), head), color);
        }
        // The text can be read over lines.
        scene.rect(&rect.inflate(1.5), (drawing_context::ground().paper, 0.75));
        let at = (
            0.5 * (rect.left + rect.right),
            0.5 * (rect.top + rect.bottom + font::CAP_HEIGHT * LABEL_EM),
        );
        scene.text(&self.text, at, LABEL_EM, Align::Center, false, color);
    }

    fn footprint(&self, view: &AxesTransform) -> Vec<Point> {
        let mut points = Vec::new();
        if let Some(rect) = self.text_box(view) {
            // So many that the legend would rather cover anything else.
            for i in 0..=40 {
                let y = rect.top + rect.height() * f64::from(i) / 40.0;
                sample_polyline(&[(rect.left, y), (rect.right, y)], &mut points);
            }
            if let Some(arrow) = self.arrow(&rect, view) {
                sample_polyline(&arrow, &mut points);
            }
        }
        points
    }
}
