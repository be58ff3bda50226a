//! The bindings of layers over a grid of x and y, and of layers with three axes.

use ndarray::{Array2, Ix2};
use rhai::{Dynamic, Map};

use super::super::convert;
use super::super::error::RhaiResult;
use super::super::registry::Registry;
use super::keys::{ARROWS, CONTOUR, HEATMAP, STYLE, SURFACE, WATERFALL};
use super::options::{figure_of, register_layer, set_all, style};
use crate::{Error, Result};
use odesync_plot::{
    Arrows, Contour, Figure, HeatMap, OptionValue, Panel, Style, Surface, Waterfall,
};

/// The shape of values over x and y, in words for messages.
const GRID_ROWS: &str = "a row for each y and a column for each x";

/// Reads a matrix from a list of rows or an `Array` of rank 2; `rows` says in messages what the rows should be.
fn matrix(value: &Dynamic, what: &str, rows: &str) -> Result<Array2<f64>> {
    let array = convert::to_array(value, what)?;
    let shape = array.shape().to_vec();
    array.into_dimensionality::<Ix2>().map_err(|_| {
        Error::invalid(format!(
            "{what} should be a matrix with {rows}, not of shape {shape:?}"
        ))
    })
}

/// A method that sets an option of a layer by its name.
type SetOption<O> = fn(&mut O, &str, OptionValue) -> Result<()>;

fn options<O: Default>(call: &str, map: &Map, set: SetOption<O>) -> Result<O> {
    let mut options = O::default();
    set_all(call, map, |name, value| set(&mut options, name, value))?;
    Ok(options)
}

/// A method that adds a layer of values over x and y.
type AddGridLayer<O> = fn(Figure, Vec<f64>, Vec<f64>, &Array2<f64>, &O) -> Result<Figure>;

/// Registers `figure.name(x, y, z)` with and without options.
fn register_grid_layer<O: Default + 'static>(
    reg: &mut Registry,
    name: &'static str,
    set: SetOption<O>,
    add: AddGridLayer<O>,
) {
    let draw = move |p: &Panel, [x, y, z]: [&Dynamic; 3], map: &Map| -> RhaiResult<Panel> {
        let figure = figure_of(p, name)?;
        let x = convert::to_vector(x, &format!("{name}: x"))?;
        let y = convert::to_vector(y, &format!("{name}: y"))?;
        let z = matrix(z, &format!("{name}: z"), GRID_ROWS)?;
        let options = options(name, map, set)?;
        Ok(Panel::Figure(add(figure, x, y, &z, &options)?))
    };
    register_layer!(reg, name, draw, [x, y, z]);
}

/// A method that adds a layer of vectors over x and y.
type AddVectorLayer =
    fn(Figure, Vec<f64>, Vec<f64>, &Array2<f64>, &Array2<f64>, &Arrows) -> Result<Figure>;

/// Registers `figure.name(x, y, u, v)` with and without options.
fn register_vector_layer(reg: &mut Registry, name: &'static str, add: AddVectorLayer) {
    let draw = move |p: &Panel, [x, y, u, v]: [&Dynamic; 4], map: &Map| -> RhaiResult<Panel> {
        let figure = figure_of(p, name)?;
        let x = convert::to_vector(x, &format!("{name}: x"))?;
        let y = convert::to_vector(y, &format!("{name}: y"))?;
        let u = matrix(u, &format!("{name}: u"), GRID_ROWS)?;
        let v = matrix(v, &format!("{name}: v"), GRID_ROWS)?;
        let options = options(name, map, |o: &mut Arrows, name, value| o.set(name, value))?;
        Ok(Panel::Figure(add(figure, x, y, &u, &v, &options)?))
    };
    register_layer!(reg, name, draw, [x, y, u, v]);
}

/// A method that adds a layer of points in three dimensions.
type AddSpaceLayer = fn(Figure, [Vec<f64>; 3], Style) -> Result<Figure>;

