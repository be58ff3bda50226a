//! Tests of classic problems of Hairer, Nørsett and Wanner, written as a user would write them, against the published final
//! values.
//!
//! E. Hairer, S. Nørsett, G. Wanner, *Solving Ordinary Differential Equations I* (II.10) and E. Hairer, G. Wanner, *II* (IV.10);
//! values of the Test Set for IVP Solvers (F. Mazzia, C. Magherini), checked with scipy's DOP853 and Radau at rtol 1e-13 and
//! 1e-10. The values of the rigid body are Jacobi's elliptic functions; those of E5 and Lorenz are scipy's.

use odesync_script::script::{Output, Session, SessionOptions};

struct Problem {
    name: &'static str,
    /// The system in the script language, as the right-hand side of `f`.
    field: &'static str,
    u0: &'static str,
    end: f64,
    want: &'static [f64],
    stiff: bool,
    /// Relative and absolute tolerance.
    tolerances: (f64, f64),
    /// Largest error of a component, relative to its value.
    within: f64,
}

const PROBLEMS: [Problem; 10] = [
    Problem {
        name: "Arenstorf orbit",
        field: "let f = system(4, |t, u, p| {
            let nu = 1.0 - p.mu;
            let d1 = ((u[0] + p.mu) ** 2 + u[1] ** 2) ** 1.5;
            let d2 = ((u[0] - nu) ** 2 + u[1] ** 2) ** 1.5;
            [u[2], u[3],
             u[0] + 2.0 * u[3] - nu * (u[0] + p.mu) / d1 - p.mu * (u[0] - nu) / d2,
             u[1] - 2.0 * u[2] - nu * u[1] / d1 - p.mu * u[1] / d2]
        }, #{ mu: 0.012277471 });",
        u0: "[0.994, 0.0, 0.0, -2.00158510637908252240537862224]",
        end: 17.065_216_560_157_962_6,
        // The final time is one period.
        want: &[0.994, 0.0, 0.0, -2.001_585_106_379_082_522],
        stiff: false,
        tolerances: (1e-12, 1e-12),
        within: 3e-6,
    },
    Problem {
        name: "Brusselator",
        field: "let f = system(2, |t, u, p| [1.0 + u[0] ** 2 * u[1] - 4.0 * u[0], 3.0 * u[0] - u[0] ** 2 * u[1]]);",
        u0: "[1.5, 3.0]",
        end: 20.0,
        want: &[0.498_637_071_268_347_829, 4.596_780_349_452_011_025],
        stiff: false,
        tolerances: (1e-11, 1e-11),
        within: 1e-9,
    },
    Problem {
        name: "rigid body",
        field: "let f = system(3, |t, u, p| [u[1] * u[2], -u[0] * u[2], -p.k * u[0] * u[1]], #{ k: 0.51 });",
        u0: "[0.0, 1.0, 1.0]",
        end: 20.0,
        // sn, cn, dn(20 | 0.51).
        want: &[
            -0.939_657_079_872_920,
            -0.342_117_775_400_077,
            0.741_412_659_619_999,
        ],
        stiff: false,
        tolerances: (1e-11, 1e-11),
        within: 1e-9,
    },
    Problem {
        name: "Pleiades",
        field: "let f = system(28, |t, u, p| {
            let du = [];
            for i in 14..28 { du += u[i]; }
            for from in [0, 7] {
                for i in 0..7 {
                    let a = 0.0;
                    for j in 0..7 {
                        if i != j {
                            let r2 = (u[i] - u[j]) ** 2 + (u[7 + i] - u[7 + j]) ** 2;
                            a += (j + 1.0) * (u[from + j] - u[from + i]) / r2 ** 1.5;
                        }
                    }
                    du += a;
                }
            }
            du
        });",
        u0: "[3, 3, -1, -3, 2, -2, 2, 3, -3, 2, 0, 0, -4, 4, 0, 0, 0, 0, 0, 1.75, -1.5, 0, 0, 0, -1.25, 1, 0, 0]",
        end: 3.0,
        want: &[
            0.370_613_914_397_050_2,
            3.237_284_092_057_233,
            -3.222_559_032_418_324,
            0.659_709_145_577_531_0,
            0.342_558_170_715_658_4,
            1.562_172_101_400_631,
            -0.700_309_292_221_249_5,
            -3.943_437_585_517_392,
            -3.271_380_973_972_550,
            5.225_081_843_456_543,
            -2.590_612_434_977_470,
            1.198_213_693_392_275,
            -0.242_968_234_493_582_4,
            1.091_449_240_428_980,
        ],
        stiff: false,
        tolerances: (1e-12, 1e-12),
        within: 1e-8,
    },
    Problem {
        name: "Lorenz",
        field: "let f = lorenz();",
        u0: "[-8.0, 8.0, 27.0]",
        end: 4.0,
        want: &[5.160_531_551, 8.097_448_615, 17.139_587_316],
        stiff: false,
        tolerances: (1e-12, 1e-12),
        within: 1e-8,
    },
    Problem {
        name: "Van der Pol, scaled, ε = 1e-6",
        field: "let f = system(2, |t, u, p| [u[1], ((1.0 - u[0] ** 2) * u[1] - u[0]) / p.epsilon], #{ epsilon: 1e-6 });",
        u0: "[2.0, 0.0]",
        end: 2.0,
        want: &[1.706_167_732_170_483, -0.892_809_701_024_797_5],
        stiff: true,
        tolerances: (1e-8, 1e-10),
        within: 1e-5,
    },
    Problem {
        name: "Robertson",
        field: "let f = robertson();",
        u0: "[1.0, 0.0, 0.0]",
        end: 1e11,
        want: &[
            2.083_340_149_701_255e-8,
            8.333_360_770_334_713e-14,
            0.999_999_979_166_505_0,
        ],
        stiff: true,
        tolerances: (1e-8, 1e-18),
        within: 1e-5,
    },
    Problem {
        name: "Oregonator",
        field: "let f = system(3, |t, u, p| [
            77.27 * (u[1] + u[0] * (1.0 - 8.375e-6 * u[0] - u[1])),
            (u[2] - (1.0 + u[0]) * u[1]) / 77.27,
            0.161 * (u[0] - u[2])]);",
        u0: "[1.0, 2.0, 3.0]",
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
    Problem {
        name: "HIRES",
        field: "let f = system(8, |t, u, p| [
            -1.71 * u[0] + 0.43 * u[1] + 8.32 * u[2] + 0.0007,
            1.71 * u[0] - 8.75 * u[1],
            -10.03 * u[2] + 0.43 * u[3] + 0.035 * u[4],
            8.32 * u[1] + 1.71 * u[2] - 1.12 * u[3],
            -1.745 * u[4] + 0.43 * u[5] + 0.43 * u[6],
            -280.0 * u[5] * u[7] + 0.69 * u[3] + 1.71 * u[4] - 0.43 * u[5] + 0.69 * u[6],
            280.0 * u[5] * u[7] - 1.81 * u[6],
            -280.0 * u[5] * u[7] + 1.81 * u[6]]);",
        u0: "[1, 0, 0, 0, 0, 0, 0, 0.0057]",
        end: 321.8122,
        want: &[
            7.371_312_573_325_668e-4,
            1.442_485_726_316_185e-4,
            5.888_729_740_967_575e-5,
            1.175_651_343_283_149e-3,
            2.386_356_198_831_330e-3,
            6.238_968_252_742_796e-3,
            2.849_998_395_185_769e-3,
            2.850_001_604_814_231e-3,
        ],
        stiff: true,
        tolerances: (1e-8, 1e-12),
        within: 1e-5,
    },
    Problem {
        name: "E5",
        field: "let f = system(4, |t, u, p| {
            let slow = 7.89e-10 * u[0];
            let first = 1.1e7 * u[0] * u[2];
            let second = 1.13e9 * u[1] * u[2];
            let last = 1.13e3 * u[3];
            [-slow - first, slow - second, slow - first - second + last, first - last]
        });",
        u0: "[1.76e-3, 0.0, 0.0, 0.0]",
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

