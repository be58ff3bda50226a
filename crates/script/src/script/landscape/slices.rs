//! `landscape` and random directions.

use std::sync::Arc;

use ndarray::{Array2, Axis as ArrayAxis, Ix2};
use rhai::{Array as List, Dynamic, FnPtr, ImmutableString, Map, NativeCallContext};

use super::super::array::Array;
use super::super::convert;
use super::super::data::Data;
use super::super::error::Fallible;
use super::super::fields::{Field, LossClosure};
use super::super::host::Host;
use super::super::keys::{Key, Keys};
use super::super::observation::OBSERVATION;
use super::super::options::Options;
use super::super::registry::Registry;
use super::super::solving::{ENGINE, SOLVER, STEPS};
use super::paths::Components;
use super::{OF_MODEL, closure_values, loss_options};
use crate::{Error, Result};
use odesync_train::landscape::{
    Along, Axis, DirectionOptions, Landscape, Normalization, Slice, random_directions,
};
use odesync_train::logging::Tally;

const PROGRESS: &[Key] = &[Key::flag("progress")];

/// Along directions and parameters of a model.
const MODEL: Keys = &[OF_MODEL, OBSERVATION, SOLVER, STEPS, ENGINE, PROGRESS];

/// On the principal components of a run.
const PLANE: &[Key] = &[Key::new("points"), Key::new("margin")];

const ON_PLANE: Keys = &[
    OF_MODEL,
    OBSERVATION,
    SOLVER,
    STEPS,
    ENGINE,
    PROGRESS,
    PLANE,
];

const RANDOM: Keys = &[&[
    Key::new("normalize").names(&Normalization::NAMES),
    Key::flag("biases"),
    Key::new("seed"),
]];

/// A landscape as scripts hold it.
#[derive(Clone)]
pub struct Surface(pub Arc<Landscape>);

/// Directions: a vector, a matrix with one in each row, or a list of vectors.
fn directions(value: &Dynamic) -> Result<Array2<f64>> {
    let all = convert::to_array(value, "landscape: the directions")?;
    let all = match all.ndim() {
        1 => all.insert_axis(ArrayAxis(0)),
        _ => all,
    };
    let shape = all.shape().to_vec();
    all.into_dimensionality::<Ix2>().map_err(|_| {
        Error::invalid(format!(
            "landscape: the directions are one vector or two, not of shape {shape:?}"
        ))
    })
}

/// The coefficients of each direction; one vector alone is for every direction.
fn coefficients(value: &Dynamic, count: usize) -> Result<Vec<Vec<f64>>> {
    const WHAT: &str = "landscape: the coefficients";
    let nested = |x: &Dynamic| x.is_array() || x.is::<Array>();
    let list = value.read_lock::<List>();
    if let Some(list) = list.as_ref().filter(|list| list.iter().any(nested)) {
        return list.iter().map(|x| convert::to_vector(x, WHAT)).collect();
    }
    let all = convert::to_array(value, WHAT)?;
    match all.ndim() {
        1 => Ok(vec![all.iter().copied().collect(); count]),
        2 => Ok(all
            .axis_iter(ArrayAxis(0))
            .map(|row| row.iter().copied().collect())
            .collect()),
        n => Err(Error::invalid(format!(
            "{WHAT} are a vector for each direction, not an Array with {n} axes"
        ))),
    }
}

/// The names of parameters, where directions are given by names.
fn names(value: &Dynamic) -> Option<Vec<String>> {
    if let Some(name) = convert::text(value) {
        return Some(vec![name]);
    }
    let list = value.read_lock::<List>()?;
    let names: Option<Vec<String>> = list.iter().map(convert::text).collect();
    names.filter(|names| !names.is_empty())
}

