//! Example of plain closures as right-hand sides: an explicit solve, a stiff one with and without its Jacobian, and an
//! integrator that is advanced one step at a time until the program has seen enough.
//!
//!     cargo run --release -p odesync-ode --example closure

use std::cell::Cell;

use odesync_ode::Result;
use odesync_ode::odesolve::{FnRhs, Integrator, SolveOptions, solve_fn, solve_rhs};

fn main() -> Result<()> {
    // Two bodies: the second moves on an ellipse around the first, which is held.
    let kepler = |_t: f64, u: &[f64], du: &mut [f64]| {
        let r3 = u[0].hypot(u[1]).powi(3);
        du.copy_from_slice(&[u[2], u[3], -u[0] / r3, -u[1] / r3]);
    };
    let (u0, period) = ([0.5, 0.0, 0.0, 3f64.sqrt()], std::f64::consts::TAU);
    let options = SolveOptions::default()
        .solver("vern7")?
        .tolerances(1e-10, 1e-12);
    let solution = solve_fn(kepler, &u0, &[0.0, period], &options)?;
    let miss = (solution.u[[1, 0]] - u0[0]).hypot(solution.u[[1, 1]] - u0[1]);
    println!("after one period the body is {miss:.1e} from its start");

    // Implicit solvers take the Jacobian by central differences, or as it is given.
    let evaluations = Cell::new(0);
    let stiff = |t: f64, u: &[f64], du: &mut [f64]| {
        evaluations.set(evaluations.get() + 1);
        du[0] = 1e4 * (t.cos() - u[0]);
    };
    let radau = SolveOptions::default().solver("radau")?;
    for given in [false, true] {
        let mut rhs = FnRhs::new(1, stiff);
        if given {
            rhs = rhs.jacobian(|t, _u, df_du, df_dt| {
                df_du[0] = -1e4;
                df_dt[0] = -1e4 * t.sin();
            });
        }
        evaluations.set(0);
        let solution = solve_rhs(&rhs, &[1.0], &[0.0, 2.0], &radau)?;
        println!(
            "stiff, Jacobian {}: u(2) = {:.6}, {} calls of the closure",
            if given { "given" } else { "by differences" },
            solution.u[[1, 0]],
            evaluations.get()
        );
    }

    // Step by step: the steps are the solver's own, and the program decides when to stop.
    let times = [0.0, 100.0 * period];
    let mut integrator = Integrator::new(FnRhs::new(4, kepler), &u0, &times, &options)?;
    let mut closest = f64::INFINITY;
    while let Some(step) = integrator.step()? {
        closest = closest.min(integrator.state()[0].hypot(integrator.state()[1]));
        if step.end > 3.0 * period {
            break;
        }
    }
    println!(
        "closest of {} steps up to t = {:.2}: {closest:.4}",
        integrator.stats().steps,
        integrator.t()
    );
    Ok(())
}
