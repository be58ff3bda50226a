//! The bindings of the eigenpairs, the trace and the spectral density of a Hessian.

use std::sync::Arc;

use ndarray::Array1;
use rhai::{Dynamic, Map};

use super::super::array::ScriptArray;
use super::super::convert;
use super::super::error::RhaiResult;
use super::super::host::Host;
use super::super::keys::{Key, Keys};
use super::super::options::Options;
use super::super::registry::Registry;
use super::{ScriptHessian, compute_dense, hessian_example, to_dynamic};
use crate::{Error, Result};
use odesync_base::text::count_of;
use odesync_train::landscape::{Density, DensityOptions};

/// The script type of a spectral density, `Density`.
#[derive(Clone)]
pub struct ScriptDensity(pub Arc<Density>);

pub(super) fn register(reg: &mut Registry) {
    let host = reg.host();
    reg.register_fn(
        "eigenpairs",
        move |h: &mut ScriptHessian, count: i64| -> RhaiResult<Map> {
            let count = usize::try_from(count).map_err(|_| {
                let n = h.0.n();
                let all = count_of(n, "eigenpair");
                Error::invalid(format!(
                    "the Hessian has {all}: ask for 1 to {n}, not {count}"
                ))
            })?;
            compute_dense(&host, &h.0)?;
            let pairs = h.0.eigenpairs(count)?;
            Ok(Map::from([
                ("values".into(), to_dynamic(Array1::from(pairs.values))),
                ("vectors".into(), to_dynamic(pairs.vectors)),
            ]))
        },
    );
    reg.describe(
        "eigenpairs",
        "h.eigenpairs(k) -> #{ values, vectors }",
        "The k eigenvalues of the largest magnitude, [k], and their eigenvectors of length 1, a row each, [k, n]: vectors[0] belongs \
         to values[0].",
        hessian_example!("h.eigenpairs(2).values"),
    );
    let host = reg.host();
    reg.register_fn(
        "spectrum",
        move |h: &mut ScriptHessian| -> RhaiResult<ScriptArray> {
            compute_dense(&host, &h.0)?;
            Ok(ScriptArray::from_vec(h.0.spectrum()?))
        },
    );
    reg.describe(
        "spectrum",
        "h.spectrum() -> Array",
        "All eigenvalues, increasing, for up to 3000 parameters.",
        hessian_example!("h.spectrum()"),
    );
    reg.register_fn("trace", |h: &mut ScriptHessian| -> RhaiResult<f64> {
        Ok(h.0.trace()?.value)
    });
    reg.describe(
        "trace",
        "h.trace() -> float",
        "The sum of the eigenvalues: exact for up to 3000 parameters, above an estimate (see trace_estimate).",
        hessian_example!("h.trace()"),
    );
    reg.register_fn("trace_estimate", |h: &mut ScriptHessian| {
        trace_estimate(h, Map::new())
    });
    reg.register_fn("trace_estimate", |h: &mut ScriptHessian, options: Map| {
        trace_estimate(h, options)
    });
    reg.describe(
        "trace_estimate",
        "h.trace_estimate(#{ probes: 100, seed: 0 }) -> #{ trace, standard_error }",
        "Hutchinson's estimate of the trace from random vectors of ±1, and its standard error.",
        hessian_example!("h.trace_estimate(#{ probes: 10 }).standard_error"),
    )
    .option_keys(TRACE);
    densities(reg);
}

fn densities(reg: &mut Registry) {
    reg.register_type::<ScriptDensity>("Density")
        .display::<ScriptDensity>(|d| {
            let (low, high) = (d.0.nodes.first(), d.0.nodes.last());
            format!(
                "Density of {} eigenvalues from {:.4e} to {:.4e}{}, sigma {:.2e}",
                d.0.nodes.len(),
                low.copied().unwrap_or(f64::NAN),
                high.copied().unwrap_or(f64::NAN),
                if d.0.exact {
                    ""
                } else {
                    " (nodes of an estimate)"
                },
                d.0.sigma
            )
        });
    let (host, with_options) = (reg.host(), reg.host());
    reg.register_fn("density", move |h: &mut ScriptHessian| {
        density(&host, h, Map::new())
    });
    reg.register_fn("density", move |h: &mut ScriptHessian, options: Map| {
        density(&with_options, h, options)
    });
    reg.describe(
        "density",
        "h.density(#{ sigma: 0.1, grid: linspace(-1, 5, 600) }) -> Density",
        "The spectral density: a Gaussian of width sigma (1/100 of the distance between the outermost) for each eigenvalue, on a grid \
         (over all of them). Exact for up to 3000 parameters, above an estimate (see density_estimate).",
        hessian_example!("h.density().width"),
    )
    .option_keys(&[DENSITY_GRID]);
    let (host, with_options) = (reg.host(), reg.host());
    reg.register_fn("density_estimate", move |h: &mut ScriptHessian| {
        density_estimate(&host, h, Map::new())
    });
    reg.register_fn(
        "density_estimate",
        move |h: &mut ScriptHessian, options: Map| density_estimate(&with_options, h, options),
    );
    reg.describe(
        "density_estimate",
        "h.density_estimate(#{ probes: 10, steps: 80, seed: 0, sigma: 0.1, grid: linspace(-1, 5, 600) }) -> Density",
        "The spectral density by stochastic Lanczos quadrature (Ghorbani, Krishnan, Xiao 2019), for Hessians of any size: steps nodes \
         for each of the random probes.",
        hessian_example!("h.density_estimate(#{ probes: 4, steps: 10 }).nodes"),
    )
    .option_keys(ESTIMATE);
    density_properties(reg);
}

