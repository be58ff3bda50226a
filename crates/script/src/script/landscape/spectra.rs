//! The bindings of the eigenpairs, the trace and the spectral density of a Hessian.

use std::sync::Arc;

use ndarray::Array1;
use rhai::{Dynamic, Map};

use super::super::array::ScriptArray;
use super::super::convert;
use super::super::host::Host;
use super::super::keys::{Key, Keys};
use super::super::options::Options;
use super::super::registry::{Registry, ScriptType};
use super::{ScriptHessian, compute_dense, hessian_example, to_dynamic};
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Count, Seed, split};
use odesync_base::text::count_of;
use odesync_train::landscape::{Density, DensityOptions};

/// The script type of a spectral density, `Density`.
#[derive(Clone)]
pub struct ScriptDensity(pub Arc<Density>);

pub(super) fn register(reg: &mut Registry) {
    let host = reg.host();
    reg.function(
        "h.eigenpairs(k) -> #{ values, vectors }",
        "The k eigenvalues of the largest magnitude, [k], and their eigenvectors of length 1, a row each, [k, n]: vectors[0] belongs \
         to values[0].",
        hessian_example!("h.eigenpairs(2).values"),
    )
    .body(move |h: &mut ScriptHessian, count: i64| -> Result<Map> {
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
    });
    let host = reg.host();
    reg.function(
        "h.spectrum() -> Array",
        "All eigenvalues, increasing, for up to 3000 parameters.",
        hessian_example!("h.spectrum()"),
    )
    .body(move |h: &mut ScriptHessian| -> Result<ScriptArray> {
        compute_dense(&host, &h.0)?;
        Ok(ScriptArray::from_vec(h.0.spectrum()?))
    });
    reg.function(
        "h.trace() -> float",
        "The sum of the eigenvalues: exact for up to 3000 parameters, above an estimate (see trace_estimate).",
        hessian_example!("h.trace()"),
    )
    .body(|h: &mut ScriptHessian| h.0.trace().map(|trace| trace.value));
    reg.function(
        "h.trace_estimate(#{ probes: 100, seed: 0 }) -> #{ trace, standard_error }",
        "Hutchinson's estimate of the trace from random vectors of ±1, and its standard error.",
        hessian_example!("h.trace_estimate(#{ probes: 10 }).standard_error"),
    )
    .options(TRACE)
    .body(|h: &mut ScriptHessian, options: Options| trace_estimate(h, options));
    densities(reg);
}

impl ScriptType for ScriptDensity {
    const NAME: &'static str = "Density";

    fn show(&self) -> String {
        let (low, high) = (self.0.nodes.first(), self.0.nodes.last());
        format!(
            "Density of {} eigenvalues from {:.4e} to {:.4e}{}, sigma {:.2e}",
            self.0.nodes.len(),
            low.copied().unwrap_or(f64::NAN),
            high.copied().unwrap_or(f64::NAN),
            if self.0.exact {
                ""
            } else {
                " (nodes of an estimate)"
            },
            self.0.sigma
        )
    }
}

fn densities(reg: &mut Registry) {
    reg.script_type::<ScriptDensity>();
    let host = reg.host();
    reg.function(
        "h.density(#{ sigma: 0.1, grid: linspace(-1, 5, 600) }) -> Density",
        "The spectral density: a Gaussian of width sigma (1/100 of the distance between the outermost) for each eigenvalue, on a grid \
         (over all of them). Exact for up to 3000 parameters, above an estimate (see density_estimate).",
        hessian_example!("h.density().width"),
    )
    .options(&[DENSITY_GRID])
    .body(move |h: &mut ScriptHessian, options: Options| density(&host, h, options));
    let host = reg.host();
    reg.function(
        "h.density_estimate(#{ probes: 10, steps: 80, seed: 0, sigma: 0.1, grid: linspace(-1, 5, 600) }) -> Density",
        "The spectral density by stochastic Lanczos quadrature (Ghorbani, Krishnan, Xiao 2019), for Hessians of any size: steps nodes \
         for each of the random probes.",
        hessian_example!("h.density_estimate(#{ probes: 4, steps: 10 }).nodes"),
    )
    .options(ESTIMATE)
    .body(move |h: &mut ScriptHessian, options: Options| density_estimate(&host, h, options));
    density_properties(reg);
}

