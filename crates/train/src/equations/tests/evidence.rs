//! The evidence of sets of coefficients, against the density of a normal distribution.

use nalgebra::{DMatrix, DVector};

use super::super::linear_evidence::LinearEvidence;
use crate::weak_constraint::WhitenedProblem;

/// log N(h; 0, I + X Xᵀ/α) with the columns of a set.
fn log_density(x: &DMatrix<f64>, h: &DVector<f64>, set: &[usize], alpha: f64) -> f64 {
    let part = x.select_columns(set);
    let covariance = DMatrix::identity(h.len(), h.len()) + &part * part.transpose() / alpha;
    let solved = covariance.clone().lu().solve(h).unwrap();
    let n = h.len() as f64;
    -0.5 * (h.dot(&solved) + covariance.determinant().ln() + n * std::f64::consts::TAU.ln())
}

fn problem() -> (DMatrix<f64>, DVector<f64>) {
    let x = DMatrix::from_fn(7, 4, |i, j| ((3 * i + 5 * j * j + 1) as f64).sin());
    let h = DVector::from_fn(7, |i, _| {
        3.0 * x[(i, 1)] - 2.0 * x[(i, 3)] + (i as f64).cos()
    });
    (x, h)
}

fn linear(x: &DMatrix<f64>, h: &DVector<f64>, columns: &[Option<usize>]) -> LinearEvidence {
    let problem = WhitenedProblem {
        x: x.transpose().as_slice().to_vec(),
        h: h.as_slice().to_vec(),
    };
    LinearEvidence::new(&problem, 0.7, columns)
}

#[test]
fn the_evidence_is_the_density_of_the_data() {
    let (x, h) = problem();
    let all: Vec<Option<usize>> = (0..4).map(Some).collect();
    let linear = linear(&x, &h, &all);
    let empty = log_density(&x, &h, &[], 0.7);
    for set in [vec![0], vec![1, 3], vec![0, 1, 2, 3]] {
        let expected = log_density(&x, &h, &set, 0.7) - empty;
        assert!((linear.log_evidence(&set) - expected).abs() < 1e-10);
    }
    for change in linear.moves(&[1, 2], |_| 0, 0.5) {
        let next = change.apply(&[1, 2]);
        let more = next.len() as f64 - 2.0;
        let gain = log_density(&x, &h, &next, 0.7) - log_density(&x, &h, &[1, 2], 0.7);
        assert!(
            (change.gain - (gain - 0.5 * more)).abs() < 1e-10,
            "{change:?}"
        );
    }
}

#[test]
fn standard_errors_are_those_of_ridge_regression() {
    let (x, h) = problem();
    // Column 2 is a parameter of the model, which is in every set.
    let linear = linear(&x, &h, &[Some(0), Some(1), None, Some(3)]);
    let part = x.select_columns(&[1, 2, 3]);
    let information = part.transpose() * &part + DMatrix::identity(3, 3) * 0.7;
    let covariance = information.try_inverse().unwrap();
    let w = &covariance * part.transpose() * &h;
    let errors = linear.standard_errors(&[1, 3]);
    let ratios = linear.ratios(&[1, 3]);
    for (i, place) in [0, 2].into_iter().enumerate() {
        let error = covariance[(place, place)].sqrt();
        assert!((errors[i] - error).abs() < 1e-12);
        assert!((ratios[i] - w[place].abs() / error).abs() < 1e-9);
    }
    assert_eq!(linear.standard_errors(&[2]), [f64::INFINITY]);
}

#[test]
fn the_best_set_of_all_is_among_the_optima() {
    let (x, h) = problem();
    let all: Vec<Option<usize>> = (0..4).map(Some).collect();
    let linear = linear(&x, &h, &all);
    let sets = (0..16usize).map(|bits| (0..4).filter(|i| bits >> i & 1 == 1).collect::<Vec<_>>());
    let score = |set: &Vec<usize>| log_density(&x, &h, set, 0.7) - set.len() as f64 * 1.4;
    let best = sets.max_by(|a, b| score(a).total_cmp(&score(b))).unwrap();
    assert_eq!(linear.optima(&[], |_| 0, 1.4)[0], best);
}
