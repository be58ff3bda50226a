//! Solves of `M du/dt = f(t, u)`: known solutions of systems of index 1, orders of convergence, regular matrices, initial states that
//! are not consistent, events, jumps, and what is refused.

use odesync_ode::dynamics::robertson;
use odesync_ode::field::{Expr, VectorField, system};
use odesync_ode::odesolve::{
    Direction, Dose, Event, FnRhs, Integrator, Jump, MassMatrix, Solution, SolveOptions, solve,
    solve_fn, solve_rhs, solvers,
};

/// The methods that take a mass matrix.
pub const METHODS: [&str; 4] = ["radau", "kvaerno5", "rodas5p", "bdf"];

/// The index-1 system y' = −y z, 0 = z³ + z − (w³ + w) with w = a y cos t, so that z = w and 1/y = 1/y₀ + a sin t.
pub fn nonlinear() -> VectorField {
    system(2, &[("a", 1.0), ("b", 1.0)], |t, u, p| {
        let (y, z) = (u.at(0), u.at(1));
        let w = p.get("a") * &y * t.cos();
        let cube = |x: &Expr| x.square() * x;
        vec![-(p.get("b") * &y * &z), cube(&z) + &z - (cube(&w) + &w)]
    })
    .unwrap()
}

/// Its solution from y = 1 with a = b = 1.
fn nonlinear_solution(t: f64) -> [f64; 2] {
    let y = 1.0 / (1.0 + t.sin());
    [y, y * t.cos()]
}

pub fn with(method: &str, mass: &[&[f64]]) -> SolveOptions {
    let options = SolveOptions::default().solver(method).unwrap();
    options.mass_matrix(mass).unwrap()
}

pub const FIRST_OF_TWO: &[&[f64]] = &[&[1.0, 0.0], &[0.0, 0.0]];

/// A change of variables, from (y, z).
type Change = fn([f64; 2]) -> [f64; 2];

/// A linear system, in other variables v = B⁻¹ u and equations combined by A: mass matrix A diag(1, 0) B, full and of rank 1.
fn mixed() -> (VectorField, [[f64; 2]; 2], Change) {
    let field = system(2, &[], |t, v, _| {
        // B = [[2, 1], [1, 1]], A = [[1, 3], [2, −1]].
        let (y, z) = (2.0 * v.at(0) + v.at(1), v.at(0) + v.at(1));
        let (f, g) = (t.sin() - 2.0 * &y + &z, &y - &z);
        vec![&f + 3.0 * &g, 2.0 * &f - &g]
    });
    let back = |[y, z]: [f64; 2]| [y - z, 2.0 * z - y];
    (field.unwrap(), [[2.0, 1.0], [4.0, 2.0]], back)
}

/// The solution of y' = −2 y + z + sin t, 0 = y − z from y = 1.
fn linear_solution(t: f64) -> [f64; 2] {
    let y = 1.5 * (-t).exp() + 0.5 * (t.sin() - t.cos());
    [y, y]
}

fn largest_error(solution: &Solution, exact: impl Fn(f64) -> [f64; 2]) -> f64 {
    let rows = solution.t.iter().zip(solution.u.outer_iter());
    let errors = rows.flat_map(|(t, row)| {
        let exact = exact(*t);
        [row[0] - exact[0], row[1] - exact[1]]
    });
    errors.fold(0.0, |most: f64, x| most.max(x.abs()))
}

#[test]
fn robertson_with_its_conservation_law_is_the_ode() {
    let field = system(3, &[], |_, u, _| {
        let first = 1e4 * u.at(1) * u.at(2) - 0.04 * u.at(0);
        let last = 3e7 * u.at(1).square();
        vec![
            first.clone(),
            -&first - &last,
            u.at(0) + u.at(1) + u.at(2) - 1.0,
        ]
    })
    .unwrap();
    let mass: &[&[f64]] = &[&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0], &[0.0, 0.0, 0.0]];
    let t = [0.0, 0.4, 40.0, 4e3, 4e5, 4e7];
    let tight = SolveOptions::default().solver("radau").unwrap();
    let ode = solve(
        &robertson().unwrap(),
        &[1.0, 0.0, 0.0],
        &t,
        &tight.tolerances(1e-11, 1e-15),
    );
    let ode = ode.unwrap();
    // Hairer and Wanner, IV.10: the published figures at t = 0.4 and t = 40.
    let published = [
        [9.851721e-1, 3.386395e-5, 1.479402e-2],
        [7.158271e-1, 9.185535e-6, 2.841638e-1],
    ];
    for (row, want) in [1, 2].into_iter().zip(published) {
        for (d, want) in want.into_iter().enumerate() {
            assert!((ode.u[[row, d]] / want - 1.0).abs() < 1e-5);
        }
    }
    for method in METHODS {
        let options = with(method, mass).tolerances(1e-7, 1e-11);
        let dae = solve(&field, &[1.0, 0.0, 0.0], &t, &options).unwrap();
        for (d, scale) in [1.0, 3e-5, 1.0].into_iter().enumerate() {
            for row in 0..t.len() {
                let error = (dae.u[[row, d]] - ode.u[[row, d]]).abs() / scale;
                assert!(error < 2e-5, "{method}: u[{row}, {d}] is off by {error:e}");
            }
        }
        for row in dae.u.outer_iter() {
            assert!((row.sum() - 1.0).abs() < 1e-9, "{method}: {row}");
        }
    }
}

