//! Right-hand sides given as closures, and the integrator that is advanced step by step: published solutions of the classic
//! problems, and the bits of `solve`.

use odesync_ode::dynamics::{lorenz, robertson};
use odesync_ode::field::{Expr, VectorField, system};
use odesync_ode::odesolve::{
    Controller, Event, FnRhs, Integrator, Rhs, SolveOptions, Solver, SolverFamily, solve, solve_fn,
    solve_rhs, solvers,
};
use odesync_testing::classic_problems::{self, ClassicProblem};

type Slope = fn(f64, &[f64], &mut [f64]);

const ARENSTORF: Slope = |_, u, du| {
    let mu = 0.012_277_471;
    let nu = 1.0 - mu;
    let d1 = ((u[0] + mu).powi(2) + u[1] * u[1]).powf(1.5);
    let d2 = ((u[0] - nu).powi(2) + u[1] * u[1]).powf(1.5);
    du[0] = u[2];
    du[1] = u[3];
    du[2] = u[0] + 2.0 * u[3] - nu * (u[0] + mu) / d1 - mu * (u[0] - nu) / d2;
    du[3] = u[1] - 2.0 * u[2] - nu * u[1] / d1 - mu * u[1] / d2;
};

const BRUSSELATOR: Slope = |_, u, du| {
    du[0] = 1.0 + u[0] * u[0] * u[1] - 4.0 * u[0];
    du[1] = 3.0 * u[0] - u[0] * u[0] * u[1];
};

const RIGID_BODY: Slope = |_, u, du| {
    du[0] = u[1] * u[2];
    du[1] = -u[0] * u[2];
    du[2] = -0.51 * u[0] * u[1];
};

const LORENZ: Slope = |_, u, du| {
    du[0] = 10.0 * (u[1] - u[0]);
    du[1] = u[0] * (28.0 - u[2]) - u[1];
    du[2] = u[0] * u[1] - 8.0 / 3.0 * u[2];
};

const VAN_DER_POL: Slope = |_, u, du| {
    du[0] = u[1];
    du[1] = ((1.0 - u[0] * u[0]) * u[1] - u[0]) / 1e-6;
};

const ROBERTSON: Slope = |_, u, du| {
    let (slow, fast, last) = (0.04 * u[0], 1e4 * u[1] * u[2], 3e7 * u[1] * u[1]);
    du[0] = fast - slow;
    du[1] = slow - fast - last;
    du[2] = last;
};

const OREGONATOR: Slope = |_, u, du| {
    du[0] = 77.27 * (u[1] + u[0] * (1.0 - 8.375e-6 * u[0] - u[1]));
    du[1] = (u[2] - (1.0 + u[0]) * u[1]) / 77.27;
    du[2] = 0.161 * (u[0] - u[2]);
};

const E5: Slope = |_, u, du| {
    let slow = 7.89e-10 * u[0];
    let first = 1.1e7 * u[0] * u[2];
    let second = 1.13e9 * u[1] * u[2];
    let last = 1.13e3 * u[3];
    du[0] = -slow - first;
    du[1] = slow - second;
    du[2] = slow - first - second + last;
    du[3] = first - last;
};

const PLEIADES: Slope = |_, u, du| {
    du[..14].copy_from_slice(&u[14..]);
    for from in [0, 7] {
        for i in 0..7 {
            du[14 + from + i] = (0..7)
                .filter(|j| *j != i)
                .map(|j| {
                    let r2 = (u[i] - u[j]).powi(2) + (u[7 + i] - u[7 + j]).powi(2);
                    (j + 1) as f64 * (u[from + j] - u[from + i]) / r2.powf(1.5)
                })
                .sum();
        }
    }
};

const HIRES: Slope = |_, u, du| {
    du[0] = -1.71 * u[0] + 0.43 * u[1] + 8.32 * u[2] + 0.0007;
    du[1] = 1.71 * u[0] - 8.75 * u[1];
    du[2] = -10.03 * u[2] + 0.43 * u[3] + 0.035 * u[4];
    du[3] = 8.32 * u[1] + 1.71 * u[2] - 1.12 * u[3];
    du[4] = -1.745 * u[4] + 0.43 * u[5] + 0.43 * u[6];
    du[5] = -280.0 * u[5] * u[7] + 0.69 * u[3] + 1.71 * u[4] - 0.43 * u[5] + 0.69 * u[6];
    du[6] = 280.0 * u[5] * u[7] - 1.81 * u[6];
    du[7] = -du[6];
};

