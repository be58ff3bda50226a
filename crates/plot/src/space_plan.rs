//! A figure of three axes with its axes and margins decided.

use super::colorbar;
use super::entry::Entry;
use super::figure::Figure;
use super::font;
use super::geometry::{Place, Point, Rect};
use super::legend::{Legend, LegendBox};
use super::look::{Look, looks};
use super::measures::{AXIS_EM, EDGE, LABEL_EM, Margins, TITLE_EM, barred, draw_centered, frame};
use super::scale::{Axis, Scale};
use super::scene::{Item, Scene};
use super::shade::Tint;
use super::space::{BoxFrame, Camera, Pieces, SpaceView};
use odesync_base::error::{Error, Result};

pub(super) struct SpacePlan<'a> {
    figure: &'a Figure,
    pub looks: Vec<Look>,
    axes: [Axis; 3],
    pub tint: Option<Tint>,
    pub margins: Margins,
}

impl<'a> SpacePlan<'a> {
    pub fn new(figure: &'a Figure, area: &Rect) -> Result<SpacePlan<'a>> {
        if !figure.layers.is_empty() {
            return Err(Error::invalid(format!(
                "{}: layers of two and of three axes cannot be in one figure; put two figures in a grid",
                figure.name()
            )));
        }
        let tint = barred(figure.space.iter().map(|l| &**l as &dyn Entry));
        let mut plan = SpacePlan {
            figure,
            looks: looks(&figure.entries()),
            axes: axes(figure)?,
            tint: tint.map(|tint| tint.within(figure.z_range)),
            margins: Margins::default(),
        };
        let title = if figure.title.is_empty() {
            0.0
        } else {
            1.5 * TITLE_EM
        };
        plan.margins.top = EDGE + title;
        let names = |text: &str| if text.is_empty() { 0.0 } else { 1.5 * AXIS_EM };
        plan.margins.left = EDGE + plan.frame().left_room();
        plan.margins.bottom =
            EDGE + 2.2 * LABEL_EM + names(&figure.x_label).max(names(&figure.y_label));
        let height = area.height() - plan.margins.top - plan.margins.bottom;
        let bar = plan
            .tint
            .as_ref()
            .map_or(0.0, |tint| colorbar::room(tint, 0.72 * height));
        // How far the labels reach is known once the box has its size, which changes little by it.
        plan.margins.right = EDGE + 2.5 * LABEL_EM + bar;
        let reach = plan.reach(&plan.view(&frame(area, &plan.margins)));
        plan.margins.right = EDGE + reach + bar;
        Ok(plan)
    }

    /// The room right of the box that the labels of its axes take, and a little air.
    fn reach(&self, view: &SpaceView) -> f64 {
        let mut marks = Scene::new((0, 0));
        self.frame().draw_marks(view, &mut marks);
        let edge = view.center.0 + 0.5 * view.width();
        let ends = marks.items.iter().map(|item| match item {
            Item::Text {
                text,
                at,
                em,
                upward,
                ..
            } if !upward => at.0 + 0.5 * font::width(text) * em - edge,
            _ => 0.0,
        });
        ends.fold(1.5 * LABEL_EM, f64::max) + LABEL_EM
    }

    pub fn draw(&self, area: &Rect, margins: Option<Margins>, scene: &mut Scene) {
        let margins = Margins {
            top: margins.map_or(self.margins.top, |m| m.top),
            ..self.margins
        };
        let rect = frame(area, &margins);
        let mut view = self.view(&rect);
        // The box is often narrower than its room: it stands in the middle together with its labels and the colour bar.
        let box_width = view.width();
        let whole = margins.left + box_width + margins.right;
        view.center.0 = area.left + 0.5 * (area.width() - whole) + margins.left + 0.5 * box_width;
        let frame = self.frame();
        frame.draw_back(&view, scene);
        let pieces = self.pieces(&view);
        let points = footprint(&pieces);
        pieces.paint(&rect.grown(2.0), scene);
        frame.draw_marks(&view, scene);
        let center = 0.5 * (area.left + area.right);
        if !self.figure.title.is_empty() {
            let baseline = rect.top - 0.6 * TITLE_EM;
            draw_centered(
                &self.figure.title,
                TITLE_EM,
                (center, baseline),
                area,
                scene,
            );
        }
        if let Some(tint) = &self.tint {
            let inset = 0.14 * rect.height();
            let beside = Rect {
                top: rect.top + inset,
                bottom: rect.bottom - inset,
                right: view.center.0 + 0.5 * box_width + self.reach(&view),
                ..rect
            };
            colorbar::draw(tint, &beside, scene);
        }
        self.draw_legend(&rect, &points, scene);
    }

    pub fn frame(&self) -> BoxFrame<'a> {
        BoxFrame::new(self.axes, self.figure.labels())
    }

