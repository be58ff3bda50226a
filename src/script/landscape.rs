//! `hessian` and what it offers.

use std::sync::Arc;

use ndarray::{Array1, Array2, ArrayD, Axis};
use rhai::{Dynamic, Map};

use super::array::Array;
use super::convert;
use super::data::Data;
use super::error::Fallible;
use super::fields::Field;
use super::host::Host;
use super::observation::observation;
use super::options::Options;
use super::registry::Registry;
use super::solving::solver;
use super::training::Way;
use crate::landscape::{Hessian, LossOptions};
use crate::odesolve::SolveOptions;
use crate::training::Method;
use crate::{Error, Result};

/// A Hessian as scripts hold it.
#[derive(Clone)]
pub struct Curvature(pub Arc<Hessian>);

fn hessian(host: &Host, model: &Field, data: &Data, options: Map) -> Fallible<Curvature> {
    let mut options = Options::new("hessian", options);
    let method = match options.take("method") {
        None => Method::Vanilla,
        Some(value) => match value.clone().try_cast::<Way>() {
            Some(way) => way.0,
            None => {
                return Err(options
                    .wrong(
                        "method",
                        "a training method such as vanilla() or homotopy(#{ … }) (the solver's method is given as solver)",
                        &value,
                    )
                    .into());
            }
        },
    };
    let default = match method {
        Method::Homotopy(_) => 1.0,
        _ => 0.0,
    };
    let lambda = options.f64("lambda", default)?;
    // The session's device says nothing here: there is one engine.
    let engine = options.choice("engine", &["native", "torch"])?;
    options.string("device", "cpu")?;
    if engine != "native" {
        return Err(Error::invalid(format!(
            "hessian: second derivatives are there on the native engine only, not on \"{engine}\"; leave engine out"
        ))
        .into());
    }
    let observation = observation(&mut options)?;
    let solver = SolveOptions {
        interrupt: Some(host.interrupt_flag()),
        ..solver(&mut options, "solver")?
    };
    options.finish()?;
    let options = LossOptions {
        method,
        lambda,
        observation,
        solver,
    };
    Ok(Curvature(Arc::new(Hessian::new(
        &model.0, &data.0, &options,
    )?)))
}

/// A product with a vector `[n]`, or with each row of a matrix `[m, n]`.
fn product(
    what: &str,
    v: &Dynamic,
    many: impl Fn(&[Vec<f64>]) -> Result<Vec<Vec<f64>>>,
) -> Fallible<Array> {
    let v = convert::to_array(v, &format!("{what}: v"))?;
    let rows: Vec<Vec<f64>> = match v.ndim() {
        1 => vec![v.iter().copied().collect()],
        2 => v
            .axis_iter(Axis(0))
            .map(|row| row.iter().copied().collect())
            .collect(),
        n => {
            return Err(Error::invalid(format!(
                "{what}: v must be a vector or a matrix with a vector in each row, and it has {n} axes"
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

pub(super) fn register(reg: &mut Registry) {
    reg.kind::<Curvature>("Hessian").display::<Curvature>(|h| {
        format!(
            "Hessian: of {} parameters, at loss {:.6e}",
            h.0.n(),
            h.0.loss()
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
    reg.describe(
        "hessian",
        "hessian(model, data, #{ rtol: 1e-9, atol: 1e-11 }) -> Hessian",
        "The exact second derivatives of a training loss at the model's parameters, on the steps of its solves. Options: method (a \
         training method; vanilla() unless given), lambda (1 for homotopy training), solver (its method, an explicit Runge-Kutta \
         one), observe, u0, train_u0, rtol, atol, step_size, substeps, first_step, max_steps, breakpoints, engine (\"native\"). The parameters are f.params, \
         then the method's own, then the initial states where they are trained.",
        "hessian(blackbox([2, 4, 2]), dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)), \
         #{ method: homotopy(#{ coupling: 6.0 }), lambda: 0.3, rtol: 1e-9, atol: 1e-11 }).loss",
    );
    reg.get("n", |h: &mut Curvature| Ok(h.0.n() as i64));
    reg.get("loss", |h: &mut Curvature| Ok(h.0.loss()));
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
    products(reg);
    spectra(reg);
}

fn products(reg: &mut Registry) {
    reg.add("apply", |h: &mut Curvature, v: Dynamic| {
        product("apply", &v, |rows| h.0.apply_many(rows))
    });
    reg.describe(
        "apply",
        "h.apply(v) -> Array",
        "The Hessian times a vector [n], or times each row of a matrix [m, n], several at once.",
        example!("h.apply(zeros([h.n]) + 1)"),
    );
    reg.add("gauss_newton", |h: &mut Curvature, v: Dynamic| {
        product("gauss_newton", &v, |rows| h.0.gauss_newton_many(rows))
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
        Ok(Array::new(h.0.matrix()?.into_dyn()))
    });
    reg.describe(
        "matrix",
        "h.matrix() -> Array",
        "The dense Hessian, [n, n].",
        example!("h.matrix().shape"),
    );
}

fn spectra(reg: &mut Registry) {
    reg.add(
        "eigenpairs",
        |h: &mut Curvature, count: i64| -> Fallible<Map> {
            let count = usize::try_from(count).unwrap_or(0);
            let pairs = h.0.eigenpairs(count)?;
            Ok(Map::from([
                ("values".into(), array(Array1::from(pairs.values))),
                ("vectors".into(), array(pairs.vectors)),
            ]))
        },
    );
    reg.describe(
        "eigenpairs",
        "h.eigenpairs(k) -> #{ values, vectors }",
        "The k eigenvalues of the largest magnitude, [k], and their eigenvectors of length 1, a row each, [k, n]: vectors[0] belongs \
         to values[0].",
        example!("h.eigenpairs(2).values"),
    );
    reg.add("spectrum", |h: &mut Curvature| -> Fallible<Array> {
        Ok(Array::from_vec(h.0.spectrum()?))
    });
    reg.describe(
        "spectrum",
        "h.spectrum() -> Array",
        "All eigenvalues, increasing, for up to 3000 parameters.",
        example!("h.spectrum()"),
    );
    reg.add("trace", |h: &mut Curvature| -> Fallible<f64> {
        Ok(h.0.trace()?.value)
    });
    reg.describe(
        "trace",
        "h.trace() -> float",
        "The sum of the eigenvalues: exact for up to 3000 parameters, above an estimate (see trace_estimate).",
        example!("h.trace()"),
    );
    reg.add("trace_estimate", |h: &mut Curvature| {
        estimate(h, Map::new())
    });
    reg.add("trace_estimate", |h: &mut Curvature, options: Map| {
        estimate(h, options)
    });
    reg.describe(
        "trace_estimate",
        "h.trace_estimate(#{ probes: 100, seed: 0 }) -> #{ trace, standard_error }",
        "Hutchinson's estimate of the trace from random vectors of ±1, and its standard error.",
        example!("h.trace_estimate(#{ probes: 10 }).standard_error"),
    );
}

fn estimate(h: &Curvature, options: Map) -> Fallible<Map> {
    let mut options = Options::new("trace_estimate", options);
    let probes = options.count("probes", 100)?;
    let seed = options.opt_usize("seed")?.unwrap_or(0);
    options.finish()?;
    let trace = h.0.trace_estimate(probes, seed as u64)?;
    Ok(Map::from([
        ("trace".into(), trace.value.into()),
        ("standard_error".into(), trace.standard_error.into()),
    ]))
}
