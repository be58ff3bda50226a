//! Many solves in one call against the solves alone.

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::{Array2, Axis, array};
use odesync_ode::dynamics::{lorenz, lotka_volterra};
use odesync_ode::field::{Expr, FieldBuilder, system};
use odesync_ode::odesolve::{
    BatchSolve, Dose, Event, Jump, NativeEngine, SolveOptions, solve, solvers,
};

use crate::sample_lanes::Numbers;

fn bits(values: impl IntoIterator<Item = f64>) -> Vec<u64> {
    values.into_iter().map(f64::to_bits).collect()
}

#[test]
fn a_solution_has_the_bits_of_its_solve_alone() {
    let field = lorenz().unwrap();
    // More than one chunk.
    let u0 = Array2::from_shape_fn((300, 3), |(i, j)| 1.0 + 0.01 * i as f64 - 0.5 * j as f64);
    let t = [0.0, 0.3, 1.0];
    for solver in ["tsit5", "dopri5", "bdf"].map(|name| solvers::by_name(name).unwrap()) {
        let options = SolveOptions {
            solver,
            ..SolveOptions::default()
        };
        let batch = BatchSolve::new(&field, u0.view()).unwrap();
        let solved = batch.solve(&t, &options).unwrap();
        assert_eq!(solved.u.shape(), [300, 3, 3]);
        let mut evaluations = 0;
        for (i, u0) in u0.outer_iter().enumerate() {
            let alone = solve(&field, &u0.to_vec(), &t, &options).unwrap();
            evaluations += alone.stats.evaluations;
            let together = solved.u.index_axis(Axis(0), i);
            assert_eq!(
                bits(together.iter().copied()),
                bits(alone.u),
                "{} {i}",
                solver.name
            );
        }
        assert_eq!(solved.stats.evaluations, evaluations, "{}", solver.name);
    }
}

#[test]
fn parameters_have_a_value_for_each_solve() {
    let field = lotka_volterra().unwrap();
    let t = [0.0, 0.5, 2.0];
    let options = SolveOptions::default();
    let (one, two) = (array![[1.0, 2.0]], array![[1.0, 2.0], [0.5, 1.5]]);
    let (a, d) = ([1.0, 2.0], [3.0, 1.0]);
    for u0 in [one.view(), two.view()] {
        let batch = BatchSolve::new(&field, u0).unwrap();
        let batch = batch.with_param("a", &a).unwrap().with_param("d", &d);
        let solved = batch.unwrap().solve(&t, &options).unwrap();
        for i in 0..2 {
            let field = field.with_param("a", &a[i..=i]).unwrap();
            let field = field.with_param("d", &d[i..=i]).unwrap();
            let u0 = u0.row(i.min(u0.nrows() - 1)).to_vec();
            let alone = solve(&field, &u0, &t, &options).unwrap();
            let together = solved.u.index_axis(Axis(0), i);
            assert_eq!(bits(together.iter().copied()), bits(alone.u));
        }
    }
}

/// Constants of each solve, in lanes side by side, that also move a breakpoint; and a bias of a layer, which lanes share.
#[test]
fn constants_of_each_solve_change_no_bits_of_others() {
    let mut numbers = Numbers(3);
    let switched = system(2, &[("k", 1.0), ("t1", 0.4)], |t, u, p| {
        let push = Expr::select(&t.lt(&p.get("t1")), &p.get("k"), &(p.get("k") * 0.5));
        vec![u.at(1), push - p.get("k").square() * u.at(0)]
    });
    let b = FieldBuilder::new(1);
    let weight = b.block("w", &[1, 1], &[0.5], true).unwrap();
    let bias = b.block("k", &[1], &[1.0], true).unwrap();
    let layer = b.affine(weight, Some(bias), &b.state()).tanh();
    let layered = b.finish(layer).unwrap();
    let (n, t) = (41, [0.0, 0.3, 1.2]);
    let constants = numbers.many(n);
    for (field, names) in [(&switched.unwrap(), &["k", "t1"][..]), (&layered, &["k"])] {
        let u0 = Array2::from_shape_fn((n, field.dof()), |_| numbers.next());
        for solver in ["tsit5", "rk4", "dopri5", "kvaerno5"] {
            let options = SolveOptions::default().solver(solver).unwrap();
            let options = SolveOptions {
                substeps: (solver == "rk4").then_some(3),
                ..options
            };
            let mut batch = BatchSolve::new(field, u0.view()).unwrap();
            for name in names {
                batch = batch.with_param(name, &constants).unwrap();
            }
            for threads in [1, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                let pool = pool.build().unwrap();
                let done = AtomicUsize::new(0);
                let count = |i: usize| {
                    done.fetch_max(i, Ordering::Relaxed);
                };
                let mut engine = NativeEngine::default();
                let solved =
                    pool.install(|| batch.solve_with_progress(&mut engine, &t, &options, &count));
                let solved = solved.unwrap();
                assert_eq!(done.into_inner(), n);
                for i in 0..n {
                    let mut field = field.clone();
                    for name in names {
                        field = field.with_param(name, &constants[i..=i]).unwrap();
                    }
                    let alone = solve(&field, &u0.row(i).to_vec(), &t, &options).unwrap();
                    let together = solved.u.index_axis(Axis(0), i);
                    let together = bits(together.iter().copied());
                    assert_eq!(together, bits(alone.u), "{solver} {i} {threads}");
                }
            }
        }
    }
}

