//! The ridge problem with own priors of some parameters, against dense linear algebra.

use nalgebra::{DMatrix, DVector};

use super::super::parameter_prior::{LinearPrior, RidgePrior};
use super::super::ridge::Ridge;
use odesync_base::random::Generator;

const ALPHA: f64 = 0.3;

/// Returns the precision of each parameter's prior and where its minimum lies, as δ.
fn priors(w: &[f64], own: &[LinearPrior]) -> (DVector<f64>, DVector<f64>) {
    let mut precision = DVector::from_element(w.len(), ALPHA);
    let mut center = DVector::from_iterator(w.len(), w.iter().map(|w| -w));
    for own in own {
        precision[own.place] = own.slope * own.slope;
        center[own.place] = -own.residual / own.slope;
    }
    (precision, center)
}

#[test]
fn steps_evidence_and_variances_are_those_of_dense_matrices() {
    let prior = |place, residual, slope| LinearPrior {
        place,
        residual,
        slope,
    };
    let own = [prior(1, 0.7, 3.0), prior(4, -2.0, 0.01)];
    let ridge_prior = RidgePrior {
        alpha: ALPHA,
        own: &own,
    };
    // More parameters than data, and fewer.
    for (n, p) in [(5, 9), (12, 6)] {
        let mut generator = Generator::manual_seed(3);
        let mut draw = |n: usize| generator.uniform_f64(-1.0, 1.0, n);
        let (x, nu, w) = (draw(n * p), draw(n), draw(p));
        let ridge = Ridge::new(x.clone(), nu.clone());
        let x = DMatrix::from_row_slice(n, p, &x);
        let gram = x.transpose() * &x;
        let (precision, center) = priors(&w, &own);
        let lambda = DMatrix::from_diagonal(&precision);
        for mu in [0.0, 0.5, 20.0] {
            // The damping is that of the prior, or of α where that is stronger.
            let damping = precision.map(|precision| mu * precision.max(ALPHA));
            let matrix = &gram + &lambda + DMatrix::from_diagonal(&damping);
            let right = x.transpose() * DVector::from_vec(nu.clone()) + &lambda * &center;
            let want = matrix.lu().solve(&right).unwrap();
            let got = DVector::from_vec(ridge.step(&w, ridge_prior, mu).unwrap());
            assert!((got - &want).norm() < 1e-9 * want.norm(), "{n} {p} {mu}");
        }
        let covariance = (&gram + &lambda).try_inverse().unwrap();
        let variances = ridge
            .variances(ridge_prior, DMatrix::<f64>::identity(p, p).as_slice())
            .unwrap();
        for i in 0..p {
            let want = covariance[(i, i)];
            assert!((variances[i] - want).abs() < 1e-9 * want, "{n} {p} {i}");
        }
        let terms = ridge.evidence_terms(ridge_prior).unwrap();
        let determined = |i: usize| 1.0 - precision[i] * covariance[(i, i)];
        let gamma: f64 = (0..p).map(determined).sum();
        let of_own: f64 = own.iter().map(|own| determined(own.place)).sum();
        assert!((terms.gamma - gamma).abs() < 1e-9, "{terms:?} {gamma}");
        assert!(
            (terms.of_alpha - (gamma - of_own)).abs() < 1e-9,
            "{terms:?}"
        );
        let inverse = DMatrix::from_diagonal(&precision.map(f64::recip));
        let identity = DMatrix::<f64>::identity(n, n);
        let log_det = (identity + &x * inverse * x.transpose()).determinant().ln();
        assert!(
            (terms.log_det - log_det).abs() < 1e-9,
            "{terms:?} {log_det}"
        );
    }
}
