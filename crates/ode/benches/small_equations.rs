//! Times of small systems of equations alone: an evaluation of the field, of its tape, its Jacobian and its vector-Jacobian product,
//! and whole solves, least of many calls on one thread.
//!
//! ```sh
//! cargo bench --no-default-features -p odesync-ode --bench small_equations              # everything
//! cargo bench --no-default-features -p odesync-ode --bench small_equations -- robertson   # solves with this in their name
//! ```

use std::hint::black_box;
use std::time::{Duration, Instant};

use odesync_ode::dynamics;
use odesync_ode::field::native::Evaluator;
use odesync_ode::field::{Isa, VectorField, system};
use odesync_ode::odesolve::{NativeEngine, SolveOptions, solve_on};

fn main() -> odesync_ode::Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.map_err(|e| odesync_ode::Error::invalid(e.to_string()))?;
    pool.install(measure)
}

/// Calls that are timed together, since one takes less than a clock resolves.
const MANY: usize = 1000;

fn measure() -> odesync_ode::Result<()> {
    println!("instruction set: {}", Isa::current().name());
    let lorenz = dynamics::lorenz()?;
    let robertson = dynamics::robertson()?;
    let van_der_pol = dynamics::van_der_pol()?.with_param("mu", &[1000.0])?;
    let chosen = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    if chosen.is_none() {
        all_evaluations(&lorenz, &robertson, &van_der_pol)?;
    }
    println!(
        "\n{:<28}{:>10}{:>8}{:>8}{:>14}",
        "solve", "ms", "steps", "evals", "ns each"
    );
    let every =
        |end: f64, n: usize| -> Vec<f64> { (0..=n).map(|i| end * i as f64 / n as f64).collect() };
    let row = |name: &str, field: &VectorField, u0: &[f64], t: &[f64], options: &SolveOptions| {
        if chosen.as_ref().is_some_and(|chosen| !name.contains(chosen)) {
            return Ok(());
        }
        let mut engine = NativeEngine::default();
        let stats = solve_on(&mut engine, field, u0, t, options)?.stats;
        let seconds = least(20, || {
            solve_on(&mut engine, field, u0, t, options).map(drop)
        })?;
        println!(
            "{name:<28}{:>10.4}{:>8}{:>8}{:>14.1}",
            1e3 * seconds,
            stats.steps,
            stats.evaluations,
            1e9 * seconds / stats.evaluations as f64
        );
        odesync_ode::Result::Ok(())
    };
    let tsit5 = SolveOptions::default()
        .solver("tsit5")?
        .tolerances(1e-8, 1e-8);
    row(
        "lorenz, tsit5",
        &lorenz,
        &[1.0, 1.0, 1.0],
        &[0.0, 20.0],
        &tsit5,
    )?;
    row(
        "lorenz, tsit5, 201 times",
        &lorenz,
        &[1.0, 1.0, 1.0],
        &every(20.0, 200),
        &tsit5,
    )?;
    let dopri5 = SolveOptions::default();
    row(
        "lorenz, dopri5",
        &lorenz,
        &[1.0, 1.0, 1.0],
        &[0.0, 20.0],
        &dopri5,
    )?;
    let bdf = SolveOptions::default().solver("bdf")?;
    row(
        "robertson, bdf",
        &robertson,
        &[1.0, 0.0, 0.0],
        &[0.0, 500.0],
        &bdf,
    )?;
    row(
        "van_der_pol, bdf",
        &van_der_pol,
        &[2.0, 0.0],
        &[0.0, 3000.0],
        &bdf,
    )?;
    let radau = SolveOptions::default().solver("radau")?;
    row(
        "van_der_pol, radau",
        &van_der_pol,
        &[2.0, 0.0],
        &[0.0, 3000.0],
        &radau,
    )
}

