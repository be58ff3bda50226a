//! Hessians, spectra, slices of the loss, the way of a run.
//!
//! | file | what lives there |
//! |---|---|
//! | `spectra` | eigenpairs, trace, spectral density |
//! | `slices` | `landscape`, directions |
//! | `paths` | parameters along a run, `pca` |

mod paths;
mod slices;
mod spectra;

pub(super) use paths::Components;
pub(super) use slices::Surface;
pub(super) use spectra::Spectrum;

use std::sync::Arc;

use ndarray::{Array2, ArrayD, Axis};
use rhai::{Dynamic, FnPtr, Map, NativeCallContext};

use super::array::Array;
use super::convert;
use super::data::Data;
use super::error::Fallible;
use super::fields::{Field, LossClosure, nan_if_unsolved};
use super::host::Host;
use super::keys::{Key, Keys};
use super::observation::{OBSERVATION, observation};
use super::options::Options;
use super::registry::Registry;
use super::solving::{ENGINE, SOLVER, STEPS, solver};
use super::training::Way;
use crate::{Error, Result};
use odesync_ode::odesolve::SolveOptions;
use odesync_train::landscape::{
    DENSE_LIMIT, Derivatives, Hessian, LossOptions, SECOND_DIFFERENCE, default_lambda,
    second_differences,
};
use odesync_train::logging::Tally;
use odesync_train::training::Method;

/// A Hessian as scripts hold it.
#[derive(Clone)]
pub struct Curvature(pub Arc<Hessian>);

/// Which loss of a model it is.
const OF_MODEL: &[Key] = &[
    Key::new("method").code(&["vanilla()", "homotopy(", "multiple_shooting("]),
    Key::new("lambda"),
];

/// The keys of a loss of a model.
const LOSS: Keys = &[OF_MODEL, OBSERVATION, SOLVER, STEPS, ENGINE];

/// The keys of the Hessian of a closure.
const CLOSURE: &[Key] = &[
    Key::new("derivatives").names(&["exact", "differences"]),
    Key::new("step"),
];

/// Reads which loss of a model it is.
///
/// # Errors
/// A value of the wrong type or out of its range.
fn loss_options(host: &Host, options: &mut Options, call: &str) -> Result<LossOptions> {
    let method = match options.take("method") {
        None => Method::Vanilla,
        Some(value) => match value.clone().try_cast::<Way>() {
            Some(way) => way.0,
            None => {
                return Err(options.wrong(
                    "method",
                    "a training method such as vanilla() or homotopy(#{ … }) (the solver's method is given as solver)",
                    &value,
                ));
            }
        },
    };
    let lambda = options.f64("lambda", default_lambda(&method))?;
    // The session's device says nothing here: there is one engine.
    let engine = options.choice("engine")?;
    options.string("device", "cpu")?;
    if engine != "native" {
        return Err(Error::invalid(format!(
            "{call} is there on the native engine only, not on \"{engine}\"; leave engine out"
        )));
    }
    let observation = observation(options)?;
    let solver = SolveOptions {
        interrupt: Some(host.interrupt_flag()),
        ..solver(options, "solver")?
    };
    Ok(LossOptions {
        method,
        lambda,
        observation,
        solver,
    })
}

fn hessian(host: &Host, model: &Field, data: &Data, options: Map) -> Fallible<Curvature> {
    let mut options = Options::new("hessian", LOSS, options);
    let loss = loss_options(host, &mut options, "hessian")?;
    options.finish()?;
    Ok(Curvature(Arc::new(Hessian::new(&model.0, &data.0, &loss)?)))
}

