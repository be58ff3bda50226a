//! Example of solves: the cost of methods on the Lorenz system, dense output, and how fast two neighbouring solutions
//! diverge.
//!
//!     cargo run --release -p odesync-ode --example lorenz

use ndarray::Array1;
use odesync_ode::Result;
use odesync_ode::dynamics::lorenz;
use odesync_ode::odesolve::{SolveOptions, solve};

fn main() -> Result<()> {
    let field = lorenz()?;
    println!("{}\n", field.show());

    // Output times do not affect the steps: between steps the solution is evaluated from the dense output, at little or no
    // cost.
    let t = Array1::linspace(0.0, 10.0, 1001).to_vec();
    let u0 = [1.0, 1.0, 1.0];
    let reference = SolveOptions::default()
        .solver("vern7")?
        .tolerances(1e-13, 1e-13);
    let best = solve(&field, &u0, &t, &reference)?.u;
    println!("to t = 10 at rtol 1e-9, atol 1e-11, {} times", t.len());
    println!(
        "{:>8} {:>6} {:>9} {:>12} {:>10}",
        "method", "steps", "rejected", "evaluations", "error"
    );
    for name in ["bosh3", "dopri5", "tsit5", "vern7", "dopri8"] {
        let options = SolveOptions::default()
            .solver(name)?
            .tolerances(1e-9, 1e-11);
        let solution = solve(&field, &u0, &t, &options)?;
        let error = (&solution.u - &best).fold(0.0_f64, |most, x| most.max(x.abs()));
        let stats = solution.stats;
        println!(
            "{name:>8} {:>6} {:>9} {:>12} {error:>10.1e}",
            stats.steps, stats.rejected, stats.evaluations
        );
    }

    println!("\ntwo solutions that begin 1e-9 apart");
    let t = Array1::linspace(0.0, 30.0, 11).to_vec();
    let options = SolveOptions::default()
        .solver("vern7")?
        .tolerances(1e-12, 1e-12);
    let one = solve(&field, &u0, &t, &options)?.u;
    let other = solve(&field, &[1.0 + 1e-9, 1.0, 1.0], &t, &options)?.u;
    for ((t, one), other) in t.iter().zip(one.rows()).zip(other.rows()) {
        let apart = (&one - &other).mapv(|x| x * x).sum().sqrt();
        let bar = "█".repeat((4.0 * (apart.log10() + 10.0)).max(0.0) as usize);
        println!("{t:>5} {apart:>8.1e} {bar}");
    }
    Ok(())
}
