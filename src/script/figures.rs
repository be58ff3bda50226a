//! Figures.

use ndarray::{Array2, Axis};
use rhai::{Array as List, Dynamic, ImmutableString, Map};

use super::convert;
use super::data::Data;
use super::error::Fallible;
use super::fits::training_title;
use super::frontend::{Display, UNSHOWN};
use super::registry::Registry;
use super::solving::Solved;
use super::training::Trained;
use crate::plotting::{Figure, Grid, OptionValue, Panel, Style, loss_curve, trajectory};
use crate::training::Run;
use crate::{Error, Result};

/// Hands every option of a map to `set`.
fn set_all(
    call: &str,
    map: &Map,
    mut set: impl FnMut(&str, OptionValue) -> Result<()>,
) -> Result<()> {
    for (name, value) in map {
        let named = |e: Error| Error::invalid(format!("{call}: {e}"));
        if let Some(text) = convert::text(value) {
            set(name, OptionValue::Text(&text)).map_err(named)?;
        } else if let Some(x) = convert::number(value) {
            set(name, OptionValue::Number(x)).map_err(named)?;
        } else if let Ok(flag) = value.as_bool() {
            set(name, OptionValue::Flag(flag)).map_err(named)?;
        } else {
            let numbers = convert::to_vector(value, &format!("{call}: option \"{name}\""))?;
            set(name, OptionValue::Numbers(&numbers)).map_err(named)?;
        }
    }
    Ok(())
}

fn style(call: &str, options: &Map) -> Result<Style> {
    let mut style = Style::new();
    set_all(call, options, |name, value| style.set(name, value))?;
    Ok(style)
}

fn figure_of(panel: &Panel, call: &str) -> Result<Figure> {
    match panel {
        Panel::Figure(figure) => Ok(figure.clone()),
        Panel::Grid(_) => Err(Error::invalid(format!(
            "{call} goes on one figure, not on a grid of them"
        ))),
    }
}

/// A layer of points: `figure.line(x, y, options)` and the like.
type Layer = fn(Figure, Vec<f64>, Vec<f64>, Style) -> Result<Figure>;

pub(super) fn register(reg: &mut Registry) {
    reg.kind::<Panel>("Figure")
        .display::<Panel>(|_| UNSHOWN.into());
    reg.add("figure", || Panel::Figure(Figure::new()));
    reg.add("figure", |options: Map| -> Fallible<Panel> {
        let mut figure = Figure::new();
        set_all("figure", &options, |name, value| figure.set(name, value))?;
        Ok(Panel::Figure(figure))
    });
    reg.describe(
        "figure",
        "figure(#{ title: \"…\", x_label: \"t\", y_label: \"u\" }) -> Figure",
        "An empty figure. Options: title, x_label, y_label, log_x, log_y, x_range, y_range, size, legend.",
        "figure(#{ title: \"Losses\", log_y: true }).line([0, 1, 2], [1, 0.1, 0.01], #{ label: \"mse\" })",
    );
    layers(reg);
    plots(reg);
    let host = reg.host();
    reg.add(
        "save",
        move |p: &mut Panel, path: ImmutableString| -> Fallible<()> {
            p.save(path.as_str())?;
            host.note(&format!("wrote {path}"));
            Ok(())
        },
    );
    let host = reg.host();
    reg.add("show", move |p: Panel| host.display(&Display::Figure(p)));
    reg.describe(
        "show",
        "show(figure)",
        "Shows the figure at once: as a picture in a notebook and in a terminal that can, else as text.",
        "show(plot(dataset([0, 1, 2], [1, 2, 3])))",
    );
    reg.describe(
        "save",
        "figure.save(\"name.svg\")",
        "Writes the figure as .svg or .png.",
        "plot(dataset([0, 1, 2], [1, 2, 3])).save(\"data.svg\")",
    );
}

