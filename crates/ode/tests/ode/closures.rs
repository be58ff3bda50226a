//! Right-hand sides given as closures, and the integrator that is advanced step by step: published solutions of the classic
//! problems (Hairer, Nørsett, Wanner I and II; the test set of Mazzia and Magherini), and the bits of `solve`.

use odesync_ode::field::{VectorField, system};
use odesync_ode::odesolve::{
    Controller, Event, FnRhs, Integrator, Rhs, SolveOptions, Solver, SolverFamily, solve, solve_fn,
    solve_rhs, solvers,
};

type Slope = fn(f64, &[f64], &mut [f64]);

struct Classic {
    name: &'static str,
    f: Slope,
    u0: &'static [f64],
    end: f64,
    want: &'static [f64],
    stiff: bool,
    tolerances: (f64, f64),
    within: f64,
}

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

const CLASSICS: [Classic; 10] = [
    Classic {
        name: "Pleiades",
        f: PLEIADES,
        u0: &[
            3.0, 3.0, -1.0, -3.0, 2.0, -2.0, 2.0, 3.0, -3.0, 2.0, 0.0, 0.0, -4.0, 4.0, 0.0, 0.0,
            0.0, 0.0, 0.0, 1.75, -1.5, 0.0, 0.0, 0.0, -1.25, 1.0, 0.0, 0.0,
        ],
        end: 3.0,
        want: &[
            0.370_613_914_397_050_2,
            3.237_284_092_057_233,
            -3.222_559_032_418_324,
            0.659_709_145_577_531,
            0.342_558_170_715_658_4,
            1.562_172_101_400_631,
            -0.700_309_292_221_249_5,
            -3.943_437_585_517_392,
            -3.271_380_973_972_55,
            5.225_081_843_456_543,
            -2.590_612_434_977_47,
            1.198_213_693_392_275,
            -0.242_968_234_493_582_4,
            1.091_449_240_428_98,
        ],
        stiff: false,
        tolerances: (1e-12, 1e-12),
        within: 1e-8,
    },
    Classic {
        name: "HIRES",
        f: HIRES,
        u0: &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057],
        end: 321.8122,
        want: &[
            7.371_312_573_325_668e-4,
            1.442_485_726_316_185e-4,
            5.888_729_740_967_575e-5,
            1.175_651_343_283_149e-3,
            2.386_356_198_831_33e-3,
            6.238_968_252_742_796e-3,
            2.849_998_395_185_769e-3,
            2.850_001_604_814_231e-3,
        ],
        stiff: true,
        tolerances: (1e-8, 1e-12),
        within: 1e-5,
    },
    Classic {
        name: "Arenstorf orbit",
        f: ARENSTORF,
        u0: &[0.994, 0.0, 0.0, -2.001_585_106_379_082_6],
        end: 17.065_216_560_157_963,
        want: &[0.994, 0.0, 0.0, -2.001_585_106_379_082_6],
        stiff: false,
        tolerances: (1e-12, 1e-12),
        within: 1e-5,
    },
    Classic {
        name: "Brusselator",
        f: BRUSSELATOR,
        u0: &[1.5, 3.0],
        end: 20.0,
        want: &[0.498_637_071_268_347_83, 4.596_780_349_452_011],
        stiff: false,
        tolerances: (1e-11, 1e-11),
        within: 1e-9,
    },
    Classic {
        name: "rigid body",
        f: RIGID_BODY,
        u0: &[0.0, 1.0, 1.0],
        end: 20.0,
        want: &[
            -0.939_657_079_872_92,
            -0.342_117_775_400_077,
            0.741_412_659_619_999,
        ],
        stiff: false,
        tolerances: (1e-11, 1e-11),
        within: 1e-9,
    },
    Classic {
        name: "Lorenz",
        f: LORENZ,
        u0: &[-8.0, 8.0, 27.0],
        end: 4.0,
        want: &[5.160_531_551, 8.097_448_615, 17.139_587_316],
        stiff: false,
        tolerances: (1e-12, 1e-12),
        within: 1e-8,
    },
    Classic {
        name: "Van der Pol",
        f: VAN_DER_POL,
        u0: &[2.0, 0.0],
        end: 2.0,
        want: &[1.706_167_732_170_483, -0.892_809_701_024_797_5],
        stiff: true,
        tolerances: (1e-8, 1e-10),
        within: 1e-5,
    },
    Classic {
        name: "Robertson",
        f: ROBERTSON,
        u0: &[1.0, 0.0, 0.0],
        end: 1e11,
        want: &[
            2.083_340_149_701_255e-8,
            8.333_360_770_334_713e-14,
            0.999_999_979_166_505,
        ],
        stiff: true,
        tolerances: (1e-8, 1e-18),
        within: 1e-5,
    },
    Classic {
        name: "Oregonator",
        f: OREGONATOR,
        u0: &[1.0, 2.0, 3.0],
        end: 360.0,
        want: &[
            1.000_814_870_318_523,
            1_228.178_521_549_917,
            132.055_494_284_670_6,
        ],
        stiff: true,
        tolerances: (1e-8, 1e-10),
        within: 1e-5,
    },
    Classic {
        name: "E5",
        f: E5,
        u0: &[1.76e-3, 0.0, 0.0, 0.0],
        end: 1e5,
        want: &[
            7.481_320_826e-6,
            2.373_478_158e-12,
            2.212_358_668e-12,
            1.611_194_872e-13,
        ],
        stiff: true,
        tolerances: (1e-8, 1e-24),
        within: 1e-5,
    },
];

#[test]
fn closures_reach_the_published_solutions_with_every_controller() {
    let explicit = ["dopri5", "tsit5", "vern7", "dopri8"];
    let implicit = ["radau", "kvaerno5", "rodas5p", "bdf"];
    for classic in &CLASSICS {
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
            let solved = solve_fn(classic.f, classic.u0, &[0.0, classic.end], &options);
            let solution =
                solved.unwrap_or_else(|e| panic!("{}, {name}, {controller:?}: {e}", classic.name));
            for (i, (got, want)) in solution.u.row(1).iter().zip(classic.want).enumerate() {
                let scale = if *want == 0.0 { 1.0 } else { want.abs() };
                let error = (got - want).abs() / scale;
                assert!(
                    error < classic.within,
                    "{}, {name}, {controller:?}, component {i}: {got} instead of {want}, off by {error:e}",
                    classic.name
                );
            }
        }
    }
}

/// A pendulum in a wind that changes, as a field.
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
            assert_eq!(steps, want.plan.steps, "{}", solver.name);
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
