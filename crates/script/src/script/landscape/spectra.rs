//! Eigenpairs, trace and spectral density of a Hessian.

use std::sync::Arc;

use ndarray::Array1;
use rhai::{Dynamic, Map};

use super::super::array::Array;
use super::super::convert;
use super::super::error::Fallible;
use super::super::host::Host;
use super::super::keys::{Key, Keys};
use super::super::options::Options;
use super::super::registry::Registry;
use super::{Curvature, array, dense, example};
use crate::{Error, Result};
use odesync_train::landscape::{Density, DensityOptions};

/// A spectral density as scripts hold it.
#[derive(Clone)]
pub struct Spectrum(pub Arc<Density>);

pub(super) fn register(reg: &mut Registry) {
    let host = reg.host();
    reg.add(
        "eigenpairs",
        move |h: &mut Curvature, count: i64| -> Fallible<Map> {
            let count = usize::try_from(count).unwrap_or(0);
            dense(&host, &h.0)?;
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
    let host = reg.host();
    reg.add("spectrum", move |h: &mut Curvature| -> Fallible<Array> {
        dense(&host, &h.0)?;
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
    )
    .options(TRACE);
    densities(reg);
}

fn densities(reg: &mut Registry) {
    reg.kind::<Spectrum>("Density").display::<Spectrum>(|d| {
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
    reg.add("density", move |h: &mut Curvature| {
        density(&host, h, Map::new())
    });
    reg.add("density", move |h: &mut Curvature, options: Map| {
        density(&with_options, h, options)
    });
    reg.describe(
        "density",
        "h.density(#{ sigma: 0.1, grid: linspace(-1, 5, 600) }) -> Density",
        "The spectral density: a Gaussian of width sigma (1/100 of the distance between the outermost) for each eigenvalue, on a grid \
         (over all of them). Exact for up to 3000 parameters, above an estimate (see density_estimate).",
        example!("h.density().width"),
    )
    .options(&[DRAWN]);
    let (host, with_options) = (reg.host(), reg.host());
    reg.add("density_estimate", move |h: &mut Curvature| {
        density_estimate(&host, h, Map::new())
    });
    reg.add(
        "density_estimate",
        move |h: &mut Curvature, options: Map| density_estimate(&with_options, h, options),
    );
    reg.describe(
        "density_estimate",
        "h.density_estimate(#{ probes: 10, steps: 80, seed: 0, sigma: 0.1, grid: linspace(-1, 5, 600) }) -> Density",
        "The spectral density by stochastic Lanczos quadrature (Ghorbani, Krishnan, Xiao 2019), for Hessians of any size: steps nodes \
         for each of the random probes.",
        example!("h.density_estimate(#{ probes: 4, steps: 10 }).nodes"),
    )
    .options(ESTIMATE);
    density_properties(reg);
}

fn density_properties(reg: &mut Registry) {
    reg.get("grid", |d: &mut Spectrum| Ok(vector(&d.0.grid)));
    reg.get("density", |d: &mut Spectrum| Ok(vector(&d.0.density)));
    reg.get("nodes", |d: &mut Spectrum| Ok(vector(&d.0.nodes)));
    reg.get("weights", |d: &mut Spectrum| Ok(vector(&d.0.weights)));
    reg.get("sigma", |d: &mut Spectrum| Ok(d.0.sigma));
    reg.get("exact", |d: &mut Spectrum| Ok(d.0.exact));
    reg.get("width", |d: &mut Spectrum| Ok(d.0.width()));
    for (signature, text, example) in [
        (
            "d.grid -> Array",
            "Where the density is given, [point].",
            example!("h.density().grid.len()"),
        ),
        (
            "d.density -> Array",
            "The density at the grid's points, its integral 1.",
            example!("max(h.density().density)"),
        ),
        (
            "d.nodes -> Array",
            "The eigenvalues, increasing, or the nodes of the estimate.",
            example!("h.density().nodes"),
        ),
        (
            "d.weights -> Array",
            "The part of all eigenvalues that each node stands for.",
            example!("sum(h.density_estimate().weights)"),
        ),
        (
            "d.sigma -> float",
            "The width of the Gaussian of each node.",
            example!("h.density().sigma"),
        ),
        (
            "d.exact -> bool",
            "Whether the nodes are the eigenvalues themselves.",
            example!("h.density().exact"),
        ),
        (
            "d.width -> float",
            "The distance between the outermost nodes.",
            example!("h.density().width"),
        ),
    ] {
        reg.describe_property("Density", signature, text, example);
    }
    reg.add(
        "on",
        |d: &mut Spectrum, grid: Dynamic, sigma: Dynamic| -> Fallible<Spectrum> {
            let grid = convert::to_vector(&grid, "on: the grid")?;
            let sigma = convert::number(&sigma)
                .ok_or_else(|| Error::invalid("on: sigma should be a number"))?;
            Ok(Spectrum(Arc::new(d.0.on(grid, sigma)?)))
        },
    );
    reg.describe(
        "on",
        "d.on(grid, sigma) -> Density",
        "The same spectrum on another grid, with Gaussians of another width.",
        example!("h.density().on(linspace(-1, 5, 200), 0.2).density"),
    );
    reg.add("moment", |d: &mut Spectrum, k: i64| -> Fallible<f64> {
        let k = i32::try_from(k).ok().filter(|k| *k >= 0).ok_or_else(|| {
            Error::invalid(format!("moment: the order should be 0 or above, not {k}"))
        })?;
        Ok(d.0.moment(k))
    });
    reg.describe(
        "moment",
        "d.moment(k) -> float",
        "The mean of the eigenvalues' kth powers.",
        example!("h.density().moment(1) * h.n"),
    );
}

fn vector(values: &[f64]) -> Array {
    Array::from_vec(values.to_vec())
}

/// How a density is drawn.
const DRAWN: &[Key] = &[Key::new("sigma"), Key::new("grid")];

const ESTIMATE: Keys = &[
    &[Key::new("probes"), Key::new("steps"), Key::new("seed")],
    DRAWN,
];

const TRACE: Keys = &[&[Key::new("probes"), Key::new("seed")]];

fn drawn(options: &mut Options) -> Result<DensityOptions> {
    Ok(DensityOptions {
        sigma: options.opt_positive("sigma")?,
        grid: match options.take("grid") {
            Some(grid) => Some(convert::to_vector(&grid, "the grid of a density")?),
            None => None,
        },
        ..DensityOptions::default()
    })
}

fn density(host: &Host, h: &Curvature, options: Map) -> Fallible<Spectrum> {
    let mut options = Options::new("density", &[DRAWN], options);
    let density = drawn(&mut options)?;
    options.finish()?;
    dense(host, &h.0)?;
    Ok(Spectrum(Arc::new(h.0.density(&density)?)))
}

fn density_estimate(host: &Host, h: &Curvature, options: Map) -> Fallible<Spectrum> {
    let mut options = Options::new("density_estimate", ESTIMATE, options);
    let default = DensityOptions::default();
    let density = DensityOptions {
        probes: options.count("probes", default.probes)?,
        steps: options.count("steps", default.steps)?,
        seed: options.opt_seed("seed")?.unwrap_or(default.seed),
        ..drawn(&mut options)?
    };
    options.finish()?;
    let progress = host.tally("density", "steps");
    let density =
        h.0.density_estimate_with(&density, &|done, all| progress.at(done, all))?;
    Ok(Spectrum(Arc::new(density)))
}

fn estimate(h: &Curvature, options: Map) -> Fallible<Map> {
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
