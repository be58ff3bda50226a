//! Loss and gradient of the Lotka-Volterra black box (2-32-2, GELU) coupled to data with λ = 1, rtol 1e-7, atol 1e-9, on
//! one thread; and beside it the same by torchdiffeq, when a Python that has it is given:
//!
//!     make bench-peers        # a virtual environment with torch and torchdiffeq, then this benchmark
//!     PEER_PYTHON=.venv-peers/bin/python cargo bench --bench loss_and_gradient
//!
//! The results are compared before any time is printed.

use std::process::Command;
use std::time::{Duration, Instant};

use ndarray::Array1;
use odesync::datasets::Dataset;
use odesync::engines::engine;
use odesync::field::{Isa, Unary};
use odesync::landscape::{Hessian, LossOptions};
use odesync::models::blackbox;
use odesync::odesolve::SolveOptions;
use odesync::random::Generator;
use odesync::schedules::Schedule;
use odesync::training::{Homotopy, Method, Objective};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()?;
    let system = odesync::dynamics::lotka_volterra()?;
    let t: Vec<f64> = (0..61).map(|i| f64::from(i) * 0.1).collect();
    let u0 = vec![0.442_492_96, 4.628_059_4];
    let clean = odesync::odesolve::solve(&system, &u0, &t, &SolveOptions::default())?.u;
    let data = Dataset::single(
        Array1::from(t.clone()),
        clean,
        Some(Array1::from(u0.clone())),
    )?;
    let data = data.add_noise_seeded(0.05, odesync::datasets::RelativeTo::Mean, 10)?;
    let model = blackbox(&[2, 32, 2], Unary::Gelu, &mut Generator::manual_seed(10))?;
    let method = Method::Homotopy(Homotopy::new(6.0, Schedule::list(vec![1.0])?));

    println!("instruction set: {}", Isa::current().name());
    let mut rows = vec![];
    let engines: &[&str] = if cfg!(feature = "torch") {
        &["native", "torch"]
    } else {
        &["native"]
    };
    for name in engines {
        let mut objective = Objective::new(
            &model,
            &data,
            &method,
            &SolveOptions::default(),
            engine(name, "cpu")?,
        )?;
        let params = objective.initial();
        let loss = objective.evaluate(&params, 1.0, true, None)?;
        let norm = loss.gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let seconds = median(|| objective.evaluate(&params, 1.0, true, None).map(drop))?;
        println!(
            "{name}: {} steps, {} rejected, {} evaluations, {:.0} ns an evaluation with its part of the gradient",
            loss.stats.steps,
            loss.stats.rejected,
            loss.stats.evaluations,
            1e9 * seconds / loss.stats.evaluations as f64
        );
        rows.push(((*name).to_string(), loss.loss, norm, seconds));
    }
    if let Ok(python) = std::env::var("PEER_PYTHON") {
        rows.push(torchdiffeq(
            &python,
            &t,
            &u0,
            &data.u().iter().copied().collect::<Vec<_>>(),
            &model.params(),
        )?);
    }
    if std::env::var("PEER_PYTHON").is_err() {
        others()?;
    }
    let (_, loss, norm, native) = rows[0].clone();
    println!(
        "\n{:<14}{:>14}{:>14}{:>12}{:>12}",
        "engine", "loss", "|gradient|", "ms", "ratio"
    );
    for (name, l, n, seconds) in &rows {
        if (l / loss - 1.0).abs() > 1e-5 || (n / norm - 1.0).abs() > 1e-4 {
            return Err(format!("{name} computes something else: loss {l}, |gradient| {n}").into());
        }
        println!(
            "{name:<14}{l:>14.9}{n:>14.9}{:>12.3}{:>12.1}",
            1e3 * seconds,
            seconds / native
        );
    }
    Ok(())
}

/// Other sizes on the native engine: loss and gradient, and Hessian-vector products. The least of many times, which another
/// program on the machine disturbs least.
fn others() -> Result<(), Failure> {
    let t: Vec<f64> = (0..31).map(|i| f64::from(i) * 0.1).collect();
    let lorenz = odesync::dynamics::lorenz()?;
    let u0 = vec![1.2, 2.1, 1.7];
    let clean = odesync::odesolve::solve(&lorenz, &u0, &t, &SolveOptions::default())?.u;
    let data = Dataset::single(Array1::from(t), clean, Some(Array1::from(u0)))?;
    let data = data.add_noise_seeded(0.25, odesync::datasets::RelativeTo::Nothing, 10)?;
    let method: Method = Homotopy::new(10.0, Schedule::list(vec![1.0])?).into();
    println!(
        "\n{:<18}{:>12}{:>14}{:>18}{:>20}",
        "Lorenz, lambda 1",
        "evaluations",
        "gradient, ms",
        "ns an evaluation",
        "H v, ms (8 at once)"
    );
    for nodes in [&[3, 50, 50, 3][..], &[3, 256, 256, 3]] {
        let model = blackbox(nodes, Unary::Gelu, &mut Generator::manual_seed(10))?;
        let solver = SolveOptions::default();
        let mut objective =
            Objective::new(&model, &data, &method, &solver, engine("native", "cpu")?)?;
        let params = objective.initial();
        let evaluations = objective
            .evaluate(&params, 1.0, true, None)?
            .stats
            .evaluations;
        let gradient = least(|| objective.evaluate(&params, 1.0, true, None).map(drop))?;
        let options = LossOptions::default().method(method.clone());
        let hessian = Hessian::new(&model, &data, &options)?;
        let vectors = vec![vec![1.0; params.len()]; 8];
        let product = least(|| hessian.apply_many(&vectors).map(drop))? / 8.0;
        println!(
            "{:<18}{evaluations:>12}{:>14.3}{:>18.0}{:>20.3}",
            format!("{nodes:?}").replace(", ", "-"),
            1e3 * gradient,
            1e9 * gradient / evaluations as f64,
            1e3 * product
        );
    }
    Ok(())
}

/// Least wall time, s, of at least 5 calls and 2 s.
fn least(mut call: impl FnMut() -> odesync::Result<()>) -> Result<f64, Failure> {
    let (begin, mut least, mut calls) = (Instant::now(), f64::INFINITY, 0);
    while calls < 5 || begin.elapsed() < Duration::from_secs(2) {
        let start = Instant::now();
        call()?;
        least = least.min(start.elapsed().as_secs_f64());
        calls += 1;
    }
    Ok(least)
}

/// Median wall time, s, of at least 5 calls and 2 s.
fn median(mut call: impl FnMut() -> odesync::Result<()>) -> Result<f64, Failure> {
    let (begin, mut times) = (Instant::now(), vec![]);
    while times.len() < 5 || (begin.elapsed() < Duration::from_secs(2) && times.len() < 2000) {
        let start = Instant::now();
        call()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// The same work by torchdiffeq, in a process of its own that runs one thread.
fn torchdiffeq(
    python: &str,
    t: &[f64],
    u0: &[f64],
    u: &[f64],
    params: &[f64],
) -> Result<(String, f64, f64, f64), Failure> {
    let input = serde_json::json!({ "t": t, "u0": u0, "u": u, "params": params, "hidden": 32, "coupling": 6.0 });
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), input.to_string())?;
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/benches/peers/torchdiffeq_loss.py"
    );
    let output = Command::new(python).arg(script).arg(file.path()).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let result: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let number = |key: &str| {
        result[key]
            .as_f64()
            .ok_or("the peer's answer is not complete")
    };
    Ok((
        "torchdiffeq".into(),
        number("loss")?,
        number("norm")?,
        number("seconds")?,
    ))
}
