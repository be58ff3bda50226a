//! Styles with everything decided that the user left open.

use super::color::{Color, PALETTE};
use super::layer::Layer;
use super::scene::{Ink, Pen};
use super::style::{Dash, Marker};

/// The colour of a mark that is no data.
const MARK: Color = Color::Rgb(0x55, 0x55, 0x55);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Look {
    pub rgb: (u8, u8, u8),
    pub alpha: f64,
    pub width: f64,
    pub dash: Dash,
    pub marker: Option<Marker>,
    pub size: f64,
}

impl Look {
    pub fn ink(&self) -> Ink {
        (self.rgb, self.alpha)
    }

    pub fn pen(&self) -> Pen {
        Pen {
            ink: self.ink(),
            width: self.width,
            dash: self.dash,
        }
    }
}

/// The looks of a figure's layers, in their order.
pub(super) fn looks(layers: &[Layer]) -> Vec<Look> {
    let mut next = 0;
    let mut before: Option<Color> = None;
    let mut looks = Vec::with_capacity(layers.len());
    for (i, layer) in layers.iter().enumerate() {
        let style = layer.style();
        let mut dash = Dash::Solid;
        let mut take = || {
            // The eighth line has the colour of the first, but not its dashes.
            dash = [Dash::Solid, Dash::Dashed, Dash::Dotted][next / PALETTE.len() % 3];
            next += 1;
            Color::Palette(next - 1)
        };
        let color = match layer {
            Layer::VLine { .. } => style.color.unwrap_or(MARK),
            Layer::Line { .. } | Layer::Scatter { .. } => style.color.unwrap_or_else(&mut take),
            Layer::Band { .. } => {
                let after = layers[i..]
                    .iter()
                    .find(|l| matches!(l, Layer::Line { .. } | Layer::Scatter { .. }));
                match (style.color.or(before), after) {
                    (Some(color), _) => color,
                    // The line to come takes the next colour, if it has none of its own.
                    (None, Some(line)) => line.style().color.unwrap_or(Color::Palette(next)),
                    (None, None) => take(),
                }
            }
        };
        let mark = matches!(layer, Layer::VLine { .. });
        let band = matches!(layer, Layer::Band { .. });
        if !mark && !band {
            before = Some(color);
        }
        let marker = match layer {
            Layer::Scatter { .. } => style.marker.or(Some(Marker::Circle)),
            _ => style.marker,
        };
        let size = match layer.points().len() {
            _ if band || mark => 0.0,
            0..=150 => 7.0,
            151..=1000 => 5.0,
            _ => 3.5,
        };
        looks.push(Look {
            rgb: color.rgb(),
            alpha: style.alpha.unwrap_or(if band { 0.2 } else { 1.0 }),
            width: style.width.unwrap_or(if mark { 1.5 } else { 2.0 }),
            dash: style.dash.unwrap_or(if mark { Dash::Dashed } else { dash }),
            marker,
            size: style.size.unwrap_or(size),
        });
    }
    looks
}
