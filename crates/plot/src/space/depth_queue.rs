//! What is painted, from back to front.

use super::super::geometry::{Point, Rect};
use super::super::raster::SkiaBackend;
use super::super::scene::{Primitive, Scene, UNITS_PER_PIXEL};

/// Items beyond which the layers become a picture, which is then a smaller file.
const MAX_VECTOR_ITEMS: usize = 3000;

/// Pixels of that picture for each of the figure's.
const RASTER_SCALE: f64 = 2.0;

/// Items with their position towards the viewer.
#[derive(Debug)]
pub(in super::super) struct DepthQueue {
    entries: Vec<(f64, Vec<Primitive>)>,
    /// Whether nearer items hide farther ones.
    pub has_occlusion: bool,
}

impl DepthQueue {
    pub fn new(solid: bool) -> DepthQueue {
        DepthQueue {
            entries: Vec::new(),
            has_occlusion: solid,
        }
    }

    /// Adds items painted together, at a position towards the viewer.
    pub fn add(&mut self, nearness: f64, draw: impl FnOnce(&mut Scene)) {
        let mut scene = Scene::new((0, 0));
        draw(&mut scene);
        self.entries.push((nearness, scene.items));
    }

    /// Everything, in the order it was added.
    pub fn items(&self) -> impl Iterator<Item = &Primitive> {
        self.entries.iter().flat_map(|(_, items)| items)
    }

    /// Puts what is farther from the viewer first, where nearer things hide it.
    pub fn sort(&mut self) {
        if self.has_occlusion {
            self.entries.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
    }

    /// Paints everything into the scene; `rect` holds all of it.
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

/// The items as one picture; as they are where there is no memory for it.
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
