//! Benchmarks of the native engine: losses, gradients, Hessian-vector products, solves by every kind of solver, many solves in one call.
//!
//! ```sh
//! cargo bench --no-default-features --bench native                # everything
//! cargo bench --no-default-features --bench native -- gradient    # benchmarks with "gradient" in their name
//! ```

mod cases;
mod many_solves;

use std::time::Duration;

use cases::{Case, Failure, golden, numbers};
use criterion::{BenchmarkId, Criterion};
use many_solves::ManySolves;
use odesync::dynamics;
use odesync::field::Isa;
use odesync::landscape::{Hessian, LossOptions};
use odesync::odesolve::{BatchSolve, SolveOptions, solve};

/// Number of Hessian-vector products that share a sweep over the steps.
const VECTORS: usize = 8;

fn main() -> Result<(), Failure> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()?;
    println!("instruction set: {}", Isa::current().name());
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    losses(&mut criterion)?;
    solves(&mut criterion)?;
    many_solves(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

/// Measures the loss at λ = 1, its gradient, and its second derivatives.
fn losses(criterion: &mut Criterion) -> Result<(), Failure> {
    let mut group = criterion.benchmark_group("coupled");
    for case in Case::all()? {
        let mut objective = case.objective("native", &case.data)?;
        let params = objective.initial_params();
        for (what, gradient) in [("loss", false), ("gradient", true)] {
            let work = objective.evaluate(&params, 1.0, gradient, None)?.stats;
            println!("{}: {} evaluations", case.name(), work.evaluations);
            group.bench_function(BenchmarkId::new(what, case.name()), |bencher| {
                bencher.iter(|| objective.evaluate(&params, 1.0, gradient, None))
            });
        }
        let options = LossOptions::default().method(case.method()?);
        let hessian = Hessian::new(&case.model, &case.data, &options)?;
        let vectors = vec![vec![1.0; params.len()]; VECTORS];
        let name = format!("{VECTORS} Hessian-vector products");
        group.bench_function(BenchmarkId::new(name, case.name()), |bencher| {
            bencher.iter(|| hessian.apply_many(&vectors))
        });
    }
    group.finish();
    Ok(())
}

/// Measures solves at rtol 1e-7, atol 1e-9, including the compilation of the field.
fn solves(criterion: &mut Criterion) -> Result<(), Failure> {
    let mut group = criterion.benchmark_group("solve");
    let all = golden("trajectories")?;
    let explicit = &[
        "dopri5",
        "tsit5",
        "dopri8",
        "vern7",
        "implicit_adams",
        "auto",
    ][..];
    let stiff = &["radau", "kvaerno5", "rodas5p", "bdf", "auto"][..];
    for (name, field, methods) in [
        ("lotka_volterra", dynamics::lotka_volterra()?, explicit),
        (
            "van_der_pol",
            dynamics::van_der_pol()?.with_param("mu", &[1000.0])?,
            stiff,
        ),
        ("robertson", dynamics::robertson()?, stiff),
    ] {
        let (t, u0) = (numbers(&all[name]["t"]), numbers(&all[name]["u0"]));
        for method in methods {
            let options = SolveOptions::default().solver(method)?;
            solve(&field, &u0, &t, &options)?;
            group.bench_function(BenchmarkId::new(*method, name), |bencher| {
                bencher.iter(|| solve(&field, &u0, &t, &options))
            });
        }
    }
    group.finish();
    Ok(())
}

/// Measures 10,000 solves of Lorenz' system in one call: other initial states, and another constant of each besides.
fn many_solves(criterion: &mut Criterion) -> Result<(), Failure> {
    let mut group = criterion.benchmark_group("10,000 solves");
    let (many, options) = (ManySolves::new(10_000), ManySolves::options()?);
    let field = dynamics::lorenz()?;
    let of_states = BatchSolve::new(&field, many.u0.view())?;
    group.bench_function("initial states", |bencher| {
        bencher.iter(|| of_states.solve(&ManySolves::TIMES, &options))
    });
    let of_constants = BatchSolve::new(&field, many.u0.view())?.with_param("rho", &many.rho)?;
    group.bench_function("initial states and constants", |bencher| {
        bencher.iter(|| of_constants.solve(&ManySolves::TIMES, &options))
    });
    group.finish();
    Ok(())
}
