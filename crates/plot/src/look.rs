//! Styles with everything decided that the user left open.

use super::color::{Color, PALETTE};
use super::entry::{Entry, Kind};
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
pub(super) fn looks(layers: &[&dyn Entry]) -> Vec<Look> {
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
        let kind = layer.kind();
        let colored = matches!(kind, Kind::Line | Kind::Points);
        let color = match kind {
            Kind::Mark | Kind::Field => style.color.unwrap_or(MARK),
            Kind::Line | Kind::Points => style.color.unwrap_or_else(&mut take),
            Kind::Band => {
                let after = layers[i..]
                    .iter()
                    .find(|l| matches!(l.kind(), Kind::Line | Kind::Points));
                match (style.color.or(before), after) {
                    (Some(color), _) => color,
                    // The line to come takes the next colour, if it has none of its own.
                    (None, Some(line)) => line.style().color.unwrap_or(Color::Palette(next)),
                    (None, None) => take(),
                }
            }
        };
        if colored {
            before = Some(color);
        }
        let marker = match kind {
            Kind::Points => style.marker.or(Some(Marker::Circle)),
            _ => style.marker,
        };
        let size = match layer.count() {
            _ if !colored => 0.0,
            0..=150 => 7.0,
            151..=1000 => 5.0,
            _ => 3.5,
        };
        let (alpha, width) = match kind {
            Kind::Band => (0.2, 2.0),
            Kind::Mark => (1.0, 1.5),
            Kind::Field => (1.0, 1.0),
            Kind::Line | Kind::Points => (1.0, 2.0),
        };
        looks.push(Look {
            rgb: color.rgb(),
            alpha: style.alpha.unwrap_or(alpha),
            width: style.width.unwrap_or(width),
            dash: style.dash.unwrap_or(match kind {
                Kind::Mark => Dash::Dashed,
                _ => dash,
            }),
            marker,
            size: style.size.unwrap_or(size),
        });
    }
    looks
}
