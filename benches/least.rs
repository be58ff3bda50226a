//! Minimum wall time of many calls, which other programs on the machine disturb least.

use std::time::{Duration, Instant};

/// Returns the minimum wall time, s, of at least `calls` calls that take at least `time` in total.
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
