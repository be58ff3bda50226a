//! The bindings of the loss landscape: Hessians, spectra, slices of the loss, parameter paths of runs.
//!
//! | file | content |
//! |---|---|
//! | `spectra` | eigenpairs, trace, spectral density |
//! | `slices` | `landscape`, directions |
//! | `paths` | parameter path of a run, `pca` |

pub(super) mod paths;
pub(super) mod slices;
pub(super) mod spectra;

pub(super) use paths::ScriptPca;
pub(super) use slices::ScriptLandscape;
pub(super) use spectra::ScriptDensity;

use std::sync::Arc;

use ndarray::{Array2, ArrayD, Axis};
use rhai::{Dynamic, FnPtr, NativeCallContext};

use super::array::ScriptArray;
use super::convert;
use super::data::ScriptDataset;
use super::error::RhaiResult;
use super::fields::{LossClosure, ScriptField, solve_failure_to_nan};
use super::host::Host;
use super::keys::{Key, Keys};
use super::observation::{OBSERVATION, observation};
use super::options::Options;
use super::registry::{Registry, ScriptType};
use super::solving::{ENGINE, SOLVER, solver};
use super::training::{LAMBDA, ScriptMethod};
use crate::{Error, Result};
use odesync_base::impl_named;
use odesync_base::option_set;
use odesync_base::options::{Maybe, OneOf, Positive, Value};
use odesync_ode::odesolve::SolveOptions;
use odesync_train::landscape::{
    DENSE_LIMIT, DerivativeKind, Hessian, LossOptions, SECOND_DIFFERENCE_STEP, default_lambda,
    second_differences,
};
use odesync_train::progress::ProgressSink;
use odesync_train::training::TrainingMethod;

/// The script type of a Hessian, `Hessian`.
#[derive(Clone)]
pub struct ScriptHessian(pub Arc<Hessian>);

/// The option keys that choose the loss of a model.
const LOSS_CHOICE: &[Key] = &[
    Key::new("method")
        .doc("The training method whose loss it is.")
        .literals(&["vanilla()", "homotopy(", "multiple_shooting("])
        .default(|| Value::Unit, "`vanilla()`"),
    LAMBDA,
];

/// The option keys of the Hessian of a model's loss.
const LOSS: Keys = &[LOSS_CHOICE, OBSERVATION, SOLVER, ENGINE];

/// How the second derivatives of a closure are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Derivatives {
    Exact,
    Differences,
}

impl_named!(
    Derivatives,
    "derivatives",
    Exact = "exact",
    Differences = "differences",
);

option_set! {
    /// Options of the Hessian of a closure.
    #[derive(Debug)]
    struct ClosureOptions {
        /// How the second derivatives of a closure are computed.
        derivatives: Option<Derivatives> as Maybe<OneOf<Derivatives>> = None, "exactly where the closure can be traced";
        /// Step of the differences of a closure's values, relative to a parameter that is above 1.
        step: f64 as Positive = SECOND_DIFFERENCE_STEP;
    }
}

/// The option keys of the Hessian of a closure.
const CLOSURE: &[Key] = ClosureOptions::OPTIONS;

/// Reads the options that choose the loss of a model.
///
/// # Errors
/// A value of the wrong type or out of its range.
fn loss_options(host: &Host, options: &mut Options, call: &str) -> Result<LossOptions> {
    let method = match options.take("method") {
        None => TrainingMethod::Vanilla,
        Some(value) => match value.clone().try_cast::<ScriptMethod>() {
            Some(way) => way.0,
            None => {
                return Err(options.invalid_value(
                    "method",
                    "a training method such as vanilla() or homotopy(#{ … }) (the ODE solver is given as solver)",
                    &value,
                ));
            }
        },
    };
    let lambda = options.f64("lambda", default_lambda(&method))?;
    // The session's device is not used here, because only one engine supports this.
    let engine = options.choice("engine")?;
    options.string("device", "cpu")?;
    if engine == "torch" {
        return Err(Error::invalid(format!(
            "{call} is there on the native engine only, not on \"{engine}\"; leave engine out"
        )));
    }
    let observation = observation(options)?;
    let solver = SolveOptions {
        interrupt: Some(host.interrupt_flag()),
        ..solver(options)?
    };
    Ok(LossOptions {
        method,
        lambda,
        observation,
        solver,
    })
}

