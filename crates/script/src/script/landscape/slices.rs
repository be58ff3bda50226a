//! The bindings of `landscape` and of random directions.

use std::sync::Arc;

use ndarray::{Array2, Axis as ArrayAxis, Ix2};
use rhai::{Array as List, Dynamic, FnPtr, ImmutableString, NativeCallContext};

use super::super::array::ScriptArray;
use super::super::convert;
use super::super::data::ScriptDataset;
use super::super::error::RhaiResult;
use super::super::fields::{LossClosure, ScriptField};
use super::super::host::Host;
use super::super::keys::{Key, Keys};
use super::super::observation::OBSERVATION;
use super::super::options::Options;
use super::super::registry::{Registry, ScriptType};
use super::super::solving::{ENGINE, SOLVER};
use super::paths::ScriptPca;
use super::{LOSS_CHOICE, closure_values, loss_options};
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Count, Flag, NonNegative};
use odesync_base::text::count_of;
use odesync_train::landscape::{
    DirectionOptions, Landscape, Slice, SliceAxis, SliceSpec, random_directions,
};
use odesync_train::progress::ProgressSink;

option_set! {
    /// Options of the display of a landscape.
    #[derive(Debug)]
    struct ProgressOptions {
        /// Show progress; `--quiet` turns it off as well.
        progress: bool as Flag = true;
    }
}

const PROGRESS: &[Key] = ProgressOptions::OPTIONS;

/// Reads whether the call shows its progress.
fn shows_progress(options: &mut Options) -> Result<bool> {
    let mut read = ProgressOptions::default();
    options.read_set(&mut read)?;
    Ok(read.progress)
}

/// The option keys of `landscape` along directions or parameters of a model.
const MODEL_SLICE: Keys = &[LOSS_CHOICE, OBSERVATION, SOLVER, ENGINE, PROGRESS];

option_set! {
    /// Options of the grid over the principal components of a run.
    #[derive(Debug)]
    struct PcaGrid {
        /// Number of points along each principal component of a run.
        points: usize as Count = 30;
        /// How far the grid reaches beyond the path of the run, as a part of its extent.
        margin: f64 as NonNegative = 0.2;
    }
}

const PCA_PLANE: Keys = &[
    LOSS_CHOICE,
    OBSERVATION,
    SOLVER,
    ENGINE,
    PROGRESS,
    PcaGrid::OPTIONS,
];

const RANDOM_DIRECTIONS: Keys = &[DirectionOptions::OPTIONS];

/// The script type of a landscape, `Landscape`.
#[derive(Clone)]
pub struct ScriptLandscape(pub Arc<Landscape>);

/// Reads directions: a vector, a matrix with one direction in each row, or a list of vectors.
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