/// The classic problems, with their right-hand sides.
const CLASSICS: [(ClassicProblem, Slope); 10] = [
    (classic_problems::ARENSTORF, ARENSTORF),
    (classic_problems::BRUSSELATOR, BRUSSELATOR),
    (classic_problems::RIGID_BODY, RIGID_BODY),
    (classic_problems::PLEIADES, PLEIADES),
    (classic_problems::LORENZ, LORENZ),
    (classic_problems::VAN_DER_POL, VAN_DER_POL),
    (classic_problems::ROBERTSON, ROBERTSON),
    (classic_problems::OREGONATOR, OREGONATOR),
    (classic_problems::HIRES, HIRES),
    (classic_problems::E5, E5),
];

/// Returns the field of a classic problem.
fn field_of(classic: &ClassicProblem) -> VectorField {
    let field = match classic.name {
        "Arenstorf orbit" => system(4, &[("mu", 0.012_277_471)], |_, u, p| {
            let (mu, x, y) = (p.get("mu"), u.at(0), u.at(1));
            let nu = 1.0 - &mu;
            let d1 = ((&x + &mu).square() + y.square()).powf(1.5);
            let d2 = ((&x - &nu).square() + y.square()).powf(1.5);
            let pull = |along: &Expr, to: &Expr| &nu * along / &d1 + &mu * to / &d2;
            vec![
                u.at(2),
                u.at(3),
                &x + 2.0 * u.at(3) - pull(&(&x + &mu), &(&x - &nu)),
                &y - 2.0 * u.at(2) - pull(&y, &y),
            ]
        }),
        "Brusselator" => system(2, &[], |_, u, _| {
            let reaction = u.at(0).square() * u.at(1);
            vec![1.0 + &reaction - 4.0 * u.at(0), 3.0 * u.at(0) - &reaction]
        }),
        "rigid body" => system(3, &[], |_, u, _| {
            vec![
                u.at(1) * u.at(2),
                -u.at(0) * u.at(2),
                -0.51 * u.at(0) * u.at(1),
            ]
        }),
        "Pleiades" => system(28, &[], |_, u, _| {
            let mut du: Vec<Expr> = (14..28).map(|i| u.at(i)).collect();
            for from in [0, 7] {
                for i in 0..7 {
                    let pull = |j: usize| {
                        let r2 =
                            (u.at(i) - u.at(j)).square() + (u.at(7 + i) - u.at(7 + j)).square();
                        (j + 1) as f64 * (u.at(from + j) - u.at(from + i)) / r2.powf(1.5)
                    };
                    let pulls = (0..7).filter(|j| *j != i).map(pull);
                    du.extend(pulls.reduce(|a, b| a + b));
                }
            }
            du
        }),
        "Lorenz" => lorenz(),
        "Van der Pol, scaled, ε = 1e-6" => system(2, &[("epsilon", 1e-6)], |_, u, p| {
            let damping = (1.0 - u.at(0).square()) * u.at(1);
            vec![u.at(1), (damping - u.at(0)) / p.get("epsilon")]
        }),
        "Robertson" => robertson(),
        "Oregonator" => system(3, &[], |_, u, _| {
            let (x, y, z) = (u.at(0), u.at(1), u.at(2));
            vec![
                77.27 * (&y + &x * (1.0 - 8.375e-6 * &x - &y)),
                (&z - (1.0 + &x) * &y) / 77.27,
                0.161 * (&x - &z),
            ]
        }),
        "HIRES" => system(8, &[], |_, u, _| {
            let u = |i: usize| u.at(i);
            let last = 280.0 * u(5) * u(7) - 1.81 * u(6);
            vec![
                -1.71 * u(0) + 0.43 * u(1) + 8.32 * u(2) + 0.0007,
                1.71 * u(0) - 8.75 * u(1),
                -10.03 * u(2) + 0.43 * u(3) + 0.035 * u(4),
                8.32 * u(1) + 1.71 * u(2) - 1.12 * u(3),
                -1.745 * u(4) + 0.43 * u(5) + 0.43 * u(6),
                -280.0 * u(5) * u(7) + 0.69 * u(3) + 1.71 * u(4) - 0.43 * u(5) + 0.69 * u(6),
                last.clone(),
                -last,
            ]
        }),
        "E5" => system(4, &[], |_, u, _| {
            let slow = 7.89e-10 * u.at(0);
            let first = 1.1e7 * u.at(0) * u.at(2);
            let second = 1.13e9 * u.at(1) * u.at(2);
            let last = 1.13e3 * u.at(3);
            vec![
                -&slow - &first,
                &slow - &second,
                slow - &first - second + &last,
                first - last,
            ]
        }),
        other => panic!("{other} has no field here"),
    };
    field.unwrap()
}