fn hessian(
    host: &Host,
    model: &ScriptField,
    data: &ScriptDataset,
    mut options: Options,
) -> Result<ScriptHessian> {
    let loss = loss_options(host, &mut options, "hessian")?;
    options.finish()?;
    Ok(ScriptHessian(Arc::new(Hessian::new(
        &model.0, &data.0, &loss,
    )?)))
}

/// Computes the Hessian of a closure's loss: exactly where the closure can be traced into an expression of its parameters, else
/// by differences of its values.
fn hessian_of_closure(
    host: &Host,
    context: &NativeCallContext,
    closure: FnPtr,
    params: &Dynamic,
    mut options: Options,
) -> RhaiResult<ScriptHessian> {
    let params = convert::to_vector(params, "hessian: the parameters")?;
    let mut read = ClosureOptions::default();
    options.read_set(&mut read)?;
    options.finish()?;
    let closure = LossClosure::new(context, closure);
    closure.value(&params)?;
    let traced = match read.derivatives {
        Some(Derivatives::Differences) => None,
        Some(_) => Some(closure.trace(&params)?),
        // A closure that cannot be traced is not an error; the Hessian reports how it was computed.
        None => closure.trace(&params).ok(),
    };
    let hessian = match traced {
        Some(loss) => Hessian::from_loss(Arc::new(loss), &params)?,
        None => {
            let progress = host.progress_bar("Hessian", "values");
            let all = |count: usize, point: &(dyn Fn(usize) -> Vec<f64> + Sync)| {
                closure_values(&closure, count, point, &*progress)
            };
            let (matrix, loss) = second_differences(&params, read.step, all)?;
            Hessian::from_matrix(&matrix, loss, DerivativeKind::ValueDifferences)?
        }
    };
    Ok(ScriptHessian(Arc::new(hessian)))
}

/// Evaluates a closure at many points, one after the other, because a script has one thread.
fn closure_values(
    closure: &LossClosure,
    count: usize,
    point: &(dyn Fn(usize) -> Vec<f64> + Sync),
    progress: &dyn ProgressSink,
) -> RhaiResult<Vec<f64>> {
    (0..count)
        .map(|i| {
            let value = solve_failure_to_nan(closure.value(&point(i)))?;
            progress.update(i + 1, count);
            Ok(value)
        })
        .collect()
}

/// Computes the dense matrix with a progress display, if the Hessian is small enough to be held as one.
fn compute_dense(host: &Host, h: &Hessian) -> Result<()> {
    if h.n() <= DENSE_LIMIT {
        host.check_memory_for_shape("the Hessian", &[h.n(), h.n()])?;
        let progress = host.progress_bar("Hessian", "columns");
        h.matrix_with_progress(&|done, all| progress.update(done, all))?;
    }
    Ok(())
}

/// Multiplies the Hessian by a vector `[n]`, or by each row of a matrix `[m, n]`.
fn matvec(
    what: &str,
    v: &Dynamic,
    n: usize,
    many: impl Fn(&[Vec<f64>]) -> Result<Vec<Vec<f64>>>,
) -> Result<ScriptArray> {
    let v = convert::to_array(v, &format!("{what}: v"))?;
    let rows: Vec<Vec<f64>> = match v.ndim() {
        1 if v.len() == n => vec![v.iter().copied().collect()],
        2 if v.len_of(Axis(0)) > 0 && v.len_of(Axis(1)) == n => v
            .axis_iter(Axis(0))
            .map(|row| row.iter().copied().collect())
            .collect(),
        _ => {
            return Err(Error::invalid(format!(
                "{what}: v must be a vector of shape [{n}], or a matrix of shape [m, {n}] with a vector in each of m rows, m at least \
                 1; it has shape {:?}",
                v.shape()
            )));
        }
    };
    let products = many(&rows)?;
    if v.ndim() == 1 {
        return Ok(ScriptArray::from_vec(products.concat()));
    }
    let shape = (rows.len(), products.first().map_or(0, Vec::len));
    let all = Array2::from_shape_vec(shape, products.concat());
    Ok(ScriptArray::new(
        all.map_err(|e| Error::invalid(e.to_string()))?.into_dyn(),
    ))
}

fn to_dynamic<D: ndarray::Dimension>(data: ndarray::Array<f64, D>) -> Dynamic {
    let data: ArrayD<f64> = data.into_dyn();
    Dynamic::from(ScriptArray::new(data))
}

