//! The legend: its entries, its size, and the location at which it covers the least data.

use std::str::FromStr;

use super::drawing_context;
use super::font;
use super::geometry::{Point, Rect};
use super::label;
use super::legend_handle::{LayerKind, LegendHandle};
use super::marker::{bar_pen, draw_cap, draw_marker};
use super::name_table::lookup;
use super::option_kinds::named_by_table;
use super::panel_metrics::{LABEL_EM, ink};
use super::resolved_style::ResolvedStyle;
use super::scene::{Align, Pen, Scene};
use super::style::{Dash, Marker};
use odesync_base::error::{Error, Result};

/// The position of the legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Legend {
    /// Where the legend covers no data: in a corner or at an edge of the frame, otherwise above the data, to the right of the frame
    /// or below it.
    #[default]
    Auto,
    /// No legend.
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
    /// Below the frame and the name of its axis, in as many columns as fit.
    Below,
}

const POSITIONS: [(&str, Legend); 8] = [
    ("auto", Legend::Auto),
    ("none", Legend::None),
    ("top-left", Legend::TopLeft),
    ("top-right", Legend::TopRight),
    ("bottom-left", Legend::BottomLeft),
    ("bottom-right", Legend::BottomRight),
    ("outside", Legend::Outside),
    ("below", Legend::Below),
];

named_by_table!(Legend, POSITIONS);

impl FromStr for Legend {
    type Err = Error;

    /// Parses a position: "auto", "none", "top-left", "top-right", "bottom-left", "bottom-right", "outside" or "below".
    fn from_str(name: &str) -> Result<Self> {
        lookup("legend position", name, &POSITIONS)
    }
}

const ROW_HEIGHT: f64 = 1.5 * LABEL_EM;
const PAD: f64 = 9.0;
const HANDLE_LENGTH: f64 = 28.0;
const GAP: f64 = 8.0;
/// Distance between the legend box and the frame, in pixels.
const FRAME_GAP: f64 = 10.0;

/// The legend box: its entries and its size, without a location.
#[derive(Debug, Clone)]
pub(super) struct LegendBox {
    /// Index of the layer and its label, for each entry.
    entries: Vec<(usize, String)>,
    /// Number of entries for which there was no room.
    n_omitted: usize,
    /// Number of columns, and their width.
    columns: (usize, f64),
    pub width: f64,
    pub height: f64,
}

impl LegendBox {
    /// Creates the legend of `layers`, at most `room` wide and high; `None` if no layer has a label.
    pub fn new(layers: &[&dyn LegendHandle], room: (f64, f64)) -> Option<LegendBox> {
        let most = (room.0 - HANDLE_LENGTH - GAP - 2.0 * PAD) / LABEL_EM;
        let mut entries: Vec<(usize, String)> = layers
            .iter()
            .enumerate()
            .filter_map(|(i, layer)| layer.style().label.as_ref().map(|l| (i, l)))
            .filter(|(_, label)| !label.is_empty())
            .map(|(i, label)| (i, label::ellipsize(label, most)))
            .collect();
        let rows = (((room.1 - 2.0 * PAD) / ROW_HEIGHT) as usize).max(1);
        let more = match entries.len() > rows {
            true => entries.len() + 1 - rows,
            false => 0,
        };
        entries.truncate(entries.len() - more);
        let widest = entries
            .iter()
            .map(|(_, label)| label::width(label))
            .fold(0.0, f64::max);
        let widest = if more > 0 {
            widest.max(label::width(&omitted_label(more)))
        } else {
            widest
        };
        let rows = entries.len() + usize::from(more > 0);
        (rows > 0).then_some(LegendBox {
            entries,
            n_omitted: more,
            columns: (1, 0.0),
            width: widest * LABEL_EM + HANDLE_LENGTH + GAP + 2.0 * PAD,
            height: rows as f64 * ROW_HEIGHT + 2.0 * PAD - 4.0,
        })
    }

