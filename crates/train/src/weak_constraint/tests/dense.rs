//! Filter, ridge problem and smoother against dense linear algebra on the same linearised problem.

use nalgebra::DMatrix;

use super::super::gauss_newton::{Cost, log_evidence};
use super::super::parameter_prior::RidgePrior;
use super::linear_problem::LinearProblem;

/// Trajectories of a problem: their lengths, and whether their initial states are given.
const TRAJECTORIES: [(usize, bool); 3] = [(7, false), (5, true), (1, false)];

/// Returns problems with fewer and with more data than parameters, in one panel and in two, for model errors from large to zero.
fn problems() -> Vec<LinearProblem> {
    let mut all = vec![];
    for q in [2.0, 0.1, 1e-3, 0.0] {
        for (dof, n_params) in [(1, 3), (2, 4), (3, 50), (2, 150)] {
            all.push(LinearProblem::new(dof, n_params, &TRAJECTORIES, q));
        }
    }
    all
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    let off = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    off.fold(0.0, |m: f64, x| if x.is_nan() { x } else { m.max(x) }) / largest
}

#[test]
fn a_step_is_that_of_dense_least_squares() {
    for problem in problems() {
        let filtered = problem.filtered();
        for (alpha, mu) in [(0.3, 0.0), (0.01, 2.0)] {
            let delta = filtered
                .ridge
                .step(&problem.w, RidgePrior::uniform(alpha), mu)
                .unwrap();
            let change = filtered.smooth(&problem.nodes, &problem.linearization.a, &delta);
            let (want_delta, want_change) = problem.dense_step(alpha, mu);
            let q = problem.q;
            assert!(
                distance(&delta, &want_delta) < 1e-8,
                "q {q} α {alpha} μ {mu}"
            );
            assert!(
                distance(&change, &want_change) < 1e-8,
                "q {q} α {alpha} μ {mu}"
            );
        }
    }
}

#[test]
fn the_covariance_is_that_of_the_dense_posterior() {
    let alpha = 0.3;
    for problem in problems() {
        let (p, dof) = (problem.w.len(), problem.nodes.dof);
        let filtered = problem.filtered();
        let (slopes, given_w) = filtered.posterior(&problem.nodes, &problem.linearization.a);
        let by_w = filtered
            .ridge
            .variances(RidgePrior::uniform(alpha), &slopes)
            .unwrap();
        let want = problem.dense_covariance(alpha);
        let got: Vec<f64> = (0..by_w.len())
            .map(|i| by_w[i] + given_w[i * dof + i % dof])
            .collect();
        let want_variances: Vec<f64> = (0..got.len()).map(|i| want[(p + i, p + i)]).collect();
        assert!(distance(&got, &want_variances) < 1e-7, "q {}", problem.q);
        // Cov(ds, δ) = slopes Cov(δ).
        let slopes = DMatrix::from_row_slice(got.len(), p, &slopes);
        let cross = slopes * want.view((0, 0), (p, p));
        let want_cross = want.view((p, 0), (got.len(), p)).clone_owned();
        assert!(
            distance(cross.as_slice(), want_cross.as_slice()) < 1e-7,
            "q {}",
            problem.q
        );
    }
}

#[test]
fn the_evidence_is_the_density_of_the_data() {
    let alpha = 0.3;
    for problem in problems() {
        let filtered = problem.filtered();
        let terms = filtered
            .ridge
            .evidence_terms(RidgePrior::uniform(alpha))
            .unwrap();
        // The least cost is |ν − X δ|² + α |w + δ|² at the undamped step.
        let delta = filtered
            .ridge
            .step(&problem.w, RidgePrior::uniform(alpha), 0.0)
            .unwrap();
        let squares = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        let moved: Vec<f64> = problem.w.iter().zip(&delta).map(|(w, d)| w + d).collect();
        let cost = Cost {
            chi2: squares(&filtered.ridge.residual(&delta)),
            defects: 0.0,
            prior: alpha * squares(&moved),
            initial: 0.0,
        };
        let got = log_evidence(cost, terms, &filtered, 0.0);
        let want = problem.dense_log_density(alpha);
        assert!((got - want).abs() < 1e-8 * want.abs(), "{got} {want}");
        // γ = P − α tr Cov(w).
        let covariance = problem.dense_covariance(alpha);
        let p = problem.w.len();
        let trace: f64 = (0..p).map(|i| covariance[(i, i)]).sum();
        let want = p as f64 - alpha * trace;
        assert!(
            (terms.gamma - want).abs() < 1e-8 * p as f64,
            "{terms:?} {want}"
        );
    }
}
