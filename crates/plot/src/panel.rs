//! One pair of axes: the room that its labels, its legend and its colour bar need.

use super::colorbar;
use super::entry::Entry;
use super::figure::Figure;
use super::geometry::{Point, Rect};
use super::legend::{Legend, LegendBox};
use super::look::{Look, looks};
use super::measures::{
    AXIS_EM, EDGE, LABEL_EM, Margins, TICK, TICK_GAP, TITLE_EM, barred, frame, widest, x_ticks,
    y_ticks,
};
use super::range;
use super::scale::Axis;
use super::scene::Scene;
use super::shade::Tint;
use super::space_plan::SpacePlan;
use super::view::View;
use odesync_base::error::Result;

/// What a panel has in common with its neighbours: axes that replace its own, and axes whose labels a neighbour has.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shared {
    pub x: Option<Axis>,
    pub y: Option<Axis>,
    pub bare_x: bool,
    pub bare_y: bool,
}

/// A figure with its axes and margins decided.
pub(super) enum Plan<'a> {
    Flat(FlatPlan<'a>),
    Space(SpacePlan<'a>),
}

impl<'a> Plan<'a> {
    /// Decides axes and margins for a figure that gets `area`.
    pub fn new(figure: &'a Figure, area: &Rect, shared: &Shared) -> Result<Plan<'a>> {
        match figure.space.is_empty() {
            true => FlatPlan::new(figure, area, shared).map(Plan::Flat),
            false => SpacePlan::new(figure, area).map(Plan::Space),
        }
    }

    pub fn margins(&self) -> Margins {
        match self {
            Plan::Flat(plan) => plan.margins,
            Plan::Space(plan) => plan.margins,
        }
    }

    /// Draws the figure into `area`, with `margins` instead of its own where panels are to line up.
    pub fn draw(&self, area: &Rect, margins: Option<Margins>, scene: &mut Scene) {
        match self {
            Plan::Flat(plan) => plan.draw(area, margins, scene),
            Plan::Space(plan) => plan.draw(area, margins, scene),
        }
    }
}

/// A figure of two axes with its axes and margins decided.
pub(super) struct FlatPlan<'a> {
    pub(super) figure: &'a Figure,
    pub(super) looks: Vec<Look>,
    pub x: Axis,
    pub(super) y: Axis,
    pub margins: Margins,
    /// The legend stands beside the frame.
    pub(super) outside: bool,
    /// The labels of an axis belong to the neighbouring panel.
    pub(super) bare_x: bool,
    pub(super) bare_y: bool,
    /// The vertical axis may grow to make room for the legend.
    free: bool,
}

impl<'a> FlatPlan<'a> {
    fn new(figure: &'a Figure, area: &Rect, shared: &Shared) -> Result<FlatPlan<'a>> {
        let (x, y) = range::axes(figure)?;
        let mut plan = FlatPlan {
            figure,
            looks: looks(&figure.entries()),
            x: shared.x.unwrap_or(x),
            y: shared.y.unwrap_or(y),
            margins: Margins::default(),
            outside: false,
            bare_x: shared.bare_x,
            bare_y: shared.bare_y,
            free: figure.y_range.is_none()
                && shared.y.is_none()
                && !figure.layers.iter().any(|l| l.tight()),
        };
        let room = |text: &str, size: f64| if text.is_empty() { 0.0 } else { size };
        plan.margins.top = EDGE + room(&figure.title, 1.5 * TITLE_EM);
        plan.margins.bottom = match plan.bare_x {
            true => EDGE,
            false => TICK + TICK_GAP + LABEL_EM + room(&figure.x_label, 1.5 * AXIS_EM) + EDGE,
        };
        plan.margins.left = plan.left_margin(area);
        // Half of a label may hang over the end of the axis.
        let width = area.width() - plan.margins.left - 2.0 * EDGE - plan.bar_room(area);
        let overhang = match plan.bare_x {
            true => 0.0,
            false => 0.5 * widest(&x_ticks(&plan.x, width)) * LABEL_EM,
        };
        plan.margins.right = (EDGE.max(overhang + 4.0) + 4.0).max(plan.bar_room(area) + 4.0);
        plan.make_room_for_legend(area);
        Ok(plan)
    }

    pub(super) fn tint(&self) -> Option<&'a Tint> {
        barred(self.figure.layers.iter().map(|l| &**l as &dyn Entry))
    }

    pub(super) fn bar_room(&self, area: &Rect) -> f64 {
        let height = area.height() - self.margins.top - self.margins.bottom;
        self.tint().map_or(0.0, |tint| colorbar::room(tint, height))
    }

    fn left_margin(&self, area: &Rect) -> f64 {
        if self.bare_y {
            return EDGE;
        }
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
                let beside = legend.width < 0.3 * area.width();
                if self.free && (above < 0.18 || (above < 0.45 && !beside)) {
                    self.y.hi = self.y.lo + (self.y.hi - self.y.lo) / (1.0 - above);
                    self.margins.left = self.left_margin(area);
                }
                beside && !(self.free && above < 0.18)
            }
            _ => false,
        };
        if self.outside {
            self.margins.right = self.bar_room(area) + legend.outside_room() + 4.0;
        }
    }

    pub(super) fn legend(&self, area: &Rect) -> Option<LegendBox> {
        if self.figure.legend == Legend::None {
            return None;
        }
        let frame = frame(area, &self.margins);
        LegendBox::new(&self.figure.entries(), (0.5 * area.width(), frame.height()))
    }

    pub(super) fn footprint(&self, view: &View) -> Vec<Point> {
        let layers = self.figure.layers.iter();
        layers.flat_map(|l| l.footprint(view)).collect()
    }

    pub(super) fn view(&self, area: &Rect, margins: &Margins) -> View {
        View {
            x: self.x,
            y: self.y,
            rect: frame(area, margins),
        }
    }
}
