//! What is painted, from back to front.

use super::super::geometry::{Point, Rect};
use super::super::raster::Raster;
use super::super::scene::{Item, Scene, UNITS};

/// Items beyond which the layers become a picture, which is then a smaller file.
const MOST: usize = 3000;

/// Pixels of that picture for each of the figure's.
const FINE: f64 = 2.0;

/// Items with their position towards the viewer.
#[derive(Debug)]
pub(in super::super) struct Pieces {
    pieces: Vec<(f64, Vec<Item>)>,
    /// Whether nearer items hide farther ones.
    pub solid: bool,
}

impl Pieces {
    pub fn new(solid: bool) -> Pieces {
        Pieces {
            pieces: Vec::new(),
            solid,
        }
    }

    /// Adds items painted together, at a position towards the viewer.
    pub fn add(&mut self, nearness: f64, draw: impl FnOnce(&mut Scene)) {
        let mut scene = Scene::new((0, 0));
        draw(&mut scene);
        self.pieces.push((nearness, scene.items));
    }

    /// Everything, in the order it was added.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.pieces.iter().flat_map(|(_, items)| items)
    }

    /// Puts what is farther from the viewer first, where nearer things hide it.
    pub fn sort(&mut self) {
        if self.solid {
            self.pieces.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
    }

    /// Paints everything into the scene; `rect` holds all of it.
    pub fn paint(mut self, rect: &Rect, scene: &mut Scene) {
        self.sort();
        let items: Vec<Item> = self
            .pieces
            .into_iter()
            .flat_map(|(_, items)| items)
            .collect();
        match items.len() > MOST {
            true => scene.items.extend(picture(items, rect)),
            false => scene.items.extend(items),
        }
    }
}

/// The items as one picture; as they are where there is no memory for it.
fn picture(items: Vec<Item>, rect: &Rect) -> Vec<Item> {
    let (left, top) = (rect.left.floor(), rect.top.floor());
    let size = (
        (rect.right.ceil() - left) as u32,
        (rect.bottom.ceil() - top) as u32,
    );
    let mut part = Scene::new(size);
    part.items = items
        .iter()
        .map(|item| moved(item, (-left, -top)))
        .collect();
    let pixels = |n: u32| (f64::from(n) * FINE) as u32;
    let Some(mut raster) = Raster::transparent(pixels(size.0), pixels(size.1), FINE / UNITS) else {
        return items;
    };
    if part.play(&mut raster).is_err() {
        return items;
    }
    let rect = Rect {
        left,
        top,
        right: left + f64::from(size.0),
        bottom: top + f64::from(size.1),
    };
    vec![Item::Image {
        rect,
        picture: raster.into_picture(),
        smooth: true,
    }]
}

fn moved(item: &Item, (dx, dy): Point) -> Item {
    let shift = |p: &Point| (p.0 + dx, p.1 + dy);
    let mut item = item.clone();
    match &mut item {
        Item::Path { points, .. } | Item::Area { points, .. } => {
            points.iter_mut().for_each(|p| *p = shift(p));
        }
        Item::Disc { center, .. } => *center = shift(center),
        Item::Text { at, .. } => *at = shift(at),
        Item::Image { rect, .. } => {
            (rect.left, rect.right) = (rect.left + dx, rect.right + dx);
            (rect.top, rect.bottom) = (rect.top + dy, rect.bottom + dy);
        }
    }
    item
}
