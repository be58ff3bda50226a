//! Tests of classic problems, written as a user would write them, against the published final values.

use odesync_script::script::{Output, Session, SessionOptions};
use odesync_testing::classic_problems::{
    ARENSTORF, BRUSSELATOR, ClassicProblem, E5, HIRES, LORENZ, OREGONATOR, PLEIADES, RIGID_BODY,
    ROBERTSON, VAN_DER_POL,
};

/// The problems, with their systems in the script language as the right-hand side of `f`.
const PROBLEMS: [(ClassicProblem, &str); 10] = [
    (
        ARENSTORF,
        "let f = system(4, |t, u, p| {
            let nu = 1.0 - p.mu;
            let d1 = ((u[0] + p.mu) ** 2 + u[1] ** 2) ** 1.5;
            let d2 = ((u[0] - nu) ** 2 + u[1] ** 2) ** 1.5;
            [u[2], u[3],
             u[0] + 2.0 * u[3] - nu * (u[0] + p.mu) / d1 - p.mu * (u[0] - nu) / d2,
             u[1] - 2.0 * u[2] - nu * u[1] / d1 - p.mu * u[1] / d2]
        }, #{ mu: 0.012277471 });",
    ),
    (
        BRUSSELATOR,
        "let f = system(2, |t, u, p| [1.0 + u[0] ** 2 * u[1] - 4.0 * u[0], 3.0 * u[0] - u[0] ** 2 * u[1]]);",
    ),
    (
        RIGID_BODY,
        "let f = system(3, |t, u, p| [u[1] * u[2], -u[0] * u[2], -p.k * u[0] * u[1]], #{ k: 0.51 });",
    ),
    (
        PLEIADES,
        "let f = system(28, |t, u, p| {
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
    ),
    (LORENZ, "let f = lorenz();"),
    (
        VAN_DER_POL,
        "let f = system(2, |t, u, p| [u[1], ((1.0 - u[0] ** 2) * u[1] - u[0]) / p.epsilon], #{ epsilon: 1e-6 });",
    ),
    (ROBERTSON, "let f = robertson();"),
    (
        OREGONATOR,
        "let f = system(3, |t, u, p| [
            77.27 * (u[1] + u[0] * (1.0 - 8.375e-6 * u[0] - u[1])),
            (u[2] - (1.0 + u[0]) * u[1]) / 77.27,
            0.161 * (u[0] - u[2])]);",
    ),
    (
        HIRES,
        "let f = system(8, |t, u, p| [
            -1.71 * u[0] + 0.43 * u[1] + 8.32 * u[2] + 0.0007,
            1.71 * u[0] - 8.75 * u[1],
            -10.03 * u[2] + 0.43 * u[3] + 0.035 * u[4],
            8.32 * u[1] + 1.71 * u[2] - 1.12 * u[3],
            -1.745 * u[4] + 0.43 * u[5] + 0.43 * u[6],
            -280.0 * u[5] * u[7] + 0.69 * u[3] + 1.71 * u[4] - 0.43 * u[5] + 0.69 * u[6],
            280.0 * u[5] * u[7] - 1.81 * u[6],
            -280.0 * u[5] * u[7] + 1.81 * u[6]]);",
    ),
    (
        E5,
        "let f = system(4, |t, u, p| {
            let slow = 7.89e-10 * u[0];
            let first = 1.1e7 * u[0] * u[2];
            let second = 1.13e9 * u[1] * u[2];
            let last = 1.13e3 * u[3];
            [-slow - first, slow - second, slow - first - second + last, first - last]
        });",
    ),
];

/// Returns the solution at the final time, computed by a script.
fn end(session: &mut Session, problem: &ClassicProblem, field: &str, method: &str) -> Vec<f64> {
    let ClassicProblem { u0, end, .. } = problem;
    let (rtol, atol) = problem.tolerances;
    let code = format!(
        "{field}
         let sol = solve(f, {u0:?}, [0.0, {end:?}], #{{ solver: \"{method}\", rtol: {rtol:?}, atol: {atol:?}, max_steps: 1000000 }});
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
        for (problem, field) in PROBLEMS.iter().filter(|(p, _)| p.stiff == stiff) {
            let got = end(&mut session, problem, field, method);
            // At the same tolerance, stiff solvers have larger errors where the problem is not stiff.
            let factor = match !problem.stiff && stiff_method(method) {
                false => 1.0,
                true => 10.0,
            };
            problem.check(method, &got, factor);
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