fn density_properties(reg: &mut Registry) {
    reg.register_get("grid", |d: &mut ScriptDensity| Ok(vector(&d.0.grid)));
    reg.register_get("density", |d: &mut ScriptDensity| Ok(vector(&d.0.density)));
    reg.register_get("nodes", |d: &mut ScriptDensity| Ok(vector(&d.0.nodes)));
    reg.register_get("weights", |d: &mut ScriptDensity| Ok(vector(&d.0.weights)));
    reg.register_get("sigma", |d: &mut ScriptDensity| Ok(d.0.sigma));
    reg.register_get("exact", |d: &mut ScriptDensity| Ok(d.0.exact));
    reg.register_get("width", |d: &mut ScriptDensity| Ok(d.0.spectral_range()));
    for (signature, text, example) in [
        (
            "d.grid -> Array",
            "Where the density is given, [point].",
            hessian_example!("h.density().grid.len()"),
        ),
        (
            "d.density -> Array",
            "The density at the grid's points, its integral 1.",
            hessian_example!("max(h.density().density)"),
        ),
        (
            "d.nodes -> Array",
            "The eigenvalues, increasing, or the nodes of the estimate.",
            hessian_example!("h.density().nodes"),
        ),
        (
            "d.weights -> Array",
            "The part of all eigenvalues that each node stands for.",
            hessian_example!("sum(h.density_estimate().weights)"),
        ),
        (
            "d.sigma -> float",
            "The width of the Gaussian of each node.",
            hessian_example!("h.density().sigma"),
        ),
        (
            "d.exact -> bool",
            "Whether the nodes are the eigenvalues themselves.",
            hessian_example!("h.density().exact"),
        ),
        (
            "d.width -> float",
            "The distance between the outermost nodes.",
            hessian_example!("h.density().width"),
        ),
    ] {
        reg.describe_property("Density", signature, text, example);
    }
    reg.register_fn(
        "on",
        |d: &mut ScriptDensity, grid: Dynamic, sigma: Dynamic| -> RhaiResult<ScriptDensity> {
            let grid = convert::to_vector(&grid, "on: the grid")?;
            let sigma = convert::to_number(&sigma)
                .ok_or_else(|| Error::invalid("on: sigma should be a number"))?;
            Ok(ScriptDensity(Arc::new(d.0.resample(grid, sigma)?)))
        },
    );
    reg.describe(
        "on",
        "d.on(grid, sigma) -> Density",
        "The same spectrum on another grid, with Gaussians of another width.",
        hessian_example!("h.density().on(linspace(-1, 5, 200), 0.2).density"),
    );
    reg.register_fn(
        "moment",
        |d: &mut ScriptDensity, k: i64| -> RhaiResult<f64> {
            let k = i32::try_from(k).ok().filter(|k| *k >= 0).ok_or_else(|| {
                Error::invalid(format!("moment: the order should be 0 or above, not {k}"))
            })?;
            Ok(d.0.moment(k))
        },
    );
    reg.describe(
        "moment",
        "d.moment(k) -> float",
        "The mean of the eigenvalues' kth powers.",
        hessian_example!("h.density().moment(1) * h.n"),
    );
}

fn vector(values: &[f64]) -> ScriptArray {
    ScriptArray::from_vec(values.to_vec())
}

/// The option keys of the grid of a density.
const DENSITY_GRID: &[Key] = &[Key::new("sigma"), Key::new("grid")];

const ESTIMATE: Keys = &[
    &[Key::new("probes"), Key::new("steps"), Key::new("seed")],
    DENSITY_GRID,
];

const TRACE: Keys = &[&[Key::new("probes"), Key::new("seed")]];

fn density_options(options: &mut Options) -> Result<DensityOptions> {
    Ok(DensityOptions {
        sigma: options.opt_positive("sigma")?,
        grid: match options.take("grid") {
            Some(grid) => Some(convert::to_vector(&grid, "the grid of a density")?),
            None => None,
        },
        ..DensityOptions::default()
    })
}

fn density(host: &Host, h: &ScriptHessian, options: Map) -> RhaiResult<ScriptDensity> {
    let mut options = Options::new("density", &[DENSITY_GRID], options);
    let density = density_options(&mut options)?;
    options.finish()?;
    compute_dense(host, &h.0)?;
    Ok(ScriptDensity(Arc::new(h.0.density(&density)?)))
}

fn density_estimate(host: &Host, h: &ScriptHessian, options: Map) -> RhaiResult<ScriptDensity> {
    let mut options = Options::new("density_estimate", ESTIMATE, options);
    let default = DensityOptions::default();
    let density = DensityOptions {
        probes: options.count("probes", default.probes)?,
        steps: options.count("steps", default.steps)?,
        seed: options.opt_seed("seed")?.unwrap_or(default.seed),
        ..density_options(&mut options)?
    };
    options.finish()?;
    let progress = host.progress_bar("density", "steps");
    let density =
        h.0.density_estimate_with_progress(&density, &|done, all| progress.update(done, all))?;
    Ok(ScriptDensity(Arc::new(density)))
}

fn trace_estimate(h: &ScriptHessian, options: Map) -> RhaiResult<Map> {
    let mut options = Options::new("trace_estimate", TRACE, options);
    let probes = options.count("probes", 100)?;
    let seed = options.opt_usize("seed")?.unwrap_or(0);
    options.finish()?;
    let trace = h.0.trace_estimate(probes, seed as u64)?;
    Ok(Map::from([
        ("trace".into(), trace.value.into()),
        ("standard_error".into(), trace.standard_error.into()),
    ]))
}
