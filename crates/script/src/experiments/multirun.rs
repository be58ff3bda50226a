//! Many runs of one script: the product of lists of values, each member a process of its own.
//!
//! A process for each member keeps them apart: one that fails or takes too much memory does not end the others, and each draws
//! from its own random generator. `multirun.json` says what the members are, `summary.csv` how far they got; with both the whole
//! can be gone on with.

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

/// What the members are.
pub const MULTIRUN_FILE: &str = "multirun.json";
/// How far they got, and what came of them.
pub const SUMMARY_FILE: &str = "summary.csv";
/// What a member printed.
pub const OUTPUT_FILE: &str = "output.log";

/// Time between two looks at a member that runs.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A script and the arguments of each of its runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Multirun {
    /// The script.
    pub script: PathBuf,
    /// What every member is given beside its arguments, for example `--config FILE`.
    pub flags: Vec<String>,
    /// Arguments of each member, as `KEY=VALUE`; those that all share come first.
    pub members: Vec<Vec<String>>,
}

/// How a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberStatus {
    /// Not begun.
    Waiting,
    /// At work.
    Running,
    /// Done.
    Done,
    /// Ended with an error.
    Failed,
    /// Stopped by the user; it can be gone on with.
    Interrupted,
}

impl MemberStatus {
    /// As in `summary.csv`.
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

/// Told of every change: the member's index, its name, how it stands now.
pub type StatusCallback<'a> = &'a (dyn Fn(usize, &str, MemberStatus) + Sync);

/// How the members are run.
#[derive(Clone, Copy)]
pub struct WorkerOptions<'a> {
    /// The program to run them with.
    pub program: &'a Path,
    /// Threads to share among the members.
    pub threads: usize,
    /// Raised to stop every member after its epoch.
    pub interrupt: &'a AtomicBool,
    /// Who listens.
    pub on_status: StatusCallback<'a>,
}

impl Multirun {
    /// Reads the `multirun.json` of a folder.
    ///
    /// # Errors
    /// A file that can't be read or is damaged.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MULTIRUN_FILE);
        let bytes = std::fs::read(&path).map_err(|e| Error::io("read", &path, &e))?;
        serde_json::from_slice(&bytes).map_err(|e| Error::Checkpoint {
            path,
            reason: e.to_string(),
        })
    }

    /// Writes `multirun.json` into a folder, made when missing.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|e| Error::invalid(e.to_string()))?;
        write_atomically(&folder.join(MULTIRUN_FILE), (text + "\n").as_bytes())
    }

    /// The arguments in which members differ, in the order they are given.
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

    /// A member's name, which is that of its folder: what makes it differ from the others.
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
        // The number keeps the names apart even where they had to be cut.
        let short: String = plain.chars().take(100).collect();
        format!("{member}_{short}")
            .trim_end_matches('_')
            .to_string()
    }

    /// Runs the members that are not done, as many at a time as there are threads. What each came to stands in `summary.csv`
    /// after it ends; the result is how each stands at the end.
    ///
    /// # Errors
    /// A folder or summary that can't be written. A member that fails is no error here.
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

    /// One member's process, to its end.
    fn run_member(
        &self,
        member: usize,
        folder: &Path,
        threads: usize,
        workers: WorkerOptions,
    ) -> Result<(MemberStatus, String)> {
        let own = folder.join(self.member_name(member));
        std::fs::create_dir_all(&own).map_err(|e| Error::io("create the folder", &own, &e))?;
        let log_path = own.join(OUTPUT_FILE);
        let log = log_file(&log_path)?;
        let errors = log
            .try_clone()
            .map_err(|e| Error::io("write", &log_path, &e))?;
        let place = if holds_run(&own) { "--resume" } else { "--out" };
        let mut child = Command::new(workers.program)
            .args([
                "run",
                "--quiet",
                "--stop-at-eof",
                "--threads",
                &threads.to_string(),
            ])
            .arg(place)
            .arg(&own)
            .args(&self.flags)
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

/// Waits for a process. When the user asks to stop, the end of its input tells it to.
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

/// The error that a member ended with: the last one in its output.
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

/// The key of `key=value`, without the signs of an override.
fn key(argument: &str) -> &str {
    argument
        .split_once('=')
        .map_or(argument, |(key, _)| key)
        .trim_start_matches(['+', '~'])
}

/// What `summary.csv` holds.
struct SummaryTable {
    status: Vec<MemberStatus>,
    errors: Vec<String>,
}

impl SummaryTable {
    /// How the members stood when the summary was written last: those that are done are not run again.
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

    /// A row a member: its name, what makes it differ, how it stands, and every figure of its `result.json`.
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
                let given = arguments.iter().find(|a| key(a) == name);
                given.map_or_else(String::new, |a| {
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
