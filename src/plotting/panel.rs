//! One pair of axes: the room that its labels and its legend need.

use super::figure::Figure;
use super::font;
use super::geometry::{Point, Rect};
use super::legend::{Legend, LegendBox};
use super::look::{Look, looks};
use super::range;
use super::scale::Axis;
use super::scene::{Ink, Scene};
use super::ticks::Ticks;
use super::view::View;
use crate::error::Result;

pub(super) const INK: Ink = ((0x22, 0x22, 0x22), 1.0);

/// Sizes of text in pixels per em.
pub(super) const TITLE_EM: f64 = 18.0;
pub(super) const AXIS_EM: f64 = 16.0;
pub(super) const LABEL_EM: f64 = 14.0;

pub(super) const TICK: f64 = 5.0;
pub(super) const TICK_GAP: f64 = 4.0;
pub(super) const EDGE: f64 = 12.0;

/// The room around the frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Margins {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

/// A figure with its axes and margins decided.
pub(super) struct Plan<'a> {
    pub(super) figure: &'a Figure,
    pub(super) looks: Vec<Look>,
    pub x: Axis,
    pub(super) y: Axis,
    pub margins: Margins,
    /// The legend stands beside the frame.
    pub(super) outside: bool,
    /// The horizontal axis belongs to the panel below.
    pub(super) bare: bool,
}

/// The whole picture as an area, painted white.
pub(super) fn whole(size: (u32, u32), scene: &mut Scene) -> Rect {
    let area = Rect {
        left: 0.0,
        top: 0.0,
        right: f64::from(size.0),
        bottom: f64::from(size.1),
    };
    scene.rect(&area, ((255, 255, 255), 1.0));
    area
}

impl<'a> Plan<'a> {
    /// Decides axes and margins for a figure that gets `area`; `x` replaces its horizontal axis, and `bare` leaves out
    /// that axis's labels.
    pub fn new(figure: &'a Figure, area: &Rect, x: Option<Axis>, bare: bool) -> Result<Plan<'a>> {
        let (own, y) = range::axes(figure)?;
        let mut plan = Plan {
            figure,
            looks: looks(&figure.layers),
            x: x.unwrap_or(own),
            y,
            margins: Margins::default(),
            outside: false,
            bare,
        };
        let room = |text: &str, size: f64| if text.is_empty() { 0.0 } else { size };
        plan.margins.top = EDGE + room(&figure.title, 1.5 * TITLE_EM);
        plan.margins.bottom = match bare {
            true => EDGE,
            false => TICK + TICK_GAP + LABEL_EM + room(&figure.x_label, 1.5 * AXIS_EM) + EDGE,
        };
        plan.margins.left = plan.left_margin(area);
        // Half of a label may hang over the end of the axis.
        let width = area.width() - plan.margins.left - 2.0 * EDGE;
        let overhang = 0.5 * widest(&x_ticks(&plan.x, width)) * LABEL_EM;
        plan.margins.right = EDGE.max(overhang + 4.0) + 4.0;
        plan.make_room_for_legend(area);
        Ok(plan)
    }

    fn left_margin(&self, area: &Rect) -> f64 {
        let name = match self.figure.y_label.is_empty() {
            true => 0.0,
            false => 1.6 * AXIS_EM,
        };
        let height = area.height() - self.margins.top - self.margins.bottom;
        EDGE + name + widest(&y_ticks(&self.y, height)) * LABEL_EM + TICK_GAP + TICK
    }

    /// Where the legend would cover data wherever it stood, makes room for it: a low one above the data, by a longer
    /// vertical axis; a narrow one beside the frame.
    fn make_room_for_legend(&mut self, area: &Rect) {
        let Some(legend) = self.legend(area) else {
            return;
        };
        let view = self.view(area, &self.margins);
        let above = legend.above_room() / view.rect.height();
        self.outside = match self.figure.legend {
            Legend::Outside => true,
            Legend::Auto if legend.emptiest(&view.rect, &self.footprint(&view)).1 > 0 => {
                let free = self.figure.y_range.is_none();
                let beside = legend.width < 0.3 * area.width();
                if free && (above < 0.18 || (above < 0.45 && !beside)) {
                    self.y.hi = self.y.lo + (self.y.hi - self.y.lo) / (1.0 - above);
                    self.margins.left = self.left_margin(area);
                }
                beside && !(free && above < 0.18)
            }
            _ => false,
        };
        if self.outside {
            self.margins.right = legend.outside_room() + 4.0;
        }
    }

    pub(super) fn legend(&self, area: &Rect) -> Option<LegendBox> {
        if self.figure.legend == Legend::None {
            return None;
        }
        let frame = self.frame(area, &self.margins);
        LegendBox::new(&self.figure.layers, (0.5 * area.width(), frame.height()))
    }

    pub(super) fn footprint(&self, view: &View) -> Vec<Point> {
        self.figure
            .layers
            .iter()
            .flat_map(|l| l.footprint(view))
            .collect()
    }

    fn frame(&self, area: &Rect, margins: &Margins) -> Rect {
        let (left, top) = (area.left + margins.left, area.top + margins.top);
        // In an area too small for its labels the frame keeps some size and the labels stick out.
        Rect {
            left,
            top,
            right: (area.right - margins.right).max(left + 20.0),
            bottom: (area.bottom - margins.bottom).max(top + 20.0),
        }
    }

    pub(super) fn view(&self, area: &Rect, margins: &Margins) -> View {
        View {
            x: self.x,
            y: self.y,
            rect: self.frame(area, margins),
        }
    }
}

/// Width of the widest label in em.
fn widest(ticks: &Ticks) -> f64 {
    let labels = ticks.major.iter();
    labels.map(|(_, l)| font::width(l)).fold(0.0, f64::max)
}

pub(super) fn y_ticks(axis: &Axis, height: f64) -> Ticks {
    Ticks::new(axis, (height / 45.0).clamp(2.0, 10.0) as usize)
}

/// As many marks as leave room between their labels.
pub(super) fn x_ticks(axis: &Axis, width: f64) -> Ticks {
    let mut most = (width / 70.0).clamp(2.0, 12.0) as usize;
    loop {
        let ticks = Ticks::new(axis, most);
        let crowded = ticks.major.windows(2).any(|pair| {
            let labels = 0.5 * (font::width(&pair[0].1) + font::width(&pair[1].1));
            (pair[1].0 - pair[0].0) * width < (labels + 1.2) * LABEL_EM
        });
        if !crowded || most <= 2 {
            return ticks;
        }
        most -= 1;
    }
}
