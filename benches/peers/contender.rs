//! Contenders that do the same work: a call of this library, or a peer in its own process. They are timed in turns, because the
//! speed of a shared machine changes within minutes: timing one after the other would compare the machine with itself.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::cases::Failure;
use crate::least::least;

/// Number of turns of each contender.
const TURNS: usize = 12;
/// Minimum duration of a turn, which has at least one call.
const TURN: Duration = Duration::from_millis(500);

/// Contender in a race for the minimum time.
pub trait Contender {
    /// Returns the minimum wall time of a call in one turn, s.
    fn turn(&mut self) -> Result<f64, Failure>;
}

/// Returns the minimum wall time of each contender's calls over all turns, s, which other programs on the machine disturb least.
pub fn race(all: &mut [Box<dyn Contender + '_>]) -> Result<Vec<f64>, Failure> {
    let mut least = vec![f64::INFINITY; all.len()];
    for _ in 0..TURNS {
        for (least, one) in least.iter_mut().zip(&mut *all) {
            *least = least.min(one.turn()?);
        }
    }
    Ok(least)
}

/// A call of this library.
pub struct Own<F>(pub F);

impl<F: FnMut() -> Result<(), Failure>> Contender for Own<F> {
    fn turn(&mut self) -> Result<f64, Failure> {
        least(1, TURN, &mut self.0)
    }
}

/// Process that computes a case once and then times it on request.
pub struct Peer {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Result of the computation.
    pub result: Value,
}

impl Peer {
    /// Starts one of the scripts in this folder with a case; the script compiles the computation before it is timed.
    pub fn start(python: &str, script: &str, case: &Value) -> Result<Self, Failure> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), case.to_string())?;
        let mut process = Command::new(python)
            .arg(format!(
                "{}/benches/peers/{script}",
                env!("CARGO_MANIFEST_DIR")
            ))
            .arg(file.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = process.stdin.take().ok_or("no standard input")?;
        let answers = process.stdout.take().ok_or("no standard output")?;
        let mut peer = Self {
            process,
            orders,
            answers: BufReader::new(answers),
            result: Value::Null,
        };
        peer.result = peer.answer()?;
        Ok(peer)
    }

    /// Returns a number of the result.
    pub fn number(&self, key: &str) -> Result<f64, Failure> {
        let number = self.result[key].as_f64();
        Ok(number.ok_or_else(|| format!("the peer's answer has no {key}"))?)
    }

    fn answer(&mut self) -> Result<Value, Failure> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(format!("the peer ended: {}", self.process.wait()?).into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Contender for Peer {
    fn turn(&mut self) -> Result<f64, Failure> {
        writeln!(self.orders, "{}", TURN.as_secs_f64())?;
        self.orders.flush()?;
        let seconds = self.answer()?.as_f64();
        Ok(seconds.ok_or("the peer's time is no number")?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
