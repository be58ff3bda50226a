//! Tests of many solves by one call of `solve`.

use crate::support::{check, check_errors};

#[test]
fn many_solves_in_one_call() {
    check(&[
        (
            "let f = lotka_volterra(); let t = [0, 1, 2]; let sols = solve(f, [[1, 1], [2, 1.5]], t); sols.u.shape",
            "[2, 3, 2]",
        ),
        ("all(sols.u[1] == solve(f, [2, 1.5], t).u)", "true"),
        ("all(sols.t == array([0, 1, 2]))", "true"),
        (
            "sols.stats.steps == solve(f, [1, 1], t).stats.steps + solve(f, [2, 1.5], t).stats.steps",
            "true",
        ),
        // Each constant has a value for each solve; one initial state is that of all.
        (
            "let swept = solve(lorenz(), [1, 1, 1], [0, 50], #{ params: #{ rho: [10, 20] } }); \
             all(abs(swept.u[1][1][2] - 19.0) < 0.01)",
            "true",
        ),
        (
            "all(swept.u[0] == solve(lorenz(#{ rho: 10 }), [1, 1, 1], [0, 50]).u)",
            "true",
        ),
        (
            "let g = system(1, |t, u| [u[0] * u[0]]); \
             let some = solve(g, [[0.5], [2.0]], [0, 1], #{ keep_failed: true }); [some.failures.len(), some.failures[0].index]",
            "[1, 1]",
        ),
        (
            "[abs(some.u[0][1][0] - 1.0) < 1e-6, isnan(some.u[1][1][0])]",
            "[true, 1.0]",
        ),
    ]);
}

#[test]
fn mistakes_in_many_solves_are_errors() {
    check_errors(&[
        (
            "solve(lorenz(), [[1, 1], [2, 2]], [0, 1])",
            "each of the initial states has 2",
        ),
        (
            "solve(lorenz(), [1, 1, 1], [0, 1], #{ params: #{ rho: [10, 20], sigma: [1] } })",
            "there are 2 solves",
        ),
        (
            "solve(lorenz(), [1, 1, 1], [0, 1], #{ params: #{ rhoo: [10, 20] } })",
            "did you mean \"rho\"?",
        ),
        (
            "solve(lorenz(), [1, 1, 1], [0, 1], #{ params: [1, 2] })",
            "a map from names of constants",
        ),
        (
            "solve(lorenz(), [1, 1, 1], [0, 1], #{ keep_failed: true })",
            "belongs to several solves",
        ),
        (
            "solve(lorenz(), zeros([2, 2, 3]), [0, 1])",
            "not of shape [2, 2, 3]",
        ),
        (
            "solve(lorenz(), [[1, 1, 1], [2, 1, 1]], [0, 1], #{ event: |t, u| u[0] })",
            "one after the other",
        ),
    ]);
}
