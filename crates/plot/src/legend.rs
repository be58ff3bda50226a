//! The legend: what it lists, how large it is, and where it covers least.

use std::str::FromStr;

use super::entry::{Entry, Kind};
use super::font;
use super::geometry::{Point, Rect};
use super::look::Look;
use super::marker::draw_marker;
use super::measures::{INK, LABEL_EM};
use super::scene::{Align, Pen, Scene};
use super::style::{Dash, Marker, named};
use odesync_base::error::{Error, Result};

/// Where the legend is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Legend {
    /// Where it covers no data: in a corner or at an edge of the frame, or else to the right of it.
    #[default]
    Auto,
    /// There is none.
    None,
    /// In the top left corner.
    TopLeft,
    /// In the top right corner.
    TopRight,
    /// In the bottom left corner.
    BottomLeft,
    /// In the bottom right corner.
    BottomRight,
    /// To the right of the frame.
    Outside,
}

impl FromStr for Legend {
    type Err = Error;

    /// "auto", "none", "top-left", "top-right", "bottom-left", "bottom-right" or "outside".
    fn from_str(name: &str) -> Result<Self> {
        let table = [
            ("auto", Legend::Auto),
            ("none", Legend::None),
            ("top-left", Legend::TopLeft),
            ("top-right", Legend::TopRight),
            ("bottom-left", Legend::BottomLeft),
            ("bottom-right", Legend::BottomRight),
            ("outside", Legend::Outside),
        ];
        named("legend position", name, &table)
    }
}

const ROW: f64 = 1.5 * LABEL_EM;
const PAD: f64 = 9.0;
const SIGN: f64 = 28.0;
const GAP: f64 = 8.0;
/// Between the box and the frame.
const OFF: f64 = 10.0;

/// The entries with their size, to be placed.
#[derive(Debug, Clone)]
pub(super) struct LegendBox {
    /// Index of the layer and its label.
    entries: Vec<(usize, String)>,
    /// Entries there was no room for.
    more: usize,
    pub width: f64,
    height: f64,
}

impl LegendBox {
    /// The legend of `layers`, at most `room` wide and high; `None` if nothing has a label.
    pub fn new(layers: &[&dyn Entry], room: (f64, f64)) -> Option<LegendBox> {
        let most = (room.0 - SIGN - GAP - 2.0 * PAD) / LABEL_EM;
        let mut entries: Vec<(usize, String)> = layers
            .iter()
            .enumerate()
            .filter_map(|(i, layer)| layer.style().label.as_ref().map(|l| (i, l)))
            .filter(|(_, label)| !label.is_empty())
            .map(|(i, label)| (i, font::shortened(label, most)))
            .collect();
        let rows = (((room.1 - 2.0 * PAD) / ROW) as usize).max(1);
        let more = match entries.len() > rows {
            true => entries.len() + 1 - rows,
            false => 0,
        };
        entries.truncate(entries.len() - more);
        let widest = entries
            .iter()
            .map(|(_, label)| font::width(label))
            .fold(0.0, f64::max);
        let widest = if more > 0 {
            widest.max(font::width(&rest(more)))
        } else {
            widest
        };
        let rows = entries.len() + usize::from(more > 0);
        (rows > 0).then_some(LegendBox {
            entries,
            more,
            width: widest * LABEL_EM + SIGN + GAP + 2.0 * PAD,
            height: rows as f64 * ROW + 2.0 * PAD - 4.0,
        })
    }

    /// The room to the right of the frame that the box takes when it is outside.
    pub fn outside_room(&self) -> f64 {
        self.width + OFF
    }

    /// The height over the data in which the box covers none.
    pub fn above_room(&self) -> f64 {
        self.height + 2.0 * OFF
    }

