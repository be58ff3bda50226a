//! The same work here and by torchdiffeq, diffrax and SciPy: the same inputs, the same tolerances, one thread. The results are
//! compared before any time is printed; then one table.
//!
//! ```sh
//! make bench-peers      # a virtual environment with the peers, then this
//! PEER_PYTHON=.venv-peers/bin/python cargo bench --bench peers
//! ```
//!
//! A time is the least of at least 5 calls and 2 seconds, which another program on the machine disturbs least; compilation
//! is never in it.

#[path = "../cases.rs"]
mod cases;

use std::process::Command;
use std::time::{Duration, Instant};

use cases::{Case, Failure, golden, numbers};
use odesync::datasets::{Dataset, RelativeTo};
use odesync::field::{Isa, VectorField};
use odesync::odesolve::{SolveOptions, solve};
use serde_json::{Value, json};

/// One line of the table.
struct Row {
    work: String,
    by: String,
    seconds: f64,
    /// Of the first line of the same work.
    own: f64,
}

fn main() -> Result<(), Failure> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()?;
    let python = std::env::var("PEER_PYTHON").ok();
    if python.is_none() {
        println!("PEER_PYTHON is not set: the peers are left out (make bench-peers brings them)");
    }
    let mut table = vec![];
    for case in Case::all()? {
        table.extend(gradients(&case, python.as_deref())?);
    }
    for name in ["van_der_pol", "robertson"] {
        table.extend(stiff(name, python.as_deref())?);
    }
    let threads = threads()?;
    println!("\nAt instruction set {}:\n", Isa::current().name());
    println!("| work | by | ms | times odesync's |\n|---|---|---|---|");
    for Row {
        work,
        by,
        seconds,
        own,
    } in table
    {
        let ms = 1e3 * seconds;
        println!("| {work} | {by} | {ms:.3} | {:.1} |", seconds / own);
    }
    println!("\n{threads}");
    Ok(())
}

/// Loss and gradient at λ = 1.
fn gradients(case: &Case, python: Option<&str>) -> Result<Vec<Row>, Failure> {
    let mut rows: Vec<Row> = vec![];
    let mut truth: Option<(f64, Vec<f64>)> = None;
    let mut add = |by: &str, loss: f64, gradient: Vec<f64>, seconds: f64| -> Result<(), Failure> {
        let (l, g) = truth.get_or_insert_with(|| (loss, gradient.clone()));
        let off = distance(&gradient, g) / distance(g, &vec![0.0; g.len()]);
        let message = format!(
            "{}, {by}: loss {loss:.12}, its gradient differs by {off:.1e}",
            case.name()
        );
        println!("{message}");
        // What the tolerances allow; a peer does not step onto the knots of the spline.
        if (loss / *l - 1.0).abs() > 1e-5 || off > 1e-4 {
            return Err(format!("{message}: that is another result").into());
        }
        let own = rows.first().map_or(seconds, |row| row.seconds);
        rows.push(Row {
            work: format!("loss and gradient, {}", case.name()),
            by: by.into(),
            seconds,
            own,
        });
        Ok(())
    };
    let engines: &[&str] = if cfg!(feature = "torch") {
        &["native", "torch"]
    } else {
        &["native"]
    };
    for name in engines {
        let mut objective = case.objective(name, &case.data)?;
        let params = objective.initial();
        let loss = objective.evaluate(&params, 1.0, true, None)?;
        let seconds = least(|| Ok(objective.evaluate(&params, 1.0, true, None).map(drop)?))?;
        let by = format!("odesync, {name} engine");
        add(&by, loss.loss, loss.gradient.to_vec(), seconds)?;
    }
    let Some(python) = python else {
        return Ok(rows);
    };
    let values = |x: &mut dyn Iterator<Item = &f64>| x.copied().collect::<Vec<_>>();
    let input = json!({
        "t": values(&mut case.data.t().iter()), "u": values(&mut case.data.u().iter()),
        "u0": values(&mut case.data.u0().iter()), "nodes": case.nodes,
        "params": case.model.params(), "coupling": case.coupling, "rtol": 1e-7, "atol": 1e-9,
    });
    for (by, script) in [
        ("diffrax", "diffrax_loss.py"),
        ("torchdiffeq", "torchdiffeq_loss.py"),
    ] {
        let result = peer(python, script, &input)?;
        let gradient = numbers(&result["gradient"]);
        add(
            by,
            number(&result, "loss")?,
            gradient,
            number(&result, "seconds")?,
        )?;
    }
    Ok(rows)
}