fn along(value: &Dynamic, steps: &Dynamic) -> Result<Along> {
    let Some(names) = names(value) else {
        let directions = directions(value)?;
        let coefficients = coefficients(steps, directions.nrows())?;
        return Ok(Along::Directions {
            directions,
            coefficients,
        });
    };
    let values = coefficients(steps, names.len())?;
    if values.len() != names.len() {
        return Err(Error::invalid(format!(
            "landscape: {} parameters and {} lists of values; give one list for each",
            names.len(),
            values.len()
        )));
    }
    Ok(Along::Parameters(names.into_iter().zip(values).collect()))
}

/// The listener of the points of a landscape, where the script wants one.
fn tally(host: &Host, shown: bool) -> Box<dyn Tally> {
    match shown {
        true => host.tally("landscape", "points"),
        false => Box::new(()),
    }
}

fn of_model(
    host: &Host,
    model: &Field,
    data: &Data,
    along: &Along,
    mut options: Options,
) -> Fallible<Surface> {
    let loss = loss_options(host, &mut options, "landscape")?;
    let shown = options.bool("progress", true)?;
    options.finish()?;
    let (loss, slice) = along.slice(&model.0, &data.0, &loss)?;
    host.room_for("the landscape", slice.len())?;
    let progress = tally(host, shown);
    let landscape = slice.evaluate(&loss, &|done, all| progress.at(done, all))?;
    Ok(surface(host, landscape))
}

fn of_closure(
    host: &Host,
    context: &NativeCallContext,
    closure: FnPtr,
    params: &Dynamic,
    (along, steps): (&Dynamic, &Dynamic),
    options: Map,
) -> Fallible<Surface> {
    let mut options = Options::new("landscape", &[PROGRESS], options);
    let shown = options.bool("progress", true)?;
    options.finish()?;
    let params = convert::to_vector(params, "landscape: the parameters")?;
    let directions = directions(along)?;
    let coefficients = coefficients(steps, directions.nrows())?;
    if directions.nrows() != coefficients.len() {
        return Err(Error::invalid(format!(
            "landscape: {} directions and {} lists of coefficients; give one list for each",
            directions.nrows(),
            coefficients.len()
        ))
        .into());
    }
    let rows = directions.outer_iter().zip(coefficients).enumerate();
    let axes = rows.map(|(i, (direction, coefficients))| Axis {
        label: format!("direction {}", i + 1),
        direction: direction.to_vec(),
        coefficients,
    });
    let slice = Slice::new(params.clone(), axes.collect())?;
    host.room_for("the landscape", slice.len())?;
    let closure = LossClosure::new(context, closure);
    let progress = tally(host, shown);
    let landscape = match closure.traced(&params) {
        Ok(loss) => slice.evaluate(&loss, &|done, all| progress.at(done, all))?,
        Err(_) => {
            slice.evaluate_by(|count, point| closure_values(&closure, count, point, &*progress))?
        }
    };
    Ok(surface(host, landscape))
}

fn surface(host: &Host, landscape: Landscape) -> Surface {
    match landscape.failures() {
        0 => {}
        n => host.note(&format!(
            "landscape: the solve failed at {n} of {} points, which are NaN",
            landscape.loss.len()
        )),
    }
    Surface(Arc::new(landscape))
}

/// An example with a model and data.
macro_rules! scene {
    ($call:literal) => {
        concat!(
            "let model = blackbox([2, 4, 2]); let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); ",
            $call
        )
    };
}

