//! Example of stiff solves: Robertson's chemical kinetics, the classic stiff problem, with rates from 0.04 to 3e7, over a
//! hundred thousand seconds.
//!
//!     cargo run --release -p odesync-ode --example stiff

use odesync_ode::Result;
use odesync_ode::dynamics::robertson;
use odesync_ode::odesolve::{SolveOptions, solve};

fn main() -> Result<()> {
    let field = robertson()?;
    println!("{}\n", field.show());
    let u0 = [1.0, 0.0, 0.0];

    let t: Vec<f64> = std::iter::once(0.0)
        .chain((-4..=5).map(|k| 10f64.powi(k)))
        .collect();
    let options = SolveOptions::default()
        .solver("radau")?
        .tolerances(1e-8, 1e-12);
    let solution = solve(&field, &u0, &t, &options)?;
    println!("{:>8} {:>12} {:>12} {:>12}", "t", "A", "B", "C");
    for (t, u) in t.iter().zip(solution.u.rows()) {
        println!("{t:>8.0e} {:>12.4e} {:>12.4e} {:>12.4e}", u[0], u[1], u[2]);
    }

    println!("\nto t = 1e5 at rtol 1e-6, atol 1e-10; Jacobians are exact, nothing is differenced");
    println!(
        "{:>9} {:>7} {:>12} {:>10} {:>15} {:>10}",
        "method", "steps", "evaluations", "Jacobians", "factorisations", "A + B + C"
    );
    for name in ["radau", "kvaerno5", "rodas5p", "bdf", "auto"] {
        cost(name, 1e5)?;
    }
    println!("an explicit method, to t = 40 alone:");
    cost("dopri5", 40.0)
}

/// Solves Robertson's problem up to `end`, and prints the cost.
fn cost(name: &str, end: f64) -> Result<()> {
    let options = SolveOptions::default()
        .solver(name)?
        .tolerances(1e-6, 1e-10);
    let solution = solve(&robertson()?, &[1.0, 0.0, 0.0], &[0.0, end], &options)?;
    let (stats, all) = (solution.stats, solution.u.row(1).sum());
    println!(
        "{name:>9} {:>7} {:>12} {:>10} {:>15} {all:>10.7}",
        stats.steps, stats.evaluations, stats.jacobians, stats.factorizations
    );
    Ok(())
}