/// `radau` beside SciPy's Radau, on a reference solution.
fn stiff(name: &str, python: Option<&str>) -> Result<Vec<Row>, Failure> {
    let field: VectorField = match name {
        "van_der_pol" => odesync::dynamics::van_der_pol()?.with_param("mu", &[1000.0])?,
        _ => odesync::dynamics::robertson()?,
    };
    let all = golden("trajectories")?;
    let case = &all[name];
    let (t, u0, u) = (
        numbers(&case["t"]),
        numbers(&case["u0"]),
        numbers(&case["u"]),
    );
    let (mut rtol, atol) = (1e-7, 1e-9);
    let theirs = match python {
        Some(python) => {
            let input =
                json!({ "system": name, "t": t, "u0": u0, "u": u, "rtol": rtol, "atol": atol });
            let result = peer(python, "scipy_radau.py", &input)?;
            Some((number(&result, "error")?, number(&result, "seconds")?))
        }
        None => None,
    };
    // The same tolerances, or so much tighter ones that the error is no larger.
    let (options, error) = loop {
        let options = SolveOptions::default().method("radau")?;
        let options = options.tolerances(rtol, atol * rtol / 1e-7);
        let solution = solve(&field, &u0, &t, &options)?;
        let got: Vec<f64> = solution.u.iter().copied().collect();
        let error = relative_error(&got, &u, u0.len());
        println!("{name}, odesync at rtol {rtol:.1e}: error {error:.3e}");
        if theirs.is_none_or(|(theirs, _)| error <= theirs) {
            break (options, error);
        }
        rtol *= 0.8;
    };
    let seconds = least(|| Ok(solve(&field, &u0, &t, &options).map(drop)?))?;
    let work = format!("{name}, radau");
    let mut rows = vec![Row {
        work: work.clone(),
        by: format!("odesync, rtol {rtol:.1e}, error {error:.2e}"),
        seconds,
        own: seconds,
    }];
    if let Some((error, theirs)) = theirs {
        println!("{name}, SciPy at rtol 1.0e-7: error {error:.3e}");
        rows.push(Row {
            work,
            by: format!("SciPy Radau, rtol 1.0e-7, error {error:.2e}"),
            seconds: theirs,
            own: seconds,
        });
    }
    Ok(rows)
}

/// Eight samples on one thread and on two.
fn threads() -> Result<String, Failure> {
    let case = Case::reference("lv_blackbox", None)?;
    let samples: Vec<Dataset> = (0..8)
        .map(|seed| case.data.add_noise_seeded(0.01, RelativeTo::Nothing, seed))
        .collect::<Result<_, _>>()?;
    let data = Dataset::join(&samples)?;
    let mut times = vec![];
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        let mut objective = case.objective("native", &data)?;
        let params = objective.initial();
        times.push(
            pool.install(|| {
                least(|| Ok(objective.evaluate(&params, 1.0, true, None).map(drop)?))
            })?,
        );
    }
    Ok(format!(
        "Loss and gradient of eight samples: one thread {:.3} ms, two threads {:.3} ms, {:.2} times faster.",
        1e3 * times[0],
        1e3 * times[1],
        times[0] / times[1]
    ))
}

/// Runs a peer on a case in a process of its own.
fn peer(python: &str, script: &str, input: &Value) -> Result<Value, Failure> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), input.to_string())?;
    let script = format!("{}/benches/peers/{script}", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python).arg(script).arg(file.path()).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn number(result: &Value, key: &str) -> Result<f64, Failure> {
    Ok(result[key]
        .as_f64()
        .ok_or_else(|| format!("the peer's answer has no {key}"))?)
}

/// Largest error of a component over its largest value.
fn relative_error(got: &[f64], want: &[f64], dof: usize) -> f64 {
    let component = |i: usize| {
        let pairs = got.iter().zip(want).skip(i).step_by(dof);
        let (error, size) = pairs.fold((0.0_f64, 0.0_f64), |(error, size), (a, b)| {
            (error.max((a - b).abs()), size.max(b.abs()))
        });
        error / size
    };
    (0..dof).map(component).fold(0.0, f64::max)
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).powi(2))
        .sum::<f64>()
        .sqrt()
}

/// Least wall time, s, of at least 5 calls and 2 s.
fn least(mut call: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    let (begin, mut least, mut calls) = (Instant::now(), f64::INFINITY, 0);
    while calls < 5 || begin.elapsed() < Duration::from_secs(2) {
        let start = Instant::now();
        call()?;
        least = least.min(start.elapsed().as_secs_f64());
        calls += 1;
    }
    Ok(least)
}
