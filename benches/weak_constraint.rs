//! Time of one step of weak-constraint training, on one thread, beside the arithmetic that it needs: linearisation, filter, ridge
//! problem, evidence, smoother and a trial. Of several steps the fastest counts; the others may have tried more than once.
//!
//!     cargo bench --no-default-features --bench weak_constraint

use ndarray::Array1;
use odesync::datasets::{Dataset, RelativeTo};
use odesync::dynamics;
use odesync::field::{Isa, Unary, VectorField};
use odesync::models::blackbox;
use odesync::odesolve::{SolveOptions, solve};
use odesync::random::Generator;
use odesync::training::{TrainOptions, TrainingMethod, WeakConstraint, train};

type Failure = Box<dyn std::error::Error>;

/// A system with an initial state, observed at `n` times that are `dt` apart, and a network with `substeps` steps in an interval.
struct Case {
    name: &'static str,
    system: VectorField,
    u0: Vec<f64>,
    dt: f64,
    n: usize,
    nodes: Vec<usize>,
    substeps: usize,
    steps: usize,
}

fn main() -> Result<(), Failure> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()?;
    println!("instruction set: {}", Isa::current().name());
    let lorenz = |dt, n, substeps, steps| -> Result<Case, Failure> {
        Ok(Case {
            name: "Lorenz",
            system: dynamics::lorenz()?,
            u0: vec![1.2, 2.1, 1.7],
            dt,
            n,
            nodes: vec![3, 50, 50, 3],
            substeps,
            steps,
        })
    };
    let cases = [
        Case {
            name: "Lotka-Volterra",
            system: dynamics::lotka_volterra()?,
            u0: vec![0.44249296, 4.6280594],
            dt: 0.1,
            n: 61,
            nodes: vec![2, 32, 2],
            substeps: 2,
            steps: 20,
        },
        lorenz(0.1, 31, 5, 20)?,
        Case {
            name: "double pendulum",
            system: dynamics::double_pendulum()?,
            u0: vec![0.9, 0.3, 0.5, 0.0],
            dt: 0.02,
            n: 1000,
            nodes: vec![4, 46, 4],
            substeps: 2,
            steps: 10,
        },
        lorenz(0.02, 1000, 2, 4)?,
    ];
    cases.iter().try_for_each(report)
}

fn report(case: &Case) -> Result<(), Failure> {
    let options = SolveOptions::default();
    let t = Array1::from_iter((0..case.n).map(|i| i as f64 * case.dt));
    let u = solve(&case.system, &case.u0, &t.to_vec(), &options)?.u;
    let data = Dataset::single(t, u, None)?.add_noise_seeded(0.05, RelativeTo::Std, 10)?;
    let model = blackbox(&case.nodes, Unary::Gelu, &mut Generator::manual_seed(10))?;
    let method: TrainingMethod = WeakConstraint::default().substeps(case.substeps).into();
    let run = train(
        &model,
        &data,
        &method,
        &TrainOptions::default().epochs(case.steps),
        &mut (),
    )?;
    // The first epoch contains the start.
    let steps = run.history.iter().skip(1).map(|record| record.seconds);
    let seconds = steps.fold(f64::INFINITY, f64::min);
    println!(
        "{}, {} times, {} state variables, {} parameters: {:.2} ms, {:.1} Gflop, {:.1} Gflop/s",
        case.name,
        case.n,
        model.dof(),
        model.n_params(),
        1e3 * seconds,
        flops(case, &model) / 1e9,
        flops(case, &model) / 1e9 / seconds,
    );
    Ok(())
}

/// Returns the floating-point operations of a step.
fn flops(case: &Case, model: &VectorField) -> f64 {
    let (k, d, p) = (case.n as f64, model.dof() as f64, model.n_params() as f64);
    let n = k * d;
    // An evaluation takes 2 P, its reverse sweep 4 P; a step of rk4 has four of them.
    let evaluations = 4.0 * case.substeps as f64 * k;
    let (linearization, trial) = (evaluations * p * (2.0 + 4.0 * d), evaluations * 2.0 * p);
    let (filter, smoother) = (4.0 * k * d * d * (1.0 + p), 2.0 * k * d * p);
    // Gram matrix, Cholesky factorisations of step and evidence, inverse of the latter.
    let small = n.min(p);
    let ridge = small * small * n.max(p) + small.powi(3);
    linearization + filter + ridge + smoother + trial
}
