//! Figures as SVG, PDF, PNG and text: described first, drawn when they are saved or shown, the same image in every format.
//!
//! A [`Figure`] is a set of axes, two or three, with lines, points, bands and marks; a [`Grid`] puts several side by side or on
//! top of each other. [`trajectory`], [`fit`] and [`loss_curve`] make the figures of a run. Text is measured and drawn with a
//! bundled font, so that a figure is the same on every machine, byte for byte.
//!
//! ```no_run
//! use odesync_plot::{Dash, Figure, Grid, Style};
//!
//! let t: Vec<f64> = (0..=100).map(|i| 0.1 * f64::from(i)).collect();
//! let decay: Vec<f64> = t.iter().map(|t| (-t).exp()).collect();
//! let linear = Figure::new().x_label("t").y_label("u").line(&t, &decay, Style::new().label("exp(−t)"))?;
//! let log = linear.clone().log_y();
//! Grid::new(2, [linear, log])?.title("Decay").save("figures/decay.svg")?;
//! # Ok::<(), odesync_plot::Error>(())
//! ```
//!
//! How it works: `panel_layout` and `panel_drawing` lay out a [`Figure`] or a [`Grid`] as a `Scene` of strokes, areas, discs and
//! text in pixels, which is rendered on a plotters backend: plotters' own for SVG, and `raster` for PNG. A new kind of content is
//! a file in `layers` (two axes) or `space` (three axes).

mod autoscale;
mod axes_transform;
mod bitmap;
pub mod builders;
mod color;
mod color_scale;
mod colorbar;
mod colored_grid;
mod colormap;
mod dates;
mod drawing_context;
mod figure;
mod figure_size;
mod font;
mod font_file;
mod geometry;
mod grid;
mod label;
mod layers;
mod legend;
mod legend_handle;
mod marching_squares;
mod marker;
mod math;
mod name_table;
mod notes;
mod option_kinds;
mod output;
mod page;
mod panel_drawing;
mod panel_layout;
mod panel_layout3;
mod panel_metrics;
mod panel_options;
mod pdf;
mod raster;
mod rasterized;
mod rectilinear_grid;
mod rendering;
mod resolved_style;
mod right_axis;
mod scale;
mod scale_options;
mod scene;
mod shared_ticks;
mod space;
mod style;
#[cfg(test)]
mod tests;
mod text;
mod ticks;
mod values;

pub use builders::{fit, loss_curve, trajectory};
pub use color::{Color, PALETTE};
pub use colormap::ColorMap;
pub use dates::TimeUnit;
pub use figure::Figure;
pub use grid::{Grid, Panel};
pub use layers::{Annotation, Arrows, Contour, HeatMap, Histogram, Waterfall};
pub use legend::Legend;
pub use odesync_base::{Error, Result};
pub use page::{PageOptions, Preset};
pub use space::Surface;
pub use style::{Dash, Marker, Style};
pub use values::Values;