/// Reads the coefficients of each direction; a single vector is used for every direction.
fn coefficients(value: &Dynamic, count: usize) -> Result<Vec<Vec<f64>>> {
    const WHAT: &str = "landscape: the coefficients";
    let nested = |x: &Dynamic| x.is_array() || x.is::<ScriptArray>();
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

/// Reads the names of parameters; `None` where the directions are not given by names.
fn names(value: &Dynamic) -> Option<Vec<String>> {
    if let Some(name) = convert::to_text(value) {
        return Some(vec![name]);
    }
    let list = value.read_lock::<List>()?;
    let names: Option<Vec<String>> = list.iter().map(convert::to_text).collect();
    names.filter(|names| !names.is_empty())
}

fn slice_spec(value: &Dynamic, steps: &Dynamic) -> Result<SliceSpec> {
    let Some(names) = names(value) else {
        let directions = directions(value)?;
        let coefficients = coefficients(steps, directions.nrows())?;
        return Ok(SliceSpec::Directions {
            directions,
            coefficients,
        });
    };
    let values = coefficients(steps, names.len())?;
    if values.len() != names.len() {
        return Err(Error::invalid(format!(
            "landscape: {} and {}; give one list for each parameter",
            count_of(names.len(), "parameter"),
            count_of(values.len(), "list of values")
        )));
    }
    Ok(SliceSpec::Parameters(
        names.into_iter().zip(values).collect(),
    ))
}

/// Returns the sink for the progress of a landscape; it does nothing where the script does not want progress shown.
fn progress_bar(host: &Host, shown: bool) -> Box<dyn ProgressSink> {
    match shown {
        true => host.progress_bar("landscape", "points"),
        false => Box::new(()),
    }
}

fn landscape_of_model(
    host: &Host,
    model: &ScriptField,
    data: &ScriptDataset,
    along: &SliceSpec,
    mut options: Options,
) -> Result<ScriptLandscape> {
    let loss = loss_options(host, &mut options, "landscape")?;
    let shown = shows_progress(&mut options)?;
    options.finish()?;
    let (loss, slice) = along.slice(&model.0, &data.0, &loss)?;
    host.check_memory("the landscape", slice.len())?;
    let progress = progress_bar(host, shown);
    let landscape = slice.evaluate(&loss, &|done, all| progress.update(done, all))?;
    Ok(wrap_landscape(host, landscape))
}

fn landscape_of_closure(
    host: &Host,
    context: &NativeCallContext,
    closure: FnPtr,
    params: &Dynamic,
    (along, steps): (&Dynamic, &Dynamic),
    mut options: Options,
) -> RhaiResult<ScriptLandscape> {
    let shown = shows_progress(&mut options)?;
    options.finish()?;
    let params = convert::to_vector(params, "landscape: the parameters")?;
    let directions = directions(along)?;
    let coefficients = coefficients(steps, directions.nrows())?;
    if directions.nrows() != coefficients.len() {
        return Err(Error::invalid(format!(
            "{} and {}; give one list for each direction",
            count_of(directions.nrows(), "direction"),
            count_of(coefficients.len(), "list of coefficients")
        ))
        .into());
    }
    let rows = directions.outer_iter().zip(coefficients).enumerate();
    let axes = rows.map(|(i, (direction, coefficients))| SliceAxis {
        label: format!("direction {}", i + 1),
        direction: direction.to_vec(),
        coefficients,
    });
    let slice = Slice::new(params.clone(), axes.collect())?;
    host.check_memory("the landscape", slice.len())?;
    let closure = LossClosure::new(context, closure);
    let progress = progress_bar(host, shown);
    let landscape = match closure.trace(&params) {
        Ok(loss) => slice.evaluate(&loss, &|done, all| progress.update(done, all))?,
        Err(_) => slice
            .evaluate_with(|count, point| closure_values(&closure, count, point, &*progress))?,
    };
    Ok(wrap_landscape(host, landscape))
}

fn wrap_landscape(host: &Host, landscape: Landscape) -> ScriptLandscape {
    match landscape.failures() {
        0 => {}
        n => host.note(&format!(
            "landscape: the solve failed at {n} of {} points, which are NaN",
            landscape.loss.len()
        )),
    }
    ScriptLandscape(Arc::new(landscape))
}

/// Prepends a model and data to an example.
macro_rules! landscape_example {
    ($call:literal) => {
        concat!(
            "let model = blackbox([2, 4, 2]); let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); ",
            $call
        )
    };
}

impl ScriptType for ScriptLandscape {
    const NAME: &'static str = "Landscape";

    fn show(&self) -> String {
        let l = &self.0;
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
    }
}

pub(super) fn register(reg: &mut Registry) {
    reg.script_type::<ScriptLandscape>();
    let [of_model, of_path, of_closure] = [(); 3].map(|()| reg.host());
    reg.function(
        "landscape(model, data, [d1, d2], [c1, c2], #{ method: … }) -> Landscape, or landscape(model, data, \"a\", values), \
         landscape(run.last, data, pca(run)), landscape(|p| …, params, [d1], [c1])",
        "The loss at θ + c1 d1 + c2 d2 for all coefficients, or along one direction. In place of directions stand names of single \
         parameters with the values that they take (trainable or not), or the principal components of a run. In place of model and \
         data stand a closure of any loss and its parameters. A solve that fails is NaN.",
        landscape_example!(
            "let h = hessian(model, data); let c = linspace(-1, 1, 5); \
             landscape(model, data, h.eigenpairs(2).vectors, [c, c], #{ method: homotopy(#{ coupling: 6 }), lambda: 0.3 }).loss; \
             landscape(lotka_volterra(), data, \"a\", linspace(0.5, 2, 7)).minima"
        ),
    )
    .options(PCA_PLANE)
    .body_with(
        MODEL_SLICE,
        move |f: ScriptField, d: ScriptDataset, a: Dynamic, c: Dynamic, options: Options| {
            landscape_of_model(&of_model, &f, &d, &slice_spec(&a, &c)?, options)
        },
    )
    .body(
        move |f: ScriptField, d: ScriptDataset, p: ScriptPca, options: Options| {
            landscape_on_pca_plane(&of_path, &f, &d, &p, options)
        },
    )
    .body_with(
        &[PROGRESS],
        move |x: NativeCallContext,
              f: FnPtr,
              p: Dynamic,
              a: Dynamic,
              c: Dynamic,
              options: Options| {
            landscape_of_closure(&of_closure, &x, f, &p, (&a, &c), options)
        },
    );
    properties(reg);
    reg.function(
        "random_directions(model, 2, #{ seed: 0, normalize: \"filter\", biases: true }) -> Array",
        "Random directions for landscape, [k, n]. With \"filter\" each row of a weight matrix, and each bias vector, is scaled to the \
         norm of the model's own (Li et al. 2018); \"layer\" scales whole blocks, \"none\" nothing. biases: false leaves biases where \
         they are.",
        landscape_example!("landscape(model, data, random_directions(model, 1, #{ seed: 3 }), linspace(-1, 1, 5)).loss"),
    )
    .options(RANDOM_DIRECTIONS)
    .body(
        |f: ScriptField, count: i64, mut options: Options| -> Result<ScriptArray> {
            let mut read = DirectionOptions::default();
            options.read_set(&mut read)?;
            options.finish()?;
            let count = usize::try_from(count).unwrap_or(0);
            let directions = random_directions(&f.0, count, &read)?;
            Ok(ScriptArray::new(directions.into_dyn()))
        },
    );
}

fn landscape_on_pca_plane(
    host: &Host,
    model: &ScriptField,
    data: &ScriptDataset,
    pca: &ScriptPca,
    mut options: Options,
) -> Result<ScriptLandscape> {
    let mut grid = PcaGrid::default();
    options.read_set(&mut grid)?;
    let along = SliceSpec::Pca {
        points: grid.points,
        margin: grid.margin,
        pca: Box::new((*pca.0).clone()),
    };
    landscape_of_model(host, model, data, &along, options)
}

fn properties(reg: &mut Registry) {
    reg.property(
        "l.loss -> Array",
        "The loss, [c1] along a line or [c1, c2] on a plane; NaN where a solve failed.",
        landscape_example!("landscape(lotka_volterra(), data, \"a\", [1.2, 1.3]).loss"),
    )
    .get(|l: &mut ScriptLandscape| ScriptArray::new(l.0.loss.clone()));
    reg.property(
        "l.coefficients -> list",
        "The coefficients of each direction, or the values of each parameter.",
        landscape_example!("landscape(lotka_volterra(), data, \"a\", [1.2, 1.3]).coefficients[0]"),
    )
    .get(|l: &mut ScriptLandscape| {
        let axes = l.0.slice.axes().iter();
        let values = axes.map(|a| Dynamic::from(ScriptArray::from_vec(a.coefficients.clone())));
        values.collect::<List>()
    });
    reg.property(
        "l.labels -> list",
        "What the axes are called.",
        landscape_example!("landscape(lotka_volterra(), data, \"a\", [1.2, 1.3]).labels"),
    )
    .get(|l: &mut ScriptLandscape| {
        let axes = l.0.slice.axes().iter();
        let labels = axes.map(|a| Dynamic::from(ImmutableString::from(a.label.as_str())));
        labels.collect::<List>()
    });
    reg.property("l.path -> Array", "Coordinates to be drawn over the landscape, [point, axis]: where the model is, or the path of a run.", landscape_example!("landscape(lotka_volterra(), data, \"a\", [1.2, 1.3]).path"))
        .get(|l: &mut ScriptLandscape| ScriptArray::new(l.0.slice.path().clone().into_dyn()));
    reg.property(
        "l.failures -> int",
        "The number of points whose solve failed.",
        landscape_example!("landscape(lotka_volterra(), data, \"a\", [1.2, 1.3]).failures"),
    )
    .get(|l: &mut ScriptLandscape| l.0.failures() as i64);
    reg.property(
        "l.minima -> int",
        "The number of local minima: points lower than all their neighbours, without the edge.",
        landscape_example!("landscape(lotka_volterra(), data, \"a\", [1.2, 1.3, 1.4]).minima"),
    )
    .get(|l: &mut ScriptLandscape| l.0.n_minima() as i64);
    reg.property("l.roughness -> float", "Total variation over range, the mean over the lines along the axes: 1 for a slope, up to 2 for one valley, more for several.", landscape_example!(
                "landscape(lotka_volterra(), data, \"a\", [1.2, 1.3, 1.4]).roughness"
            ))
        .get(|l: &mut ScriptLandscape| l.0.roughness());
    reg.property("l.log_variation -> float", "How many powers of ten the loss goes up and down on a line along an axis, the mean over all of them.", landscape_example!(
                "landscape(lotka_volterra(), data, \"a\", [1.2, 1.3, 1.4]).log_variation"
            ))
        .get(|l: &mut ScriptLandscape| l.0.log_variation());
}