/// Prepends a Hessian `h` to an example.
macro_rules! hessian_example {
    ($call:literal) => {
        concat!(
            "let h = hessian(blackbox([2, 4, 2]), dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1))); ",
            $call
        )
    };
}
use hessian_example;

impl ScriptType for ScriptHessian {
    const NAME: &'static str = "Hessian";

    fn show(&self) -> String {
        format!(
            "Hessian: of {} parameters, at loss {:.6e}, {}",
            self.0.n(),
            self.0.loss(),
            self.0.derivative_kind().name()
        )
    }
}

pub(super) fn register(reg: &mut Registry) {
    reg.script_type::<ScriptHessian>();
    let (of_model, of_closure) = (reg.host(), reg.host());
    reg.function(
        "hessian(model, data, #{ rtol: 1e-9, atol: 1e-11 }) or hessian(|p| …, params, #{ step: 1e-4 }) -> Hessian",
        "The exact second derivatives of a training loss at the model's parameters, on the steps of its solves. The solver is an \
         explicit Runge-Kutta method, or radau or kvaerno5 for a stiff model; the engine is the native one. The parameters are f.params, then the method's own, then the initial states where they are trained. Of a closure's loss at params \
         they are exact where it is an expression of p, else central differences of its values (a solve inside \
         wants tight tolerances or a larger step); h.derivatives tells.",
        "hessian(blackbox([2, 4, 2]), dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)), \
         #{ method: homotopy(#{ coupling: 6.0 }), lambda: 0.3, rtol: 1e-9, atol: 1e-11 }).loss; \
         hessian(|p| (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2, [1, 1]).matrix()",
    )
    .options(&[LOSS_CHOICE, OBSERVATION, SOLVER, ENGINE, CLOSURE])
    .body_with(LOSS, move |f: ScriptField, d: ScriptDataset, options: Options| {
        hessian(&of_model, &f, &d, options)
    })
    .body_with(
        &[CLOSURE],
        move |c: NativeCallContext, f: FnPtr, p: Dynamic, options: Options| {
            hessian_of_closure(&of_closure, &c, f, &p, options)
        },
    );
    reg.property(
        "h.n -> int",
        "The number of parameters.",
        hessian_example!("h.n"),
    )
    .get(|h: &mut ScriptHessian| h.0.n() as i64);
    reg.property(
        "h.loss -> float",
        "The loss at these parameters.",
        hessian_example!("h.loss"),
    )
    .get(|h: &mut ScriptHessian| h.0.loss());
    reg.property(
        "h.derivatives -> string",
        "How the second derivatives were found: exact, differences of gradients or differences of values.",
        "hessian(|p| abs(p[0]) + p[1] ** 2, [1, 1]).derivatives",
    )
    .get(|h: &mut ScriptHessian| h.0.derivative_kind().name().to_string());
    products(reg);
    spectra::register(reg);
    slices::register(reg);
    paths::register(reg);
}

fn products(reg: &mut Registry) {
    reg.function(
        "h.apply(v) -> Array",
        "The Hessian times a vector [n], or times each row of a matrix [m, n], several at once.",
        hessian_example!("h.apply(zeros([h.n]) + 1)"),
    )
    .body(|h: &mut ScriptHessian, v: Dynamic| {
        matvec("apply", &v, h.0.n(), |rows| h.0.apply_many(rows))
    });
    reg.function(
        "h.gauss_newton(v) -> Array",
        "The Gauss-Newton part of the Hessian, 2/n JᵀJ for the Jacobian J of the residuals, times a vector or each row of a matrix.",
        hessian_example!("h.gauss_newton(zeros([h.n]) + 1)"),
    )
    .body(|h: &mut ScriptHessian, v: Dynamic| {
        matvec("gauss_newton", &v, h.0.n(), |rows| {
            h.0.gauss_newton_many(rows)
        })
    });
    let host = reg.host();
    reg.function(
        "h.matrix() -> Array",
        "The dense Hessian, [n, n].",
        hessian_example!("h.matrix().shape"),
    )
    .body(move |h: &mut ScriptHessian| -> Result<ScriptArray> {
        host.check_memory_for_shape("the Hessian", &[h.0.n(), h.0.n()])?;
        compute_dense(&host, &h.0)?;
        Ok(ScriptArray::new(h.0.matrix()?.into_dyn()))
    });
}
