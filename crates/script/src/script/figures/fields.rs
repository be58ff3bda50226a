//! The bindings of layers over a grid of x and y, and of layers with three axes.

use ndarray::{Array2, Ix2};
use rhai::{Dynamic, Map};

use super::super::convert;
use super::super::keys::Keys;
use super::super::registry::Registry;
use super::keys::{ARROWS, CONTOUR, HEATMAP, STYLE, SURFACE, WATERFALL};
use super::options::{figure_of, read_options};
use crate::{Error, Result};
use odesync_base::options::OptionSet;
use odesync_plot::{Arrows, Contour, Figure, HeatMap, Panel, Style, Surface, Waterfall};

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

/// A method that adds a layer of values over x and y.
type AddGridLayer<O> = fn(Figure, Vec<f64>, Vec<f64>, &Array2<f64>, &O) -> Result<Figure>;

/// Returns the body of `figure.name(x, y, z, options)`.
fn grid_layer<O: OptionSet + Default + 'static>(
    name: &'static str,
    keys: Keys,
    add: AddGridLayer<O>,
) -> impl Fn(&mut Panel, Dynamic, Dynamic, Dynamic, Option<Map>) -> Result<Panel> {
    move |panel, x, y, z, map| {
        let figure = figure_of(panel, name)?;
        let x = convert::to_vector(&x, &format!("{name}: x"))?;
        let y = convert::to_vector(&y, &format!("{name}: y"))?;
        let z = matrix(&z, &format!("{name}: z"), GRID_ROWS)?;
        let options: O = read_options(name, keys, map)?;
        Ok(Panel::Figure(add(figure, x, y, &z, &options)?))
    }
}

/// A method that adds a layer of vectors over x and y.
type AddVectorLayer =
    fn(Figure, Vec<f64>, Vec<f64>, &Array2<f64>, &Array2<f64>, &Arrows) -> Result<Figure>;

/// Returns the body of `figure.name(x, y, u, v, options)`.
fn vector_layer(
    name: &'static str,
    add: AddVectorLayer,
) -> impl Fn(&mut Panel, Dynamic, Dynamic, Dynamic, Dynamic, Option<Map>) -> Result<Panel> {
    move |panel, x, y, u, v, map| {
        let figure = figure_of(panel, name)?;
        let x = convert::to_vector(&x, &format!("{name}: x"))?;
        let y = convert::to_vector(&y, &format!("{name}: y"))?;
        let u = matrix(&u, &format!("{name}: u"), GRID_ROWS)?;
        let v = matrix(&v, &format!("{name}: v"), GRID_ROWS)?;
        let options: Arrows = read_options(name, ARROWS, map)?;
        Ok(Panel::Figure(add(figure, x, y, &u, &v, &options)?))
    }
}

/// A method that adds a layer of points in three dimensions.
type AddSpaceLayer = fn(Figure, [Vec<f64>; 3], Style) -> Result<Figure>;

/// Returns the body of `figure.name(x, y, z, style)`.
fn space_layer(
    name: &'static str,
    add: AddSpaceLayer,
) -> impl Fn(&mut Panel, Dynamic, Dynamic, Dynamic, Option<Map>) -> Result<Panel> {
    move |panel, x, y, z, map| {
        let row = |v: &Dynamic, what: &str| convert::to_vector(v, &format!("{name}: {what}"));
        let rows = [row(&x, "x")?, row(&y, "y")?, row(&z, "z")?];
        let figure = figure_of(panel, name)?;
        let style = read_options(name, STYLE, map)?;
        Ok(Panel::Figure(add(figure, rows, style)?))
    }
}

fn waterfall(
    panel: &Panel,
    x: &Dynamic,
    y: Option<&Dynamic>,
    z: &Dynamic,
    map: Option<Map>,
) -> Result<Panel> {
    let figure = figure_of(panel, "waterfall")?;
    let x = convert::to_vector(x, "waterfall: x")?;
    let z = matrix(z, "waterfall: lines", GRID_ROWS)?;
    let y = match y {
        Some(y) => convert::to_vector(y, "waterfall: y")?,
        None => (0..z.nrows()).map(|i| i as f64).collect(),
    };
    let options: Waterfall = read_options("waterfall", WATERFALL, map)?;
    Ok(Panel::Figure(figure.waterfall(x, y, &z, &options)?))
}

fn quiver3(panel: &Panel, at: &Dynamic, vectors: &Dynamic, map: Option<Map>) -> Result<Panel> {
    let rows = "a row of three for each arrow";
    let at = matrix(at, "quiver3: the points", rows)?;
    let vectors = matrix(vectors, "quiver3: the vectors", rows)?;
    let options: Arrows = read_options("quiver3", ARROWS, map)?;
    let figure = figure_of(panel, "quiver3")?;
    Ok(Panel::Figure(figure.quiver3(&at, &vectors, &options)?))
}