/// Registers `figure.name(x, y, z)` with and without a style.
fn register_space_layer(reg: &mut Registry, name: &'static str, add: AddSpaceLayer) {
    let draw = move |p: &Panel, [x, y, z]: [&Dynamic; 3], map: &Map| -> RhaiResult<Panel> {
        let row = |v: &Dynamic, what: &str| convert::to_vector(v, &format!("{name}: {what}"));
        let rows = [row(x, "x")?, row(y, "y")?, row(z, "z")?];
        Ok(Panel::Figure(add(
            figure_of(p, name)?,
            rows,
            style(name, map)?,
        )?))
    };
    register_layer!(reg, name, draw, [x, y, z]);
}

pub(super) fn register(reg: &mut Registry) {
    register_grid_layer(
        reg,
        "heatmap",
        |o: &mut HeatMap, n, v| o.set(n, v),
        |f, x, y, z, o| f.heatmap(x, y, z, o),
    );
    reg.describe(
        "heatmap",
        "figure.heatmap(x, y, z, #{ map: \"viridis\", log: true, label: \"loss\" }) -> Figure",
        "Adds coloured cells: z [y, x] has a row for each y and a column for each x, their centres; NaN cells are hatched. Options: map \
         (viridis, cividis, magma, inferno, blues, greys, blue-red, purple-orange), log, symlog (the value below which the colours are \
         linear), range ([lo, hi] of the colours), label and bar (of the colour bar), smooth.",
        "figure().heatmap([0, 1, 2], [0, 1], [[1, 10, 100], [2, 20, 200]], #{ log: true, label: \"loss\" })",
    )
    .option_keys(HEATMAP);
    register_grid_layer(
        reg,
        "contour",
        |o: &mut Contour, n, v| o.set(n, v),
        |f, x, y, z, o| f.contour(x, y, z, o),
    );
    reg.describe(
        "contour",
        "figure.contour(x, y, z, #{ levels: 10, filled: true }) -> Figure",
        "Adds lines of equal value with their values, or areas between them; dark lines over a heat map. Options: levels (a number of \
         them, or their values), filled, numbers (false leaves them out), color, width, dash, alpha, and the colours' map, log, \
         symlog, range, label, bar.",
        "figure().contour([0, 1, 2], [0, 1], [[1, 2, 3], [2, 4, 6]], #{ levels: [2, 3, 4] })",
    )
    .option_keys(CONTOUR);
    register_grid_layer(
        reg,
        "surface",
        |o: &mut Surface, n, v| o.set(n, v),
        |f, x, y, z, o| f.surface(x, y, z, o),
    );
    reg.describe(
        "surface",
        "figure.surface(x, y, z, #{ mesh: true }) -> Figure",
        "Adds a surface on three axes; where z is NaN it has a hole. The figure's azimuth, elevation and z_range turn it and cut it \
         off. Options: mesh, alpha, and the colours' map, log, symlog, range, label, bar.",
        "figure(#{ azimuth: -50, elevation: 35, z_range: [0, 5] }).surface([0, 1, 2], [0, 1], [[1, 2, 3], [2, 4, 6]])",
    )
    .option_keys(SURFACE);
    waterfall(reg);
    register_vector_layer(reg, "quiver", |f, x, y, u, v, o| f.quiver(x, y, u, v, o));
    reg.describe(
        "quiver",
        "figure.quiver(x, y, u, v, #{ normalize: true }) -> Figure",
        "Adds the arrow (u, v) at each x and y; u and v are [y, x]. Options: normalize (all of one length), by_speed (coloured by \
         length), color, width, size (of the longest, in pixels), alpha, and the colours' map, log, symlog, range, label, bar.",
        "figure().quiver([0, 1], [0, 1], [[1, 0], [0, -1]], [[0, 1], [1, 0]])",
    )
    .option_keys(ARROWS);
    register_vector_layer(reg, "streamlines", |f, x, y, u, v, o| {
        f.streamlines(x, y, u, v, o)
    });
    reg.describe(
        "streamlines",
        "figure.streamlines(x, y, u, v, #{ density: 1.0 }) -> Figure",
        "Adds curves along the vectors (u, v), which are [y, x]. Options: density (0.2 to 5), by_speed, color, width, alpha, and the \
         colours' map, log, symlog, range, label, bar.",
        "figure().streamlines([0, 1, 2], [0, 1, 2], zeros([3, 3]) + 1, zeros([3, 3]) + 0.5, #{ density: 0.5 })",
    )
    .option_keys(ARROWS);
    register_space_layer(reg, "line3", |f, [x, y, z], s| f.line3(x, y, z, s));
    reg.describe(
        "line3",
        "figure.line3(x, y, z, #{ label: \"…\" }) -> Figure",
        "Adds a line in space; NaN breaks it. The options are those of line.",
        "figure().line3([0, 1, 2], [0, 1, 0], [0, 1, 2], #{ width: 1.5 })",
    )
    .option_keys(STYLE);
    register_space_layer(reg, "scatter3", |f, [x, y, z], s| f.scatter3(x, y, z, s));
    reg.describe(
        "scatter3",
        "figure.scatter3(x, y, z, #{ label: \"…\" }) -> Figure",
        "Adds points in space. The options are those of scatter.",
        "figure().scatter3([0, 1, 2], [0, 1, 0], [0, 1, 2])",
    )
    .option_keys(STYLE);
    quiver3(reg);
}

