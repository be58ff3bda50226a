//! The depth queue: primitives that are painted from back to front.

use super::super::geometry::{Point, Rect};
use super::super::raster::SkiaBackend;
use super::super::scene::{Primitive, Scene, UNITS_PER_PIXEL};

/// Largest number of primitives that are drawn as vectors; more are drawn as one bitmap, which makes a smaller file.
const MAX_VECTOR_ITEMS: usize = 3000;

/// Pixels of the bitmap of the layers per pixel of the figure.
const RASTER_SCALE: f64 = 2.0;

/// Primitives with their nearness to the viewer.
#[derive(Debug)]
pub(in super::super) struct DepthQueue {
    entries: Vec<(f64, Vec<Primitive>)>,
    /// Whether nearer primitives hide farther ones.
    pub has_occlusion: bool,
}

impl DepthQueue {
    pub fn new(solid: bool) -> DepthQueue {
        DepthQueue {
            entries: Vec::new(),
            has_occlusion: solid,
        }
    }

    /// Adds primitives that are painted together, with their nearness to the viewer.
    pub fn add(&mut self, nearness: f64, draw: impl FnOnce(&mut Scene)) {
        let mut scene = Scene::new((0, 0));
        draw(&mut scene);
        self.entries.push((nearness, scene.items));
    }

    /// Returns all primitives in the order in which they were added, or from back to front after [`DepthQueue::sort`].
    pub fn items(&self) -> impl Iterator<Item = &Primitive> {
        self.entries.iter().flat_map(|(_, items)| items)
    }

    /// Sorts the primitives from back to front, if nearer ones hide farther ones.
    pub fn sort(&mut self) {
        if self.has_occlusion {
            self.entries.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
    }

    /// Paints all primitives into the scene; all of them lie in `rect`.
    pub fn paint(mut self, rect: &Rect, scene: &mut Scene) {
        self.sort();
        let items: Vec<Primitive> = self
            .entries
            .into_iter()
            .flat_map(|(_, items)| items)
            .collect();
        match items.len() > MAX_VECTOR_ITEMS {
            true => scene.items.extend(rasterize(items, rect)),
            false => scene.items.extend(items),
        }
    }
}

/// Returns the primitives as one bitmap, or unchanged where there is not enough memory for it.
fn rasterize(items: Vec<Primitive>, rect: &Rect) -> Vec<Primitive> {
    let (left, top) = (rect.left.floor(), rect.top.floor());
    let size = (
        (rect.right.ceil() - left) as u32,
        (rect.bottom.ceil() - top) as u32,
    );
    let mut part = Scene::new(size);
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