#[test]
fn the_orders_are_those_of_the_methods() {
    let t = [0.0, 1.0];
    for method in ["radau", "kvaerno5", "rodas5p"] {
        let error = |n: usize| {
            let options = with(method, FIRST_OF_TWO).substeps(n);
            let solution = solve(&nonlinear(), &[1.0, 1.0], &t, &options).unwrap();
            largest_error(&solution, nonlinear_solution)
        };
        let observed = (error(20) / error(40)).log2();
        println!("{method}: {:?}", [5, 10, 20, 40, 80].map(error));
        assert!(observed > 4.7, "{method}: {observed}");
        assert!(error(16) < 1e-6, "{method}");
    }
}

#[test]
fn known_solutions_at_tight_and_loose_tolerances() {
    let t: Vec<f64> = (0..=40).map(|i| 0.05 * f64::from(i)).collect();
    for method in METHODS {
        let bound = if method == "bdf" { 2e3 } else { 1e2 };
        for tolerance in [1e-5, 1e-9] {
            let at = |options: SolveOptions| options.tolerances(tolerance, tolerance);
            let options = at(with(method, FIRST_OF_TWO));
            let solution = solve(&nonlinear(), &[1.0, 1.0], &t, &options).unwrap();
            let error = largest_error(&solution, nonlinear_solution);
            assert!(error < bound * tolerance, "{method}: {error:e}");
            let (field, mass, back) = mixed();
            let options = at(SolveOptions::default().solver(method).unwrap());
            let options = options.mass_matrix(&mass).unwrap();
            let solution = solve(&field, &back([1.0, 1.0]), &t, &options).unwrap();
            let error = largest_error(&solution, |t| back(linear_solution(t)));
            assert!(error < bound * tolerance, "{method}, full: {error:e}");
        }
    }
}

#[test]
fn a_regular_matrix_is_its_inverse_in_the_equations() {
    let mass: &[&[f64]] = &[&[2.0, 1.0], &[-1.0, 3.0]];
    // M⁻¹ = [[3, −1], [1, 2]] / 7.
    let f = |u: &Expr| {
        let (x, y) = (u.at(0), u.at(1));
        [y.clone(), 2.0 * (1.0 - x.square()) * &y - &x]
    };
    let implicit = system(2, &[], |_, u, _| f(&u).to_vec()).unwrap();
    let explicit = system(2, &[], |_, u, _| {
        let [a, b] = f(&u);
        vec![(3.0 * &a - &b) / 7.0, (&a + 2.0 * &b) / 7.0]
    });
    let explicit = explicit.unwrap();
    let t = [0.0, 0.7, 3.0, 10.0];
    for method in METHODS {
        let fixed = |options: SolveOptions| match method {
            "bdf" => options.tolerances(1e-11, 1e-12),
            _ => options.substeps(40),
        };
        let plain = SolveOptions::default().solver(method).unwrap();
        let want = solve(&explicit, &[2.0, 0.0], &t, &fixed(plain.clone())).unwrap();
        let got = solve(&implicit, &[2.0, 0.0], &t, &fixed(with(method, mass))).unwrap();
        let off =
            |a: &Solution, b: &Solution| (&a.u - &b.u).iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        let bound = if method == "bdf" { 1e-8 } else { 1e-10 };
        assert!(off(&want, &got) < bound, "{method}: {:e}", off(&want, &got));
        let identity = fixed(with(method, &[&[1.0, 0.0], &[0.0, 1.0]]));
        let (want, got) = (
            solve(&explicit, &[2.0, 0.0], &t, &fixed(plain)).unwrap(),
            solve(&explicit, &[2.0, 0.0], &t, &identity).unwrap(),
        );
        assert!(
            off(&want, &got) < bound,
            "{method}, I: {:e}",
            off(&want, &got)
        );
    }
}

