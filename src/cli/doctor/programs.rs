//! External programs: their paths and their output.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Time limit of an external program, longer than a cold start of Python on a slow disk.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Returns the path of the program of this name on the PATH.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .find(|path| executable(path))
}

/// Whether `path` is an executable file.
pub(super) fn executable(path: &Path) -> bool {
    let Ok(file) = std::fs::metadata(path) else {
        return false;
    };
    #[cfg(unix)]
    let allowed = std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let allowed = true;
    file.is_file() && allowed
}

/// Runs a program and returns what it writes to its standard output.
///
/// # Errors
/// The reason why there is no output: the program does not start, fails, or exceeds the time limit.
pub(super) fn run(program: &Path, arguments: &[&str]) -> Result<String, String> {
    let name = program.display();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{name} does not start: {error}"))?;
    let (answer, answered) = channel();
    if let Some(mut out) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut bytes = vec![];
            let read = out.read_to_end(&mut bytes).is_ok();
            // The receiver is gone only after a timeout.
            let _ = answer.send(read.then_some(bytes));
        });
    }
    let Ok(bytes) = answered.recv_timeout(TIMEOUT) else {
        // Fails if the process has just ended by itself.
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("{name} gave no answer in {TIMEOUT:?}"));
    };
    let status = child
        .wait()
        .map_err(|error| format!("{name} fails: {error}"))?;
    match bytes {
        Some(bytes) if status.success() => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        _ => Err(format!("{name} {} fails: {status}", arguments.join(" "))),
    }
}