#[test]
fn closures_and_fields_have_the_same_solutions_of_the_classic_problems() {
    for (classic, f) in &CLASSICS {
        let field = field_of(classic);
        let mut slope = vec![0.0; classic.u0.len()];
        f(0.0, classic.u0, &mut slope);
        for (a, b) in slope.iter().zip(field.derivative(0.0, classic.u0).unwrap()) {
            assert!(
                (a - b).abs() <= 1e-13 * b.abs(),
                "{}: {a} {b}",
                classic.name
            );
        }
        let names: &[&str] = match classic.stiff {
            true => &["radau", "kvaerno5", "rodas5p", "bdf", "auto"],
            false => &["dopri5", "vern7", "dopri8", "auto"],
        };
        for name in names {
            let options = SolveOptions {
                max_steps: 1_000_000,
                ..SolveOptions::default()
                    .solver(name)
                    .unwrap()
                    .tolerances(classic.tolerances.0, classic.tolerances.1)
            };
            let t = [0.0, classic.end];
            let by_field = solve(&field, classic.u0, &t, &options).unwrap();
            let by_closure = solve_fn(f, classic.u0, &t, &options).unwrap();
            for (by, solution) in [("solve", &by_field), ("solve_fn", &by_closure)] {
                let by = format!("{by}, {name}");
                classic.check(&by, &solution.u.row(1).to_vec(), 1.0);
            }
            for (i, (a, b)) in by_closure
                .u
                .row(1)
                .iter()
                .zip(by_field.u.row(1))
                .enumerate()
            {
                let is_zero = classic.want.get(i) == Some(&0.0);
                let off = (a - b).abs() / if is_zero { 1.0 } else { b.abs() };
                assert!(off < classic.within, "{}, {name}: {a} {b}", classic.name);
            }
        }
    }
}

#[test]
fn closures_reach_the_published_solutions_with_every_controller() {
    let explicit = ["dopri5", "tsit5", "vern7", "dopri8"];
    let implicit = ["radau", "kvaerno5", "rodas5p", "bdf"];
    for (classic, f) in &CLASSICS {
        let names = if classic.stiff { &implicit } else { &explicit };
        let controllers = [
            None,
            Some(Controller::Integral),
            Some(Controller::ProportionalIntegral),
            Some(Controller::Gustafsson),
        ];
        let cases = names
            .iter()
            .flat_map(|name| controllers.map(|controller| (name, controller)));
        for (name, controller) in cases {
            let options = SolveOptions {
                max_steps: 1_000_000,
                controller,
                ..SolveOptions::default()
                    .solver(name)
                    .unwrap()
                    .tolerances(classic.tolerances.0, classic.tolerances.1)
            };
            let by = format!("{name}, {controller:?}");
            let solved = solve_fn(f, classic.u0, &[0.0, classic.end], &options);
            let solution = solved.unwrap_or_else(|e| panic!("{}, {by}: {e}", classic.name));
            classic.check(&by, &solution.u.row(1).to_vec(), 1.0);
        }
    }
}

fn pendulum() -> VectorField {
    system(2, &[("g", 9.81)], |t, u, p| {
        vec![u.at(1), -p.get("g") * u.at(0).sin() + t.cos()]
    })
    .unwrap()
}

#[test]
fn a_given_jacobian_is_used_and_saves_evaluations() {
    let counted = std::cell::Cell::new(0);
    let f = |t: f64, u: &[f64], du: &mut [f64]| {
        counted.set(counted.get() + 1);
        (du[0], du[1]) = (u[1], -9.81 * u[0].sin() + t.cos());
    };
    let jacobian = |t: f64, u: &[f64], df_du: &mut [f64], df_dt: &mut [f64]| {
        (df_du[1], df_du[2], df_dt[1]) = (1.0, -9.81 * u[0].cos(), -t.sin());
    };
    let (u0, t) = ([0.5, 0.0], [0.0, 3.0]);
    for name in ["radau", "kvaerno5", "rodas5p", "bdf"] {
        let options = SolveOptions::default().solver(name).unwrap();
        let want = solve(&pendulum(), &u0, &t, &options).unwrap();
        let given = FnRhs::new(2, f).jacobian(jacobian);
        let (mut found, mut cost) = (vec![], vec![]);
        for rhs in [FnRhs::new(2, f), given] {
            counted.set(0);
            found.push(solve_rhs(&rhs, &u0, &t, &options).unwrap());
            cost.push(counted.get());
        }
        assert!(cost[1] < cost[0], "{name}: {cost:?}");
        for solution in found {
            for (got, want) in solution.u.iter().zip(&want.u) {
                assert!((got - want).abs() < 1e-9, "{name}: {got} {want}");
            }
        }
    }
}

