//! Values on a grid with their colours decided: what every layer of such values is made of.

use super::entry::{Entry, Kind};
use super::geometry::Place;
use super::lattice::Lattice;
use super::shade::{Shade, Tint};
use super::style::Style;
use odesync_base::error::Result;

/// Values, their colours and a style.
#[derive(Debug, Clone)]
pub(super) struct Tinted {
    pub lattice: Lattice,
    pub tint: Tint,
    pub style: Style,
}

impl Tinted {
    /// The values in the colours that suit them; `call` is named in errors.
    pub fn new(call: &str, lattice: Lattice, shade: &Shade, style: &Style) -> Result<Tinted> {
        Ok(Tinted {
            tint: shade.of(call, lattice.z.iter().copied())?,
            style: style.clone(),
            lattice,
        })
    }

    /// The value in row `i` and column `j` as a place of space.
    pub fn place(&self, i: usize, j: usize) -> Place {
        let Lattice { x, y, z } = &self.lattice;
        [x[j], y[i], z[[i, j]]]
    }

    /// All of them.
    pub fn places(&self) -> Vec<Place> {
        let indexed = self.lattice.z.indexed_iter();
        indexed.map(|((i, j), _)| self.place(i, j)).collect()
    }
}

/// A layer made of such values, all of which it shows by their colours.
pub(super) trait OverGrid: std::fmt::Debug + Send + Sync {
    fn tinted(&self) -> &Tinted;
}

impl<T: OverGrid> Entry for T {
    fn kind(&self) -> Kind {
        Kind::Field
    }

    fn style(&self) -> &Style {
        &self.tinted().style
    }

    fn tint(&self) -> Option<&Tint> {
        Some(&self.tinted().tint)
    }
}
