//! The processes of members.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::status::{MemberRecord, MemberStatus};
use super::{Multirun, OUTPUT_FILE};
use crate::experiments::run_dir::holds_run;
use crate::{Error, Result};
use odesync_base::files::{output_of_process, read};

/// Time between two checks of a running member.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Number of checks of a running member between two looks at whether its study has pruned it.
const PRUNING_POLLS: usize = 5;

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

/// What says which members run.
pub trait MemberSource: Sync {
    /// Returns the next member, with the multirun that it belongs to; `None` where there is none any more.
    ///
    /// # Errors
    /// What keeps the source from choosing one: all members are stopped then.
    fn next(&self) -> Result<Option<(Arc<Multirun>, usize)>>;

    /// Takes notice that a member has ended.
    ///
    /// # Errors
    /// As of [`MemberSource::next`].
    fn on_end(&self, member: usize) -> Result<()>;
}

/// Members that are known before.
pub struct MemberList {
    multirun: Arc<Multirun>,
    members: Vec<usize>,
    next: AtomicUsize,
}

impl MemberList {
    /// Creates a source of these members of a multirun.
    pub fn new(multirun: &Multirun, members: &[usize]) -> Self {
        MemberList {
            multirun: Arc::new(multirun.clone()),
            members: members.to_vec(),
            next: AtomicUsize::new(0),
        }
    }
}

impl MemberSource for MemberList {
    fn next(&self) -> Result<Option<(Arc<Multirun>, usize)>> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let member = self.members.get(place);
        Ok(member.map(|member| (Arc::clone(&self.multirun), *member)))
    }

    fn on_end(&self, _member: usize) -> Result<()> {
        Ok(())
    }
}

/// Runs the members of a source that are not over, `at_once` at a time. The status of each is written to its folder when it begins
/// and when it ends.
///
/// # Errors
/// A status that cannot be written; those of the source. A member that fails is not an error here.
pub fn run_members(
    source: &dyn MemberSource,
    folder: &Path,
    at_once: usize,
    workers: WorkerOptions,
) -> Result<()> {
    let at_once = at_once.clamp(1, workers.threads.max(1));
    let threads = (workers.threads / at_once).max(1);
    let failed: Mutex<Option<Error>> = Mutex::new(None);
    let work = || -> Result<()> {
        while !workers.interrupt.load(Ordering::Relaxed) {
            let Some((multirun, member)) = source.next()? else {
                return Ok(());
            };
            multirun.run_if_not_over(member, folder, threads, workers)?;
            source.on_end(member)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                if let Err(error) = work() {
                    lock(&failed).get_or_insert(error);
                    workers.interrupt.store(true, Ordering::Relaxed);
                }
            });
        }
    });
    match lock(&failed).take() {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

impl Multirun {
    fn run_if_not_over(
        &self,
        member: usize,
        folder: &Path,
        threads: usize,
        workers: WorkerOptions,
    ) -> Result<()> {
        let member_dir = self.member_dir(folder, member);
        if MemberRecord::read(&member_dir).is_some_and(|r| self.is_over(r.status)) {
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

    /// Whether a member of this status is not run again. What a study has been told of a failure stays so.
    pub(super) fn is_over(&self, status: MemberStatus) -> bool {
        match status {
            MemberStatus::Done | MemberStatus::Pruned => true,
            MemberStatus::Failed => self.study.is_some(),
            MemberStatus::Waiting | MemberStatus::Running | MemberStatus::Interrupted => false,
        }
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
        let prunable = self.study.as_ref().map(|_| member_dir);
        let (status, pruned) = wait(&mut child, workers.interrupt, prunable)
            .map_err(|e| Error::io("wait for", workers.program, &e))?;
        Ok(match status.code() {
            Some(0) => MemberRecord::new(MemberStatus::Done),
            Some(130) if pruned => MemberRecord::new(MemberStatus::Pruned),
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

/// Waits for a process, and returns whether its study has pruned it. When the user asks to stop, or the status in the folder
/// `prunable` says that the study has no use for it, its standard input is closed, which asks it to stop.
fn wait(
    child: &mut Child,
    interrupt: &AtomicBool,
    prunable: Option<&Path>,
) -> std::io::Result<(ExitStatus, bool)> {
    let mut pruned = false;
    for turn in 0usize.. {
        if let Some(status) = child.try_wait()? {
            return Ok((status, pruned));
        }
        if turn.is_multiple_of(PRUNING_POLLS)
            && let Some(member_dir) = prunable
            && let Some(record) = MemberRecord::read(member_dir)
        {
            pruned = record.status == MemberStatus::Pruned;
        }
        if pruned || interrupt.load(Ordering::Relaxed) {
            drop(child.stdin.take());
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    child.wait().map(|status| (status, pruned))
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
