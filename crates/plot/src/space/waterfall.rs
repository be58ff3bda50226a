//! Curves one behind the other, coloured by height.

use super::super::geometry::Place;
use super::super::lattice::Lattice;
use super::super::layers::{Waterfall, colored_runs};
use super::super::look::Look;
use super::super::scene::Pen;
use super::super::style::Dash;
use super::super::tinted::{OverGrid, Tinted};
use super::camera::SpaceView;
use super::{Layer3, Pieces};
use odesync_base::error::Result;

/// A waterfall in space: each curve hides what is behind it.
#[derive(Debug, Clone)]
pub(in super::super) struct Curtains(Tinted);

impl Curtains {
    pub fn new(lattice: Lattice, options: &Waterfall) -> Result<Curtains> {
        let values = Tinted::new("waterfall", lattice, &options.shade, &options.style)?;
        Ok(Curtains(values))
    }
}

impl OverGrid for Curtains {
    fn tinted(&self) -> &Tinted {
        &self.0
    }
}

impl Layer3 for Curtains {
    fn places(&self) -> Vec<Place> {
        self.0.places()
    }

    fn solid(&self) -> bool {
        true
    }

    fn draw(&self, look: &Look, view: &SpaceView, pieces: &mut Pieces) {
        let Tinted { lattice, style, .. } = &self.0;
        let tint = self.0.tint.within(view.z_range);
        let [x_axis, y_axis, z_axis] = view.axes;
        // What has no place on a logarithmic axis, or lies beyond it, is at its end.
        let inside = |place: Place| -> Place {
            let boxed = view.boxed(place);
            std::array::from_fn(|k| boxed[k].clamp(-super::camera::HALF[k], super::camera::HALF[k]))
        };
        let floor = z_axis.value(0.0);
        for (y, row) in lattice.y.iter().zip(lattice.z.rows()) {
            if !y_axis.scale.shows(*y) || !(-1e-9..=1.0 + 1e-9).contains(&y_axis.place(*y)) {
                continue;
            }
            let xs = lattice.x.iter().copied();
            let curve: Vec<(f64, f64)> = xs.zip(row.iter().copied()).collect();
            let missing = |(x, z): &(f64, f64)| {
                z.is_nan()
                    || !x_axis.scale.shows(*x)
                    || !(-1e-9..=1.0 + 1e-9).contains(&x_axis.place(*x))
            };
            for run in curve.split(missing) {
                let (Some(first), Some(last)) = (run.first(), run.last()) else {
                    continue;
                };
                let top: Vec<_> = run
                    .iter()
                    .map(|(x, z)| (view.pixel(inside([*x, *y, *z])), tint.coarse(*z)))
                    .collect();
                let mut area: Vec<_> = top.iter().map(|(p, _)| *p).collect();
                area.push(view.pixel(inside([last.0, *y, floor])));
                area.push(view.pixel(inside([first.0, *y, floor])));
                let middle = inside([0.5 * (first.0 + last.0), *y, floor]);
                pieces.add(view.nearness([0.0, middle[1], middle[2]]), |scene| {
                    scene.area(area, ((255, 255, 255), 0.88));
                    for (line, rgb) in colored_runs(&top) {
                        scene.line(
                            &line,
                            Pen {
                                ink: (rgb, look.alpha),
                                width: style.width.unwrap_or(1.5),
                                dash: Dash::Solid,
                            },
                        );
                    }
                });
            }
        }
    }
}
