//! Grids of several figures in one image.

use super::autoscale;
use super::drawing_context;
use super::figure::Figure;
use super::figure_size::checked_size;
use super::geometry::Rect;
use super::math;
use super::page::{PageDimensions, PageOptions, impl_page};
use super::panel_layout::{PanelLayout, SharedAxes};
use super::panel_metrics::{Margins, TITLE_EM, draw_centered, fill_background};
use super::scale::Axis;
use super::scene::Scene;
use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

/// Smallest height of a frame in pixels whose row gets its height by the frame.
const MIN_FRAME: f64 = 12.0;

/// Height of a frame in pixels below which ticks and labels are too close.
const SQUEEZED_FRAME: f64 = 30.0;

/// A figure or a grid of panels: anything that can be drawn or be part of a [`Grid`].
#[expect(
    clippy::large_enum_variant,
    reason = "there are few panels, and a figure in a box would show in every match"
)]
#[derive(Debug, Clone)]
pub enum Panel {
    /// A single figure.
    Figure(Figure),
    /// A grid of panels.
    Grid(Grid),
}

impl From<Figure> for Panel {
    fn from(figure: Figure) -> Panel {
        Panel::Figure(figure)
    }
}

impl From<Grid> for Panel {
    fn from(grid: Grid) -> Panel {
        Panel::Grid(grid)
    }
}

/// Clones, so that a list of panels can be drawn and used afterwards.
impl<T: Clone + Into<Panel>> From<&T> for Panel {
    fn from(panel: &T) -> Panel {
        panel.clone().into()
    }
}

impl Panel {
    /// Returns a short description of the panel: "Figure "Losses", 900 × 560: 2 layers".
    pub fn summary(&self) -> String {
        let titled = |title: &str, size: Result<PageDimensions>| {
            let size = size.map_or_else(|_| "no size".to_owned(), |size| size.describe());
            match title.is_empty() {
                true => format!("Figure, {size}"),
                false => format!("Figure \"{}\", {size}", math::to_plain(title)),
            }
        };
        match self {
            Panel::Figure(f) => {
                let layers = count_of(f.layers.len() + f.layers3.len(), "layer");
                format!("{}: {layers}", titled(&f.title, f.page_dimensions()))
            }
            Panel::Grid(g) => {
                let panels = count_of(g.panels.len(), "panel");
                format!("{}: {panels}", titled(&g.title, g.page_dimensions()))
            }
        }
    }

    pub(super) fn scene(&self) -> Result<Scene> {
        match self {
            Panel::Figure(figure) => figure.scene(),
            Panel::Grid(grid) => grid.scene(),
        }
    }
}

/// A grid of panels in rows and columns whose frames are aligned.
///
/// ```
/// use odesync_plot::{Figure, Grid, Style};
/// let t = [0.0, 1.0, 2.0];
/// let x = Figure::new().y_label("x").line(&t, &[1.0, 0.5, 0.2], Style::new())?;
/// let v = Figure::new().x_label("t").y_label("v").line(&t, &[0.0, -0.4, -0.2], Style::new())?;
/// let svg = Grid::new(1, [x, v])?.share_x().title("Position and velocity").to_svg()?;
/// assert!(svg.contains("Position and velocity"));
/// # Ok::<(), odesync_plot::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Grid {
    pub(super) title: String,
    pub(super) columns: usize,
    pub(super) panels: Vec<Panel>,
    pub(super) size: Option<(u32, u32)>,
    pub(super) page: PageOptions,
    share_x: bool,
    share_y: bool,
    heights: Vec<f64>,
}

impl Grid {
    /// Creates a grid of panels in `columns` columns, filled row by row.
    ///
    /// # Errors
    ///
    /// No panel, or no column.
    pub fn new(columns: usize, panels: impl IntoIterator<Item = impl Into<Panel>>) -> Result<Grid> {
        let panels: Vec<Panel> = panels.into_iter().map(Into::into).collect();
        if panels.is_empty() || columns == 0 {
            return Err(Error::invalid(format!(
                "a grid needs at least one figure and one column, not {} in {}",
                count_of(panels.len(), "figure"),
                count_of(columns, "column")
            )));
        }
        Ok(Grid {
            title: String::new(),
            columns: columns.min(panels.len()),
            panels,
            size: None,
            page: PageOptions::new(),
            share_x: false,
            share_y: false,
            heights: Vec::new(),
        })
    }

    /// Sets the title above all panels.
    pub fn title(mut self, title: impl Into<String>) -> Grid {
        self.title = title.into();
        self
    }

    /// Makes the figures of each column share one horizontal axis, which is labelled below the lowest.
    pub fn share_x(mut self) -> Grid {
        self.share_x = true;
        self
    }