pub(super) fn register(reg: &mut Registry) {
    reg.function(
        "figure.heatmap(x, y, z, #{ map: \"viridis\", log: true, label: \"loss\" }) -> Figure",
        "Adds coloured cells: z [y, x] has a row for each y and a column for each x, their centres; NaN cells are hatched.",
        "figure().heatmap([0, 1, 2], [0, 1], [[1, 10, 100], [2, 20, 200]], #{ log: true, label: \"loss\" })",
    )
    .options(HEATMAP)
    .body(grid_layer(
        "heatmap",
        HEATMAP,
        |f, x, y, z, o: &HeatMap| f.heatmap(x, y, z, o),
    ));
    reg.function(
        "figure.contour(x, y, z, #{ levels: 10, filled: true }) -> Figure",
        "Adds lines of equal value with their values, or areas between them; dark lines over a heat map.",
        "figure().contour([0, 1, 2], [0, 1], [[1, 2, 3], [2, 4, 6]], #{ levels: [2, 3, 4] })",
    )
    .options(CONTOUR)
    .body(grid_layer(
        "contour",
        CONTOUR,
        |f, x, y, z, o: &Contour| f.contour(x, y, z, o),
    ));
    reg.function(
        "figure.surface(x, y, z, #{ mesh: true }) -> Figure",
        "Adds a surface on three axes; where z is NaN it has a hole. The figure's azimuth, elevation and z_range turn it and cut it \
         off.",
        "figure(#{ azimuth: -50, elevation: 35, z_range: [0, 5] }).surface([0, 1, 2], [0, 1], [[1, 2, 3], [2, 4, 6]])",
    )
    .options(SURFACE)
    .body(grid_layer(
        "surface",
        SURFACE,
        |f, x, y, z, o: &Surface| f.surface(x, y, z, o),
    ));
    reg.function(
        "figure.waterfall(x, y, lines, #{ offset: \"depth\", log: true }) -> Figure",
        "Adds many curves over one x, coloured by height: row i of lines [curve, x] stands at y[i] (0, 1, … where y is left out), one \
         behind the other on three axes, or with offset: \"height\" one above the other on two.",
        "figure(#{ y_label: \"epoch\" }).waterfall([0, 1, 2], [0, 100], [[1, 3, 1], [2, 5, 2]])",
    )
    .options(WATERFALL)
    .body(|p: &mut Panel, x: Dynamic, lines: Dynamic, options: Option<Map>| {
        waterfall(p, &x, None, &lines, options)
    })
    .body(
        |p: &mut Panel, x: Dynamic, y: Dynamic, lines: Dynamic, options: Option<Map>| {
            waterfall(p, &x, Some(&y), &lines, options)
        },
    );
    vectors(reg);
}

/// Registers the layers of arrows and of curves in space.
fn vectors(reg: &mut Registry) {
    reg.function(
        "figure.quiver(x, y, u, v, #{ normalize: true }) -> Figure",
        "Adds the arrow (u, v) at each x and y; u and v are [y, x].",
        "figure().quiver([0, 1], [0, 1], [[1, 0], [0, -1]], [[0, 1], [1, 0]])",
    )
    .options(ARROWS)
    .body(vector_layer("quiver", |f, x, y, u, v, o| {
        f.quiver(x, y, u, v, o)
    }));
    reg.function(
        "figure.streamlines(x, y, u, v, #{ density: 1.0 }) -> Figure",
        "Adds curves along the vectors (u, v), which are [y, x].",
        "figure().streamlines([0, 1, 2], [0, 1, 2], zeros([3, 3]) + 1, zeros([3, 3]) + 0.5, #{ density: 0.5 })",
    )
    .options(ARROWS)
    .body(vector_layer("streamlines", |f, x, y, u, v, o| f.streamlines(x, y, u, v, o)));
    reg.function(
        "figure.line3(x, y, z, #{ label: \"…\" }) -> Figure",
        "Adds a line in space; NaN breaks it. The options are those of line.",
        "figure().line3([0, 1, 2], [0, 1, 0], [0, 1, 2], #{ width: 1.5 })",
    )
    .options(STYLE)
    .body(space_layer("line3", |f, [x, y, z], s| f.line3(x, y, z, s)));
    reg.function(
        "figure.scatter3(x, y, z, #{ label: \"…\" }) -> Figure",
        "Adds points in space. The options are those of scatter.",
        "figure().scatter3([0, 1, 2], [0, 1, 0], [0, 1, 2])",
    )
    .options(STYLE)
    .body(space_layer("scatter3", |f, [x, y, z], s| {
        f.scatter3(x, y, z, s)
    }));
    reg.function(
        "figure.quiver3(points, vectors, #{ normalize: true }) -> Figure",
        "Adds arrows in space; points and vectors are [arrow, 3]. The options are those of quiver.",
        "figure().quiver3([[0, 0, 0], [1, 1, 1]], [[1, 0, 0], [0, 0, 1]])",
    )
    .options(ARROWS)
    .body(
        |p: &mut Panel, at: Dynamic, vectors: Dynamic, options: Option<Map>| {
            quiver3(p, &at, &vectors, options)
        },
    );
}
