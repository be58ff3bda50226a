//! Robust losses against numerical integrals and finite differences.

use super::super::residual_loss::ResidualLoss;

const LOSSES: [ResidualLoss; 4] = [
    ResidualLoss::Gaussian,
    ResidualLoss::Huber { threshold: 1.345 },
    ResidualLoss::StudentT { freedom: 4.0 },
    ResidualLoss::StudentT { freedom: 7.5 },
];

/// Integrates over r from −∞ to ∞ by the trapezoidal rule in x, r = sinh x.
fn integral(f: impl Fn(f64) -> f64) -> f64 {
    let h = 1e-3;
    let at = |i: i32| {
        let x = f64::from(i) * h;
        f(x.sinh()) * x.cosh() * h
    };
    (-12_000..=12_000).map(at).sum()
}

fn normal_density(r: f64) -> f64 {
    (-0.5 * r * r).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// Density of a loss: its height over the normal one times exp(−ρ/2).
fn density(loss: ResidualLoss, r: f64) -> f64 {
    normal_density(0.0) * (loss.log_height() - 0.5 * loss.value(r)).exp()
}

#[test]
fn a_loss_is_a_density_and_its_weight_half_its_slope_over_r() {
    for loss in LOSSES {
        let mass = integral(|r| density(loss, r));
        assert!((mass - 1.0).abs() < 1e-7, "{loss:?}: {mass}");
        for r in [-30.0, -1.3, 0.2, 1.4, 5.0] {
            let slope = (loss.value(r + 1e-5) - loss.value(r - 1e-5)) / 2e-5;
            assert!(
                (loss.weight(r) - slope / (2.0 * r)).abs() < 1e-7,
                "{loss:?} {r}"
            );
            // The quadratic that touches it lies above it.
            for other in [-20.0, -1.0, 0.0, 0.7, 3.0] {
                let above = loss.value(r) + loss.weight(r) * (other * other - r * r);
                assert!(above >= loss.value(other) - 1e-9, "{loss:?} {r} {other}");
            }
        }
    }
}

#[test]
fn the_scale_is_right_for_the_noise_that_it_is_of() {
    for loss in LOSSES {
        // Huber's is calibrated for normal noise.
        let of = |r| match loss {
            ResidualLoss::Huber { .. } => normal_density(r),
            _ => density(loss, r),
        };
        let mean = integral(|r| of(r) * loss.scale_square(r));
        assert!((mean - 1.0).abs() < 1e-6, "{loss:?}: {mean}");
    }
    // What a datum of Student's t tells: the variance of the slope of its log density.
    for freedom in [4.0, 7.5] {
        let loss = ResidualLoss::StudentT { freedom };
        let score = |r: f64| loss.weight(r) * r;
        let information = integral(|r| density(loss, r) * score(r).powi(2));
        let weight = integral(|r| density(loss, r) * loss.weight(r));
        assert!((information - weight * loss.information()).abs() < 1e-6);
    }
}
