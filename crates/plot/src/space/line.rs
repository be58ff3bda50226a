//! A line through points of space.

use std::sync::Arc;

use super::super::entry::{Entry, Kind};
use super::super::geometry::Place;
use super::super::look::Look;
use super::super::marker::draw_marker;
use super::super::style::{Dash, Style};
use super::camera::{SpaceView, clip_line};
use super::{Layer3, Pieces};

/// How much nearer a line is taken to be than it is, so that one that lies on a surface is seen.
pub(in super::super) const LIFT: f64 = 0.05;

/// A lift beyond everything: what has it is seen through the surfaces before it.
pub(in super::super) const THROUGH: f64 = 10.0;

#[derive(Debug, Clone)]
pub(in super::super) struct Line3 {
    pub places: Arc<[Place]>,
    pub style: Style,
    /// How much nearer it is taken to be.
    pub lift: f64,
}

impl Entry for Line3 {
    fn kind(&self) -> Kind {
        Kind::Line
    }

    fn style(&self) -> &Style {
        &self.style
    }

    fn count(&self) -> usize {
        self.places.len()
    }
}

impl Layer3 for Line3 {
    fn places(&self) -> Vec<Place> {
        self.places.to_vec()
    }

    fn draw(&self, look: &Look, view: &SpaceView, pieces: &mut Pieces) {
        for run in self.places.split(|p| !view.shows(*p)) {
            let boxed: Vec<Place> = run.iter().map(|p| view.boxed(*p)).collect();
            for line in clip_line(&boxed) {
                if !pieces.solid || look.dash != Dash::Solid || self.lift >= THROUGH {
                    let pixels: Vec<_> = line.iter().map(|p| view.pixel(*p)).collect();
                    let near = line
                        .iter()
                        .map(|p| view.nearness(*p))
                        .fold(f64::NEG_INFINITY, f64::max);
                    pieces.add(near + self.lift, |scene| scene.line(&pixels, look.pen()));
                    continue;
                }
                for pair in line.windows(2) {
                    let near = 0.5 * (view.nearness(pair[0]) + view.nearness(pair[1]));
                    let ends = [view.pixel(pair[0]), view.pixel(pair[1])];
                    pieces.add(near + self.lift, |scene| scene.line(&ends, look.pen()));
                }
            }
            if let Some(marker) = look.marker {
                for place in &boxed {
                    let at = view.pixel(*place);
                    pieces.add(view.nearness(*place) + self.lift, |scene| {
                        draw_marker(marker, at, look, scene)
                    });
                }
            }
        }
    }
}
