//! Multiruns: many runs of one script over the product of lists of values; each member is a separate process.
//!
//! Separate processes isolate the members: one that fails or takes too much memory does not end the others, and each has a random
//! generator of its own. `multirun.json` records the members, `summary.csv` their status; from both a multirun can be resumed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::run_dir::{RESULT_FILE, holds_run};
use crate::{Error, Result};
use odesync_base::files::write_atomically;

/// Name of the file that records the members.
pub const MULTIRUN_FILE: &str = "multirun.json";
/// Name of the file that records the status and the results of the members.
pub const SUMMARY_FILE: &str = "summary.csv";
/// Name of the file with the output of a member.
pub const OUTPUT_FILE: &str = "output.log";

/// Time between two checks of a running member.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A multirun: one script and the arguments of each of its runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Multirun {
    /// File of the script.
    pub script: PathBuf,
    /// Command-line flags that every member is called with, for example `--config FILE`.
    pub flags: Vec<String>,
    /// Arguments of each member, as `KEY=VALUE`; the arguments that all members share come first.
    pub members: Vec<Vec<String>>,
}

/// Status of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberStatus {
    /// Not started yet.
    Waiting,
    /// Running.
    Running,
    /// Finished.
    Done,
    /// Ended with an error.
    Failed,
    /// Stopped by the user; can be resumed.
    Interrupted,
}

impl MemberStatus {
    /// Returns the status as `summary.csv` shows it.
    pub fn name(self) -> &'static str {
        match self {
            MemberStatus::Waiting => "waiting",
            MemberStatus::Running => "running",
            MemberStatus::Done => "done",
            MemberStatus::Failed => "failed",
            MemberStatus::Interrupted => "interrupted",
        }
    }
}

/// A callback for every change of a status: the member's index, its name, its new status.
pub type StatusCallback<'a> = &'a (dyn Fn(usize, &str, MemberStatus) + Sync);

/// Options for the processes of the members.
#[derive(Clone, Copy)]
pub struct WorkerOptions<'a> {
    /// Program that runs a member.
    pub program: &'a Path,
    /// Command-line flags of this call, which are not stored: what the members may touch, for example.
    pub flags: &'a [String],
    /// Number of threads to divide among the members.
    pub threads: usize,
    /// Flag that stops every member after its current epoch.
    pub interrupt: &'a AtomicBool,
    /// Callback for changes of a status.
    pub on_status: StatusCallback<'a>,
}