#[test]
fn closures_and_integrators_take_one_too() {
    let f = |t: f64, u: &[f64], du: &mut [f64]| {
        du[0] = t.sin() - 2.0 * u[0] + u[1];
        du[1] = u[0] - u[1];
    };
    let t = [0.0, 0.5, 2.0];
    for method in METHODS {
        let options = with(method, FIRST_OF_TWO);
        let solution = solve_fn(f, &[1.0, 0.3], &t, &options).unwrap();
        assert!(largest_error(&solution, linear_solution) < 1e-5, "{method}");
        let integrator = Integrator::new(FnRhs::new(2, f), &[1.0, 0.3], &t, &options).unwrap();
        assert!(largest_error(&integrator.finish().unwrap(), linear_solution) < 1e-5);
    }
}

#[test]
fn a_start_that_is_not_consistent_is_moved_along_the_algebraic_variables() {
    for method in METHODS {
        let options = with(method, FIRST_OF_TWO);
        for z in [0.0, -3.0, 1.0 + 1e-4] {
            let solution = solve(&nonlinear(), &[1.0, z], &[0.0, 1.0], &options).unwrap();
            assert_eq!(solution.u[[0, 0]], 1.0, "{method}");
            assert!((solution.u[[0, 1]] - 1.0).abs() < 1e-12, "{method}");
            assert!(
                largest_error(&solution, nonlinear_solution) < 1e-5,
                "{method}"
            );
        }
        let there = solve(&nonlinear(), &[1.0, 1.0], &[0.0], &options).unwrap();
        assert_eq!(
            there.u[[0, 1]],
            1.0,
            "one that is consistent stays to the bit"
        );
        // With a full matrix M u stays, and 0 = y − z is satisfied.
        let (field, mass, back) = mixed();
        let options = SolveOptions::default().solver(method).unwrap();
        let options = options.mass_matrix(&mass).unwrap();
        let [a, b] = back([1.0, 0.2]);
        let solution = solve(&field, &[a, b], &[0.0, 1.0], &options).unwrap();
        assert!((2.0 * solution.u[[0, 0]] + solution.u[[0, 1]] - 1.0).abs() < 1e-14);
        assert!(
            largest_error(&solution, |t| back(linear_solution(t))) < 1e-5,
            "{method}"
        );
    }
}

#[test]
fn events_find_algebraic_variables_and_jumps_carry_them_along() {
    for method in METHODS {
        let options = with(method, FIRST_OF_TWO).tolerances(1e-9, 1e-10);
        let event = Event::new(2, &[], |_, u, _| u.at(1) - 0.5).unwrap();
        let event = event.direction(Direction::Down);
        let found = solve(
            &nonlinear(),
            &[1.0, 1.0],
            &[0.0, 2.0],
            &options.clone().event(event),
        );
        let found = found.unwrap();
        // cos t = (1 + sin t)/2 where sin t = 3/5.
        let at = 0.6_f64.asin();
        assert_eq!(found.events[0].t.len(), 1, "{method}");
        assert!(
            (found.events[0].t[0] - at).abs() < 1e-6,
            "{method}: {}",
            found.events[0].t[0]
        );
        // A dose doubles y at t = 1, and z follows.
        let double = Jump::new(2, &[], |_, u, _| vec![2.0 * u.at(0), u.at(1)]).unwrap();
        let dose = Dose::new(&[1.0], double).unwrap();
        let solution = solve(
            &nonlinear(),
            &[1.0, 1.0],
            &[0.0, 1.0, 1.5],
            &options.dose(dose),
        );
        let solution = solution.unwrap();
        let y = |t: f64| 1.0 / (0.5 * (1.0 + 1.0_f64.sin()) + t.sin() - 1.0_f64.sin());
        for (row, t) in [(1, 1.0), (2, 1.5_f64)] {
            let [got_y, got_z] = [solution.u[[row, 0]], solution.u[[row, 1]]];
            assert!((got_y - y(t)).abs() < 1e-6, "{method}: {got_y} at {t}");
            assert!(
                (got_z - y(t) * t.cos()).abs() < 1e-6,
                "{method}: {got_z} at {t}"
            );
        }
    }
}