    /// Makes the figures of each row share one vertical axis, which is labelled left of the first.
    pub fn share_y(mut self) -> Grid {
        self.share_y = true;
        self
    }

    /// Sets the rows' relative heights; rows beyond the given heights are as high as the first.
    ///
    /// # Errors
    ///
    /// A height that is not between 0.001 and 1000.
    pub fn row_heights(mut self, heights: &[f64]) -> Result<Grid> {
        if let Some(h) = heights.iter().find(|h| !(1e-3..=1e3).contains(*h)) {
            return Err(Error::invalid(format!(
                "a row cannot have the relative height {h}; give numbers from 0.001 to 1000"
            )));
        }
        self.heights = heights.to_vec();
        Ok(self)
    }

    /// Sets the width and height of the whole grid in pixels; the default follows from the number of rows and columns.
    ///
    /// # Errors
    ///
    /// A width or height below 100 or above 4000.
    pub fn size(mut self, width: u32, height: u32) -> Result<Grid> {
        self.size = Some(checked_size(f64::from(width), f64::from(height))?);
        Ok(self)
    }

    /// Returns the width and height in pixels: the user's, or a size that suits the panels.
    fn resolved_size(&self) -> (u32, u32) {
        let suited = || {
            let width = if self.columns == 1 {
                900
            } else {
                640 * self.columns as u32
            };
            let height = match (self.rows(), self.heights.is_empty()) {
                (1, _) | (2, false) => 560,
                (rows, _) => 360 * rows as u32,
            };
            (width.min(4000), height.min(4000))
        };
        self.size.unwrap_or_else(suited)
    }

    fn rows(&self) -> usize {
        self.panels.len().div_ceil(self.columns)
    }

    /// Returns the options of the page: what the grid leaves open is as in its first figure.
    fn page_options(&self) -> PageOptions {
        match self.panels.first() {
            Some(Panel::Figure(figure)) => self.page.or(&figure.page),
            Some(Panel::Grid(grid)) => self.page.or(&grid.page_options()),
            None => self.page.clone(),
        }
    }

    fn page_dimensions(&self) -> Result<PageDimensions> {
        let page = self.page_options();
        page.dimensions(self.resolved_size(), self.columns)
    }

    pub(super) fn scene(&self) -> Result<Scene> {
        let page = self.page_dimensions()?;
        drawing_context::with(&self.page_options().context(), || {
            let mut scene = Scene::new(page);
            let area = fill_background(&mut scene);
            self.draw(&area, &mut scene)?;
            Ok(scene)
        })
    }

    fn draw(&self, area: &Rect, scene: &mut Scene) -> Result<()> {
        let mut inner = *area;
        if !self.title.is_empty() {
            let center = 0.5 * (area.left + area.right);
            draw_centered(
                &self.title,
                TITLE_EM,
                (center, area.top + 1.5 * TITLE_EM),
                area,
                scene,
            );
            inner.top += 1.8 * TITLE_EM;
        }
        let heights = self.row_weights();
        let sum: f64 = heights.iter().sum();
        let heights = heights.iter().map(|h| inner.height() * h / sum).collect();
        let mut cells = self.cells(&inner, heights);
        let shared = self.shared_axes()?;
        let mut layouts = self.layouts(&cells, &shared)?;
        if let Some(heights) = self.heights_of_equal_frames(&inner, &layouts) {
            cells = self.cells(&inner, heights);
            layouts = self.layouts(&cells, &shared)?;
        }
        for (i, ((panel, layout), cell)) in self.panels.iter().zip(&layouts).zip(&cells).enumerate()
        {
            match (panel, layout) {
                (_, Some(layout)) => {
                    layout.draw(cell, Some(self.aligned_margins(&layouts, i)), scene);
                }
                (Panel::Grid(grid), None) => grid.draw(cell, scene)?,
                (Panel::Figure(_), None) => {}
            }
        }
        Ok(())
    }