    /// The layers' items for a view, without the axes.
    pub fn pieces(&self, view: &SpaceView) -> Pieces {
        let mut pieces = Pieces::new(self.figure.space.iter().any(|l| l.solid()));
        for (layer, look) in self.figure.space.iter().zip(&self.looks) {
            layer.draw(look, view, &mut pieces);
        }
        pieces
    }

    pub fn view(&self, rect: &Rect) -> SpaceView {
        let camera = Camera {
            azimuth: self.figure.azimuth,
            elevation: self.figure.elevation,
        };
        SpaceView::fitted(self.axes, self.figure.z_range, camera, rect)
    }

    fn draw_legend(&self, rect: &Rect, points: &[Point], scene: &mut Scene) {
        if self.figure.legend == Legend::None {
            return;
        }
        let entries = self.figure.entries();
        if let Some(legend) = LegendBox::new(&entries, (0.5 * rect.width(), rect.height())) {
            let wanted = match self.figure.legend {
                // Beside the box is the colour bar.
                Legend::Outside => Legend::TopRight,
                other => other,
            };
            let place = legend.place(wanted, rect, points, 0.0);
            legend.draw(&place, true, &entries, &self.looks, scene);
        }
    }
}

fn footprint(pieces: &Pieces) -> Vec<Point> {
    let mut points = Vec::new();
    for item in pieces.items() {
        match item {
            Item::Path { points: line, .. } | Item::Area { points: line, .. } => {
                points.extend(line.iter().copied());
            }
            Item::Disc { center, .. } => points.push(*center),
            _ => {}
        }
    }
    points
}

/// The axes that the data and the user ask for.
fn axes(figure: &Figure) -> Result<[Axis; 3]> {
    let scales = [figure.x_scale, figure.y_scale, figure.z_scale];
    let ranges = [figure.x_range, figure.y_range, figure.z_range];
    let all: Vec<Place> = figure.space.iter().flat_map(|l| l.places()).collect();
    let shown = |p: &&Place| (0..3).all(|k| scales[k].shows(p[k]));
    let drawable: Vec<&Place> = all.iter().filter(shown).collect();
    let names = ["x", "y", "z"];
    let mut axes = [None; 3];
    for (k, axis) in axes.iter_mut().enumerate() {
        *axis = match ranges[k] {
            Some(range) => Some(Axis::given(
                scales[k],
                &format!("{}_range", names[k]),
                range,
            )?),
            None => Axis::fit(scales[k], drawable.iter().map(|p| p[k]), 0.0),
        };
    }
    match axes {
        [Some(x), Some(y), Some(z)] => Ok([x, y, z]),
        _ => {
            let finite = all
                .iter()
                .filter(|p| p.iter().all(|v| Scale::Linear.shows(*v)))
                .count();
            Err(Error::invalid(format!(
                "{}: {}",
                figure.name(),
                match (all.len(), finite) {
                    (0, _) =>
                        "there is nothing to draw: the arrays of its layers are empty".to_owned(),
                    (n, 0) => format!(
                        "none of its {n} points is finite; look for where the NaN come from"
                    ),
                    (n, _) => format!(
                        "none of its {n} points is positive on every logarithmic axis; leave out log_x, log_y or log_z"
                    ),
                }
            )))
        }
    }
}
