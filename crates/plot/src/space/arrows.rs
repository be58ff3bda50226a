//! Arrows of a vector field of space.

use std::sync::Arc;

use super::super::entry::{Entry, Kind};
use super::super::geometry::Place;
use super::super::layers::{Arrows, BACK, arrow};
use super::super::look::Look;
use super::super::shade::Tint;
use super::super::style::Style;
use super::camera::{HALF, SpaceView, clip_line};
use super::line::LIFT;
use super::{Layer3, Pieces};
use odesync_base::error::Result;

/// A vector at each of some places.
#[derive(Debug, Clone)]
pub(in super::super) struct Arrows3 {
    places: Arc<[Place]>,
    vectors: Arc<[Place]>,
    tint: Option<Tint>,
    options: Arrows,
}

fn length(v: &Place) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The longest arrow, in the box: divided by the number of arrows along a side.
const LONGEST: f64 = 1.5;

impl Arrows3 {
    /// The number of arrows along a side, if they are on a lattice.
    fn side(&self) -> f64 {
        (self.places.len() as f64).cbrt().max(2.0)
    }

    pub fn new(places: Arc<[Place]>, vectors: Arc<[Place]>, options: &Arrows) -> Result<Arrows3> {
        let mut options = options.clone();
        options.style.color = options.style.color.or(Some(BACK));
        Ok(Arrows3 {
            tint: options.tint("quiver3", vectors.iter().map(length))?,
            places,
            vectors,
            options,
        })
    }
}

impl Entry for Arrows3 {
    fn kind(&self) -> Kind {
        Kind::Field
    }

    fn style(&self) -> &Style {
        &self.options.style
    }

    fn tint(&self) -> Option<&Tint> {
        self.tint.as_ref()
    }
}

impl Layer3 for Arrows3 {
    fn places(&self) -> Vec<Place> {
        // With the room of half an arrow around the outer ones.
        let range = |k: usize| {
            let values = self.places.iter().map(|p| p[k]).filter(|v| v.is_finite());
            let (lo, hi) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| {
                (lo.min(v), hi.max(v))
            });
            let room = 0.25 * LONGEST / (self.side() - 0.5 * LONGEST) * (hi - lo);
            [lo - room, hi + room]
        };
        let [x, y, z] = [range(0), range(1), range(2)];
        let corner = |i: usize| [x[i & 1], y[i >> 1 & 1], z[i >> 2]];
        let corners = (0..8).map(corner);
        self.places.iter().copied().chain(corners).collect()
    }

    fn draw(&self, look: &Look, view: &SpaceView, pieces: &mut Pieces) {
        // In the box, where the axes' units are comparable.
        let span =
            |k: usize| (view.axes[k].value(1.0) - view.axes[k].value(0.0)).abs() / (2.0 * HALF[k]);
        let spans: Place = std::array::from_fn(span);
        let scaled: Vec<Place> = self
            .vectors
            .iter()
            .map(|v| std::array::from_fn(|k| v[k] / spans[k]))
            .collect();
        let longest = scaled
            .iter()
            .map(length)
            .filter(|l| l.is_finite())
            .fold(0.0, f64::max);
        let most = self
            .options
            .style
            .size
            .map_or(LONGEST / self.side(), |pixels| pixels / view.zoom);
        let shown = self.places.iter().zip(&self.vectors[..]).zip(&scaled);
        for ((place, vector), scaled) in shown {
            let size = length(scaled);
            if !view.shows(*place) || size == 0.0 || !size.is_finite() {
                continue;
            }
            let by = most
                / if self.options.normalize {
                    size
                } else {
                    longest
                };
            let at = view.boxed(*place);
            let end = |by: f64| std::array::from_fn(|k| at[k] + by * scaled[k]);
            // What leaves the box is cut off, so that the head is at the wall.
            let Some([tail, tip]) = clip_line(&[end(-0.5 * by), end(0.5 * by)])
                .first()
                .and_then(|line| line.first_chunk().copied())
            else {
                continue;
            };
            let (from, to) = (view.pixel(tail), view.pixel(tip));
            let middle = (0.5 * (from.0 + to.0), 0.5 * (from.1 + to.1));
            let rgb = match &self.tint {
                Some(tint) => tint.coarse(length(vector)),
                None => look.rgb,
            };
            let width = self.options.style.width.unwrap_or(1.1);
            pieces.add(view.nearness(at) + LIFT, |scene| {
                arrow(
                    middle,
                    (to.0 - from.0, to.1 - from.1),
                    (rgb, look.alpha),
                    width,
                    scene,
                );
            });
        }
    }
}
