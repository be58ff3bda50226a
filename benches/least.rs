//! The least wall time of many calls: what another program on the machine disturbs least.

use std::time::{Duration, Instant};

/// Least wall time, s, of at least so many calls that take at least so long together.
pub fn least<E>(
    calls: usize,
    time: Duration,
    mut call: impl FnMut() -> Result<(), E>,
) -> Result<f64, E> {
    let (begin, mut least, mut done) = (Instant::now(), f64::INFINITY, 0);
    while done < calls || begin.elapsed() < time {
        let start = Instant::now();
        call()?;
        least = least.min(start.elapsed().as_secs_f64());
        done += 1;
    }
    Ok(least)
}
