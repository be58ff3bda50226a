//! Comparison with torchdiffeq, diffrax, SciPy and diffsol for the same work: the same inputs, the same tolerances, one thread. The
//! results are compared before any time is printed; then a table follows.
//!
//! ```sh
//! make bench-peers      # a virtual environment with the peers, then this
//! PEER_PYTHON=.venv-peers/bin/python cargo bench --bench peers
//! ```
//!
//! A time is the minimum of many calls, in turns of half a second of all contenders for the same work; it never includes
//! compilation.

mod batches;
#[path = "../cases.rs"]
mod cases;
mod contender;
#[path = "../least.rs"]
mod least;
#[path = "../many_solves.rs"]
mod many_solves;

use cases::{Case, Failure, golden, numbers};
use contender::{Contender, Own, Peer, race};
use many_solves::ManySolves;
use odesync::datasets::{Dataset, RelativeTo};
use odesync::field::{Isa, VectorField};
use odesync::odesolve::{BatchSolve, SolveOptions, solve};
use serde_json::json;

/// Row of the table.
struct Row {
    work: String,
    by: String,
    seconds: f64,
    /// Time of the first row of the same work, s.
    baseline: f64,
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
    table.extend(batches::batches(python.as_deref())?);
    for work in Solve::ALL {
        table.extend(work.rows(python.as_deref())?);
    }
    table.extend(many_solves(python.as_deref())?);
    let threads = threads()?;
    println!("\nAt instruction set {}:\n", Isa::current().name());
    println!("| work | by | ms | times odesync's |\n|---|---|---|---|");
    for Row {
        work,
        by,
        seconds,
        baseline,
    } in table
    {
        let ms = 1e3 * seconds;
        println!("| {work} | {by} | {ms:.3} | {:.1} |", seconds / baseline);
    }
    println!("\n{threads}");
    Ok(())
}

