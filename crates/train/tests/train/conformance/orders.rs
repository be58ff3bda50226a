//! Observed orders of convergence, at the ends of steps and inside them.

use super::problems::{Known, distance, known, of_plain_order, replayed, with};
use odesync_ode::odesolve::{
    OutputPosition, RecordedSteps, SolveOptions, Solver, Step, solve, solvers,
};

/// Returns the order observed when steps are halved repeatedly, at the last halving before rounding errors dominate.
fn observed(first: usize, mut error: impl FnMut(usize) -> f64) -> f64 {
    let mut order = f64::NAN;
    let (mut n, mut coarse) = (first, error(first));
    while n < 4_000 {
        n *= 2;
        let fine = error(n);
        if fine < 2e-12 {
            break;
        }
        if coarse < 1e-2 {
            order = (coarse / fine).log2();
        }
        coarse = fine;
    }
    order
}

#[test]
fn the_order_is_the_stated_one() {
    for method in solvers::ALL.iter().filter(|m| m.supports_fixed_steps()) {
        for Known {
            name,
            field,
            span: (start, end),
            exact,
        } in of_plain_order()
        {
            // Several times, because leading error terms may cancel at a single one.
            let t: Vec<f64> = (0..=6)
                .map(|i| start + (end - start) * f64::from(i) / 6.0)
                .collect();
            let want: Vec<f64> = t.iter().flat_map(|t| exact(*t)).collect();
            let largest = want.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            let order = observed(1, |n| {
                let options = SolveOptions {
                    max_steps: 1_000_000,
                    ..with(method).substeps(n)
                };
                let got = solve(&field, &exact(start), &t, &options).unwrap();
                assert_eq!(got.stats.steps, 6 * n);
                distance(got.u.as_slice().unwrap(), &want) / largest
            });
            println!("{} on {name}: order {order:.2}", method.name);
            assert!(
                (order - method.order as f64).abs() < 0.2,
                "{} on {name}: {order}",
                method.name
            );
        }
    }
}

/// Returns the error at four output times inside each of `n` equal steps.
fn inside(method: &Solver, known: &Known, n: usize) -> f64 {
    let (start, end) = known.span;
    let at = |i: usize| start + (end - start) * i as f64 / n as f64;
    let mut recorded = RecordedSteps {
        steps: (0..n)
            .map(|i| Step {
                t: at(i),
                end: at(i + 1),
            })
            .collect(),
        outputs: vec![OutputPosition::Start],
        ..RecordedSteps::default()
    };
    let mut t = vec![start];
    for i in 0..n {
        for theta in [0.15, 0.4, 0.65, 0.9] {
            recorded.outputs.push(OutputPosition::Inside(i, theta));
            t.push(at(i) + theta * (at(1) - start));
        }
    }
    let got = replayed(
        &known.field,
        &(known.exact)(start),
        &t,
        &with(method),
        recorded,
    );
    let want: Vec<f64> = t.iter().flat_map(|t| (known.exact)(*t)).collect();
    distance(&got, &want)
}

#[test]
fn dense_output_has_the_order_of_the_method() {
    for method in solvers::ALL
        .iter()
        .filter(|m| m.has_dense_output() && m.supports_fixed_steps())
    {
        for (known, first) in known().into_iter().zip([4, 4, 160]) {
            let first = if method.order > 5 {
                first.min(20)
            } else {
                first
            };
            let order = observed(first, |n| inside(method, &known, n));
            println!(
                "{} inside steps, {}: order {order:.2}",
                method.name, known.name
            );
            // A stiff component reduces the order a little, as at the ends of the steps.
            let reduction = if known.name == "Kaps" { 0.3 } else { 0.2 };
            assert!(
                order > method.order as f64 - reduction,
                "{} on {}: {order}",
                method.name,
                known.name
            );
        }
    }
}
