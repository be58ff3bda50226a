//! Time, memory and accuracy of every adjoint, for the Lotka-Volterra black box (2-32-2, GELU), coupled to data with λ = 1 and
//! uncoupled; rtol 1e-7, atol 1e-9, one thread.
//!
//!     cargo bench --no-default-features --bench gradients

mod least;

use std::time::Duration;

use least::least;
use ndarray::Array1;
use odesync::datasets::{Dataset, RelativeTo};
use odesync::engines::engine;
use odesync::field::{Isa, Unary};
use odesync::models::blackbox;
use odesync::odesolve::{Adjoint, SolveOptions};
use odesync::options::Named;
use odesync::random::Generator;
use odesync::schedules::Schedule;
use odesync::training::{Homotopy, Objective, TrainingMethod};
use odesync_testing::peak_allocator::PeakAllocator;

#[global_allocator]
static ALLOCATOR: PeakAllocator = PeakAllocator::new();

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()?;
    println!("instruction set: {}", Isa::current().name());
    let coupled: TrainingMethod = Homotopy::new(6.0, Schedule::list(vec![1.0])?).into();
    let default = SolveOptions::default;
    table("lambda 1, 61 times", 61, &coupled, 1.0, &default())?;
    table(
        "free, 61 times",
        61,
        &TrainingMethod::Vanilla,
        0.0,
        &default(),
    )?;
    let many = SolveOptions {
        max_steps: 1_000_000,
        ..default().max_step(6e-5)
    };
    table(
        "free, 100000 steps",
        61,
        &TrainingMethod::Vanilla,
        0.0,
        &many,
    )
}

fn table(
    what: &str,
    times: i32,
    method: &TrainingMethod,
    lambda: f64,
    solver: &SolveOptions,
) -> Result<(), Failure> {
    let system = odesync::dynamics::lotka_volterra()?;
    let t: Vec<f64> = (0..times).map(|i| f64::from(i) * 0.1).collect();
    let u0 = vec![0.442_492_96, 4.628_059_4];
    let clean = odesync::odesolve::solve(&system, &u0, &t, &SolveOptions::default())?.u;
    let data = Dataset::single(Array1::from(t), clean, Some(Array1::from(u0)))?;
    let data = data.add_noise_seeded(0.05, RelativeTo::Mean, 10)?;
    let model = blackbox(&[2, 32, 2], Unary::Gelu, &mut Generator::manual_seed(10))?;
    println!(
        "\n{:<22}{:>8}{:>10}{:>8}{:>12}{:>14}",
        what, "steps", "ms", "ratio", "KiB", "difference"
    );
    let (mut first, mut want) = (0.0, vec![]);
    for choice in Adjoint::ALL {
        let solver = solver.clone().adjoint(choice);
        let make = || Objective::new(&model, &data, method, &solver, engine("native", "cpu")?);
        // The first gradient, including all allocations that later ones reuse.
        let (bytes, made) = ALLOCATOR.peak_of(|| -> odesync::Result<_> {
            let mut objective = make()?;
            let params = objective.initial_params();
            let loss = objective.evaluate(&params, lambda, true, None)?;
            Ok((objective, params, loss))
        });
        let (mut objective, params, loss) = made?;
        let seconds = least(5, Duration::from_secs(2), || {
            objective.evaluate(&params, lambda, true, None).map(drop)
        })?;
        if choice == Adjoint::Backprop {
            (first, want) = (seconds, loss.gradient.clone());
        }
        println!(
            "{:<22}{:>8}{:>10.3}{:>8.2}{:>12.0}{:>14.1e}",
            choice.to_name(),
            loss.stats.steps,
            1e3 * seconds,
            seconds / first,
            bytes as f64 / 1024.0,
            relative(&loss.gradient, &want)
        );
    }
    Ok(())
}

/// Returns the Euclidean norm of the difference divided by the norm of `want`.
fn relative(got: &[f64], want: &[f64]) -> f64 {
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut got.iter().zip(want).map(|(a, b)| a - b)) / norm(&mut want.iter().copied())
}
