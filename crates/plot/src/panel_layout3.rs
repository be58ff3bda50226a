//! The layout and drawing of a figure with three axes.

use super::color_scale::ColorScale;
use super::colorbar;
use super::figure::Figure;
use super::font;
use super::geometry::{Point, Point3, Rect};
use super::legend::{Legend, LegendBox};
use super::legend_handle::LegendHandle;
use super::panel_metrics::{
    AXIS_EM, EDGE, LABEL_EM, Margins, TITLE_EM, colorbar_scale, draw_centered, frame_rect,
};
use super::resolved_style::{ResolvedStyle, resolve_styles};
use super::scale::{Axis, Scale};
use super::scene::{Align, Primitive, Scene};
use super::space::{AxesTransform3, BoxFrame, Camera, DepthQueue};
use odesync_base::error::{Error, Result};

pub(super) struct PanelLayout3<'a> {
    figure: &'a Figure,
    pub styles: Vec<ResolvedStyle>,
    axes: [Axis; 3],
    pub color_scale: Option<ColorScale>,
    pub margins: Margins,
}

impl<'a> PanelLayout3<'a> {
    pub fn new(figure: &'a Figure, area: &Rect) -> Result<PanelLayout3<'a>> {
        if !figure.layers.is_empty() {
            return Err(Error::invalid(format!(
                "{}: layers of two and of three axes cannot be in one figure; put two figures in a grid",
                figure.name()
            )));
        }
        let color_scale = colorbar_scale(figure.layers3.iter().map(|l| &**l as &dyn LegendHandle));
        let mut layout = PanelLayout3 {
            figure,
            styles: resolve_styles(&figure.legend_handles()),
            axes: fit_axes(figure)?,
            color_scale: color_scale.map(|color_scale| color_scale.for_z_range(figure.z_range)),
            margins: Margins::default(),
        };
        let title = if figure.title.is_empty() {
            0.0
        } else {
            1.5 * TITLE_EM
        };
        layout.margins.top = EDGE + title;
        let names = |text: &str| if text.is_empty() { 0.0 } else { 1.5 * AXIS_EM };
        layout.margins.left = EDGE + layout.frame().left_width();
        layout.margins.bottom =
            EDGE + 2.2 * LABEL_EM + names(&figure.x_label).max(names(&figure.y_label));
        let height = area.height() - layout.margins.top - layout.margins.bottom;
        let bar = layout.color_scale.as_ref().map_or(0.0, |color_scale| {
            colorbar::total_width(color_scale, 0.72 * height)
        });
        // The extent of the labels depends on the size of the box, which in turn depends on it only slightly.
        layout.margins.right = EDGE + 2.5 * LABEL_EM + bar;
        let reach = layout.label_overhang(&layout.view(&frame_rect(area, &layout.margins)));
        layout.margins.right = EDGE + reach + bar;
        Ok(layout)
    }

    /// Returns the width that the labels of the axes take to the right of the box, plus a small margin.
    fn label_overhang(&self, view: &AxesTransform3) -> f64 {
        let mut marks = Scene::part();
        self.frame().draw_axes(view, &mut marks);
        let edge = view.center.0 + 0.5 * view.width();
        let ends = marks.items.iter().map(|item| match item {
            Primitive::Text {
                text,
                at,
                em,
                align,
                vertical: false,
                ..
            } => {
                let width = font::width(text) * em;
                let after = match align {
                    Align::Left => width,
                    Align::Center => 0.5 * width,
                    Align::Right => 0.0,
                };
                at.0 + after - edge
            }
            _ => 0.0,
        });
        ends.fold(1.5 * LABEL_EM, f64::max) + LABEL_EM
    }

    pub fn draw(&self, area: &Rect, margins: Option<Margins>, scene: &mut Scene) {
        let margins = Margins {
            top: margins.map_or(self.margins.top, |m| m.top),
            ..self.margins
        };
        let rect = frame_rect(area, &margins);
        let mut view = self.view(&rect);
        // The box is often narrower than the rectangle: it is centred together with its labels and the colour bar.
        let box_width = view.width();
        let whole = margins.left + box_width + margins.right;
        view.center.0 = area.left + 0.5 * (area.width() - whole) + margins.left + 0.5 * box_width;
        let frame = self.frame();
        frame.draw_walls(&view, scene);
        let queue = self.depth_queue(&view);
        let points = footprint(&queue);
        queue.paint(&rect.inflate(2.0), scene);
        frame.draw_axes(&view, scene);
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
        if let Some(color_scale) = &self.color_scale {
            let inset = 0.14 * rect.height();
            let frame_of_bar = Rect {
                top: rect.top + inset,
                bottom: rect.bottom - inset,
                right: view.center.0 + 0.5 * box_width + self.label_overhang(&view),
                ..rect
            };
            colorbar::draw(color_scale, &frame_of_bar, scene);
        }
        self.draw_legend(&rect, &points, scene);
    }

    pub fn frame(&self) -> BoxFrame<'a> {
        BoxFrame::new(self.axes, self.figure.labels())
    }

