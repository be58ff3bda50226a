//! The environment in which a run was made (machine, software, device): `environment.json`.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::run_dir::ENVIRONMENT_FILE;
use crate::{Error, Result};
use odesync_base::files::{read, write_atomically};
use odesync_ode::field::Isa;

/// Writes `environment.json`. When a run is resumed, the new environment is added to the existing file, because the results then
/// come from more than one environment.
pub(super) fn write_environment(folder: &Path, engine: &str, device: &str) -> Result<()> {
    let path = folder.join(ENVIRONMENT_FILE);
    let now = environment(engine, device);
    let before = read(&path)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let all = match before {
        Some(Value::Object(mut before)) => {
            let mut resumed = match before.remove("resumed") {
                Some(Value::Array(list)) => list,
                _ => vec![],
            };
            resumed.push(now);
            before.insert("resumed".into(), Value::Array(resumed));
            Value::Object(before)
        }
        _ => now,
    };
    let text = serde_json::to_string_pretty(&all).map_err(|e| Error::invalid(e.to_string()))?;
    write_atomically(&path, (text + "\n").as_bytes())
}

fn environment(engine: &str, device: &str) -> Value {
    json!({
        "time": jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        "odesync": {
            "version": env!("CARGO_PKG_VERSION"),
            "commit": odesync_base::build::commit(),
            "torch": odesync_ode::engines::registered("torch").map(|torch| torch.library),
        },
        "command": std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect::<Vec<_>>(),
        "folder": std::env::current_dir().ok().map(|d| d.display().to_string()),
        "project": git_state(),
        "engine": engine,
        "device": device,
        "instruction_set": Isa::current().name(),
        "threads": rayon::current_num_threads(),
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "processor": cpu_name(),
    })
}

/// Flags with which git runs no programs that the settings of the repository name, which may be a stranger's: no monitor of files, and,
/// by the attributes of the empty tree, no filters.
const NO_PROGRAMS: [&str; 3] = [
    "-c",
    "core.fsmonitor=false",
    "--attr-source=4b825dc642cb6eb9a060e54bf8d69288fbee4904",
];

/// Returns the git commit of the folder in which the run was started, and whether files differ from it; `None` outside a git
/// repository.
fn git_state() -> Option<Value> {
    let git = |arguments: &[&str]| -> Option<String> {
        let answer = Command::new("git")
            .args(NO_PROGRAMS)
            .args(arguments)
            .output()
            .ok()?;
        let text = String::from_utf8(answer.stdout).ok()?;
        answer.status.success().then(|| text.trim().to_string())
    };
    let commit = git(&["rev-parse", "HEAD"])?;
    let changed =
        git(&["status", "--porcelain", "--untracked-files=no"]).map(|text| !text.is_empty());
    Some(json!({ "commit": commit, "changed": changed }))
}

fn cpu_name() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_string())
}
