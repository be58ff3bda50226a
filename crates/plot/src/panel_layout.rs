//! The layout of a panel: its axes, and the margins that its labels, its legend and its colour bar need.

use super::autoscale;
use super::axes_transform::AxesTransform;
use super::color_scale::ColorScale;
use super::colorbar;
use super::figure::Figure;
use super::geometry::{Point, Rect};
use super::layers::sample_polyline;
use super::legend::{Legend, LegendBox};
use super::legend_handle::LegendHandle;
use super::panel_layout3::PanelLayout3;
use super::panel_metrics::{
    AXIS_EM, EDGE, LABEL_EM, Margins, TICK, TICK_GAP, TITLE_EM, category_ticks, colorbar_scale,
    frame_rect, max_label_width, x_ticks, y_ticks,
};
use super::resolved_style::{ResolvedStyle, resolve_styles};
use super::right_axis::RightAxis;
use super::scale::Axis;
use super::scene::Scene;
use super::shared_ticks::shared_ticks;
use super::ticks::Ticks;
use odesync_base::error::Result;

/// The axes that a panel shares with its neighbours: axes that replace its own, and axes whose labels only a neighbour shows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SharedAxes {
    pub x: Option<Axis>,
    pub y: Option<Axis>,
    pub hide_x_labels: bool,
    pub hide_y_labels: bool,
}

