//! Runs that are drawn at random instead of all combinations.

use odesync_base::random::Generator;

use super::sweep::{MAX_RUNS, SweptKey, too_many};
use super::sweep_functions::Interval;
use crate::{ConfigSource, Override, Result};

/// Random search (Bergstra & Bengio 2012): every run draws a value of each argument, independently and uniformly.
///
/// ```
/// use odesync_config::{ConfigSource, RandomSearch};
///
/// let arguments = ["lr=tag(log,interval(1e-4,1e-1))", "width=int(interval(8,64))", "activation=gelu,tanh"].map(String::from);
/// let search = RandomSearch { n: 50, seed: 1 };
/// let runs = search.draw(&arguments, &ConfigSource::find(None))?;
/// assert_eq!(runs.len(), 50);
/// assert_eq!(runs, search.draw(&arguments, &ConfigSource::find(None))?);
/// # Ok::<(), odesync_config::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RandomSearch {
    /// Number of runs.
    pub n: usize,
    /// Seed of the draws: the same one gives the same runs.
    pub seed: u64,
}

impl RandomSearch {
    /// Draws the overrides of each run from arguments as [`sweep`](crate::sweep()) takes them, and from `interval(start,end)`,
    /// `tag(log,interval(start,end))` and `int(interval(start,end))`.
    ///
    /// # Errors
    /// Those of [`sweep`](crate::sweep()) but that of an interval.
    pub fn draw(self, arguments: &[String], library: &ConfigSource) -> Result<Vec<Vec<Override>>> {
        if self.n > MAX_RUNS {
            return Err(too_many());
        }
        let keys = arguments
            .iter()
            .map(|argument| SweptKey::read(argument, library))
            .collect::<Result<Vec<_>>>()?;
        let mut generator = Generator::manual_seed(self.seed);
        (0..self.n)
            .map(|_| keys.iter().map(|key| pick(key, &mut generator)).collect())
            .collect()
    }
}

/// Returns a number of [0, 1) with 53 random bits.
fn unit(generator: &mut Generator) -> f64 {
    (generator.random64() >> 11) as f64 / (1u64 << 53) as f64
}

fn pick(key: &SweptKey, generator: &mut Generator) -> Result<Override> {
    match key {
        // A single value takes no draw, so that a setting that all runs share changes no other one.
        SweptKey::Values(values) => {
            let index = match values.len() {
                1 => 0,
                n => (unit(generator) * n as f64) as usize,
            };
            Ok(values[index.min(values.len() - 1)].clone())
        }
        SweptKey::Interval(head, interval) => {
            let text = draw(*interval, unit(generator));
            Override::from_parts(head, Some(&text))
        }
    }
}

fn draw(interval: Interval, share: f64) -> String {
    let Interval {
        low,
        high,
        log,
        whole,
    } = interval;
    let between = |low: f64, high: f64| low + (high - low) * share;
    // Rounding of half a unit beyond both ends gives every whole number the same share.
    let (from, to) = match whole {
        true => (low.ceil() - 0.5, high.floor() + 0.5),
        false => (low, high),
    };
    let x = match log {
        true => between(from.max(f64::MIN_POSITIVE).ln(), to.ln()).exp(),
        false => between(from, to),
    };
    match whole {
        true => format!(
            "{}",
            x.round().clamp(low.ceil(), high.floor().max(low.ceil())) as i64
        ),
        false => format!("{:?}", x.clamp(low, high)),
    }
}