impl Multirun {
    /// Reads the `multirun.json` of a folder.
    ///
    /// # Errors
    /// A file that can't be read or is damaged.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MULTIRUN_FILE);
        let bytes = odesync_base::files::read(&path).map_err(|e| Error::io("read", &path, &e))?;
        serde_json::from_slice(&bytes).map_err(|e| Error::Checkpoint {
            path,
            reason: e.to_string(),
        })
    }

    /// Writes `multirun.json` into a folder, which is created if it is missing.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|e| Error::invalid(e.to_string()))?;
        write_atomically(&folder.join(MULTIRUN_FILE), (text + "\n").as_bytes())
    }

    /// Returns the keys of the arguments in which members differ, in the order of the arguments.
    pub fn varying_keys(&self) -> Vec<String> {
        let Some(first) = self.members.first() else {
            return vec![];
        };
        let differs = |i: usize| self.members.iter().any(|m| m.get(i) != first.get(i));
        (0..first.len())
            .filter(|i| differs(*i))
            .map(|i| key(&first[i]).to_string())
            .collect()
    }

    /// Returns a member's name, which is also that of its folder: its index and the arguments in which it differs from the
    /// others.
    pub fn member_name(&self, member: usize) -> String {
        let varied = self.varying_keys();
        let parts: Vec<&str> = self.members[member]
            .iter()
            .filter(|argument| varied.iter().any(|v| v == key(argument)))
            .map(String::as_str)
            .collect();
        let plain: String = parts
            .join(",")
            .chars()
            .map(|c| match c {
                '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
                c if c.is_control() || c.is_whitespace() => '_',
                c => c,
            })
            .collect();
        // The index keeps the names distinct even where they are cut.
        let short: String = plain.chars().take(100).collect();
        format!("{member}_{short}")
            .trim_end_matches('_')
            .to_string()
    }

    /// Runs the members that are not done, at most as many at a time as there are threads, and returns the final status of each.
    /// The status of a member is written to `summary.csv` after it ends.
    ///
    /// # Errors
    /// A folder or summary that cannot be written. A member that fails is not an error here.
    pub fn run(&self, folder: &Path, workers: WorkerOptions) -> Result<Vec<MemberStatus>> {
        let table = Mutex::new(SummaryTable::read(self, folder)?);
        let next = AtomicUsize::new(0);
        let at_once = workers.threads.clamp(1, self.members.len().max(1));
        let threads = (workers.threads / at_once).max(1);
        let failed: Mutex<Option<Error>> = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| {
                    loop {
                        let member = next.fetch_add(1, Ordering::Relaxed);
                        if member >= self.members.len() || workers.interrupt.load(Ordering::Relaxed)
                        {
                            return;
                        }
                        if lock(&table).status[member] == MemberStatus::Done {
                            continue;
                        }
                        let name = self.member_name(member);
                        (workers.on_status)(member, &name, MemberStatus::Running);
                        let (status, why) = match self.run_member(member, folder, threads, workers)
                        {
                            Ok(ended) => ended,
                            Err(error) => (MemberStatus::Failed, error.to_string()),
                        };
                        let mut table = lock(&table);
                        table.status[member] = status;
                        table.errors[member] = why;
                        if let Err(error) = table.write(self, folder) {
                            lock(&failed).get_or_insert(error);
                            workers.interrupt.store(true, Ordering::Relaxed);
                        }
                        drop(table);
                        (workers.on_status)(member, &name, status);
                    }
                });
            }
        });
        if let Some(error) = lock(&failed).take() {
            return Err(error);
        }
        let table = lock(&table);
        table.write(self, folder)?;
        Ok(table.status.clone())
    }

    /// Runs the process of one member until it ends.
    fn run_member(
        &self,
        member: usize,
        folder: &Path,
        threads: usize,
        workers: WorkerOptions,
    ) -> Result<(MemberStatus, String)> {
        let member_dir = folder.join(self.member_name(member));
        std::fs::create_dir_all(&member_dir)
            .map_err(|e| Error::io("create the folder", &member_dir, &e))?;
        let log_path = member_dir.join(OUTPUT_FILE);
        let log = log_file(&log_path)?;
        let errors = log
            .try_clone()
            .map_err(|e| Error::io("write", &log_path, &e))?;
        let dir_flag = if holds_run(&member_dir) {
            "--resume"
        } else {
            "--out"
        };
        let mut child = Command::new(workers.program)
            .args(["run", "--stop-at-eof", "--threads", &threads.to_string()])
            .arg(dir_flag)
            .arg(&member_dir)
            .args(self.flags.iter().filter(|flag| is_storable(flag)))
            .args(workers.flags)
            .arg(&self.script)
            .args(&self.members[member])
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|e| Error::io("run", workers.program, &e))?;
        let status = wait(&mut child, workers.interrupt)
            .map_err(|e| Error::io("wait for", workers.program, &e))?;
        Ok(match status.code() {
            Some(0) => (MemberStatus::Done, String::new()),
            Some(130) => (MemberStatus::Interrupted, String::new()),
            _ => (MemberStatus::Failed, last_error(&log_path, status)),
        })
    }
}

/// Whether a flag may come from a file: those that allow a script more must be typed.
fn is_storable(flag: &str) -> bool {
    !flag.starts_with("--allow")
}

/// Waits for a process. When the user asks to stop, its standard input is closed, which asks it to stop.
fn wait(child: &mut Child, interrupt: &AtomicBool) -> std::io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if interrupt.load(Ordering::Relaxed) {
            drop(child.stdin.take());
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

fn log_file(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|e| Error::io("write", path, &e))
}

