//! The planar double pendulum.

use super::with_constants;
use crate::Result;
use crate::field::VectorField;
use odesync_base::option_set;
use odesync_base::options::Number;

option_set! {
    /// Constants of the double pendulum.
    #[derive(Debug)]
    pub(super) struct DoublePendulumConstants {
        /// Mass of the upper point, kg.
        m1: f64 as Number = 1.0;
        /// Mass of the lower point, kg.
        m2: f64 as Number = 1.0;
        /// Length of the upper rod, m.
        l1: f64 as Number = 1.0;
        /// Length of the lower rod, m.
        l2: f64 as Number = 1.0;
        /// Gravity, m/s².
        g: f64 as Number = 9.81;
        /// Friction of the upper joint, linear, N m s.
        k1: f64 as Number = 0.0;
        /// Friction of the lower joint, linear, N m s.
        k2: f64 as Number = 0.0;
    }
}

/// Returns the planar double pendulum: two point masses on massless rods. State (θ₁, θ₂, ω₁, ω₂): angles from the vertical in
/// rad, angular velocities in rad/s. Parameters: masses `m1`, `m2` = 1 kg, lengths `l1`, `l2` = 1 m, gravity `g` = 9.81 m/s²,
/// and linear friction at the joints `k1`, `k2` = 0 (N m s).
///
/// With δ = θ₁ − θ₂ the equations of motion M(θ) ω′ = r of the Lagrangian are
///
/// (m₁ + m₂) l₁² ω₁′ + m₂ l₁ l₂ cos δ ω₂′ = −m₂ l₁ l₂ sin δ ω₂² − (m₁ + m₂) g l₁ sin θ₁ − k₁ ω₁ + k₂ (ω₂ − ω₁),
///
/// m₂ l₁ l₂ cos δ ω₁′ + m₂ l₂² ω₂′ = m₂ l₁ l₂ sin δ ω₁² − m₂ g l₂ sin θ₂ − k₂ (ω₂ − ω₁),
///
/// solved for ω′ by Cramer's rule.
///
/// # Errors
/// None in practice; the type is that of every system.
pub fn double_pendulum() -> Result<VectorField> {
    with_constants(4, DoublePendulumConstants::OPTIONS, |_, u, p| {
        let (theta1, theta2, omega1, omega2) = (u.at(0), u.at(1), u.at(2), u.at(3));
        let (m2, l1, l2, g) = (p.get("m2"), p.get("l1"), p.get("l2"), p.get("g"));
        let total = p.get("m1") + &m2;
        let delta = &theta1 - &theta2;
        let coupling = &m2 * &l1 * &l2;
        let joint = p.get("k2") * (&omega2 - &omega1);

        let (a, b) = (&total * l1.square(), &coupling * delta.cos());
        let d = &m2 * l2.square();
        let force = &coupling * delta.sin();
        let r1 =
            -(&force * omega2.square()) - &total * &g * &l1 * theta1.sin() - p.get("k1") * &omega1
                + &joint;
        let r2 = &force * omega1.square() - &m2 * &g * &l2 * theta2.sin() - &joint;

        let determinant = &a * &d - b.square();
        vec![
            omega1.clone(),
            omega2.clone(),
            (&d * &r1 - &b * &r2) / &determinant,
            (&a * &r2 - &b * &r1) / &determinant,
        ]
    })
}
