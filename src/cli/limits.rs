//! What a command may take besides memory: time, and bytes in files.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::script::ScriptError;

use super::run::usage_error;

/// Exit code of a command whose time is over, that of `timeout` from GNU coreutils.
const TIME_IS_OVER: u8 = 124;
/// Exit code of an interrupt.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Default, clap::Args)]
pub(super) struct LimitArgs {
    /// Time after which what runs is stopped as by Ctrl-C, with exit code 124: 90 (seconds), 10m, 2h [default: none]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_time, allow_negative_numbers = true)]
    time_limit: Option<Duration>,
    /// Bytes that may be written into files: 500k, 20M, 2G [default: no limit]
    #[arg(long, global = true, value_name = "SIZE", value_parser = parse_size, allow_negative_numbers = true)]
    max_output: Option<u64>,
}

/// When the time is over, and how long it was.
static DEADLINE: OnceLock<(Instant, Duration)> = OnceLock::new();
static IS_OVER: AtomicBool = AtomicBool::new(false);

impl LimitArgs {
    /// Begins to count time and bytes.
    ///
    /// # Errors
    /// A time limit for a command that waits for its user.
    pub(super) fn begin(&self, waits_for_user: bool) -> Result<(), ScriptError> {
        if let Some(bytes) = self.max_output {
            crate::files::set_output_limit(bytes);
        }
        let Some(time) = self.time_limit else {
            return Ok(());
        };
        if waits_for_user {
            return Err(usage_error(
                "--time-limit is for commands that end by themselves, such as run, eval and discover; leave it out here",
            ));
        }
        if let Some(end) = Instant::now().checked_add(time) {
            // A command line is read once.
            let _ = DEADLINE.set((end, time));
        }
        Ok(())
    }

    /// Returns the flags for another process that is to have the same limit of output.
    pub(super) fn flags(&self) -> Vec<String> {
        let limit = self.max_output.map(|bytes| format!("--max-output={bytes}"));
        limit.into_iter().collect()
    }
}

/// Calls `stop` when the time is over, if there is a limit.
pub(super) fn at_deadline(stop: impl Fn() + Send + 'static) {
    let Some((end, time)) = DEADLINE.get() else {
        return;
    };
    std::thread::spawn(move || {
        std::thread::sleep(end.saturating_duration_since(Instant::now()));
        IS_OVER.store(true, Ordering::Relaxed);
        super::print_error(&format!(
            "stopping: the time limit of {time:?} is over; `odesync --time-limit TIME …` allows more"
        ));
        stop();
    });
}

/// Returns the exit code of what was stopped: by its time limit, or by the user.
pub(super) fn exit_code_of_stop() -> u8 {
    match IS_OVER.load(Ordering::Relaxed) {
        true => TIME_IS_OVER,
        false => INTERRUPTED,
    }
}

/// Splits a number from the unit after it.
fn number_and_unit(text: &str) -> Option<(f64, &str)> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let (number, unit) = text.split_at(number.len());
    let number = number.trim().parse::<f64>().ok()?;
    (number > 0.0 && number.is_finite()).then_some((number, unit))
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let seconds = match number_and_unit(text) {
        Some((n, "" | "s")) => Some(n),
        Some((n, "m" | "min")) => Some(n * 60.0),
        Some((n, "h")) => Some(n * 3600.0),
        Some((n, "d")) => Some(n * 86400.0),
        _ => None,
    };
    let seconds = seconds.and_then(|s| Duration::try_from_secs_f64(s).ok());
    seconds.ok_or_else(|| "should be a time above 0, such as 90, 90s, 10m, 2h or 1d".into())
}

fn parse_size(text: &str) -> Result<u64, String> {
    let unit = |unit: &str| -> Option<f64> {
        let power = match unit.to_ascii_lowercase().trim_end_matches("ib") {
            "" | "b" => 0,
            "k" | "kb" => 1,
            "m" | "mb" => 2,
            "g" | "gb" => 3,
            "t" | "tb" => 4,
            _ => return None,
        };
        Some(1024_f64.powi(power))
    };
    let bytes = number_and_unit(text).and_then(|(n, name)| Some(n * unit(name)?));
    // The cast saturates: more than all addresses is no limit.
    let bytes = bytes.map(|bytes| bytes as u64);
    bytes.ok_or_else(|| "should be a size above 0, such as 500k, 20M or 2G".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_have_units() {
        let seconds = |text: &str| parse_time(text).unwrap().as_secs_f64();
        assert_eq!(
            ["90", "1.5s", "10m", "2h", "1d"].map(seconds),
            [90.0, 1.5, 600.0, 7200.0, 86400.0]
        );
        let bytes = |text: &str| parse_size(text).unwrap();
        let kib = 1024;
        let sizes = ["100", "500k", "20M", "2GiB", "1.5 MB", "1e30"].map(bytes);
        assert_eq!(
            sizes,
            [
                100,
                500 * kib,
                20 * kib * kib,
                2 * kib * kib * kib,
                3 * kib * kib / 2,
                u64::MAX
            ]
        );
        for wrong in ["", "0", "-5", "x", "5 years", "inf", "NaN", "1m2"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
