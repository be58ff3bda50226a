//! The processes of members.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::status::{MemberRecord, MemberStatus};
use super::{Multirun, OUTPUT_FILE};
use crate::experiments::run_dir::holds_run;
use crate::{Error, Result};
use odesync_base::files::{output_of_process, read};

/// Time between two checks of a running member.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

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
    /// Runs those of `members` that are not done, at most as many at a time as there are threads. The status of each is written to
    /// its folder when it begins and when it ends.
    ///
    /// # Errors
    /// A status that cannot be written. A member that fails is not an error here.
    pub fn run(&self, folder: &Path, members: &[usize], workers: WorkerOptions) -> Result<()> {
        let next = AtomicUsize::new(0);
        let at_once = workers.threads.clamp(1, members.len().max(1));
        let threads = (workers.threads / at_once).max(1);
        let failed: Mutex<Option<Error>> = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| {
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(&member) = members.get(place) else {
                            return;
                        };
                        if workers.interrupt.load(Ordering::Relaxed) {
                            return;
                        }
                        if let Err(error) = self.run_if_not_done(member, folder, threads, workers) {
                            lock(&failed).get_or_insert(error);
                            workers.interrupt.store(true, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        match lock(&failed).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn run_if_not_done(
        &self,
        member: usize,
        folder: &Path,
        threads: usize,
        workers: WorkerOptions,
    ) -> Result<()> {
        let member_dir = self.member_dir(folder, member);
        if MemberRecord::read(&member_dir).is_some_and(|r| r.status == MemberStatus::Done) {
            return Ok(());
        }
        let name = self.member_name(member);
        odesync_base::files::create_folder(&member_dir)?;
        MemberRecord::new(MemberStatus::Running).write(&member_dir)?;
        (workers.on_status)(member, &name, MemberStatus::Running);
        let ended = self
            .run_member(member, &member_dir, threads, workers)
            .unwrap_or_else(|error| MemberRecord {
                status: MemberStatus::Failed,
                error: error.to_string(),
            });
        ended.write(&member_dir)?;
        (workers.on_status)(member, &name, ended.status);
        Ok(())
    }

    /// Runs the process of one member until it ends.
    fn run_member(
        &self,
        member: usize,
        member_dir: &Path,
        threads: usize,
        workers: WorkerOptions,
    ) -> Result<MemberRecord> {
        let log_path = member_dir.join(OUTPUT_FILE);
        let failed = |e: std::io::Error| Error::io("write", &log_path, &e);
        let log = output_of_process(&log_path).map_err(failed)?;
        let errors = log.try_clone().map_err(failed)?;
        let dir_flag = if holds_run(member_dir) {
            "--resume"
        } else {
            "--out"
        };
        let mut child = Command::new(workers.program)
            .args(["run", "--stop-at-eof", "--threads", &threads.to_string()])
            .arg(dir_flag)
            .arg(member_dir)
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
            Some(0) => MemberRecord::new(MemberStatus::Done),
            Some(130) => MemberRecord::new(MemberStatus::Interrupted),
            _ => MemberRecord {
                status: MemberStatus::Failed,
                error: last_error(&log_path, status),
            },
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

/// Returns the error that a member ended with: the last one in its output.
fn last_error(log: &Path, status: ExitStatus) -> String {
    let text = read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines()
        .rev()
        .find_map(|line| line.strip_prefix("error: "))
        .map_or_else(|| status.to_string(), str::to_string)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
