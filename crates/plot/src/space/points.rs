//! Markers at points of space.

use std::sync::Arc;

use super::super::entry::{Entry, Kind};
use super::super::geometry::Place;
use super::super::look::Look;
use super::super::marker::draw_marker;
use super::super::style::{Marker, Style};
use super::camera::{HALF, SpaceView};
use super::{Layer3, Pieces};

#[derive(Debug, Clone)]
pub(in super::super) struct Points3 {
    pub places: Arc<[Place]>,
    pub style: Style,
    /// How much nearer they are taken to be.
    pub lift: f64,
}

impl Entry for Points3 {
    fn kind(&self) -> Kind {
        Kind::Points
    }

    fn style(&self) -> &Style {
        &self.style
    }

    fn count(&self) -> usize {
        self.places.len()
    }
}

impl Layer3 for Points3 {
    fn places(&self) -> Vec<Place> {
        self.places.to_vec()
    }

    fn draw(&self, look: &Look, view: &SpaceView, pieces: &mut Pieces) {
        let marker = look.marker.unwrap_or(Marker::Circle);
        for place in self.places.iter().filter(|p| view.shows(**p)) {
            let boxed = view.boxed(*place);
            if (0..3).all(|k| boxed[k].abs() <= HALF[k] * (1.0 + 1e-6)) {
                let at = view.pixel(boxed);
                pieces.add(view.nearness(boxed) + self.lift, |scene| {
                    draw_marker(marker, at, look, scene)
                });
            }
        }
    }
}
