//! Other programs: where they are, and what they answer.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Longer than a cold start of Python on a slow disk.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The program of this name on the PATH.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .find(|path| executable(path))
}

/// Whether this is a file that can be run.
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

/// What a program writes to its standard output.
///
/// # Errors
/// Why there is no answer: it does not start, fails, or takes too long.
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
            // Nobody waits any more only if it took too long.
            let _ = answer.send(read.then_some(bytes));
        });
    }
    let Ok(bytes) = answered.recv_timeout(TIMEOUT) else {
        // It may have ended by itself just now.
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
