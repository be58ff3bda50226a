//! Styles in which everything that the user left unset is chosen.

use super::color::{Color, PALETTE};
use super::drawing_context::{ground, rgb};
use super::legend_handle::{LayerKind, LegendHandle};
use super::scene::{Pen, Rgba};
use super::style::{Dash, Marker};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct ResolvedStyle {
    pub rgb: (u8, u8, u8),
    pub alpha: f64,
    pub width: f64,
    pub dash: Dash,
    pub marker: Option<Marker>,
    pub size: f64,
}

impl ResolvedStyle {
    pub fn rgba(&self) -> Rgba {
        (self.rgb, self.alpha)
    }

    pub fn pen(&self) -> Pen {
        Pen {
            color: self.rgba(),
            width: self.width,
            dash: self.dash,
        }
    }
}

/// Returns the resolved styles of a figure's layers, in their order.
pub(super) fn resolve_styles(layers: &[&dyn LegendHandle]) -> Vec<ResolvedStyle> {
    let mut next = 0;
    let mut before: Option<Color> = None;
    let mut resolved = Vec::with_capacity(layers.len());
    for (i, layer) in layers.iter().enumerate() {
        let style = layer.style();
        let mut dash = Dash::Solid;
        let mut take = || {
            // The eighth line has the colour of the first, but other dashes.
            dash = [Dash::Solid, Dash::Dashed, Dash::Dotted][next / PALETTE.len() % 3];
            next += 1;
            Color::Palette(next - 1)
        };
        let kind = layer.kind();
        let colored = matches!(kind, LayerKind::Line | LayerKind::Points | LayerKind::Bars);
        let color = match kind {
            LayerKind::ReferenceLine | LayerKind::GridData => {
                style.color.unwrap_or(ground().reference)
            }
            LayerKind::Line | LayerKind::Points | LayerKind::Bars => {
                style.color.unwrap_or_else(&mut take)
            }
            LayerKind::Band => {
                let after = layers[i..].iter().find(|l| {
                    matches!(
                        l.kind(),
                        LayerKind::Line | LayerKind::Points | LayerKind::Bars
                    )
                });
                match (style.color.or(before), after) {
                    (Some(color), _) => color,
                    // The line after the band takes the next colour, unless the user gave it one.
                    (None, Some(line)) => line.style().color.unwrap_or(Color::Palette(next)),
                    (None, None) => take(),
                }
            }
        };
        if colored {
            before = Some(color);
        }
        let marker = match kind {
            LayerKind::Points => style.marker.or(Some(Marker::Circle)),
            _ => style.marker,
        };
        let size = match layer.marker_count() {
            _ if !colored => 0.0,
            0..=150 => 7.0,
            151..=1000 => 5.0,
            _ => 3.5,
        };
        let (alpha, width) = match kind {
            LayerKind::Band => (0.2, 2.0),
            LayerKind::ReferenceLine => (1.0, 1.5),
            LayerKind::GridData => (1.0, 1.0),
            LayerKind::Bars => (0.85, 2.0),
            LayerKind::Line | LayerKind::Points => (1.0, 2.0),
        };
        resolved.push(ResolvedStyle {
            rgb: rgb(color),
            alpha: style.alpha.unwrap_or(alpha),
            width: style.width.unwrap_or(width),
            dash: style.dash.unwrap_or(match kind {
                LayerKind::ReferenceLine => Dash::Dashed,
                _ => dash,
            }),
            marker,
            size: style.size.unwrap_or(size),
        });
    }
    resolved
}