/// Prints the times of evaluations, and of compiling.
fn all_evaluations(
    lorenz: &VectorField,
    robertson: &VectorField,
    van_der_pol: &VectorField,
) -> odesync_ode::Result<()> {
    println!(
        "\n{:<14}{:>12}{:>12}{:>12}{:>12}",
        "ns", "value", "with tape", "Jacobian", "VJP"
    );
    for (name, field, u) in [
        ("lorenz", lorenz, &[1.0, 2.0, 20.0][..]),
        ("robertson", robertson, &[0.9, 2e-5, 0.1]),
        ("van_der_pol", van_der_pol, &[1.5, 0.3]),
    ] {
        evaluations(name, field, u);
    }
    let compiled = least(20, || chain(100).map(drop))?;
    let (field, mut start) = (chain(100)?, Instant::now());
    let evaluator = Evaluator::new(&field);
    println!(
        "\nA field of 100 operations: {:.0} µs to build, {:.0} µs to compile and bind, {} numbers in a slot",
        1e6 * compiled,
        1e6 * std::mem::replace(&mut start, Instant::now())
            .elapsed()
            .as_secs_f64(),
        evaluator.slot_len(),
    );
    Ok(())
}

/// Prints the times of one evaluation and of its derivatives.
fn evaluations(name: &str, field: &VectorField, u: &[f64]) {
    let evaluator = Evaluator::new(field);
    let dof = u.len();
    let mut slot = vec![0.0; evaluator.slot_len()];
    let (mut du, mut state) = (vec![0.0; dof], u.to_vec());
    let value = each(|| {
        evaluator.eval(0, 0.5, &state, &mut slot, &mut du);
        // The next evaluation waits for this one, as a stage does.
        for (x, du) in state.iter_mut().zip(&du) {
            *x += 1e-12 * du;
        }
    });
    state.copy_from_slice(u);
    let taped = each(|| {
        evaluator.eval_taped(0, 0.5, &state, &mut slot, &mut du);
        for (x, du) in state.iter_mut().zip(&du) {
            *x += 1e-12 * du;
        }
    });
    let (mut lanes, mut scratch) = (evaluator.tangent_lanes(dof + 1), vec![]);
    let (mut df_du, mut df_dt) = (vec![0.0; dof * dof], vec![0.0; dof]);
    let jacobian = each(|| {
        evaluator.jacobian(
            (0, 0.5),
            black_box(&slot),
            &mut lanes,
            &mut scratch,
            &mut df_du,
            &mut df_dt,
        )
    });
    let (mut gradient, mut u_bar) = (evaluator.zero_gradient(), vec![0.0; dof]);
    let vjp = each(|| {
        evaluator.vjp(
            (0, 0.5),
            black_box(&slot),
            &du,
            &mut u_bar,
            None,
            &mut gradient,
        )
    });
    println!("{name:<14}{value:>12.1}{taped:>12.1}{jacobian:>12.1}{vjp:>12.1}");
}

/// Returns the time of a call, ns, least of many averages.
fn each(mut call: impl FnMut()) -> f64 {
    let many = || (0..MANY).for_each(|_| call());
    let mut many = many;
    let once = || -> Result<(), std::convert::Infallible> {
        many();
        Ok(())
    };
    match least(200, once) {
        Ok(seconds) => 1e9 * seconds / MANY as f64,
        Err(never) => match never {},
    }
}

/// Returns the least time of a call, s, of at least this many calls that take at least half a second.
fn least<E>(calls: usize, mut call: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let (begin, mut least, mut done) = (Instant::now(), f64::INFINITY, 0);
    while done < calls || begin.elapsed() < Duration::from_millis(500) {
        let start = Instant::now();
        call()?;
        least = least.min(start.elapsed().as_secs_f64());
        done += 1;
    }
    Ok(least)
}

/// Returns a field of about this many operations.
fn chain(operations: usize) -> odesync_ode::Result<VectorField> {
    system(2, &[("a", 0.3)], |_, u, p| {
        let (mut x, y) = (u.at(0), u.at(1));
        for _ in 0..operations / 4 {
            x = (&x * p.get("a") - &y) * (1.0 - &x);
        }
        vec![x.sin(), y]
    })
}