    /// Creates the legend of `layers` in as many columns as fit into `width`; `None` if no layer has a label.
    pub fn in_columns(layers: &[&dyn LegendHandle], width: f64) -> Option<LegendBox> {
        let one = LegendBox::new(layers, (width, f64::INFINITY))?;
        let column = one.width - 2.0 * PAD + 2.0 * GAP;
        let most = ((width - 2.0 * PAD + 2.0 * GAP) / column).floor().max(1.0) as usize;
        let rows = one
            .entries
            .len()
            .div_ceil(most.min(one.entries.len()).max(1));
        // As few columns as these rows need.
        let columns = one.entries.len().div_ceil(rows.max(1)).max(1);
        Some(LegendBox {
            columns: (columns, column),
            width: columns as f64 * column - 2.0 * GAP + 2.0 * PAD,
            height: rows as f64 * ROW_HEIGHT + 4.0,
            ..one
        })
    }

    /// Returns the location of the box at the lower edge of an area, centred below its frame.
    pub fn below(&self, frame: &Rect, area: &Rect) -> Rect {
        let middle = 0.5 * (frame.left + frame.right - self.width);
        let left = middle.min(area.right - PAD - self.width).max(area.left);
        self.rect_at((left, area.bottom - self.height - 6.0))
    }

    /// Returns the width that the box takes to the right of the frame when it is outside.
    pub fn outside_width(&self) -> f64 {
        self.width + FRAME_GAP
    }

    /// Returns the height that the box needs above the data to cover none of them.
    pub fn height_above_data(&self) -> f64 {
        self.height + 2.0 * FRAME_GAP
    }

    /// Returns the location at which the box covers the fewest of the points, and how many it covers.
    pub fn best_location(&self, frame: &Rect, points: &[Point]) -> (Rect, usize) {
        let (left, right) = (frame.left + FRAME_GAP, frame.right - FRAME_GAP - self.width);
        let (top, bottom) = (
            frame.top + FRAME_GAP,
            frame.bottom - FRAME_GAP - self.height,
        );
        let (center, middle) = (0.5 * (left + right), 0.5 * (top + bottom));
        let corners_and_edges = [
            (right, top),
            (left, top),
            (right, bottom),
            (left, bottom),
            (center, top),
            (center, bottom),
            (right, middle),
            (left, middle),
        ];
        corners_and_edges
            .into_iter()
            .map(|at| self.rect_at(at))
            .map(|rect| {
                let near = rect.inflate(5.0);
                let covered = points.iter().filter(|p| near.contains(**p)).count();
                // Outside the frame the box would cover labels of the axes.
                let fits = frame.contains((rect.left, rect.top))
                    && frame.contains((rect.right, rect.bottom));
                (rect, covered + if fits { 0 } else { 1_000_000 })
            })
            // The first of equally good locations.
            .min_by_key(|(_, covered)| *covered)
            .unwrap_or((self.rect_at((right, top)), 0))
    }

    /// Returns the location of the box for a position of the legend; outside, it is `right_width` pixels to the right of the
    /// frame.
    pub fn locate(&self, legend: Legend, frame: &Rect, points: &[Point], right_width: f64) -> Rect {
        let (left, right) = (frame.left + FRAME_GAP, frame.right - FRAME_GAP - self.width);
        let (top, bottom) = (
            frame.top + FRAME_GAP,
            frame.bottom - FRAME_GAP - self.height,
        );
        match legend {
            Legend::Auto | Legend::None => self.best_location(frame, points).0,
            Legend::TopLeft => self.rect_at((left, top)),
            Legend::TopRight => self.rect_at((right, top)),
            Legend::BottomLeft => self.rect_at((left, bottom)),
            Legend::BottomRight => self.rect_at((right, bottom)),
            // Its location follows from the area, not from the frame.
            Legend::Below => self.below(frame, frame),
            Legend::Outside => self.rect_at((frame.right + right_width + FRAME_GAP, frame.top)),
        }
    }