/// The layout of a figure with two or three axes: its axes and margins.
pub(super) enum PanelLayout<'a> {
    Flat(PanelLayout2<'a>),
    Space(PanelLayout3<'a>),
}

impl<'a> PanelLayout<'a> {
    /// Determines the axes and margins of a figure that is drawn into `area`.
    pub fn new(figure: &'a Figure, area: &Rect, shared: &SharedAxes) -> Result<PanelLayout<'a>> {
        match figure.layers3.is_empty() {
            true => PanelLayout2::new(figure, area, shared).map(PanelLayout::Flat),
            false => PanelLayout3::new(figure, area).map(PanelLayout::Space),
        }
    }

    pub fn margins(&self) -> Margins {
        match self {
            PanelLayout::Flat(layout) => layout.margins,
            PanelLayout::Space(layout) => layout.margins,
        }
    }

    /// Draws the figure into `area`; `margins` replace its own margins where panels are aligned.
    pub fn draw(&self, area: &Rect, margins: Option<Margins>, scene: &mut Scene) {
        match self {
            PanelLayout::Flat(layout) => layout.draw(area, margins, scene),
            PanelLayout::Space(layout) => layout.draw(area, margins, scene),
        }
    }
}

/// The layout of a figure with two axes: its axes and margins.
pub(super) struct PanelLayout2<'a> {
    pub(super) figure: &'a Figure,
    pub(super) styles: Vec<ResolvedStyle>,
    pub x: Axis,
    pub(super) y: Axis,
    pub margins: Margins,
    /// Whether the legend lies to the right of the frame.
    pub(super) legend_outside: bool,
    /// Whether the legend lies below the frame and the name of its axis.
    pub(super) legend_below: bool,
    /// Whether the labels of the horizontal axis are left to a neighbouring panel.
    pub(super) hide_x_labels: bool,
    /// Whether the labels of the vertical axis are left to a neighbouring panel.
    pub(super) hide_y_labels: bool,
    /// Whether the vertical axis may be extended to make room for the legend.
    y_expandable: bool,
    /// The second vertical axis.
    pub(super) right: Option<RightAxis<'a>>,
}

impl<'a> PanelLayout2<'a> {
    fn new(figure: &'a Figure, area: &Rect, shared: &SharedAxes) -> Result<PanelLayout2<'a>> {
        let (x, y) = autoscale::fit_axes(figure)?;
        let styles = resolve_styles(&figure.legend_handles());
        for inset in &figure.insets {
            // What an inset cannot draw is an error before anything is drawn.
            PanelLayout::new(&inset.figure, area, &SharedAxes::default())?;
        }
        let mut layout = PanelLayout2 {
            figure,
            right: RightAxis::of(figure, &styles)?,
            styles,
            x: shared.x.unwrap_or(x),
            y: shared.y.unwrap_or(y),
            margins: Margins::default(),
            legend_outside: false,
            legend_below: false,
            hide_x_labels: shared.hide_x_labels,
            hide_y_labels: shared.hide_y_labels,
            y_expandable: figure.y_range.is_none()
                && shared.y.is_none()
                && !figure.layers.iter().any(|l| l.tight()),
        };
        let room = |text: &str, size: f64| if text.is_empty() { 0.0 } else { size };
        layout.margins.top = EDGE + room(&figure.title, 1.5 * TITLE_EM);
        layout.margins.bottom = match layout.hide_x_labels {
            true => EDGE,
            false => TICK + TICK_GAP + LABEL_EM + room(&figure.x_label, 1.5 * AXIS_EM) + EDGE,
        };
        let height = area.height() - layout.margins.top - layout.margins.bottom;
        let is_shared = !layout.hide_y_labels && !layout.y_ticks(height).1.is_empty();
        if is_shared
            || layout
                .right
                .as_ref()
                .is_some_and(|r| !r.shared(height).is_empty())
        {
            layout.margins.top += 0.9 * LABEL_EM;
        }
        layout.margins.left = layout.left_margin(area);
        // Half of a label may extend beyond the end of the axis.
        let width = area.width() - layout.margins.left - 2.0 * EDGE - layout.right_width(area);
        let overhang = match layout.hide_x_labels {
            true => 0.0,
            false => 0.5 * max_label_width(&layout.x_ticks(width).0) * LABEL_EM,
        };
        if !layout.hide_x_labels && figure.x_label.is_empty() && !layout.x_ticks(width).1.is_empty()
        {
            layout.margins.bottom += 1.2 * LABEL_EM;
        }
        layout.margins.right = (EDGE.max(overhang + 4.0) + 4.0).max(layout.right_width(area) + 4.0);
        layout.fit_legend(area);
        Ok(layout)
    }

    pub(super) fn color_scale(&self) -> Option<&'a ColorScale> {
        colorbar_scale(self.figure.layers.iter().map(|l| &**l as &dyn LegendHandle))
    }

    /// Returns the ticks of the horizontal axis on a frame of this width, and what their labels have in common.
    pub(super) fn x_ticks(&self, width: f64) -> (Ticks, String) {
        match &self.figure.categories {
            Some(names) => (category_ticks(&self.x, names, width), String::new()),
            None => shared_ticks(&self.x, x_ticks(&self.x, width)),
        }
    }

    /// Returns the ticks of the vertical axis on a frame of this height, and what their labels have in common.
    pub(super) fn y_ticks(&self, height: f64) -> (Ticks, String) {
        shared_ticks(&self.y, y_ticks(&self.y, height))
    }

    /// Returns the width that the second vertical axis takes to the right of the frame.
    pub(super) fn right_axis_width(&self, area: &Rect) -> f64 {
        let height = area.height() - self.margins.top - self.margins.bottom;
        self.right.as_ref().map_or(0.0, |right| right.width(height))
    }

    /// Returns the width that the second vertical axis and the colour bar take to the right of the frame.
    pub(super) fn right_width(&self, area: &Rect) -> f64 {
        let height = area.height() - self.margins.top - self.margins.bottom;
        let bar = self.color_scale().map_or(0.0, |color_scale| {
            colorbar::total_width(color_scale, height)
        });
        let axis = match self.right_axis_width(area) {
            0.0 => 0.0,
            width => width + EDGE - 4.0,
        };
        axis + bar
    }

    fn left_margin(&self, area: &Rect) -> f64 {
        if self.hide_y_labels {
            return EDGE;
        }
        let name = match self.figure.y_label.is_empty() {
            true => 0.0,
            false => 1.6 * AXIS_EM,
        };
        let height = area.height() - self.margins.top - self.margins.bottom;
        EDGE + name + max_label_width(&self.y_ticks(height).0) * LABEL_EM + TICK_GAP + TICK
    }

    /// Makes room for a legend that would cover data at every location: for a low one above the data, by extending the vertical
    /// axis; for a narrow one to the right of the frame.
    fn fit_legend(&mut self, area: &Rect) {
        let Some(legend) = self.legend(area) else {
            return;
        };
        let view = self.view(area, &self.margins);
        let above = legend.height_above_data() / view.rect.height();
        let mut is_below = self.figure.legend == Legend::Below;
        self.legend_outside = match self.figure.legend {
            Legend::Outside => true,
            Legend::Auto if legend.best_location(&view.rect, &self.footprint(&view)).1 > 0 => {
                let is_narrow = legend.width < 0.3 * area.width();
                if self.y_expandable && (above < 0.18 || (above < 0.45 && !is_narrow)) {
                    self.y.hi = self.y.lo + (self.y.hi - self.y.lo) / (1.0 - above);
                    self.margins.left = self.left_margin(area);
                }
                let is_above = self.y_expandable && (above < 0.18 || (above < 0.45 && !is_narrow));
                // What has no room in the frame, above the data or beside it goes below it.
                is_below = !is_above && !is_narrow;
                is_narrow && !(self.y_expandable && above < 0.18)
            }
            _ => false,
        };
        if is_below {
            let entries = self.figure.legend_handles();
            let below = LegendBox::in_columns(&entries, area.width() - 2.0 * EDGE);
            let wanted = self.figure.legend == Legend::Below;
            let below = below.filter(|l| wanted || l.height < 0.35 * area.height());
            self.legend_below = below.is_some();
            self.margins.bottom += below.map_or(0.0, |legend| legend.height);
        }
        if self.legend_outside {
            self.margins.right = self.right_width(area) + legend.outside_width() + 4.0;
        }
    }

    pub(super) fn legend(&self, area: &Rect) -> Option<LegendBox> {
        if self.figure.legend == Legend::None {
            return None;
        }
        if self.legend_below {
            let entries = self.figure.legend_handles();
            return LegendBox::in_columns(&entries, area.width() - 2.0 * EDGE);
        }
        let frame = frame_rect(area, &self.margins);
        LegendBox::new(
            &self.figure.legend_handles(),
            (0.5 * area.width(), frame.height()),
        )
    }

    pub(super) fn footprint(&self, view: &AxesTransform) -> Vec<Point> {
        let layers = self.figure.layers.iter();
        let mut points: Vec<Point> = layers.flat_map(|l| l.footprint(view)).collect();
        if let Some(right) = &self.right {
            points.extend(right.footprint(view));
        }
        for inset in &self.figure.insets {
            let rect = inset.rect(&view.rect);
            for i in 0..=20 {
                let y = rect.top + rect.height() * f64::from(i) / 20.0;
                sample_polyline(&[(rect.left, y), (rect.right, y)], &mut points);
            }
        }
        points
    }

    pub(super) fn view(&self, area: &Rect, margins: &Margins) -> AxesTransform {
        AxesTransform {
            x: self.x,
            y: self.y,
            rect: frame_rect(area, margins),
        }
    }
}
