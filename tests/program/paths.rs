//! Paths that are no text: bytes that no UTF-8 has, in every place of the command line.
#![cfg(target_os = "linux")]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

fn odesync(folder: &Path, arguments: &[&OsStr]) -> String {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("odesync"));
    let output = command
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

#[test]
fn any_bytes_are_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let scripts = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts"));
    let experiment = scripts.join("train_lotka_volterra.rhai");
    let script = scripts.join("homotopy_by_hand.rhai");
    let [run, out, assigned, module] =
        [&b"x\xff"[..], b"--out=x\xff", b"out=y\xfe", b"m\xff.py"].map(OsStr::from_bytes);
    let text = |text: &'static str| OsStr::new(text);
    odesync(
        folder.path(),
        &[
            text("run"),
            experiment.as_os_str(),
            out,
            text("training.epochs=2"),
        ],
    );
    // What a script writes beside the run is in the same folder.
    for file in ["config.yaml", "last.safetensors", "figures/fit.svg"] {
        assert!(folder.path().join(run).join(file).is_file(), "{file}");
    }
    odesync(
        folder.path(),
        &[text("run"), script.as_os_str(), assigned, text("epochs=6")],
    );
    let figure = folder
        .path()
        .join(OsStr::from_bytes(b"y\xfe/figures/fit.png"));
    assert!(figure.is_file());
    odesync(folder.path(), &[text("export"), run, module]);
    assert!(folder.path().join(module).is_file());
    let names = std::fs::read_dir(folder.path()).unwrap();
    assert_eq!(names.count(), 3);
    // Two runs of a multirun, whose members are told of the path by their parent.
    let many = OsStr::from_bytes(b"--out=z\xff");
    odesync(
        folder.path(),
        &[
            text("run"),
            text("-m"),
            experiment.as_os_str(),
            many,
            text("training.epochs=2"),
            text("random_seed=1,2"),
        ],
    );
    let member = OsStr::from_bytes(b"z\xff/1_random_seed=2/figures/fit.svg");
    assert!(folder.path().join(member).is_file());
}