#[test]
fn the_integrator_takes_the_steps_of_solve_to_the_bit() {
    let field = pendulum();
    let (u0, t) = ([0.5, 0.0], [0.0, 0.3, 0.31, 1.7, 3.0]);
    let single = |solver: &Solver| !matches!(solver.family, SolverFamily::Auto { .. });
    for solver in solvers::ALL.iter().filter(|s| single(s)) {
        let mut choices = vec![];
        if solver.is_adaptive() {
            choices.push(SolveOptions::default().tolerances(1e-6, 1e-8));
        }
        if solver.supports_fixed_steps() {
            choices.push(SolveOptions::default().substeps(3));
        }
        for options in choices {
            let options = options.solver(solver.name).unwrap();
            let want = solve(&field, &u0, &t, &options).unwrap();
            let mut integrator = Integrator::of_field(&field, &u0, &t, &options).unwrap();
            let mut steps = vec![];
            while let Some(step) = integrator.step().unwrap() {
                assert_eq!(integrator.t(), step.end);
                assert_eq!(integrator.stats().steps, steps.len() + 1);
                assert!(integrator.outputs().len() <= want.u.len());
                steps.push(step);
            }
            assert_eq!(steps, want.recorded.steps, "{}", solver.name);
            assert_eq!(integrator.step().unwrap(), None);
            let got = integrator.finish().unwrap();
            assert_eq!((got.u, got.t), (want.u, want.t), "{}", solver.name);
            assert_eq!(got.stats.evaluations, want.stats.evaluations);
        }
    }
}

#[test]
fn an_event_ends_the_integrator_where_it_ends_solve() {
    let field = pendulum();
    let (u0, t) = ([0.5, 0.0], [0.0, 1.0, 5.0]);
    let event = Event::new(2, &[], |_, u, _| u.at(0)).unwrap().terminal();
    let options = SolveOptions::default().event(event);
    let want = solve(&field, &u0, &t, &options).unwrap();
    let mut integrator = Integrator::of_field(&field, &u0, &t, &options).unwrap();
    while integrator.step().unwrap().is_some() {}
    assert_eq!(integrator.event_hits().len(), 1);
    let got = integrator.finish().unwrap();
    assert_eq!((got.u, got.t, got.terminated_by), (want.u, want.t, Some(0)));
}

#[test]
fn what_does_not_fit_is_an_error() {
    let rhs = || FnRhs::new(2, |_, u, du| (du[0], du[1]) = (u[1], -u[0]));
    let options = SolveOptions::default();
    let text = |u0: &[f64], t: &[f64], options: &SolveOptions| {
        let solved = solve_rhs(&rhs(), u0, t, options).unwrap_err().to_string();
        let started = Integrator::new(rhs(), u0, t, options);
        assert_eq!(started.err().map(|e| e.to_string()).as_ref(), Some(&solved));
        solved
    };
    assert!(text(&[1.0], &[0.0, 1.0], &options).contains("2 state variables"));
    assert!(text(&[1.0, 0.0], &[], &options).contains("at least one time"));
    assert!(text(&[1.0, 0.0], &[0.0, f64::NAN], &options).contains("finite"));
    assert!(text(&[1.0, f64::NAN], &[0.0, 1.0], &options).contains("not finite"));
    let wrong = SolveOptions::default().tolerances(-1.0, 1e-9);
    assert!(text(&[1.0, 0.0], &[0.0, 1.0], &wrong).contains("rtol"));
    let auto = SolveOptions::default().solver("auto").unwrap();
    let started = Integrator::new(rhs(), &[1.0, 0.0], &[0.0, 1.0], &auto);
    assert!(started.err().unwrap().to_string().contains("two solvers"));
    let solution = solve_rhs(&rhs(), &[1.0, 0.0], &[0.0, 1.0], &auto).unwrap();
    assert!((solution.u[[1, 0]] - 1.0_f64.cos()).abs() < 1e-6);
    assert_eq!(rhs().dof(), 2);
    // A right-hand side that blows up ends the integrator with the reason, once.
    let blow_up = FnRhs::new(1, |_, u, du| du[0] = u[0] * u[0]);
    let mut integrator = Integrator::new(blow_up, &[1.0], &[0.0, 2.0], &options).unwrap();
    let failure = loop {
        match integrator.step() {
            Ok(step) => assert!(step.is_some()),
            Err(error) => break error.to_string(),
        }
    };
    assert!(failure.contains("step size fell"), "{failure}");
    assert_eq!(integrator.step().unwrap(), None);
}
