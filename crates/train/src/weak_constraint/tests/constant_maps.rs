//! The maps of constants within bounds, against finite differences and the bounds themselves.

use odesync_ode::field::ConstantSpec;

use super::super::constant_map::Constant;

/// Returns constants of every kind: what is known, and the start.
fn constants() -> Vec<Constant> {
    let any = ConstantSpec::default;
    let all = [
        (any(), 3.0),
        (any(), 0.0),
        (any(), -0.2),
        (any().prior(1.0, 0.5), 2.0),
        (any().log(), 1e-4),
        (any().min(-2.0), -1.5),
        (any().max(7.0), 6.0),
        (any().min(0.0).max(5.0).prior(1.0, 0.5), 4.9),
        (any().max(5.0).log(), 0.3),
        (any().min(1e-6).max(1e6).log(), 30.0),
    ];
    let make = |(spec, start)| Constant::new(0, start, spec);
    all.into_iter().map(make).collect()
}

#[test]
fn a_constant_begins_at_its_start_and_its_slope_is_that_of_finite_differences() {
    for constant in constants() {
        let start = constant.start;
        assert!((constant.value(0.0) - start).abs() <= 1e-14 * start.abs());
        for w in [-3.0, -0.4, 0.0, 0.7, 2.5] {
            let h = 1e-5;
            let by_difference = (constant.value(w + h) - constant.value(w - h)) / (2.0 * h);
            let slope = constant.slope(w);
            assert!(
                (slope - by_difference).abs() < 1e-8 * slope.abs(),
                "{constant:?} at {w}: {slope} {by_difference}"
            );
            let back = constant.inverse(constant.value(w)).unwrap();
            assert!((back - w).abs() < 1e-9, "{constant:?}: {back} {w}");
        }
    }
}

#[test]
fn no_bound_is_reached_however_far_a_step_goes() {
    let bounded: [(ConstantSpec, f64, f64, f64); 4] = [
        (ConstantSpec::default().log(), 2.0, 0.0, f64::INFINITY),
        (ConstantSpec::default().min(1.0), 2.0, 1.0, f64::INFINITY),
        (
            ConstantSpec::default().max(1.0),
            0.5,
            f64::NEG_INFINITY,
            1.0,
        ),
        (ConstantSpec::default().min(-1.0).max(1.0), 0.5, -1.0, 1.0),
    ];
    for (spec, start, min, max) in bounded {
        let constant = Constant::new(0, start, spec);
        for w in [-800.0, -60.0, -1.0, 1.0, 60.0, 800.0] {
            let value = constant.value(w);
            let is_above = min < value || min == f64::NEG_INFINITY;
            let is_below = value < max || max == f64::INFINITY;
            assert!(is_above && is_below, "{spec} {w}: {value}");
            // A training that ended there can be gone on with.
            if value.is_finite() {
                spec.check("k", value).unwrap();
            }
        }
        let outside = match max.is_finite() {
            true => max + 1.0,
            false => min - 1.0,
        };
        assert_eq!(constant.inverse(outside), None, "{spec}");
    }
}

#[test]
fn a_prior_between_bounds_has_what_the_normal_distribution_has_there() {
    // 68.27 % within one standard deviation, half above the mean.
    let within = ConstantSpec::default().min(0.5).max(1.5).prior(1.0, 0.5);
    let above = ConstantSpec::default().min(1.0).prior(1.0, 0.5);
    for (spec, mass) in [(within, 0.682_689_492_137), (above, 0.5)] {
        let got = Constant::new(0, 1.2, spec).log_prior_mass().exp();
        assert!((got - mass).abs() < 1e-10, "{got} {mass}");
    }
    let free = ConstantSpec::default().prior(1.0, 0.5);
    assert_eq!(Constant::new(0, 1.2, free).log_prior_mass(), 0.0);
}
