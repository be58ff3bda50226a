//! Example of a user-defined field: an epidemic model with a seasonal input, and the sensitivity of its peak.
//!
//!     cargo run --release -p odesync-ode --example own_field

use ndarray::{Array1, Array2};
use odesync_ode::Result;
use odesync_ode::field::{InputSignal, driven_system};
use odesync_ode::odesolve::{SolveOptions, Tangent, jvp, solve};

fn main() -> Result<()> {
    // An input signal is a function of time given by samples; steps of the solver end exactly at its knots.
    let days = Array1::linspace(0.0, 120.0, 25);
    let season = days.mapv(|t| 1.0 + 0.3 * (std::f64::consts::TAU * t / 365.0).cos());
    let season = Array2::from_shape_fn((days.len(), 1), |(i, _)| season[i]);
    let season = InputSignal::linear(&days.to_vec(), season.view())?;

    let names = ["contacts", "recovery"];
    let params = [("contacts", 0.25), ("recovery", 0.1)];
    let epidemic = driven_system(3, &params, &[("season", season)], |_t, u, p| {
        let (well, ill) = (u.at(0), u.at(1));
        let caught = p.get("season") * p.get("contacts") * &well * &ill;
        let healed = p.get("recovery") * &ill;
        vec![-&caught, &caught - &healed, healed]
    })?
    .trainable(&names)?;
    println!("{}\n", epidemic.show());

    let u0 = [0.999, 0.001, 0.0];
    let t = Array1::linspace(0.0, 120.0, 121).to_vec();
    // One tangent for each parameter, and one for the initial state: one more case and one healthy person less.
    let mut tangents: Vec<Tangent> = (0..2)
        .map(|i| Tangent {
            params: (0..2).map(|j| if i == j { 1.0 } else { 0.0 }).collect(),
            ..Tangent::default()
        })
        .collect();
    tangents.push(Tangent {
        u0: vec![-1.0, 1.0, 0.0],
        ..Tangent::default()
    });
    let options = SolveOptions::default();
    let (solution, along) = jvp(&epidemic, &u0, &t, &options, &tangents)?;

    let ill = solution.u.column(1);
    for day in (0..=120).step_by(10) {
        let bar = "█".repeat((150.0 * ill[day]) as usize);
        println!("day {day:>3} {:>5.1} % {bar}", 100.0 * ill[day]);
    }
    let peak = (0..t.len()).fold(0, |best, i| if ill[i] > ill[best] { i } else { best });
    println!("\npeak on day {peak}: {:.2} % ill", 100.0 * ill[peak]);

    println!("\n0.1 % more of it changes those who are ill that day");
    let x = [epidemic.params(), vec![u0[1]]].concat();
    for (i, name) in names.into_iter().chain(["first cases"]).enumerate() {
        let by = 0.001 * x[i];
        let tangent = 100.0 * by * along[i][[peak, 1]];
        // For comparison, the difference to a second solve.
        let mut perturbed = x.clone();
        perturbed[i] += by;
        let other = epidemic.with_params(&perturbed[..2])?;
        let u = solve(
            &other,
            &[1.0 - perturbed[2], perturbed[2], 0.0],
            &t,
            &options,
        )?
        .u;
        let solved = 100.0 * (u[[peak, 1]] - ill[peak]);
        println!("{name:>12}: by {tangent:+.5} % by its tangent, {solved:+.5} % solved again");
    }
    Ok(())
}
