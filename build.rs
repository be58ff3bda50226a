//! Lets this package's programs, tests, doc tests and benchmarks find libtorch when they start, and tells them which commit they
//! were built from.
//!
//! torch-sys links to libtorch but leaves no run path behind: without one, every command would need LD_LIBRARY_PATH.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Built into the program; a new file there would not be noticed otherwise.
    println!("cargo::rerun-if-changed=configs");
    // Set by odesync-torch: the very folder that was linked; absent without the feature `torch`.
    if let Ok(folder) = std::env::var("DEP_ODESYNC_TORCH_LIBTORCH") {
        for argument in ["-Xlinker", "-rpath", "-Xlinker", &folder] {
            println!("cargo::rustc-link-arg={argument}");
        }
    }
    commit();
}

/// The commit that is checked out, for `environment.json`; none outside a git repository.
fn commit() {
    let git = |arguments: &[&str]| {
        let answer = std::process::Command::new("git")
            .args(arguments)
            .output()
            .ok()?;
        let text = String::from_utf8(answer.stdout).ok()?;
        answer.status.success().then(|| text.trim().to_string())
    };
    // A commit must not make the first cell of every notebook build the crate anew.
    println!("cargo::rerun-if-env-changed=ODESYNC_NOTEBOOK");
    let notebook = std::env::var_os("ODESYNC_NOTEBOOK").is_some();
    // The log of HEAD changes with every commit and checkout.
    let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) else {
        return;
    };
    if !notebook && std::path::Path::new(&log).exists() {
        println!("cargo::rerun-if-changed={log}");
    }
    if let Some(commit) = git(&["rev-parse", "HEAD"]) {
        println!("cargo::rustc-env=ODESYNC_COMMIT={commit}");
    }
}
