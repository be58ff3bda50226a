//! The process with the Python clients of trackers, and with Optuna: one for the program, started with the first run that needs it,
//! fed lines of JSON.
//!
//! A training neither waits for it nor ends with it: lines go through a queue of bounded length to a thread of their own, and what
//! cannot be sent is left out. Whatever goes wrong is told once for each run.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program of the bridge, in Python.
pub const BRIDGE_PROGRAM: &str = include_str!("bridge.py");

/// Name of the environment variable with the Python to use.
pub const PYTHON_VARIABLE: &str = "ODESYNC_PYTHON";

/// Largest number of lines that wait for the process: a training that is faster than its tracker leaves metrics out.
const MAX_WAITING: usize = 20_000;

/// Returns the Python that runs the clients of trackers: that of `ODESYNC_PYTHON`, else `python3`.
pub fn python() -> PathBuf {
    let given = std::env::var_os(PYTHON_VARIABLE).filter(|python| !python.is_empty());
    given.map_or_else(|| "python3".into(), PathBuf::from)
}

/// What the process has said of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct TrackedRun {
    /// Where the run is kept.
    pub place: Option<String>,
    /// Why it is not kept.
    pub failure: Option<String>,
    /// Whether it is over.
    pub finished: bool,
}

#[derive(Debug, Default)]
struct Answers {
    runs: HashMap<u64, TrackedRun>,
    /// What a study has answered, by its number, and nobody has taken yet.
    replies: HashMap<u64, VecDeque<Value>>,
    /// Why the process is gone.
    ended: Option<String>,
}

/// A connection to the process.
#[derive(Debug)]
pub(super) struct Bridge {
    lines: SyncSender<String>,
    answers: Arc<(Mutex<Answers>, Condvar)>,
}