fn density_properties(reg: &mut Registry) {
    reg.property(
        "d.grid -> Array",
        "Where the density is given, [point].",
        hessian_example!("h.density().grid.len()"),
    )
    .get(|d: &mut ScriptDensity| vector(&d.0.grid));
    reg.property(
        "d.density -> Array",
        "The density at the grid's points, its integral 1.",
        hessian_example!("max(h.density().density)"),
    )
    .get(|d: &mut ScriptDensity| vector(&d.0.density));
    reg.property(
        "d.nodes -> Array",
        "The eigenvalues, increasing, or the nodes of the estimate.",
        hessian_example!("h.density().nodes"),
    )
    .get(|d: &mut ScriptDensity| vector(&d.0.nodes));
    reg.property(
        "d.weights -> Array",
        "The part of all eigenvalues that each node stands for.",
        hessian_example!("sum(h.density_estimate().weights)"),
    )
    .get(|d: &mut ScriptDensity| vector(&d.0.weights));
    reg.property(
        "d.sigma -> float",
        "The width of the Gaussian of each node.",
        hessian_example!("h.density().sigma"),
    )
    .get(|d: &mut ScriptDensity| d.0.sigma);
    reg.property(
        "d.exact -> bool",
        "Whether the nodes are the eigenvalues themselves.",
        hessian_example!("h.density().exact"),
    )
    .get(|d: &mut ScriptDensity| d.0.exact);
    reg.property(
        "d.width -> float",
        "The distance between the outermost nodes.",
        hessian_example!("h.density().width"),
    )
    .get(|d: &mut ScriptDensity| d.0.spectral_range());
    reg.function(
        "d.on(grid, sigma) -> Density",
        "The same spectrum on another grid, with Gaussians of another width.",
        hessian_example!("h.density().on(linspace(-1, 5, 200), 0.2).density"),
    )
    .body(
        |d: &mut ScriptDensity, grid: Dynamic, sigma: Dynamic| -> Result<ScriptDensity> {
            let grid = convert::to_vector(&grid, "on: the grid")?;
            let sigma = convert::number(&sigma, "on: sigma")?;
            Ok(ScriptDensity(Arc::new(d.0.resample(grid, sigma)?)))
        },
    );
    reg.function(
        "d.moment(k) -> float",
        "The mean of the eigenvalues' kth powers.",
        hessian_example!("h.density().moment(1) * h.n"),
    )
    .body(|d: &mut ScriptDensity, k: i64| -> Result<f64> {
        let k = i32::try_from(k).ok().filter(|k| *k >= 0).ok_or_else(|| {
            Error::invalid(format!("moment: the order should be 0 or above, not {k}"))
        })?;
        Ok(d.0.moment(k))
    });
}

fn vector(values: &[f64]) -> ScriptArray {
    ScriptArray::from_vec(values.to_vec())
}

/// The option keys of the grid of a density.
const DENSITY_GRID: &[Key] = split(DensityOptions::OPTIONS, "probes").0;

const ESTIMATE: Keys = &[DensityOptions::OPTIONS];

option_set! {
    /// Options of the estimate of a trace.
    #[derive(Debug)]
    struct TraceOptions {
        /// Number of random vectors.
        probes: usize as Count = 100;
        /// Seed of the random vectors.
        seed: u64 as Seed = 0;
    }
}

const TRACE: Keys = &[TraceOptions::OPTIONS];

fn density(host: &Host, h: &ScriptHessian, mut options: Options) -> Result<ScriptDensity> {
    let mut density = DensityOptions::default();
    options.read_set(&mut density)?;
    options.finish()?;
    compute_dense(host, &h.0)?;
    Ok(ScriptDensity(Arc::new(h.0.density(&density)?)))
}

fn density_estimate(host: &Host, h: &ScriptHessian, mut options: Options) -> Result<ScriptDensity> {
    let mut density = DensityOptions::default();
    options.read_set(&mut density)?;
    options.finish()?;
    let progress = host.progress_bar("density", "steps");
    let density =
        h.0.density_estimate_with_progress(&density, &|done, all| progress.update(done, all))?;
    Ok(ScriptDensity(Arc::new(density)))
}

fn trace_estimate(h: &ScriptHessian, mut options: Options) -> Result<Map> {
    let mut read = TraceOptions::default();
    options.read_set(&mut read)?;
    options.finish()?;
    let trace = h.0.trace_estimate(read.probes, read.seed)?;
    Ok(Map::from([
        ("trace".into(), trace.value.into()),
        ("standard_error".into(), trace.standard_error.into()),
    ]))
}