fn layers(reg: &mut Registry) {
    let two: [(&str, Layer, &str, &str); 2] = [
        (
            "line",
            |f, x, y, s| f.line(x, y, s),
            "figure.line(x, y, #{ label: \"…\" }) -> Figure",
            "Adds a line; NaN breaks it.",
        ),
        (
            "scatter",
            |f, x, y, s| f.scatter(x, y, s),
            "figure.scatter(x, y, #{ label: \"…\" }) -> Figure",
            "Adds points.",
        ),
    ];
    for (name, add, signature, text) in two {
        let draw = move |p: &Panel, x: &Dynamic, y: &Dynamic, options: &Map| -> Fallible<Panel> {
            let (x, y) = (
                convert::to_vector(x, &format!("{name}: x"))?,
                convert::to_vector(y, &format!("{name}: y"))?,
            );
            Ok(Panel::Figure(add(
                figure_of(p, name)?,
                x,
                y,
                style(name, options)?,
            )?))
        };
        reg.add(name, move |p: &mut Panel, x: Dynamic, y: Dynamic| {
            draw(p, &x, &y, &Map::new())
        });
        reg.add(
            name,
            move |p: &mut Panel, x: Dynamic, y: Dynamic, o: Map| draw(p, &x, &y, &o),
        );
        reg.describe(
            name,
            signature,
            text,
            if name == "line" {
                "figure().line([0, 1], [1, 2], #{ color: \"#aa3377\", dash: \"dashed\" })"
            } else {
                "figure().scatter([0, 1], [1, 2], #{ label: \"data\" })"
            },
        );
    }
    let band =
        |p: &Panel, x: &Dynamic, y: &Dynamic, half: &Dynamic, options: &Map| -> Fallible<Panel> {
            let x = convert::to_vector(x, "band: x")?;
            let y = convert::to_vector(y, "band: y")?;
            let half = match convert::number(half) {
                Some(h) => vec![h; y.len()],
                None => convert::to_vector(half, "band: half")?,
            };
            Ok(Panel::Figure(figure_of(p, "band")?.band(
                x,
                y,
                half,
                style("band", options)?,
            )?))
        };
    reg.add(
        "band",
        move |p: &mut Panel, x: Dynamic, y: Dynamic, h: Dynamic| band(p, &x, &y, &h, &Map::new()),
    );
    reg.add(
        "band",
        move |p: &mut Panel, x: Dynamic, y: Dynamic, h: Dynamic, o: Map| band(p, &x, &y, &h, &o),
    );
    reg.describe(
        "band",
        "figure.band(x, y, half, #{ alpha: 0.2 }) -> Figure",
        "Adds the band y ± half.",
        "figure().line([0, 1], [1, 2]).band([0, 1], [1, 2], 0.3)",
    );
    let mark = |p: &Panel, x: &Dynamic, options: &Map| -> Fallible<Panel> {
        let x = convert::number(x).ok_or_else(|| Error::invalid("vline: x should be a number"))?;
        Ok(Panel::Figure(
            figure_of(p, "vline")?.vline(x, style("vline", options)?)?,
        ))
    };
    reg.add("vline", move |p: &mut Panel, x: Dynamic| {
        mark(p, &x, &Map::new())
    });
    reg.add("vline", move |p: &mut Panel, x: Dynamic, o: Map| {
        mark(p, &x, &o)
    });
    reg.describe(
        "vline",
        "figure.vline(x, #{ label: \"…\" }) -> Figure",
        "Adds a vertical line.",
        "figure().line([0, 1], [1, 2]).vline(0.5, #{ dash: \"dotted\" })",
    );
    reg.add("grid", |columns: i64, figures: List| -> Fallible<Panel> {
        let columns = usize::try_from(columns)
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| {
                Error::invalid(format!(
                    "grid: the number of columns should be above 0, not {columns}"
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
        Ok(Panel::Grid(Grid::new(columns, panels)?))
    });
    reg.describe(
        "grid",
        "grid(columns, [figure, ...]) -> Figure",
        "Several figures side by side.",
        "grid(2, [figure().line([0, 1], [1, 2]), figure().line([0, 1], [2, 1])])",
    );
}

/// The first sample, `[time, dof]`.
fn first(u: ndarray::ArrayView3<'_, f64>) -> Array2<f64> {
    u.index_axis(Axis(0), 0).to_owned()
}

fn loss_figure(run: &Run) -> Result<Grid> {
    let (epochs, loss, mse) = (
        run.metric("epoch")?,
        run.metric("train_loss")?,
        run.metric("mse")?,
    );
    let lambda = run.metric("lambda")?;
    let is_homotopy = lambda.iter().any(|l| *l != 0.0);
    let series: &[(&str, &[f64])] = match run.method.as_str() {
        "vanilla" => &[("mse", &mse)],
        _ => &[("training loss", &loss), ("mse of the free model", &mse)],
    };
    let grid = loss_curve(&epochs, series, is_homotopy.then_some(&lambda[..]))?;
    Ok(grid.title(training_title(&run.method)))
}

fn plots(reg: &mut Registry) {
    reg.add("plot", |s: Solved| -> Fallible<Panel> {
        Ok(Panel::Figure(trajectory(&s.0.t.to_vec(), &s.0.u, &[])?))
    });
    reg.add("plot", |d: Data| -> Fallible<Panel> {
        let names: Vec<&str> = d.0.names().iter().map(String::as_str).collect();
        let one = d.0.only(0)?;
        let (t, u) = (one.t().to_vec(), first(one.u()));
        let mut figure = Figure::new().x_label("t");
        for (name, column) in names.iter().zip(u.columns()) {
            figure = figure.scatter(&t, column, Style::new().label(*name))?;
        }
        Ok(Panel::Figure(figure))
    });
    reg.add("plot", |r: Trained| -> Fallible<Panel> {
        Ok(Panel::Grid(loss_figure(&r.0)?))
    });
    super::fits::register(reg);
    reg.describe(
        "plot",
        "plot(solution), plot(data), plot(run) or plot(data, run, #{ t_end: 12.0 }) -> Figure",
        "The right picture of it: trajectories, points, losses by epoch, or data with the model's trajectory. Options of the last: \
         t_end, title, train_end, sample. In place of the run an ensemble gives the median and the band between the quantiles low \
         (0.25) and high (0.75).",
        "plot(solve(lotka_volterra(), [1, 1], linspace(0, 5, 50)))",
    );
}
