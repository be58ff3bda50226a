//! Growth of a gradient's memory with the number of steps, measured by a counting allocator.

use std::sync::{Mutex, PoisonError};

use odesync_base::options::Named;
use odesync_base::random::Generator;
use odesync_ode::field::{Unary, VectorField};
use odesync_ode::odesolve::{Adjoint, Engine, NativeEngine, Problem, SolveOptions};
use odesync_testing::peak_allocator::PeakAllocator;
use odesync_testing::relative_error;
use odesync_train::models::blackbox;

#[global_allocator]
static ALLOCATOR: PeakAllocator = PeakAllocator::new();

/// Returns the peak memory in bytes of a gradient over about `n` steps, and the gradient.
fn gradient(field: &VectorField, method: &str, choice: Adjoint, n: usize) -> (usize, Vec<f64>) {
    // max_step makes all steps equal; solvers without step size control have fixed steps.
    let h = 2e-4;
    let mut options = SolveOptions::default().solver(method).unwrap();
    options = match options.solver.is_adaptive() {
        true => options.tolerances(1e-3, 1e-3).max_step(h),
        false => options.step_size(h),
    };
    options.first_step = Some(h);
    options.max_steps = 2 * n;
    let options = options.adjoint(choice);
    let t = [0.0, 0.3 * h * n as f64, h * n as f64];
    let problem = Problem {
        u0: &[0.3, -0.2],
        t: &t,
        sample: 0,
    };
    ALLOCATOR.peak_of(|| {
        let mut engine = NativeEngine::default();
        let solved = engine
            .forward(field, &[problem], &options, None, true)
            .unwrap();
        let steps = solved[0].stats.steps;
        assert!(steps >= n && steps < n + n / 20 + 20, "{method}: {steps}");
        let found = engine
            .backward(&[vec![0.0, 0.0, 1.0, 0.5, -0.3, 1.0]])
            .unwrap();
        [found.values, found.u0.concat()].concat()
    })
}

/// Returns the least-squares slope of log y over log x.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let (x, y) = logs
        .iter()
        .fold((0.0, 0.0), |sum, p| (sum.0 + p.0 / n, sum.1 + p.1 / n));
    let xy: f64 = logs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let xx: f64 = logs.iter().map(|p| (p.0 - x).powi(2)).sum();
    xy / xx
}

/// Returns the slope of log memory over log steps, and the points.
fn growth(method: &str, choice: Adjoint, steps: &[usize]) -> (f64, Vec<(f64, f64)>) {
    let net = net();
    // The first solve of a process starts its threads, which keep their memory.
    gradient(&net, method, choice, 10);
    let mut points = vec![];
    for n in steps {
        let (bytes, _) = gradient(&net, method, choice, *n);
        println!("{method} {} {n}: {bytes}", choice.to_name());
        points.push((*n as f64, bytes as f64));
    }
    let slope = slope(&points);
    println!("{method} {}: {slope:.3}", choice.to_name());
    (slope, points)
}

fn net() -> VectorField {
    blackbox(&[2, 4, 2], Unary::Tanh, &mut Generator::manual_seed(2)).unwrap()
}

/// Lock that runs one test at a time, because the memory of the whole process is counted.
static TURN: Mutex<()> = Mutex::new(());

/// One solver of each kind of tape and checkpoint.
const METHODS: [&str; 7] = [
    "rk4", "dopri5", "radau", "kvaerno5", "rodas5p", "bdf", "adams4",
];

/// Returns numbers of steps, up to a quarter of a million; `ODESYNC_STEPS` is another limit, as `make long` has it.
fn steps() -> Vec<usize> {
    let most = std::env::var("ODESYNC_STEPS").map(|text| text.parse().unwrap());
    let most = most.unwrap_or(256_000);
    let steps = std::iter::successors(Some(1_000), |n| Some(4 * n));
    steps.take_while(|n| *n <= most).collect()
}

#[test]
fn memory_over_the_number_of_steps() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let net = net();
    for method in METHODS {
        let (slope, points) = growth(method, Adjoint::AdaptiveCheckpoint, &steps());
        assert!(slope <= 0.5, "{method}: {slope}");
        for pair in points.windows(2) {
            // Growth with the square root of the steps, with a tolerance because the memory may be up to a quarter above the
            // minimum.
            let (grown, root) = (pair[1].1 / pair[0].1, (pair[1].0 / pair[0].0).sqrt());
            assert!(grown <= 1.3 * root, "{method}: {grown} for {root}");
        }
    }
    let (_, points) = growth("dopri5", Adjoint::Continuous, &[1_000, 16_000]);
    assert!(points[1].1 < points[0].1 + 4096.0, "{points:?}");
    for choice in [
        Adjoint::Backprop,
        Adjoint::SingleCheckpoint,
        Adjoint::Symplectic,
    ] {
        let (linear, _) = growth("dopri5", choice, &[1_000, 8_000]);
        assert!((linear - 1.0).abs() < 0.1, "{}: {linear}", choice.to_name());
    }
    // The same solve with different adjoints, in order of decreasing memory.
    let n = 8_000;
    let backprop = gradient(&net, "dopri5", Adjoint::Backprop, n);
    let symplectic = gradient(&net, "dopri5", Adjoint::Symplectic, n);
    let adaptive = gradient(&net, "dopri5", Adjoint::AdaptiveCheckpoint, n);
    assert!(backprop.0 > 5 * symplectic.0 && symplectic.0 > 3 * adaptive.0);
    for (_, got) in [&symplectic, &adaptive] {
        let off = relative_error(got, &backprop.1);
        assert!(off < 1e-9, "{off:e}");
    }
}

/// Checks, for every kind of step method, that the number of allocations of a solve does not depend on its number of steps once
/// its engine has solved one before.
#[test]
fn nothing_is_allocated_in_the_loop() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let net = net();
    for method in odesync_ode::odesolve::solvers::ALL {
        let mut engine = NativeEngine::default();
        let mut count = |n: usize, taped: bool| {
            let options = SolveOptions::default().solver(method.name).unwrap();
            let options = match method.is_adaptive() {
                true => options.tolerances(1e-3, 1e-3).max_step(1e-3),
                false => options.step_size(1e-3),
            };
            let t = [0.0, 1e-3 * n as f64];
            let problem = Problem {
                u0: &[0.3, -0.2],
                t: &t,
                sample: 0,
            };
            let mut solve = || {
                engine
                    .forward(&net, &[problem], &options, None, taped)
                    .unwrap()
            };
            let steps = solve()[0].stats.steps;
            assert!(steps >= n, "{}: {steps}", method.name);
            ALLOCATOR.count_allocations(solve)
        };
        for taped in [false, true] {
            // The long solve first: the short one uses its workspaces.
            let (long, short) = (count(4_000, taped), count(500, taped));
            // `auto` joins the recorded steps of its segments in a vector whose capacity doubles.
            let joined = if method.name == "auto" { 3 } else { 0 };
            assert!(
                long <= short + joined,
                "{}, with a tape: {taped}: {long}, {short}",
                method.name
            );
        }
    }
}
