//! Example of events: a bouncing ball. At each hit of the ground an event turns its speed around, and the twelfth ends the solve.
//!
//!     cargo run --release -p odesync-ode --example events

use odesync_ode::Result;
use odesync_ode::field::system;
use odesync_ode::odesolve::{Direction, Event, Jump, SolveOptions, solve};

/// Fraction of the speed that remains after a bounce.
const KEPT: f64 = 0.8;
const G: f64 = 9.81;
/// Number of bounces.
const BOUNCES: usize = 12;

fn main() -> Result<()> {
    let ball = system(2, &[("g", G)], |_t, u, p| vec![u.at(1), -p.get("g")])?;
    let bounce = Jump::new(2, &[("kept", KEPT)], |_t, u, p| {
        vec![u.at(0) * 0.0, -p.get("kept") * u.at(1)]
    })?;
    // Height 0 from above is a bounce; the top of the flight, where the velocity crosses 0, is only recorded.
    let ground = Event::new(2, &[], |_t, u, _| u.at(0))?
        .direction(Direction::Down)
        .jump(bounce)?
        .terminal_at_hit(BOUNCES)?;
    let top = Event::new(2, &[], |_t, u, _| u.at(1))?.direction(Direction::Down);
    let options = SolveOptions::default().event(ground).event(top);
    let solution = solve(&ball, &[0.0, 10.0], &[0.0, 100.0], &options)?;

    println!(
        "{:>6} {:>16} {:>16} {:>9} {:>10}",
        "bounce", "t", "exact", "apart", "top before"
    );
    let (mut exact, mut speed) = (0.0, 10.0);
    for (i, t) in solution.events[0].t.iter().enumerate() {
        exact += 2.0 * speed / G;
        speed *= KEPT;
        let height = solution.events[1].u[[i, 0]];
        let bar = "█".repeat((8.0 * height) as usize);
        println!(
            "{:>6} {t:>16.12} {exact:>16.12} {:>9.1e} {height:>10.4} {bar}",
            i + 1,
            (t - exact).abs()
        );
    }
    let rest = 2.0 * 10.0 / G / (1.0 - KEPT);
    println!("after infinitely many bounces it lies still, at t = {rest:.4}");
    Ok(())
}