    /// Returns the layout of each figure in its cell; a grid in the grid has none.
    fn layouts(
        &self,
        cells: &[Rect],
        shared: &[SharedAxes],
    ) -> Result<Vec<Option<PanelLayout<'_>>>> {
        let mut layouts = Vec::with_capacity(self.panels.len());
        for ((panel, cell), shared) in self.panels.iter().zip(cells).zip(shared) {
            layouts.push(match panel {
                Panel::Grid(_) => None,
                Panel::Figure(figure) => Some(PanelLayout::new(figure, cell, shared)?),
            });
        }
        Ok(layouts)
    }

    /// Returns the heights of the rows with which their frames, not their cells, have the relative heights: where the figures of a
    /// column share an axis, only the lowest has labels below it. `None` where they share none, or where there is no room.
    fn heights_of_equal_frames(
        &self,
        area: &Rect,
        layouts: &[Option<PanelLayout>],
    ) -> Option<Vec<f64>> {
        if !self.share_x || self.rows() < 2 || layouts.iter().any(Option::is_none) {
            return None;
        }
        let margins: Vec<f64> = (0..self.rows())
            .map(|row| {
                let margins = self.aligned_margins(layouts, row * self.columns);
                margins.top + margins.bottom
            })
            .collect();
        let is_given = !self.heights.is_empty();
        let frames = area.height() - margins.iter().sum::<f64>();
        let weights = self.row_weights();
        let sum: f64 = weights.iter().sum();
        let heights: Vec<f64> = weights.iter().map(|w| frames * w / sum).collect();
        // Heights that the user gave are those of the cells, as long as their frames have room in them.
        let squeezed = weights
            .iter()
            .zip(&margins)
            .any(|(w, margins)| area.height() * w / sum - margins < SQUEEZED_FRAME);
        let has_room = heights.iter().all(|h| *h >= MIN_FRAME);
        (has_room && (squeezed || !is_given))
            .then(|| heights.iter().zip(margins).map(|(h, m)| h + m).collect())
    }

    /// Returns the aligned margins of panel `i`: left and right the widest of its column, top and bottom the widest of its row.
    fn aligned_margins(&self, layouts: &[Option<PanelLayout>], i: usize) -> Margins {
        let mut margins = Margins::default();
        for (j, layout) in layouts.iter().enumerate() {
            let Some(own) = layout.as_ref().map(|p| p.margins()) else {
                continue;
            };
            if i % self.columns == j % self.columns {
                margins.left = margins.left.max(own.left);
                margins.right = margins.right.max(own.right);
            }
            if i / self.columns == j / self.columns {
                margins.top = margins.top.max(own.top);
                margins.bottom = margins.bottom.max(own.bottom);
            }
        }
        margins
    }

    fn row_weights(&self) -> Vec<f64> {
        let first = self.heights.first().copied().unwrap_or(1.0);
        let weight = |row: usize| self.heights.get(row).copied().unwrap_or(first);
        (0..self.rows()).map(weight).collect()
    }

    /// Returns the title, the number of columns, the panels, and the rows' relative heights.
    pub(super) fn parts(&self) -> (&str, usize, &[Panel], Vec<f64>) {
        (&self.title, self.columns, &self.panels, self.row_weights())
    }

    /// Returns the cells of rows of these heights.
    fn cells(&self, area: &Rect, heights: Vec<f64>) -> Vec<Rect> {
        let width = area.width() / self.columns as f64;
        let mut top = area.top;
        let mut cells = Vec::with_capacity(self.panels.len());
        for height in heights {
            let bottom = top + height;
            for column in 0..self.columns {
                let left = area.left + width * column as f64;
                cells.push(Rect {
                    left,
                    top,
                    right: left + width,
                    bottom,
                });
            }
            top = bottom;
        }
        cells
    }

    /// Returns the shared axes of each panel: the horizontal axis of a column, the vertical axis of a row, if their scales are
    /// equal.
    fn shared_axes(&self) -> Result<Vec<SharedAxes>> {
        let mut shared = vec![SharedAxes::default(); self.panels.len()];
        let mut axes = Vec::with_capacity(self.panels.len());
        for panel in &self.panels {
            axes.push(match panel {
                Panel::Figure(figure)
                    if figure.layers3.is_empty() && (self.share_x || self.share_y) =>
                {
                    Some(autoscale::fit_axes(figure)?)
                }
                _ => None,
            });
        }
        let flat = |i: usize| axes.get(i).is_some_and(Option::is_some);
        for (i, slot) in shared.iter_mut().enumerate().filter(|(i, _)| flat(*i)) {
            let (row, column) = (i / self.columns, i % self.columns);
            if self.share_x {
                let same = axes.iter().skip(column).step_by(self.columns);
                slot.x = union(same.flatten().map(|a| a.0));
                slot.hide_x_labels = slot.x.is_some() && flat(i + self.columns);
            }
            if self.share_y {
                let same = axes.iter().skip(row * self.columns).take(self.columns);
                slot.y = union(same.flatten().map(|a| a.1));
                slot.hide_y_labels = slot.y.is_some() && column > 0 && flat(i - 1);
            }
        }
        Ok(shared)
    }
}

impl_page!(Grid);

/// Returns the axis that covers all of the axes; `None` where their scales differ.
fn union(axes: impl Iterator<Item = Axis>) -> Option<Axis> {
    let axes: Vec<Axis> = axes.collect();
    let union = axes.iter().copied().reduce(|a, b| Axis {
        scale: a.scale,
        lo: a.lo.min(b.lo),
        hi: a.hi.max(b.hi),
        dates: a.dates,
    });
    union.filter(|u| (axes.iter()).all(|a| a.scale == u.scale && a.dates == u.dates))
}