#[test]
fn a_solve_that_fails_is_an_error_or_nan() {
    // u' = k u² from u₀ blows up at t = 1/(k u₀).
    let field = system(1, &[("k", 1.0)], |_, u, p| {
        vec![p.get("k") * u.at(0) * u.at(0)]
    })
    .unwrap();
    let t = [0.0, 1.0];
    let options = SolveOptions::default();
    let check = |batch: BatchSolve, rates: [f64; 4]| {
        let error = batch.solve(&t, &options).unwrap_err().to_string();
        assert!(error.contains("(sample 1)"), "{error}");
        let solved = batch.keep_failed().solve(&t, &options).unwrap();
        let failed: Vec<usize> = solved.failures.iter().map(|f| f.sample).collect();
        assert_eq!(failed, [1, 3]);
        for (i, rate) in rates.iter().enumerate() {
            let [u0, u] = [0, 1].map(|time| solved.u[[i, time, 0]]);
            assert_eq!(u.is_nan(), failed.contains(&i));
            assert!(u.is_nan() || (u / u0 - 1.0 / (1.0 - rate)).abs() < 1e-6);
        }
    };
    let u0 = array![[0.25], [4.0], [0.5], [8.0]];
    check(
        BatchSolve::new(&field, u0.view()).unwrap(),
        [0.25, 4.0, 0.5, 8.0],
    );
    let one = array![[0.5]];
    let batch = BatchSolve::new(&field, one.view()).unwrap();
    let rates = [1.0, 4.0, 0.5, 8.0];
    let batch = batch.with_param("k", &rates).unwrap();
    check(batch, rates.map(|k| 0.5 * k));
}

#[test]
fn doses_reach_every_solve_and_events_are_refused() {
    let decay = system(1, &[], |_, u, _| vec![-u.at(0)]).unwrap();
    let u0 = array![[1.0], [2.0]];
    let dose = Jump::new(1, &[], |_, u, _| vec![u.at(0) + 1.0]).unwrap();
    let mut options = SolveOptions {
        doses: vec![Dose::new(&[1.0], dose).unwrap()],
        ..SolveOptions::default()
    };
    let batch = BatchSolve::new(&decay, u0.view()).unwrap();
    let solved = batch.solve(&[0.0, 2.0], &options).unwrap();
    for (i, u0) in [1.0, 2.0].iter().enumerate() {
        let want = (u0 * f64::exp(-1.0) + 1.0) * f64::exp(-1.0);
        assert!((solved.u[[i, 1, 0]] - want).abs() < 1e-6);
    }
    options.events = vec![Event::new(1, &[], |_, u, _| u.at(0) - 0.5).unwrap()];
    let error = batch.solve(&[0.0, 2.0], &options).unwrap_err().to_string();
    assert!(error.contains("one after the other"), "{error}");
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    let field = lotka_volterra().unwrap();
    let (two, three) = (array![[1.0, 2.0], [0.5, 1.5]], array![[1.0, 2.0, 3.0]]);
    assert!(BatchSolve::new(&field, three.view()).is_err());
    assert!(BatchSolve::new(&field, two.slice(ndarray::s![0..0, ..])).is_err());
    let batch = || BatchSolve::new(&field, two.view()).unwrap();
    assert!(batch().with_param("a", &[1.0]).is_err());
    assert!(batch().with_param("a", &[]).is_err());
    assert!(batch().with_param("aa", &[1.0, 2.0]).is_err());
    let one = two.slice(ndarray::s![0..1, ..]);
    let batch = BatchSolve::new(&field, one).unwrap();
    let batch = batch.with_param("a", &[1.0, 2.0, 3.0]).unwrap();
    assert_eq!(batch.len(), 3);
    assert!(batch.with_param("b", &[1.0, 2.0]).is_err());
}