pub(super) fn register(reg: &mut Registry) {
    reg.kind::<Surface>("Landscape").display::<Surface>(|l| {
        let l = &l.0;
        let axes: Vec<String> = l
            .slice
            .axes()
            .iter()
            .map(|a| format!("{} ({} points)", a.label, a.coefficients.len()))
            .collect();
        let finite = || l.loss.iter().copied().filter(|x| !x.is_nan());
        format!(
            "Landscape along {}: loss from {:.4e} to {:.4e}, {} failed",
            axes.join(" and "),
            finite().fold(f64::INFINITY, f64::min),
            finite().fold(f64::NEG_INFINITY, f64::max),
            l.failures()
        )
    });
    let (host, with_options) = (reg.host(), reg.host());
    reg.add(
        "landscape",
        move |f: Field, d: Data, a: Dynamic, c: Dynamic| {
            of_model(
                &host,
                &f,
                &d,
                &along(&a, &c)?,
                Options::new("landscape", MODEL, Map::new()),
            )
        },
    );
    reg.add(
        "landscape",
        move |f: Field, d: Data, a: Dynamic, c: Dynamic, options: Map| {
            let options = Options::new("landscape", MODEL, options);
            of_model(&with_options, &f, &d, &along(&a, &c)?, options)
        },
    );
    let (host, with_options) = (reg.host(), reg.host());
    reg.add("landscape", move |f: Field, d: Data, p: Components| {
        on_plane(&host, &f, &d, &p, Map::new())
    });
    reg.add(
        "landscape",
        move |f: Field, d: Data, p: Components, options: Map| {
            on_plane(&with_options, &f, &d, &p, options)
        },
    );
    let (host, with_options) = (reg.host(), reg.host());
    reg.add(
        "landscape",
        move |x: NativeCallContext, f: FnPtr, p: Dynamic, a: Dynamic, c: Dynamic| {
            of_closure(&host, &x, f, &p, (&a, &c), Map::new())
        },
    );
    reg.add(
        "landscape",
        move |x: NativeCallContext, f: FnPtr, p: Dynamic, a: Dynamic, c: Dynamic, o: Map| {
            of_closure(&with_options, &x, f, &p, (&a, &c), o)
        },
    );
    reg.describe(
        "landscape",
        "landscape(model, data, [d1, d2], [c1, c2], #{ method: … }) -> Landscape, or landscape(model, data, \"a\", values), \
         landscape(run.last, data, pca(run)), landscape(|p| …, params, [d1], [c1])",
        "The loss at θ + c1 d1 + c2 d2 for all coefficients, or along one direction. In place of directions stand names of single \
         parameters with the values that they take (trainable or not), or the principal components of a run (options points, 30, and \
         margin, 0.2 of the path). In place of model and data stand a closure of any loss and its parameters. A solve that fails is NaN. \
         Options: method, lambda and those of the solver, as in hessian; progress.",
        scene!(
            "let h = hessian(model, data); let c = linspace(-1, 1, 5); \
             landscape(model, data, h.eigenpairs(2).vectors, [c, c], #{ method: homotopy(#{ coupling: 6 }), lambda: 0.3 }).loss; \
             landscape(lotka_volterra(), data, \"a\", linspace(0.5, 2, 7)).minima"
        ),
    )
    .options(ON_PLANE);
    properties(reg);
    let draw = |f: &Field, count: i64, options: Map| -> Fallible<Array> {
        let mut options = Options::new("random_directions", RANDOM, options);
        let default = DirectionOptions::default();
        let options_read = DirectionOptions {
            normalize: Normalization::by_name(options.choice("normalize")?)?,
            biases: options.bool("biases", default.biases)?,
            seed: options.opt_seed("seed")?.unwrap_or(default.seed),
        };
        options.finish()?;
        let count = usize::try_from(count).unwrap_or(0);
        Ok(Array::new(
            random_directions(&f.0, count, &options_read)?.into_dyn(),
        ))
    };
    reg.add("random_directions", move |f: Field, count: i64| {
        draw(&f, count, Map::new())
    });
    reg.add("random_directions", move |f: Field, count: i64, o: Map| {
        draw(&f, count, o)
    });
    reg.describe(
        "random_directions",
        "random_directions(model, 2, #{ seed: 0, normalize: \"filter\", biases: true }) -> Array",
        "Random directions for landscape, [k, n]. With \"filter\" each row of a weight matrix, and each bias vector, is scaled to the \
         norm of the model's own (Li et al. 2018); \"layer\" scales whole blocks, \"none\" nothing. biases: false leaves biases where \
         they are.",
        scene!("landscape(model, data, random_directions(model, 1, #{ seed: 3 }), linspace(-1, 1, 5)).loss"),
    )
    .options(RANDOM);
}