    /// The place at which the box covers the fewest of the points, and how many.
    pub fn emptiest(&self, frame: &Rect, points: &[Point]) -> (Rect, usize) {
        let (left, right) = (frame.left + OFF, frame.right - OFF - self.width);
        let (top, bottom) = (frame.top + OFF, frame.bottom - OFF - self.height);
        let (center, middle) = (0.5 * (left + right), 0.5 * (top + bottom));
        let places = [
            (right, top),
            (left, top),
            (right, bottom),
            (left, bottom),
            (center, top),
            (center, bottom),
            (right, middle),
            (left, middle),
        ];
        places
            .into_iter()
            .map(|at| self.at(at))
            .map(|place| {
                let near = place.grown(5.0);
                let covered = points.iter().filter(|p| near.contains(**p)).count();
                // What sticks out of the frame would cover labels.
                let fits = frame.contains((place.left, place.top))
                    && frame.contains((place.right, place.bottom));
                (place, covered + if fits { 0 } else { 1_000_000 })
            })
            // The first of equally empty places.
            .min_by_key(|(_, covered)| *covered)
            .unwrap_or((self.at((right, top)), 0))
    }

    /// The place that `legend` names.
    /// Outside is `beside` pixels away from the frame.
    pub fn place(&self, legend: Legend, frame: &Rect, points: &[Point], beside: f64) -> Rect {
        let (left, right) = (frame.left + OFF, frame.right - OFF - self.width);
        let (top, bottom) = (frame.top + OFF, frame.bottom - OFF - self.height);
        match legend {
            Legend::Auto | Legend::None => self.emptiest(frame, points).0,
            Legend::TopLeft => self.at((left, top)),
            Legend::TopRight => self.at((right, top)),
            Legend::BottomLeft => self.at((left, bottom)),
            Legend::BottomRight => self.at((right, bottom)),
            Legend::Outside => self.at((frame.right + beside + OFF, frame.top)),
        }
    }

    fn at(&self, (left, top): Point) -> Rect {
        Rect {
            left,
            top,
            right: left + self.width,
            bottom: top + self.height,
        }
    }

    pub fn draw(
        &self,
        place: &Rect,
        boxed: bool,
        layers: &[&dyn Entry],
        looks: &[Look],
        scene: &mut Scene,
    ) {
        if boxed {
            scene.rect(place, ((255, 255, 255), 0.85));
            let corners = [
                (place.left, place.top),
                (place.right, place.top),
                (place.right, place.bottom),
                (place.left, place.bottom),
                (place.left, place.top),
            ];
            scene.line(
                &corners,
                Pen {
                    ink: ((0xcc, 0xcc, 0xcc), 1.0),
                    width: 1.0,
                    dash: Dash::Solid,
                },
            );
        }
        let text_left = place.left + PAD + SIGN + GAP;
        let mut y = place.top + PAD - 2.0 + 0.5 * ROW;
        let drop = 0.5 * font::CAP_HEIGHT * LABEL_EM;
        for (i, label) in &self.entries {
            if let (Some(layer), Some(look)) = (layers.get(*i), looks.get(*i)) {
                let ends = (place.left + PAD, place.left + PAD + SIGN);
                draw_sign(layer.kind(), look, ends, y, scene);
            }
            scene.text(
                label,
                (text_left, y + drop),
                LABEL_EM,
                Align::Left,
                false,
                INK,
            );
            y += ROW;
        }
        if self.more > 0 {
            scene.text(
                &rest(self.more),
                (text_left, y + drop),
                LABEL_EM,
                Align::Left,
                false,
                INK,
            );
        }
    }
}

/// A layer's sign, from `left` to `right` around height `y`.
fn draw_sign(kind: Kind, look: &Look, (left, right): (f64, f64), y: f64, scene: &mut Scene) {
    let middle = (0.5 * (left + right), y);
    match kind {
        Kind::Line | Kind::Mark | Kind::Field => {
            scene.line(&[(left, y), (right, y)], look.pen());
            if let Some(marker) = look.marker {
                draw_marker(marker, middle, look, scene);
            }
        }
        Kind::Points => {
            // A legend's sign stays visible however small the points are.
            let look = Look {
                size: look.size.max(5.0),
                ..look.clone()
            };
            draw_marker(look.marker.unwrap_or(Marker::Circle), middle, &look, scene);
        }
        Kind::Band => {
            let corners = vec![
                (left, y - 5.0),
                (right, y - 5.0),
                (right, y + 5.0),
                (left, y + 5.0),
            ];
            scene.area(corners, look.ink());
        }
    }
}

fn rest(more: usize) -> String {
    format!("… and {more} more")
}