    fn rect_at(&self, (left, top): Point) -> Rect {
        Rect {
            left,
            top,
            right: left + self.width,
            bottom: top + self.height,
        }
    }

    pub fn draw(
        &self,
        rect: &Rect,
        boxed: bool,
        layers: &[&dyn LegendHandle],
        styles: &[ResolvedStyle],
        scene: &mut Scene,
    ) {
        if boxed {
            let ground = drawing_context::ground();
            scene.rect(rect, (ground.paper, 0.85));
            let corners = [
                (rect.left, rect.top),
                (rect.right, rect.top),
                (rect.right, rect.bottom),
                (rect.left, rect.bottom),
                (rect.left, rect.top),
            ];
            scene.line(
                &corners,
                Pen {
                    color: ground.legend_border,
                    width: 1.0,
                    dash: Dash::Solid,
                },
            );
        }
        let text_left = rect.left + PAD + HANDLE_LENGTH + GAP;
        let (columns, column_width) = self.columns;
        let first = match columns {
            1 => rect.top + PAD - 2.0 + 0.5 * ROW_HEIGHT,
            _ => rect.top + 2.0 + 0.5 * ROW_HEIGHT,
        };
        let rows = self.entries.len().div_ceil(columns);
        let mut y = first;
        let drop = 0.5 * font::CAP_HEIGHT * LABEL_EM;
        for (n, (i, label)) in self.entries.iter().enumerate() {
            if n > 0 && n % rows.max(1) == 0 && columns > 1 {
                y = first;
            }
            let shift = match columns {
                1 => 0.0,
                _ => (n / rows.max(1)) as f64 * column_width,
            };
            if let (Some(layer), Some(style)) = (layers.get(*i), styles.get(*i)) {
                let left = rect.left + PAD + shift;
                draw_handle(*layer, style, (left, left + HANDLE_LENGTH), y, scene);
            }
            scene.text(
                label,
                (text_left + shift, y + drop),
                LABEL_EM,
                Align::Left,
                false,
                ink(),
            );
            y += ROW_HEIGHT;
        }
        if self.n_omitted > 0 {
            scene.text(
                &omitted_label(self.n_omitted),
                (text_left, y + drop),
                LABEL_EM,
                Align::Left,
                false,
                ink(),
            );
        }
    }
}

/// Draws the legend handle of a layer, from `left` to `right` at height `y`.
fn draw_handle(
    layer: &dyn LegendHandle,
    style: &ResolvedStyle,
    (left, right): (f64, f64),
    y: f64,
    scene: &mut Scene,
) {
    let middle = (0.5 * (left + right), y);
    match layer.kind() {
        LayerKind::Line | LayerKind::ReferenceLine | LayerKind::GridData => {
            scene.line(&[(left, y), (right, y)], style.pen());
            if let Some(marker) = style.marker {
                draw_marker(marker, middle, style, scene);
            }
        }
        LayerKind::Points => {
            // The legend handle remains visible however small the markers are.
            let style = ResolvedStyle {
                size: style.size.max(5.0),
                ..style.clone()
            };
            if layer.has_error_bars() {
                let ends = [(middle.0, y - 7.0), (middle.0, y + 7.0)];
                scene.line(&ends, bar_pen(&style));
                for end in ends {
                    draw_cap(end, &style, scene);
                }
            }
            draw_marker(
                style.marker.unwrap_or(Marker::Circle),
                middle,
                &style,
                scene,
            );
        }
        LayerKind::Band | LayerKind::Bars => {
            let corners = vec![
                (left, y - 5.0),
                (right, y - 5.0),
                (right, y + 5.0),
                (left, y + 5.0),
            ];
            scene.area(corners, style.rgba());
        }
    }
}

fn omitted_label(more: usize) -> String {
    format!("… and {more} more")
}
