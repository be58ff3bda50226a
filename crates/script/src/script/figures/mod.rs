//! The bindings of figures.

mod fields;
mod fits;
mod keys;
mod landscapes;
mod layers;
mod marks;
mod options;
mod overlay;
mod phase;
mod plots;

use rhai::{Array as List, ImmutableString, Map};

use super::convert;
use super::frontend::DisplayedValue;
use super::host::Host;
use super::options::Options;
use super::registry::{Registry, ScriptType};
use crate::{Error, Result};
use keys::FIGURE;
use keys::{GRID, GridOptions};
use odesync_plot::{Grid, PageOptions, Panel};
use options::read_options;

/// Describes a figure in one line.
pub fn describe(panel: &Panel) -> String {
    format!(
        "{}; save it with .save(\"name.svg\"), .save(\"name.pdf\") or .save(\"name.png\")",
        panel.summary()
    )
}

impl ScriptType for Panel {
    const NAME: &'static str = "Figure";

    fn show(&self) -> String {
        describe(self)
    }
}

pub(super) fn register(reg: &mut Registry) {
    reg.script_type::<Panel>();
    reg.function(
        "figure(#{ title: \"…\", x_label: \"t\", y_label: \"u\" }) -> Figure",
        "An empty figure, to which layers are added: line, scatter, band, error_bars, bar, histogram, vline, hline, annotate, heatmap, \
         contour, quiver, streamlines, a second axis by twin, a figure in it by inset, and on three axes surface, waterfall, line3, scatter3, quiver3.",
        "figure(#{ title: \"Losses\", log_y: true }).line([0, 1, 2], [1, 0.1, 0.01], #{ label: \"mse\" })",
    )
    .options(FIGURE)
    .body(|options: Option<Map>| read_options("figure", FIGURE, options).map(Panel::Figure));
    layers::register(reg);
    marks::register(reg);
    fields::register(reg);
    plots::register(reg);
    fits::register(reg);
    overlay::register(reg);
    phase::register(reg);
    landscapes::register(reg);
    reg.function(
        "grid(columns, [figure, ...], #{ share_x: true, share_y: true }) -> Figure",
        "Several figures in one picture.",
        "grid(2, [figure().line([0, 1], [1, 2]), figure().line([0, 1], [2, 1])], #{ share_y: true, title: \"Two\" })",
    )
    .options(GRID)
    .body(|columns: i64, figures: List, options: Options| grid(columns, &figures, options));
    outputs(reg);
}

fn outputs(reg: &mut Registry) {
    let host = reg.host();
    reg.function(
        "show(figure)",
        "Shows the figure at once: as a picture in a notebook and in a terminal that can, else as text.",
        "show(plot(dataset([0, 1, 2], [1, 2, 3])))",
    )
    .body(move |p: Panel| {
        host.display(&DisplayedValue::Figure(Box::new(p.clone())));
        note_faults(&host, &p);
    });
    let host = reg.host();
    reg.function(
        "figure.save(\"name.svg\")",
        "Writes the figure as .svg, .pdf or .png.",
        "plot(dataset([0, 1, 2], [1, 2, 3])).save(\"data.svg\")",
    )
    .body(move |p: &mut Panel, path: ImmutableString| -> Result<()> {
        p.save(path.as_str())?;
        host.note(&format!("wrote {path}"));
        note_faults(&host, p);
        Ok(())
    });
    reg.function(
        "figure.text(columns, rows) -> string",
        "The figure drawn in characters, 80 columns and 24 rows unless given.",
        "print(figure().line([0, 1, 2], [0, 1, 4]).text(60, 16))",
    )
    .body(|p: &mut Panel| text(p, TEXT.0, TEXT.1))
    .body(|p: &mut Panel, columns: i64, rows: i64| text(p, columns, rows));
}

/// Says what a figure does not show as it was meant, each fault once.
pub(super) fn note_faults(host: &Host, panel: &Panel) {
    for note in panel.notes() {
        host.note_once(&note);
    }
}

/// Number of characters per line, and of lines, of a figure as text.
const TEXT: (i64, i64) = (80, 24);

fn text(panel: &Panel, columns: i64, rows: i64) -> Result<String> {
    let size = |n: i64, least: i64, what: &str| {
        usize::try_from(n)
            .ok()
            .filter(|_| n >= least)
            .ok_or_else(|| {
                Error::invalid(format!("text: {what} should be {least} or more, not {n}"))
            })
    };
    panel.to_text(size(columns, 24, "columns")?, size(rows, 8, "rows")?, false)
}

fn grid(columns: i64, figures: &List, mut options: Options) -> Result<Panel> {
    let columns = usize::try_from(columns)
        .ok()
        .filter(|n| *n > 0)
        .ok_or_else(|| {
            Error::invalid(format!(
                "grid: the number of columns should be 1 or more, not {columns}"
            ))
        })?;
    let panels = figures
        .iter()
        .map(|f| {
            f.clone().try_cast::<Panel>().ok_or_else(|| {
                Error::invalid(format!(
                    "grid: a list of figures was expected, and it holds {}",
                    convert::describe(f)
                ))
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let mut grid = Grid::new(columns, panels)?;
    let mut read = GridOptions::default();
    options.read_set(&mut read)?;
    let mut page = PageOptions::default();
    options.read_set(&mut page)?;
    options.finish()?;
    grid = grid.page(page);
    if let Some(title) = read.title {
        grid = grid.title(title);
    }
    if read.share_x {
        grid = grid.share_x();
    }
    if read.share_y {
        grid = grid.share_y();
    }
    if let Some(heights) = read.row_heights {
        grid = grid.row_heights(&heights)?;
    }
    if let Some((width, height)) = read.size {
        grid = grid.size(width as u32, height as u32)?;
    }
    Ok(Panel::Grid(grid))
}