    /// Returns the primitives of the layers for a view, without the axes.
    pub fn depth_queue(&self, view: &AxesTransform3) -> DepthQueue {
        let mut queue = DepthQueue::new(self.figure.layers3.iter().any(|l| l.occludes()));
        for (layer, style) in self.figure.layers3.iter().zip(&self.styles) {
            layer.draw(style, view, &mut queue);
        }
        queue
    }

    pub fn view(&self, rect: &Rect) -> AxesTransform3 {
        let camera = Camera {
            azimuth: self.figure.azimuth,
            elevation: self.figure.elevation,
        };
        AxesTransform3::fit(self.axes, self.figure.z_range, camera, rect)
    }

    fn draw_legend(&self, rect: &Rect, points: &[Point], scene: &mut Scene) {
        if self.figure.legend == Legend::None {
            return;
        }
        let entries = self.figure.legend_handles();
        if let Some(legend) = LegendBox::new(&entries, (0.5 * rect.width(), rect.height())) {
            let wanted = match self.figure.legend {
                // To the right of the box is the colour bar.
                Legend::Outside | Legend::Below => Legend::TopRight,
                other => other,
            };
            let legend_rect = legend.locate(wanted, rect, points, 0.0);
            legend.draw(&legend_rect, true, &entries, &self.styles, scene);
        }
    }
}

fn footprint(queue: &DepthQueue) -> Vec<Point> {
    let mut points = Vec::new();
    for item in queue.items() {
        match item {
            Primitive::Path { points: line, .. } | Primitive::Area { points: line, .. } => {
                points.extend(line.iter().copied());
            }
            Primitive::Disc { center, .. } => points.push(*center),
            _ => {}
        }
    }
    points
}

/// Returns the x, y and z axes of a figure: the user's ranges where given, otherwise ranges that cover the data.
fn fit_axes(figure: &Figure) -> Result<[Axis; 3]> {
    let scales = [
        figure.x_scale.or_linear(),
        figure.y_scale.or_linear(),
        figure.z_scale.or_linear(),
    ];
    let ranges = [figure.x_range, figure.y_range, figure.z_range];
    let all: Vec<Point3> = figure.layers3.iter().flat_map(|l| l.points()).collect();
    let shown = |p: &&Point3| (0..3).all(|k| scales[k].in_domain(p[k]));
    let drawable: Vec<&Point3> = all.iter().filter(shown).collect();
    let names = ["x", "y", "z"];
    let mut axes = [None; 3];
    for (k, axis) in axes.iter_mut().enumerate() {
        *axis = match ranges[k] {
            Some(range) => Some(Axis::from_range(
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
                .filter(|p| p.iter().all(|v| Scale::Linear.in_domain(*v)))
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
