//! The depth queue: primitives that are painted from back to front.

use super::super::geometry::Rect;
use super::super::rasterized::rasterize;
use super::super::scene::{Primitive, Scene};

/// Largest number of primitives that are drawn as vectors; more are drawn as one bitmap, which makes a smaller file.
const MAX_VECTOR_ITEMS: usize = 3000;

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
        let mut scene = Scene::part();
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