fn waterfall(reg: &mut Registry) {
    let name = "waterfall";
    let draw = move |p: &Panel,
                     x: &Dynamic,
                     y: Option<&Dynamic>,
                     z: &Dynamic,
                     map: &Map|
          -> RhaiResult<Panel> {
        let figure = figure_of(p, name)?;
        let x = convert::to_vector(x, "waterfall: x")?;
        let z = matrix(z, "waterfall: lines", GRID_ROWS)?;
        let y = match y {
            Some(y) => convert::to_vector(y, "waterfall: y")?,
            None => (0..z.nrows()).map(|i| i as f64).collect(),
        };
        let options = options(name, map, |o: &mut Waterfall, n, v| o.set(n, v))?;
        Ok(Panel::Figure(figure.waterfall(x, y, &z, &options)?))
    };
    reg.register_fn(name, move |p: &mut Panel, x: Dynamic, lines: Dynamic| {
        draw(p, &x, None, &lines, &Map::new())
    });
    reg.register_fn(
        name,
        move |p: &mut Panel, x: Dynamic, second: Dynamic, third: Dynamic| match third
            .clone()
            .try_cast::<Map>()
        {
            Some(map) => draw(p, &x, None, &second, &map),
            None => draw(p, &x, Some(&second), &third, &Map::new()),
        },
    );
    reg.register_fn(
        name,
        move |p: &mut Panel, x: Dynamic, y: Dynamic, lines: Dynamic, o: Map| {
            draw(p, &x, Some(&y), &lines, &o)
        },
    );
    reg.describe(
        "waterfall",
        "figure.waterfall(x, y, lines, #{ offset: \"depth\", log: true }) -> Figure",
        "Adds many curves over one x, coloured by height: row i of lines [curve, x] stands at y[i] (0, 1, … where y is left out), one \
         behind the other on three axes, or with offset: \"height\" one above the other on two. Options: offset, width, alpha, and \
         the colours' map, log, symlog, range, label, bar.",
        "figure(#{ y_label: \"epoch\" }).waterfall([0, 1, 2], [0, 100], [[1, 3, 1], [2, 5, 2]])",
    )
    .option_keys(WATERFALL);
}

fn quiver3(reg: &mut Registry) {
    let draw = |p: &Panel, [at, vectors]: [&Dynamic; 2], map: &Map| -> RhaiResult<Panel> {
        let rows = "a row of three for each arrow";
        let at = matrix(at, "quiver3: the points", rows)?;
        let vectors = matrix(vectors, "quiver3: the vectors", rows)?;
        let options = options("quiver3", map, |o: &mut Arrows, n, v| o.set(n, v))?;
        let figure = figure_of(p, "quiver3")?;
        Ok(Panel::Figure(figure.quiver3(&at, &vectors, &options)?))
    };
    register_layer!(reg, "quiver3", draw, [at, v]);
    reg.describe(
        "quiver3",
        "figure.quiver3(points, vectors, #{ normalize: true }) -> Figure",
        "Adds arrows in space; points and vectors are [arrow, 3]. The options are those of quiver.",
        "figure().quiver3([[0, 0, 0], [1, 1, 1]], [[1, 0, 0], [0, 0, 1]])",
    )
    .option_keys(ARROWS);
}