#[test]
fn algebraic_variables_jump_at_breakpoints() {
    // 0 = z³ + z − 2 before t = 1 and 0 = z³ + z − 10 after, so z jumps from 1 to 2; y' = −y z.
    let f = |t: f64, u: &[f64], du: &mut [f64]| {
        du[0] = -u[0] * u[1];
        du[1] = u[1].powi(3) + u[1] - if t < 1.0 { 2.0 } else { 10.0 };
    };
    let rhs = FnRhs::new(2, f);
    let options = |method: &str| with(method, FIRST_OF_TWO).breakpoints([1.0]);
    let check = |method: &str| {
        let solution = solve_rhs(&rhs, &[1.0, 1.0], &[0.0, 0.5, 2.0], &options(method)).unwrap();
        let want = [(-3.0_f64).exp(), 2.0];
        for (got, want) in solution.u.row(2).iter().zip(want) {
            assert!((got - want).abs() < 1e-7, "{method}: {got} {want}");
        }
        assert!(solution.stats.steps < 200, "{method}: {:?}", solution.stats);
    };
    check("radau");
    check("kvaerno5");
    // A linearly implicit method follows where the equations are linear in z, and says so where they are not.
    let failed = solve_rhs(&rhs, &[1.0, 1.0], &[0.0, 2.0], &options("rodas5p"));
    assert!(failed.unwrap_err().to_string().contains("\"radau\""));
    let linear = |t: f64, u: &[f64], du: &mut [f64]| {
        du[0] = -u[0] * u[1];
        du[1] = u[1] - if t < 1.0 { 1.0 } else { 2.0 };
    };
    let solution = solve_rhs(
        &FnRhs::new(2, linear),
        &[1.0, 1.0],
        &[0.0, 2.0],
        &options("rodas5p"),
    );
    let solution = solution.unwrap();
    assert!((solution.u[[1, 0]] - (-3.0_f64).exp()).abs() < 1e-7);
    assert!((solution.u[[1, 1]] - 2.0).abs() < 1e-7);
    let refused = solve_rhs(&rhs, &[1.0, 1.0], &[0.0, 2.0], &options("bdf"));
    assert!(refused.unwrap_err().to_string().contains("\"radau\""));
}

#[test]
fn what_cannot_be_solved_is_refused_with_a_cure() {
    let says = |field: &VectorField, u0: &[f64], options: &SolveOptions, parts: &[&str]| {
        let message = solve(field, u0, &[0.0, 1.0], options)
            .unwrap_err()
            .to_string();
        for part in parts {
            assert!(message.contains(part), "{message}");
        }
    };
    for method in solvers::ALL.iter().filter(|m| !METHODS.contains(&m.name)) {
        let options = with(method.name, FIRST_OF_TWO);
        let parts = [method.name, "radau", "kvaerno5", "rodas5p", "bdf"];
        says(&nonlinear(), &[1.0, 1.0], &options, &parts);
    }
    let three = with(
        "radau",
        &[&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0], &[0.0, 0.0, 0.0]],
    );
    says(
        &nonlinear(),
        &[1.0, 1.0],
        &three,
        &["3 by 3", "2 state variables"],
    );
    // The pendulum in Cartesian coordinates has index 3.
    let pendulum = system(2, &[], |_, u, _| vec![u.at(1), u.at(0) - 1.0]).unwrap();
    says(
        &pendulum,
        &[1.0, 0.0],
        &with("radau", FIRST_OF_TWO),
        &["index", "differentiate"],
    );
    let nothing = system(2, &[], |_, u, _| vec![-u.at(0), u.at(1).square() + 1.0]).unwrap();
    says(
        &nothing,
        &[1.0, 0.5],
        &with("rodas5p", FIRST_OF_TWO),
        &["algebraic"],
    );
    for (rows, part) in [
        (vec![vec![1.0, 0.0]], "row 0 has 2 numbers"),
        (
            vec![vec![1.0, 0.0], vec![f64::NAN, 1.0]],
            "mass_matrix[1][0] is NaN",
        ),
        (vec![vec![0.0, 0.0], vec![0.0, 0.0]], "at least one row"),
    ] {
        let message = MassMatrix::new(&rows).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    let located = with("radau", FIRST_OF_TWO).switches(true);
    says(
        &nonlinear(),
        &[1.0, 1.0],
        &located,
        &["switches: true", "mass_matrix"],
    );
}