/// Returns the rows of the contenders for the same work, with times relative to the first.
fn rows(
    work: &str,
    by: Vec<String>,
    all: &mut [Box<dyn Contender + '_>],
) -> Result<Vec<Row>, Failure> {
    let times = race(all)?;
    let baseline = times.first().copied().unwrap_or(f64::NAN);
    let row = |(by, &seconds)| Row {
        work: work.into(),
        by,
        seconds,
        baseline,
    };
    Ok(by.into_iter().zip(&times).map(row).collect())
}

/// The result that all contenders for the same work have to have.
#[derive(Default)]
struct Check(Option<(f64, Vec<f64>)>);

impl Check {
    /// Compares a loss and its gradient with the first ones, and prints what came out.
    fn result(
        &mut self,
        work: &str,
        by: &str,
        loss: f64,
        gradient: Vec<f64>,
    ) -> Result<(), Failure> {
        let (l, g) = self.0.get_or_insert_with(|| (loss, gradient.clone()));
        let off = distance(&gradient, g) / distance(g, &vec![0.0; g.len()]);
        let message = format!("{work}, {by}: loss {loss:.12}, its gradient differs by {off:.1e}");
        println!("{message}");
        // Bounds from the tolerances; a peer does not step onto the knots of the spline.
        if (loss / *l - 1.0).abs() > 1e-5 || off > 1e-4 {
            return Err(format!("{message}: that is another result").into());
        }
        Ok(())
    }
}

/// Compares loss and gradient at λ = 1.
fn gradients(case: &Case, python: Option<&str>) -> Result<Vec<Row>, Failure> {
    let (work, mut check) = (case.name(), Check::default());
    let (mut by, mut all): (Vec<String>, Vec<Box<dyn Contender>>) = (vec![], vec![]);
    let engines: &[&str] = if cfg!(feature = "torch") {
        &["native", "torch"]
    } else {
        &["native"]
    };
    for name in engines {
        let mut objective = case.objective(name, &case.data)?;
        let params = objective.initial_params();
        let loss = objective.evaluate(&params, 1.0, true, None)?;
        by.push(format!("odesync, {name} engine"));
        check.result(&work, &by[by.len() - 1], loss.loss, loss.gradient.to_vec())?;
        all.push(Box::new(Own(move || {
            Ok(objective.evaluate(&params, 1.0, true, None).map(drop)?)
        })));
    }
    if let Some(python) = python {
        let values = |x: &mut dyn Iterator<Item = &f64>| x.copied().collect::<Vec<_>>();
        let input = json!({
            "t": values(&mut case.data.t().iter()), "u": values(&mut case.data.u().iter()),
            "u0": values(&mut case.data.u0().iter()), "nodes": case.nodes,
            "params": case.model.params(), "coupling": case.coupling, "rtol": 1e-7, "atol": 1e-9,
        });
        for (name, script) in [
            ("diffrax", "diffrax_loss.py"),
            ("torchdiffeq", "torchdiffeq_loss.py"),
        ] {
            let peer = Peer::start(python, script, &input)?;
            let gradient = numbers(&peer.result["gradient"]);
            check.result(&work, name, peer.number("loss")?, gradient)?;
            by.push(name.into());
            all.push(Box::new(peer));
        }
    }
    rows(&format!("loss and gradient, {}", case.name()), by, &mut all)
}

/// A solve of a small system, by a method of this library and by the same method of a peer.
struct Solve {
    system: &'static str,
    method: &'static str,
    rtol: f64,
    atol: f64,
    peer: &'static str,
    script: &'static str,
}

impl Solve {
    const ALL: [Solve; 5] = [
        Solve::stiff("van_der_pol", "radau", "SciPy Radau", "scipy_radau.py"),
        Solve::stiff("robertson", "radau", "SciPy Radau", "scipy_radau.py"),
        Solve::stiff("van_der_pol", "bdf", "diffsol", "diffsol_solve.py"),
        Solve::stiff("robertson", "bdf", "diffsol", "diffsol_solve.py"),
        Solve {
            rtol: 1e-8,
            atol: 1e-8,
            ..Solve::stiff("lorenz", "tsit5", "diffsol", "diffsol_solve.py")
        },
    ];

    const fn stiff(
        system: &'static str,
        method: &'static str,
        peer: &'static str,
        script: &'static str,
    ) -> Solve {
        Solve {
            system,
            method,
            rtol: 1e-7,
            atol: 1e-9,
            peer,
            script,
        }
    }

    /// Returns the system, its output times, its initial state and a reference solution there, `[time, dof]`.
    fn problem(&self) -> Result<(VectorField, [Vec<f64>; 3]), Failure> {
        let field = match self.system {
            "van_der_pol" => odesync::dynamics::van_der_pol()?.with_param("mu", &[1000.0])?,
            "robertson" => odesync::dynamics::robertson()?,
            _ => {
                let (field, u0) = (odesync::dynamics::lorenz()?, vec![1.0; 3]);
                let t: Vec<f64> = (0..=20).map(f64::from).collect();
                let options = SolveOptions::default().solver("dopri8")?;
                let options = options.tolerances(1e-13, 1e-13);
                let u = solve(&field, &u0, &t, &options)?.u;
                return Ok((field, [t, u0, u.iter().copied().collect()]));
            }
        };
        let all = golden("trajectories")?;
        let case = &all[self.system];
        Ok((field, ["t", "u0", "u"].map(|key| numbers(&case[key]))))
    }

    /// Returns the rows of this library and of the peer, with their errors against the reference.
    fn rows(&self, python: Option<&str>) -> Result<Vec<Row>, Failure> {
        let Solve { system, method, .. } = self;
        let (field, [t, u0, u]) = self.problem()?;
        let (mut rtol, atol) = (self.rtol, self.atol);
        let input = json!({
            "system": system, "method": method, "t": t, "u0": u0, "u": u, "rtol": rtol, "atol": atol,
        });
        let peer = python
            .map(|python| Peer::start(python, self.script, &input))
            .transpose()?;
        let theirs = peer.as_ref().map(|peer| peer.number("error")).transpose()?;
        // The same tolerances, or tighter ones with which the error is no larger than the peer's.
        let (options, error) = loop {
            let options = SolveOptions::default().solver(method)?;
            let options = options.tolerances(rtol, atol * rtol / self.rtol);
            let solution = solve(&field, &u0, &t, &options)?;
            let got: Vec<f64> = solution.u.iter().copied().collect();
            let error = relative_error(&got, &u, u0.len());
            println!("{system}, odesync's {method} at rtol {rtol:.1e}: error {error:.3e}");
            if theirs.is_none_or(|theirs| error <= theirs) {
                break (options, error);
            }
            rtol *= 0.8;
        };
        let mut by = vec![format!("odesync, rtol {rtol:.1e}, error {error:.2e}")];
        let ours = || Ok(solve(&field, &u0, &t, &options).map(drop)?);
        let mut all: Vec<Box<dyn Contender>> = vec![Box::new(Own(ours))];
        if let (Some(peer), Some(error)) = (peer, theirs) {
            let Solve {
                peer: name, rtol, ..
            } = self;
            println!("{system}, {name} at rtol {rtol:.1e}: error {error:.3e}");
            by.push(format!("{name}, rtol {rtol:.1e}, error {error:.2e}"));
            all.push(Box::new(peer));
        }
        rows(&format!("{system}, {method}"), by, &mut all)
    }
}

/// Compares 10,000 solves of Lorenz' system, each with its own initial state and ρ, with `vmap` of diffrax' Tsit5 at the same
/// tolerances.
fn many_solves(python: Option<&str>) -> Result<Vec<Row>, Failure> {
    let (many, options) = (ManySolves::new(10_000), ManySolves::options()?);
    let field = odesync::dynamics::lorenz()?;
    let batch = BatchSolve::new(&field, many.u0.view())?.with_param("rho", &many.rho)?;
    let ends = |options: &SolveOptions| -> Result<Vec<f64>, Failure> {
        let solved = batch.solve(&ManySolves::TIMES, options)?;
        Ok(solved
            .u
            .slice(ndarray::s![.., 1, ..])
            .iter()
            .copied()
            .collect())
    };
    let truth = ends(&options.clone().tolerances(1e-12, 1e-12))?;
    let error = |ends: &[f64]| distance(ends, &truth) / distance(&truth, &vec![0.0; truth.len()]);
    let own_error = error(&ends(&options)?);
    let mut by = vec![format!("odesync, error {own_error:.1e}")];
    let ours = || Ok(batch.solve(&ManySolves::TIMES, &options).map(drop)?);
    let mut all: Vec<Box<dyn Contender>> = vec![Box::new(Own(ours))];
    if let Some(python) = python {
        let u0: Vec<f64> = many.u0.iter().copied().collect();
        let input = json!({
            "u0": u0, "rho": many.rho, "t_end": ManySolves::TIMES[1], "rtol": 1e-6, "atol": 1e-6,
        });
        let peer = Peer::start(python, "diffrax_solves.py", &input)?;
        let error = error(&numbers(&peer.result["ends"]));
        println!("10,000 solves: error {own_error:.2e}, diffrax {error:.2e}");
        if own_error > 2.0 * error || error > 0.1 {
            return Err("the 10,000 solves are not of the same precision".into());
        }
        by.push(format!("diffrax, vmap, error {error:.1e}"));
        all.push(Box::new(peer));
    }
    rows("10,000 solves of Lorenz' system, tsit5", by, &mut all)
}

/// Compares eight samples on one thread and on two.
fn threads() -> Result<String, Failure> {
    let case = Case::reference("lv_blackbox", None)?;
    let samples: Vec<Dataset> = (0..8)
        .map(|seed| case.data.add_noise_seeded(0.01, RelativeTo::Nothing, seed))
        .collect::<Result<_, _>>()?;
    let data = Dataset::join(&samples)?;
    let mut all: Vec<Box<dyn Contender>> = vec![];
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        let mut objective = case.objective("native", &data)?;
        let params = objective.initial_params();
        all.push(Box::new(Own(move || {
            Ok(pool.install(|| objective.evaluate(&params, 1.0, true, None).map(drop))?)
        })));
    }
    let times = race(&mut all)?;
    Ok(format!(
        "Loss and gradient of eight samples: one thread {:.3} ms, two threads {:.3} ms, {:.2} times faster.",
        1e3 * times[0],
        1e3 * times[1],
        times[0] / times[1]
    ))
}

/// Returns the largest error of a component relative to its largest value, over all components.
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