fn on_plane(
    host: &Host,
    model: &Field,
    data: &Data,
    pca: &Components,
    options: Map,
) -> Fallible<Surface> {
    let mut options = Options::new("landscape", ON_PLANE, options);
    let along = Along::Pca {
        points: options.count("points", 30)?,
        margin: options.non_negative("margin", 0.2)?,
        pca: Box::new((*pca.0).clone()),
    };
    of_model(host, model, data, &along, options)
}

fn properties(reg: &mut Registry) {
    reg.get("loss", |l: &mut Surface| Ok(Array::new(l.0.loss.clone())));
    reg.get("coefficients", |l: &mut Surface| {
        let axes = l.0.slice.axes().iter();
        let list: List = axes
            .map(|a| Dynamic::from(Array::from_vec(a.coefficients.clone())))
            .collect();
        Ok(list)
    });
    reg.get("labels", |l: &mut Surface| {
        let axes = l.0.slice.axes().iter();
        let list: List = axes
            .map(|a| Dynamic::from(ImmutableString::from(a.label.as_str())))
            .collect();
        Ok(list)
    });
    reg.get("path", |l: &mut Surface| {
        Ok(Array::new(l.0.slice.path().clone().into_dyn()))
    });
    reg.get("failures", |l: &mut Surface| Ok(l.0.failures() as i64));
    reg.get("minima", |l: &mut Surface| Ok(l.0.minima() as i64));
    reg.get("roughness", |l: &mut Surface| Ok(l.0.roughness()));
    reg.get("log_variation", |l: &mut Surface| Ok(l.0.log_variation()));
    for (signature, text, example) in [
        (
            "l.loss -> Array",
            "The loss, [c1] along a line or [c1, c2] on a plane; NaN where a solve failed.",
            scene!("landscape(lotka_volterra(), data, \"a\", [1.2, 1.3]).loss"),
        ),
        (
            "l.coefficients -> list",
            "The coefficients of each direction, or the values of each parameter.",
            scene!("landscape(lotka_volterra(), data, \"a\", [1.2, 1.3]).coefficients[0]"),
        ),
        (
            "l.labels -> list",
            "What the axes are called.",
            scene!("landscape(lotka_volterra(), data, \"a\", [1.2, 1.3]).labels"),
        ),
        (
            "l.path -> Array",
            "Coordinates to be drawn over the landscape, [point, axis]: where the model is, or the path of a run.",
            scene!("landscape(lotka_volterra(), data, \"a\", [1.2, 1.3]).path"),
        ),
        (
            "l.failures -> int",
            "The number of points whose solve failed.",
            scene!("landscape(lotka_volterra(), data, \"a\", [1.2, 1.3]).failures"),
        ),
        (
            "l.minima -> int",
            "The number of local minima: points lower than all their neighbours, without the edge.",
            scene!("landscape(lotka_volterra(), data, \"a\", [1.2, 1.3, 1.4]).minima"),
        ),
        (
            "l.roughness -> float",
            "Total variation over range, the mean over the lines along the axes: 1 for a slope, up to 2 for one valley, more for several.",
            scene!("landscape(lotka_volterra(), data, \"a\", [1.2, 1.3, 1.4]).roughness"),
        ),
        (
            "l.log_variation -> float",
            "How many powers of ten the loss goes up and down on a line along an axis, the mean over all of them.",
            scene!("landscape(lotka_volterra(), data, \"a\", [1.2, 1.3, 1.4]).log_variation"),
        ),
    ] {
        reg.describe_property("Landscape", signature, text, example);
    }
}
