//! Many primitives as one bitmap, which makes a smaller file.

use super::geometry::{Point, Rect};
use super::raster::SkiaBackend;
use super::scene::{Primitive, Scene, UNITS_PER_PIXEL};

/// Pixels of the bitmap per pixel of the figure.
const RASTER_SCALE: f64 = 2.0;

/// Returns the primitives as one bitmap, or unchanged where there is not enough memory for it.
pub(super) fn rasterize(items: Vec<Primitive>, rect: &Rect) -> Vec<Primitive> {
    let (left, top) = (rect.left.floor(), rect.top.floor());
    let size = (
        (rect.right.ceil() - left) as u32,
        (rect.bottom.ceil() - top) as u32,
    );
    let mut part = Scene::part();
    part.items = items
        .iter()
        .map(|item| translate(item, (-left, -top)))
        .collect();
    let pixels = |n: u32| (f64::from(n) * RASTER_SCALE) as u32;
    let Some(mut raster) = SkiaBackend::transparent(
        pixels(size.0),
        pixels(size.1),
        RASTER_SCALE / UNITS_PER_PIXEL,
    ) else {
        return items;
    };
    if part.render(&mut raster).is_err() {
        return items;
    }
    let rect = Rect {
        left,
        top,
        right: left + f64::from(size.0),
        bottom: top + f64::from(size.1),
    };
    vec![Primitive::Image {
        rect,
        bitmap: raster.into_bitmap(),
        smooth: true,
    }]
}

fn translate(item: &Primitive, (dx, dy): Point) -> Primitive {
    let shift = |p: &Point| (p.0 + dx, p.1 + dy);
    let mut item = item.clone();
    match &mut item {
        Primitive::Path { points, .. } | Primitive::Area { points, .. } => {
            points.iter_mut().for_each(|p| *p = shift(p));
        }
        Primitive::Disc { center, .. } => *center = shift(center),
        Primitive::Text { at, .. } => *at = shift(at),
        Primitive::Image { rect, .. } => {
            (rect.left, rect.right) = (rect.left + dx, rect.right + dx);
            (rect.top, rect.bottom) = (rect.top + dy, rect.bottom + dy);
        }
    }
    item
}
