//! A stiff problem for two conformance suites.

use odesync_ode::field::{VectorField, system};

/// Returns van der Pol's oscillator with a forcing, mildly stiff.
pub fn oscillator() -> VectorField {
    system(2, &[("mu", 8.0), ("a", 0.4)], |t, u, p| {
        let (x, v) = (u.at(0), u.at(1));
        let drive = p.get("a") * t.sin();
        vec![
            v.clone(),
            p.get("mu") * (1.0 - x.square()) * &v - &x + drive,
        ]
    })
    .unwrap()
    .trainable(&["mu", "a"])
    .unwrap()
}