/// Returns the solution at the final time, computed by a script.
fn end(session: &mut Session, problem: &Problem, method: &str) -> Vec<f64> {
    let Problem { field, u0, end, .. } = problem;
    let (rtol, atol) = problem.tolerances;
    let code = format!(
        "{field}
         let sol = solve(f, {u0}, [0.0, {end:?}], #{{ solver: \"{method}\", rtol: {rtol:?}, atol: {atol:?}, max_steps: 1000000 }});
         let text = \"\";
         for x in sol.u[1].to_list() {{ text += `${{x}} `; }}
         text"
    );
    let outcome = session.eval(&code, None);
    let outcome = outcome.unwrap_or_else(|e| panic!("{}, {method}: {e}", problem.name));
    let numbers = outcome.text.trim_matches('"').split_whitespace();
    numbers.map(|x| x.parse().unwrap()).collect()
}

fn stiff_method(name: &str) -> bool {
    ["radau", "kvaerno5", "rodas5p", "bdf"].contains(&name)
}

/// Solves all stiff, or all nonstiff, problems with these solvers and checks the errors.
fn check(stiff: bool, names: &[&str]) {
    let mut session = Session::new(SessionOptions {
        output: Output::captured().0,
        ..SessionOptions::default()
    })
    .unwrap();
    for method in names {
        for problem in PROBLEMS.iter().filter(|p| p.stiff == stiff) {
            let got = end(&mut session, problem, method);
            for (i, (got, want)) in got.iter().zip(problem.want).enumerate() {
                let scale = if *want == 0.0 { 1.0 } else { want.abs() };
                let error = (got - want).abs() / scale;
                // At the same tolerance, stiff solvers have larger errors where the problem is not stiff.
                let within = match !problem.stiff && stiff_method(method) {
                    false => problem.within,
                    true => 10.0 * problem.within,
                };
                assert!(
                    error < within,
                    "{}, {method}, component {i}: {got} instead of {want}, off by {error:e}",
                    problem.name
                );
            }
        }
    }
}

#[test]
fn problems_that_are_not_stiff() {
    check(
        false,
        &[
            "dopri5", "tsit5", "vern7", "dopri8", "radau", "kvaerno5", "rodas5p", "auto",
        ],
    );
}

#[test]
fn stiff_problems() {
    check(true, &["radau", "kvaerno5", "rodas5p", "bdf", "auto"]);
}
