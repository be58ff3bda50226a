//! Comparison of gradients with finite differences.

use odesync_ode::odesolve::RecordedSteps;
use odesync_train::training::{Loss, Objective};

/// Evaluates the loss and its gradient on recorded steps, chosen at `params`. The components `which` of the gradient must
/// agree with central differences of fourth order within `tolerance` · (1 + |difference|).
pub fn held_to_differences(
    objective: &mut Objective,
    (params, lambda): (&[f64], f64),
    which: impl Iterator<Item = usize>,
    tolerance: f64,
) -> (Loss, Vec<RecordedSteps>) {
    let recorded = objective.evaluate(params, lambda, false, None);
    let recorded = recorded.unwrap().recorded;
    let at = objective.evaluate(params, lambda, true, Some(&recorded));
    let at = at.unwrap();
    for i in which {
        let mut value = |e: f64| {
            let mut p = params.to_vec();
            p[i] += e;
            let loss = objective.evaluate(&p, lambda, false, Some(&recorded));
            loss.unwrap().loss
        };
        let h = 1e-4;
        let fd = (8.0 * (value(h) - value(-h)) - (value(2.0 * h) - value(-2.0 * h))) / (12.0 * h);
        assert!(
            (fd - at.gradient[i]).abs() < tolerance * (1.0 + fd.abs()),
            "{i} at lambda {lambda}: {fd} {}",
            at.gradient[i]
        );
    }
    (at, recorded)
}