/// The Hessian of a closure's loss: exact where it is an expression of its parameters, else by differences of its values.
fn hessian_of_closure(
    host: &Host,
    context: &NativeCallContext,
    closure: FnPtr,
    params: &Dynamic,
    options: Map,
) -> Fallible<Curvature> {
    let params = convert::to_vector(params, "hessian: the parameters")?;
    let mut options = Options::new("hessian", &[CLOSURE], options);
    let wanted = options.opt_choice("derivatives")?;
    let step = options.positive("step", SECOND_DIFFERENCE)?;
    options.finish()?;
    let closure = LossClosure::new(context, closure);
    closure.value(&params)?;
    let traced = match wanted {
        Some("differences") => None,
        Some(_) => Some(closure.traced(&params)?),
        // What can't be traced is no mistake, and the Hessian says how it was found.
        None => closure.traced(&params).ok(),
    };
    let hessian = match traced {
        Some(loss) => Hessian::of(Arc::new(loss), &params)?,
        None => {
            let progress = host.tally("Hessian", "values");
            let all = |count: usize, point: &(dyn Fn(usize) -> Vec<f64> + Sync)| {
                closure_values(&closure, count, point, &*progress)
            };
            let (matrix, loss) = second_differences(&params, step, all)?;
            Hessian::from_matrix(&matrix, loss, Derivatives::OfValues)?
        }
    };
    Ok(Curvature(Arc::new(hessian)))
}

/// The values of a closure at many points, one after the other, for a script has one thread.
fn closure_values(
    closure: &LossClosure,
    count: usize,
    point: &(dyn Fn(usize) -> Vec<f64> + Sync),
    progress: &dyn Tally,
) -> Fallible<Vec<f64>> {
    (0..count)
        .map(|i| {
            let value = nan_if_unsolved(closure.value(&point(i)))?;
            progress.at(i + 1, count);
            Ok(value)
        })
        .collect()
}

/// Computes the dense matrix, with its progress, where what comes next needs it.
fn dense(host: &Host, h: &Hessian) -> Fallible<()> {
    if h.n() <= DENSE_LIMIT {
        host.room_for_shape("the Hessian", &[h.n(), h.n()])?;
        let progress = host.tally("Hessian", "columns");
        h.matrix_with(&|done, all| progress.at(done, all))?;
    }
    Ok(())
}

/// A product with a vector `[n]`, or with each row of a matrix `[m, n]`.
fn product(
    what: &str,
    v: &Dynamic,
    n: usize,
    many: impl Fn(&[Vec<f64>]) -> Result<Vec<Vec<f64>>>,
) -> Fallible<Array> {
    let v = convert::to_array(v, &format!("{what}: v"))?;
    let rows: Vec<Vec<f64>> = match v.ndim() {
        1 => vec![v.iter().copied().collect()],
        2 if v.len_of(Axis(0)) > 0 => v
            .axis_iter(Axis(0))
            .map(|row| row.iter().copied().collect())
            .collect(),
        _ => {
            return Err(Error::invalid(format!(
                "{what}: v must be a vector of shape [{n}], or a matrix of shape [m, {n}] with a vector in each of m rows, m at least \
                 1; it has shape {:?}",
                v.shape()
            ))
            .into());
        }
    };
    let products = many(&rows)?;
    if v.ndim() == 1 {
        return Ok(Array::from_vec(products.concat()));
    }
    let shape = (rows.len(), products.first().map_or(0, Vec::len));
    let all = Array2::from_shape_vec(shape, products.concat());
    Ok(Array::new(
        all.map_err(|e| Error::invalid(e.to_string()))?.into_dyn(),
    ))
}

fn array<D: ndarray::Dimension>(data: ndarray::Array<f64, D>) -> Dynamic {
    let data: ArrayD<f64> = data.into_dyn();
    Dynamic::from(Array::new(data))
}

/// An example with a Hessian `h`.
macro_rules! example {
    ($call:literal) => {
        concat!(
            "let h = hessian(blackbox([2, 4, 2]), dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1))); ",
            $call
        )
    };
}
use example;

