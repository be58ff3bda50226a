//! Example of events: a bouncing ball. Each flight ends at a terminal event, and the next starts with the remaining speed.
//!
//!     cargo run --release -p odesync-ode --example events

use odesync_ode::Result;
use odesync_ode::field::system;
use odesync_ode::odesolve::{Direction, Event, SolveOptions, solve};

/// Fraction of the speed that remains after a bounce.
const KEPT: f64 = 0.8;
const G: f64 = 9.81;

fn main() -> Result<()> {
    let ball = system(2, &[("g", G)], |_t, u, p| vec![u.at(1), -p.get("g")])?;
    // Height 0 from above ends the solve; the top of the flight, where the velocity crosses 0, is only recorded.
    let ground = Event::new(2, &[], |_t, u, _| u.at(0))?
        .direction(Direction::Down)
        .terminal();
    let top = Event::new(2, &[], |_t, u, _| u.at(1))?.direction(Direction::Down);
    let options = SolveOptions::default().event(ground).event(top);

    println!(
        "{:>6} {:>16} {:>16} {:>9} {:>10}",
        "bounce", "t", "exact", "apart", "top before"
    );
    let (mut t, mut state) = (0.0, [0.0, 10.0]);
    let mut exact = 0.0;
    for bounce in 1..=12 {
        exact += 2.0 * state[1] / G;
        let flight = solve(&ball, &state, &[t, t + 10.0], &options)?;
        // The terminal event replaces the last output time by its own time.
        let (end, last) = (flight.t.len() - 1, flight.u.nrows() - 1);
        t = flight.t[end];
        let height = flight.events[1].u[[0, 0]];
        let bar = "█".repeat((8.0 * height) as usize);
        println!(
            "{bounce:>6} {t:>16.12} {exact:>16.12} {:>9.1e} {height:>10.4} {bar}",
            (t - exact).abs()
        );
        state = [0.0, -KEPT * flight.u[[last, 1]]];
    }
    let rest = 2.0 * 10.0 / G / (1.0 - KEPT);
    println!("after infinitely many bounces it lies still, at t = {rest:.4}");
    Ok(())
}