/// Returns the error that a member ended with: the last one in its output.
fn last_error(log: &Path, status: ExitStatus) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines()
        .rev()
        .find_map(|line| line.strip_prefix("error: "))
        .map_or_else(|| status.to_string(), str::to_string)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the key of `key=value`, without the signs of an override.
fn key(argument: &str) -> &str {
    argument
        .split_once('=')
        .map_or(argument, |(key, _)| key)
        .trim_start_matches(['+', '~'])
}

/// The content of `summary.csv`.
struct SummaryTable {
    status: Vec<MemberStatus>,
    errors: Vec<String>,
}

impl SummaryTable {
    /// Reads the status of the members when the summary was last written: those that are done are not run again.
    fn read(multirun: &Multirun, folder: &Path) -> Result<Self> {
        let n = multirun.members.len();
        let mut table = SummaryTable {
            status: vec![MemberStatus::Waiting; n],
            errors: vec![String::new(); n],
        };
        let path = folder.join(SUMMARY_FILE);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(table),
            Err(e) => return Err(Error::io("read", &path, &e)),
        };
        for row in csv::Reader::from_reader(file).deserialize::<BTreeMap<String, String>>() {
            let row = row.map_err(|e| Error::Checkpoint {
                path: path.clone(),
                reason: e.to_string(),
            })?;
            let done = row
                .get("status")
                .is_some_and(|s| s == MemberStatus::Done.name());
            let member = (0..n).find(|i| row.get("run") == Some(&multirun.member_name(*i)));
            if let Some(member) = member.filter(|_| done) {
                table.status[member] = MemberStatus::Done;
            }
        }
        Ok(table)
    }

    /// Writes one row for each member: its name, the arguments in which it differs, its status, and every entry of its
    /// `result.json`.
    fn write(&self, multirun: &Multirun, folder: &Path) -> Result<()> {
        let results: Vec<Option<serde_json::Map<String, Value>>> = (0..multirun.members.len())
            .map(|member| {
                let bytes =
                    std::fs::read(folder.join(multirun.member_name(member)).join(RESULT_FILE))
                        .ok()?;
                serde_json::from_slice(&bytes).ok()
            })
            .collect();
        let figures: Vec<String> = results
            .iter()
            .flatten()
            .next()
            .map_or_else(Vec::new, |first| first.keys().cloned().collect());
        let varied = multirun.varying_keys();
        let mut writer = csv::Writer::from_writer(vec![]);
        let failed = |e: csv::Error| {
            Error::io(
                "write",
                folder.join(SUMMARY_FILE),
                &std::io::Error::other(e),
            )
        };
        let figures: Vec<String> = figures
            .into_iter()
            .filter(|f| !varied.contains(f))
            .collect();
        let head = ["run".to_string()]
            .into_iter()
            .chain(varied.iter().cloned())
            .chain(["status".to_string()])
            .chain(figures.iter().cloned())
            .chain(["error".to_string()]);
        writer.write_record(head).map_err(failed)?;
        for (member, arguments) in multirun.members.iter().enumerate() {
            let value = |name: &String| -> String {
                let argument = arguments.iter().find(|a| key(a) == name);
                argument.map_or_else(String::new, |a| {
                    a.split_once('=').map_or("", |(_, v)| v).to_string()
                })
            };
            let figure = |name: &String| -> String {
                match results[member].as_ref().and_then(|r| r.get(name)) {
                    None | Some(Value::Null) => String::new(),
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                }
            };
            let row = [multirun.member_name(member)]
                .into_iter()
                .chain(varied.iter().map(value))
                .chain([self.status[member].name().to_string()])
                .chain(figures.iter().map(figure))
                .chain([self.errors[member].clone()]);
            writer.write_record(row).map_err(failed)?;
        }
        let bytes = writer
            .into_inner()
            .map_err(|e| Error::io("write", folder.join(SUMMARY_FILE), e.error()))?;
        write_atomically(&folder.join(SUMMARY_FILE), &bytes)
    }
}