pub(super) fn register(reg: &mut Registry) {
    reg.kind::<Curvature>("Hessian").display::<Curvature>(|h| {
        format!(
            "Hessian: of {} parameters, at loss {:.6e}, {}",
            h.0.n(),
            h.0.loss(),
            h.0.derivatives().name()
        )
    });
    let host = reg.host();
    let with_options = reg.host();
    reg.add("hessian", move |f: Field, d: Data| {
        hessian(&host, &f, &d, Map::new())
    });
    reg.add("hessian", move |f: Field, d: Data, options: Map| {
        hessian(&with_options, &f, &d, options)
    });
    let host = reg.host();
    let with_options = reg.host();
    reg.add(
        "hessian",
        move |c: NativeCallContext, f: FnPtr, p: Dynamic| {
            hessian_of_closure(&host, &c, f, &p, Map::new())
        },
    );
    reg.add(
        "hessian",
        move |c: NativeCallContext, f: FnPtr, p: Dynamic, options: Map| {
            hessian_of_closure(&with_options, &c, f, &p, options)
        },
    );
    reg.describe(
        "hessian",
        "hessian(model, data, #{ rtol: 1e-9, atol: 1e-11 }) or hessian(|p| …, params, #{ step: 1e-4 }) -> Hessian",
        "The exact second derivatives of a training loss at the model's parameters, on the steps of its solves. Options: method (a \
         training method; vanilla() unless given), lambda (1 for homotopy training), solver (its method: an explicit Runge-Kutta \
         one, or radau or kvaerno5 for a stiff model), observe, u0, train_u0, rtol, atol, step_size, substeps, first_step, max_steps, breakpoints, engine (\"native\"). The \
         parameters are f.params, then the method's own, then the initial states where they are trained. Of a closure's loss at params \
         they are exact where it is an expression of p, else central differences of its values of relative step `step` (a solve inside \
         wants tight tolerances or a larger one); derivatives: \"exact\" or \"differences\" insists on one, h.derivatives tells.",
        "hessian(blackbox([2, 4, 2]), dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)), \
         #{ method: homotopy(#{ coupling: 6.0 }), lambda: 0.3, rtol: 1e-9, atol: 1e-11 }).loss; \
         hessian(|p| (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2, [1, 1]).matrix()",
    )
    .options(&[OF_MODEL, OBSERVATION, SOLVER, STEPS, ENGINE, CLOSURE]);
    reg.get("n", |h: &mut Curvature| Ok(h.0.n() as i64));
    reg.get("loss", |h: &mut Curvature| Ok(h.0.loss()));
    reg.get("derivatives", |h: &mut Curvature| {
        Ok(h.0.derivatives().name().to_string())
    });
    reg.describe_property(
        "Hessian",
        "h.n -> int",
        "The number of parameters.",
        example!("h.n"),
    );
    reg.describe_property(
        "Hessian",
        "h.loss -> float",
        "The loss at these parameters.",
        example!("h.loss"),
    );
    reg.describe_property(
        "Hessian",
        "h.derivatives -> string",
        "How the second derivatives were found: exact, differences of gradients or differences of values.",
        "hessian(|p| abs(p[0]) + p[1] ** 2, [1, 1]).derivatives",
    );
    products(reg);
    spectra::register(reg);
    slices::register(reg);
    paths::register(reg);
}

fn products(reg: &mut Registry) {
    reg.add("apply", |h: &mut Curvature, v: Dynamic| {
        product("apply", &v, h.0.n(), |rows| h.0.apply_many(rows))
    });
    reg.describe(
        "apply",
        "h.apply(v) -> Array",
        "The Hessian times a vector [n], or times each row of a matrix [m, n], several at once.",
        example!("h.apply(zeros([h.n]) + 1)"),
    );
    reg.add("gauss_newton", |h: &mut Curvature, v: Dynamic| {
        product("gauss_newton", &v, h.0.n(), |rows| {
            h.0.gauss_newton_many(rows)
        })
    });
    reg.describe(
        "gauss_newton",
        "h.gauss_newton(v) -> Array",
        "The Gauss-Newton part of the Hessian, 2/n JᵀJ for the Jacobian J of the residuals, times a vector or each row of a matrix.",
        example!("h.gauss_newton(zeros([h.n]) + 1)"),
    );
    let host = reg.host();
    reg.add("matrix", move |h: &mut Curvature| -> Fallible<Array> {
        host.room_for_shape("the Hessian", &[h.0.n(), h.0.n()])?;
        dense(&host, &h.0)?;
        Ok(Array::new(h.0.matrix()?.into_dyn()))
    });
    reg.describe(
        "matrix",
        "h.matrix() -> Array",
        "The dense Hessian, [n, n].",
        example!("h.matrix().shape"),
    );
}