/// The bridge of this program, and the number of runs so far.
static SHARED: Mutex<(Option<Arc<Bridge>>, u64)> = Mutex::new((None, 0));

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bridge {
    /// Returns the bridge of this program, started if there is none or the last one has ended, and the number of a new run.
    ///
    /// # Errors
    /// Why the process does not start, in words.
    pub fn shared() -> Result<(Arc<Bridge>, u64), String> {
        let mut shared = lock(&SHARED);
        shared.1 += 1;
        let id = shared.1;
        if let Some(bridge) = shared.0.as_ref().filter(|bridge| bridge.is_alive()) {
            return Ok((Arc::clone(bridge), id));
        }
        let bridge = Arc::new(Bridge::start(
            Command::new(python()).args(["-c", BRIDGE_PROGRAM]),
        )?);
        shared.0 = Some(Arc::clone(&bridge));
        Ok((bridge, id))
    }

    /// Starts a process that speaks the protocol.
    ///
    /// # Errors
    /// Why it does not start, in words.
    pub fn start(command: &mut Command) -> Result<Bridge, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.map_err(|e| {
            format!("{name} does not start: {e}; {PYTHON_VARIABLE} may name another Python")
        })?;
        let (lines, waiting) = sync_channel(MAX_WAITING);
        let answers = Arc::new((Mutex::new(Answers::default()), Condvar::new()));
        let input = child.stdin.take();
        std::thread::spawn(move || write_lines(input, &waiting));
        let of_reader = Arc::clone(&answers);
        std::thread::spawn(move || read_answers(child, &of_reader));
        Ok(Bridge { lines, answers })
    }

    fn is_alive(&self) -> bool {
        lock(&self.answers.0).ended.is_none()
    }

    /// Sends a line if the process keeps up; returns false if it was left out.
    pub fn try_send(&self, message: &Value) -> bool {
        match self.lines.try_send(message.to_string()) {
            // The reader knows why the process has ended.
            Ok(()) | Err(TrySendError::Disconnected(_)) => true,
            Err(TrySendError::Full(_)) => false,
        }
    }

    /// Sends a line and waits until there is room for it, no longer than `patience`.
    pub fn send(&self, message: &Value, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        while !self.try_send(message) {
            if Instant::now() > until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// Sends a line of a study and waits for its answer, no longer than `patience`. A study has one question at a time.
    ///
    /// # Errors
    /// Why there is no answer, in words: the process's reason, or that it is gone or silent.
    pub fn request(&self, id: u64, message: &Value, patience: Duration) -> Result<Value, String> {
        let until = Instant::now() + patience;
        if !self.send(message, patience) {
            return Err(format!("its client took no line in {patience:?}"));
        }
        let mut answers = lock(&self.answers.0);
        loop {
            if let Some(reply) = answers.replies.get_mut(&id).and_then(VecDeque::pop_front) {
                return Ok(reply);
            }
            if let Some(why) = state_of(&answers, id).failure {
                return Err(why);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("its client gave no answer in {patience:?}"));
            }
            let waited = self.answers.1.wait_timeout(answers, left);
            answers = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Returns what the process has said of a run; a process that is gone has failed those that are not over.
    pub fn state(&self, id: u64) -> TrackedRun {
        let answers = lock(&self.answers.0);
        state_of(&answers, id)
    }

    /// Waits until a run is over or has failed, no longer than `patience`.
    pub fn wait_until_over(&self, id: u64, patience: Duration) -> TrackedRun {
        let over = |answers: &Answers| {
            let state = state_of(answers, id);
            state.finished || answers.ended.is_some()
        };
        let answers = lock(&self.answers.0);
        let waited = self
            .answers
            .1
            .wait_timeout_while(answers, patience, |answers| !over(answers));
        let (answers, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state_of(&answers, id)
    }
}

fn state_of(answers: &Answers, id: u64) -> TrackedRun {
    let mut state = answers.runs.get(&id).cloned().unwrap_or_default();
    if !state.finished && state.failure.is_none() {
        state.failure.clone_from(&answers.ended);
    }
    state
}

fn write_lines(input: Option<ChildStdin>, waiting: &Receiver<String>) {
    let Some(mut input) = input else {
        return;
    };
    // The end of the queue closes the input, at which the process ends.
    for line in waiting {
        if input.write_all((line + "\n").as_bytes()).is_err() {
            return;
        }
    }
}

fn read_answers(mut child: Child, answers: &(Mutex<Answers>, Condvar)) {
    let errors = child.stderr.take();
    let last_words = std::thread::spawn(move || {
        let mut last = String::new();
        for line in errors
            .map(BufReader::new)
            .into_iter()
            .flat_map(BufRead::lines)
        {
            // A line that is not UTF-8 is no word.
            if let Ok(line) = line
                && !line.trim().is_empty()
            {
                last = line;
            }
        }
        last
    });
    let out = child.stdout.take().map(BufReader::new);
    for line in out.into_iter().flat_map(BufRead::lines) {
        let Ok(line) = line else {
            break;
        };
        // What is no answer was printed by something that the process runs.
        let Ok(event) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        let text = |key: &str| event[key].as_str().map(str::to_string);
        let Some(id) = event["id"].as_u64() else {
            continue;
        };
        let mut known = lock(&answers.0);
        match event["event"].as_str() {
            Some("study" | "trial" | "reported" | "told") => {
                known.replies.entry(id).or_default().push_back(event);
            }
            Some(of_run) => {
                let run = known.runs.entry(id).or_default();
                match of_run {
                    "started" => run.place = text("where"),
                    "failed" => run.failure = run.failure.take().or_else(|| text("text")),
                    "finished" => run.finished = true,
                    _ => {}
                }
            }
            None => {}
        }
        drop(known);
        answers.1.notify_all();
    }
    let status = child.wait();
    let last = last_words.join().unwrap_or_default();
    let status = status.map_or_else(|e| e.to_string(), |status| status.to_string());
    let ended = match last.is_empty() {
        true => format!("the process of its client ended ({status})"),
        false => format!("the process of its client ended ({status}): {last}"),
    };
    lock(&answers.0).ended = Some(ended);
    answers.1.notify_all();
}
